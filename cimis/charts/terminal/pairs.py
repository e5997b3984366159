"""Two stations against each other in a terminal."""

from __future__ import annotations

import numpy as np

from cimis.charts.chart import Chart
from cimis.charts.terminal.canvas import Canvas
from cimis.charts.terminal.panel import Pen, Ticks, number_ticks, panel

__all__ = ["pairs"]

_HEIGHT = 20
_TICK = 10
_LINE = -1


def pairs(chart: Chart, pen: Pen) -> list[str]:
    """Return a plot of pairs with the line on which both would be equal."""
    x, y = (chart.rows[name].to_numpy() for name in ("first", "second"))
    flagged = chart.rows.filter(chart.rows["flag"].is_not_null())
    shown = float(min(x.min(), y.min())), float(max(x.max(), y.max()))
    ends = np.array(shown)
    titles = [chart.spec["layer"][1]["encoding"][side]["axis"]["title"] for side in ("y", "x")]

    def draw(canvas: Canvas) -> None:
        canvas.lines(ends, ends, _LINE)
        canvas.points(x, y, 0)
        canvas.sign(
            flagged["first"].to_numpy(), flagged["second"].to_numpy(), "x" if pen.plain else "×"
        )

    def across(width: int) -> Ticks:
        return number_ticks(*shown, most=max(width // _TICK, 2))

    lines = panel(pen, _HEIGHT, shown, shown, draw, x_ticks=across)
    return [titles[0], *lines, titles[1].rjust(pen.width)]
