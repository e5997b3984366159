"""The season of a station: its days on the band of their normals, ET and rain added up."""

from __future__ import annotations

from cimis.answers.rows import query
from cimis.charts.band import band
from cimis.charts.chart import Chart
from cimis.charts.cumulated import Summed, cumulated
from cimis.charts.eto_rain import eto_rain
from cimis.charts.words import item_word
from cimis.pages.page import Block, Figure, Note, Section
from cimis.pages.station.running import Running, running
from cimis.pages.station.subject import Subject
from cimis.pipeline.errors import NoDataError
from cimis.pipeline.field.items import Item, Rule
from cimis.season.normal import normals

__all__ = ["added_up", "running_of", "season"]

_BANDS = ("air_tmp_max", "air_tmp_min")
_PERCENTILES = {"p10": "p10", "p25": "p25", "p50": "median", "p75": "p75", "p90": "p90"}


def season(subject: Subject, key: str, heading: str) -> Section:
    """Return the section of ETo and temperatures, day by day, on what is normal for them."""
    eto = subject.eto
    held = [eto, *(subject.item(column) for column in _BANDS)]
    blocks: list[Block] = [
        Figure(_on_band(subject, item), height=230)
        for item in held
        if item is not None and subject.count(item)
    ]
    if not blocks:
        blocks.append(Note(["Neither reference ET nor temperature is stored of these days."]))
    return Section(key, heading, blocks)


def _on_band(subject: Subject, item: Item) -> Chart:
    import polars as pl

    rows, period = subject.long(item), None
    try:
        found = normals(
            subject.opened, item.column, stations=subject.station, units=subject.standard.value
        ).pl()
    except NoDataError:
        found = None
    if found is not None:
        years, period_words = found["years"].to_list(), str(found["period"][0])
        period = f"{max(years)} years, {period_words}"
        normal = found.select(
            pl.col("month").cast(pl.Int8),
            pl.col("day").cast(pl.Int8),
            *(pl.col(old).alias(new) for old, new in _PERCENTILES.items()),
        )
        rows = (
            rows.with_columns(
                pl.col("time").dt.month().alias("month"), pl.col("time").dt.day().alias("day")
            )
            .join(normal, on=["month", "day"], how="left", maintain_order="left")
            .drop("month", "day")
        )
    else:
        none = (pl.lit(None, pl.Float64).alias(new) for new in _PERCENTILES.values())
        rows = rows.with_columns(none)
    return band(
        rows,
        item_word(item),
        subject.symbol(item),
        subject.word,
        subject.span,
        period,
        zero=item.rule is Rule.SUM,
    )


def added_up(subject: Subject, totals: dict[str, Running], key: str, heading: str) -> Section:
    """Return the section of reference ET and rain: by day, and added up beside other seasons."""
    import polars as pl

    eto, rain = subject.eto, subject.item("precip")
    held = [item for item in (eto, rain) if item is not None and item.column in totals]
    if not held:
        return Section(
            key, heading, [Note(["Neither reference ET nor rain is stored of these days."])]
        )
    blocks: list[Block] = []
    if eto is not None and rain is not None and len(held) == 2:
        frame = subject.rows.select(
            pl.lit(subject.station, pl.UInt16).alias("station"), pl.exclude("stored")
        )
        chart = eto_rain(
            frame, eto, rain, subject.names, standard=subject.standard, span=subject.span
        )
        blocks.append(Figure(chart, height=340))
    rows = pl.concat(
        totals[item.column].rows.select(
            pl.lit(subject.station, pl.UInt16).alias("station"),
            pl.lit(item.column).alias("item"),
            pl.all(),
        )
        for item in held
    )
    chart = cumulated(
        rows,
        [Summed(item.column, item_word(item), subject.symbol(item)) for item in held],
        subject.names,
        seasons={(subject.station, item.column): totals[item.column].seasons for item in held},
        span=subject.span,
    )
    blocks.append(Figure(chart, height=170 * len(held)))
    return Section(key, heading, blocks)


def running_of(subject: Subject) -> dict[str, Running]:
    """Return the running totals of reference ET and rain, by column."""
    import polars as pl

    eto, rain = subject.eto, subject.item("precip")
    found = {}
    for item in (eto, rain):
        if item is None or not subject.count(item):
            continue
        history = query(
            subject.opened,
            stations=subject.station,
            items=item.column,
            units=subject.standard.value,
            qc="strict",
        ).pl()
        found[item.column] = running(
            subject.long(item),
            history.select(pl.col("date").alias("time"), pl.col(item.column).alias("value")),
            subject.span,
        )
    return found
