"""How a run ended: the one error behind its failure, and what it got less than was asked."""

from __future__ import annotations

from collections.abc import Sequence

from cimis.pipeline.errors import AuthError, CimisError, FetchInterrupted
from cimis.pipeline.fetch.report.run_report import RunReport
from cimis.pipeline.fetch.stopping import RunStopped
from cimis.pipeline.field.items import by_code
from cimis.pipeline.field.time import PER_DAY
from cimis.pipeline.lacks import Lacks, Short, Site

__all__ = ["failure_of", "fruitless", "lacks_of_run"]


def failure_of(report: RunReport) -> CimisError | None:
    """Return the one error behind a failed run, or what says which stations failed.

    Its ``report`` is the run's.
    """
    if report.exit_code == 0:
        return None
    failure = report.error or _behind(report)
    failure.report = report
    return failure


def _behind(report: RunReport) -> CimisError:
    if report.interrupted:
        return RunStopped(report)
    errors: dict[str, CimisError] = {str(r.error): r.error for r in report.failed if r.error}
    first = next(iter(errors.values()), None)
    if first is not None and len(errors) == 1 and report.exit_code == first.exit_code:
        return first
    good, bad = report.stations
    return FetchInterrupted(
        f"{len(bad)} of {len(good) + len(bad)} stations failed: {', '.join(map(str, bad))}"
        + (f"; the first because: {first}" if first is not None else ""),
        hint="what came is stored; run the same command again to continue",
    )


def fruitless(reports: Sequence[RunReport]) -> bool:
    """Tell whether runs failed so that nothing came: by the key, or of all that was asked for."""
    if any(report.error is not None or report.interrupted for report in reports):
        return True
    asked = [r for report in reports for r in report.results if r.expected or r.error]
    if any(isinstance(result.error, AuthError) for result in asked):
        return True
    return bool(asked) and not any(result.success for result in asked)


def lacks_of_run(report: RunReport) -> Lacks:
    """Return what a run got less than was asked: of days, those not stored and final before."""
    if report.dry_run:
        return Lacks()
    per_day = PER_DAY[report.scope]
    days: dict[Site, list[int]] = {}
    for result in report.results:
        if result.success and result.expected:
            asked = result.expected // per_day
            counts = days.setdefault(result.name, [0, 0])
            counts[0] += asked - result.absent_days
            counts[1] += asked
    before = {result.name for result in report.results if result.skipped_days}
    short = [Short(site, *counts) for site, counts in days.items() if counts[0] < counts[1]]
    silent = {part.site for part in short if not part.present and part.site not in before}
    came = report.carried
    items = [by_code(code) for code in report.items if came is not None and code not in came]
    return Lacks(
        without_rows=tuple(site for site in days if site in silent),
        short=tuple(part for part in short if part.site not in silent),
        items=tuple(item.column for item in items if item is not None),
        failed=tuple(report.stations[1]),
    )
