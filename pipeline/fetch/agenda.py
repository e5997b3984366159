"""Decide which requests a run makes: what is asked for, less today, less what is final already."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.errors import (
    CimisError,
    DecodeError,
    NetworkError,
    RequestRefused,
    ServiceError,
    TooManyRecords,
    UsageError,
)
from cimis.pipeline.fetch.final import Span, left_to_ask
from cimis.pipeline.fetch.patience import NEVER_REACHED
from cimis.pipeline.fetch.request import FetchRequest
from cimis.pipeline.fetch.shelf import Shelf
from cimis.pipeline.field.items import Scope
from cimis.pipeline.field.targets import SPATIAL_FIRST_DAY
from cimis.pipeline.field.time import by_year
from cimis.pipeline.plan.windows import (
    Window,
    check_days,
    halve,
    plan_windows,
    split_stations,
    staircase,
    without_station,
)
from cimis.pipeline.service import RetryPolicy

__all__ = ["Smaller", "allowed_span", "make_agenda"]

_MOST_GARBLED = 10
_ONES_OWN = {"ERR1019", "ERR1031", "ERR1034"}
"""What the service says where it does not know one of a request's stations or targets."""
_MOST_FRUITLESS = 12  # enough to find one station of the most that a request can hold


def allowed_span(request: FetchRequest, today: dt.date) -> tuple[Span, list[str]]:
    """Return the days to fetch, never today, and warnings where days are left out.

    Raises
    ------
    UsageError
        For days that cannot be asked for, and for today alone.
    """
    check_days(request.start, request.end, today=today)
    yesterday = today - dt.timedelta(days=1)
    if request.start > yesterday:
        raise UsageError(
            f"{request.start} is the network's present day (PST), which is not over",
            hint=f"fetch {yesterday} or before; today's values are never stored",
        )
    warnings = []
    if request.targets and request.start < SPATIAL_FIRST_DAY:
        warnings.append(f"spatial data begin on {SPATIAL_FIRST_DAY}: earlier days are left out")
    if request.end <= yesterday:
        return (request.start, request.end), warnings
    left_out = f"today, {today} (PST), is left out: it is not over"
    return (request.start, yesterday), [*warnings, left_out]


def make_agenda(
    root: Path, catalog: Catalog | None, request: FetchRequest, span: Span, shelf: Shelf
) -> list[Window]:
    """Return the requests for all days that are not both stored and final.

    Parameters
    ----------
    root : Path
        The data directory.
    catalog : Catalog, optional
        None where nothing is stored.
    request : FetchRequest
    span : Span
        First and last day, both inclusive.
    shelf : Shelf
        Gets a place for every station's year, and awaits the requests.

    Returns
    -------
    list of Window
        By year, then stations, then start: one group's year after the other becomes complete, so
        that little waits for its rest, and little is lost when the run is killed.
    """
    groups: dict[tuple[str, Span], list[int]] = {}
    for number in request.numbers:
        own = request.span_of(number, span)
        if own is None:
            continue
        left = [own]
        if request.spans:
            left = [(first, last) for who, first, last in request.spans if who == number]
        elif catalog is not None and not request.full:
            left = left_to_ask(catalog, root, number, request, own)
        for part in left:
            _group(groups, request, number, part)
        _note_skipped(shelf, number, own if not request.spans else None, left)
    if request.spans:
        groups = _shared(groups, request.scope)
    windows = [
        window
        for (_, (first, last)), numbers in groups.items()
        for some in ([[s] for s in numbers] if request.plain else [numbers])
        for window in plan_windows(
            some,
            request.scope,
            first,
            last,
            request.items_of(some[0]),
            today=last,
            naming=request.naming,
        )
    ]
    windows.sort(key=lambda w: (w.start.year, w.stations, w.start))
    shelf.expect(windows)
    return windows


def _group(
    groups: dict[tuple[str, Span], list[int]], request: FetchRequest, number: int, span: Span
) -> None:
    """Enter days beside those who are asked for with them: of one kind; spatial ones by year."""
    target = request.naming.target(number)
    if target is None:
        groups.setdefault(("station", span), []).append(number)
        return
    for _, part in by_year(*span):  # at most 366 days in one request
        groups.setdefault((target.kind, part), []).append(number)


class Smaller:
    """Finds the smaller requests that may succeed where one failed.

    Garbage in one station's records must not cost the others theirs, so that station is then asked
    for alone; but only for so many stations, since garbage everywhere is no matter of one. Nor must
    a station over which the service stumbles each time: halves are asked for, one try each, until
    that station stands alone; but only as long as any request succeeds.
    """

    def __init__(self) -> None:
        self._garbled: set[int] = set()
        self._probes: set[Window] = set()
        self._fruitless = 0

    def policy(self, window: Window, usual: RetryPolicy) -> RetryPolicy:
        """Return how often a request is tried: once if it only looks for the station at fault."""
        return replace(usual, tries=1) if window in self._probes else usual

    def reached(self) -> None:
        """Take note that a request succeeded."""
        self._fruitless = 0

    def parts(self, window: Window, error: CimisError) -> tuple[Window, ...]:
        """Return the requests to make in place of one, none where none may succeed."""
        try:
            if isinstance(error, TooManyRecords):
                return halve(window)
            if isinstance(error, RequestRefused) and error.err_code in _ONES_OWN:
                return split_stations(window)
        except UsageError:
            return ()
        if isinstance(error, DecodeError) and (error.station or "").isdecimal():
            return self._without_garbled(window, int(error.station or 0))
        return self._halves(window) if _may_be_one_stations(error) else ()

    def _halves(self, window: Window) -> tuple[Window, ...]:
        if len(window.stations) < 2 or self._fruitless >= _MOST_FRUITLESS:
            return ()
        self._fruitless += 1
        parts = split_stations(window)
        self._probes.update(part for part in parts if len(part.stations) > 1)
        return parts

    def _without_garbled(self, window: Window, station: int) -> tuple[Window, ...]:
        if station not in window.stations or len(window.stations) < 2:
            return ()
        self._garbled.add(station)
        return () if len(self._garbled) > _MOST_GARBLED else without_station(window, station)


def _may_be_one_stations(error: CimisError) -> bool:
    """Tell whether a lasting failure may be due to what is asked rather than to the service."""
    if isinstance(error, NetworkError):
        return error.kind not in NEVER_REACHED
    return type(error) is ServiceError and error.retryable


def _shared(
    groups: dict[tuple[str, Span], list[int]], scope: Scope
) -> dict[tuple[str, Span], list[int]]:
    """Return groups of which those that end together share requests where that saves some."""
    found: dict[tuple[str, Span], list[int]] = {}
    ends = {(kind, span[1]) for kind, span in groups}
    for kind, end in sorted(ends):
        starts = {
            number: first
            for (other, (first, last)), numbers in groups.items()
            if (other, last) == (kind, end)
            for number in numbers
        }
        for first, numbers in staircase(starts, end, scope):
            found.setdefault((kind, (first, end)), []).extend(numbers)
    return found


def _note_skipped(shelf: Shelf, station: int, span: Span | None, left: Sequence[Span]) -> None:
    """Enter how many days of each year need not be asked for; None where nobody wished for more."""
    if span is None:
        for first, last in left:
            for year in range(first.year, last.year + 1):
                shelf.place(station, year)
        return
    for year, own in by_year(*span):
        asked = sum(_overlap_days(part, own) for part in left)
        result = shelf.place(station, year).result
        result.skipped_days = _overlap_days(span, own) - asked
        result.done = asked == 0


def _overlap_days(one: Span, two: Span) -> int:
    return max((min(one[1], two[1]) - max(one[0], two[0])).days + 1, 0)
