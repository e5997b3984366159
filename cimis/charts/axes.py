"""Parts that specifications share: axes of time and of values, marks of lines and of flags."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from cimis.pipeline.field.items import Scope
from cimis.pipeline.field.time import HOURS, PER_DAY

__all__ = [
    "DAY",
    "POINTED",
    "bars",
    "colors",
    "dots",
    "flags",
    "line",
    "pointed",
    "said",
    "time_axis",
    "value_axis",
    "when",
]

_UTC = {"type": "utc"}
_TIMES = {
    "year": "%Y",
    "quarter": "%b",
    "month": "%b",
    "week": "%b %-d",
    "date": "%b %-d",
    "day": "%b %-d",
    "hours": "%H:%M",
}
"""How ticks are named: months in short, days with their month, whatever the length of the axis."""

_FEW_DAYS = 10
_MOST_BARS = 450

POINTED = "pointed"

DAY = "%Y-%m-%d"


def time_axis(span: tuple[dt.date, dt.date]) -> dict[str, Any]:
    """Return the channel of time: PST, drawn as UTC (see :mod:`cimis.charts.spec`).

    Of few days each has a tick, and nothing between them.
    """
    few = (span[1] - span[0]).days < _FEW_DAYS
    count: Any = {"interval": "day", "step": 1} if few else 8
    axis = {"grid": False, "title": None, "tickCount": count, "format": _TIMES}
    return {"field": "time", "type": "temporal", "scale": _UTC, "axis": axis}


def value_axis(title: str, *, field: str = "value", zero: bool = False) -> dict[str, Any]:
    """Return the channel of values, with its title and unit."""
    scale = {"zero": zero, "nice": True}
    axis = {"title": title, "tickCount": 5}
    return {"field": field, "type": "quantitative", "scale": scale, "axis": axis}


def when(scope: Scope) -> dict[str, Any]:
    """Return the transform that says a mark's time in words, as ``when``."""
    form = DAY if scope is Scope.DAILY else f"{DAY} %H:%M PST"
    return {"calculate": f"utcFormat(datum.time, '{form}')", "as": "when"}


def said(symbol: str) -> list[dict[str, Any]]:
    """Return what the pointer is told of a value."""
    return [
        {"field": "label", "type": "nominal", "title": "of"},
        {"field": "when", "type": "nominal", "title": "when"},
        {"field": "value", "type": "quantitative", "title": symbol or "value", "format": ",.4~g"},
        {"field": "flag", "type": "nominal", "title": "flag"},
    ]


def bars(scope: Scope, span: tuple[dt.date, dt.date]) -> dict[str, Any]:
    """Return a layer of bars a day or an hour wide; of so many that they would vanish, of lines.

    A day stands in the middle of its bar, the end of an hour at the right of its.
    """
    foot = {"y2": {"datum": 0}}
    if ((span[1] - span[0]).days + 1) * PER_DAY[scope] > _MOST_BARS:
        return {"mark": {"type": "rule", "strokeWidth": 1, "opacity": 0.85}, "encoding": foot}
    half = len(HOURS) // 2
    edges = {"begin": -half, "end": half} if scope is Scope.DAILY else {"begin": -1, "end": 0}
    return {
        "transform": [
            {"calculate": f"utcOffset('hours', datum.time, {hours})", "as": name}
            for name, hours in edges.items()
        ],
        "mark": {"type": "bar", "opacity": 0.85},
        "encoding": {
            "x": {"field": "begin", "type": "temporal", "scale": _UTC},
            "x2": {"field": "end"},
            **foot,
        },
    }


def colors(domain: Sequence[str], legend: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the channel of labels' colours; ``domain`` has the order in which they take them."""
    shown = None if legend is None else {"symbolType": "circle", "symbolOpacity": 1, **legend}
    scale = {"domain": list(domain), "range": "category"}
    return {"field": "label", "type": "nominal", "scale": scale, "legend": shown}


def line(**encoding: Any) -> dict[str, Any]:
    """Return a layer of lines that break where a value is missing."""
    return {"mark": {"type": "line", "clip": True}, "encoding": encoding}


def dots() -> dict[str, Any]:
    """Return a layer of what no line shows: values with nothing before and after them."""
    return {"transform": [{"filter": "datum.alone"}], "mark": {"type": "point"}}


def pointed(told: list[dict[str, Any]], y: Mapping[str, Any]) -> dict[str, Any]:
    """Return an unseen layer that the pointer meets on any height of a day; pictures lack it."""
    return {
        "name": POINTED,
        "mark": {"type": "rule", "opacity": 0},
        "encoding": {"y": dict(y), "tooltip": told},
    }


def flags() -> dict[str, Any]:
    """Return a layer of crosses on flagged values."""
    return {
        "transform": [{"filter": "isValid(datum.flag) && isValid(datum.value)"}],
        "mark": {"type": "point", "style": "flag"},
        "encoding": {"color": None},
    }
