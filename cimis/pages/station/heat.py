"""The degree days of a season, day by day, beside those of other stored seasons."""

from __future__ import annotations

import re
from typing import NamedTuple

from cimis.charts.cumulated import Summed, cumulated
from cimis.pages.page import Block, Figure, Note, Section
from cimis.pages.station.running import Running, running
from cimis.pages.station.subject import Subject
from cimis.pipeline.errors import NoDataError
from cimis.pipeline.field.items import Standard
from cimis.season.heat import degree_days

__all__ = ["THRESHOLDS", "Heat", "between_words", "heat_of", "heat_section"]

THRESHOLDS = {Standard.METRIC: ("10C", "30C"), Standard.ENGLISH: ("50F", "86F")}
"""The lower and upper threshold, by the units of the report, unless others are asked for."""


_DEGREES = re.compile(r"\s*°?\s*([CF])$", re.IGNORECASE)


class Heat(NamedTuple):
    """Degree days of the season, and by which thresholds; ``lacking`` are days without a figure."""

    station: int
    low: str
    high: str | None
    symbol: str
    running: Running
    lacking: int


def heat_of(subject: Subject, low: str | None, high: str | None) -> Heat | None:
    """Return the degree days of the season; None where no day has both temperatures."""
    import polars as pl

    if low is None:
        low, high = THRESHOLDS[subject.standard]
    units = subject.standard.value
    try:
        found = degree_days(
            subject.opened,
            low,
            high,
            stations=subject.station,
            start=subject.first,
            end=subject.last,
            units=units,
        ).pl()
        whole = degree_days(subject.opened, low, high, stations=subject.station, units=units).pl()
    except NoDataError:
        return None
    day = pl.col("date").alias("time")
    value = pl.col("degree_days").alias("value")
    days = subject.rows.select(day).join(
        found.select(day, value, pl.col("degree_days_total").alias("total")),
        on="time",
        how="left",
        maintain_order="left",
    )
    made = running(
        days.with_columns(flag=pl.lit(None, pl.String)), whole.select(day, value), subject.span
    )
    total = pl.when(pl.col("value").is_not_null()).then("total")
    rows = made.rows.with_columns(days.select(total.alias("total"))["total"])
    unit = "°F d" if subject.standard is Standard.ENGLISH else "°C d"
    return Heat(
        subject.station,
        low,
        high,
        unit,
        Running(rows, made.seasons),
        int(found["days_missing"][-1]),
    )


def between_words(heat: Heat) -> str:
    """Return the thresholds in words: ``10 °C to 30 °C``."""
    low, high = (
        None if one is None else _DEGREES.sub(r" °\1", one.strip()) for one in (heat.low, heat.high)
    )
    return f"above {low}" if high is None else f"{low} to {high}"


def heat_section(subject: Subject, heat: Heat | None, key: str, heading: str) -> Section:
    """Return the section of degree days."""
    import polars as pl

    if heat is None:
        none = "No day has both a lowest and a highest temperature to count degree days from."
        return Section(key, heading, [Note([none])])
    rows = heat.running.rows.select(
        pl.lit(subject.station, pl.UInt16).alias("station"), pl.lit("heat").alias("item"), pl.all()
    )
    between = between_words(heat)
    chart = cumulated(
        rows,
        [Summed("heat", f"Degree days, {between}", heat.symbol)],
        subject.names,
        seasons={(subject.station, "heat"): heat.running.seasons},
        span=subject.span,
        notes=("By the single sine, cut off horizontally at the upper threshold, as UC IPM does.",),
    )
    blocks: list[Block] = [Figure(chart, height=230)]
    if heat.lacking:
        many = f"{heat.lacking:,} day{'s' * (heat.lacking > 1)}"
        blocks.append(Note([f"{many} without both temperatures add nothing to the total."]))
    return Section(key, heading, blocks)
