"""Which chunk rows belong to, as people give them, and whether they are those of a named one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import pyarrow as pa

from cimis.pipeline.chunks.key import ChunkKey
from cimis.pipeline.errors import ChunkError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.field.site import LARGEST_STATION
from cimis.pipeline.field.time import (
    day_of,
    years_of,
)
from cimis.pipeline.rows.keys import stations_of, targets_of
from cimis.pipeline.rows.numbers import Ints

__all__ = ["check_key", "check_station", "chunk_key", "key_columns_of"]

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
    year = _one(_found(years_of(day_of(scope, times))), "year")
    if "target" in names:
        return ChunkKey(scope, year, target=_one(targets_of(table), "target"))
    station = _one(_found(stations_of(table)), "station")
    check_station(station)
    return ChunkKey(scope, year, station=station)


def check_key(table: pa.Table, key: ChunkKey, times: Ints) -> None:
    """Raise `ChunkError` where rows are not those of a chunk."""
    names = table.schema.names
    years = _found(years_of(day_of(key.scope, times)))
    if any(year != key.year for year in years):
        raise ChunkError(f"{key.name}: rows of {_listed(years)}")
    if key.station is not None and "station" in names:
        found = _found(stations_of(table))
        if any(station != key.station for station in found):
            raise ChunkError(f"{key.name}: rows of other stations ({_listed(found)})")
    if key.target is not None and "target" in names:
        targets = targets_of(table)
        if any(target != key.target for target in targets):
            raise ChunkError(f"{key.name}: rows of other targets ({_listed(targets)})")


def _found(numbers: Ints) -> list[int]:
    """Return the different ones of numbers, in order."""
    alike = numbers.size > 0 and bool((numbers == numbers[0]).all())
    found: list[int] = (numbers[:1] if alike else np.unique(numbers)).tolist()
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


def check_station(station: int) -> None:
    """Raise `ChunkError` for a number that no station can have."""
    if not 0 < station <= LARGEST_STATION:
        raise ChunkError(f"station {station} is not in 1..{LARGEST_STATION}")
