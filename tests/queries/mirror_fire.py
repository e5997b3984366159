"""What goes on around a mirror under fire: one writer, readers of several kinds, a refresher.

``python -m tests.queries.mirror_fire MODE ROOT SECONDS`` runs one of them and prints how often it
did what it does. The writer writes one number into every record of a station's year, then says so
in a file: a reader that finds another number than those between its beginning and its end has been
told something stale, torn or short.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.catalog.entry import chunk_row
from cimis.pipeline.chunks import ChunkKey, write_chunk
from cimis.pipeline.field.items import Scope, resolve
from cimis.pipeline.rows.schema import FLAG_TYPE, physical_schema
from cimis.store import Store, open_store

STATION, YEAR, DAYS = 2, 2022, 365
Asked = tuple[int, float, float]


def year(number: float, station: int = STATION) -> pa.Table:
    """Return a year in which every record says the same number."""
    days = np.arange(f"{YEAR}-01-01", f"{YEAR + 1}-01-01", dtype="datetime64[D]").astype(np.int32)
    item = resolve("precip", Scope.DAILY)
    columns = [
        pa.array(np.full(DAYS, station, np.uint16)),
        pa.array(days).view(pa.date32()),
        pa.array(np.full(DAYS, float(number))),
        pa.nulls(DAYS, pa.string()).dictionary_encode().cast(FLAG_TYPE),
    ]
    return pa.Table.from_arrays(columns, schema=physical_schema(Scope.DAILY, item))


def store(root: Path, table: pa.Table) -> None:
    """Write a year, and enter it in the catalog."""
    key = ChunkKey(Scope.DAILY, YEAR, station=table["station"][0].as_py())
    row = chunk_row(write_chunk(key.path(root), table), source="fire")
    with Catalog(root, create=True) as catalog:
        catalog.put_chunks([row])


def _said(root: Path) -> int:
    return int((root / "written").read_text() or 0)


def write(root: Path, until: float) -> int:
    """Write one number after the other."""
    number = _said(root)
    while time.monotonic() < until:
        number += 1
        store(root, year(number))
        draft = root / "written.new"
        draft.write_text(str(number))
        draft.replace(root / "written")
    return number


def _read(root: Path, until: float, ask: Callable[[Store], Asked]) -> int:
    asked = 0
    with open_store(root) as opened:
        while time.monotonic() < until:
            before = _said(root)
            rows, low, high = ask(opened)
            after = _said(root) + 1  # the next may be in place, and not said yet
            assert rows == DAYS, f"{rows} rows"
            assert low == high, f"{low} and {high} in one answer"
            assert before <= low <= after, f"{low}, written were {before} to {after}"
            asked += 1
    return asked


def _by_sql(opened: Store) -> Asked:
    text = f"select count(*), min(precip), max(precip) from daily where station = {STATION}"
    (found,) = opened.sql(text).fetchall()
    return found


def _by_polars(opened: Store) -> Asked:
    import polars as pl

    own = opened.scan_daily().filter(pl.col("station") == STATION)
    low, high = pl.col("precip").min().alias("low"), pl.col("precip").max().alias("high")
    found = own.select(pl.len(), low, high).collect().row(0)
    return int(found[0]), float(found[1]), float(found[2])


def _by_rows(opened: Store) -> Asked:
    values = opened.query(stations=STATION).table()["precip"].to_pylist()
    return len(values), min(values), max(values)


def _by_point(opened: Store) -> Asked:
    from cimis.queries.point.rows import point
    from cimis.queries.timing import QueryTimings

    items = resolve("precip", Scope.DAILY)
    first, last = dt.date(YEAR, 1, 1), dt.date(YEAR, 12, 31)
    found = point(
        opened.root, Scope.DAILY, [STATION], first, last, items=items, timings=QueryTimings()
    )
    assert found is not None
    values = [float(row[2] or "nan") for row in found.rows]
    return len(values), min(values), max(values)


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def refresh(root: Path, until: float) -> int:
    """Bring the mirror up to date again and again, as a sync does."""
    done = 0
    with open_store(root) as opened:
        while time.monotonic() < until:
            opened.refresh()
            done += 1
            _say(done)
    return done


MODES: dict[str, Callable[[Path, float], int]] = {
    "write": write,
    "refresh": refresh,
    "sql": lambda root, until: _read(root, until, _by_sql),
    "polars": lambda root, until: _read(root, until, _by_polars),
    "rows": lambda root, until: _read(root, until, _by_rows),
    "point": lambda root, until: _read(root, until, _by_point),
}


if __name__ == "__main__":
    mode, where, seconds = sys.argv[1:]
    os.environ.pop("CIMIS_CACHE", None)
    _say(MODES[mode](Path(where), time.monotonic() + float(seconds)))
