"""Questions over a whole network: a store beside native DuckDB and Polars over the same rows.

Run with ``just bench-query``. Builds what is missing under ``--root`` (chunks, a DuckDB table, one
big Parquet file), makes the mirror as the first question does, asks five questions of every variant
within one process and in new ones, plays a night's change, and prints medians and ratios.
``--scope hourly --stations 224 --years 40`` is the whole hourly history.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.query_cases import BASE, QUESTIONS, VARIANTS, answers, opened, sql, timed
from benchmarks.query_data import stations
from cimis.pipeline.field.items import Scope

IN_A_ROW = {"Q1": 20, "Q2": 10, "Q3": 3, "Q4": 2, "Q5": 3}
"""How often a variant is asked before the next one has its turn."""

LAST_YEAR = 2024


def _write_station(root: Path, table: pa.Table) -> list[Any]:
    """Write one station's years as chunks; return their catalog rows."""
    from cimis.pipeline.catalog.entry import chunk_row
    from cimis.pipeline.chunks import ChunkKey, write_chunk

    scope = Scope.HOURLY if "time" in table.schema.names else Scope.DAILY
    years = pc.year(table["date"]).to_numpy()
    number = table["station"][0].as_py()
    rows = []
    for year in np.unique(years).tolist():
        places = np.flatnonzero(years == year)
        part = table.slice(int(places[0]), len(places))
        path = ChunkKey(scope, year, station=number).path(root)
        rows.append(chunk_row(write_chunk(path, part), source="benchmark"))
    return rows


def build(root: Path, scope: Scope, count: int, years: int) -> None:
    """Write the chunks and the rivals' files, unless they are there; station by station."""
    import duckdb

    from cimis.pipeline.catalog.database import Catalog

    files = root / scope.value
    if (files / "done").exists():
        return
    files.mkdir(parents=True, exist_ok=True)
    (root / "store").mkdir(parents=True, exist_ok=True)
    begin = time.perf_counter()
    rows = 0
    with (
        ProcessPoolExecutor(2) as pool,
        Catalog(root / "store", create=True) as catalog,
        duckdb.connect(str(files / "native.db")) as connection,
    ):
        waiting: list[Any] = []
        writer: pq.ParquetWriter | None = None
        connection.execute("SET memory_limit = '2GB'")
        for tables in _in_rounds(scope, count, years):
            waiting += [pool.submit(_write_station, root / "store", table) for table in tables]
            whole = pa.concat_tables(tables).unify_dictionaries().combine_chunks()
            writer = writer or pq.ParquetWriter(
                files / "big.parquet", whole.schema, compression="zstd"
            )
            writer.write_table(whole, row_group_size=122_880)
            connection.register("source", whole)
            verb = "INSERT INTO obs" if rows else "CREATE TABLE obs AS"
            connection.execute(f"{verb} SELECT * FROM source")
            connection.unregister("source")
            rows += whole.num_rows
            while len(waiting) > 8:
                catalog.put_chunks(waiting.pop(0).result())
        for done in waiting:
            catalog.put_chunks(done.result())
        if writer is not None:
            writer.close()
    (files / "done").touch()
    print(f"{scope}: {rows:,} rows in {time.perf_counter() - begin:.0f} s", file=sys.stderr)


def _in_rounds(scope: Scope, count: int, years: int) -> Iterator[list[pa.Table]]:
    """Yield the stations' tables, some at a time so that memory stays bounded."""
    at_once = 32 if scope is Scope.DAILY or years < 10 else 4
    for begin in range(0, count, at_once):
        size = min(at_once, count - begin)
        made = stations(scope, size, LAST_YEAR - years + 1, years, seed=7 + begin, first=begin + 1)
        yield [table.combine_chunks() for _, table in made]


def make(root: Path, scope: Scope) -> dict[str, Any]:
    """Delete the mirror, let a question make it in a new process, and tell what that took."""
    import shutil

    shutil.rmtree(root / "store" / ".cache", ignore_errors=True)
    code = (
        "import cimis, json, resource, sys, time\n"
        f"store = cimis.open({str(root / 'store')!r})\n"
        "begin = time.perf_counter()\n"
        f"store.sql('select count(*) from {scope}').fetchall()\n"
        "seconds = time.perf_counter() - begin\n"
        f"rows = store.sql('select count(*) from {scope}').fetchall()[0][0]\n"
        "peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "print(json.dumps({'first question, s': round(seconds, 2), 'rows': rows,\n"
        "    'rows a second': round(rows / seconds), 'peak MB': round(peak / 1024)}))\n"
    )
    found: dict[str, Any] = json.loads(_out([sys.executable, "-c", code]))
    mirror = max(
        (root / "store" / ".cache").glob(f"{scope}-*.duckdb"), key=lambda p: p.stat().st_mtime
    )
    native = (root / scope.value / "native.db").stat().st_size
    found |= {
        "mirror MB": round(mirror.stat().st_size / 1e6, 1),
        "native MB": round(native / 1e6, 1),
        "mirror / native": round(mirror.stat().st_size / native, 2),
    }
    import cimis

    begin = time.perf_counter()
    with cimis.open(root / "store") as store:
        data = store.dataset(scope)
    twins = sum(Path(path).stat().st_size for path in data.files)
    return found | {
        "twins MB": round(twins / 1e6, 1),
        "twins written, s": round(time.perf_counter() - begin, 2),
    }


def night(root: Path, scope: Scope) -> dict[str, float]:
    """Change the last value of every station's open year, and tell what the refresh took."""
    import cimis
    from cimis.pipeline.catalog.database import Catalog
    from cimis.pipeline.catalog.entry import chunk_row
    from cimis.pipeline.chunks import read_chunk, write_chunk

    store_root = root / "store"
    with Catalog(store_root) as catalog:
        late = [c for c in catalog.chunks(scope=scope) if c.year == LAST_YEAR]
        rows = []
        for chunk in late:
            path = store_root / chunk.path
            table = read_chunk(path)
            at = table.schema.get_field_index("precip")
            values = table["precip"].to_pylist()
            values[-1] = round((values[-1] or 0.0) + 0.1, 1)
            changed = table.set_column(at, table.schema.field(at), pa.array(values))
            rows.append(chunk_row(write_chunk(path, changed), source="night"))
        catalog.put_chunks(rows)
    code = (
        "import cimis, json, resource\n"
        f"store = cimis.open({str(store_root)!r})\n"
        f"done = store.refresh()[{list(Scope).index(scope)}]\n"
        "peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "print(json.dumps({'refresh, s': round(done.seconds, 2), 'chunks': done.decoded,\n"
        "    'anew': done.anew, 'MB': round(done.bytes / 1e6, 1), 'peak MB': peak // 1024}))\n"
    )
    found: dict[str, float] = json.loads(_out([sys.executable, "-c", code]))
    with cimis.open(store_root) as store:
        begin = time.perf_counter()
        store.dataset(scope)
        found["twins, s"] = round(time.perf_counter() - begin, 2)
    return found


def within(root: Path, scope: Scope, repeats: int) -> dict[str, dict[str, float]]:
    """Return per variant and question the median seconds within one process, all asked in turn."""
    asks = {variant: opened(variant, root, scope) for variant in VARIANTS}
    found: dict[str, dict[str, float]] = {variant: {} for variant in asks}
    for question in QUESTIONS:
        times: dict[str, list[float]] = {v: [] for v in asks if answers(v, question)}
        for variant in times:
            timed(asks[variant][0], question)
        for _ in range(repeats):
            for variant, each in times.items():
                each += [timed(asks[variant][0], question) for _ in range(IN_A_ROW[question])]
        for variant, each in times.items():
            found[variant][question] = statistics.median(each)
    for _, close in asks.values():
        close()
    return found


_RIVAL = """
import duckdb
connection = duckdb.connect()
connection.execute("ATTACH '{path}' AS n (READ_ONLY)")
for row in connection.execute({text!r}).fetchall():
    print(*row, sep=",")
"""
_RIVAL_PARQUET = """
import duckdb
for row in duckdb.connect().execute({text!r}).fetchall():
    print(*row, sep=",")
"""


def command_line(root: Path, scope: Scope, repeats: int) -> dict[str, dict[str, float]]:
    """Return median wall times of new processes, asked in turn."""
    files, store = root / scope.value, ["--data-dir", str(root / "store")]
    week = ["--start", "2021-06-01", "--end", "2021-06-07"]
    items = ["--items", "asce_eto,air_tmp_avg" if scope is Scope.DAILY else "asce_eto,air_tmp"]
    hourly = ["--hourly"] * (scope is Scope.HOURLY)
    cimis = [sys.executable, "-m", "cimis"]
    cases: dict[str, dict[str, list[str]]] = {
        "python": {"Q1": [sys.executable, "-c", "pass"]},
        "cimis --help": {"Q1": [*cimis, "--help"]},
        "cimis query": {"Q1": [*cimis, "query", *store, "--station", "21", *week, *items, *hourly]},
    }
    for question in ("Q1", "Q3"):
        native = sql(question, scope).format(t="n.obs")
        big = sql(question, scope).format(t=f"read_parquet('{files}/big.parquet')")
        code = _RIVAL.format(path=files / "native.db", text=native)
        cases.setdefault("duckdb native table", {})[question] = [sys.executable, "-c", code]
        code = _RIVAL_PARQUET.format(text=big)
        cases.setdefault("duckdb big Parquet", {})[question] = [sys.executable, "-c", code]
        text = sql(question, scope).format(t=scope.value)
        cases.setdefault("cimis sql", {})[question] = [*cimis, "sql", *store, text]
    times: dict[tuple[str, str], list[float]] = {}
    for _ in range(repeats + 1):
        for name, asked in cases.items():
            for question, words in asked.items():
                begin = time.perf_counter()
                subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
                times.setdefault((name, question), []).append(time.perf_counter() - begin)
    return {
        name: {question: statistics.median(times[name, question][1:]) for question in asked}
        for name, asked in cases.items()
    }


def _out(words: list[str]) -> str:
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout


def report(found: dict[str, Any]) -> str:
    """Return the figures in Markdown: times in milliseconds with their ratio to the rival's."""
    lines = []
    for title, rows in found.items():
        lines.append(f"\n### {title}\n")
        if not all(isinstance(times, dict) for times in rows.values()):
            lines += [f"- {name}: {value}" for name, value in rows.items()]
            continue
        names = [q for q in QUESTIONS if any(q in times for times in rows.values())]
        lines += ["| |" + " | ".join(names) + " |", "|---|" + "--:|" * len(names)]
        for variant, times in rows.items():
            base = rows[BASE.get(variant, "duckdb native table")]
            cells = [
                f"{times[q] * 1e3:,.1f} ({times[q] / base[q]:.2f})" if q in times else ""
                for q in names
            ]
            lines.append(f"| {variant} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def measure(root: Path, scope: Scope, repeats: int, *, nights: int) -> dict[str, Any]:
    """Return all figures of a scope, by title."""
    found: dict[str, Any] = {f"{scope}: the first question ever": make(root, scope)}
    found[f"{scope}: one process"] = within(root, scope, repeats)
    found[f"{scope}: new processes"] = command_line(root, scope, repeats * 2)
    for number in range(nights):
        found[f"{scope}: night {number + 1}"] = night(root, scope)
    if nights:
        found[f"{scope}: one process, after {nights} nights"] = within(root, scope, repeats)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found[f"{scope}: this process"] = {"peak MB": peak // 1024}
    return found


def main() -> None:
    """Build, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("benchmarks/out/query"))
    parser.add_argument("--scope", choices=[*map(str, Scope), "both"], default="both")
    parser.add_argument("--stations", type=int, default=250)
    parser.add_argument("--years", type=int, default=40)
    parser.add_argument("--hourly-years", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--nights", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found: dict[str, Any] = {}
    for scope in Scope:
        if options.scope in (str(scope), "both"):
            few = options.scope == "both" and scope is Scope.HOURLY
            build(
                options.root,
                scope,
                options.stations,
                options.hourly_years if few else options.years,
            )
            found |= measure(options.root, scope, options.repeats, nights=options.nights)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    print(report(found))


if __name__ == "__main__":
    main()
