"""Measured solar radiation under what a cloudless sky would let through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cimis.charts.axes import colors, flags, time_axis, value_axis, when
from cimis.charts.chart import ROWS, Chart
from cimis.charts.long import check_some
from cimis.charts.words import figure, span_words
from cimis.pipeline.field.items import Scope

if TYPE_CHECKING:
    import datetime as dt

    import polars as pl

__all__ = ["clear_sky"]

_MEASURED, _CLEAR = "Measured", "Clear sky"


def clear_sky(
    rows: pl.DataFrame, symbol: str, whose: str, span: tuple[dt.date, dt.date], verdict: str
) -> Chart:
    """Return a chart of a station's radiation, day by day, and of a clear sky's.

    Parameters
    ----------
    rows : polars.DataFrame
        A row a day: ``time`` (Date), ``value`` (measured), ``clear``, ``flag``.
    symbol, whose : str
        The unit, and the station in words.
    span : tuple of date
    verdict : str
        What the check of drift says, in words.

    Raises
    ------
    NoDataError
        Where no value is there.
    """
    import polars as pl

    check_some(rows["value"], "solar radiation")
    known = rows.drop_nulls(["value", "clear"]).filter(pl.col("clear") > 0)
    above = known.filter(pl.col("value") > pl.col("clear")).height
    text = f"Solar radiation of {whose} against a clear sky, {span_words(*span)}: {verdict}."
    if known.height:
        ratio = known.select((pl.col("value") / pl.col("clear")).alias("ratio"), "time")
        best = ratio.sort("ratio", descending=True).row(0, named=True)
        text += (
            f" On {above:,} of {known.height:,} days more was measured than a clear sky gives; the "
            f"largest ratio is {figure(best['ratio'])} on {best['time']}."
        )
    return Chart(
        kind="clear-sky",
        title="Solar radiation against a clear sky",
        subtitle=f"{symbol}, mean of the day · points: measured, line: clear sky (ASCE 2005)",
        description=text,
        rows=rows,
        spec=_spec(symbol, span),
    )


def _spec(symbol: str, span: tuple[dt.date, dt.date]) -> dict[str, Any]:
    number = {"type": "quantitative", "format": ",.4~g"}
    told = [
        {"field": "when", "type": "nominal", "title": "day"},
        {"field": "value", "title": f"measured ({symbol})", **number},
        {"field": "clear", "title": f"clear sky ({symbol})", **number},
        {"field": "flag", "type": "nominal", "title": "flag"},
    ]
    y = value_axis(f"Radiation ({symbol})", zero=True)
    color = colors([_MEASURED, _CLEAR], {})

    def named(name: str) -> dict[str, Any]:
        return {"color": {"datum": name, **{k: v for k, v in color.items() if k != "field"}}}

    return {
        "data": {"name": ROWS},
        "transform": [when(Scope.DAILY)],
        "encoding": {"x": time_axis(span), "tooltip": told},
        "layer": [
            {
                "mark": {"type": "line", "tooltip": None},
                "encoding": {"y": y | {"field": "clear"}, **named(_CLEAR)},
            },
            {"mark": {"type": "point", "size": 18}, "encoding": {"y": y, **named(_MEASURED)}},
            flags() | {"encoding": {"y": y, "color": None}},
        ],
    }
