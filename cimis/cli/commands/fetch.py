"""``cimis fetch``: fetch stations and spatial targets from the service and store them."""

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
    scope_option,
    service,
    span_options,
    stations_option,
)
from cimis.cli.requests_log import requests_logged
from cimis.cli.showing.output import Output
from cimis.cli.showing.telling import raise_failure, tell
from cimis.cli.targets import Spatial, target_options
from cimis.parsing import Days, today

if TYPE_CHECKING:
    from cimis.cli.event_log import EventLog
    from cimis.naming.lists import NetworkLists
    from cimis.naming.where import Where
    from cimis.naming.whom import Wished
    from cimis.pipeline.fetch.report.run_report import RunReport
    from cimis.pipeline.fetch.request import FetchRequest

__all__ = ["command"]


@declare(
    "fetch",
    examples=[
        "cimis fetch --stations 2,5-7 --year 2024",
        "cimis fetch --stations all --year 2020-2024 --concurrency 8",
        "cimis fetch --stations 80 --start 2024-06-01 --end 2024-06-30 --scope hourly",
        "cimis fetch --stations 2 --year 2024 --items asce_eto,precip --dry-run",
        "cimis fetch --stations 2,5 --year 2024 --plain --allocs",
    ],
)
@stations_option()
@place_options
@target_options
@span_options
@scope_option
@option(
    "--items",
    listed=True,
    metavar="LIST",
    help="Items, as air_tmp_avg,asce_eto; or all; else the default.",
)
@how_options
@option(
    "--format",
    "form",
    type=click.Choice(["v1", "v2"]),
    default="v2",
    show_default=True,
    help="Form of what is written: V2, or V1, the older program's, which cannot hold everything: "
    "a V2 chunk that it would cut stays V2.",
)
@option(
    "--plain",
    is_flag=True,
    help="Take the plain way: a station a request, each answer whole before it is parsed. Slower "
    "and larger in memory, the same chunks; a way back, and a measure.",
)
@option("--perf", is_flag=True, help="Say on standard error where the time went.")
@option("--allocs", is_flag=True, help="Measure the memory that decoding and the rows take.")
@told_options
@service
@data_dir
@printing(talks=True)
def command(
    *,
    stations: str | None,
    where: Where,
    spatial: Spatial,
    days: Days,
    scope: str,
    items: str | None,
    form: str,
    plain: bool,
    perf: bool,
    allocs: bool,
    how: How,
    told: Told,
    base_url: str | None,
    app_key: str | None,
    data_dir: str | None,
    out: Output,
) -> int:
    """Fetch stations from the service and store them, a chunk per station and year.

    Days that are stored and final are not asked for again, so the same command goes on where it
    stopped. A station that fails fails alone: the others are stored, and the exit code is 4.
    """
    from cimis.cli.event_log import EventLog
    from cimis.cli.metrics_file import write_metrics
    from cimis.cli.session import data_root, refreshed, service_settings
    from cimis.cli.showing.placed import named_sites, telling_near
    from cimis.directory import make_directory
    from cimis.naming.lists import NetworkLists
    from cimis.naming.whom import Wished
    from cimis.pipeline.fetch import FetchRequest
    from cimis.pipeline.field.items import Scope, resolve

    events = EventLog() if told.log_format == "json" else None
    if events is not None:
        out = out._replace(quiet=True)
    span = days.closed(today())
    root, settings = data_root(data_dir), service_settings(base_url, app_key)
    chosen = resolve(items, Scope(scope))
    asking, dry_run = how.request(), how.dry_run
    if not dry_run:
        settings.key()
        make_directory(root)
    sites = named_sites(stations, spatial.targets())
    wished = Wished(sites, where, **spatial.networks(), on_near=telling_near(out))
    request = FetchRequest(
        sites.stations or (1,),  # all others are known only after the service's lists
        *span,
        Scope(scope),
        chosen,
        format=form,
        full=how.full,
        allocs=allocs,
        plain=plain,
        **asking,
    )
    lists = NetworkLists(
        root,
        settings,
        ask=not dry_run,
        say=out.note,
        policy=request.policy,
        timeout=request.timeouts,
    )
    report = _run(wished, lists, request, out._replace(verbose=told.verbose), events)
    tell(report, out, perf=perf)
    if events is not None:
        events.ended(report)
    if not dry_run:
        refreshed(root, out)
    if told.metrics_file is not None and not dry_run:
        write_metrics(told.metrics_file, root, out)
    raise_failure(report)
    return report.exit_code


def _run(
    wished: Wished,
    lists: NetworkLists,
    request: FetchRequest,
    out: Output,
    events: EventLog | None,
) -> RunReport:
    from cimis.cli.showing.progress import Bars
    from cimis.tasks.fetching import fetched

    in_words = out.verbose and events is None
    with requests_logged() if in_words else nullcontext(), Bars(out) as bars:
        return fetched(wished, lists, request, progress=events or bars)[0]
