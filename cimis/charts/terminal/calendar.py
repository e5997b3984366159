"""A calendar of gaps in a terminal: a line a month with a sign a day, or a line a year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from cimis.charts.chart import Chart
from cimis.charts.gaps import CLASSES, MOST_CALENDARS
from cimis.charts.terminal.panel import Pen, side_by_side

__all__ = ["calendar"]

_SIGNS = {False: "·○░▓█", True: ".0-+#"}
_COLORS = {"no record": -1, "no value": 1, "some values": 4, "most values": 5, "all values": 0}
_YEAR_DAYS = 366
_COLUMN = 31 + 8 + 2
"""Characters of a month's line, and between two of them."""


def calendar(chart: Chart, pen: Pen) -> list[str]:
    """Return the months of each station and year, side by side where they fit.

    Of more years than :data:`MOST_CALENDARS` each is a line, a sign a week (or more, where the
    terminal is narrow): the worst day in it.
    """
    signs = dict(zip(CLASSES, _SIGNS[pen.plain], strict=True))
    held = [kind for kind in CLASSES if kind in set(chart.rows["there"])]
    keys = [(f"{pen.paint(signs[k], _COLORS[k])} {k}", len(k) + 2) for k in held[::-1]]
    years = chart.rows["line"].unique(maintain_order=True).to_list()
    if len(years) > MOST_CALENDARS:
        return [*side_by_side(pen, keys), "", *_years(chart.rows, years, pen, signs)]
    lines = side_by_side(pen, keys)
    months = chart.rows.with_columns(month=pl.col("date").dt.strftime("%Y-%m"))
    for line in years:
        own = months.filter(pl.col("line") == line)
        lines += ["", line]
        drawn = []
        for (month,), days in own.group_by("month", maintain_order=True):
            first = days["date"].dt.day()[0]
            text = "".join(pen.paint(signs[kind], _COLORS[kind]) for kind in days["there"])
            drawn.append((f"{month} {' ' * (first - 1)}{text}", 8 + first - 1 + days.height))
        lines += _beside(drawn, max(pen.width // _COLUMN, 1))
    return lines


def _years(
    rows: pl.DataFrame, years: Sequence[str], pen: Pen, signs: Mapping[str, str]
) -> list[str]:
    side = max(map(len, years))
    days = next((n for n in (7, 14, 28) if side + 1 + _YEAR_DAYS // n < pen.width), 56)
    order = {kind: place for place, kind in enumerate(CLASSES)}
    worst = rows.group_by(
        "line", ((pl.col("date").dt.ordinal_day() - 1) // days).alias("part"), maintain_order=True
    ).agg(pl.col("there").replace_strict(order, return_dtype=pl.Int32).min())
    lines = []
    for year in years:
        own = worst.filter(pl.col("line") == year)
        before = " " * int(own["part"][0])
        kinds = [CLASSES[place] for place in own["there"]]
        text = "".join(pen.paint(signs[kind], _COLORS[kind]) for kind in kinds)
        lines.append(f"{year:>{side}} {before}{text}")
    return lines


def _beside(months: list[tuple[str, int]], columns: int) -> list[str]:
    """Return months in columns, read downwards."""
    rows = -(-len(months) // columns)
    lines = []
    for row in range(rows):
        parts = months[row::rows]
        padded = [text + " " * (_COLUMN - size) for text, size in parts[:-1]]
        lines.append("".join([*padded, parts[-1][0]]).rstrip())
    return lines
