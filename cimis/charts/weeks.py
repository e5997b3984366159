"""The weeks of a station: what crops used in each, the rain, and the week to come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cimis.charts.chart import ROWS, Chart

if TYPE_CHECKING:
    import polars as pl

__all__ = ["RAIN", "weeks"]

RAIN = "Rain"
_LABEL = 125
"""Pixels of a name in the legend, two of which stand beside each other on a telephone."""

_TURNED = 6
"""With more weeks than this their names are turned."""


def weeks(
    rows: pl.DataFrame,
    *,
    symbol: str,
    title: str,
    subtitle: str = "",
    notes: Sequence[str] = (),
) -> Chart:
    """Return bars of depths by week: of each crop what it used, of the rain what fell.

    Parameters
    ----------
    rows : polars.DataFrame
        A row a week and bar: ``last`` (Date, the week's last day), ``what`` (a crop's name or
        `RAIN`), ``depth``, ``basis`` (``stored``, or ``historical average`` of the week to come,
        which is drawn pale).
    symbol : str
        The unit of depths.
    title, subtitle : str
    notes : sequence of str
        To be said as well.

    Returns
    -------
    Chart
        Of the kind ``weeks``.
    """
    import polars as pl

    drawn = rows.with_columns(week=pl.col("last").dt.strftime("%b %-d")).sort(
        "last", maintain_order=True
    )
    order = drawn["week"].unique(maintain_order=True).to_list()
    crops = [one for one in rows["what"].unique(maintain_order=True).to_list() if one != RAIN]
    domain = [RAIN, *crops]  # the theme's first colour is the rain's
    told: list[dict[str, Any]] = [
        {"field": "what", "type": "nominal", "title": "Of"},
        {"field": "week", "type": "nominal", "title": "Week to"},
        {"field": "depth", "type": "quantitative", "title": symbol, "format": ".2f"},
        {"field": "basis", "type": "nominal", "title": "By"},
    ]
    spec = {
        "data": {"name": ROWS},
        "mark": {"type": "bar", "width": {"band": 0.95}, "aria": False},
        "encoding": {
            "x": {
                "field": "week",
                "type": "ordinal",
                "sort": order,
                "axis": {
                    "title": "Week to",
                    "labelAngle": -45 if len(order) > _TURNED else 0,
                    "grid": False,
                },
            },
            "xOffset": {"field": "what", "type": "nominal", "scale": {"domain": [*crops, RAIN]}},
            "y": {
                "field": "depth",
                "type": "quantitative",
                "axis": {"title": f"A week ({symbol})", "tickCount": 4},
            },
            "color": {
                "field": "what",
                "type": "nominal",
                "scale": {"domain": domain, "range": "category"},
                "legend": {
                    "title": None,
                    "orient": "top",
                    "columns": 2,
                    "labelLimit": _LABEL,
                },
            },
            "opacity": {
                "condition": {"test": "datum.basis === 'historical average'", "value": 0.4},
                "value": 1,
            },
            "tooltip": told,
        },
    }
    return Chart("weeks", title, subtitle, _described(drawn, symbol), drawn, spec, tuple(notes))


def _described(drawn: pl.DataFrame, symbol: str) -> str:
    import polars as pl

    stored = drawn.filter(pl.col("basis") == "stored").drop_nulls("depth")
    if stored.is_empty():
        return "No week has a value yet; the pale bars are the week to come at its average."
    last = stored["last"].max()
    told = [
        f"{what} {depth:.2f} {symbol}"
        for what, depth in stored.filter(pl.col("last") == last).select("what", "depth").iter_rows()
    ]
    return (
        f"Bars by week, the pale ones of the week to come at its average. Week to {last!s}: "
        f"{', '.join(told)}."
    )
