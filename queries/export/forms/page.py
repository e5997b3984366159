"""Rows as one HTML document: a table to read, print or mail, and what it says of itself."""

from __future__ import annotations

import html
from collections.abc import Sequence

import pyarrow as pa

from cimis.queries.export.about import Seen, sections
from cimis.queries.export.forms.stream import Counted, Heading
from cimis.queries.export.heads import unit_symbol
from cimis.queries.export.texts import harmless_texts, is_number, joined, shown

__all__ = ["Page"]

_STYLE = """
:root { color-scheme: light dark; --line: #c4c9cf; --head: #eef1f4; --soft: #56606b; }
@media (prefers-color-scheme: dark) {
  :root { --line: #454c54; --head: #23282e; --soft: #a9b3bd; }
  body { background: #15181b; color: #e6e9ec; }
}
body { font: 15px/1.45 system-ui, sans-serif; margin: 1.5rem auto; padding: 0 1rem;
  max-width: 80rem; }
.rows { overflow-x: auto; }
.rows:focus-visible { outline: 3px solid #2f7fd6; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .5rem; }
h1 { font-size: 1rem; margin: 0; }
th, td { padding: .2rem .6rem; border-bottom: 1px solid var(--line); text-align: left;
  white-space: pre-wrap; vertical-align: top; }
thead th { background: var(--head); white-space: nowrap; vertical-align: bottom; }
.n { text-align: right; }
.n, .t { white-space: nowrap; }
.unit { display: block; font-weight: 400; color: var(--soft); }
h2 { font-size: 1rem; margin: 1.5rem 0 .3rem; }
@media print {
  :root { color-scheme: light; --line: #bbb; --head: #fff; --soft: #444; }
  body { background: #fff; color: #000; font-size: 10px; margin: 0; max-width: none; padding: 0; }
  .rows { overflow: visible; }
  thead { display: table-header-group; }
  tr { break-inside: avoid; }
}
"""


class Page:
    """A document with the rows as a table; behind it columns, stations, flags, origin."""

    def __init__(self, stream: Counted, schema: pa.Schema, heading: Heading) -> None:
        self._stream = stream
        self._heading = heading
        self._seen = Seen(schema)
        title = escaped(heading.about.title)
        stream.write(
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
            f'<div class="rows" role="region" aria-label="Rows" tabindex="0">\n'
            f"<table>\n<caption><h1>{title}</h1></caption>\n<thead>\n<tr>"
            f"{''.join(map(_head, schema))}</tr>\n</thead>\n<tbody>\n".encode()
        )

    def batch(self, batch: pa.RecordBatch) -> None:
        """Write some rows."""
        self._seen.take(batch)
        if not batch.num_rows:
            return
        parts: list[pa.Array | str] = []
        for column in batch.columns:
            start = f"<td{_side(column.type)}>"
            parts += [
                f"</td>{start}" if parts else f"<tr>{start}",
                harmless_texts(column, escaped),
            ]
        self._stream.write(joined([*parts, "</td></tr>\n"]))

    def close(self) -> None:
        """Write what stands behind the rows."""
        parts = ["</tbody>\n</table>\n</div>\n"]
        for heading, columns, rows in sections(self._seen, self._heading):
            parts.append(f"<section>\n<h2>{escaped(heading)}</h2>\n<table>\n")
            if heading != "About":
                heads = "".join(f'<th scope="col">{escaped(name)}</th>' for name in columns)
                parts.append(f"<thead>\n<tr>{heads}</tr>\n</thead>\n")
            parts.append(f"<tbody>\n{''.join(map(_line, rows))}</tbody>\n</table>\n</section>\n")
        parts.append("</main>\n</body>\n</html>\n")
        self._stream.write("".join(parts).encode())
        self._stream.flush()


def escaped(text: str) -> str:
    """Return a text so that HTML shows it as it is."""
    return html.escape(shown(text)).replace("\r", "&#13;")


def _head(field: pa.Field) -> str:
    """Return a column's head: its name, and its unit below."""
    unit = unit_symbol(field)
    told = f' <span class="unit">[{escaped(unit)}]</span>' if unit else ""
    return f'<th scope="col"{_side(field.type)}>{escaped(field.name)}{told}</th>'


def _side(kind: pa.DataType) -> str:
    """Return how a column's cells stand: numbers to the right, days and times unbroken."""
    if is_number(kind):
        return ' class="n"'
    return ' class="t"' if pa.types.is_date(kind) or pa.types.is_timestamp(kind) else ""


def _line(row: Sequence[str]) -> str:
    first, *others = map(escaped, row)
    cells = "".join(f"<td>{text}</td>" for text in others)
    return f'<tr><th scope="row">{first}</th>{cells}</tr>\n'
