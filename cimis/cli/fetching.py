"""What the commands that fetch have in common: their options, and the run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cimis.cli.options import (
    data_dir,
    declare,
    option,
    place_options,
    printing,
    scope_option,
    service,
    span_options,
    stations_option,
)
from cimis.cli.output import Output
from cimis.cli.requests_log import requests_logged
from cimis.cli.targets import target_options
from cimis.cli.telling import raise_failure, tell
from cimis.cli.whom import Wished, whom_of
from cimis.parsing import Days, parse_duration, parse_stations, today
from pipeline.errors import AuthError, CimisError, FetchInterrupted, ServiceError

if TYPE_CHECKING:
    from cimis.cli.event_log import EventLog
    from pipeline.api import Settings
    from pipeline.ingest.report import RunReport
    from pipeline.ingest.request import FetchRequest

__all__ = ["fetching"]


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    stations_option(),
    place_options,
    target_options,
    span_options,
    scope_option,
    option(
        "--items",
        listed=True,
        metavar="LIST",
        help="Items, as air_tmp_avg,asce_eto; or all; else the default.",
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
        "--backoff",
        metavar="TIME",
        default="1s",
        show_default=True,
        help="Wait before the first retry; it doubles with each next.",
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
        help="Format of the chunks; v1 is the older program's and cannot hold everything: "
        "a v2 chunk that it would cut stays v2.",
    ),
    option("--full", is_flag=True, help="Ask again for days that are stored and final."),
    option("--dry-run", is_flag=True, help="Print the requests that would be made; make none."),
    option("--perf", is_flag=True, help="Say on standard error where the time went."),
    option("--allocs", is_flag=True, help="Measure the memory that decoding and the rows take."),
    option("-v", "--verbose", is_flag=True, help="Log every request on standard error."),
    option(
        "--log-format",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="Tell what happens in words, or as one JSON object a line.",
    ),
    option(
        "--metrics-file",
        metavar="FILE",
        help="Write metrics for node_exporter's textfile collector, at the end.",
    ),
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
    stations: str | None,
    county: str | None,
    near: str | None,
    within: float | None,
    zip_codes: str | None,
    network: str | None,
    prefer: str | None,
    coordinates: tuple[str, ...],
    addresses: tuple[str, ...],
    days: Days,
    scope: str,
    items: str | None,
    concurrency: int,
    retries: int,
    backoff: str,
    timeout: str,
    gzip: bool,
    form: str,
    full: bool,
    dry_run: bool,
    perf: bool,
    allocs: bool,
    verbose: bool,
    log_format: str,
    metrics_file: str | None,
    base_url: str | None,
    app_key: str | None,
    data_dir: str | None,
    out: Output,
) -> int:
    """Fetch and store as the options say, by the plain path or the streaming one; tell of it."""
    from cimis.cli.event_log import EventLog
    from cimis.cli.metrics_file import write_metrics
    from cimis.cli.session import data_root, refreshed, service_settings
    from pipeline.api import RetryPolicy, Timeouts
    from pipeline.ingest import FetchRequest, RunReport
    from pipeline.items import Scope, resolve

    events = EventLog() if log_format == "json" else None
    if events is not None:
        out = replace(out, quiet=True)
    now = today()
    span = days.closed(now)
    root, settings = data_root(data_dir), service_settings(base_url, app_key)
    chosen = resolve(items, Scope(scope))
    timeouts = Timeouts.of(parse_duration(timeout))
    if not dry_run:
        settings.key()
        _made(root)
    policy = RetryPolicy(tries=max(retries, 0) + 1, base_s=parse_duration(backoff))
    wished = Wished(
        stations=stations,
        county=county,
        near=near,
        within_km=within,
        zip_codes=zip_codes,
        network=network,
        prefer=prefer,
        coordinates=coordinates,
        addresses=addresses,
    )
    named = () if stations is None else parse_stations(stations)
    odd = list[str]()
    request = FetchRequest(
        stations=named or (1,),  # all others are known only after the service's lists
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
        policy=policy,
    )
    failure: CimisError | None = None
    try:
        whom = whom_of(
            wished,
            root,
            settings,
            span,
            hourly=request.scope is Scope.HOURLY,
            ask=not dry_run,
            out=replace(out, warnings_to=odd.append),
            policy=policy,
            timeout=timeouts,
        )
    except (ServiceError, AuthError) as error:
        failure = error
    except KeyboardInterrupt:
        failure = FetchInterrupted(
            "stopped before the first request for data", hint="run the same command again"
        )
    if failure is not None:
        report = RunReport.unbegun(named or (), request, dt.datetime.now(dt.UTC), failure)
    else:
        report = _run(
            root,
            replace(
                request,
                stations=whom.stations,
                targets=whom.targets,
                zips=whom.zips,
                prefer=whom.prefer,
            ),
            settings,
            replace(out, verbose=verbose),
            events,
        )
    report.warnings[:0] = odd
    tell(report, out, perf=perf)
    if events is not None:
        events.ended(report)
    if not dry_run:
        refreshed(root, out)
    if metrics_file is not None and not dry_run:
        write_metrics(metrics_file, root, out)
    raise_failure(report)
    return report.exit_code


def _made(root: Path) -> None:
    from cimis.store import create

    create(root).close()


def _run(
    root: Path, request: FetchRequest, settings: Settings, out: Output, events: EventLog | None
) -> RunReport:
    from cimis.cli.progress import Bars
    from pipeline.ingest import RunStopped, fetch

    in_words = out.verbose and events is None
    with requests_logged() if in_words else nullcontext(), Bars(out) as bars:
        try:
            return fetch(root, request, settings, progress=events or bars)
        except RunStopped as stopped:
            return stopped.report
