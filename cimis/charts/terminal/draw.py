"""A chart as lines of a terminal: what each kind looks like there."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING

from cimis.charts.chart import Chart
from cimis.charts.terminal.calendar import calendar
from cimis.charts.terminal.over_time import over_time
from cimis.charts.terminal.pairs import pairs
from cimis.charts.terminal.panel import Pen
from cimis.charts.terminal.roses import roses

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LEAST_WIDTH", "drawn_lines"]

LEAST_WIDTH = 30

_ASCII = str.maketrans({"·": "-", "×": "x", "–": "-", "°": " ", "²": "2", "³": "3", "█": "#"})

_KINDS: Mapping[str, Callable[[Chart, Pen], list[str]]] = {
    "series": over_time,
    "eto-rain": over_time,
    "cumulated": over_time,
    "gaps": calendar,
    "rose": roses,
    "scatter": pairs,
}


def drawn_lines(
    chart: Chart,
    *,
    width: int = 80,
    plain: bool = False,
    palette: tuple[int, ...] | None = None,
) -> list[str]:
    """Return a chart as lines of text.

    Parameters
    ----------
    chart : Chart
        Of a kind that a terminal shows; of another its description is given.
    width : int
        Characters of a line; at least :data:`LEAST_WIDTH` are taken.
    plain : bool
        ASCII only; letters that it lacks become question marks.
    palette : tuple of int, optional
        Colours, as :data:`cimis.charts.terminal.canvas.COLORS` has them; none by default.
    """
    pen = Pen(max(width, LEAST_WIDTH), plain, palette)
    drawing = _KINDS.get(chart.kind)
    body = textwrap.wrap(chart.description, pen.width) if drawing is None else drawing(chart, pen)
    head = [*textwrap.wrap(chart.title, pen.width), *textwrap.wrap(chart.subtitle, pen.width)]
    lines = [*head, "", *body]
    return [_ascii(line) for line in lines] if plain else lines


def _ascii(line: str) -> str:
    import unicodedata

    spelt = unicodedata.normalize("NFKD", line.translate(_ASCII))
    bare = "".join(sign for sign in spelt if not unicodedata.combining(sign))
    return bare.encode("ascii", "replace").decode()
