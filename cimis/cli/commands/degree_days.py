"""``cimis degree-days``: heat above a threshold, day by day and in total."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from cimis.cli.options import (
    data_dir,
    declare,
    option,
    place_options,
    printing,
    qc_option,
    scope_option,
    span_options,
    stations_option,
)
from cimis.cli.reckoning import give
from cimis.cli.showing.answers import Form, answering
from cimis.cli.showing.output import Output
from cimis.parsing import Days, parse_date, today

if TYPE_CHECKING:
    from cimis.naming.where import Where

__all__ = ["command"]


@declare(
    "degree-days",
    examples=[
        "cimis degree-days --station 80 --year 2024 --low 50F --high 77F",
        "cimis degree-days --station 80 --month 2024-07 --total-from 2024-03-01 --low 10C",
        "cimis degree-days --station 80 --year 2024 --low 10C --high 30C --cutoff vertical",
        "cimis degree-days --county Fresno --year 2024 --low 50F --method double-sine -o dd.csv",
        "cimis degree-days --station 80 --month 2024-07 --low 50F --hourly",
    ],
)
@stations_option(names=True)
@place_options
@span_options
@option(
    "--low",
    metavar="T",
    required=True,
    help="Lower threshold with its unit, as 50F or 10C.",
)
@option("--high", metavar="T", help="Upper threshold with its unit; without it nothing is cut off.")
@option(
    "--total-from",
    metavar="DAY",
    help="First day of the total, the biofix; else the first of all.",
)
@option(
    "--method",
    type=click.Choice(
        ["single-sine", "double-sine", "single-triangle", "double-triangle", "average"]
    ),
    help="How temperature runs between a day's extremes; single-sine unless said.",
)
@option(
    "--cutoff",
    type=click.Choice(["horizontal", "vertical", "intermediate"]),
    default="horizontal",
    show_default=True,
    help="What counts above the upper threshold.",
)
@scope_option
@option(
    "--units",
    type=click.Choice(["metric", "english"]),
    help="System of units of the answer: °C or °F; else that of --low.",
)
@qc_option("drop-severe", "count as missing: none, severely flagged ones, all flagged.")
@answering
@data_dir
@printing(talks=True)
def command(
    *,
    stations: str | None,
    where: Where,
    days: Days,
    low: str,
    high: str | None,
    total_from: str | None,
    method: str | None,
    cutoff: str,
    scope: str,
    units: str | None,
    qc: str,
    form: Form,
    data_dir: str | None,
    out: Output,
) -> None:
    """Count degree days per station and day, and their running total, as UC IPM does.

    Double methods fall to the next day's minimum; the last stored day falls to its own. With
    --hourly each day is the mean of its 24 hours instead, and knows no method. A day that lacks a
    temperature has no figure and adds nothing; days_missing counts such days in the total.
    """
    from cimis.cli.session import opened
    from cimis.cli.showing.placed import stations_asked

    first, last = days.open(today())
    since = None if total_from is None else parse_date(total_from)
    with opened(data_dir, None, told=out.note) as store:
        chosen = stations_asked(store.root, stations, where, (since or first, last), out)
        ask = partial(
            store.degree_days,
            low,
            high,
            stations=chosen,
            start=first,
            end=last,
            total_from=since,
            method=method,
            cutoff=cutoff,
            scope=scope,
            units=units,
            qc=qc,
        )
        give(ask, form=form, out=out)
