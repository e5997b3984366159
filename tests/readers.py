"""Tables of Markdown and HTML read by other programs' parsers."""

from __future__ import annotations

from html.parser import HTMLParser

from markdown_it import MarkdownIt

__all__ = ["Reader", "of_html", "of_markdown"]


def of_markdown(text: str) -> tuple[list[list[str]], list[str]]:
    """Return the cells that Markdown's reader finds, and the alignment of each column."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    assert tokens[0].type == "table_open"
    assert tokens[-1].type == "table_close"
    rows: list[list[str]] = []
    sides = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "th_open":
            sides.append(str(token.attrs.get("style", "")))
        elif token.type == "inline":
            assert {child.type for child in token.children or ()} <= {
                *("text", "text_special", "html_inline"),
            }
            breaks = ("\n" if c.type == "html_inline" else c.content for c in token.children or ())
            rows[-1].append("".join(breaks))
    return rows, sides


class Reader(HTMLParser):
    """Gathers the cells of tables, the elements, and the texts of some."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self._cell: list[str] | None = None
        self._within = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._within = tag
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self._cell = []

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th") and self._cell is not None:
            self.tables[-1][-1].append("".join(self._cell))
            self._cell = None

    def handle_data(self, data: str) -> None:
        self.texts[self._within] = self.texts.get(self._within, "") + data
        if self._cell is not None:
            self._cell.append(data)


def of_html(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    return reader
