"""``cimis query``: the records of stations over a range of dates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from cimis.cli.options import (
    data_dir,
    declare,
    option,
    place_options,
    printing,
    qc_option,
    read_cache,
    scope_option,
    span_options,
    stations_option,
    units_option,
)
from cimis.cli.showing.answers import Form, answering, deliver_answer
from cimis.cli.showing.output import Output, counted
from cimis.cli.targets import stored_target_options
from cimis.parsing import Days, parse_stations, today
from cimis.pipeline.errors import UsageError

if TYPE_CHECKING:
    from cimis.naming.where import Where
    from cimis.queries.timing import QueryTimings

__all__ = ["command"]


@declare(
    "query",
    examples=[
        "cimis query --station 80 --start 2024-07-01 --end 2024-07-07",
        "cimis query --stations 2,5-7 --year 2024 --items air_tmp_avg,asce_eto -o eto.parquet",
        "cimis query --station 80 --start 2024-06 --end 2024-08 --units english --format csv",
        "cimis query --station 80 --water-year 2024 --items asce_eto,precip --format csv",
        "cimis query --station 80 --month 2024-07 --hourly --perf",
        "cimis query --zip 93624 --month 2024-06 --allow-empty",
        "cimis query --near 36.82,-119.74 --year 2024 --allow-empty",
        "cimis query --stations 2,80 --year 2024 --every month --items asce_eto,air_tmp_max",
        "cimis query --station davis --month last --items asce_eto --names --allow-empty",
        "cimis query --station 80 --month 2024-07 --items asce_eto --compare normal --allow-empty",
        "cimis query --station 80 --month 2024-07 --every month --compare last-year --allow-empty",
    ],
)
@stations_option(names=True)
@place_options
@stored_target_options
@span_options
@option(
    "--items",
    listed=True,
    metavar="LIST",
    help="Items, as air_tmp_avg,asce_eto; else all that are stored.",
)
@scope_option
@units_option
@qc_option("keep", "become missing: none, severely flagged ones, all flagged ones.")
@option(
    "--every",
    type=click.Choice(["day", "week", "month", "year", "water-year"]),
    help="Sum up over periods, and tell of how many records each figure is made.",
)
@option(
    "--compare",
    metavar="last-year|normal|YEAR",
    once="one comparison is one answer",
    help="Put beside each daily value that of the same day of another year, or the normal of its "
    "day with anomaly, percentile and rank (1: the highest; from five years on, of unflagged "
    "values); with --every totals beside totals, of the days that have both.",
)
@option(
    "--period",
    metavar="YEARS",
    once="a period is one range: --period 1991-2020",
    help="Years that count as normal, as 1991-2020, with --compare normal; "
    "else all that are stored.",
)
@option("--perf", is_flag=True, help="Say on standard error where the time went.")
@read_cache
@answering
@data_dir
@printing(talks=True)
def command(
    *,
    stations: str | None,
    where: Where,
    targets: tuple[str, ...] | None,
    days: Days,
    items: str | None,
    scope: str,
    units: str,
    qc: str,
    every: str | None,
    compare: str | None,
    period: str | None,
    perf: bool,
    cache: str | None,
    form: Form,
    data_dir: str | None,
    out: Output,
) -> None:
    """Print or save the records of stations over a range of dates; both ends are inclusive.

    Without any days all that is stored is given. With --every depths (ETo, rain) are added up,
    maxima and minima stay extremes, the rest are means. A flag stands behind its value in
    a table, and in a column of its own (NAME_qc) elsewhere. With --compare 29 February stands alone
    where the other year has none, and counts in no total.
    """
    from cimis.cli.session import data_root, opened
    from cimis.cli.showing.plain import answered_plainly
    from cimis.directory import data_directory
    from cimis.pipeline.field.items import Scope, named_items
    from cimis.pipeline.lacks import Asked
    from cimis.queries.timing import QueryTimings

    chosen: Sequence[int] | None = parse_stations(stations)
    first, final = days.open(today())
    kind = Scope(scope)
    words = _asked(kind, stations, first, final)
    timings = QueryTimings()
    root = data_directory(data_root(data_dir))
    if where:
        from cimis.cli.showing.placed import telling_near
        from cimis.naming.choice import placed

        chosen = placed(root, chosen, where, (first, final), on_near=telling_near(out))
    if targets is not None:
        if chosen is not None or kind is Scope.HOURLY:
            raise UsageError(
                "spatial data are daily, and asked for apart from stations",
                hint="leave out the stations, and --hourly",
            )
        words = words.replace("station is", "target is")
    if period is not None and compare is None:
        raise UsageError("--period says what normals are of", hint="add --compare normal")
    if compare is not None:
        if targets is not None or kind is Scope.HOURLY or perf:
            raise UsageError(
                "what can be compared are the days of stations",
                hint="leave out targets, --hourly and --perf; see also 'cimis normals'",
            )
        from functools import partial

        from cimis.cli.reckoning import give

        with opened(data_dir, cache, told=out.note) as store:
            ask = partial(
                store.compare,
                compare,
                chosen,
                first,
                final,
                items,
                every=every,
                period=period,
                units=units,
                qc=qc,
            )
            give(ask, form=form, out=out)
        return
    wanted = None if items is None else named_items(items, kind)
    sites = chosen if targets is None else targets
    if every is not None:
        with opened(data_dir, cache, told=out.note) as store:
            summed = store.every(
                every,
                scope=kind,
                stations=sites,
                start=first,
                end=final,
                items=wanted,
                units=units,
                qc=qc,
            )
            try:
                deliver_answer(summed, form=form, out=out, asked=words)
            finally:
                if perf:
                    out.timings(summed.timings.stop())
        return
    try:
        if targets is None and answered_plainly(
            root,
            Asked(kind, None if chosen is None else tuple(chosen), first, final, wanted or ()),
            units=units,
            qc=qc,
            form=form,
            out=out,
            timings=timings,
            words=words,
        ):
            return
    finally:
        if timings.print_s:
            _tell(timings, qc, form, out)
        if perf and timings.print_s:
            out.timings(timings.stop())
    with opened(data_dir, cache, told=out.note) as store:
        rows = store.query(
            kind, stations=sites, start=first, end=final, items=wanted, units=units, qc=qc
        )
        try:
            deliver_answer(rows, form=form, out=out, asked=words)
        finally:
            _tell(rows.timings, qc, form, out)
            if perf:
                out.timings(rows.timings.stop())


def _tell(timings: QueryTimings, qc: str, form: Form, out: Output) -> None:
    """Say how many values the flag policy removed; of an answer cut short nobody knows."""
    if timings.values_removed and form.limit is None:
        out.note(f"{counted(timings.values_removed, 'flagged value')} made missing by --qc {qc}")


def _asked(scope: str, stations: str | None, first: dt.date | None, last: dt.date | None) -> str:
    """Return in words what was asked for, for an answer that holds nothing."""
    parts = [f"no {scope} record is stored"]
    if stations:
        parts.append(f"of station {stations}")
    if first:
        parts.append(f"from {first}")
    if last:
        parts.append(f"to {last}")
    return " ".join(parts)
