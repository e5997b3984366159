"""Themes of charts: their colours, light and dark, as Vega-Lite's configuration.

The colours of categories are those of Okabe and Ito ("Color Universal Design", 2008), which people
with any common form of colour blindness can tell apart, in an order that differs in lightness too;
the dark theme takes the lighter of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cimis.pipeline.errors import UsageError

__all__ = ["FONT", "THEMES", "Theme", "config_of", "theme_of"]

FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
"""The first is free and has Arial's widths, so that a chart is laid out alike everywhere."""


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of a chart, as ``#rrggbb``.

    Attributes
    ----------
    background, text, muted, grid : str
        Of the ground, of titles, of labels, of lines behind the data.
    categories : tuple of str
        Of lines, bars and points, in order; rain is drawn in the first, ET in the second.
    there : tuple of str
        Of days, from one without a record to one with all values.
    speeds : tuple of str
        Of classes of wind speed, from weak to strong.
    band, median : str
        Of what is normal.
    flag : str
        Of the marks on flagged values.
    """

    background: str
    text: str
    muted: str
    grid: str
    categories: tuple[str, ...]
    there: tuple[str, ...]
    speeds: tuple[str, ...]
    band: str
    median: str
    flag: str


THEMES: dict[str, Theme] = {
    "light": Theme(
        background="#ffffff",
        text="#1a1a1a",
        muted="#4d4d4d",
        grid="#e3e3e3",
        categories=(
            *("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"),
        ),
        there=("#000000", "#d55e00", "#f0c05a", "#a9d3f0", "#4a9ccc"),
        speeds=("#cfe3f1", "#8fc1e3", "#e69f00", "#d55e00", "#6b1f00"),
        band="#c9c9c9",
        median="#707070",
        flag="#000000",
    ),
    "dark": Theme(
        background="#16191d",
        text="#f2f2f2",
        muted="#c4c4c4",
        grid="#33383f",
        categories=(
            *("#56b4e9", "#e69f00", "#1fc497", "#e29bc3", "#f0e442", "#ff7f3f", "#ffffff"),
        ),
        there=("#ffffff", "#ff7f3f", "#ffe08a", "#3d7ea6", "#24506b"),
        speeds=("#24506b", "#3d8fc0", "#e69f00", "#ff7f3f", "#ffe0c2"),
        band="#4a5058",
        median="#a8b0ba",
        flag="#ffffff",
    ),
}


def theme_of(name: str) -> Theme:
    """Return the theme of a name; `UsageError` for a name that is none."""
    try:
        return THEMES[name]
    except KeyError:
        raise UsageError(f"unknown theme '{name}'", hint="choose light or dark") from None


def config_of(theme: Theme) -> dict[str, Any]:
    """Return a theme as the ``config`` of a Vega-Lite specification.

    Marks name their part by a style (``band``, ``median``, ``flag``, ``equal``, ``note``), and
    scales their colours by a range (``category``; ``ordinal`` of days, ``ramp`` of speeds), so that
    specifications hold none.
    """
    plain = {"labelColor": theme.muted, "titleColor": theme.text}
    return {
        "background": theme.background,
        "font": FONT,
        "padding": 12,
        "view": {"stroke": None},
        "axis": plain
        | {
            "gridColor": theme.grid,
            "domainColor": theme.muted,
            "tickColor": theme.muted,
            "labelFontSize": 11,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "labelOverlap": "greedy",
            "labelSeparation": 4,
        },
        "legend": plain
        | {"orient": "top", "title": None, "labelFontSize": 12, "labelLimit": 300, "offset": 6},
        "header": plain | {"labelFontSize": 12, "titleFontSize": 12},
        "title": {
            "anchor": "start",
            "frame": "bounds",
            "color": theme.text,
            "subtitleColor": theme.muted,
            "fontSize": 16,
            "subtitleFontSize": 12,
            "subtitlePadding": 4,
            "offset": 10,
        },
        "range": {
            "category": list(theme.categories),
            "ordinal": list(theme.there),
            "ramp": list(theme.speeds),
        },
        "mark": {"color": theme.categories[0], "aria": False},  # the description says the figures
        "line": {"strokeWidth": 1.5},
        "bar": {"discreteBandSize": 1},
        "point": {"filled": True, "size": 26},
        "style": {
            "band": {"color": theme.band, "opacity": 0.75},
            "median": {"color": theme.median, "strokeDash": [5, 3], "strokeWidth": 1.5},
            "flag": {
                "shape": "M-.7,-.7L.7,.7M.7,-.7L-.7,.7",
                "size": 30,
                "filled": False,
                "color": theme.flag,
                "strokeWidth": 1.4,
            },
            "equal": {"color": theme.muted, "strokeDash": [4, 3]},
            "ring": {"color": theme.grid, "filled": False},
            "note": {"color": theme.muted, "fontSize": 11},
            "name": {"color": theme.text, "fontSize": 13, "fontWeight": "bold"},
        },
    }
