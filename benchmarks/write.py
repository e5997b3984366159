"""Time to write one daily year as a V2 chunk, synced and read back, and the same rows as Parquet.

Run with ``just bench-write [FOLDER [ROUNDS [TARGET]]]``: FOLDER holds the network's FTP zips;
where it is absent, generated weather stands in. TARGET is a folder on the disk to write to. All
writers take turns in one run, each to a path of its own that is new in every round; what counts is
the median over the rounds.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.size import daily_rows, generated_rows
from cimis.pipeline.chunks import write_chunk
from cimis.pipeline.field.items import Scope
from cimis.pipeline.rows.values import to_physical

Writer = Callable[[Path], object]
SETTINGS: dict[str, dict[str, object]] = {
    "default (snappy)": {},
    "zstd": {"compression": "zstd"},
    "zstd 9": {"compression": "zstd", "compression_level": 9},
    "zstd 19": {"compression": "zstd", "compression_level": 19},
}
FORMS = ("integers", "float64")


def parquet(table: pa.Table, settings: dict[str, object], *, sync: bool, back: bool) -> Writer:
    """Return a writer of a table as Parquet; ``sync``: to the medium; ``back``: then compared."""

    def write(path: Path) -> None:
        pq.write_table(table, path, **settings)
        if sync:
            with path.open("rb") as file:
                os.fsync(file.fileno())
        if back and pq.read_table(path).num_rows != table.num_rows:
            raise ValueError("rows were lost")

    return write


def writers(table: pa.Table) -> dict[str, Writer]:
    """Return every writer of a scaled table by name, the first the one held against the others."""
    found: dict[str, Writer] = {"V2, synced, read back, compared": lambda p: write_chunk(p, table)}
    for name, settings in SETTINGS.items():
        for form, rows in zip(FORMS, (table, to_physical(table)), strict=True):
            for sync in (False, True):
                label = f"Parquet {name}, {form}{', synced' if sync else ''}"
                found[label] = parquet(rows, settings, sync=sync, back=False)
            label = f"Parquet {name}, {form}, synced, read back"
            found[label] = parquet(rows, settings, sync=True, back=True)
    return found


def measure(table: pa.Table, rounds: int, target: str | None) -> dict[str, float]:
    """Return each writer's median time in milliseconds; they take turns."""
    found = writers(table)
    times: dict[str, list[float]] = {name: [] for name in found}
    with tempfile.TemporaryDirectory(dir=target) as folder:
        for number in range(rounds + 3):
            for place, (name, write) in enumerate(found.items()):
                path = Path(folder) / f"{place:02d}-{number}.file"
                start = time.perf_counter()
                write(path)
                took = time.perf_counter() - start
                path.unlink()
                if number >= 3:  # the first rounds warm up what is made once
                    times[name].append(took * 1000)
    return {name: statistics.median(found) for name, found in times.items()}


def main() -> None:
    """Measure a real year where there is one, else a generated one."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("../shared/real")
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    target = sys.argv[3] if len(sys.argv) > 3 else None
    key, table = (daily_rows(folder) if folder.exists() else generated_rows(Scope.DAILY))[0]
    medians = measure(table, rounds, target)
    ours = next(iter(medians.values()))
    sys.stdout.write(f"{key.name}: {table.num_rows} rows, {table.num_columns} columns\n")
    for name, took in medians.items():
        sys.stdout.write(f"  {name:52}{took:9.2f} ms   V2 takes {ours / took:5.2f} of it\n")


if __name__ == "__main__":
    main()
