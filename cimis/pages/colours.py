"""The colours of charts in a page: variables of its style, so that dark needs no new drawing.

Dark and light are those of :mod:`cimis.charts.theme`; paper is light.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from cimis.charts.theme import THEMES, Theme, config_of

__all__ = ["chart_style", "page_theme"]


def page_theme() -> dict[str, Any]:
    """Return a configuration of Vega-Lite whose colours are variables of the page's style."""
    named: dict[str, Any] = {
        part: _variable(part)
        if isinstance(value, str)
        else tuple(_variable(part, place) for place in range(len(value)))
        for part, value in asdict(THEMES["light"]).items()
    }
    config = config_of(Theme(**named))
    # the page around a chart has its ground and its title, and says what it shows
    own = {"background": None, "padding": 2, "aria": False, "text": {"color": _variable("text")}}
    return config | own


def chart_style() -> str:
    """Return the style sheet that gives the variables their colours."""
    light, dark = (_values(THEMES[name]) for name in ("light", "dark"))
    return (
        f":root {{ {light} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}"
    )


def _values(theme: Theme) -> str:
    parts = []
    for part, value in asdict(theme).items():
        if isinstance(value, str):
            parts.append(f"{_name(part)}: {value};")
        else:
            parts += [f"{_name(part, place)}: {one};" for place, one in enumerate(value)]
    return " ".join(parts)


def _name(part: str, place: int | None = None) -> str:
    return f"--chart-{part}" if place is None else f"--chart-{part}-{place}"


def _variable(part: str, place: int | None = None) -> str:
    return f"var({_name(part, place)})"
