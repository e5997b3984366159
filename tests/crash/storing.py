"""A writer that stores growing station-years and reports each one, for tests that cut it short."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.catalog.entry import chunk_row
from cimis.pipeline.chunks import ChunkInfo, ChunkKey, MergeCounts, read_chunk, store_rows
from cimis.pipeline.errors import CimisError
from cimis.pipeline.field.items import Scope, resolve
from cimis.pipeline.rows.schema import FLAG_TYPE, physical_schema
from cimis.pipeline.rows.values import to_scaled
from cimis.pipeline.storage.disk import Disk
from cimis.pipeline.storage.writers import remove_stale_temporaries

__all__ = ["DAYS", "STATIONS", "plan", "rows_of", "store_all", "stored_days"]

STATIONS = (2, 5, 80)
DAYS = 60
_STEP = 6
_FIRST = (dt.date(2023, 1, 1) - dt.date(1970, 1, 1)).days
_ITEMS = resolve("air_tmp_avg,precip", Scope.DAILY)

Part = tuple[int, int]
"""A station, and the days of the year up to which it is stored."""


def plan() -> Iterator[Part]:
    """Yield what is stored one after the other."""
    for until in range(_STEP, DAYS + 1, _STEP):
        for station in STATIONS:
            yield station, until


def rows_of(station: int, until: int) -> pa.Table:
    """Return the scaled rows of a station's days up to one; the same at every call."""
    days = np.arange(_FIRST, _FIRST + until, dtype=np.int32)
    values = np.round(10 + 8 * np.sin(days / 9.0 + station), 1)
    columns: list[pa.Array] = [
        pa.array(np.full(until, station, np.uint16)),
        pa.array(days).view(pa.date32()),
    ]
    for _ in _ITEMS:
        columns += [pa.array(values), pa.nulls(until, FLAG_TYPE)]
    return to_scaled(pa.Table.from_arrays(columns, schema=physical_schema(Scope.DAILY, _ITEMS)))


def store_all(root: Path, report: Callable[[Part], None], disk: Disk | None = None) -> None:
    """Store what is not stored yet, as a run does, and report each part once it is stored."""
    with Catalog(root, create=True) as catalog:
        remove_stale_temporaries(root)

        def enter(info: ChunkInfo, _counts: MergeCounts) -> None:
            catalog.put_chunks([chunk_row(info, source="test")])

        for station, until in plan():
            key = ChunkKey(Scope.DAILY, 2023, station=station)
            known = next(iter(catalog.chunks(path=key.relative_path().as_posix())), None)
            if known is not None and known.rows >= until:
                continue
            store_rows(root, key, rows_of(station, until), enter=enter, storage=disk)
            report((station, until))


def stored_days(root: Path) -> dict[int, int]:
    """Return how many days each chunk holds; fails for one that cannot be read or is wrong."""
    found = {}
    for path in sorted((root / "stations").rglob("*.zst")):
        try:
            table = read_chunk(path)
        except CimisError as error:
            raise AssertionError(f"unreadable: {error}") from error
        station = int(path.parent.name)
        assert to_scaled(table).equals(rows_of(station, table.num_rows)), path
        found[station] = table.num_rows
    return found
