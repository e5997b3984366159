"""What a store lacks: days or hours without a record, values missing in one, and runs of both."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cimis.pipeline.field.items import Item, Scope
from cimis.pipeline.field.time import (
    PER_DAY,
    date_of,
    day_number,
    named_time,
    time_of,
    times_between,
)
from cimis.pipeline.lacks import Site
from cimis.pipeline.rows.schema import item_of
from cimis.queries.answers.carried import Carried

__all__ = ["Completeness", "Run", "StationGaps", "gaps_of"]

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Run:
    """Records in a row without a value: ``absent`` ones are not there, of ``missing`` the value.

    ``first`` and ``last`` are days, or of hourly records ``2024-06-01 hour 14``.
    """

    kind: str
    first: str
    last: str
    length: int


@dataclass(frozen=True, slots=True)
class Completeness:
    """How complete one item of a station (or spatial target) is over the days or hours expected."""

    station: Site
    item: str
    expected: int
    absent: int
    missing: int
    runs: tuple[Run, ...]

    @property
    def share(self) -> float:
        """Share of the expected records that have a value, from 0 to 1."""
        return 1 - (self.absent + self.missing) / self.expected if self.expected else 1.0

    def as_dict(self) -> dict[str, Any]:
        """Return the facts as JSON-ready values."""
        return asdict(self) | {
            "share": round(self.share, 6),
            "runs": [asdict(r) for r in self.runs],
        }


@dataclass(frozen=True, slots=True)
class StationGaps:
    """A station's completeness per item, and per day what share of its values is there.

    ``shares`` begins with the day ``first``; it is NaN on days without any record.
    """

    station: Site
    first: dt.date
    items: tuple[Completeness, ...]
    shares: npt.NDArray[np.float64] = field(repr=False)


def gaps_of(
    table: pa.Table,
    scope: Scope,
    start: dt.date | None = None,
    end: dt.date | None = None,
    *,
    stations: Sequence[Site] | None = None,
    items: Sequence[Item] | None = None,
    held: Mapping[tuple[Site, int], frozenset[str]] | None = None,
) -> Iterator[StationGaps]:
    """Yield what each station, or spatial target, lacks, in their order.

    Parameters
    ----------
    table : pyarrow.Table
        Physical rows, in order of station and time.
    scope : Scope
    start, end : datetime.date, optional
        First and last expected day; by default the station's own first and last in the table.
    stations : sequence of int or str, optional
        Those asked for; one without any row lacks everything, where the days are known.
    items : sequence of Item, optional
        Those to tell of; by default all of the table.
    held : mapping of (int or str, int) to frozenset of str, optional
        Codes of the items that each station's year holds. What its source never carries is then not
        expected of it: see :mod:`cimis.queries.answers.carried`.
    """
    names = [f.name for f in table.schema if item_of(f) is not None]
    if items is not None:
        wished = {item.column for item in items}
        names = [name for name in names if name in wished]
    whose = table.column(0).combine_chunks().dictionary_encode()
    numbers = whose.indices.to_numpy()
    names_of: list[Any] = whose.dictionary.to_pylist()
    edges = np.flatnonzero(np.diff(numbers, prepend=-1)).tolist()
    stored: dict[Any, slice] = {
        names_of[numbers[begin]]: slice(begin, after)
        for begin, after in pairwise([*edges, len(numbers)])
        if begin < after
    }
    wanted = set(stored)
    if stations is not None and start is not None and end is not None:
        wanted |= set(stations)
    for station in sorted(wanted):
        own = {year: codes for (who, year), codes in (held or {}).items() if who == station}
        rows = _rows(table, stored.get(station))
        carried = Carried(scope, None if held is None else own)
        yield _of_station(rows, station, scope, start, end, names, carried)


def _rows(table: pa.Table, place: slice | None) -> pa.Table:
    return (
        table.slice(0, 0) if place is None else table.slice(place.start, place.stop - place.start)
    )


def _of_station(
    rows: pa.Table,
    station: Site,
    scope: Scope,
    start: dt.date | None,
    end: dt.date | None,
    items: Sequence[str],
    carried: Carried,
) -> StationGaps:
    days = rows["date"].to_numpy().astype("datetime64[D]").astype(np.int64)
    hours = rows["hour"].to_numpy().astype(np.int64) if scope is Scope.HOURLY else days
    begin = date_of(int(days[0])) if start is None else start
    first, last = times_between(
        scope, day_number(begin), int(days[-1]) if end is None else day_number(end)
    )
    size = max(last - first + 1, 0)
    at = time_of(scope, days, hours) - first
    inside = (at >= 0) & (at < size)
    there = np.zeros(size, np.bool_)
    there[at[inside]] = True
    filled = np.zeros((len(items), size), np.bool_)
    for number, name in enumerate(items):
        filled[number, at[inside]] = np.asarray(rows[name].is_valid())[inside]
    due = carried.masks(rows, items, begin, size, at, inside) | filled
    found = tuple(
        _completeness(station, name, there, filled[number], due[number], scope, first)
        for number, name in enumerate(items)
        if size == 0 or due[number].any()
    )
    return StationGaps(station, begin, found, _shares(there, filled, due, PER_DAY[scope]))


def _completeness(
    station: Site, item: str, there: Bools, filled: Bools, due: Bools, scope: Scope, first: int
) -> Completeness:
    runs = [
        *_runs("absent", ~there & due, scope, first),
        *_runs("missing", there & ~filled & due, scope, first),
    ]
    ordered = tuple(sorted(runs, key=lambda run: (run.first, run.kind)))
    absent = int(np.count_nonzero(~there & due))
    missing = int(np.count_nonzero(there & ~filled & due))
    return Completeness(station, item, int(np.count_nonzero(due)), absent, missing, ordered)


def _runs(kind: str, lacking: Bools, scope: Scope, first: int) -> Iterator[Run]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], lacking, [False]])))
    for begin, after in edges.reshape(-1, 2).tolist():
        from_, to = (named_time(scope, first + place, width=2) for place in (begin, after - 1))
        yield Run(kind, from_, to, after - begin)


def _shares(there: Bools, filled: Bools, due: Bools, per_day: int) -> npt.NDArray[np.float64]:
    """Return per day the share of values that are there, NaN where there is no record."""
    if not filled.size:
        return np.zeros(0)
    has, could = (mask.reshape(len(mask), -1, per_day).sum(axis=(0, 2)) for mask in (filled, due))
    shares: npt.NDArray[np.float64] = np.where(could > 0, has / np.maximum(could, 1), np.nan)
    empty = ~there.reshape(-1, per_day).any(axis=1)
    shares[empty] = np.nan
    return shares
