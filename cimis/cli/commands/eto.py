"""``cimis eto``: reference ET computed from the stored weather."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from cimis.cli.options import (
    data_dir,
    declare,
    option,
    place_options,
    printing,
    scope_option,
    span_options,
    stations_option,
)
from cimis.cli.reckoning import completing
from cimis.cli.showing.answers import Form, answering, deliver
from cimis.cli.showing.lists import show_list
from cimis.cli.showing.output import Output
from cimis.parsing import Days, today
from cimis.pipeline.errors import NoDataError, UsageError
from cimis.pipeline.lacks import Lacks

if TYPE_CHECKING:
    import pyarrow as pa

    from cimis.naming.where import Where

__all__ = ["command"]


@declare(
    "eto",
    examples=[
        "cimis eto --station 80 --month 2024-07",
        "cimis eto --stations 2,80 --year 2024 --agreement",
        "cimis eto --station 80 --year 2024 --fill --format csv",
        "cimis eto --station 80 --month 2024-07 --hourly --agreement",
    ],
)
@stations_option(names=True)
@place_options
@span_options
@scope_option
@option(
    "--surface",
    type=click.Choice(["short", "tall"]),
    default="short",
    show_default=True,
    help="Short reference (ETo, grass) or tall (ETr, alfalfa).",
)
@option("--agreement", is_flag=True, help="Tell per station how far the two figures agree.")
@option("--fill", is_flag=True, help="Give one figure, computed where the network's is missing.")
@answering
@data_dir
@printing(talks=True)
def command(
    *,
    stations: str | None,
    where: Where,
    days: Days,
    scope: str,
    surface: str,
    agreement: bool,
    fill: bool,
    form: Form,
    data_dir: str | None,
    out: Output,
) -> None:
    """Compute reference ET by the ASCE-EWRI 2005 equation from the stored weather.

    Beside each figure stands the network's own, and the difference. With --fill a figure that the
    network lacks is the computed one, and the column source tells which it is; what is stored stays
    as it is. Of --agreement, flagged figures do not count; shares are of records.
    """
    from cimis.cli.session import opened
    from cimis.cli.showing.placed import stations_asked

    if agreement and fill:
        raise UsageError("--agreement and --fill exclude each other", hint="give one of them")
    first, last = days.open(today())
    with opened(data_dir, None, told=out.note) as store:
        chosen = stations_asked(store.root, stations, where, (first, last), out)
        found, lacks = store.computed_eto(
            scope, stations=chosen, start=first, end=last, surface=surface, fill=fill
        )
    with completing(lacks, out):
        try:
            _give(found, lacks, surface, agreement=agreement, form=form, out=out)
        except NoDataError:
            if not lacks.damaged:
                raise


def _give(
    found: pa.Table, lacks: Lacks, surface: str, *, agreement: bool, form: Form, out: Output
) -> None:
    from cimis.queries.answers.eto import agreement as agreed

    if not agreement:
        batches = iter(found.to_batches())
        deliver(batches, found.schema, form=form, out=out, lacking=lacks.text)
        return
    told = [asdict(one) for one in agreed(found, surface)]
    if not told:
        raise NoDataError(
            "no record has both figures without a flag", hint="fetch asce_eto as well"
        )
    rows = [tuple(_short(value) for value in one.values()) for one in told]
    show_list(tuple(told[0]), rows, form=form, out=out, records=told)


def _short(value: float) -> float:
    return round(value, 4)
