"""What is told of a sync: its plan, or what changed per station, in words or JSON."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cimis.cli.showing.output import Output, counted

if TYPE_CHECKING:
    from cimis.pipeline.fetch import FetchRequest, RunReport, SyncPlan

__all__ = ["tell_sync"]

_COLUMNS = ("scope", "station", "new", "filled", "revised", "absent_days")


def tell_sync(reports: list[RunReport], plan: SyncPlan, usual: FetchRequest, out: Output) -> None:
    """Print the plan, or what changed per station, and in words the sums."""
    for text in plan.left_out:
        out.warn(f"left out: {text}; fetch it once by hand")
    if usual.dry_run:
        _tell_plan(reports, out)
        return
    found: dict[tuple[str, int | str], list[int]] = {}
    for report in reports:
        if not out.as_json:  # the reports hold it
            out.lacks(replace(report.lacks, failed=()))
        for result in report.results:
            counts = found.setdefault((report.scope.value, result.name), [0] * 4)
            new = (result.added, result.filled, result.revised, result.absent_days)
            counts[:] = [a + b for a, b in zip(counts, new, strict=True)]
    requests = sum(report.requests for report in reports)
    sums = [sum(counts[n] for counts in found.values()) for n in range(3)]
    if out.as_json:
        out.json(
            {
                "requests": requests,
                **dict(zip(("new", "filled", "revised"), sums, strict=True)),
                "stations": [
                    dict(zip(_COLUMNS, (*who, *counts), strict=True))
                    for who, counts in found.items()
                ],
                "reports": [report.as_dict() for report in reports],
            }
        )
        return
    changed = [(*who, *counts) for who, counts in found.items() if any(counts[:3])]
    if changed:
        out.rows(_COLUMNS, changed)
    out.note(
        f"{counted(sums[0], 'record')} new, {sums[1]:,} filled, {sums[2]:,} revised, "
        f"of {counted(len(found), 'station')}; {counted(requests, 'request')}"
    )


def _tell_plan(reports: list[RunReport], out: Output) -> None:
    windows = [(report, window) for report in reports for window in report.windows]
    if out.as_json:
        out.json(
            {
                "requests": len(windows),
                "plan": [
                    {"scope": report.scope.value} | planned
                    for report in reports
                    for planned in report.as_dict()["plan"]
                ],
            }
        )
        return
    out.rows(
        ("scope", "stations", "start", "end", "records"),
        [
            (r.scope.value, " ".join(map(str, w.names)), w.start, w.end, w.records)
            for r, w in windows
        ],
    )
    records = sum(window.records for _, window in windows)
    asked = f"{counted(len(windows), 'request')}, at most {counted(records, 'record')}"
    out.note(f"{asked}; nothing was fetched")
