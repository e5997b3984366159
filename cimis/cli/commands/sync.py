"""``cimis sync``: bring what is stored up to date."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

from cimis.cli.how import How, Told, how_options, told_options
from cimis.cli.options import (
    data_dir,
    declare,
    option,
    place_options,
    printing,
    service,
    stations_option,
)
from cimis.cli.requests_log import requests_logged
from cimis.cli.showing.output import Output
from cimis.cli.showing.sync_telling import tell_sync
from cimis.cli.showing.telling import raise_failure
from cimis.parsing import parse_date, today
from cimis.pipeline.errors import UsageError

if TYPE_CHECKING:
    from cimis.naming.where import Where

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
@how_options
@told_options
@service
@data_dir
@printing(talks=True)
def command(
    *,
    stations: str | None,
    where: Where,
    all_: bool,
    scope: str | None,
    since: str | None,
    recheck: int,
    how: How,
    told: Told,
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
    from cimis.cli.session import data_root, refreshed, service_settings
    from cimis.cli.showing.placed import named_sites, telling_near
    from cimis.cli.showing.progress import Bars
    from cimis.directory import data_directory
    from cimis.naming.lists import NetworkLists
    from cimis.naming.whom import Wished
    from cimis.pipeline.fetch import FetchRequest, sync
    from cimis.pipeline.field.items import Scope
    from cimis.tasks.syncing import days_again, to_sync

    root, settings = data_directory(data_root(data_dir)), service_settings(base_url, app_key)
    if not how.dry_run:
        settings.key()
    events = EventLog() if told.log_format == "json" else None
    if events is not None:
        out = out._replace(quiet=True, warnings_to=events.warned)
    out = out._replace(verbose=told.verbose)
    now = today()
    recheck = days_again(recheck, now, full=how.full)
    usual = FetchRequest((1,), now, now, **how.request())
    begin = None if since is None else parse_date(since, now=now)
    if begin is not None and begin > now:
        raise UsageError(f"{begin} is in the future; today is {now}", hint="choose a past day")
    wished = None
    if stations is not None or where:
        wished = Wished(named_sites(stations), where, on_near=telling_near(out))
    lists = NetworkLists(
        root,
        settings,
        ask=not how.dry_run,
        say=out.note,
        warn=out.warn,
        policy=usual.policy,
        timeout=usual.timeouts,
    )
    chosen = to_sync(wished, lists, begin, active=all_)
    in_words = told.verbose and events is None
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
    if not how.dry_run:
        refreshed(root, out)
    if told.metrics_file is not None and not how.dry_run:
        write_metrics(told.metrics_file, root, out)
    for report in reports:
        raise_failure(report)
    return 0
