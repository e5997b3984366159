"""``cimis qc``: whether the sensors of stations are sound."""

from __future__ import annotations

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
from cimis.cli.reckoning import give_table
from cimis.cli.showing.answers import Form, answering
from cimis.cli.showing.output import Output, counted
from cimis.parsing import Days, today
from cimis.pipeline.errors import CheckFailed

if TYPE_CHECKING:
    from cimis.naming.where import Where
    from cimis.soundness.judging import Quality

__all__ = ["command"]


@declare(
    "qc",
    examples=[
        "cimis qc --station 80 --year 2024",
        "cimis qc --stations 2,80 --year 2024 --checks drift,ceiling",
        "cimis qc --station 80 --month 2024-07 --hourly --checks stuck",
        "cimis qc --station 80 --year 2024 --checks range --fail-on bad",
    ],
)
@stations_option(names=True)
@place_options
@span_options
@scope_option
@option(
    "--checks",
    listed=True,
    metavar="LIST",
    help="Of daily records range, outlier, consistency, drift, ceiling, neighbours; of hourly ones "
    "stuck, step; else all.",
)
@qc_option("strict", "are not judged: none, severely flagged ones, all flagged ones.")
@option(
    "--fail-on",
    type=click.Choice(["suspect", "bad"]),
    help="Exit 8 where a check finds a sensor suspect or bad, or bad alone.",
)
@answering
@data_dir
@printing(talks=True)
def command(
    *,
    stations: str | None,
    where: Where,
    days: Days,
    scope: str,
    checks: str | None,
    qc: str,
    fail_on: str | None,
    form: Form,
    data_dir: str | None,
    out: Output,
) -> None:
    """Judge the sensors of stations by what is stored, a row per station, check and item.

    A verdict is sound, suspect, bad (suspect by far more than weather explains) or no evidence.
    Worst is the figure farthest beyond low and high: a value, a score, or of drift clear-sky over
    measured radiation. Drift is judged by periods of 60 days, the ceiling of humidity by years, by
    neighbours each day that two or more of them foretell. Nothing stored is changed.
    """
    from cimis.cli.session import opened
    from cimis.cli.showing.placed import stations_asked

    first, last = days.open(today())
    with opened(data_dir, None, told=out.note) as store:
        chosen = stations_asked(store.root, stations, where, (first, last), out)
        found = store.qc(scope, stations=chosen, start=first, end=last, checks=checks, qc=qc)
    give_table(found.table(), found.lacks, form=form, out=out)
    _judge(found, fail_on)


def _judge(found: Quality, fail_on: str | None) -> None:
    failing = {"suspect": ("suspect", "bad"), "bad": ("bad",)}.get(fail_on or "", ())
    wrong = [one for one in found.findings if one.verdict.value in failing]
    if wrong:
        stations = counted(len({one.station for one in wrong}), "station")
        worst = next((one for one in wrong if one.verdict.value == "bad"), wrong[0])
        raise CheckFailed(
            f"{counted(len(wrong), 'row')} of {stations} with the verdict {' or '.join(failing)}; "
            f"{worst.check} of {worst.item} at station {worst.station} is {worst.verdict}",
            hint="the rows with that verdict say when; compare neighbours before you correct",
        )
