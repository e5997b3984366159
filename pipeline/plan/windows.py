"""Cut what is asked into the fewest requests that the service's record caps allow.

What is asked is a rectangle of stations by days; a request is a smaller one, of at most so many
records. Two ways of cutting are mixed: *by station* (a few stations through the whole span, cut
into equal lengths) and *by date* (all of them through a short one). The best mix is found exactly;
of equally few requests the fewest pieces per station win: every piece is one more merge.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Item, Scope
from cimis.pipeline.field.targets import BY_NUMBER, Naming
from cimis.pipeline.field.time import FIRST_DAY, PER_DAY, network_day, year_span
from cimis.pipeline.plan.window import Window, halve, split_stations, without_station

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "MAX_RECORDS",
    "MAX_STATIONS",
    "Window",
    "check_days",
    "halve",
    "plan_windows",
    "split_stations",
    "staircase",
    "without_station",
]

MAX_RECORDS: dict[Scope, int] = {Scope.DAILY: 1750, Scope.HOURLY: 5020}
"""Most records, stations × days (× 24), that one request may ask for."""

MAX_STATIONS = 140
"""Most stations in one request: the longest list that has been seen to work."""

_DAY = dt.timedelta(days=1)
_ONE = 1 << 32
"""Cost of a request; below it count the pieces that stations are cut into."""


def check_days(start: dt.date, end: dt.date, *, today: dt.date | None = None) -> None:
    """Refuse days that the service would refuse.

    Parameters
    ----------
    start, end : datetime.date
        First and last day, both inclusive.
    today : datetime.date, optional
        The network's present day, the last that may be asked for.

    Raises
    ------
    UsageError
        For days before the network's first, in the future, or in the wrong order.
    """
    today = today or network_day()
    if end < start:
        raise UsageError(f"the end {end} lies before the start {start}", hint="exchange them")
    if start < FIRST_DAY:
        raise UsageError(
            f"{start} lies before the network's first day", hint=f"start at {FIRST_DAY} or later"
        )
    if end > today:
        raise UsageError(
            f"{end} is in the future", hint=f"the network's day is {today} (PST); end there"
        )


def plan_windows(
    stations: Iterable[int],
    scope: Scope,
    start: dt.date,
    end: dt.date,
    items: Sequence[Item],
    *,
    max_records: int | None = None,
    today: dt.date | None = None,
    naming: Naming = BY_NUMBER,
) -> list[Window]:
    """Return the fewest requests that fetch all stations over all days, without overlap.

    Parameters
    ----------
    stations : iterable of int
        Station numbers; doubles count once.
    scope : Scope
        Daily or hourly.
    start, end : datetime.date
        First and last day, both inclusive.
    items : sequence of Item
        What each request asks for.
    max_records : int, optional
        The cap on records per request; by default the service's own.
    today : datetime.date, optional
        The network's present day; by default what the clock says.
    naming : Naming
        How the service is told of the stations.

    Returns
    -------
    list of Window
        In order of start, then station; none over the cap.

    Raises
    ------
    UsageError
        For days that cannot be asked for, no station, or a cap below one station's day.
    """
    check_days(start, end, today=today)
    numbers = tuple(sorted(set(stations)))
    if not numbers:
        raise UsageError("no station named", hint="name at least one, as 2,5-7")
    cap = MAX_RECORDS[scope] if max_records is None else max_records
    station_days = cap // PER_DAY[scope]
    if station_days < 1:
        raise UsageError(
            f"a cap of {cap} records holds not one {scope} station's day",
            hint=f"at least {PER_DAY[scope]} are needed",
        )
    windows = [
        Window(group, scope, first, last, tuple(items), naming)
        for group, first, last in _cut(numbers, start, end, station_days)
    ]
    return sorted(windows, key=lambda w: (w.start, w.stations))


Piece = tuple[tuple[int, ...], dt.date, dt.date]


def _cut(
    stations: tuple[int, ...], start: dt.date, end: dt.date, station_days: int
) -> Iterator[Piece]:
    """Yield the pieces of a plan; whole requests of one station shorten a long span first."""
    days = (end - start).days + 1
    while days >= 2 * station_days:
        last = start + _DAY * (station_days - 1)
        for station in stations:
            yield (station,), start, last
        start, days = last + _DAY, days - station_days
    by_date = _DateCuts(len(stations), days, station_days)
    sizes, rest = _station_groups(len(stations), days, station_days, by_date)
    position = 0
    for size in sizes:
        group = stations[position : position + size]
        for first, last in _even_spans(start, end, station_days // size):
            yield group, first, last
        position += size
    if rest:
        yield from by_date.pieces(stations[position:], start)


class _DateCuts:
    """The cheapest ways to cut a span by date, for every number of stations up to some.

    ``cost[d, n]`` is that of n stations over d days. Lengths worth trying are the longest that a
    number of stations allows; the last piece may be shorter.
    """

    def __init__(self, stations: int, days: int, station_days: int) -> None:
        self._per_request = station_days
        most = min(stations, station_days, MAX_STATIONS)
        lengths = sorted({min(station_days // g, days) for g in range(1, most + 1)})
        import numpy as np  # not needed to tell the day, which every command asks

        numbers = np.arange(stations + 1, dtype=np.int64)
        price = np.stack([-(-numbers // self._fit(d)) * _ONE + numbers for d in lengths])
        self.cost: NDArray[np.int64] = np.zeros((days + 1, stations + 1), np.int64)
        self._choice = np.zeros((days + 1, stations + 1), np.int64)
        lengths_of = np.array(lengths, dtype=np.int64)
        for day in range(1, days + 1):
            before = np.maximum(day - lengths_of, 0)
            costs = self.cost[before] + price
            best = costs.argmin(axis=0)
            self._choice[day] = np.minimum(lengths_of[best], day)
            self.cost[day] = np.take_along_axis(costs, best[np.newaxis], axis=0)[0]

    def _fit(self, days: int) -> int:
        """Return how many stations fit into one request over some days."""
        return min(self._per_request // days, MAX_STATIONS)

    def pieces(self, stations: tuple[int, ...], start: dt.date) -> Iterator[Piece]:
        """Yield the cheapest cut of some stations over the whole span."""
        import numpy as np

        left = len(self.cost) - 1
        while left:
            length = int(self._choice[left, len(stations)])
            last = start + _DAY * (length - 1)
            requests = -(-len(stations) // self._fit(length))
            for group in np.array_split(np.array(stations), requests):
                yield tuple(group.tolist()), start, last
            start, left = last + _DAY, left - length


def _station_groups(
    stations: int, days: int, station_days: int, by_date: _DateCuts
) -> tuple[list[int], int]:
    """Return the sizes of the groups cut by station, and how many stations are cut by date."""
    sizes = range(1, min(stations, station_days, MAX_STATIONS) + 1)
    price = {size: -(-days // (station_days // size)) * (_ONE + size) for size in sizes}
    cost, choice = [0], [0]
    for number in range(1, stations + 1):
        best = min(sizes[:number], key=lambda s: cost[number - s] + price[s])
        cost.append(cost[number - best] + price[best])
        choice.append(best)
    rest = min(
        range(stations + 1), key=lambda r: (cost[stations - r] + int(by_date.cost[days, r]), r)
    )
    groups = []
    left = stations - rest
    while left:
        groups.append(choice[left])
        left -= choice[left]
    return sorted(groups, reverse=True), rest


def _even_spans(start: dt.date, end: dt.date, longest: int) -> Iterator[tuple[dt.date, dt.date]]:
    """Yield the fewest spans of at most some days, cut at the ends of years where that is free."""
    while start <= end:
        left = (end - start).days + 1
        after = -(-left // longest) - 1
        shortest = left - after * longest
        length = -(-left // (after + 1))
        furthest = start + _DAY * (min(longest, left) - 1)
        _, year_end = year_span((furthest + _DAY).year - 1)
        if after and shortest <= (year_end - start).days + 1:
            length = (year_end - start).days + 1
        last = start + _DAY * (length - 1)
        yield start, last
        start = last + _DAY


def staircase(
    starts: Mapping[int, dt.date], end: dt.date, scope: Scope
) -> list[tuple[dt.date, list[int]]]:
    """Return which stations to ask for together, and from which day, where all spans end alike.

    A group is asked for from its earliest start, so that some may get days that they did not need;
    of all ways to form groups from neighbours in order of their starts the one with the fewest
    requests is taken, and of these the one with the fewest records.

    Parameters
    ----------
    starts : mapping of int to datetime.date
        First day of each station.
    end : datetime.date
        Last day of all.
    scope : Scope
    """
    steps = sorted(set(starts.values()))
    counts = [sum(first == step for first in starts.values()) for step in steps]
    best: list[tuple[int, int, int]] = [(0, 0, 0)]
    for after in range(1, len(steps) + 1):
        ways = []
        for begin in range(after):
            number, days = sum(counts[begin:after]), (end - steps[begin]).days + 1
            requests = _requests(number, days, MAX_RECORDS[scope] // PER_DAY[scope])
            ways.append((best[begin][0] + requests, best[begin][1] + number * days, begin))
        best.append(min(ways))
    groups, after = [], len(steps)
    while after:
        begin = best[after][2]
        chosen = set(steps[begin:after])
        groups.append((steps[begin], sorted(n for n, first in starts.items() if first in chosen)))
        after = begin
    return groups[::-1]


def _requests(stations: int, days: int, station_days: int) -> int:
    """Return how many requests a rectangle takes, cut in one way only."""
    together = min(station_days // days, MAX_STATIONS)
    by_station = -(-stations // together) if together else stations * -(-days // station_days)
    fits = station_days // stations if stations <= MAX_STATIONS else 0
    return min(by_station, -(-days // fits)) if fits else by_station
