"""The whole Vega-Lite specification of a chart: its rows, title, size and the theme's colours."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from typing import Any

from cimis.charts.chart import ROWS, Chart
from cimis.charts.theme import config_of, theme_of

__all__ = ["SCHEMA", "VERSION", "records", "vega_lite"]

VERSION = "6.4"
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"

WIDTH = 680
_HEIGHT = 260
_PANEL_HEIGHT = 150
_BESIDE = 76
"""Pixels beside the plot: the axis with its title, and the padding."""

_SQUARE = {"rose": 360, "scatter": 420}
"""Kinds whose plots are as high as wide."""

_WEEKS = 54
_LINE = 14
_LINE_NAME = 90
"""Weeks of a calendar; pixels of a line of days, and of its name."""

_LEGEND_CHARACTER, _LEGEND_SIGN = 5.8, 26
"""Pixels of a character of a legend, and of a sign with the space around it."""

_TITLE_CHARACTER, _SUBTITLE_CHARACTER = 8.6, 6.2
"""Pixels of a character, a little more than most take."""


def vega_lite(
    chart: Chart, theme: str = "light", *, width: int | None = None, height: int | None = None
) -> dict[str, Any]:
    """Return a chart as a specification that stands for itself, ready for Vega-Lite 6.

    Parameters
    ----------
    chart : Chart
    theme : {"light", "dark"}
    width : int, optional
        Pixels of the whole, about: titles of axes and legends may need a few more.
    height : int, optional
        Pixels of the plot, or of all its panels together; each kind has a height of its own.

    Raises
    ------
    UsageError
        For a theme that is none.
    """
    whole = width or WIDTH
    config = config_of(theme_of(theme))
    config["view"] |= _sizes(chart, whole - _BESIDE, height)
    return {
        "$schema": SCHEMA,
        "title": _title(chart, whole),
        "description": chart.description,
        "datasets": {ROWS: records(chart)} if _reads(chart, ROWS) else {},
        **_fitted(chart.spec, whole - _BESIDE),
        "config": config,
    }


def records(chart: Chart) -> list[dict[str, Any]]:
    """Return the rows that the specification reads, a dictionary each, nulls left out.

    Days are ``2024-06-01``, times ``2024-06-01T13:00Z``: the scales are those of UTC, so that PST
    is drawn as it is wherever the chart is looked at.
    """
    import polars as pl

    read = [name for name in chart.rows.columns if _reads(chart, name)]
    rows = chart.rows.select(read).with_columns(
        pl.selectors.date().dt.to_string("%Y-%m-%d"),
        pl.selectors.datetime().dt.to_string("%Y-%m-%dT%H:%MZ"),
        pl.selectors.float().fill_nan(None),
    )
    return [
        {name: value for name, value in row.items() if value is not None} for row in rows.to_dicts()
    ]


def _reads(chart: Chart, column: str) -> bool:
    text = json.dumps(chart.spec)
    return f'"{column}"' in text or f"datum.{column}" in text


def _sizes(chart: Chart, inner: int, height: int | None) -> dict[str, Any]:
    """Return the sizes that views take which name none themselves."""
    panels = chart.spec.get("vconcat", ())
    each = _HEIGHT if len(panels) < 2 else _PANEL_HEIGHT
    if height is not None:
        each = max(height // max(len(panels), 1), 1)
    beside = len(chart.spec.get("hconcat", ())) or 1
    sizes: dict[str, Any] = {"continuousWidth": inner // beside, "continuousHeight": each}
    if chart.kind in _SQUARE:
        side = min(inner // beside, height or _SQUARE[chart.kind])
        return {"continuousWidth": side, "continuousHeight": side}
    if chart.kind == "gaps":
        step = inner / _WEEKS if panels else _LINE
        sizes |= {"discreteWidth": {"step": step}, "discreteHeight": {"step": step}}
        sizes["continuousWidth"] = inner - _LINE_NAME
    return sizes


def _fitted(node: Any, width: int) -> Any:
    """Return a part of a specification whose legends have as many columns as fit the width."""
    if isinstance(node, list):
        return [_fitted(part, width) for part in node]
    if not isinstance(node, Mapping):
        return node
    kept = {name: _fitted(part, width) for name, part in node.items()}
    legend, scale = kept.get("legend"), kept.get("scale")
    if isinstance(legend, dict) and isinstance(scale, dict) and "domain" in scale:
        labels: list[str] = legend.get("values") or scale["domain"]
        each = max(map(len, labels)) * _LEGEND_CHARACTER + _LEGEND_SIGN
        kept["legend"] = legend | {"columns": max(min(len(labels), int(width / each)), 1)}
    return kept


def _title(chart: Chart, width: int) -> dict[str, Any]:
    title = textwrap.wrap(chart.title, max(int(width / _TITLE_CHARACTER), 1))
    lines = textwrap.wrap(chart.subtitle, max(int(width / _SUBTITLE_CHARACTER), 1))
    return {"text": title, "subtitle": lines}
