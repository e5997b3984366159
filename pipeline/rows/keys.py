"""Key columns and what they stand for: station, and time in days or hours; rows by their key.

An hour is named by its end in Pacific standard time. A ``time`` with a time zone is an instant, and
is converted; a ``date`` is the network's day, so one with a zone is refused.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cimis.pipeline.errors import ChunkError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.field.time import (
    BEHIND_UTC_H,
    DAY_S,
    HOUR_S,
    day_of,
    hour_of,
    is_hour,
    named_time,
    time_of,
    years_of,
)
from cimis.pipeline.rows.arrays import decoded, is_text, joined, numbers_of, plain_array
from cimis.pipeline.rows.numbers import Ints
from cimis.pipeline.rows.schema import TIME_COLUMN

__all__ = [
    "arrange",
    "by_station_year",
    "day_arrays",
    "last_of_each_key",
    "stations_of",
    "targets_of",
    "time_arrays",
    "times_of",
]

_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def times_of(table: pa.Table, scope: Scope) -> Ints:
    """Return rows' times in days or hours since 1970-01-01 PST.

    Hours come from ``time``, or from ``date`` and ``hour``; where all are there they must agree.

    Raises
    ------
    ChunkError
        For a column that is not there, of another type, with a null, or no whole day or hour.
    """
    names = table.schema.names
    if scope is Scope.DAILY:
        if "date" not in names:
            raise ChunkError("a chunk needs rows with station (or target) and date: no 'date'")
        return _days(table["date"])
    days = _days(table["date"]) if "date" in names else None
    numbers = _hour_numbers(table["hour"]) if "hour" in names else None
    if "time" not in names:
        if days is None or numbers is None:
            raise ChunkError("hourly rows need 'time', or both 'date' and 'hour'")
        return time_of(scope, days, numbers)
    hours = _hours(table["time"])
    if days is not None or numbers is not None:
        _agree("date", days, day_of(scope, hours), hours)
        _agree("hour", numbers, hour_of(hours), hours)
    return hours


def time_arrays(scope: Scope, times: Ints) -> list[pa.Array]:
    """Return the key columns of times, which are days or hours since 1970."""
    if scope is Scope.DAILY:
        return day_arrays(times.astype(np.int32), None)
    days, hours = day_of(scope, times), hour_of(times)
    return day_arrays(days.astype(np.int32), hours.astype(np.uint8))


def day_arrays(days: npt.NDArray[np.int32], hours: npt.NDArray[np.uint8] | None) -> list[pa.Array]:
    """Return the key columns of days since 1970, and of their hours (1..24) where there are any."""
    dates = plain_array(pa.date32(), np.ascontiguousarray(days))
    if hours is None:
        return [dates]
    ends = time_of(Scope.HOURLY, days.astype(np.int64), hours.astype(np.int64))
    return [
        plain_array(pa.timestamp("s"), ends * HOUR_S),
        dates,
        plain_array(pa.uint8(), np.ascontiguousarray(hours)),
    ]


def stations_of(table: pa.Table) -> Ints:
    """Return rows' station numbers; `ChunkError` for a null and a type that is no integer's."""
    return _integers(table["station"], "station")


def targets_of(table: pa.Table) -> list[str]:
    """Return the different targets of rows, in order; `ChunkError` for a null, and no text."""
    plain = _plain(table["target"], "target")
    if not is_text(plain.type):
        raise ChunkError(f"column 'target' is {plain.type}, not text")
    found: list[str] = plain.cast(pa.string()).unique().to_pylist()
    return sorted(found)


def by_station_year(table: pa.Table) -> Iterator[tuple[int, int, pa.Table]]:
    """Yield a table's rows per station and year of ``date``, in that order.

    Parameters
    ----------
    table : pyarrow.Table
        Scaled rows of any stations and years.
    """
    years = years_of(_days(table["date"]))
    places = stations_of(table) * 10_000 + years
    if (np.diff(places) < 0).any():
        order = np.argsort(places, kind="stable")
        table, places = table.take(pa.array(order)), places[order]
    starts = np.flatnonzero(np.diff(places, prepend=-1))
    for start, stop in zip(starts, [*starts[1:], len(places)], strict=True):
        station, year = divmod(int(places[start]), 10_000)
        yield station, year, table.slice(start, stop - start)


def arrange(table: pa.Table, scope: Scope) -> tuple[pa.Table, int]:
    """Return rows in ascending time, of rows with one time the last; and how many were dropped."""
    order = _last_in_order(numbers_of(joined(table[TIME_COLUMN[scope]]))[0])
    if order is None:
        return table, 0
    return table.take(plain_array(pa.int64(), order)), table.num_rows - order.size


def last_of_each_key(
    where: npt.NDArray[np.integer],
    days: npt.NDArray[np.int32],
    hours: npt.NDArray[np.uint8] | None,
) -> Ints | None:
    """Return the rows that are the last of their key, in order; None where all are.

    Parameters
    ----------
    where : integer array
        Station numbers, or codes of targets.
    days : int32 array
        Since 1970.
    hours : uint8 array, optional
        1 to 24.
    """
    times = days.astype(np.int64)
    if hours is not None:
        times = times * 32 + hours
    order = _last_in_order((where.astype(np.int64) << np.int64(40)) + times)
    return None if order is None or order.size == days.size else np.sort(order)


def _last_in_order(keys: npt.NDArray[np.signedinteger]) -> Ints | None:
    """Return the places of ascending keys, of equal ones the last; None where all ascend."""
    if bool((keys[1:] > keys[:-1]).all()):
        return None
    order = np.argsort(keys, kind="stable").astype(np.int64, copy=False)
    ascending = keys[order]
    last: Ints = order[np.append(ascending[1:] != ascending[:-1], np.True_)]
    return last


def _agree(name: str, given: Ints | None, due: Ints, hours: Ints) -> None:
    wrong = np.flatnonzero(given != due) if given is not None else due[:0]
    if given is not None and wrong.size:
        at = wrong[0]
        raise ChunkError(
            f"time and {name} disagree in {wrong.size} rows: by its time the first is "
            f"{named_time(Scope.HOURLY, int(hours[at]))}",
            hint="an hour is named by its end: hour 24 of a date is 00:00 of the next day",
        )


def _plain(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    """Return a key's column without a dictionary; `ChunkError` for a row that has none."""
    column = decoded(column)
    if column.null_count:
        missing = int(np.flatnonzero(np.asarray(column.is_null()))[0])
        raise ChunkError(f"a row (the {missing + 1}. of the table) has no {name}")
    return column


def _integers(column: pa.ChunkedArray, name: str) -> Ints:
    plain = _plain(column, name)
    if not pa.types.is_integer(plain.type):
        raise ChunkError(f"column '{name}' is {plain.type}, not integers")
    try:
        return np.asarray(plain.cast(pa.int64()), np.int64)
    except pa.ArrowInvalid:
        raise ChunkError(f"column '{name}' holds a number beyond 64 bits") from None


def _hour_numbers(column: pa.ChunkedArray) -> Ints:
    numbers = _integers(column, "hour")
    wrong = numbers[~is_hour(numbers)]
    if wrong.size:
        raise ChunkError(
            f"hour {wrong[0]} is not in 1..24",
            hint="an hour is named by its end: 00:00 is hour 24 of the day before",
        )
    return numbers


def _days(column: pa.ChunkedArray) -> Ints:
    plain = _plain(column, "date")
    kind = plain.type
    if pa.types.is_date32(kind):
        return np.asarray(plain.cast(pa.int32()), np.int32).astype(np.int64)
    if pa.types.is_date64(kind):
        unit = DAY_S * 1000
    elif pa.types.is_timestamp(kind) and kind.tz is None:
        unit = DAY_S * _PER_SECOND[kind.unit]
    elif pa.types.is_timestamp(kind):
        raise ChunkError(
            f"column 'date' has the time zone {kind.tz}, and a date is the network's day",
            hint="give the day as a date, or instants as 'time'",
        )
    else:
        raise ChunkError(f"column 'date' is {kind}, not a date")
    return _whole(plain, unit, "a date is not a whole day")


def _hours(column: pa.ChunkedArray) -> Ints:
    plain = _plain(column, "time")
    if not pa.types.is_timestamp(plain.type):
        raise ChunkError(f"column 'time' is {plain.type}, not a timestamp")
    unit = HOUR_S * _PER_SECOND[plain.type.unit]
    hours = _whole(plain, unit, "a time is not a full hour")
    return hours if plain.type.tz is None else hours - BEHIND_UTC_H


def _whole(column: pa.ChunkedArray, unit: int, reason: str) -> Ints:
    instants = np.asarray(column.cast(pa.int64()), np.int64)
    found: Ints = instants // unit
    wrong = np.flatnonzero(found * unit != instants)
    if wrong.size:
        raise ChunkError(f"{reason}: {column[int(wrong[0])]}")
    return found
