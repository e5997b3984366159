"""One item of two stations against each other, with the line on which they would be equal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cimis.charts.axes import flags, value_axis, when
from cimis.charts.chart import ROWS, Chart
from cimis.charts.words import figure, item_word, span_words, station_word
from cimis.pipeline.errors import NoDataError
from cimis.pipeline.field.items import Item, Scope, Standard

if TYPE_CHECKING:
    import polars as pl

__all__ = ["scatter"]

_LEAST = 3
"""Pairs below which a correlation says nothing."""


def scatter(
    rows: pl.DataFrame,
    item: Item,
    stations: tuple[int, int],
    names: Mapping[int, str],
    *,
    standard: Standard = Standard.METRIC,
    span: tuple[dt.date, dt.date],
    notes: tuple[str, ...] = (),
) -> Chart:
    """Return a chart of the times at which two stations both have a value of an item.

    Its subtitle and description say n, the bias (mean of second less first) and Pearson's r.

    Parameters
    ----------
    rows : polars.DataFrame
        As :meth:`cimis.Store.daily` or :meth:`cimis.Store.hourly` give them, in ``standard`` units.
    item : Item
    stations : tuple of int
        On the horizontal and on the vertical axis.
    names, standard
        As of :func:`cimis.charts.series.series`.
    span : tuple of date
        First and last day.

    Returns
    -------
    Chart
        Its rows: ``time``, ``first``, ``second`` (values), ``flag`` (of either).

    Raises
    ------
    NoDataError
        Where there is no such time.
    """
    import polars as pl

    key = "time" if item.scope is Scope.HOURLY else "date"
    one, other = (
        rows.filter(pl.col("station") == station).select(
            pl.col(key).alias("time"),
            pl.col(item.column).cast(pl.Float64).fill_nan(None).alias(name),
            pl.col(item.flag_column).cast(pl.String).alias(f"{name}_flag"),
        )
        for station, name in zip(stations, ("first", "second"), strict=True)
    )
    pairs = (
        one.join(other, on="time", how="inner", maintain_order="left")
        .drop_nulls(["first", "second"])
        .select(
            "time",
            "first",
            "second",
            pl.concat_str("first_flag", "second_flag", separator=" ", ignore_nulls=True)
            .replace("", None)
            .alias("flag"),
            pl.col("first").alias("value"),
        )
    )
    words = [station_word(station, names) for station in stations]
    if pairs.is_empty():
        raise NoDataError(
            f"there is nothing to plot: {words[0]} and {words[1]} have no "
            f"{'hour' if item.scope is Scope.HOURLY else 'day'} with a value of both",
            hint="see what is stored with 'cimis gaps'",
        )
    symbol = item.symbol(standard)
    bias = float((pairs["second"] - pairs["first"]).mean() or 0.0)  # type: ignore[arg-type]
    told = f"n = {pairs.height:,}, bias {figure(bias, symbol)}"
    correlation = pairs.select(pl.corr("first", "second")).item()
    if pairs.height >= _LEAST and correlation is not None and correlation == correlation:
        told += f", r = {correlation:.3f}"
    flagged = " · × flagged" if pairs["flag"].null_count() < pairs.height else ""
    return Chart(
        kind="scatter",
        title=f"{item_word(item)}, {words[1]} against {words[0]}",
        subtitle=f"{span_words(*span)}, {item.scope} · {told} · line: equal{flagged}",
        description=f"{item_word(item)} of {words[1]} against {words[0]}, {item.scope}, "
        f"{span_words(*span)}: {told} (bias is {words[1]} less {words[0]}).",
        rows=pairs.drop("value"),
        spec=_spec(pairs, item, words, standard),
        notes=notes,
    )


def _spec(pairs: pl.DataFrame, item: Item, words: list[str], standard: Standard) -> dict[str, Any]:
    import polars as pl

    both = pairs.select(
        pl.min_horizontal("first", "second").min().alias("low"),
        pl.max_horizontal("first", "second").max().alias("high"),
    )
    low, high = both.row(0)
    ends = [{"end": low}, {"end": high}]
    symbol = item.symbol(standard)
    scale = {"zero": False, "nice": True, "domain": [low, high]} if high > low else {"zero": False}

    def axis(word: str, field: str) -> dict[str, Any]:
        return value_axis(f"{word} ({symbol})", field=field) | {"scale": scale}

    x, y = axis(words[0], "first"), axis(words[1], "second")
    number = {"type": "quantitative", "format": ",.4~g"}
    told = [
        {"field": "when", "type": "nominal", "title": "when"},
        {"field": "first", "title": words[0], **number},
        {"field": "second", "title": words[1], **number},
        {"field": "flag", "type": "nominal", "title": "flag"},
    ]
    crosses = flags()
    crosses["transform"] = [{"filter": "isValid(datum.flag)"}]
    return {
        "data": {"name": ROWS},
        "transform": [when(item.scope)],
        "layer": [
            {
                "data": {"values": ends},
                "mark": {"type": "line", "style": "equal"},
                "encoding": {"x": x | {"field": "end"}, "y": y | {"field": "end"}},
            },
            {
                "mark": {"type": "point", "size": 22, "opacity": 0.55},
                "encoding": {"x": x, "y": y, "tooltip": told},
            },
            crosses | {"encoding": {"x": x, "y": y, "tooltip": told}},
        ],
    }
