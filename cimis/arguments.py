"""What users may give for a scope, stations, a day or a size, in Python as on the command line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cimis.parsing import parse_date, parse_size, parse_stations
from pipeline.errors import UsageError
from pipeline.items import Scope

if TYPE_CHECKING:
    from queries.mirror.mirrors import Keeping

__all__ = ["Day", "Stations", "day_of", "keeping", "scope_of", "span_of", "station_numbers"]

Day = str | dt.date
Stations = int | str | Iterable[int]


def scope_of(name: str | Scope) -> Scope:
    """Return the scope of a name; `UsageError` for one that is none."""
    try:
        return Scope(str(name).strip().lower())
    except ValueError:
        raise UsageError(f"unknown scope '{name}'", hint="choose daily or hourly") from None


def station_numbers(stations: Stations | None) -> Sequence[int] | None:
    """Return station numbers as a user may give them."""
    if stations is None or isinstance(stations, str):
        return parse_stations(stations)
    if isinstance(stations, int):
        return (stations,)
    numbers = tuple(stations)
    wrong = next((n for n in numbers if not hasattr(n, "__index__")), None)
    if wrong is not None:
        raise UsageError(f"'{wrong}' is not a station number", hint="give integers")
    return tuple(int(n) for n in numbers)


def day_of(day: Day | None, *, end: bool) -> dt.date | None:
    """Return a day as a user may give it; a year or month means its first or last day."""
    if day is None:
        return None
    if isinstance(day, str):
        return parse_date(day, end=end)
    return day.date() if isinstance(day, dt.datetime) else day


def keeping(size: int | str | None) -> Keeping:
    """Return how the read cache is to be kept: as given, by the environment, or configured."""
    from pipeline.api.settings import resolve
    from queries.mirror.mirrors import Keeping

    found = resolve("cache", None if size is None else str(size)).value
    folder = resolve("cache_dir", None).value
    return Keeping(
        None if found is None else parse_size(str(found)),
        None if folder is None else Path(str(folder)).expanduser(),
    )


def span_of(year: int | None, start: Day | None, end: Day | None) -> tuple[dt.date, dt.date]:
    """Return the first and last day of a span that is not open: a year, or from a day to today."""
    from pipeline.plan import network_day

    today = network_day()
    if year is not None and (start is not None or end is not None):
        raise UsageError("a year and days as well", hint="give the year, or start and end")
    if year is not None:
        if not 1900 <= year <= today.year:
            raise UsageError(f"nothing can be fetched of the year {year}", hint="1982 to today")
        return dt.date(year, 1, 1), min(dt.date(year, 12, 31), today)
    first, last = day_of(start, end=False), day_of(end, end=True)
    if first is None:
        raise UsageError("no days named", hint="give year=2024, or start and end")
    return first, last or today
