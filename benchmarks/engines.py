"""Means over thousands of chunks by Dask, Daft and PySpark with one worker and two, beside SQL.

Run with ``just bench-engines [--root DIR] [--stations N] [--rounds N] [--only WORD]``, on the store
of ``just bench-query``, which is made where it is not there. Each variant is a process of its own
that asks once to warm up; variants take turns in every round and the least of all times counts.
Where others use the machine, ``quiet`` is what to look at: seconds of CPU of the process that asks
and of the busiest of those that it started, which is how long that takes on idle cores.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from cimis.pipeline.field.items import Scope

ONE = "one column"
EVERY = "every column"
QUESTIONS = (ONE, EVERY)
"""The mean reference ET of each station; the mean of each of 14 columns of each station."""
YEARS = 40

Ask = Callable[[str], int]


def columns(question: str) -> list[str]:
    """Return the columns whose means are asked for."""
    from benchmarks.query_data import items_of

    return ["asce_eto"] if question == ONE else [item.column for item in items_of(Scope.DAILY)]


@contextmanager
def by_sql(store: Path, stations: int, workers: int, *, cache: int | None) -> Iterator[Ask]:
    """Ask ``store.sql``; with ``cache=0`` chunks are decoded for each question."""
    import cimis

    if hasattr(os, "sched_setaffinity"):  # a question may not set the engine's threads
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:workers])
    with cimis.open(store, cache=cache) as opened:

        def ask(question: str) -> int:
            means = ", ".join(f"avg({name})" for name in columns(question))
            text = f"SELECT station, {means} FROM daily WHERE station <= {stations} GROUP BY 1"
            return int(opened.sql(text).table().num_rows)

        yield ask


@contextmanager
def by_dask(store: Path, stations: int, workers: int, *, processes: bool) -> Iterator[Ask]:
    """Ask Dask, with threads or with processes that wait for work."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    import dask

    from cimis.engines.dask import to_dask

    with ExitStack() as held:
        if processes:
            pool = held.enter_context(ProcessPoolExecutor(workers, get_context("spawn")))
            held.enter_context(dask.config.set(scheduler="processes", pool=pool, chunksize=1))
        else:
            held.enter_context(dask.config.set(scheduler="threads", num_workers=workers))

        def ask(question: str) -> int:
            rows = to_dask(store, stations=range(1, stations + 1))
            # by itself Dask's own scheduler makes a task of each step, whose rows go back and forth
            return len(rows.groupby("station")[columns(question)].mean().optimize().compute())

        yield ask


@contextmanager
def by_daft(store: Path, stations: int, workers: int) -> Iterator[Ask]:
    """Ask Daft, on as many cores as there are workers."""
    os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:workers]))
    import daft

    from cimis.engines.daft import to_daft

    def ask(question: str) -> int:
        rows = to_daft(store).where(daft.col("station") <= stations).groupby("station")
        means = rows.agg(*(daft.col(name).mean() for name in columns(question)))
        return len(means.to_pydict()["station"])

    yield ask


@contextmanager
def by_spark(store: Path, stations: int, workers: int) -> Iterator[Ask]:
    """Ask the source that docs/scale.md shows."""
    from pyspark.sql import SparkSession

    from tests.engines.test_pyspark import recipe

    os.environ |= {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    settings = {
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": str(workers),
        "spark.sql.python.filterPushdown.enabled": "true",
    }
    session = SparkSession.builder.master(f"local[{workers}]").config(map=settings).getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    known: dict[str, Any] = {"__name__": "recipe"}
    exec(compile(recipe(), "docs/scale.md", "exec"), known)
    session.dataSource.register(known["CimisSource"])

    def ask(question: str) -> int:
        names = columns(question)
        schema = ", ".join(["station int", *(f"{name} double" for name in names)])
        rows = session.read.format("cimis").schema(schema).load(str(store))
        some = rows.where(f"station <= {stations}").groupBy("station")
        return len(some.avg(*names).collect())

    yield ask
    session.stop()


VARIANTS: dict[str, Callable[[Path, int, int], Any]] = {
    "sql with mirror": lambda *given: by_sql(*given, cache=None),
    "sql without mirror": lambda *given: by_sql(*given, cache=0),
    "Dask, threads": lambda *given: by_dask(*given, processes=False),
    "Dask, processes": lambda *given: by_dask(*given, processes=True),
    "Daft": by_daft,
    "PySpark": by_spark,
}


def family() -> dict[int, float]:
    """Return the seconds of CPU of this process and of those that it started, by number."""
    parents, used = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text("ascii", "replace").rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        number = int(stat.parent.name)
        parents[number] = int(fields[1])
        used[number] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    mine = {os.getpid()}
    while grown := {one for one, parent in parents.items() if parent in mine} - mine:
        mine |= grown
    return {one: used[one] for one in mine if one in used}


def measure(variant: str, store: Path, stations: int, workers: int, times: int) -> dict[str, Any]:
    """Return of each question the least wall time, CPU of all processes, and ``quiet``."""
    found: dict[str, Any] = {}
    with VARIANTS[variant](store, stations, workers) as ask:
        for question in QUESTIONS:
            ask(question)
            runs = []
            for _ in range(times):
                before, begin = family(), time.perf_counter()
                groups = ask(question)
                wall, after = time.perf_counter() - begin, family()
                assert groups == stations, f"{variant} found {groups} stations"
                used = {one: cpu - before.get(one, 0.0) for one, cpu in after.items()}
                own = used.pop(os.getpid())
                runs.append((wall, own + sum(used.values()), own + max(used.values(), default=0)))
            least = map(min, zip(*runs, strict=True))
            found[question] = dict(zip(("wall", "cpu", "quiet"), least, strict=True))
    return found


def told(results: dict[tuple[str, int], dict[str, Any]]) -> Iterator[str]:
    """Yield the lines of a table in Markdown."""
    for question in QUESTIONS:
        yield f"\n| {question} | workers | wall s | CPU s | quiet s | scaling (wall, quiet) |"
        yield "|---|--:|--:|--:|--:|--:|"
        for (variant, workers), found in results.items():
            now, one = found[question], results[variant, 1][question]
            gains = (
                ""
                if workers == 1
                else f"{one['wall'] / now['wall']:.2f}, {one['quiet'] / now['quiet']:.2f}"
            )
            figures = " | ".join(f"{now[name]:.2f}" for name in ("wall", "cpu", "quiet"))
            yield f"| {variant} | {workers} | {figures} | {gains} |"


def main() -> None:
    """Run the variants in turn, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("benchmarks/out/query"))
    parser.add_argument("--stations", type=int, default=100, help="of 40 years each, from 1 on")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--times", type=int, default=5, help="asked in a row in each round")
    parser.add_argument("--only", default="", help="variants whose name has this word")
    parser.add_argument("--one", nargs=2, metavar=("VARIANT", "WORKERS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    store = options.root.absolute() / "store"
    if options.one:
        variant, workers = options.one[0], int(options.one[1])
        print(json.dumps(measure(variant, store, options.stations, workers, options.times)))
        return
    if not store.exists():
        from benchmarks.query import build

        build(options.root, Scope.DAILY, options.stations, YEARS)
    results: dict[tuple[str, int], dict[str, Any]] = {}
    for _ in range(options.rounds):
        for variant in VARIANTS:
            for workers in (1, 2) if options.only.lower() in variant.lower() else ():
                argv = [*sys.argv[1:], "--one", variant, str(workers)]
                command = [sys.executable, "-W", "ignore", "-m", "benchmarks.engines", *argv]
                done = subprocess.run(command, stdout=subprocess.PIPE, encoding="utf-8", check=True)
                new = json.loads(done.stdout.splitlines()[-1])
                old = results.setdefault((variant, workers), new)
                for question, figures in new.items():
                    for name, value in figures.items():
                        old[question][name] = min(old[question][name], value)
    print(*told(results), sep="\n")


if __name__ == "__main__":
    main()
