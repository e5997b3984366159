"""Run a command and gather what its own timings and reports, and the process, say of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from cimis.cli.profiling.imports import timed_imports
from cimis.cli.profiling.profile import Phase, Profile

if TYPE_CHECKING:
    import cProfile
    from pathlib import Path

    from cimis.queries.timing import QueryTimings

__all__ = ["measured"]

_HEAVIEST = 20
_MOST_RUNS = 20
"""A sync has a report for each scope and kind of target."""

_HANDLED = {"read": "bytes_read", "decode": "rows_decoded", "print": "rows"}
"""Phase of a question → the counter of what it handled."""

_OF_REQUESTS = {
    "read": ("bytes_transferred", "bytes"),
    "decode": ("bytes_decoded", "bytes"),
    "write": ("bytes_stored", "bytes"),
}
"""Phase of a request → what it handled."""


@contextmanager
def measured(found: Profile, *, functions: bool, root: Path | None) -> Iterator[None]:
    """Measure what is done inside the block; the profile is complete when it has been left.

    Parameters
    ----------
    found : Profile
        Gets what is measured.
    functions : bool
        Find the heaviest functions of the main thread too, which slows Python code down.
    root : Path, optional
        The data directory whose catalog gets the reports of a command that fetches; None for
        another, whose imports would seem shorter for our reading it.
    """
    from cimis.queries.timing import watched

    before = _runs(root, last=1)
    tracer = _tracer() if functions else None
    found.start_s, found.start_bytes = time.process_time(), _peak_bytes()
    began = time.perf_counter()
    with timed_imports() as clock, watched() as questions:
        if tracer is not None:
            tracer.enable()
        try:
            yield
        finally:
            if tracer is not None:
                tracer.disable()
            found.seconds = time.perf_counter() - began
            found.peak_bytes = _peak_bytes()
            found.imports_s, found.modules = clock.seconds, clock.modules
            longest = sorted(clock.by_package.items(), key=lambda one: -one[1])
            found.packages = dict(longest)
            _add_questions(found, questions)
            runs = _runs(root, last=_MOST_RUNS)
            _add_runs(found, [*takewhile(lambda run: run not in before, runs)])
            if tracer is not None:
                found.functions = _heaviest(tracer)


def _add_questions(found: Profile, questions: Sequence[QueryTimings]) -> None:
    """Add up what the timings of the questions say that were asked."""
    from cimis.queries.timing import COUNTERS, PHASES

    asked = [one for one in questions if any(getattr(one, f"{name}_s") for name in PHASES)]
    if not asked:
        return
    counters = {name: sum(getattr(one, name) for one in asked) for name in COUNTERS}
    found.counters = {name: count for name, count in counters.items() if count}
    for name in PHASES:
        counter = _HANDLED.get(name)
        amount = None if counter is None else counters[counter] or None
        unit = None if counter is None else "bytes" if counter == "bytes_read" else "rows"
        seconds = sum(getattr(one, f"{name}_s") for one in asked)
        found.phases.append(Phase(name, seconds, amount, unit))


def _runs(root: Path | None, *, last: int) -> list[dict[str, Any]]:
    """Return the newest runs that the catalog has; none where there is no catalog."""
    if root is None:
        return []
    from contextlib import suppress

    from cimis.pipeline.catalog.database import Catalog
    from cimis.pipeline.errors import CimisError

    with suppress(CimisError, OSError), Catalog(root) as catalog:
        return catalog.runs(last=last)
    return []


def _add_runs(found: Profile, runs: Sequence[Mapping[str, Any]]) -> None:
    """Add what the reports of fetches say."""
    if not runs:
        return
    reports = [run["report"] for run in runs]
    totals = _summed([one["totals"] for one in reports])
    times = _summed([one["timings"] for one in reports])
    found.counters = {**found.counters, **totals}
    found.phases.append(Phase("run", totals["seconds"], totals["records"], "records"))
    for phase, took_ms in times.items():
        name = phase.removesuffix("_ms")
        if name == "total":
            continue
        amount, unit = _OF_REQUESTS.get(name, (None, None))
        handled = None if amount is None else totals.get(amount)
        found.requests.append(Phase(name, took_ms / 1000, handled, unit))


def _summed(facts: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the sums of the numbers that several reports have under the same names."""
    numbers = (int, float)
    names = [
        name
        for name, value in facts[0].items()
        if isinstance(value, numbers) and not isinstance(value, bool)
    ]
    return {name: sum(one[name] for one in facts) for name in names}


def _tracer() -> cProfile.Profile:
    import cProfile

    return cProfile.Profile()


def _heaviest(tracer: cProfile.Profile) -> list[dict[str, Any]]:
    """Return the functions with the most time of their own."""
    import pstats
    from pathlib import Path

    rows = []
    stats: Any = pstats.Stats(tracer)
    for (file, line, name), (_, calls, own_s, whole_s, _) in stats.stats.items():
        place = f"{Path(file).name}:{line} " if line else ""
        rows.append(
            {
                "name": f"{place}{name}",
                "seconds": round(own_s, 6),
                "with_calls": round(whole_s, 6),
                "calls": calls,
            }
        )
    return sorted(rows, key=lambda row: -row["seconds"])[:_HEAVIEST]


def _peak_bytes() -> int | None:
    """Return the most resident memory that the process has had; None where nobody says."""
    try:
        import resource
    except ImportError:
        return None
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(highest) if sys.platform == "darwin" else int(highest) * 1024
