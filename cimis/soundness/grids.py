"""Stored values of stations as arrays of times × stations, as the room `agronomy` takes them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cimis.answers.question import Question
from cimis.answers.rows import rows_of
from cimis.lacking import stop_at_damage
from cimis.naming.sites import Sites
from cimis.opened import Opened
from cimis.pipeline.errors import NoDataError
from cimis.pipeline.field.items import Item, Scope
from cimis.pipeline.field.places import Place
from cimis.pipeline.field.time import PER_DAY, day_of_second
from cimis.pipeline.lacks import Lacks, Site

if TYPE_CHECKING:
    from cimis.agronomy.nearness import Near

__all__ = [
    "Grid",
    "Seen",
    "Span",
    "around",
    "grid_of",
    "known_stations",
    "near_of",
    "nothing_stored",
    "place_of",
    "spans_of",
    "within",
]

Doubles = npt.NDArray[np.float64]
Times = npt.NDArray[np.datetime64]

Span = tuple[dt.date, dt.date]


@dataclass(frozen=True, slots=True)
class Grid:
    """Values of some stations, every day or hour in a row.

    Attributes
    ----------
    times : datetime64[D] or datetime64[h] array
        Days, or ends of hours (PST).
    stations : tuple of int
        The columns.
    items : mapping of str to float64 array, times × stations
        In metric units; NaN where missing, or made so by the policy for flags.
    present : bool array, times × stations
        Where there is a record.
    damaged : tuple of (str, str)
        Damaged chunks, whose rows are left out.
    """

    times: Times
    stations: tuple[int, ...]
    items: Mapping[str, Doubles]
    present: npt.NDArray[np.bool_]
    damaged: tuple[tuple[str, str], ...]


def spans_of(opened: Opened, scope: Scope, stations: Sequence[int] | None) -> dict[int, Span]:
    """Return the first and last stored day of each station, as the catalog has them.

    Raises
    ------
    NoDataError
        When nothing is stored of them.
    """
    from cimis.pipeline.catalog.database import Catalog

    found: dict[int, Span] = {}
    with Catalog(opened.root) as catalog:
        for number, first_s, last_s, _ in catalog.holdings(scope, stations):
            first, last = day_of_second(scope, first_s), day_of_second(scope, last_s)
            known = found.get(number, (first, last))
            found[number] = min(known[0], first), max(known[1], last)
    if not found:
        raise nothing_stored(scope)
    return dict(sorted(found.items()))


def place_of(facts: Mapping[str, object] | None) -> Place | None:
    """Return where the station of the catalog's facts lies, None where that is not known."""
    if facts is None:
        return None
    latitude, longitude = facts.get("latitude"), facts.get("longitude")
    if not isinstance(latitude, int | float) or not isinstance(longitude, int | float):
        return None
    return Place(float(latitude), float(longitude))


def grid_of(
    opened: Opened,
    scope: Scope,
    stations: Sequence[int],
    span: Span,
    items: Sequence[Item],
    *,
    qc: str = "strict",
) -> Grid:
    """Read items of some stations over a span of days, both ends inclusive.

    Parameters
    ----------
    stations : sequence of int
        The columns, in this order made ascending.
    span : pair of datetime.date
    items : sequence of Item
        Those that nothing holds are NaN throughout.
    qc : {"keep", "drop-severe", "strict"}
    """
    columns = tuple(sorted(stations))
    first = np.datetime64(span[0], "D")
    days = np.arange(first, np.datetime64(span[1], "D") + np.timedelta64(1, "D"))
    hourly = scope is Scope.HOURLY
    begin = first + np.timedelta64(1, "h")  # an hour is named by its end
    times = begin + np.arange(PER_DAY[scope] * days.size) if hourly else days
    grids = {item.column: np.full((times.size, len(columns)), np.nan) for item in items}
    question = Question(scope, Sites(columns), *span, tuple(items))
    rows = rows_of(opened, question, "metric", qc)
    present = np.zeros((times.size, len(columns)), np.bool_)
    for batch in rows.batches():
        if batch.num_rows == 0:
            continue
        where = np.searchsorted(columns, batch.column("station").to_numpy())
        when = (
            batch.column("time" if hourly else "date")
            .to_numpy(zero_copy_only=False)
            .astype(times.dtype)
        )
        place = (when - times[0]).astype(np.int64)
        present[place, where] = True
        for name, grid in grids.items():
            grid[place, where] = batch.column(name).to_numpy(zero_copy_only=False)
    damaged = tuple((str(path), str(why)) for path, why in rows.damaged)
    return Grid(times, columns, grids, present, damaged)


@dataclass(frozen=True, slots=True)
class Seen:
    """Records that an answer was made of, by station, and damaged chunks that it lacks."""

    counts: dict[int, int] = field(default_factory=dict)
    damaged: dict[tuple[str, str], None] = field(default_factory=dict)

    def take(self, grid: Grid, station: int, rows: slice | npt.NDArray[np.bool_]) -> None:
        """Count the records that some rows of a grid have of a station, and note its damage."""
        column = grid.stations.index(station)
        self.counts[station] = int(grid.present[rows, column].sum())
        # damage of a neighbour's chunk is none of the answer's
        own = f"stations/{station:03}/"
        self.damaged.update((each, None) for each in grid.damaged if each[0].startswith(own))

    @property
    def stations(self) -> set[int]:
        """Those that have any record."""
        return {number for number, count in self.counts.items() if count}

    def refuse_nothing(self, scope: Scope) -> None:
        """Raise `NoDataError` where no station has a record, `ChunkError` where one is damaged."""
        if not self.stations:
            stop_at_damage(tuple(self.damaged))
            raise nothing_stored(scope)

    def lacks(self, opened: Opened, asked: Question) -> Lacks:
        """Return what there is less than what was asked for."""
        held: dict[Site, int] = {n: count for n, count in self.counts.items() if count}
        tally = asked.tally(opened.root, count=lambda: held)
        return replace(tally.lacks(), damaged=tuple(self.damaged))


def nothing_stored(scope: Scope) -> NoDataError:
    """Return what an answer without any record ends with."""
    return NoDataError(
        f"no {scope} record is stored of these stations and days",
        hint="see what is stored with 'cimis stats'",
    )


def within(span: Span, asked: Question) -> Span | None:
    """Return the part of a station's stored days that is asked for, None where there is none."""
    first, last = max(span[0], asked.first or span[0]), min(span[1], asked.last or span[1])
    return (first, last) if first <= last else None


def around(spans: Iterable[Span]) -> Span:
    """Return the first and last day of several spans together."""
    firsts, lasts = zip(*spans, strict=True)
    return min(firsts), max(lasts)


def known_stations(opened: Opened) -> dict[int, Mapping[str, Any]]:
    """Return the facts of the network's list that the catalog has, by number."""
    from cimis.pipeline.catalog.database import Catalog

    with Catalog(opened.root) as catalog:
        return {int(facts["number"]): facts for facts in catalog.stations()}


def near_of(
    opened: Opened, stations: Sequence[int], span: Span, known: Mapping[int, Mapping[str, Any]]
) -> Near:
    """Return which stored stations are near some, of those that have days of a span.

    Its stations are the ones given and their neighbours; neighbours of neighbours are absent.
    """
    from cimis.agronomy.nearness import nearest

    asked = Question(Scope.DAILY, first=span[0], last=span[1])
    spans = spans_of(opened, Scope.DAILY, None)
    stored = [n for n, own in spans.items() if n in stations or within(own, asked)]
    every = nearest(stored, [place_of(known.get(number)) for number in stored])
    rows = every.place[[stored.index(number) for number in stations]]
    some = sorted({*stations, *(stored[column] for column in rows[rows >= 0].tolist())})
    return nearest(some, [place_of(known.get(number)) for number in some])
