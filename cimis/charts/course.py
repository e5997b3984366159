"""The course of a network through a span: ETo of the stations by day or month, normal, and rain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cimis.charts.chart import ROWS, Chart

if TYPE_CHECKING:
    import polars as pl

__all__ = ["course"]

_BLUE, _ORANGE, _GREY = "#0072b2", "#d55e00", "#8c8c8c"
_MEDIAN, _NORMAL = "ETo, median of the stations", "Normal"
_UTC = {"type": "utc"}
_FORM = {"day": "%Y-%m-%d", "month": "%Y-%m"}
_MUTE = {"aria": False}
"""Marks need no names of their own: the description says what they show."""

_TICKS = {"year": "%Y", "quarter": "%b", "month": "%b", "week": "%b %-d", "date": "%b %-d"}


def course(
    rows: pl.DataFrame,
    *,
    by: str,
    symbol: str,
    title: str,
    subtitle: str = "",
    notes: Sequence[str] = (),
) -> Chart:
    """Return a chart of ETo per day over the stations, with its normal, above one of rain.

    Parameters
    ----------
    rows : polars.DataFrame
        A row a day or month: ``begin`` (Date), ``median``, ``p10``, ``p90`` and ``normal`` of ETo
        per day over the stations, ``rain`` (mean over them), ``stations`` (how many have ETo).
    by : {"day", "month"}
    symbol : str
        The unit of depths.
    title, subtitle : str
    notes : sequence of str
        To be said as well.

    Returns
    -------
    Chart
        Of the kind ``course``, with these rows.
    """
    x = {
        "field": "begin",
        "type": "temporal",
        "scale": _UTC,
        "timeUnit": "utcyearmonth" if by == "month" else "utcyearmonthdate",
        "bandPosition": 0.5,
        "axis": {"title": None, "grid": False, "tickCount": 6, "format": _TICKS},
    }
    told: list[dict[str, Any]] = [
        {"field": "when", "type": "nominal", "title": by.capitalize()},
        *_numbers(
            ("median", f"ETo, median ({symbol}/day)"),
            ("normal", f"Normal ({symbol}/day)"),
            ("p10", "Lowest tenth below"),
            ("p90", "Highest tenth above"),
            ("rain", f"Rain, mean ({symbol})"),
        ),
        {"field": "stations", "type": "quantitative", "title": "Stations"},
    ]
    known = rows["normal"].count() > 0
    spec: dict[str, Any] = {
        "data": {"name": ROWS},
        "transform": [{"calculate": f"utcFormat(datum.begin, '{_FORM[by]}')", "as": "when"}],
        "vconcat": [
            {
                "encoding": {
                    "x": x,
                    "y": _axis("median", f"ETo ({symbol} per day)"),
                    "tooltip": told,
                },
                "layer": [
                    _band(),
                    *([_line("normal", _GREY, _NORMAL, strokeDash=[5, 3])] if known else []),
                    _line("median", _ORANGE, _MEDIAN, point=True),
                ],
            },
            {
                "mark": {"type": "bar", "color": _BLUE, "width": {"band": 0.7}, **_MUTE},
                "encoding": {
                    "x": x,
                    "y": _axis("rain", f"Rain ({symbol})"),
                    "tooltip": told,
                },
            },
        ],
        "spacing": 12,
    }
    return Chart("course", title, subtitle, _described(rows, by, symbol), rows, spec, tuple(notes))


def _numbers(*pairs: tuple[str, str]) -> list[dict[str, Any]]:
    return [
        {"field": name, "type": "quantitative", "title": title, "format": ",.3~r"}
        for name, title in pairs
    ]


def _axis(field: str, title: str) -> dict[str, Any]:
    return {
        "field": field,
        "type": "quantitative",
        "scale": {"zero": True, "nice": True},
        "axis": {"title": title, "tickCount": 4},
    }


def _band() -> dict[str, Any]:
    return {
        "mark": {"type": "area", "opacity": 0.22, "color": _ORANGE, **_MUTE},
        "encoding": {
            "y": {"field": "p10", "type": "quantitative"},
            "y2": {"field": "p90"},
        },
    }


def _line(field: str, color: str, label: str, **mark: Any) -> dict[str, Any]:
    point = (
        {"point": {"filled": True, "size": 30, "color": color, **_MUTE}}
        if mark.pop("point", 0)
        else {}
    )
    return {
        "mark": {"type": "line", "strokeWidth": 2, **_MUTE, **mark, **point},
        "encoding": {
            "y": {"field": field, "type": "quantitative"},
            "color": {
                "datum": label,
                "type": "nominal",
                "scale": {
                    "domain": [_MEDIAN, _NORMAL],
                    "range": [_ORANGE, _GREY],
                },
                "legend": {"title": None, "orient": "top", "symbolType": "stroke"},
            },
        },
    }


def _described(rows: pl.DataFrame, by: str, symbol: str) -> str:
    there = rows.drop_nulls("median").sort("median")
    if there.is_empty():
        return "No station has ETo in these days."
    low, high = there.row(0, named=True), there.row(-1, named=True)
    form = "%Y-%m" if by == "month" else "%Y-%m-%d"
    ends = [f"{one['median']:.2f} {symbol} a day in {one['begin']:{form}}" for one in (low, high)]
    return (
        f"ETo of the stations by {by}, with the normal as a broken line and the middle eight "
        f"tenths of the stations as a band; rain as bars. The median is lowest, {ends[0]}, and "
        f"highest, {ends[1]}."
    )
