"""Rows as a table of GitHub's Markdown: units in the head, numbers to the right."""

from __future__ import annotations

import re

import pyarrow as pa

from cimis.queries.export.forms.stream import Counted, Heading
from cimis.queries.export.heads import titles
from cimis.queries.export.texts import harmless_texts, is_number, joined, shown

__all__ = ["Markdown"]

_MARKS = re.compile(
    r"[\\`*~|\[\]<>&$@]"
    r"|(?<![^\W_])_|_(?![^\W_])"  # an underscore within a word means nothing
    r"|:(?=//)|:(?=[\w+-]+:)"  # an address, a sign of GitHub's
    r"|(?i:(?<=\bwww)\.)"
)
"""Signs that mean something in a cell."""
_ENTITIES = "<>&@:."
_BREAKS = re.compile(r"\r\n|\r|\n")


class Markdown:
    """A head, a line of alignments, a line a row; a missing value is an empty cell."""

    def __init__(self, stream: Counted, schema: pa.Schema, _heading: Heading) -> None:
        self._stream = stream
        heads = [escaped(title) for title in titles(schema)]
        sides = ["---:" if is_number(field.type) else "---" for field in schema]
        stream.write(f"| {' | '.join(heads)} |\n| {' | '.join(sides)} |\n".encode())

    def batch(self, batch: pa.RecordBatch) -> None:
        """Write some rows."""
        if not batch.num_rows:
            return
        parts: list[pa.Array | str] = []
        for column in batch.columns:
            parts += [" | " if parts else "| ", harmless_texts(column, escaped)]
        self._stream.write(joined([*parts, " |\n"]))

    def close(self) -> None:
        """Hand over what is buffered."""
        self._stream.flush()


def escaped(text: str) -> str:
    """Return a text so that Markdown shows it as it is, in one cell on one line.

    A break of the line is ``<br>``; blanks at the ends, which a cell would lose, are entities.
    """
    lines = [_MARKS.sub(_harmless, line) for line in _BREAKS.split(shown(text))]
    whole = "<br>".join(lines)
    core = whole.strip()
    if core == whole:
        return whole
    start = whole.index(core) if core else len(whole)
    before, behind = (map(_entity, end) for end in (whole[:start], whole[start + len(core) :]))
    return "".join((*before, core, *behind))


def _harmless(found: re.Match[str]) -> str:
    return _entity(found[0]) if found[0] in _ENTITIES else f"\\{found[0]}"


def _entity(sign: str) -> str:
    return f"&#{ord(sign)};"
