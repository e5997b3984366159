"""The weekly page of crops: what each used last week and since when, rain, and the week to come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cimis.charts.chart import Chart
from cimis.charts.weeks import RAIN, weeks
from cimis.pages.page import (
    Beside,
    Block,
    Column,
    Commands,
    Fact,
    Facts,
    Figure,
    Note,
    Page,
    Section,
    Table,
    Text,
)
from cimis.pipeline.lacks import Lacks

if TYPE_CHECKING:
    import polars as pl

    from cimis.agronomy.crops_file import Crop

__all__ = ["MOST_CHARTS", "crop_page"]

MOST_CHARTS = 8
"""Stations that have a chart of their own; the table has them all."""

_HEIGHT = 220


def crop_page(
    rows: pl.DataFrame,
    *,
    crops: Mapping[str, Crop],
    landscape: tuple[float, float] | None,
    last: dt.date,
    symbol: str,
    reference: str,
    lacks: Lacks,
    notes: Sequence[str],
    commands: Sequence[tuple[str, str]],
    made: str,
) -> Page:
    """Return the page.

    Parameters
    ----------
    rows : polars.DataFrame
        As `cimis.season.crop_water.crop_et` has them, with ``name`` of the station and ``title`` of
        the crop.
    crops : mapping of str to Crop
        By their names in the rows.
    landscape : tuple of float, optional
        Square feet, and the share of ETo.
    last : datetime.date
        The last day of the last week.
    symbol, reference : str
        The unit of depths, and the column of reference ET.
    lacks : Lacks
    notes : sequence of str
    commands : sequence of tuple of str
        Command lines that make the page and its table again, with what each does.
    made : str
        When and by what the page was made.
    """
    import polars as pl

    week = rows.filter((pl.col("basis") == "stored") & (pl.col("last") == last))
    first = last - dt.timedelta(days=6)
    names = rows["name"].unique(maintain_order=True).to_list()
    where = names[0] if len(names) == 1 else f"{len(names)} stations"
    summary: list[Block] = [_table(rows, week, symbol)]
    if lacks:
        text = lacks.text()
        summary.append(Note([text[:1].upper() + text[1:] + "."], "warning"))
    if notes:
        summary.append(Note([note[:1].upper() + note[1:] + "." for note in notes]))
    return Page(
        title=f"Crop water use, {where}",
        subtitle=f"Week of {first} to {last}",
        summary=summary,
        sections=[
            Section("weeks", "Week by week", _charts(rows, symbol)),
            Section("coefficients", "The coefficients", _coefficients(crops, landscape, last)),
            Section("source", "Where the numbers come from", [_source(reference)]),
            Section("again", "Make it again", [Commands(commands)]),
        ],
        made=made,
    )


def _table(rows: pl.DataFrame, week: pl.DataFrame, symbol: str) -> Table:
    """Return the table of last week: what growers look at first."""
    import polars as pl

    coming = rows.filter(pl.col("basis") != "stored").select(
        "station", "crop", pl.col("etc").alias("next")
    )
    keys = ["station", "crop"]
    shown = (
        rows.select(*keys, "name", "title")
        .unique(keys, keep="first", maintain_order=True)
        .join(week.drop("name", "title"), on=keys, how="left", maintain_order="left")
        .join(coming, on=keys, how="left", maintain_order="left")
    )
    several = shown["name"].n_unique() > 1
    columns = [
        *([Column("name", "Station")] if several else []),
        Column("title", "Crop"),
        Column("etc", "Used last week", symbol, 2),
        Column("rain", "Rain last week", symbol, 2),
        Column("next", "Next week, at the average", symbol, 2),
        Column("total", "Used in all", symbol, 2),
        Column("since", "Counted from"),
        Column("total_rain", "Rain in all", symbol, 2),
        Column("eto", "ETo last week", symbol, 2),
        Column("kc", "Coefficient", "", 2),
    ]
    if "gallons" in shown.columns:
        columns += [
            Column("gallons", "Last week", "gal", 0),
            Column("total_gallons", "In all", "gal", 0),
        ]
    if shown["lacking"].fill_null(0).sum() or shown["total_lacking"].fill_null(0).sum():
        columns += [
            Column("lacking", "Days lacking last week"),
            Column("total_lacking", "Days lacking in all"),
        ]
    return Table("Water use by crop", shown, columns, key="week")


def _charts(rows: pl.DataFrame, symbol: str) -> list[Block]:
    """Return a chart a station, two beside each other, and what is left out."""
    figures = [
        Figure(_chart(own, symbol), _HEIGHT)
        for own in rows.partition_by("station", maintain_order=True)[:MOST_CHARTS]
    ]
    blocks: list[Block] = [Beside(figures)] if len(figures) > 1 else [*figures]
    more = rows["station"].n_unique() - len(figures)
    if more:
        blocks.append(
            Text([f"{more} further stations have no chart here; the table above has them all."])
        )
    return blocks


def _chart(own: pl.DataFrame, symbol: str) -> Chart:
    import polars as pl

    used = own.select("last", pl.col("title").alias("what"), pl.col("etc").alias("depth"), "basis")
    # the crop that is in season on most of a week's days tells most of its rain
    rain = (
        own.filter(pl.col("basis") == "stored")
        .sort("days", descending=True, maintain_order=True)
        .unique("last", keep="first", maintain_order=True)
        .select("last", pl.lit(RAIN).alias("what"), pl.col("rain").alias("depth"), "basis")
    )
    name, number = own["name"][0], own["station"][0]
    first, last = own["first"].min(), own["last"].max()
    return weeks(
        pl.concat([used, rain]),
        symbol=symbol,
        title=f"{name} ({number})",
        subtitle=f"{first} to {last}, {symbol} by week",
    )


def _coefficients(
    crops: Mapping[str, Crop], landscape: tuple[float, float] | None, last: dt.date
) -> list[Block]:
    """Return the coefficients of this season's stages, with their sources."""
    import polars as pl

    rows = []
    for crop in crops.values():
        season = crop.season_on(last) or crop.season_on(last + dt.timedelta(days=7))
        season = season or (crop.season_of(last.year) if crop.yearly else crop.season)
        stages = zip(
            ("initial", "mid", "late"), (0, 2, 3), season.kc, strict=True
        )  # development runs between them
        ends = (*season.starts[1:], season.end + dt.timedelta(days=1))
        for stage, place, kc in stages:
            to = ends[place] - dt.timedelta(days=1)
            source = crop.sources.get(stage, "")
            rows.append((crop.title, stage, season.starts[place], to, float(kc), source))
    blocks: list[Block] = []
    if rows:
        frame = pl.DataFrame(rows, ["crop", "stage", "first", "last", "kc", "source"], orient="row")
        blocks.append(
            Table(
                "Crop coefficients",
                frame,
                [
                    Column("crop", "Crop"),
                    Column("stage", "Stage"),
                    Column("first", "First day"),
                    Column("last", "Last day"),
                    Column("kc", "Coefficient", "", 2),
                    Column("source", "Source"),
                ],
                key="coefficients",
            )
        )
        rule = (
            "Water use is reference ET times the coefficient, under standard conditions (FAO-56, "
            "equation 58). Between the initial and the mid stage the coefficient rises in a line, "
            "in the late stage it runs to that of its last day."
        )
        blocks.append(Text([rule]))
    if landscape is not None:
        area, factor = landscape
        blocks.append(
            Facts(
                [
                    Fact("Landscape", f"{area:,.0f} square feet"),
                    Fact("Share of ETo", f"{factor:g} (23 CCR § 492.4)"),
                ]
            )
        )
    return blocks


def _source(reference: str) -> Facts:
    from cimis.pipeline.field.items import Scope, named_items

    (item,) = named_items(reference, Scope.DAILY)
    next_week = (
        "The mean of the calendar day and of seven days to each side, over the stored years, of "
        "unflagged values: an average, no forecast"
    )
    return Facts(
        [
            Fact("Network", "California Irrigation Management Information System (CIMIS)"),
            Fact("Reference ET", f"{item.column}: {item.description}"),
            Fact("Next week", next_week),
        ]
    )
