"""``cimis normals``: what is normal for a day or a month."""

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
    stations_option,
    units_option,
)
from cimis.cli.reckoning import give
from cimis.cli.showing.answers import Form, answering
from cimis.cli.showing.output import Output
from cimis.parsing import year_span

if TYPE_CHECKING:
    from cimis.naming.where import Where

__all__ = ["command"]


@declare(
    "normals",
    examples=[
        "cimis normals --station 80 --items asce_eto,air_tmp_max --allow-empty",
        "cimis normals --station 80 --every month --period 1991-2020 --allow-empty",
        "cimis normals --county Fresno --items asce_eto --window 15 -o eto.csv --allow-empty",
    ],
)
@stations_option(names=True)
@place_options
@option(
    "--items",
    listed=True,
    metavar="LIST",
    help="Items, as air_tmp_avg,asce_eto; else the usual ones that are stored.",
)
@option(
    "--every",
    type=click.Choice(["day", "month"]),
    default="day",
    show_default=True,
    help="Sum up over periods: normals of calendar days, or of months, whose depths are added up, "
    "the rest as means.",
)
@option(
    "--period",
    metavar="YEARS",
    once="a period is one range: --period 1991-2020",
    help="Years that count as normal, as 1991-2020; else all that each station has.",
)
@option(
    "--window",
    type=click.IntRange(0, 91),
    default=7,
    show_default=True,
    metavar="DAYS",
    help="Days before and after each day that count with it.",
)
@units_option
@qc_option("strict", "count as missing: none, severely flagged ones, all flagged.")
@answering
@data_dir
@printing(talks=True)
def command(
    *,
    stations: str | None,
    where: Where,
    items: str | None,
    every: str,
    period: str | None,
    window: int,
    units: str,
    qc: str,
    form: Form,
    data_dir: str | None,
    out: Output,
) -> None:
    """Tell what is normal for each day or month: mean, percentiles, extremes with their years.

    A year counts for a day where more than half of the days around it have values, for a month
    unless 11 days or more are missing, or 5 in a row; a sum needs all days. With fewer than five
    years there are no figures. 29 February has a row, from the days around it in every year.
    """
    from cimis.cli.session import opened
    from cimis.cli.showing.placed import stations_asked

    span = (None, None) if period is None else year_span(period)
    with opened(data_dir, None, told=out.note) as store:
        chosen = stations_asked(store.root, stations, where, span, out)
        ask = partial(
            store.normals,
            items,
            stations=chosen,
            every=every,
            period=period,
            window=window,
            units=units,
            qc=qc,
        )
        give(ask, form=form, out=out)
