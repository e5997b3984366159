"""What is told of a fetch: its report in words or JSON, and the error that it ends with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cimis.cli.showing.output import Output, counted

if TYPE_CHECKING:
    from cimis.pipeline.fetch.report.run_report import RunReport

__all__ = ["raise_failure", "tell"]


def tell(report: RunReport, out: Output, *, perf: bool) -> None:
    """Print the plan or the report, and in words what was done."""
    facts = report.as_dict()
    if out.as_json:
        out.json(facts)
    elif report.dry_run:
        _print_plan(report, out)
    elif report.error is None:
        out.note(_summary(facts))
    for warning in report.warnings:
        out.warn(warning)
    if not out.as_json:  # the report holds it
        out.lacks(replace(report.lacks, failed=()))  # the error at the end tells of these
    if perf and not report.dry_run:
        out.note(_timings(facts, out.talk_width))
    if report.allocs is not None:
        out.note(_allocs(facts, out.talk_width))


def _summary(facts: dict[str, Any]) -> str:
    """Return in one sentence what a run did."""
    totals = facts["totals"]
    results = facts["results"]
    served = {r["target"] or r["station"] for r in results if r["success"] or r["stored"]}
    return (
        f"stored {counted(totals['stored'], 'record')} of {counted(len(served), 'station')} "
        f"({counted(totals['requests'], 'request')}, {_bytes(totals)}, "
        f"{totals['bytes_stored'] / 1000:,.0f} kB on disk, {totals['seconds']:.1f} s); "
        f"{counted(totals['skipped_days'], 'day')} stored before, {totals['absent_days']:,} absent"
    )


def _bytes(totals: dict[str, Any]) -> str:
    """Return the bytes of the wire, and what they were packed from."""
    wire = f"{totals['bytes_transferred'] / 1000:,.0f} kB"
    if totals["content_encoding"] in (None, "identity"):
        return wire
    return (
        f"{wire} as {totals['content_encoding']} of {totals['bytes_decoded'] / 1000:,.0f} kB, "
        f"{totals['compression_ratio']:.1f} to 1"
    )


def _timings(facts: dict[str, Any], width: int | None) -> str:
    """Return where the time of each station's year went, and the sums, in milliseconds."""
    rows = [
        (_who(r), str(r["year"]), f"{r['received']:,}", *_times(r["timings"]))
        for r in facts["results"]
    ]
    rows.append(("all", "", "", *_times(facts["timings"])))
    heads = ("station", "year", "records", *(phase[:-3] for phase in facts["timings"]))
    text = _aligned(heads, rows, width, spare=("connect", "tls"))
    return f"{text}\n(ms; a request's time is shared by its stations)"


def _who(result: dict[str, Any]) -> str:
    return str(result["target"] or result["station"])


def _times(timings: dict[str, float]) -> list[str]:
    return [f"{time_ms:,.1f}" for time_ms in timings.values()]


def _aligned(
    heads: Sequence[str], rows: Sequence[Sequence[str]], width: int | None, spare: Sequence[str]
) -> str:
    """Return rows of numbers under their heads, as wide as a terminal; in a pipe all of them."""
    from cimis.cli.showing.layout import Column, fit, lines

    columns = [
        Column(head, number=True, texts=[row[place] for row in rows])
        for place, head in enumerate(heads)
    ]
    fitted = fit(columns, width or 10_000, spare=spare)
    note = fitted.note("--json has all")
    return "\n".join([*lines(fitted.columns), *([note] if note else [])])


def _allocs(facts: dict[str, Any], width: int | None) -> str:
    """Return what each station's year took in memory, and the run's peaks."""
    measured = [(r, r["alloc_metrics"]) for r in facts["results"] if r["alloc_metrics"]]
    rows = [
        (
            _who(result),
            str(result["year"]),
            f"{found['records']:,}",
            f"{found['bytes_per_record']:,.1f}",
            f"{found['python_objects']:,}",
        )
        for result, found in measured
    ]
    heads = ("station", "year", "records", "bytes/record", "objects")
    whole = facts["totals"]["alloc_metrics"]
    return (
        f"{_aligned(heads, rows, width, spare=())}\n"
        f"{facts['path']} path: {whole['bytes_per_record']:,.1f} bytes kept per record; "
        f"peaks above the start: Python {whole['python_peak_bytes'] or 0:,} bytes, "
        f"Arrow {whole['arrow_peak_bytes']:,}, resident {whole['rss_peak_above_start_bytes']:,}"
    )


def _print_plan(report: RunReport, out: Output) -> None:
    rows = [(" ".join(map(str, w.names)), w.start, w.end, w.records) for w in report.windows]
    out.rows(("stations", "start", "end", "records"), rows)
    records = sum(window.records for window in report.windows)
    asked = f"{counted(len(rows), 'request')}, at most {counted(records, 'record')}"
    out.note(f"{asked}; nothing was fetched")


def raise_failure(report: RunReport) -> None:
    """Raise the one error behind a failed run, or say which stations failed."""
    from cimis.pipeline.fetch.report.outcome import failure_of

    failure = failure_of(report)
    if failure is not None:
        raise failure
