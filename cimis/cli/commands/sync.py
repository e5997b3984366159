"""``cimis sync``: bring what is stored up to date."""

from __future__ import annotations

import datetime as dt
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cimis.cli.options import (
    data_dir,
    declare,
    option,
    place_options,
    printing,
    service,
    stations_option,
)
from cimis.cli.output import Output
from cimis.cli.requests_log import requests_logged
from cimis.cli.sync_telling import tell_sync
from cimis.cli.telling import raise_failure
from cimis.cli.whom import Wished, stations_of
from cimis.parsing import parse_date, parse_duration, today
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.api import Settings
    from pipeline.ingest import FetchRequest

__all__ = ["command"]


@declare(
    "sync",
    examples=[
        "cimis sync --dry-run",
        "cimis sync",
        "cimis sync --stations 2,80 --since 2024-01-01",
        "cimis sync --recheck 90",
        "cimis sync --log-format json --timeout 30s",
    ],
)
@stations_option()
@place_options
@option("--all", "all_", is_flag=True, help="All stations that work now, stored or not.")
@option(
    "--scope",
    type=click.Choice(["daily", "hourly"]),
    once="leave it out for both",
    help="Daily or hourly records; else both.",
)
@option("--since", metavar="DAY", help="First day of stations that are not stored yet.")
@option(
    "--recheck",
    type=click.IntRange(0, 20_000),
    default=0,
    metavar="DAYS",
    help="Ask again for so many days before today, though they count as final.",
)
@option(
    "--concurrency", type=int, default=4, show_default=True, metavar="N", help="Requests at once."
)
@option(
    "--retries", type=int, default=3, show_default=True, metavar="N", help="Retries of a request."
)
@option(
    "--backoff",
    metavar="TIME",
    default="1s",
    show_default=True,
    help="Wait before the first retry.",
)
@option(
    "--timeout",
    metavar="TIME",
    default="120s",
    show_default=True,
    help="Longest wait for the service, between bytes too.",
)
@option("--gzip/--no-gzip", default=True, show_default=True, help="Ask for compressed answers.")
@option("--full", is_flag=True, help="Ask again for all days from the first that is stored.")
@option("--dry-run", is_flag=True, help="Print the requests that would be made; make none.")
@option("-v", "--verbose", is_flag=True, help="Log every request on standard error.")
@option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Tell what happens in words, or as one JSON object a line.",
)
@option("--metrics-file", metavar="FILE", help="Write metrics for node_exporter at the end.")
@service
@data_dir
@printing(talks=True)
def command(
    *,
    stations: str | None,
    county: str | None,
    near: str | None,
    within: float | None,
    all_: bool,
    scope: str | None,
    since: str | None,
    recheck: int,
    concurrency: int,
    retries: int,
    backoff: str,
    timeout: str,
    gzip: bool,
    full: bool,
    dry_run: bool,
    verbose: bool,
    log_format: str,
    metrics_file: str | None,
    base_url: str | None,
    app_key: str | None,
    data_dir: str | None,
    out: Output,
) -> int:
    """Fetch new days and days that may still change, of all that is stored or of named stations.

    Days of the last fortnight may change; for six weeks those that came back incomplete, or whose
    test is pending. All others are final. Prints per station how many records are new, filled (a
    missing value came) and revised. One sync at a time works on a data directory.
    """
    from cimis.cli.event_log import EventLog
    from cimis.cli.metrics_file import write_metrics
    from cimis.cli.progress import Bars
    from cimis.cli.session import data_root, refreshed, service_settings
    from cimis.store import data_directory
    from pipeline.api import RetryPolicy, Timeouts
    from pipeline.ingest import FetchRequest, sync
    from pipeline.items import Scope

    root, settings = data_directory(data_root(data_dir)), service_settings(base_url, app_key)
    if not dry_run:
        settings.key()
    events = EventLog() if log_format == "json" else None
    if events is not None:
        out = replace(out, quiet=True, warnings_to=events.warned)
    out = replace(out, verbose=verbose)
    now = today()
    if full:
        recheck = _all_days(recheck, now)
    usual = FetchRequest(
        stations=(1,),
        start=now,
        end=now,
        concurrency=concurrency,
        retries=retries,
        gzip=gzip,
        dry_run=dry_run,
        timeouts=Timeouts.of(parse_duration(timeout)),
        policy=RetryPolicy(tries=max(retries, 0) + 1, base_s=parse_duration(backoff)),
    )
    begin = None if since is None else parse_date(since, now=now)
    if begin is not None and begin > now:
        raise UsageError(f"{begin} is in the future; today is {now}", hint="choose a past day")
    chosen = _chosen(
        root,
        settings,
        usual,
        Wished(stations=stations, county=county, near=near, within_km=within),
        all_=all_,
        since=begin,
        ask=not dry_run,
        out=out,
    )
    in_words = verbose and events is None
    with requests_logged() if in_words else nullcontext(), Bars(out) as bars:
        reports, plan = sync(
            root,
            usual,
            settings,
            progress=events or bars,
            stations=chosen,
            scopes=None if scope is None else (Scope(scope),),
            since=begin,
            recheck_days=recheck,
        )
    for report in reports:
        if events is not None:
            events.ended(report)
        else:
            for warning in report.warnings:
                out.warn(warning)
    tell_sync(reports, plan, usual, out)
    if not dry_run:
        refreshed(root, out)
    if metrics_file is not None and not dry_run:
        write_metrics(metrics_file, root, out)
    for report in reports:
        raise_failure(report)
    return 0


def _all_days(recheck: int, now: dt.date) -> int:
    """Return how many days before today the network's first one is."""
    from pipeline.plan import FIRST_DAY

    if recheck:
        raise UsageError("--full and --recheck exclude each other", hint="give one of them")
    return (now - FIRST_DAY).days


def _chosen(
    root: Path,
    settings: Settings,
    usual: FetchRequest,
    wished: Wished,
    *,
    all_: bool,
    since: dt.date | None,
    ask: bool,
    out: Output,
) -> tuple[int, ...] | None:
    """Return the stations that the options name; None for those that are stored."""
    from cimis.choice import left_out, refresh_stations
    from cimis.cli.placed import check_within, listed

    if all_ and (wished.stations or wished.county or wished.near):
        raise UsageError("--all and stations exclude each other", hint="give one of them")
    if wished.stations is None and not wished.by_place:
        check_within(wished.near, wished.within_km)
        if ask:  # closed stations are known by the list
            refresh_stations(
                root,
                settings,
                policy=usual.policy,
                timeout=usual.timeouts,
                on_retry=lambda retry: out.note(str(retry)),
                on_odd=lambda odd: out.warn(left_out(odd)),
            )
        active = (facts["number"] for facts in listed(root) if facts["active"]) if all_ else ()
        return tuple(active) if all_ else None
    return stations_of(
        wished,
        root,
        settings,
        (since or today(), today()),
        ask=ask,
        out=out,
        policy=usual.policy,
        timeout=usual.timeouts,
    )
