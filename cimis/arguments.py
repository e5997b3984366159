"""What users may give for a scope, days, items, a size or a path, in Python.

Whatever the field's libraries hand out works: integers of numpy, days of pandas, columns of Polars.
What cannot be meant is a `UsageError`, as on the command line.
"""

from __future__ import annotations

import datetime as dt
import operator
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsIndex, TypeAlias

from cimis.parsing import checked_span, day_span, parse_date, parse_size, year_span
from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Item, Scope, named_items
from cimis.pipeline.field.time import PACIFIC

if TYPE_CHECKING:
    import numpy as np

    from cimis.queries.mirror.mirrors import Keeping

__all__ = [
    "Day",
    "Items",
    "Years",
    "count_of",
    "day_of",
    "items_of",
    "keeping",
    "open_span_of",
    "path_of",
    "plain",
    "scope_of",
    "span_of",
    "whole_number",
    "years_of",
]

Day: TypeAlias = "str | dt.date | np.datetime64"
Items: TypeAlias = "str | Item | Iterable[str | Item]"
Years: TypeAlias = "SupportsIndex | str"

_DAY_HINT = "give a date, or a text as 2024-06-01, 2024-06 or 2024"


def scope_of(name: str | Scope) -> Scope:
    """Return the scope of a name; `UsageError` for one that is none."""
    try:
        return Scope(str(name).strip().lower())
    except ValueError:
        raise UsageError(f"unknown scope '{name}'", hint="choose daily or hourly") from None


def plain(value: Any) -> Any:
    """Return an Arrow scalar as a Python value, and all else as it is."""
    as_py = getattr(value, "as_py", None)
    return value if as_py is None else as_py()


def whole_number(value: Any, message: str, hint: str) -> int:
    """Return an integer of any library; `UsageError` with a message for what is none."""
    if isinstance(value, bool):
        raise UsageError(message, hint=hint)
    try:
        return operator.index(value)
    except TypeError:
        raise UsageError(message, hint=hint) from None


def count_of(value: SupportsIndex, name: str, *, most: int | None = None) -> int:
    """Return a count, which is not negative; ``name`` is what messages call it."""
    hint = "give a whole number from 0" + ("" if most is None else f" to {most}")
    number = whole_number(value, f"{name} cannot be {value!r}", hint)
    if number < 0 or (most is not None and number > most):
        raise UsageError(f"{name} cannot be {number}", hint=hint)
    return number


def day_of(day: Day | None, *, end: bool) -> dt.date | None:
    """Return a day as a user may give it; a year or month means its first or last day.

    A time with a zone means the network's day at that moment (PST, UTC-8, all year).
    """
    given: Any = plain(day)
    if given is None:
        return None
    if isinstance(given, str):
        return parse_date(given, end=end)
    if given != given or str(given) == "NaT":  # pandas and numpy have a time that is none
        raise UsageError("a missing time is no day", hint=_DAY_HINT)
    if isinstance(given, dt.datetime):
        return (given if given.tzinfo is None else given.astimezone(PACIFIC)).date()
    if isinstance(given, dt.date):
        return given
    if type(given).__name__ == "datetime64":  # its text is as long as its unit: 2024, 2024-06
        return parse_date(str(given)[:10], end=end)
    raise UsageError(f"{given!r} is no day", hint=_DAY_HINT)


def items_of(items: Items | None, scope: Scope) -> tuple[Item, ...] | None:
    """Return the items that a user names, in that order; `UsageError` for what is none."""
    if items is None or isinstance(items, str):
        return None if items is None else named_items(items, scope)
    try:
        listed: list[Any] = [items] if isinstance(items, Item) else [plain(i) for i in items]
    except TypeError:
        raise UsageError(f"{items!r} names no items", hint="see 'cimis items'") from None
    wrong = next((one for one in listed if not isinstance(one, str | Item)), None)
    if wrong is not None:
        raise UsageError(f"{wrong!r} is no item", hint="give names, as 'air_tmp_avg'")
    return named_items(listed, scope)


def keeping(size: SupportsIndex | str | None) -> Keeping:
    """Return how the read cache is to be kept: as given, by the environment, or configured."""
    from cimis.pipeline.service.settings import resolve
    from cimis.queries.mirror.mirrors import Keeping

    if size is not None and not isinstance(size, str):
        size = str(count_of(size, "a size in bytes"))
    found = resolve("cache", size).value
    folder = resolve("cache_dir", None).value
    return Keeping(
        None if found is None else parse_size(str(found)),
        None if folder is None else Path(str(folder)).expanduser(),
    )


def path_of(path: str | os.PathLike[str]) -> Path:
    """Return a path as a user may give it; ``~`` is the home folder."""
    try:
        return Path(path).expanduser()
    except TypeError:
        raise UsageError(f"{path!r} is no path", hint="give a text or a pathlib.Path") from None
    except RuntimeError as error:
        raise UsageError(f"'{path}': {error}", hint="give the whole path") from None


def span_of(year: Years | None, start: Day | None, end: Day | None) -> tuple[dt.date, dt.date]:
    """Return the first and last day of a span that is not open: years, or from a day to today."""
    from cimis.pipeline.field.time import network_day

    today = network_day()
    if year is not None:
        if start is not None or end is not None:
            raise UsageError("a year and days as well", hint="give the year, or start and end")
        return day_span(year=_year_text(year), start=None, end=None, now=today)
    first, last = day_of(start, end=False), day_of(end, end=True)
    if first is None:
        raise UsageError("no days named", hint="give year=2024, or start and end")
    checked_span(first, last, today)
    return first, last or today


def years_of(year: Years) -> tuple[int, int]:
    """Return the first and last of some years, of which any may be meant."""
    first, last = year_span(_year_text(year))
    return first.year, last.year


def _year_text(year: Years) -> str:
    if isinstance(year, str):
        return year
    hint = "give 2024, or '2020-2024'"
    return f"{whole_number(plain(year), f'{year!r} is not a year', hint):04}"


def open_span_of(start: Day | None, end: Day | None) -> tuple[dt.date | None, dt.date | None]:
    """Return the first and last day of a span of which either end may be open, as None."""
    from cimis.pipeline.field.time import network_day

    first, last = day_of(start, end=False), day_of(end, end=True)
    if first is not None or last is not None:
        checked_span(first, last, network_day())
    return first, last
