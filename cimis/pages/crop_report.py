"""The weekly report of crops: which weeks it shows, of whom, and the page of them."""

from __future__ import annotations

import datetime as dt
import os
import shlex
from typing import TYPE_CHECKING

from cimis.arguments import Day, day_of
from cimis.naming.lists import known_stations
from cimis.naming.sites import Stations
from cimis.opened import Opened
from cimis.pipeline.field.items import Scope, named_items
from cimis.pipeline.field.time import network_day, network_now
from cimis.season.crop_water import Crops, crop_et, read_crops
from cimis.version import __version__

if TYPE_CHECKING:
    from cimis.pages.report import Report

__all__ = ["crop_report"]

_WEEKS = 12
"""Weeks of the charts where no first day is given."""


def crop_report(
    opened: Opened,
    crops: Crops | None = None,
    *,
    stations: Stations | None = None,
    start: Day | None = None,
    end: Day | None = None,
    total_from: Day | None = None,
    landscape: tuple[float, float] | None = None,
    reference: str = "asce_eto",
    period: tuple[int, int] | None = None,
    units: str = "metric",
    qc: str = "drop-severe",
    made_at: str | None = None,
) -> Report:
    """Return a page of what crops used last week, as ``cimis crop-et --page`` saves it.

    Per station and crop: water use and rain of the last week and since the season's start, the week
    to come at its average, the weeks before as a chart, and the coefficients with their sources.

    Parameters
    ----------
    crops, stations, end, total_from, landscape, reference, period, units, qc
        As of :meth:`crop_et`.
    start : date or str, optional
        First day of the weeks that are drawn; by default twelve weeks are.
    made_at : str, optional
        When the page was made, as it is to say; by default now. All else follows from the store.

    Returns
    -------
    Report
        Its ``html()`` is the page, ``save("week.html")`` writes it.

    Raises
    ------
    UsageError, NoDataError, ChunkError
        As of :meth:`crop_et`.
    """
    import polars as pl

    from cimis.pages.crop_page import crop_page
    from cimis.pages.report import Report
    from cimis.queries.conversion import standard

    last = day_of(end, end=True) or network_day() - dt.timedelta(days=1)
    counted, first = day_of(total_from, end=False), day_of(start, end=False)
    if first is None:
        first = last - dt.timedelta(weeks=_WEEKS) + dt.timedelta(days=1)
        first = first if counted is None else max(first, counted)
    known = read_crops(crops)
    found = crop_et(
        opened,
        known or None,
        stations=stations,
        start=first,
        end=last,
        total_from=total_from,
        landscape=landscape,
        reference=reference,
        period=period,
        units=units,
        qc=qc,
    )
    titles = {name: crop.title for name, crop in known.items()} | {"landscape": "Landscape"}
    names = {one["number"]: one.get("name") for one in known_stations(opened.root)}
    rows = found.pl()
    numbers = rows["station"].unique(maintain_order=True).to_list()
    called = {number: names.get(number) or f"station {number}" for number in numbers}
    named = rows.with_columns(
        name=pl.col("station").replace_strict(called, return_dtype=pl.String),
        title=pl.col("crop").replace(titles),
    )
    (item,) = named_items(reference, Scope.DAILY)
    page = crop_page(
        named,
        crops={name: crop for name, crop in known.items() if name in set(rows["crop"])},
        landscape=landscape,
        last=last,
        symbol=item.symbol(standard(units)),
        reference=item,
        lacks=found.lacks,
        notes=found.notes,
        commands=_commands(
            crops, numbers, last, total_from, landscape, reference, period, units, qc
        ),
        made=f"Made {made_at or _now()} by cimis {__version__}.",
    )
    return Report(page, found.lacks, found.notes, stations=tuple(numbers))


def _commands(
    crops: Crops | None,
    numbers: list[int],
    last: dt.date,
    total_from: Day | None,
    landscape: tuple[float, float] | None,
    reference: str,
    period: tuple[int, int] | None,
    units: str,
    qc: str,
) -> list[tuple[str, str]]:
    """Return the command lines that make the page again, and its figures as a table."""
    words = ["--stations", ",".join(map(str, numbers))]
    if crops is not None:
        path = os.fspath(crops) if isinstance(crops, str | os.PathLike) else "crops.toml"
        words += ["--crops", str(path)]
    if landscape is not None:
        words += ["--landscape", f"{landscape[0]:g},{landscape[1]:g}"]
    if total_from is not None:
        words += ["--total-from", str(total_from)]
    if period is not None:
        words += ["--period", f"{period[0]}-{period[1]}"]
    for name, value, usual in (
        ("--reference", reference, "asce_eto"),
        ("--units", units, "metric"),
        ("--qc", qc, "drop-severe"),
    ):
        words += [name, value] if value != usual else []
    line = f"cimis crop-et {shlex.join(words)} --end {last}"
    return [(f"{line} --page week.html", "This page"), (line, "The table of the last week")]


def _now() -> str:
    return f"{network_now():%Y-%m-%d %H:%M} PST"
