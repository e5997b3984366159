"""Wind roses in a terminal: a bar for each sector, cut by classes of speed."""

from __future__ import annotations

import itertools

import polars as pl

from cimis.charts.chart import Chart
from cimis.charts.rose import SECTORS
from cimis.charts.terminal.canvas import sign_of
from cimis.charts.terminal.panel import Pen, side_by_side

__all__ = ["roses"]

_BESIDE = 11
_LEAST = 10
_SHADES = "·░▒▓█"


def roses(chart: Chart, pen: Pen) -> list[str]:
    """Return the bars of each station, from north clockwise."""
    layers = chart.spec.get("layer") or chart.spec["hconcat"][0]["layer"]
    classes: list[str] = layers[1]["encoding"]["color"]["scale"]["domain"]
    signs = [sign_of(ink, plain=True) if pen.plain else _SHADES[ink] for ink in range(len(classes))]
    keys = [
        (f"{pen.paint(sign, ink)} {word}", len(word) + 2)
        for ink, (sign, word) in enumerate(zip(signs, classes, strict=True))
    ]
    lines = side_by_side(pen, keys)
    views = [chart.spec] if "layer" in chart.spec else chart.spec["hconcat"]
    longest = chart.rows.group_by("station", "sector").agg(pl.col("share").sum())["share"].max()
    room = max(pen.width - _BESIDE, _LEAST)
    for view in views:
        station = view["transform"][0]["filter"]["equal"]
        own = chart.rows.filter(pl.col("station") == station)
        title = [view["title"]["text"]] if "title" in view else []
        lines += ["", *title]
        shares = {(row[0], row[1]): row[2] for row in own.select("sector", "speed", "share").rows()}
        for sector in SECTORS:
            parts = [shares.get((sector, word), 0.0) for word in classes]
            ends = [round(sum(parts[: n + 1]) / (longest or 1.0) * room) for n in range(len(parts))]
            bar = "".join(
                pen.paint(sign * (end - begin), ink)
                for ink, (sign, (begin, end)) in enumerate(
                    zip(signs, itertools.pairwise([0, *ends]), strict=True)
                )
            )
            lines.append(f"{sector:<3} {sum(parts):>5.1%} {bar}".rstrip())
    return lines
