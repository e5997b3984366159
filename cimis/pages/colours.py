"""The colours of charts in a page: style variables, so that dark and paper need no new drawing."""

from __future__ import annotations

from typing import Any

__all__ = ["page_theme"]


def page_theme() -> dict[str, Any]:
    """Return a configuration of Vega-Lite whose colours are variables of the page's style."""
    ink, soft, line = "var(--ink)", "var(--soft)", "var(--line)"
    font = 'system-ui, -apple-system, "Segoe UI", Roboto, Arial, "Liberation Sans", sans-serif'
    return {
        "aria": False,  # the frame around a chart says what it shows
        "background": None,
        "font": font,
        "view": {"stroke": None},
        "axis": {
            "labelColor": soft,
            "titleColor": soft,
            "titleFontWeight": "normal",
            "domainColor": line,
            "tickColor": line,
            "gridColor": line,
            "labelFontSize": 11,
            "titleFontSize": 11,
        },
        "legend": {
            "labelColor": ink,
            "titleColor": soft,
            "orient": "top",
            "titleFontWeight": "normal",
        },
        "text": {"color": ink},
        "mark": {"tooltip": True},
    }
