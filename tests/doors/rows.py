"""Rows as the service would send them, in plain Python: what goes in, and so what is to come out.

Values are decimal texts and are compared as decimals; nothing of the product's own code is used.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from hypothesis import strategies as st

__all__ = ["Batch", "Cell", "Key", "Limits", "Rows", "Shape", "batches", "differing"]

Cell = tuple[str | None, str | None]
"""A value's text, None where it is missing, and its flag, None where it passed."""

Key = tuple[int, dt.date, int]
"""Station, day, and hour 1..24; hour 0 is a day's row."""

Rows = dict[Key, dict[str, Cell]]
"""Of each row its cells by column."""

STATIONS = (2, 5, 80, 131, 217, 999)
_STARTS = ((1, 1), (2, 27), (6, 15), (12, 29))
_DAYS = 3  # a window of days that holds the end of February, and of the year, with its hour 24


@dataclass(frozen=True)
class Limits:
    """What a door can carry: columns, decimals of a value, its largest whole part, flags.

    Columns in `fewer` have fewer decimals than the others.
    """

    columns: tuple[str, ...]
    decimals: int
    whole: int
    flags: tuple[str, ...]
    fewer: Mapping[str, int] = field(default_factory=dict)

    def decimals_of(self, column: str) -> int:
        """Return the decimals of a column's values."""
        return min(self.fewer.get(column, self.decimals), self.decimals)


@dataclass(frozen=True)
class Shape:
    """One station's rows: which columns it has, and by step in the window a cell for each."""

    columns: tuple[str, ...]
    rows: tuple[tuple[int, tuple[Cell, ...]], ...]


@dataclass(frozen=True)
class Batch:
    """Shapes that are stored together, one a station, in one window of days of one year."""

    hourly: bool
    start: dt.date
    shapes: tuple[Shape, ...]

    @property
    def stations(self) -> tuple[int, ...]:
        return STATIONS[: len(self.shapes)]

    @property
    def end(self) -> dt.date:
        """Last day of the window."""
        return self.start + dt.timedelta(days=_DAYS - 1)

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns of its shapes."""
        return tuple(dict.fromkeys(name for shape in self.shapes for name in shape.columns))

    def rows(self) -> Rows:
        """Return the rows by their keys."""
        return {
            (station, *self._moment(step)): dict(zip(shape.columns, cells, strict=True))
            for station, shape in zip(self.stations, self.shapes, strict=True)
            for step, cells in shape.rows
        }

    def _moment(self, step: int) -> tuple[dt.date, int]:
        if not self.hourly:
            return self.start + dt.timedelta(days=step % _DAYS), 0
        return self.start + dt.timedelta(days=step // 24), step % 24 + 1


def _places(text: str) -> int:
    return len(text.partition(".")[2])


@st.composite
def _values(draw: st.DrawFn, limits: Limits, column: str) -> str | None:
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return None
    if kind == 1:
        most = limits.decimals_of(column)
        texts = ("0", "0.0", "-0.1", "0.01", "100", "-1")
        return draw(st.sampled_from([text for text in texts if _places(text) <= most]))
    places = draw(st.integers(0, limits.decimals_of(column)))
    top = limits.whole * 10**places
    number = draw(st.integers(-top // 4, top))
    return f"{Decimal(number).scaleb(-places):f}"


@st.composite
def _shapes(draw: st.DrawFn, limits: Limits, steps: int) -> Shape:
    columns = draw(st.lists(st.sampled_from(limits.columns), min_size=1, max_size=3, unique=True))
    edges = st.sampled_from(sorted({0, min(23, steps - 1), steps - 1}))  # hours 1 and 24
    step = st.one_of(st.integers(0, steps - 1), edges)
    times = sorted(draw(st.sets(step, min_size=1, max_size=4)))
    flags = st.one_of(st.none(), st.sampled_from(limits.flags))
    rows = tuple(
        (step, tuple((draw(_values(limits, name)), draw(flags)) for name in columns))
        for step in times
    )
    return Shape(tuple(columns), rows)


@st.composite
def batches(draw: st.DrawFn, limits: Limits, *, hourly: bool) -> Batch:
    """Draw rows of six stations that a door can carry."""
    year = draw(st.sampled_from((2016, 1999, 2012, 2024, 2025)))
    month, day = draw(st.sampled_from(_STARTS))
    steps = _DAYS * 24 if hourly else _DAYS
    shape = _shapes(limits, steps)
    shapes = draw(st.lists(shape, min_size=len(STATIONS), max_size=len(STATIONS)))
    return Batch(hourly, dt.date(year, month, day), tuple(shapes))


def differing(due: Rows, found: Rows) -> Counter[str]:
    """Return by column how many cells differ; a row that is absent, or too many, is an error."""
    absent, foreign = due.keys() - found.keys(), found.keys() - due.keys()
    assert not absent, f"rows that went in and did not come out: {sorted(absent)[:5]}"
    assert not foreign, f"rows that nobody put in: {sorted(foreign)[:5]}"
    counts: Counter[str] = Counter()
    for key, cells in due.items():
        for column in cells.keys() | found[key].keys():
            one, two = cells.get(column, (None, None)), found[key].get(column, (None, None))
            if _exact(one) != _exact(two):
                counts[column] += 1
    return counts


def _exact(cell: Cell) -> tuple[Decimal | None, str | None]:
    value, flag = cell
    return None if value is None else Decimal(value), flag
