"""``cimis sync``: bring what is stored up to date."""

from __future__ import annotations

import datetime as dt
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
    service,
    stations_option,
)
from cimis.cli.output import Output, counted
from cimis.cli.telling import raise_failure
from cimis.parsing import parse_date, parse_duration, parse_stations, single_stations, today
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.ingest import FetchRequest, RunReport, SyncPlan

__all__ = ["command"]

_COLUMNS = ("scope", "station", "new", "filled", "revised", "absent_days")


@declare(
    "sync",
    examples=[
        "cimis sync --dry-run",
        "cimis sync",
        "cimis sync --stations 2,80 --since 2024-01-01",
        "cimis sync --recheck 90",
    ],
)
@stations_option()
@place_options
@option("--all", "all_", is_flag=True, help="All stations that work now, stored or not.")
@option(
    "--scope", type=click.Choice(["daily", "hourly"]), help="Daily or hourly records; else both."
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
@option("--dry-run", is_flag=True, help="Print the requests that would be made; make none.")
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
    dry_run: bool,
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
    from cimis.cli.metrics_file import write_metrics
    from cimis.cli.progress import Bars
    from cimis.cli.session import data_root, service_settings
    from cimis.store import data_directory
    from pipeline.api import RetryPolicy
    from pipeline.ingest import FetchRequest, sync
    from pipeline.items import Scope

    root, settings = data_directory(data_root(data_dir)), service_settings(base_url, app_key)
    if not dry_run:
        settings.key()
    now = today()
    usual = FetchRequest(
        stations=(1,),
        start=now,
        end=now,
        concurrency=concurrency,
        retries=retries,
        dry_run=dry_run,
        policy=RetryPolicy(tries=max(retries, 0) + 1, base_s=parse_duration(backoff)),
    )
    begin = None if since is None else parse_date(since, now=now)
    if begin is not None and begin > now:
        raise UsageError(f"{begin} is in the future; today is {now}", hint="choose a past day")
    chosen = _chosen(
        root,
        settings,
        stations,
        all_,
        county,
        near,
        within,
        since=begin,
        ask=not dry_run,
        out=out,
    )
    with Bars(out) as bars:
        reports, plan = sync(
            root,
            usual,
            settings,
            progress=bars,
            stations=chosen,
            scopes=None if scope is None else (Scope(scope),),
            since=begin,
            recheck_days=recheck,
        )
    _tell(reports, plan, usual, out)
    if metrics_file is not None and not dry_run:
        write_metrics(metrics_file, root, out)
    for report in reports:
        raise_failure(report)
    return 0


def _chosen(
    root: Path,
    settings: Any,
    stations: str | None,
    all_: bool,
    county: str | None,
    near: str | None,
    within: float | None,
    *,
    since: dt.date | None,
    ask: bool,
    out: Output,
) -> tuple[int, ...] | None:
    """Return the stations that the options name; None for those that are stored."""
    from cimis.choice import chosen_stations, refresh_stations
    from cimis.cli.placed import check_within, listed, placed

    if all_ and (stations or county or near):
        raise UsageError("--all and stations exclude each other", hint="give one of them")
    if stations is None and county is None and near is None:
        check_within(near, within)
        if ask:  # closed stations are known by the list
            refresh_stations(root, settings)
        active = (facts["number"] for facts in listed(root) if facts["active"]) if all_ else ()
        return tuple(active) if all_ else None
    text, span = stations or "all", (since or today(), today())
    numbers = chosen_stations(
        parse_stations(text),
        root,
        settings,
        span,
        singly=single_stations(text),
        ask=ask,
        say=out.note,
    )
    chosen = placed(root, numbers, county=county, near=near, within_km=within, span=span, out=out)
    return tuple(chosen or ())


def _tell(reports: list[RunReport], plan: SyncPlan, usual: FetchRequest, out: Output) -> None:
    """Print the plan, or what changed per station, and in words the sums."""
    for text in plan.left_out:
        out.warn(f"left out: {text}; fetch it once by hand")
    for report in reports:
        for warning in report.warnings:
            out.warn(warning)
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
