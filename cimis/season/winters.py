"""When chill is counted: winters by the year they end in, each count with its first day."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import NamedTuple, SupportsIndex

from cimis.arguments import Day, open_span_of, years_of
from cimis.pipeline.errors import UsageError

__all__ = ["HOURS_FROM", "PORTIONS_FROM", "UNTIL", "Winter", "winters_of"]

HOURS_FROM, PORTIONS_FROM, UNTIL = "11-01", "09-01", "02-29"
"""UC counts chill hours from 1 November and portions from 1 September; to the end of February."""

_SPRING_ENDS = 6
"""Last month that lies in the year by which a winter is named."""


class Winter(NamedTuple):
    """Days over which chill is counted, both ends inclusive; ``name`` is None for plain dates."""

    name: int | None
    hours_from: dt.date
    portions_from: dt.date
    last: dt.date
    whole: bool = True

    @property
    def first(self) -> dt.date:
        """The first day of either count."""
        return min(self.hours_from, self.portions_from)


def winters_of(
    years: SupportsIndex | str | None,
    start: Day | None,
    end: Day | None,
    *,
    hours_from: str = HOURS_FROM,
    portions_from: str = PORTIONS_FROM,
    until: str = UNTIL,
    today: dt.date,
) -> tuple[Winter, ...]:
    """Return the spans that are asked for, the last day of each before today.

    Parameters
    ----------
    years : int or str, optional
        Winters by the year in which they end, 2024 or ``"2015-2024"``; without it and without
        days the one that runs or ended last.
    start, end : date or str, optional
        One span for all counts instead.
    hours_from, portions_from, until : str
        First and last days of winters as ``MM-DD``; 02-29 is the last of any February.
    today : datetime.date
        The network's present day, which is not over.

    Raises
    ------
    UsageError
        For winters and days at once, an end without a start, a day that is none, a winter that has
        not begun.
    """
    yesterday = today - dt.timedelta(days=1)
    first, last = open_span_of(start, end)
    if first is not None or last is not None:
        if years is not None:
            raise UsageError("winters and days as well", hint="give one of them")
        if (hours_from, portions_from, until) != (HOURS_FROM, PORTIONS_FROM, UNTIL):
            raise UsageError(
                "days of a winter's counts and plain days as well",
                hint="name the winter, or leave out the days of the year",
            )
        if first is None:
            raise UsageError("chill needs a day to count from", hint="give the first day as well")
        final = min(last or yesterday, yesterday)
        if first > final:
            raise UsageError(f"{first} is not over", hint="choose a past day")
        return (Winter(None, first, first, final, last is None or last <= yesterday),)
    begins, ends = [_month_day(text) for text in (hours_from, portions_from)], _month_day(until)
    present = today.year + (max(_day(begin, today.year + 1) for begin in begins) < today)
    span = (present, present) if years is None else years_of(years)
    return tuple(_winters(span, begins, ends, yesterday))


def _winters(
    span: tuple[int, int],
    begins: list[tuple[int, int]],
    ends: tuple[int, int],
    yesterday: dt.date,
) -> Iterator[Winter]:
    for year in range(span[0], span[1] + 1):
        hours, portions = (_day(begin, year) for begin in begins)
        last = _day(ends, year)
        if max(hours, portions) > last:
            raise UsageError(
                f"the winter of {year} would end on {last}, before it begins",
                hint="days from July on lie in the year before, the others in the winter's own",
            )
        if max(hours, portions) > yesterday:
            raise UsageError(
                f"the winter of {year} has not begun", hint="a winter has the year in which it ends"
            )
        yield Winter(year, hours, portions, min(last, yesterday), last <= yesterday)


def _day(month_day: tuple[int, int], year: int) -> dt.date:
    """Return a day of the winter that ends in a year."""
    month, day = month_day
    own = year - (month > _SPRING_ENDS)
    leap = own % 4 == 0 and (own % 100 != 0 or own % 400 == 0)
    return dt.date(own, month, 28 if (month, day) == (2, 29) and not leap else day)


def _month_day(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"\s*(\d{1,2})-(\d{1,2})\s*", str(text))
    try:
        day = dt.date(2000, int(match[1]), int(match[2])) if match else None
    except ValueError:
        day = None
    if day is None:
        raise UsageError(f"'{text}' is no day of a year", hint="write month and day, as 11-01")
    return day.month, day.day
