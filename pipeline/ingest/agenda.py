"""Decide which requests a run makes: what is asked for, less today, less what is final already."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.api import RetryPolicy
from pipeline.catalog import Catalog
from pipeline.errors import (
    CimisError,
    DecodeError,
    NetworkError,
    RequestRefused,
    ServiceError,
    TooManyRecords,
    UsageError,
)
from pipeline.ingest.final import Span, left_to_ask
from pipeline.ingest.patience import NEVER_REACHED
from pipeline.ingest.request import FetchRequest
from pipeline.ingest.shelf import Shelf
from pipeline.plan import (
    Window,
    check_days,
    halve,
    plan_windows,
    split_stations,
    without_station,
)

__all__ = ["Smaller", "allowed_span", "make_agenda"]

_MOST_GARBLED = 10
_MOST_FRUITLESS = 12  # enough to find one station of the most that a request can hold


def allowed_span(request: FetchRequest, today: dt.date) -> tuple[Span, list[str]]:
    """Return the days to fetch, never today, and a warning where that leaves a day out.

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
    if request.end <= yesterday:
        return (request.start, request.end), []
    return (request.start, yesterday), [f"today, {today} (PST), is left out: it is not over"]


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
    groups: dict[Span, list[int]] = {}
    for station in request.stations:
        left = [span]
        if catalog is not None and not request.full:
            left = left_to_ask(catalog, root, station, request, span)
        for part in left:
            groups.setdefault(part, []).append(station)
        _note_skipped(shelf, station, span, left)
    windows = [
        window
        for (first, last), stations in groups.items()
        for some in ([[s] for s in stations] if request.plain else [stations])
        for window in plan_windows(some, request.scope, first, last, request.items, today=last)
    ]
    windows.sort(key=lambda w: (w.start.year, w.stations, w.start))
    shelf.expect(windows)
    return windows


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
            if isinstance(error, RequestRefused) and error.err_code == "ERR1019":
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


def _note_skipped(shelf: Shelf, station: int, span: Span, left: Sequence[Span]) -> None:
    """Enter how many days of each year need not be asked for."""
    for year in range(span[0].year, span[1].year + 1):
        whole = (dt.date(year, 1, 1), dt.date(year, 12, 31))
        asked = sum(_overlap_days(part, whole) for part in left)
        result = shelf.place(station, year).result
        result.skipped_days = _overlap_days(span, whole) - asked
        result.done = asked == 0


def _overlap_days(one: Span, two: Span) -> int:
    return max((min(one[1], two[1]) - max(one[0], two[0])).days + 1, 0)
