"""``cimis crop-et``: what crops and landscapes used by week, and the week to come."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    units_option,
)
from cimis.cli.reckoning import completing, give_table
from cimis.cli.showing.answers import Form, answering
from cimis.cli.showing.output import Output
from cimis.parsing import Days, parse_date, today, year_span
from cimis.pipeline.errors import UsageError

if TYPE_CHECKING:
    from cimis.naming.where import Where

__all__ = ["command"]


@declare(
    "crop-et",
    examples=[
        "cimis crop-et --station 80 --crops crops.toml --end 2024-07-31",
        "cimis crop-et --stations 2,80 --crops crops.toml --month 2024-07 --units english",
        "cimis crop-et --station 80 --crops crops.toml --total-from 2024-03-10 --end 2024-07-31",
        "cimis crop-et --station 80 --landscape 2500,0.55 --end 2024-07-31 --total-from 2024-07-01",
        "cimis crop-et --stations 2,80 --crops crops.toml --end 2024-07-31 --page week.html",
    ],
)
@option(
    "--crops",
    metavar="FILE",
    help="Crops, TOML: stages with coefficients and their source; docs/agronomy.md has the form.",
)
@option(
    "--landscape",
    metavar="SQFT,FACTOR",
    help="A landscape: its square feet, and its share of ETo (ET adjustment or plant factor).",
)
@stations_option(names=True)
@place_options
@span_options
@option(
    "--total-from",
    metavar="DAY",
    help="First day of the total; else that of the crop's season, of a landscape January 1.",
)
@option(
    "--reference",
    type=click.Choice(["asce_eto", "eto"]),
    default="asce_eto",
    show_default=True,
    help="Reference ET: by ASCE-EWRI 2005, or the network's older figure.",
)
@option(
    "--period",
    metavar="YEARS",
    help="Years that count as normal, as 1991-2020; else all that are stored.",
)
@option(
    "--page",
    metavar="FILE",
    help="Save a page to mail or print instead: last week, total, next week, charts of 12 weeks.",
)
@units_option
@qc_option("drop-severe", "lack: none, severely flagged ones, all flagged ones.")
@answering
@data_dir
@printing(talks=True)
def command(
    *,
    crops: str | None,
    landscape: str | None,
    stations: str | None,
    where: Where,
    days: Days,
    total_from: str | None,
    reference: str,
    period: str | None,
    page: str | None,
    units: str,
    qc: str,
    form: Form,
    data_dir: str | None,
    out: Output,
) -> None:
    """Tell per station, crop and week the crop's ET (ETo times Kc), its total, and the rain.

    The coefficients are the user's own. Weeks are counted back from the last day of the span, which
    is yesterday where none is given; without a span it is one week. The row behind them is the week
    to come, at the historical average of ETo, and says so. Only days of a crop's season count; days
    that lack are counted in each row, and sums are of the others.
    """
    from cimis.cli.session import opened
    from cimis.cli.showing.placed import stations_asked

    now = today()
    first, last = days.open(now)
    if page is not None:
        _check_page(page, form)
    with opened(data_dir, None, told=out.note) as store:
        asked: dict[str, Any] = {
            "stations": stations_asked(store.root, stations, where, (first, last), out),
            "start": first,
            "end": last,
            "total_from": None if total_from is None else parse_date(total_from, now=now),
            "landscape": None if landscape is None else _landscape(landscape),
            "reference": reference,
            "period": None if period is None else _years(period),
            "units": units,
            "qc": qc,
        }
        if page is not None:
            report = store.crop_report(crops, **asked)
            with completing(report.lacks, out, report.notes):
                out.note(f"wrote {report.save(page):,} bytes to {page}")
            return
        found = store.crop_et(crops, **asked)
    give_table(found.table, found.lacks, form=form, out=out, notes=found.notes)


def _check_page(page: str, form: Form) -> None:
    """Refuse what cannot be saved as a page before anything is reckoned."""
    from cimis.pages.saving import check_name

    if form.output is not None or form.format is not None:
        raise UsageError(
            "--page saves a page, -o and --format give a table", hint="give one of them"
        )
    check_name(Path(page))


def _landscape(text: str) -> tuple[float, float]:
    """Return the area and the factor that a text names."""
    try:
        area, factor = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(
            f"'{text}' is no landscape",
            hint="write its square feet and its factor, as 2500,0.55",
        ) from None
    return area, factor


def _years(text: str) -> tuple[int, int]:
    first, last = year_span(text)
    return first.year, last.year
