"""What a run's report says of itself: how it went, its counts, what failed, and what to do next."""

from __future__ import annotations

from cimis.pipeline.fetch.report.outcome import failure_of
from cimis.pipeline.fetch.report.run_report import RunReport
from cimis.pipeline.markup import Card, Sheet, counted, sized

__all__ = ["card_of"]


def card_of(report: RunReport) -> Card:
    """Return how a run went, as a notebook shows it."""
    totals = report.totals()
    facts = {"stations": f"{totals['success']:,} of {totals['stations']:,}"}
    if not report.dry_run:
        facts |= {
            "rows": f"{totals['stored']:,} of {totals['expected']:,} asked for",
            "new, filled, revised": f"{totals['added']:,}, {totals['filled']:,}, "
            f"{totals['revised']:,}",
        }
    if totals["skipped_days"]:
        facts["not asked for"] = f"{counted(totals['skipped_days'], 'day')}, stored and final"
    facts["requests"] = (
        f"{len(report.windows):,}, planned"
        if report.dry_run
        else f"{totals['requests']:,}, {counted(totals['retries'], 'retry', 'retries')}"
    )
    if not report.dry_run:
        facts["transferred"] = f"{sized(report.bytes_transferred)} in {report.seconds:.1f} s"
    failed = [
        (one.name, one.year, str(one.error) if one.error is not None else "not finished")
        for one in report.failed
        if not report.dry_run
    ]
    sheets = (Sheet.of("Failed", ("station", "year", "why"), failed),) if failed else ()
    lacks = report.lacks.text()
    notes = [*report.warnings, *([lacks] if lacks else []), *_next(report)]
    return Card("RunReport", f"{_what(report)}: {_outcome(report)}", facts, sheets, notes)


def _what(report: RunReport) -> str:
    return f"Fetch of {report.scope} rows, {report.start} to {report.end}"


def _outcome(report: RunReport) -> str:
    if report.error is not None:
        return f"not begun: {report.error}"
    if report.interrupted:
        return "stopped before its end"
    if report.dry_run:
        return "planned, nothing was asked for"
    good, bad = report.stations
    if bad:
        return f"failed for {counted(len(bad), 'station')} of {len(good) + len(bad):,}"
    return "complete" if not report.lacks else "done, but less came than was asked for"


def _next(report: RunReport) -> list[str]:
    failure = failure_of(report)
    return [] if failure is None or not failure.hint else [f"next: {failure.hint}"]
