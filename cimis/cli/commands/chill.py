"""``cimis chill``: winter chill by all counts in use."""

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
    span_options,
    stations_option,
)
from cimis.cli.reckoning import give
from cimis.cli.showing.answers import Form, answering
from cimis.cli.showing.output import Output
from cimis.parsing import Days, today
from cimis.season.winters import HOURS_FROM, PORTIONS_FROM, UNTIL

if TYPE_CHECKING:
    from cimis.naming.where import Where

__all__ = ["command"]


@declare(
    "chill",
    examples=[
        "cimis chill --station 80 --winter 2024 --allow-empty",
        "cimis chill --county Fresno --winter 2020-2024 -o chill.csv --allow-empty",
        "cimis chill --station 80 --start 2024-07-01 --end 2024-07-31 --fill-hours 3",
    ],
)
@stations_option(names=True)
@place_options
@option(
    "--winter",
    metavar="YEAR",
    once="winters are one range: --winter 2020-2024",
    help="Winters by the year they end in, 2024 or 2020-2024; else the one that runs or was last.",
)
@span_options
@option(
    "--hours-from",
    metavar="MM-DD",
    default=HOURS_FROM,
    show_default=True,
    help="First day of a winter's chill hours and Utah units.",
)
@option(
    "--portions-from",
    metavar="MM-DD",
    default=PORTIONS_FROM,
    show_default=True,
    help="First day of a winter's chill portions.",
)
@option(
    "--until",
    metavar="MM-DD",
    default=UNTIL,
    show_default=True,
    help="Last day of a winter; 02-29 is the last of any February.",
)
@option(
    "--kelvin",
    type=float,
    default=273.0,
    show_default=True,
    metavar="K",
    help="Added to °C in the dynamic model: 273 as chillR and UC do, or 273.15.",
)
@option(
    "--fill-hours",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Interpolate gaps of at most N hours; without it none.",
)
@option(
    "--max-missing",
    type=click.FloatRange(0, 100),
    default=5.0,
    show_default=True,
    metavar="PERCENT",
    help="Give no sum that lacks a larger share of its hours.",
)
@qc_option("drop-severe", "count as missing: none, severely flagged ones, all flagged.")
@answering
@data_dir
@printing(talks=True)
def command(
    *,
    stations: str | None,
    where: Where,
    winter: str | None,
    days: Days,
    hours_from: str,
    portions_from: str,
    until: str,
    kelvin: float,
    fill_hours: int,
    max_missing: float,
    qc: str,
    form: Form,
    data_dir: str | None,
    out: Output,
) -> None:
    """Count the chill of winters per station: chill hours, Utah units and chill portions.

    From hourly air temperature. Hours are counted below 45 °F, and from 32 to 45 °F, from 1
    November; portions, as chillR counts them, from 1 September. Of a span of days everything is
    counted over all of it. Each count says how many hours it lacks; none is filled unless asked.
    """
    from cimis.cli.session import opened
    from cimis.cli.showing.placed import stations_asked

    first, last = days.open(today())
    with opened(data_dir, None, told=out.note) as store:
        chosen = stations_asked(store.root, stations, where, (first, last), out)
        ask = partial(
            store.chill,
            winter,
            stations=chosen,
            start=first,
            end=last,
            hours_from=hours_from,
            portions_from=portions_from,
            until=until,
            kelvin=kelvin,
            fill_hours=fill_hours,
            max_missing=max_missing / 100,
            qc=qc,
        )
        give(ask, form=form, out=out)
