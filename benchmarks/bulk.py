"""Time to decode many chunk files together, beside reading them one by one, in one run.

Run with ``just bench-bulk [--stations N] [--years N] [--hourly N] [--rounds N] [--folder PATH]``.
Chunks of generated weather are written once to the folder (a temporary one unless it is named).
Both readers take turns in every round, on one thread, from files that the system has in memory, and
every table goes away before the next one is made; what counts is the median over the rounds.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.query_data import stations
from cimis.pipeline.chunks import ChunkKey, read_chunk
from cimis.pipeline.chunks.bulk import ChunkFile, Damaged, read_many
from cimis.pipeline.chunks.v2 import codec as v2
from cimis.pipeline.field.items import Scope
from cimis.pipeline.rows.values import to_scaled

FIRST_YEAR = 1985
ONE = {Scope.DAILY: "air_tmp_avg", Scope.HOURLY: "air_tmp"}
REACH_MS = {Scope.DAILY: 0.30, Scope.HOURLY: 2.5}
SAMPLE = {Scope.DAILY: 500, Scope.HOURLY: 50}
"""How many files are read one by one: enough for a time each."""


def made(root: Path, scope: Scope, count: int, years: int) -> list[ChunkFile]:
    """Return the chunk files of so many stations and years, written where they are not there."""
    keys = [
        ChunkKey(scope, year, station=number)
        for number in range(1, count + 1)
        for year in range(FIRST_YEAR, FIRST_YEAR + years)
    ]
    files = [ChunkFile(key.path(root), key) for key in keys]
    if all(file.path.exists() for file in files):
        return files
    for number, table in stations(scope, count, FIRST_YEAR, years):
        scaled = to_scaled(table)
        dates = scaled["date"].to_numpy()
        edges = np.array([f"{FIRST_YEAR + year}-01-01" for year in range(years + 1)], "M8[D]")
        places = np.searchsorted(dates, edges)
        for year in range(years):
            key = ChunkKey(scope, FIRST_YEAR + year, station=number)
            rows = scaled.slice(places[year], places[year + 1] - places[year])
            key.path(root).parent.mkdir(parents=True, exist_ok=True)
            key.path(root).write_bytes(v2.encode(rows, key))
    return files


def together(files: Sequence[ChunkFile], columns: Sequence[str] | None) -> int:
    """Read files in bulk; return how many rows there were."""
    rows = 0
    for found in read_many(files, columns=columns):
        if isinstance(found, Damaged):
            raise SystemExit(str(found.error))
        rows += found.table.num_rows
    return rows


def one_by_one(files: Sequence[ChunkFile], columns: Sequence[str] | None) -> int:
    """Read files with the reader of single chunks."""
    return sum(read_chunk(file.path, columns=columns).num_rows for file in files)


def measure(scope: Scope, files: Sequence[ChunkFile], rounds: int) -> None:
    """Print one scope's table."""
    print(f"\n{scope}, {len(files):,} chunks")
    print(f"{'':34}{'ms a chunk':>12}{'chunks/s':>11}{'M rows/s':>10}{'CPU ms':>9}")
    key = "station"
    for label, columns in (("all columns", None), ("one column", [ONE[scope]])):
        singly = None if columns is None else [key, "date", *columns]
        some = files[: SAMPLE[scope]]
        readers: dict[str, tuple[int, Callable[[], int]]] = {
            f"in bulk, {label}": (len(files), lambda c=columns: together(files, c)),  # type: ignore[misc]
            f"one by one, {label}": (len(some), lambda c=singly, f=some: one_by_one(f, c)),  # type: ignore[misc]
        }
        took: dict[str, list[tuple[float, float]]] = {name: [] for name in readers}
        rows: dict[str, int] = {}
        for _ in range(rounds):
            for name, (_, run) in readers.items():
                gc.collect()
                wall, cpu = time.perf_counter(), time.process_time()
                rows[name] = run()
                took[name].append((time.perf_counter() - wall, time.process_time() - cpu))
        medians = {}
        for name, (count, _) in readers.items():
            wall, cpu = (statistics.median(each) for each in zip(*took[name], strict=True))
            medians[name] = wall / count * 1e3
            print(
                f"{name:34}{wall / count * 1e3:12.3f}{count / wall:11,.0f}"
                f"{rows[name] / wall / 1e6:10.2f}{cpu / count * 1e3:9.3f}"
            )
        ours, theirs = medians.values()
        reach = f", to reach {REACH_MS[scope]} ms" if columns is None else ""
        print(f"  {theirs / ours:.1f} × one by one{reach}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stations", type=int, default=250)
    parser.add_argument("--years", type=int, default=40)
    parser.add_argument("--hourly", type=int, default=30, help="stations of 10 years of hours")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where chunks are written, or are already")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = options.folder or Path(temporary)
        daily = made(root, Scope.DAILY, options.stations, options.years)
        hourly = made(root, Scope.HOURLY, options.hourly, 10)
        measure(Scope.DAILY, daily, options.rounds)
        measure(Scope.HOURLY, hourly, options.rounds)


if __name__ == "__main__":
    main()
