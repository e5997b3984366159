"""Rows on their way to a chunk, held per station and year until the last of its requests is in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pyarrow as pa

from cimis.pipeline.decode import unify
from cimis.pipeline.decode.allocs import AllocReport
from cimis.pipeline.errors import CimisError
from cimis.pipeline.fetch.final import Span
from cimis.pipeline.fetch.report.station_year import StationYear
from cimis.pipeline.fetch.window import Fetched
from cimis.pipeline.field.items import Scope
from cimis.pipeline.field.targets import BY_NUMBER, Naming
from cimis.pipeline.field.time import PER_DAY, by_year
from cimis.pipeline.plan.windows import Window
from cimis.pipeline.rows.keys import by_station_year
from cimis.pipeline.service import Timings

__all__ = ["Key", "Place", "Shelf"]

Key = tuple[int, int]
"""Station and year."""


@dataclass(slots=True)
class Place:
    """One station's year: its entry in the report, requests still out, rows and days in hand."""

    result: StationYear
    pending: int = 0
    spans: list[Span] = field(default_factory=list)
    tables: list[tuple[dt.date, pa.Table]] = field(default_factory=list)
    held_since_s: float = 0.0

    @property
    def held_bytes(self) -> int:
        """Size of the rows in hand."""
        return sum(table.nbytes for _, table in self.tables)

    def take(self) -> tuple[pa.Table | None, list[Span]]:
        """Return the rows, by date of their request whatever the order they came in, and days."""
        batches = [b for _, t in sorted(self.tables, key=lambda x: x[0]) for b in t.to_batches()]
        spans, self.tables, self.spans = sorted(self.spans), [], []
        return (unify(batches) if batches else None), spans


class Shelf:
    """All station-years of a run.

    Parameters
    ----------
    scope : Scope
        Tells how many records a day has.
    naming : Naming
        Says which numbers stand for spatial targets.
    """

    def __init__(self, scope: Scope, naming: Naming = BY_NUMBER) -> None:
        self.places: dict[Key, Place] = {}
        self.held_bytes = 0
        self._naming = naming
        self._per_day = PER_DAY[scope]

    def place(self, station: int, year: int) -> Place:
        """Return the place of a station's year, made where there is none yet."""
        key = station, year
        if key not in self.places:
            target = self._naming.target(station)
            result = StationYear(station, year, target=None if target is None else target.key)
            self.places[key] = Place(result)
        return self.places[key]

    def expect(self, windows: Iterable[Window]) -> None:
        """Await the rows of planned requests."""
        for window in windows:
            for key, span in _parts(window):
                place = self.place(*key)
                place.pending += 1
                place.result.expected += _days(span) * self._per_day

    def replace(self, window: Window, parts: Iterable[Window]) -> None:
        """Await the smaller requests that take the place of one."""
        for part in parts:
            for key, _ in _parts(part):
                self.places[key].pending += 1
        for key, _ in _parts(window):
            self.places[key].pending -= 1

    def put(self, fetched: Fetched, attempts: int, now_s: float, spent: Timings) -> list[Key]:
        """Take the rows of a request; return the station-years that are now complete.

        ``spent`` are the times of the tries that failed before.
        """
        window = fetched.window
        came = {} if fetched.table is None else _by_key(fetched.table)
        complete = []
        for key, span in _parts(window):
            place = self.places[key]
            share = _days(span) / _station_days(window)
            self._count(place.result, fetched, attempts, share=share)
            place.result.timings.add(spent, share=share)
            place.spans.append(span)
            place.pending -= 1
            table = came.get(key)
            if table is not None:
                place.held_since_s = place.held_since_s if place.tables else now_s
                place.tables.append((span[0], table))
                self.held_bytes += table.nbytes
                place.result.received += table.num_rows
            days = 0 if table is None else len(table["date"].unique())
            place.result.absent_days += _days(span) - days
            if place.pending == 0:
                complete.append(key)
        return complete

    def fail(self, window: Window, error: CimisError, attempts: int, spent: Timings) -> list[Key]:
        """Note that a request failed for good; return the station-years that it ended."""
        ended = []
        for key, span in _parts(window):
            place = self.places[key]
            place.result.timings.add(spent, share=_days(span) / _station_days(window))
            place.result.error = error
            place.result.requests += attempts > 0
            place.result.attempts += attempts
            place.pending -= 1
            if place.pending == 0:
                ended.append(key)
        return ended

    def take(self, key: Key) -> tuple[pa.Table | None, list[Span]]:
        """Return and forget the rows and days in hand of a station's year."""
        place = self.places[key]
        self.held_bytes -= place.held_bytes
        return place.take()

    def overdue(self, now_s: float, *, longest_s: float, budget_bytes: int) -> list[Key]:
        """Return incomplete station-years to store already: held too long, or the largest."""
        held = [key for key, place in self.places.items() if place.tables and place.pending]
        late = [key for key in held if now_s - self.places[key].held_since_s > longest_s]
        if self.held_bytes <= budget_bytes:
            return late
        sizes = {key: self.places[key].held_bytes for key in held}
        chosen, freed = list(late), sum(sizes[key] for key in late)
        for key in sorted(set(held) - set(late), key=lambda k: (-sizes[k], k)):
            if self.held_bytes - freed <= budget_bytes // 2:
                break
            chosen.append(key)
            freed += sizes[key]
        return chosen

    def results(self) -> list[StationYear]:
        """Return the entries of the report, by station and year."""
        return [self.places[key].result for key in sorted(self.places)]

    def unstored(self) -> list[Key]:
        """Return the station-years that have rows or days in hand."""
        return sorted(key for key, place in self.places.items() if place.spans)

    def _count(self, result: StationYear, fetched: Fetched, attempts: int, *, share: float) -> None:
        result.requests += 1
        result.attempts += attempts
        result.timings.add(fetched.timings, share=share)
        result.bytes_transferred += fetched.wire_bytes * share
        result.bytes_decoded += fetched.decoded_bytes * share
        result.content_encoding = fetched.content_encoding or "identity"
        if fetched.allocs is not None:
            result.allocs = result.allocs or AllocReport()
            result.allocs.add(fetched.allocs, share=share)


def _by_key(table: pa.Table) -> dict[Key, pa.Table]:
    return {(station, year): rows for station, year, rows in by_station_year(table)}


def _parts(window: Window) -> Iterator[tuple[Key, Span]]:
    """Yield the station-years that a request concerns, each with its days."""
    for year, span in by_year(window.start, window.end):
        for station in window.stations:
            yield (station, year), span


def _days(span: Span) -> int:
    return (span[1] - span[0]).days + 1


def _station_days(window: Window) -> int:
    return len(window.stations) * window.days
