"""The keys of rows as people give them: station or target, and time, in any type that holds them.

An hour is named by its end in Pacific standard time. A ``time`` with a time zone is an instant, and
is converted; a ``date`` is the network's day, so one with a zone is refused.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import pyarrow as pa

from pipeline.chunks.arrays import Ints
from pipeline.chunks.given_values import decoded, is_text
from pipeline.chunks.key import ChunkKey
from pipeline.errors import ChunkError
from pipeline.items import Scope

__all__ = ["check_key", "chunk_key", "key_columns_of", "named_time", "times_of"]

_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_PST_HOURS = 8
_DAY_S = 86_400
_NAMED = 5


def key_columns_of(scope: Scope) -> tuple[str, ...]:
    """Return the names that key columns of a scope have."""
    daily = ("station", "target", "date")
    return daily if scope is Scope.DAILY else (*daily, "time", "hour")


def chunk_key(table: pa.Table, scope: Scope, times: Ints) -> ChunkKey:
    """Return the one chunk that rows belong to; `ChunkError` where they are of several."""
    names = table.schema.names
    if ("station" in names) == ("target" in names):
        raise ChunkError("a chunk needs rows with station (or target) and date: one of the two")
    year = _one(_years(scope, times), "year")
    if "target" in names:
        return ChunkKey(scope, year, target=_one(_targets(table["target"]), "target"))
    station = _one(np.unique(_integers(table["station"], "station")).tolist(), "station")
    _check_station(station)
    return ChunkKey(scope, year, station=station)


def check_key(table: pa.Table, key: ChunkKey, times: Ints) -> None:
    """Raise `ChunkError` where rows are not those of a chunk."""
    if key.station is not None:
        _check_station(key.station)
    names = table.schema.names
    years = _years(key.scope, times)
    if any(year != key.year for year in years):
        raise ChunkError(f"{key.name}: rows of {_listed(years)}")
    if key.station is not None and "station" in names:
        found = np.unique(_integers(table["station"], "station")).tolist()
        if any(station != key.station for station in found):
            raise ChunkError(f"{key.name}: rows of other stations ({_listed(found)})")
    if key.target is not None and "target" in names:
        targets = _targets(table["target"])
        if any(target != key.target for target in targets):
            raise ChunkError(f"{key.name}: rows of other targets ({_listed(targets)})")


def named_time(scope: Scope, time: int) -> str:
    """Return a time as people write it: its date, and the hour where there is one."""
    day = time if scope is Scope.DAILY else (time - 1) // 24
    date = str(dt.date(1970, 1, 1) + dt.timedelta(days=day))
    return date if scope is Scope.DAILY else f"{date} hour {time - 24 * day}"


def times_of(table: pa.Table, scope: Scope) -> Ints:
    """Return rows' times in days or hours since 1970-01-01 PST.

    Hours come from ``time``, or from ``date`` and ``hour``; where all are there they must agree.
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
        return days * 24 + numbers
    hours = _hours(table["time"])
    own = (hours - 1) // 24
    _agree("date", days, own, hours)
    _agree("hour", numbers, hours - own * 24, hours)
    return hours


def _agree(name: str, given: Ints | None, due: Ints, hours: Ints) -> None:
    wrong = np.flatnonzero(given != due) if given is not None else due[:0]
    if given is not None and wrong.size:
        at = wrong[0]
        raise ChunkError(
            f"time and {name} disagree in {wrong.size} rows: by its time the first is "
            f"{named_time(Scope.HOURLY, int(hours[at]))}",
            hint="an hour is named by its end: hour 24 of a date is 00:00 of the next day",
        )


def _years(scope: Scope, times: Ints) -> list[int]:
    days = times if scope is Scope.DAILY else (times - 1) // 24
    years = days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    found: list[int] = np.unique(years).tolist()
    return found


_T = TypeVar("_T")


def _one(found: list[_T], what: str) -> _T:
    if len(found) > 1:
        raise ChunkError(
            f"rows of {len(found)} {what}s ({_listed(found)}), and a chunk holds one",
            hint=f"split the table by {what}, and write a chunk of each part",
        )
    return found[0]


def _listed(found: Sequence[object]) -> str:
    return ", ".join(map(str, found[:_NAMED])) + (", …" if len(found) > _NAMED else "")


def _check_station(station: int) -> None:
    if not 0 < station <= 0xFFFF:
        raise ChunkError(f"station {station} is not in 1..65535")


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


def _targets(column: pa.ChunkedArray) -> list[str]:
    plain = _plain(column, "target")
    if not is_text(plain.type):
        raise ChunkError(f"column 'target' is {plain.type}, not text")
    found: list[str] = plain.cast(pa.string()).unique().to_pylist()
    return sorted(found)


def _hour_numbers(column: pa.ChunkedArray) -> Ints:
    numbers = _integers(column, "hour")
    wrong = numbers[(numbers < 1) | (numbers > 24)]
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
        unit = _DAY_S * 1000
    elif pa.types.is_timestamp(kind) and kind.tz is None:
        unit = _DAY_S * _PER_SECOND[kind.unit]
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
    unit = 3600 * _PER_SECOND[plain.type.unit]
    hours = _whole(plain, unit, "a time is not a full hour")
    return hours if plain.type.tz is None else hours - _PST_HOURS


def _whole(column: pa.ChunkedArray, unit: int, reason: str) -> Ints:
    instants = np.asarray(column.cast(pa.int64()), np.int64)
    found: Ints = instants // unit
    wrong = np.flatnonzero(found * unit != instants)
    if wrong.size:
        raise ChunkError(f"{reason}: {column[int(wrong[0])]}")
    return found
