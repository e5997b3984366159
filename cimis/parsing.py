"""What the texts mean that people give for stations, dates, years, spans and sizes."""

from __future__ import annotations

import datetime as dt
import re
from typing import NamedTuple

from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.site import LARGEST_STATION

__all__ = [
    "Days",
    "checked_span",
    "day_span",
    "named_span",
    "open_span",
    "parse_date",
    "parse_duration",
    "parse_size",
    "parse_stations",
    "single_stations",
    "today",
    "year_span",
]

_STATION_HINT = "give numbers and ranges, as 2,5-7, or all"
_DATE_HINT = "give a day as 2024-06-01, or a whole month or year as 2024-06 or 2024"
_SIZES = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9}


def today() -> dt.date:
    """Return the network's present day."""
    from cimis.pipeline.field.time import network_day

    return network_day()


def parse_stations(text: str | None) -> tuple[int, ...] | None:
    """Return the station numbers that a list names, sorted and each once; None for ``all``.

    Raises
    ------
    UsageError
        For what is not a number or a range, a reversed range, or a number that cannot be.
    """
    if text is None or text.strip().lower() == "all":
        return None
    numbers: set[int] = set()
    for part in filter(None, (p.strip() for p in text.split(","))):
        match = re.fullmatch(r"0*(\d{1,6})(?:-0*(\d{1,6}))?", part)
        if match is None:
            raise UsageError(f"'{part}' is not a station or a range of them", hint=_STATION_HINT)
        first = int(match[1])
        last = int(match[2] or first)
        if last < first:
            raise UsageError(f"the range '{part}' runs backwards", hint=f"write {last}-{first}")
        if not 1 <= first <= last <= LARGEST_STATION:
            raise UsageError(
                f"no station can have the number in '{part}'", hint=f"1 to {LARGEST_STATION}"
            )
        numbers.update(range(first, last + 1))
    if not numbers:
        raise UsageError("no station named", hint=_STATION_HINT)
    return tuple(sorted(numbers))


def single_stations(text: str) -> set[int]:
    """Return the numbers in a list that stand by themselves, not in a range."""
    return {int(part) for part in (p.strip() for p in text.split(",")) if part.isdigit()}


def parse_date(text: str, *, end: bool = False, now: dt.date | None = None) -> dt.date:
    """Return the day that a text names.

    Parameters
    ----------
    text : str
        ``2024-06-01``; ``2024-06`` or ``2024`` for its first day (its last where ``end``);
        ``today`` or ``yesterday``.
    end : bool
        Whether the text is the last day of a span.
    now : datetime.date, optional
        The present day, for the two words.
    """
    word = text.strip().lower()
    if word in {"today", "yesterday"}:
        return (now or today()) - dt.timedelta(days=word == "yesterday")
    match = re.fullmatch(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?", word)
    if match is None:
        raise UsageError(f"'{text}' is not a date", hint=_DATE_HINT)
    year = int(match[1])
    month = int(match[2]) if match[2] else (12 if end else 1)
    if year < 1 or not 1 <= month <= 12:
        raise UsageError(f"there is no {text}: months run from 1 to 12", hint=_DATE_HINT)
    first = dt.date(year, month, 1)
    days = 31 if month == 12 else (dt.date(year, month + 1, 1) - first).days
    day = int(match[3]) if match[3] else (days if end else 1)
    if not 1 <= day <= days:
        raise UsageError(
            f"there is no {text}: {first:%B %Y} has {days} days",
            hint=_DATE_HINT,
        )
    return dt.date(year, month, day)


def year_span(text: str, now: dt.date | None = None) -> tuple[dt.date, dt.date]:
    """Return the first and last day of a year or a range of years, ``2024`` or ``2020-2024``.

    With the present day ``now`` also of ``this`` and ``last``; see :mod:`cimis.spans`.
    """
    match = re.fullmatch(r"\s*(\d{4})(?:\s*(?:-|\.\.)\s*(\d{4}))?\s*", text)
    if match is None and now is not None:
        from cimis.spans import spanned

        return spanned("year", text, now)
    if match is None:
        raise UsageError(f"'{text}' is not a year or a range", hint="write 2024 or 2020-2024")
    first, last = int(match[1]), int(match[2] or match[1])
    if last < first:
        raise UsageError(f"the range '{text}' runs backwards", hint=f"write {last}-{first}")
    return parse_date(f"{first:04}"), parse_date(f"{last:04}", end=True)


class Days(NamedTuple):
    """The texts of the options that name days."""

    start: str | None = None
    end: str | None = None
    year: str | None = None
    month: str | None = None
    week: str | None = None
    water_year: str | None = None
    last: str | None = None

    def named(self, now: dt.date) -> tuple[dt.date, dt.date] | None:
        """Return the days of months, water years, weeks or the last so many, None for none."""
        named = named_span(
            month=self.month, water_year=self.water_year, week=self.week, last=self.last, now=now
        )
        if named is not None and (self.start or self.end or self.year):
            raise UsageError("the days are said twice", hint="give one span of days")
        return named

    def closed(self, now: dt.date) -> tuple[dt.date, dt.date]:
        """Return the first and last day, which must be named, none of them in the future."""
        named = self.named(now)
        if named is None:
            return day_span(year=self.year, start=self.start, end=self.end, now=now)
        first, last = named
        return day_span(
            year=None, start=first.isoformat(), end=max(min(last, now), first).isoformat(), now=now
        )

    def open(self, now: dt.date) -> tuple[dt.date | None, dt.date | None]:
        """Return the same where either end may be left open, as None."""
        named = self.named(now)
        if named is not None:
            return named
        return open_span(year=self.year, start=self.start, end=self.end, now=now)


def named_span(
    *,
    month: str | None = None,
    water_year: str | None = None,
    week: str | None = None,
    last: str | None = None,
    now: dt.date,
) -> tuple[dt.date, dt.date] | None:
    """Return the days that one of the options names; None where none is given.

    Months, water years and weeks as of :func:`cimis.spans.spanned`. A water year runs from October
    1 of the year before to September 30 and is named by its end. ``30d`` are the thirty days that
    end yesterday, the last day that is over; ``4w``, ``6m`` and ``2y`` likewise.

    Raises
    ------
    UsageError
        For two of them, or what names no span.
    """
    periods = {"month": month, "water-year": water_year, "week": week}
    given = {kind: text for kind, text in periods.items() if text is not None}
    if len(given) + (last is not None) > 1:
        raise UsageError(
            "--month, --week, --water-year and --last exclude each other", hint="give one of them"
        )
    if last is not None:
        return _last(last, now)
    if not given:
        return None
    from cimis.spans import spanned

    ((kind, text),) = given.items()
    return spanned(kind, text, now)


def _last(text: str, now: dt.date) -> tuple[dt.date, dt.date]:
    match = re.fullmatch(r"\s*(\d{1,5})\s*([dwmy])\s*", text.lower())
    if match is None or int(match[1]) == 0:
        raise UsageError(f"'{text}' names no days", hint="write 30d, 4w, 6m or 2y")
    count, unit = int(match[1]), match[2]
    end = now - dt.timedelta(days=1)
    if unit in "dw":
        return end - dt.timedelta(days=count * (7 if unit == "w" else 1) - 1), end
    months = count * (12 if unit == "y" else 1)
    year, month = divmod(end.year * 12 + end.month - 1 - months, 12)
    if year < 1:
        raise UsageError(f"'{text}' reaches too far back", hint="the network began in 1982")
    latest = (dt.date(year + (month == 11), (month + 1) % 12 + 1, 1) - dt.timedelta(days=1)).day
    return dt.date(year, month + 1, min(end.day, latest)) + dt.timedelta(days=1), end


def day_span(
    *, year: str | None, start: str | None, end: str | None, now: dt.date
) -> tuple[dt.date, dt.date]:
    """Return the first and last day that ``--year``, or ``--start`` and ``--end``, ask for.

    Both ends are inclusive. A year that is not over ends today; an end without a start, a start
    after its end, and a start in the future are refused.
    """
    from cimis.pipeline.field.time import FIRST_DAY

    if year is not None:
        if start or end:
            raise UsageError("--year and --start/--end say the same twice", hint="give one of them")
        first, last = year_span(year, now)
        first, last = max(first, min(FIRST_DAY, last)), min(last, max(now, first))
    elif start is None:
        missing = "--start" if end else "--year, or --start and --end"
        raise UsageError(f"which days? {missing} is missing", hint=_DATE_HINT)
    else:
        first = parse_date(start, now=now)
        last = parse_date(end, end=True, now=now) if end else now
    checked_span(first, last, now)
    return first, last


def checked_span(first: dt.date | None, last: dt.date | None, now: dt.date) -> None:
    """Refuse days that cannot be meant; an end that is None is open."""
    from cimis.pipeline.field.time import FIRST_DAY

    if first is not None and first > now:
        raise UsageError(f"{first} is in the future; today is {now}", hint="choose a past day")
    if last is not None and last < FIRST_DAY:
        raise UsageError(f"{last} lies before the network's first day, {FIRST_DAY}")
    if first is not None and last is not None and last < first:
        raise UsageError(f"the end {last} lies before the start {first}", hint="exchange them")


def open_span(
    *, year: str | None, start: str | None, end: str | None, now: dt.date
) -> tuple[dt.date | None, dt.date | None]:
    """Return the same where either end may be left open, as None."""
    if year is not None or (start is not None and end is not None):
        return day_span(year=year, start=start, end=end, now=now)
    first = parse_date(start, now=now) if start else None
    last = parse_date(end, end=True, now=now) if end else None
    checked_span(first, last, now)
    return first, last


def parse_duration(text: str) -> float:
    """Return seconds from a text such as ``200ms``, ``1.5s`` or ``0.2`` (seconds)."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|)\s*", text.lower())
    if match is None:
        raise UsageError(f"'{text}' is not a duration", hint="write 200ms, 1.5s or a number of s")
    return float(match[1]) / (1000 if match[2] == "ms" else 1)


def parse_size(text: str) -> int:
    """Return a number of bytes from a text such as ``50MB``, ``1.5GB`` or ``4096``."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*", text)
    if match is None or match[2].lower() not in _SIZES:
        raise UsageError(f"'{text}' is not a size", hint="write 50MB, 1.5GB or a number of bytes")
    return int(float(match[1]) * _SIZES[match[2].lower()])
