"""The weekly page of crops: what each used last week and since when, rain, and the week to come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cimis.charts.chart import Chart
from cimis.charts.weeks import RAIN, weeks
from cimis.pages.noted import noted
from cimis.pages.page import (
    Beside,
    Block,
    Column,
    Commands,
    Fact,
    Facts,
    Figure,
    Page,
    Section,
    Table,
    Text,
)
from cimis.pipeline.lacks import Lacks

if TYPE_CHECKING:
    import polars as pl

    from cimis.agronomy.crops_file import Crop
    from cimis.pipeline.field.items import Item

__all__ = ["MOST_CHARTS", "crop_page"]

MOST_CHARTS = 8
"""Stations that have a chart of their own; the table has them all."""

_HEIGHT = 240


def crop_page(
    rows: pl.DataFrame,
    *,
    crops: Mapping[str, Crop],
    landscape: tuple[float, float] | None,
    last: dt.date,
    symbol: str,
    reference: Item,
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
    symbol : str
        The unit of depths.
    reference : Item
        The reference ET.
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
    shown = _last_week(rows, week)
    return Page(
        title=f"Crop water use, {where}",
        subtitle=f"Week from {first} to {last}",
        summary=[_table(shown, symbol), *noted(lacks, [*notes, *_without_average(shown)])],
        sections=[
            Section("weeks", "Week by week", _charts(rows, symbol)),
            Section(
                "coefficients",
                "Reference ET and coefficients",
                [_behind(shown, symbol), *_coefficients(crops, landscape, last)],
            ),
            Section("source", "Where the numbers come from", [_source(reference)]),
            Section("again", "Make it again", [Commands(commands)]),
        ],
        made=made,
    )


def _last_week(rows: pl.DataFrame, week: pl.DataFrame) -> pl.DataFrame:
    """Return a row a station and crop: its last week, and ``next``, the week to come."""
    import polars as pl

    keys = ["station", "crop"]
    coming = rows.filter(pl.col("basis") != "stored").select(*keys, pl.col("etc").alias("next"))
    return (
        rows.select(*keys, "name", "title")
        .unique(keys, keep="first", maintain_order=True)
        .join(week.drop("name", "title"), on=keys, how="left", maintain_order="left")
        .join(coming, on=keys, how="left", maintain_order="left")
    )


def _who(shown: pl.DataFrame) -> list[Column]:
    station = [Column("name", "Station")] if shown["name"].n_unique() > 1 else []
    return [*station, Column("title", "Crop")]


def _table(shown: pl.DataFrame, symbol: str) -> Table:
    """Return what growers look at first; few enough columns for a sheet of paper upright."""
    columns = [
        *_who(shown),
        Column("etc", "Used last week", symbol, 2),
        Column("rain", "Rain last week", symbol, 2),
        Column("next", "Next week, average", symbol, 2),
        Column("total", "Used in all", symbol, 2),
        Column("since", "Counted from"),
        Column("total_rain", "Rain in all", symbol, 2),
    ]
    if "gallons" in shown.columns:
        columns.append(Column("gallons", "Used last week", "gal", 0))
    return Table("Water use by crop", shown, columns, key="week")


def _behind(shown: pl.DataFrame, symbol: str) -> Table:
    """Return from what the figures of the week are."""
    columns = [
        *_who(shown),
        Column("eto", "ETo last week", symbol, 2),
        Column("kc", "Mean Kc", "", 2),
        Column("total_days", "Days in all"),
        Column("total_lacking", "Days without ETo"),
        Column("total_rain_lacking", "Days without rain data"),
    ]
    if "total_gallons" in shown.columns:
        columns.append(Column("total_gallons", "Used in all", "gal", 0))
    return Table("What the last week is reckoned from", shown, columns, key="behind")


def _without_average(shown: pl.DataFrame) -> list[str]:
    """Say of how many the week to come has no figure."""
    lacking = shown["next"].null_count()
    if not lacking:
        return []
    text = (
        f"{lacking} of {shown.height} rows have no figure for next week: the crop is out of "
        "season, or fewer than five years of reference ET are stored of these days"
    )
    return [text]


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

    used = own.select(
        "last", pl.col("title").alias("what"), pl.col("etc").alias("depth"), "basis"
    ).filter((pl.col("basis") == "stored") | pl.col("depth").is_not_null())
    # the crop that is in season on most of a week's days tells most of its rain
    rain = (
        own.filter(pl.col("basis") == "stored")
        .sort("days", descending=True, maintain_order=True)
        .unique("last", keep="first", maintain_order=True)
        .select("last", pl.lit(RAIN).alias("what"), pl.col("rain").alias("depth"), "basis")
    )
    name, number = own["name"][0], own["station"][0]
    first, last = own["first"].min(), used["last"].max()
    return weeks(
        pl.concat([used, rain]),
        symbol=symbol,
        title=f"{name} ({number})",
        subtitle=f"{first!s} to {last!s}, {symbol} by week",
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
                    Column("kc", "Kc", "", 2),
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


def _source(item: Item) -> Facts:
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
