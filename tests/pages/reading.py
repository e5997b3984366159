"""Reading a page as people and programs do: its tables by key, tiles, charts, and words."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from html.parser import HTMLParser
from typing import Any

__all__ = ["Reading", "unpacked"]


def unpacked(column: dict[str, Any]) -> list[Any]:
    """Return the values of a column of a chart, whatever the form in which the page has them."""
    if "same" in column:
        return [column["same"]] * int(column["n"])
    if "words" in column:
        return [None if at is None else column["words"][at] for at in column["at"]]
    if "days" in column:
        start = dt.date(1970, 1, 1)
        return [f"{start + dt.timedelta(days=n)}" for n in itertools.accumulate(column["days"])]
    return list(column["all"])


class Reading(HTMLParser):
    """What stands in a page.

    Attributes
    ----------
    tables : dict of str to list of dict
        Rows of each table by its ``data-key``; columns by their ``data-name``, all texts.
    tiles : dict of str to str
        The exact figure of each tile that has one, by its key.
    charts : list of dict
        What the script draws from, each with its ``kind``.
    words : str
        The text that is shown.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: dict[str, list[dict[str, str]]] = {}
        self.tiles: dict[str, str] = {}
        self.charts: list[dict[str, Any]] = []
        self.words = ""
        self._key, self._names, self._row = "", list[str](), list[str]()
        self._cell: str | None = None
        self._script = self._kind = ""
        self._hidden = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = {name: value or "" for name, value in attrs}
        if tag == "div" and facts.get("class", "").startswith("table"):
            self._key, self._names = facts.get("data-key", ""), []
            self.tables[self._key] = []
        elif tag == "li" and "data-value" in facts:
            self.tiles[facts["data-key"]] = facts["data-value"]
        elif tag == "figure":
            self._kind = facts.get("data-kind", "")
        elif tag == "th" and "data-name" in facts:
            self._names.append(facts["data-name"])
        elif tag == "tr":
            self._row = []
        elif tag in ("td", "th"):
            self._cell = ""
        elif tag in ("script", "style"):
            self._hidden = tag
            self._script = "" if facts.get("class") == "data" else "-"

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th") and self._cell is not None:
            self._row.append(self._cell)
            self._cell = None
        elif tag == "tr" and self._row and self._names:
            self.tables[self._key].append(dict(zip(self._names, self._row, strict=True)))
        elif tag == "script":
            if not self._script.startswith("-"):
                chart = {"kind": self._kind} | json.loads(self._script)
                columns = {name: unpacked(one) for name, one in chart["columns"].items()}
                self.charts.append(chart | {"columns": columns})
            self._hidden = ""
        elif tag == "style":
            self._hidden = ""

    def handle_data(self, data: str) -> None:
        if self._hidden:
            if not self._script.startswith("-"):
                self._script += data
            return
        self.words += data
        if self._cell is not None:
            self._cell += data
