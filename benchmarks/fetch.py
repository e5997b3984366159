"""Fetching from a slow server: both paths, and how much of the time is waiting.

Run with ``just bench-fetch``. An embedded server in a process of its own answers every request
after a latency. Stations × one year are fetched in turn by both paths, into new directories.
"""

from __future__ import annotations

import argparse
import datetime as dt
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from cimis.pipeline.fetch import FetchRequest, RunReport, fetch
from cimis.pipeline.field.items import Scope
from cimis.pipeline.service import Settings

_SERVE = """
import sys, time
from cimis.pipeline.emulator import Emulator, GeneratedSource
with Emulator(GeneratedSource(), latency_s=float(sys.argv[1])) as emulator:
    print(emulator.base_url, emulator.app_key, flush=True)
    sys.stdin.read()
"""


@contextmanager
def _server(latency_s: float) -> Iterator[Settings]:
    """Run an embedded server in another process."""
    command = [sys.executable, "-c", _SERVE, str(latency_s)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as it:
        assert it.stdout is not None
        base_url, key = it.stdout.readline().split()
        yield Settings.load(base_url=base_url, app_key=key)
        it.communicate("")


def _fetched(settings: Settings, scope: Scope, count: int, *, plain: bool) -> RunReport:
    numbers = tuple(range(1, count + 1))
    with tempfile.TemporaryDirectory() as folder:
        request = FetchRequest(
            numbers,
            dt.date(2023, 1, 1),
            dt.date(2023, 12, 31),
            scope,
            concurrency=8,
            plain=plain,
        )
        report = fetch(folder, request, settings)
    assert report.exit_code == 0, [str(result.error) for result in report.failed]
    return report


def _line(name: str, reports: list[RunReport]) -> str:
    report = reports[-1]
    facts = report.as_dict()
    times = facts["timings"]
    wall_s = statistics.median(r.seconds for r in reports)
    network_s = (times["ttfb_ms"] + times["read_ms"]) / 1000
    return (
        f"| {name} | {report.requests} | {facts['totals']['records']:,} | {wall_s:.2f} "
        f"| {network_s / min(8, report.requests):.2f} | {times['decode_ms'] / 1000:.2f} "
        f"| {times['write_ms'] / 1000:.2f} |"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stations", type=int, default=20)
    parser.add_argument("--latency", type=float, default=0.2, metavar="SECONDS")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    cases = [(Scope.DAILY, False), (Scope.DAILY, True), (Scope.HOURLY, False)]
    found: dict[tuple[Scope, bool], list[RunReport]] = {case: [] for case in cases}
    with _server(options.latency) as settings:
        for scope, plain in cases:  # the server makes its weather when it is first asked
            _fetched(settings, scope, options.stations, plain=plain)
        for turn in range(options.repeats):
            for scope, plain in cases if turn < 2 else cases[:2]:
                found[scope, plain].append(_fetched(settings, scope, options.stations, plain=plain))
    print(f"{options.stations} stations × one year, {options.latency * 1000:.0f} ms, 8 at once")
    print("| path | requests | records | wall, s | network / 8, s | decode, s | write, s |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for (scope, plain), reports in found.items():
        print(_line(f"{'plain' if plain else 'streaming'}, {scope}", reports))
    walls = [statistics.median(r.seconds for r in found[Scope.DAILY, p]) for p in (False, True)]
    print(f"\nstreaming / plain, daily: {walls[0] / walls[1]:.2f}")


if __name__ == "__main__":
    main()
