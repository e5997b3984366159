"""One request for data: whom it asks for, which days and items, and how it is made smaller."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Item, Scope
from cimis.pipeline.field.site import SiteKind, kind_of_number
from cimis.pipeline.field.targets import BY_NUMBER, Naming
from cimis.pipeline.field.time import PER_DAY

__all__ = ["Window", "halve", "split_stations", "without_station"]

_DAY = dt.timedelta(days=1)


class Window(NamedTuple):
    """One request: stations, and days with both ends inclusive.

    ``stations`` are numbers, of stations or of spatial targets (`cimis.pipeline.field.site`),
    never of both; ``naming`` says how the service is told of them.
    """

    stations: tuple[int, ...]
    scope: Scope
    start: dt.date
    end: dt.date
    items: tuple[Item, ...]
    naming: Naming = BY_NUMBER

    @property
    def days(self) -> int:
        """Days from start to end, both counted."""
        return (self.end - self.start).days + 1

    def as_dict(self) -> dict[str, Any]:
        """Return the request as JSON-ready values."""
        return {
            "stations": list(self.names),
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "records": self.records,
        }

    @property
    def records(self) -> int:
        """Most records that the answer can hold: stations × days (× 24)."""
        return len(self.stations) * self.days * PER_DAY[self.scope]

    @property
    def kind(self) -> SiteKind:
        """Whether it asks for stations or for spatial targets."""
        return kind_of_number(self.stations[0])

    @property
    def names(self) -> tuple[int | str, ...]:
        """What people call those that it asks for."""
        return self.naming.names(self.stations)


def halve(window: Window) -> tuple[Window, Window]:
    """Return a request cut in two, by days where it has several, else by stations.

    Raises
    ------
    UsageError
        When it asks for one station's day.
    """
    if window.days > 1:
        middle = window.start + _DAY * (window.days // 2 - 1)
        return window._replace(end=middle), window._replace(start=middle + _DAY)
    return split_stations(window)


def split_stations(window: Window) -> tuple[Window, Window]:
    """Return a request cut in two by stations; `UsageError` when it asks for one."""
    if len(window.stations) < 2:
        who = f"station {window.names[0]}" if window.kind is SiteKind.STATION else window.names[0]
        raise UsageError(
            f"a request for {who}, {window.start} to {window.end}, cannot be cut further",
            hint="the service refuses even this; try again later",
        )
    half = len(window.stations) // 2
    left, right = window.stations[:half], window.stations[half:]
    return window._replace(stations=left), window._replace(stations=right)


def without_station(window: Window, station: int) -> tuple[Window, Window]:
    """Return a request without one of its several stations, and one for that station alone."""
    others = tuple(number for number in window.stations if number != station)
    return window._replace(stations=others), window._replace(stations=(station,))
