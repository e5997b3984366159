"""``cimis fill``: daily values with their gaps filled, each with its source and expected error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cimis.cli.options import (
    data_dir,
    declare,
    option,
    place_options,
    printing,
    qc_option,
    span_options,
    stations_option,
    units_option,
)
from cimis.cli.reckoning import completing
from cimis.cli.showing.answers import Form, answering, deliver
from cimis.cli.showing.output import Output
from cimis.parsing import Days, today

if TYPE_CHECKING:
    from cimis.naming.where import Where

__all__ = ["command"]


@declare(
    "fill",
    examples=[
        "cimis fill --station 80 --year 2024",
        "cimis fill --stations 2,80 --year 2024 --items air_tmp_max,air_tmp_min -o filled.parquet",
        "cimis fill --station 80 --month 2024-07 --sources network,computed --format csv",
    ],
)
@stations_option(names=True)
@place_options
@span_options
@option(
    "--items",
    listed=True,
    metavar="LIST",
    help="Items, as air_tmp_avg,asce_eto; else the reference ETo. Rain cannot be filled.",
)
@option(
    "--sources",
    listed=True,
    metavar="LIST",
    help="Some of network, computed, neighbours, spatial, normal, asked in this order; else all.",
)
@units_option
@qc_option("drop-severe", "are filled as if missing: none, severely flagged ones, all.")
@answering
@data_dir
@printing(talks=True)
def command(
    *,
    stations: str | None,
    where: Where,
    days: Days,
    items: str | None,
    sources: str | None,
    units: str,
    qc: str,
    form: Form,
    data_dir: str | None,
    out: Output,
) -> None:
    """Fill gaps of daily values: each cell says its source, whom it rests on, and its error.

    A missing value is asked for in turn: reference ETo computed from the day's stored weather;
    neighbours, by regression; the spatial network's nearest stored coordinate; the normal of the
    day, from five years or more. NAME_error is the mean absolute error to expect. Estimates rest on
    unflagged stored values, never on a filled one, and nothing is stored.
    """
    from cimis.cli.session import opened
    from cimis.cli.showing.placed import stations_asked

    first, last = days.open(today())
    with opened(data_dir, None, told=out.note) as store:
        chosen = stations_asked(store.root, stations, where, (first, last), out)
        found = store.filled(chosen, first, last, items, sources=sources, units=units, qc=qc)
    table = found.table()
    with completing(found.lacks, out):
        batches = iter(table.to_batches())
        deliver(batches, table.schema, form=form, out=out, lacking=found.lacks.text)
        for item, counts in found.counts().items():
            told = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
            if counts["without"] or sum(counts.values()) > counts["network"]:
                out.aside("filled", {item: counts}, f"{item}: {told}")
