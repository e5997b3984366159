"""Time as the network keeps it: days and hours of Pacific standard time, hour 24, water years.

The network's clock stands at UTC-8 all year, and names an hour by its end: hour 24 of a date is
00:00 of the next, and belongs to the date that it ends. A record's *time* is one integer: of daily
records the day, of hourly ones the end of the hour, counted from 1970-01-01 00:00 PST. What takes
or gives integers does so for whole int64 arrays as well; nothing here imports numpy.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from cimis.pipeline.field.items import Scope

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]

__all__ = [
    "BEHIND_UTC_H",
    "DAY_S",
    "FIRST_DAY",
    "HOURS",
    "HOUR_S",
    "PACIFIC",
    "PERIOD_LENGTHS",
    "PERIOD_STARTS",
    "PER_DAY",
    "UNIT_S",
    "by_year",
    "date_of",
    "day_number",
    "day_of",
    "day_of_second",
    "first_second",
    "hour_of",
    "hour_text",
    "is_hour",
    "moment_of",
    "named_time",
    "network_day",
    "network_now",
    "time_of",
    "times_between",
    "times_of_year",
    "water_year_of",
    "water_year_span",
    "year_of",
    "year_span",
    "years_of",
]

Numbers = TypeVar("Numbers", int, "Ints")
Span = tuple[dt.date, dt.date]

FIRST_DAY = dt.date(1982, 6, 7)
"""The network's first day; the service refuses earlier ones."""

PER_DAY = {Scope.DAILY: 1, Scope.HOURLY: 24}
"""Records of a day."""

HOURS = range(1, 25)
"""Names of a day's hours."""

DAY_S = 86_400
HOUR_S = 3_600
UNIT_S = {Scope.DAILY: DAY_S, Scope.HOURLY: HOUR_S}
"""Seconds of one unit of a record's time."""

BEHIND_UTC_H = 8
"""Hours that the network's clock is behind UTC, all year."""

PACIFIC = dt.timezone(dt.timedelta(hours=-BEHIND_UTC_H), "PST")
"""The network's clock: Pacific standard time all year."""

_EPOCH = dt.date(1970, 1, 1)
_EPOCH_ORDINAL = _EPOCH.toordinal()
_LATE = {Scope.DAILY: 0, Scope.HOURLY: 1}  # a day's first record ends so many units after 00:00
_WATER_MONTH = 10

PERIOD_STARTS = {
    "day": "date",
    "week": "date_trunc('week', date)::date",
    "month": "date_trunc('month', date)::date",
    "year": "date_trunc('year', date)::date",
    "water-year": f"make_date(year(date + INTERVAL {13 - _WATER_MONTH} MONTH)::int - 1, "
    f"{_WATER_MONTH}, 1)",
}
"""By period, its first day as DuckDB's SQL over the column ``date``; weeks begin on Monday."""

PERIOD_LENGTHS = {
    "day": "1 DAY",
    "week": "7 DAY",
    "month": "1 MONTH",
    "year": "1 YEAR",
    "water-year": "1 YEAR",
}
"""By period, its length as an SQL interval."""


def network_day(moment: dt.datetime | None = None) -> dt.date:
    """Return the network's day (PST) at a moment, which must have a zone; now by default."""
    return (moment or dt.datetime.now(PACIFIC)).astimezone(PACIFIC).date()


def network_now() -> dt.datetime:
    """Return the present moment in Pacific standard time, without zone."""
    return dt.datetime.now(PACIFIC).replace(tzinfo=None)


def day_number(date: dt.date) -> int:
    """Return the days from 1970-01-01 to a date."""
    return date.toordinal() - _EPOCH_ORDINAL


def date_of(day: int) -> dt.date:
    """Return the date that lies so many days after 1970-01-01."""
    return dt.date.fromordinal(day + _EPOCH_ORDINAL)


def time_of(scope: Scope, day: Numbers, hour: Numbers) -> Numbers:
    """Return records' times.

    Parameters
    ----------
    scope : Scope
    day : int or int64 array
        Days since 1970, of the records' dates.
    hour : int or int64 array
        1 to 24; not looked at where daily.
    """
    return day if scope is Scope.DAILY else day * PER_DAY[scope] + hour


def day_of(scope: Scope, time: Numbers) -> Numbers:
    """Return the days since 1970 of the dates to which records' times belong."""
    return time if scope is Scope.DAILY else (time - 1) // PER_DAY[scope]


def hour_of(time: Numbers) -> Numbers:
    """Return the hours, 1 to 24, of hourly records' times."""
    return (time - 1) % PER_DAY[Scope.HOURLY] + 1


def is_hour(number: Any) -> Any:
    """Tell whether a number names an hour; of an array, which do."""
    return (number >= HOURS[0]) & (number <= HOURS[-1])


def hour_text(hour: int) -> str:
    """Return an hour as the service writes it, ``0100`` to ``2400``."""
    return f"{hour:02d}00"


def times_between(scope: Scope, first: int, last: int) -> tuple[int, int]:
    """Return the first and last time of a span of days, both given in days since 1970."""
    late, unit = _LATE[scope], PER_DAY[scope]
    return first * unit + late, (last + 1) * unit - 1 + late


def times_of_year(scope: Scope, year: int) -> tuple[int, int]:
    """Return the first and last time of a calendar year's dates."""
    first, last = year_span(year)
    return times_between(scope, day_number(first), day_number(last))


def named_time(scope: Scope, time: int, *, width: int = 1) -> str:
    """Return a time as people write it: its date, and the hour of so many digits where hourly."""
    date = date_of(day_of(scope, time)).isoformat()
    return date if scope is Scope.DAILY else f"{date} hour {hour_of(time):0{width}d}"


def day_of_second(scope: Scope, seconds: int) -> dt.date:
    """Return the date of a record whose time is told in seconds since 1970-01-01 PST."""
    return date_of((seconds - _LATE[scope]) // DAY_S)


def first_second(scope: Scope, date: dt.date) -> int:
    """Return the time of a date's first record in seconds since 1970-01-01 PST."""
    return time_of(scope, day_number(date), HOURS[0]) * UNIT_S[scope]


def moment_of(seconds: int) -> dt.datetime:
    """Return a time in seconds since 1970-01-01 PST as date and clock, without zone."""
    return dt.datetime.combine(_EPOCH, dt.time()) + dt.timedelta(seconds=seconds)


def years_of(days: Any) -> Ints:
    """Return the calendar years of days: an array of datetime64, or of int64 days since 1970."""
    years: Ints = days.astype("datetime64[D]").astype("datetime64[Y]").astype("int64")
    return years + _EPOCH.year


def year_of(scope: Scope, time: int) -> int:
    """Return the calendar year of a record's date."""
    return date_of(day_of(scope, time)).year


def year_span(year: int) -> Span:
    """Return the first and last day of a calendar year."""
    return dt.date(year, 1, 1), dt.date(year, 12, 31)


def by_year(first: dt.date, last: dt.date) -> Iterator[tuple[int, Span]]:
    """Yield each calendar year of a span of days, both ends inclusive, with its part of them."""
    for year in range(first.year, last.year + 1):
        start, end = year_span(year)
        yield year, (max(start, first), min(end, last))


def water_year_of(date: dt.date) -> int:
    """Return a date's water year, which is named by its end."""
    return date.year + (date.month >= _WATER_MONTH)


def water_year_span(year: int) -> Span:
    """Return the first and last day of a water year, 1 October to 30 September."""
    after = dt.date(year, _WATER_MONTH, 1)
    return dt.date(year - 1, _WATER_MONTH, 1), after - dt.timedelta(days=1)
