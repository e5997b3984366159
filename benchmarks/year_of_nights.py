"""A store that gets a day of every station each night for a year: its mirror beside a fresh one.

``python -m benchmarks.year_of_nights FOLDER`` makes a store of 60 stations and 20 years in an empty
folder, and takes some minutes.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

import cimis
from benchmarks.query_data import stations
from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.catalog.entry import chunk_row
from cimis.pipeline.catalog.rows import ChunkRow
from cimis.pipeline.chunks import ChunkKey, write_chunk
from cimis.pipeline.field.items import Scope
from cimis.store import Store

STATIONS, FIRST, YEARS = 60, 2005, 20
QUESTIONS = {
    "Q1": "SELECT date, asce_eto, air_tmp_avg FROM daily WHERE station = 21 "
    "AND date BETWEEN '2021-06-01' AND '2021-06-07'",
    "Q2": "SELECT station, date, asce_eto, precip, air_tmp_avg FROM daily "
    "WHERE station IN (3, 9, 21, 33, 50) AND date BETWEEN '2019-01-01' AND '2021-12-31'",
    "Q3": "SELECT station, month(date), avg(asce_eto) FROM daily GROUP BY 1, 2",
    "Q4": "SELECT station, avg(columns('.*_(avg|max|min)$')) FROM daily GROUP BY 1",
    "Q5": "SELECT station, date FROM daily WHERE air_tmp_max > 35 AND air_tmp_max_qc IS NULL",
}


def _put(root: Path, rows: list[ChunkRow]) -> None:
    with Catalog(root, create=True) as catalog:
        catalog.put_chunks(rows)


def _written(root: Path, station: int, year: int, table: pa.Table) -> ChunkRow:
    key = ChunkKey(Scope.DAILY, year, station=station)
    return chunk_row(write_chunk(key.path(root), table), source="night")


def _times_ms(worn: Store, fresh: Store) -> dict[str, tuple[float, float]]:
    """Return how long each question takes over the two, asked in turn."""
    found = {}
    for name, text in QUESTIONS.items():
        taken: tuple[list[float], list[float]] = [], []
        for _ in range(60):
            for store, times in zip((worn, fresh), taken, strict=True):
                begun = time.perf_counter()
                store.sql(text).table()
                times.append(time.perf_counter() - begun)
        medians = [statistics.median(times[5:]) * 1e3 for times in taken]
        found[name] = medians[0], medians[1]
    return found


def _size(root: Path) -> int:
    return sum(path.stat().st_size for path in (root / ".cache").glob("daily-*.duckdb"))


def main(root: Path) -> None:
    """Play the year, and print how the mirror stands beside one made from nothing."""
    last, closed = {}, []
    for number, table in stations(Scope.DAILY, STATIONS, FIRST, YEARS):
        years = pc.year(table["date"])
        for year in range(FIRST, FIRST + YEARS):
            part = table.filter(pc.equal(years, year))
            if year == FIRST + YEARS - 1:
                last[number] = part
            else:
                closed.append(_written(root, number, year, part))
    _put(root, closed)
    nights, anew = [], 0
    with cimis.open(root) as store:
        store.refresh()
        for day in range(1, 366):
            open_year = FIRST + YEARS - 1
            _put(root, [_written(root, n, open_year, t.slice(0, day)) for n, t in last.items()])
            begun = time.perf_counter()
            done = store.refresh()
            nights.append(time.perf_counter() - begun)
            anew += sum(one.anew for one in done)
    again = root.with_name(root.name + "-fresh")
    shutil.copytree(root, again, ignore=shutil.ignore_patterns(".cache"))
    with cimis.open(root) as worn, cimis.open(again) as fresh:
        fresh.refresh()
        times = _times_ms(worn, fresh)
    print(f"written anew {anew} times in {len(nights)} nights")
    print(f"refresh: median {statistics.median(nights):.2f} s, longest {max(nights):.2f} s")
    print(f"size / fresh: {_size(root) / _size(again):.2f}")
    shutil.rmtree(again)
    for name, (first, second) in times.items():
        print(f"{name}: {first:.2f} ms, fresh {second:.2f}: {first / second:.2f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
