"""How a table fits a terminal: which columns are shown, how wide, and which text is shortened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len, set_cell_size

__all__ = ["GAP", "Column", "Fit", "fit", "lines", "one_line"]

GAP = 2
"""Blanks between two columns."""

_WHOLE = 24
"""Text up to so many characters is a name: it stays whole as long as a column can be left out."""

_ELLIPSIS = "…"


@dataclass
class Column:
    """One column of text: header lines, cells, and whether its cells are numbers."""

    name: str
    unit: str = ""
    number: bool = False
    texts: list[str] = field(default_factory=list)

    @property
    def head(self) -> int:
        """Characters that its header takes; a header is never shortened."""
        return max(cell_len(self.name), cell_len(self.unit))

    @property
    def width(self) -> int:
        """Characters that its widest line takes."""
        return max((self.head, *map(cell_len, self.texts)))

    @property
    def least(self) -> int:
        """Characters that it takes at least: numbers, names and headers stay whole."""
        return self.width if self.number else max(self.head, min(self.width, _WHOLE))


@dataclass(frozen=True, slots=True)
class Fit:
    """What of a table is shown: columns whose text fits, those left out, those shortened."""

    columns: list[Column]
    left_out: list[str]
    shortened: list[str]

    def note(self, more: str) -> str | None:
        """Say what is not shown, and how to see it; None where all is."""
        parts = []
        if self.left_out:
            parts.append(f"not shown for lack of width: {', '.join(self.left_out)}")
        if self.shortened:
            parts.append(f"shortened: {', '.join(self.shortened)}")
        return f"{'; '.join(parts)}; {more}" if parts else None


def fit(columns: Sequence[Column], width: int, *, spare: Sequence[str] = ()) -> Fit:
    """Return what of a table fits a width; no cell is then wrapped, no number cut.

    Columns are left out whole until the rest fits with its long texts shortened: first those named
    in ``spare``, in that order, then from the last on; the first column always stays.

    Parameters
    ----------
    columns : sequence of Column
    width : int
        Characters of a line.
    spare : sequence of str
        Names of columns that can be missed.
    """
    kept = list(columns)
    order = [c for name in spare for c in columns[1:] if c.name == name]
    order += [c for c in reversed(columns[1:]) if c not in order]
    for column in order:
        if _total([c.least for c in kept]) <= width:
            break
        kept.remove(column)
    widths = [c.width for c in kept]
    while (over := _total(widths) - width) > 0:
        least = [c.least if len(kept) > 1 or c.number else c.head for c in kept]
        place = max(range(len(kept)), key=lambda n: widths[n] - least[n])
        if (room := widths[place] - least[place]) <= 0:
            break  # one number wider than the terminal: it is shown whole
        widths[place] -= min(over, room)
    shown = [_shortened(c, size) for c, size in zip(kept, widths, strict=True)]
    cut = [c.name for c, new in zip(kept, shown, strict=True) if new.texts != c.texts]
    return Fit(shown, [c.name for c in columns if c not in kept], cut)


def lines(columns: Sequence[Column]) -> list[str]:
    """Return a table as plain lines, the header first."""
    padded = [
        [
            " " * (column.width - cell_len(text)) + text
            if column.number
            else set_cell_size(text, column.width)
            for text in (column.name, *column.texts)
        ]
        for column in columns
    ]
    return [(" " * GAP).join(cells).rstrip() for cells in zip(*padded, strict=True)]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


def _shortened(column: Column, size: int) -> Column:
    texts = [
        text if cell_len(text) <= size else set_cell_size(text, size - 1) + _ELLIPSIS
        for text in column.texts
    ]
    return Column(column.name, column.unit, column.number, texts)


def one_line(text: str) -> str:
    """Return a text without line breaks and other control characters, which a cell cannot hold."""
    return "".join(c if c.isprintable() or c == "\u00a0" else " " for c in text)
