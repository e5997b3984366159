"""A season added up, against what is normal for its running total."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cimis.charts.axes import DAY, colors, pointed, time_axis, value_axis, when
from cimis.charts.chart import ROWS, Chart
from cimis.charts.long import check_some
from cimis.charts.words import called, figure, listed, sentence, span_words, station_word
from cimis.pipeline.field.items import Scope

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Summed", "cumulated"]

_COLORS = ("Rain", "Reference ET")
"""What has the same colour in every chart, by how its word begins."""


@dataclass(frozen=True, slots=True)
class Summed:
    """One quantity that is added up.

    Attributes
    ----------
    item : str
        What the rows call it.
    word, symbol : str
        What it is, and in which unit.
    """

    item: str
    word: str
    symbol: str


def cumulated(
    rows: pl.DataFrame,
    summed: Sequence[Summed],
    names: Mapping[int, str],
    *,
    seasons: Mapping[tuple[int, str], Sequence[int]],
    span: tuple[dt.date, dt.date],
    notes: tuple[str, ...] = (),
) -> Chart:
    """Return a chart of running totals on the band of other years: percentiles 10 to 90, median.

    A panel for each station and quantity.

    Parameters
    ----------
    rows : polars.DataFrame
        A row per station, quantity and day of ``span``, in this order: ``station``, ``item``,
        ``time`` (Date), ``value``, ``flag``, ``total`` (null where the value is missing, which
        adds nothing), and ``p10``, ``median``, ``p90`` of the running totals of other years, null
        where too few have one.
    summed : sequence of Summed
        The quantities, in the order of panels.
    names : mapping of int to str
        Stations' names.
    seasons : mapping of (int, str) to sequence of int
        By station and quantity the years in which the seasons of the band began.
    span : tuple of date
        First and last day.
    notes : tuple of str
        What was left out.

    Returns
    -------
    Chart
        Its rows: those given, with ``label``, what the quantity is called.

    Raises
    ------
    NoDataError
        Where no total is there.
    """
    import polars as pl

    check_some(rows["total"], listed(sentence([one.word for one in summed])))
    words = {one.item: one.word for one in summed}
    drawn = rows.with_columns(
        pl.col("item").replace_strict(words, return_dtype=pl.String).alias("label")
    )
    stations = rows["station"].unique(maintain_order=True).to_list()
    what = listed(sentence([one.word for one in summed]))
    return Chart(
        kind="cumulated",
        title=f"{what} added up, {called(stations, names)}",
        subtitle=f"{span_words(*span)} (PST) · {_band_words(seasons)}",
        description=_described(drawn, stations, summed, names, seasons, span),
        rows=drawn,
        spec=_spec(stations, summed, names, span),
        notes=notes,
    )


def _band_words(seasons: Mapping[tuple[int, str], Sequence[int]]) -> str:
    counts = sorted({len(years) for years in seasons.values() if years})
    if not counts:
        return "no normal: fewer than five other seasons are stored"
    many = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return f"grey: middle 80 % of {many} other seasons, dashed: their median"


def _spec(
    stations: Sequence[int],
    summed: Sequence[Summed],
    names: Mapping[int, str],
    span: tuple[dt.date, dt.date],
) -> dict[str, Any]:
    rain, eto = _COLORS
    et = [one.word for one in summed if one.word.startswith(eto)] or [eto]
    domain = list(dict.fromkeys([rain, *et, *(one.word for one in summed)]))
    panels = []
    for station in stations:
        for one in summed:
            made = _panel(station, one, domain, span)
            if len(stations) > 1:
                made["title"] = {"text": station_word(station, names), "fontSize": 12}
            panels.append(made)
    for above in panels[:-1]:
        above["encoding"]["x"]["axis"] |= {"labels": False, "ticks": False}
    return {
        "data": {"name": ROWS},
        "transform": [when(Scope.DAILY)],
        "vconcat": panels,
        "spacing": 14,
    }


def _panel(
    station: int, one: Summed, domain: Sequence[str], span: tuple[dt.date, dt.date]
) -> dict[str, Any]:
    title = f"{one.word} ({one.symbol})" if one.symbol else one.word
    number = {"type": "quantitative", "format": ",.4~g"}
    told = [
        {"field": "when", "type": "nominal", "title": "up to"},
        {"field": "total", "title": one.symbol or one.word, **number},
        {"field": "median", "title": "median", **number},
        {"field": "p10", "title": "10th percentile", **number},
        {"field": "p90", "title": "90th percentile", **number},
    ]
    y = value_axis(title, field="total", zero=True)
    return {
        "transform": [
            {"filter": {"field": "station", "equal": station}},
            {"filter": {"field": "item", "equal": one.item}},
        ],
        "encoding": {"x": time_axis(span)},
        "layer": [
            {
                "mark": {"type": "area", "style": "band"},
                "encoding": {"y": y | {"field": "p10"}, "y2": {"field": "p90"}},
            },
            {
                "mark": {"type": "line", "style": "median"},
                "encoding": {"y": y | {"field": "median"}},
            },
            {
                "mark": {"type": "line", "strokeWidth": 2.5},
                "encoding": {"y": y, "color": colors(domain, None)},
            },
            pointed(told, y | {"field": "median"}),
        ],
    }


def _described(
    rows: pl.DataFrame,
    stations: Sequence[int],
    summed: Sequence[Summed],
    names: Mapping[int, str],
    seasons: Mapping[tuple[int, str], Sequence[int]],
    span: tuple[dt.date, dt.date],
) -> str:
    import polars as pl

    there = rows.filter(pl.col("total").is_not_null())
    last = there.group_by("station", "item").agg(pl.all().last())
    facts = {(row["station"], row["item"]): row for row in last.iter_rows(named=True)}
    told = []
    for station in stations:
        for one in summed:
            row, whose = facts.get((station, one.item)), station_word(station, names)
            if row is None:
                told.append(f"{one.word}, {whose}: no value")
                continue
            end = f"{row['time']:{DAY}}"
            text = f"{one.word}, {whose}: {figure(row['total'], one.symbol)} up to {end}"
            if row["median"] is not None:
                years = len(seasons.get((station, one.item), ()))
                text += (
                    f"; of {years} other seasons the median is "
                    f"{figure(row['median'], one.symbol)}, "
                    f"the middle 80 % {figure(row['p10'])} to {figure(row['p90'], one.symbol)}"
                )
            told.append(text)
    return f"Running totals over {span_words(*span)}. {'. '.join(told)}."
