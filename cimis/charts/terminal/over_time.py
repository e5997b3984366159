"""Charts over time in a terminal: panels below each other, as the specification has them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cimis.charts.chart import Chart
from cimis.charts.terminal.canvas import Canvas, Doubles
from cimis.charts.terminal.panel import Pen, day_ticks, legend, panel, seconds

if TYPE_CHECKING:
    import polars as pl

__all__ = ["over_time"]

_HEIGHTS = (14, 9, 7)
"""Lines of one panel, of each of two, and of each of more."""

_BAND = -1
_BARS = ("bar", "rule")
"""Marks that stand on zero."""


def over_time(chart: Chart, pen: Pen) -> list[str]:
    """Return the panels of a chart whose horizontal axis is time."""
    panels: Sequence[Mapping[str, Any]] = chart.spec["vconcat"]
    height = _HEIGHTS[min(len(panels), len(_HEIGHTS)) - 1]
    times = chart.rows["time"]
    first, last = times.min(), times.max()
    assert isinstance(first, dt.date)
    assert isinstance(last, dt.date)
    shown = (float(seconds([first])[0]), float(seconds([last])[0]))
    ticks = day_ticks(_day(first), _day(last))
    lines: list[str] = []
    for one in panels:
        rows = _chosen(chart.rows, one)
        lines += [*([""] if lines else []), *_panel(one, rows, pen, height, shown, ticks)]
    return lines


def _panel(
    one: Mapping[str, Any],
    rows: pl.DataFrame,
    pen: Pen,
    height: int,
    shown: tuple[float, float],
    ticks: Any,
) -> list[str]:
    y = _channel(one, "y")
    field = y["field"]
    domain = _channel(one, "color")["scale"]["domain"]
    labels = [label for label in domain if label in set(rows["label"])]
    banded = field == "total" and "p90" in rows.columns and bool(rows["p90"].is_not_nan().any())
    sides = [field, "p10", "p90"] if banded else [field]
    values = np.concatenate([rows[name].to_numpy() for name in sides])
    barred = _barred(one)
    title = [y["axis"]["title"]]
    if "title" in one:
        title.insert(0, one["title"]["text"])
    said = ": ".join(title)

    def draw(canvas: Canvas) -> None:
        if banded:
            band = (seconds(rows["time"].to_numpy()), *(rows[n].to_numpy() for n in sides[1:]))
            canvas.bars(band[0], band[2], _BAND, foot=band[1])
        for label in labels:
            own = rows.filter(rows["label"] == label)
            x, drawn = seconds(own["time"].to_numpy()), own[field].to_numpy()
            if own["item"][0] in barred:
                canvas.bars(x, drawn, domain.index(label))
            elif _pointed(one):
                canvas.points(x, drawn, domain.index(label))
            else:
                canvas.lines(x, drawn, domain.index(label))
        if field == "value" and "flag" in rows.columns:
            flagged = rows.filter(rows["flag"].is_not_null())
            sign = "x" if pen.plain else "×"
            canvas.sign(seconds(flagged["time"].to_numpy()), flagged[field].to_numpy(), sign)

    keys = [(label, domain.index(label)) for label in labels]
    if banded:
        keys = [("this season", keys[0][1]), ("middle 80 % of others", _BAND)]
    elif len(labels) < 2:
        keys = []
    head = [said, *legend(pen, keys)] if keys else [said]
    bounds = _bounds(values, zero=y["scale"]["zero"])
    return [*head, *panel(pen, height, shown, bounds, draw, x_ticks=ticks)]


def _bounds(values: Doubles, *, zero: bool) -> tuple[float, float]:
    """Return the least and the greatest value, of nothing 0 and 1."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    return (min(low, 0.0), max(high, 0.0)) if zero else (low, high)


def _chosen(rows: pl.DataFrame, one: Mapping[str, Any]) -> pl.DataFrame:
    """Return the rows that a panel shows."""
    import polars as pl

    for step in one.get("transform", ()):
        asked = step.get("filter")
        if isinstance(asked, dict):
            values = asked["oneOf"] if "oneOf" in asked else [asked["equal"]]
            rows = rows.filter(pl.col(asked["field"]).is_in(values))
    numbers = [name for name in ("value", "total", "p10", "p90") if name in rows.columns]
    return rows.with_columns(pl.col(numbers).cast(pl.Float64).fill_null(float("nan")))


def _channel(one: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a channel of a panel, or of the layer that has it and is drawn last."""
    found: Mapping[str, Any] = one["encoding"].get(name) or next(
        layer["encoding"][name]
        for layer in reversed(one["layer"])
        if name in layer.get("encoding", ())
        and (name != "y" or layer["mark"].get("strokeWidth") is not None)
    )
    return found


def _barred(one: Mapping[str, Any]) -> set[str]:
    """Return the items that a panel shows as bars."""
    items: set[str] = set()
    for layer in one["layer"]:
        if layer["mark"]["type"] in _BARS and "y2" in layer.get("encoding", ()):
            asked = layer["transform"][0]["filter"]
            items |= set(asked["oneOf"] if "oneOf" in asked else [asked["equal"]])
    return items


def _pointed(one: Mapping[str, Any]) -> bool:
    """Tell whether a panel shows directions, which no line may join."""
    return all(layer["mark"]["type"] in ("point", *_BARS) for layer in one["layer"])


def _day(time: dt.date) -> dt.date:
    return time.date() if isinstance(time, dt.datetime) else time
