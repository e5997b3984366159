"""Questions over a whole network: chunks beside Parquet, DuckDB and Arrow files of the same rows.

Run with ``just bench-query``. Builds what is missing under ``--root``, asks five questions of every
store in new processes and within one, first and again, and prints the medians and their ratio to
DuckDB over one big sorted Parquet file.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.query_cases import QUESTIONS, VARIANTS, answers, opened, timed
from benchmarks.query_data import stations
from pipeline.items import Scope

IN_A_ROW = {"Q1": 5, "Q2": 5, "Q3": 3, "Q4": 2, "Q5": 2}
"""How often a store is asked before the next one has its turn."""

FIRST_YEAR = {Scope.DAILY: 1985, Scope.HOURLY: 2020}


def _write_station(root: Path, hive: Path, table: pa.Table) -> list[Any]:
    """Write one station's years as chunks and as hive Parquet; return their catalog rows."""
    from pipeline.chunks import ChunkKey, write_chunk
    from pipeline.entry import chunk_row

    scope = Scope.HOURLY if "time" in table.schema.names else Scope.DAILY
    years = pc.year(table["date"]).to_numpy()
    number = table["station"][0].as_py()
    rows = []
    for year in np.unique(years).tolist():
        places = np.flatnonzero(years == year)
        part = table.slice(int(places[0]), len(places))
        path = ChunkKey(scope, year, station=number).path(root)
        rows.append(chunk_row(write_chunk(path, part), source="benchmark"))
        folder = hive / f"station_id={number}"
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(part, folder / f"{year}.parquet", compression="zstd")
    return rows


def build(root: Path, scope: Scope, count: int, years: int) -> None:
    """Write the chunks, the compacted copy, and the rivals' files, unless they are there."""
    import shutil

    import duckdb

    from pipeline.catalog import Catalog
    from queries.compact import compact

    files = root / scope.value
    if (files / "done").exists():
        return
    files.mkdir(parents=True, exist_ok=True)
    begin = time.perf_counter()
    tables: list[pa.Table] = []
    with ProcessPoolExecutor(2) as pool, Catalog(_made(root / "store"), create=True) as catalog:
        waiting = []
        for _, table in stations(scope, count, FIRST_YEAR[scope], years):
            tables.append(table)
            waiting.append(
                pool.submit(_write_station, root / "store", files / "hive", table.combine_chunks())
            )
        for done in waiting:
            catalog.put_chunks(done.result())
    whole = pa.concat_tables(tables).unify_dictionaries().combine_chunks()
    pq.write_table(whole, files / "big.parquet", compression="zstd", row_group_size=122_880)
    with pa.ipc.new_file(files / "big.arrow", whole.schema) as file:
        file.write_table(whole, max_chunksize=131_072)
    with duckdb.connect(str(files / "native.db")) as connection:
        connection.register("source", whole)
        connection.execute("CREATE TABLE obs AS SELECT * FROM source")
    shutil.rmtree(root / "packed", ignore_errors=True)
    shutil.copytree(root / "store", root / "packed")
    for each in Scope:
        print(compact(root / "packed", each), file=sys.stderr)
    (files / "done").touch()
    print(
        f"{scope}: {whole.num_rows:,} rows in {time.perf_counter() - begin:.0f} s", file=sys.stderr
    )


def _made(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def within(root: Path, scope: Scope, repeats: int) -> dict[str, dict[str, dict[str, float]]]:
    """Return per variant and question the first time and the median of the repeated ones.

    All are asked in turn within one process, so that what else the machine does meets all alike.
    """
    asks = {variant: opened(variant, root, scope) for variant in VARIANTS}
    found: dict[str, dict[str, dict[str, float]]] = {variant: {} for variant in asks}
    for question in QUESTIONS:
        times: dict[str, list[float]] = {v: [] for v in asks if answers(v, question)}
        for turn in range(repeats + 1):
            for variant, each in times.items():
                slow = len(each) > 2 and each[0] > 1
                for _ in range(0 if slow else IN_A_ROW[question] if turn else 1):
                    each.append(timed(asks[variant][0], question))
        for variant, each in times.items():
            found[variant][question] = {"first": each[0], "again": statistics.median(each[1:])}
    for _, close in asks.values():
        close()
    return found


def fresh(root: Path, scope: Scope, repeats: int) -> dict[str, dict[str, float]]:
    """Return per variant and question the median wall time of new processes, asked in turn."""
    words = ["-m", "benchmarks.query", "--root", str(root), "--one", scope.value]
    found: dict[str, dict[str, float]] = {variant: {} for variant in VARIANTS}
    for question in ("Q1", "Q2", "Q3"):
        times: dict[str, list[float]] = {v: [] for v in VARIANTS if answers(v, question)}
        for _ in range(repeats):
            for variant, each in times.items():
                each.append(_wall([*words, variant, question]))
        for variant, each in times.items():
            found[variant][question] = statistics.median(each)
    return found


def _wall(arguments: list[str]) -> float:
    """Return the wall time of Python with arguments, its answer thrown away."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


_RIVAL = """
import duckdb
duckdb.connect().execute(
    "SELECT date, asce_eto, air_tmp_avg FROM read_parquet('{path}') WHERE station = 21"
    " AND date BETWEEN DATE '2021-06-01' AND DATE '2021-06-07'").fetchall()
"""


def command_line(root: Path, repeats: int) -> dict[str, dict[str, float]]:
    """Return median wall times of new processes: ``cimis query`` beside Python and DuckDB.

    Also of ``cimis --help`` beside ``import pyarrow``.
    """
    week = ["--start", "2021-06-01", "--end", "2021-06-07", "--items", "asce_eto,air_tmp_avg"]
    ours = ["-m", "cimis", "query", "--data-dir", str(root / "store"), "--station", "21", *week]
    cases = {
        "duckdb big Parquet": ["-c", _RIVAL.format(path=root / "daily" / "big.parquet")],
        "cimis query": ours,
        "cimis query, first with cache": [*ours, "--cache", "50MB"],
        "cimis query, again with cache": [*ours, "--cache", "50MB"],
        "cimis --help": ["-m", "cimis", "--help"],
        "import pyarrow": ["-c", "import pyarrow"],
        "python": ["-c", "pass"],
    }
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(repeats + 1):
        for name, words in cases.items():
            if "first" in name:
                clear = ["-m", "cimis", "cache", "clear", "--data-dir", str(root / "store")]
                subprocess.run([sys.executable, *clear], check=False, capture_output=True)
            times[name].append(_wall(words))
    return {name: {"Q1": statistics.median(each[1:])} for name, each in times.items()}


def report(found: dict[str, Any]) -> str:
    """Return the tables of medians in milliseconds and ratios, in Markdown."""
    lines = []
    for title, rows in found.items():
        base = rows["duckdb big Parquet"]
        lines += [f"\n### {title}\n", "| |" + " | ".join(QUESTIONS) + " |"]
        lines.append("|---|" + "--:|" * len(QUESTIONS))
        for variant, times in rows.items():
            cells = [
                f"{times[q] * 1e3:,.1f} ({times[q] / base[q]:.2f})" if q in times else ""
                for q in QUESTIONS
            ]
            lines.append(f"| {variant} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def measure(root: Path, scope: Scope, repeats: int) -> dict[str, Any]:
    """Return all times of a scope, by title, variant and question."""
    found: dict[str, Any] = {}
    times = within(root, scope, repeats)
    for kind in ("first", "again"):
        found[f"{scope}, one process, {kind}"] = {
            variant: {question: t[kind] for question, t in each.items()}
            for variant, each in times.items()
        }
    found[f"{scope}, new process"] = fresh(root, scope, max(repeats // 2, 3))
    if scope is Scope.DAILY:
        found["one station and week, new process"] = command_line(root, repeats)
    return found


def main() -> None:
    """Build, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("benchmarks/out/query"))
    parser.add_argument("--stations", type=int, default=250)
    parser.add_argument("--years", type=int, default=40)
    parser.add_argument("--hourly-stations", type=int, default=28)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", nargs=3, metavar=("SCOPE", "VARIANT", "QUESTION"))
    options = parser.parse_args()
    if options.one:
        ask, close = opened(options.one[1], options.root, Scope(options.one[0]))
        ask(options.one[2])
        close()
        return
    build(options.root, Scope.DAILY, options.stations, options.years)
    if options.hourly_stations:
        build(options.root, Scope.HOURLY, options.hourly_stations, 5)
    found: dict[str, Any] = {}
    for scope in Scope:
        if (options.root / scope.value / "done").exists():
            found |= measure(options.root, scope, options.repeats)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))
    print(report(found))


if __name__ == "__main__":
    main()
