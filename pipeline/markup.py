"""What an object says of itself: in a line of text, and as a small page of HTML for notebooks.

Every text is escaped, since names and errors come from files and services. No colours are named, so
that it reads on a dark ground as on a light one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Number
from typing import Any, Self

from cimis.pipeline.errors import CimisError

__all__ = ["FIRST", "NONE", "Card", "Sheet", "cell", "counted", "shown", "sized"]

FIRST = 10
"""Rows of a table that are shown; a line says how many there are."""

NONE = "–"
"""What stands where a value is missing."""

_STEP = 1000
_LEFT, _RIGHT = "text-align:left", "text-align:right"
_WHOLE = "text-align:left;white-space:nowrap"
_SHORT = 25
"""Letters up to which a text of a cell is not broken into lines, as a date or a name."""


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: ``1 station``, ``8,760 rows``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def sized(count: float) -> str:
    """Return bytes as people read them: ``612 bytes``, ``3.4 MB``."""
    if count < _STEP:
        return counted(round(count), "byte")
    power = min(int(math.log(count, _STEP)), 4)
    return f"{count / _STEP**power:.3g} {' kMGT'[power]}B"


def cell(value: object) -> str:
    """Return a value as a text: floats as they print, yes and no, a missing one as a dash."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.10g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The first rows of a table.

    Parameters
    ----------
    caption : str
        What the rows are.
    heads : sequence of str
    rows : sequence of sequence
        Those to show.
    total : int, optional
        How many there are; by default those shown are all.
    """

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[object]]
    total: int | None = None

    @classmethod
    def of(cls, caption: str, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> Self:
        """Return the first rows of all."""
        return cls(caption, heads, rows[:FIRST], len(rows))

    @property
    def shown(self) -> str:
        """How many rows of how many there are."""
        total = len(self.rows) if self.total is None else self.total
        if total == len(self.rows):
            return counted(total, "row")
        return f"showing {len(self.rows):,} of {counted(total, 'row')}"

    def html(self) -> str:
        """Return a table with a caption, and a head for each column."""
        right = [all(_is_number(row[i]) for row in self.rows) for i in range(len(self.heads))]
        styles = [_RIGHT if number and self.rows else _LEFT for number in right]
        head = _row("th", self.heads, styles, ' scope="col"')
        body = "".join(_row("td", map(cell, row), styles) for row in self.rows)
        caption = f"{self.caption} ({self.shown})" if self.caption else self.shown
        return (
            f'<table><caption style="{_WHOLE}">{_escaped(caption)}</caption>'
            f"<thead>{head}</thead><tbody>{body}</tbody></table>"
        )


@dataclass(frozen=True, slots=True)
class Card:
    """What an object says of itself.

    Parameters
    ----------
    kind : str
        The object's class.
    title : str
        What it is, or how it went, in one line.
    facts : mapping of str to str
        Named figures, as texts.
    sheets : sequence of Sheet
    notes : sequence of str
        What lacks, warnings, what to do next: a line each.
    """

    kind: str
    title: str
    facts: Mapping[str, str] = field(default_factory=dict)
    sheets: Sequence[Sheet] = ()
    notes: Sequence[str] = ()

    def html(self) -> str:
        """Return a title, a table of the figures, the tables, and the notes as a list."""
        parts = [] if self.facts else [f"<p><strong>{_escaped(self.title)}</strong></p>"]
        if self.facts:
            rows = "".join(
                f'<tr><th scope="row" style="{_WHOLE}">{_escaped(name)}</th>'
                f'<td style="{_LEFT}">{_escaped(text)}</td></tr>'
                for name, text in self.facts.items()
            )
            head = f'<caption style="{_WHOLE}"><strong>{_escaped(self.title)}</strong></caption>'
            parts.append(f"<table>{head}<tbody>{rows}</tbody></table>")
        parts += [sheet.html() for sheet in self.sheets]
        if self.notes:
            items = "".join(f"<li>{_escaped(note)}</li>" for note in self.notes)
            parts.append(f"<ul>{items}</ul>")
        return f'<div class="cimis">{"".join(parts)}</div>'

    def line(self) -> str:
        """Return the title, the first figures and how many notes there are, in one line."""
        facts = [f"{name} {text}" for name, text in self.facts.items()]
        rows = [sheet.shown for sheet in self.sheets if not self.facts]
        return f"<{self.kind}: {'; '.join([self.title, *facts, *rows, *self.notes[:1]])}>"


def shown(kind: str, card: Callable[[], Card]) -> str:
    """Return a card's HTML; where it cannot be read, what hinders that and what to do."""
    try:
        return card().html()
    except CimisError as error:
        hints = () if error.hint is None else (error.hint,)
        return Card(kind, f"{kind}: {error.message}", notes=hints).html()


def _escaped(text: str) -> str:
    from html import escape  # its table of names is loaded for a notebook only

    return escape(text)


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, Number) and not isinstance(value, bool))


def _row(tag: str, texts: Iterable[str], styles: Sequence[str], more: str = "") -> str:
    cells = "".join(
        f'<{tag}{more} style="{style}{";white-space:nowrap" * (len(text) <= _SHORT)}">'
        f"{_escaped(text)}</{tag}>"
        for text, style in zip(texts, styles, strict=True)
    )
    return f"<tr>{cells}</tr>"
