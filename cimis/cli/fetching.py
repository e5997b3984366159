"""What the commands that fetch have in common: their options, the run, and what is told of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cimis.cli.options import data_dir, declare, option, printing, service, stations_option
from cimis.cli.output import Output, counted
from cimis.parsing import day_span, parse_duration, today
from pipeline.errors import CimisError, FetchInterrupted

if TYPE_CHECKING:
    from pipeline.api import Settings
    from pipeline.ingest.report import RunReport
    from pipeline.ingest.request import FetchRequest

__all__ = ["fetching"]


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    stations_option(required=True),
    option("--year", metavar="YEAR", help="A year, or a range: 2020-2024."),
    option("--start", metavar="DAY", help="First day: 2024-06-01, 2024-06, 2024, yesterday."),
    option("--end", metavar="DAY", help="Last day, inclusive; else today."),
    option(
        "--scope",
        type=click.Choice(["daily", "hourly"]),
        default="daily",
        show_default=True,
        help="Daily or hourly records.",
    ),
    option(
        "--items", metavar="LIST", help="Items, as air_tmp_avg,asce_eto; or all; else the default."
    ),
    option(
        "--concurrency",
        type=int,
        default=4,
        show_default=True,
        metavar="N",
        help="Requests at once.",
    ),
    option(
        "--retries",
        type=int,
        default=3,
        show_default=True,
        metavar="N",
        help="Retries of a request.",
    ),
    option(
        "--timeout",
        metavar="TIME",
        default="120s",
        show_default=True,
        help="Longest wait for the service, between bytes too.",
    ),
    option("--gzip/--no-gzip", default=True, show_default=True, help="Ask for compressed answers."),
    option(
        "--format",
        "form",
        type=click.Choice(["v1", "v2"]),
        default="v2",
        show_default=True,
        help="Format of the chunks; v1 is the older program's and cannot hold everything.",
    ),
    option("--full", is_flag=True, help="Ask again for days that are stored and final."),
    option("--dry-run", is_flag=True, help="Print the requests that would be made; make none."),
    option("--perf", is_flag=True, help="Say on standard error where the time went."),
    option("--allocs", is_flag=True, help="Measure the memory that decoding and the rows take."),
    service,
    data_dir,
    printing(talks=True),
)


def fetching(
    name: str, text: str, *, plain: bool = False, examples: Sequence[str]
) -> click.Command:
    """Return a command that fetches.

    Parameters
    ----------
    name : str
    text : str
        Its help.
    plain : bool
        Whether it takes the plain path.
    examples : sequence of str
        Whole command lines that work as they stand.
    """

    def run(**options: Any) -> int:
        return carry_out(plain=plain, **options)

    run.__doc__ = text
    command: Callable[..., Any] = run
    for add in reversed(_OPTIONS):
        command = add(command)
    return declare(name, examples=examples)(command)


def carry_out(
    *,
    plain: bool,
    stations: str,
    year: str | None,
    start: str | None,
    end: str | None,
    scope: str,
    items: str | None,
    concurrency: int,
    retries: int,
    timeout: str,
    gzip: bool,
    form: str,
    full: bool,
    dry_run: bool,
    perf: bool,
    allocs: bool,
    base_url: str | None,
    app_key: str | None,
    data_dir: str | None,
    out: Output,
) -> int:
    """Fetch and store as the options say, by the plain path or the streaming one; tell of it."""
    from cimis.cli.choice import chosen_stations
    from cimis.cli.session import data_root, service_settings
    from pipeline.api import RetryPolicy, Timeouts
    from pipeline.ingest import FetchRequest
    from pipeline.items import Scope, resolve

    now = today()
    span = day_span(year=year, start=start, end=end, now=now)
    root, settings = data_root(data_dir), service_settings(base_url, app_key)
    chosen = resolve(items, Scope(scope))
    wait_s = parse_duration(timeout)
    timeouts = Timeouts(connect_s=min(wait_s, 10.0), read_s=wait_s, write_s=min(wait_s, 30.0))
    if not dry_run:
        settings.key()
        _made(root)
    request = FetchRequest(
        stations=chosen_stations(
            stations,
            root,
            settings,
            span,
            ask=not dry_run,
            out=out,
            policy=RetryPolicy(tries=max(retries, 0) + 1),
            timeout=timeouts,
        ),
        start=span[0],
        end=span[1],
        scope=Scope(scope),
        items=chosen,
        concurrency=concurrency,
        retries=retries,
        gzip=gzip,
        format=form,
        full=full,
        dry_run=dry_run,
        allocs=allocs,
        plain=plain,
        timeouts=timeouts,
    )
    report = _run(root, request, settings, out)
    _tell(report, out, perf=perf)
    _raise_failure(report)
    return report.exit_code


def _made(root: Path) -> None:
    from cimis.store import create

    create(root).close()


def _run(root: Path, request: FetchRequest, settings: Settings, out: Output) -> RunReport:
    from cimis.cli.progress import Bars
    from pipeline.ingest import fetch

    with Bars(out) as bars:
        return fetch(root, request, settings, progress=bars)


def _tell(report: RunReport, out: Output, *, perf: bool) -> None:
    """Print the plan or the report, and in words what was done."""
    facts = report.as_dict()
    if out.as_json:
        out.json(facts)
    elif report.dry_run:
        _print_plan(report, out)
    else:
        out.note(_summary(facts["totals"]))
    for warning in report.warnings:
        out.warn(warning)
    if perf and not report.dry_run:
        out.note(_timings(facts))
    if report.allocs is not None:
        out.note(_allocs(facts))


def _summary(totals: dict[str, Any]) -> str:
    """Return in one sentence what a run did."""
    return (
        f"stored {counted(totals['stored'], 'record')} of {counted(totals['success'], 'station')} "
        f"({counted(totals['requests'], 'request')}, {totals['bytes_transferred'] / 1000:,.0f} kB, "
        f"{totals['bytes_stored'] / 1000:,.0f} kB on disk, {totals['seconds']:.1f} s); "
        f"{counted(totals['skipped_days'], 'day')} stored before, {totals['absent_days']:,} absent"
    )


def _timings(facts: dict[str, Any]) -> str:
    """Return where the time of each station's year went, and the sums, in milliseconds."""
    phases = list(facts["timings"])
    head = "station  year  records " + "".join(f"{phase[:-3]:>10}" for phase in phases)
    lines = [f"{head}   (ms; a request's time is shared by its stations)"]
    for result in facts["results"]:
        times = "".join(f"{result['timings'][phase]:>10,.1f}" for phase in phases)
        lines.append(f"{result['station']:>7} {result['year']:>5} {result['received']:>8,} {times}")
    return "\n".join([*lines, f"{'all':<22} " + _sums(facts["timings"])])


def _sums(timings: dict[str, float]) -> str:
    return "".join(f"{time_ms:>10,.1f}" for time_ms in timings.values())


def _allocs(facts: dict[str, Any]) -> str:
    """Return what each station's year took in memory, and the run's peaks."""
    lines = ["station  year  records  bytes/record   objects"]
    measured = [(r, r["alloc_metrics"]) for r in facts["results"] if r["alloc_metrics"]]
    lines += [
        f"{result['station']:>7} {result['year']:>5} {found['records']:>8,} "
        f"{found['bytes_per_record']:>13,.1f} {found['python_objects']:>9,}"
        for result, found in measured
    ]
    whole = facts["totals"]["alloc_metrics"]
    lines.append(
        f"{facts['path']} path: {whole['bytes_per_record']:,.1f} bytes kept per record; "
        f"peaks above the start: Python {whole['python_peak_bytes'] or 0:,} bytes, "
        f"Arrow {whole['arrow_peak_bytes']:,}, resident {whole['rss_peak_above_start_bytes']:,}"
    )
    return "\n".join(lines)


def _print_plan(report: RunReport, out: Output) -> None:
    rows = [(" ".join(map(str, w.stations)), w.start, w.end, w.records) for w in report.windows]
    out.rows(("stations", "start", "end", "records"), rows)
    records = sum(window.records for window in report.windows)
    asked = f"{counted(len(rows), 'request')}, at most {counted(records, 'record')}"
    out.note(f"{asked}; nothing was fetched")


def _raise_failure(report: RunReport) -> None:
    """Raise the one error behind a failed run, or say which stations failed."""
    if report.exit_code == 0:
        return
    errors: dict[str, CimisError] = {str(r.error): r.error for r in report.failed if r.error}
    first = next(iter(errors.values()), None)
    if first is not None and len(errors) == 1 and report.exit_code == first.exit_code:
        raise first
    good, bad = report.stations
    raise FetchInterrupted(
        f"{len(bad)} of {len(good) + len(bad)} stations failed: {', '.join(map(str, bad))}"
        + (f"; the first because: {first}" if first is not None else ""),
        hint="what came is stored; run the same command again to continue",
    )
