"""Days that years, months, water years and weeks name, singly, from one to another, and in words.

``this`` ends yesterday, the last day that is over, and on its first day has that alone; ``last`` is
the whole one before.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import NamedTuple

from cimis.pipeline.errors import UsageError

__all__ = ["FORMS", "spanned"]

Span = tuple[dt.date, dt.date]

_FIRST_WATER_YEAR = 1982
"""The network's first day, 7 June 1982, lies in it."""

_DAY = dt.timedelta(days=1)


class Form(NamedTuple):
    """One kind of period.

    Parameters
    ----------
    noun : str
    pattern : str
        Of its texts; none where only the words name one.
    hint : str
        How to write it.
    meant : callable
        The days of a text that fits the pattern; the present day is the second argument.
    around : callable
        The whole period that a day lies in.
    """

    noun: str
    pattern: str
    hint: str
    meant: Callable[[str, dt.date], Span]
    around: Callable[[dt.date], Span]


def spanned(kind: str, text: str, now: dt.date) -> Span:
    """Return the first and last day that a text names.

    Parameters
    ----------
    kind : str
        One of :data:`FORMS`.
    text : str
        As ``2024-06``, ``2024-06..2024-08`` or ``2024-06-2024-08``, ``this``, ``last``.
    now : datetime.date
        The present day.

    Raises
    ------
    UsageError
        For what names none, and a range that runs backwards.
    """
    form = FORMS[kind]
    one = rf"({form.pattern}|this|last)" if form.pattern else "(this|last)"
    match = re.fullmatch(rf"\s*{one}\s*(?:(?:-|\.\.)\s*{one}\s*)?", text.lower())
    if match is None:
        raise UsageError(f"'{text}' is not a {form.noun} or a range", hint=form.hint)
    first, last = _days(form, match[1], now), _days(form, match[2] or match[1], now)
    if last[0] < first[0]:
        raise UsageError(f"the range '{text}' runs backwards", hint=f"write {match[2]}..{match[1]}")
    return first[0], last[1]


def _days(form: Form, text: str, now: dt.date) -> Span:
    if text not in ("this", "last"):
        return form.meant(text, now)
    first, _ = form.around(now)
    if text == "last":
        return form.around(first - _DAY)
    return first, max(first, now - _DAY)


def _year(text: str, _now: dt.date) -> Span:
    if int(text) == 0:
        raise UsageError("there is no year 0", hint="write 2024")
    return _year_around(dt.date(int(text), 1, 1))


def _year_around(day: dt.date) -> Span:
    return day.replace(month=1, day=1), day.replace(month=12, day=31)


def _month(text: str, _now: dt.date) -> Span:
    year, month = (int(part) for part in text.split("-"))
    if year == 0 or not 1 <= month <= 12:
        raise UsageError(f"there is no {text}: months run from 1 to 12", hint=_MONTHS)
    return _month_around(dt.date(year, month, 1))


def _month_around(day: dt.date) -> Span:
    first = day.replace(day=1)
    if day.month == 12:
        return first, day.replace(day=31)
    return first, day.replace(month=day.month + 1, day=1) - _DAY


def _water_year(text: str, now: dt.date) -> Span:
    from cimis.pipeline.field.time import water_year_of, water_year_span

    year = int(text)
    if not _FIRST_WATER_YEAR <= year <= water_year_of(now):
        raise UsageError(
            f"there is no water year {year}", hint=f"from {_FIRST_WATER_YEAR} to the present one"
        )
    return water_year_span(year)


def _water_year_around(day: dt.date) -> Span:
    from cimis.pipeline.field.time import water_year_of, water_year_span

    return water_year_span(water_year_of(day))


def _week_around(day: dt.date) -> Span:
    monday = day - day.weekday() * _DAY
    return monday, monday + 6 * _DAY


_WORDS = "this or last"
_MONTHS = f"write 2024-06, 2024-06..2024-08, {_WORDS}"

FORMS = {
    "year": Form("year", r"\d{4}", f"write 2024 or 2020-2024, {_WORDS}", _year, _year_around),
    "month": Form("month", r"\d{4}-\d{1,2}", _MONTHS, _month, _month_around),
    "water-year": Form(
        "water year",
        r"\d{4}",
        f"write 2024 for Oct 2023 to Sep 2024, 2020-2024, {_WORDS}",
        _water_year,
        _water_year_around,
    ),
    "week": Form("week", "", f"write {_WORDS}", lambda _text, now: _week_around(now), _week_around),
}
