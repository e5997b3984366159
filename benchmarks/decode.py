"""Decoding measured beside its rivals: speed on generated and real bodies, and memory.

Run ``python -m benchmarks.decode``. Every rival builds the same columns from the same bytes and is
checked against ours before it is timed; in each round each is run a few times in a row, and medians
over all rounds are shown, so that a slow moment of the machine meets all alike.
"""

from __future__ import annotations

import argparse
import gzip
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pyarrow as pa
import simdjson

from benchmarks.decode_bodies import body, daily_items, endless, hourly_items
from benchmarks.decode_rivals import (
    Columns,
    pyarrow_json,
    reshaped,
    same_columns,
    typed_msgspec,
    with_loops,
)
from cimis.pipeline.decode import StreamDecoder, unify
from cimis.pipeline.decode.allocs import Allocations
from cimis.pipeline.field.items import Item, Scope, by_json_key
from cimis.pipeline.service import BodyInflater

PIECE = 65_536
REAL = Path(__file__).resolve().parents[2] / "shared" / "real" / "api"
OURS = "cimis, 64 KB pieces"
REACH = {
    Scope.DAILY: {"json.loads + loops": 6.0},
    Scope.HOURLY: {"json.loads + loops": 8.0, "orjson + loops": 8.0},
}


@dataclass(frozen=True)
class Case:
    """One body to decode."""

    name: str
    scope: Scope
    items: tuple[Item, ...]
    text: bytes
    reach: dict[str, float]


def ours(text: bytes, scope: Scope) -> list[pa.RecordBatch]:
    """Decode a body as the network would bring it."""
    decoder = StreamDecoder(scope)
    found = []
    for start in range(0, len(text), PIECE):
        found += decoder.feed(text[start : start + PIECE])
    return found + decoder.finish()


def ours_gzip(wire: bytes, scope: Scope) -> list[pa.RecordBatch]:
    """The same from compressed bytes, in pieces of 4 KB."""
    inflater, decoder = BodyInflater("gzip"), StreamDecoder(scope)
    found = []
    for start in range(0, len(wire), 4096):
        found += decoder.feed(inflater.feed(wire[start : start + 4096]))
    return found + decoder.feed(inflater.finish()) + decoder.finish()


def cases(real: Path) -> list[Case]:
    """Return the generated bodies, and the largest real ones if they are there."""
    found = []
    for name, scope, items in (
        ("daily, 366 records, 25 items", Scope.DAILY, daily_items()),
        ("hourly, 8,784 records, 13 items", Scope.HOURLY, hourly_items()),
    ):
        found.append(Case(name, scope, items, body(scope, items), REACH[scope]))
    for scope, name in ((Scope.DAILY, "wy2015_concord"), (Scope.HOURLY, "wy2015_lodi_west")):
        path = real / scope / f"{name}.json"
        if path.is_file():
            text = path.read_bytes()
            keys = json.loads(text)["Data"]["Providers"][0]["Records"][0]
            items = tuple(item for key in keys if (item := by_json_key(key)) is not None)
            found.append(Case(f"real {scope}, {name}", scope, items, text, {}))
    return found


def candidates(case: Case) -> dict[str, Callable[[], object]]:
    """Return what is timed, each checked to give our columns; the last three are references."""
    text, scope, items = case.text, case.scope, case.items
    table = unify(ours(text, scope))
    typed, lines, wire = typed_msgspec(scope, items), reshaped(text), gzip.compress(text, 6)
    new_parser: Any = simdjson.Parser
    parser = new_parser()
    simd: Any = simdjson.loads
    rivals: dict[str, Callable[[], Columns]] = {
        "json.loads + loops": lambda: with_loops(json.loads, text, scope, items),
        "orjson + loops": lambda: with_loops(orjson.loads, text, scope, items),
        "pysimdjson + loops": lambda: with_loops(simd, text, scope, items),
        "msgspec typed + loops": lambda: typed(text),
        "pyarrow.json, reshaped before": lambda: pyarrow_json(lines, scope, items),
    }
    for name, rival in rivals.items():
        if not same_columns(table, rival(), items):
            raise SystemExit(f"{name} gives other columns for {case.name}")
    return {
        OURS: lambda: ours(text, scope),
        **rivals,
        "cimis, from gzip": lambda: ours_gzip(wire, scope),
        "gunzip alone": lambda: gzip.decompress(wire),
        "simdjson parse alone": lambda: _parsed(parser, text),
    }


def _parsed(parser: Any, text: bytes) -> int:
    return len(parser.parse(text))


def measure(runs: dict[str, Callable[[], object]], rounds: int, seconds: float) -> dict[str, float]:
    """Return the median seconds of each."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            run()  # what ran before is out of the caches, as it is between two responses too
            until = time.perf_counter() + seconds
            while time.perf_counter() < until or len(times[name]) < 3:
                start = time.perf_counter()
                run()
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(each) for name, each in times.items()}


def report(case: Case, medians: dict[str, float]) -> None:
    """Print one case's table."""
    size, records = len(case.text), len(unify(ours(case.text, case.scope)))
    print(f"\n{case.name}: {size / 1e6:.2f} MB")
    print(f"{'':34}{'ms':>9}{'MB/s':>8}{'records/s':>12}{'ours is':>10}")
    for name, seconds in medians.items():
        ratio = seconds / medians[OURS]
        rate = f"{records / seconds:,.0f}"
        print(f"{name:34}{seconds * 1e3:9.2f}{size / seconds / 1e6:8.0f}{rate:>12}{ratio:9.2f} ×")
    for name, due in case.reach.items():
        got = medians[name] / medians[OURS]
        print(f"  to reach: {due:.0f} × {name}: {'yes' if got >= due else 'NO'} ({got:.1f})")


def memory_of(size_mb: int) -> dict[str, float]:
    """Stream a daily body of a size through a decoder in this process; return its figures."""
    items = daily_items()
    pieces = endless(size_mb * 1_000_000, items)
    warm = StreamDecoder(Scope.DAILY)
    warm.feed(body(Scope.DAILY, items)[:PIECE])
    first = next(pieces)
    decoder = StreamDecoder(Scope.DAILY)
    with Allocations() as allocations:
        decoder.feed(first)
        for piece in pieces:
            decoder.feed(piece)
            allocations.sample()
        decoder.finish()
    return {
        "megabytes": decoder.stats.bytes / 1e6,
        "records": decoder.stats.records,
        "peak_mb": allocations.report.rss_peak_above / 1e6,
        "objects": allocations.report.python_objects,
    }


def memory(sizes: list[int]) -> None:
    """Print bytes kept per record, and peaks of growing bodies, each in a process of its own."""
    six = daily_items()[:6]
    with Allocations() as allocations:
        for batch in ours(body(Scope.DAILY, six, range(2, 50)), Scope.DAILY):
            allocations.keep(batch)
    kept = allocations.report
    print(f"\nmemory\nsix items kept: {kept.kept_per_record:.2f} bytes per record (to reach: 30)")
    for size in sizes:
        command = [sys.executable, "-m", "benchmarks.decode", "--memory-of", str(size)]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
        row = json.loads(done.stdout)
        print(
            f"body of {row['megabytes']:7.1f} MB, {row['records']:9,} records: "
            f"{row['peak_mb']:5.1f} MB above start (to reach: 16), "
            f"{row['objects']:+,} Python objects at the end"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--real", type=Path, default=REAL, help="folder of real API responses")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.25, help="per candidate and round")
    parser.add_argument("--sizes", type=int, nargs="*", default=[1, 10, 100, 1000], help="MB")
    parser.add_argument("--memory-of", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory_of is not None:
        print(json.dumps(memory_of(options.memory_of)))
        return
    print(
        f"Python {sys.version.split()[0]}, pyarrow {pa.__version__}, orjson {orjson.__version__}, "
        f"msgspec {msgspec.__version__}"
    )
    for case in cases(options.real):
        report(case, measure(candidates(case), options.rounds, options.seconds))
    memory(options.sizes)


if __name__ == "__main__":
    main()
