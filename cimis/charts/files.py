"""Charts as files: SVG, PNG and PDF, the specification itself, and what a notebook shows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from cimis.charts.chart import Chart
from cimis.charts.spec import VERSION, vega_lite
from cimis.pipeline.errors import UsageError
from cimis.queries.export.replacing import replacing

__all__ = ["SUFFIXES", "check_suffix", "drawn", "mimebundle", "save", "svg"]

VEGA_LITE_MIME = "application/vnd.vegalite.v6+json"

_SCALE = 2
"""Pixels of a PNG for each of the drawing's, so that it is sharp in print and on dense screens."""

_NUMBERED = re.compile(r'(?<=["#(])((?:clip|gradient)[A-Za-z_]*)(\d+)(?=[")])')


def save(
    chart: Chart,
    path: str | Path,
    *,
    theme: str = "light",
    width: int | None = None,
    height: int | None = None,
) -> Path:
    """Write a chart to a file whose suffix picks the form; see :meth:`Chart.save`."""
    target = Path(path).expanduser()
    data = drawn(chart, check_suffix(target), theme=theme, width=width, height=height)
    with replacing(target) as stream:
        stream.write(data)
    return target


def check_suffix(path: Path) -> str:
    """Return a file's suffix; `UsageError` where it names no form of a chart."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(
            f"a chart cannot be written as '{path.name}'",
            hint=f"end the file's name in {', '.join(SUFFIXES)}",
        )
    return suffix


def drawn(
    chart: Chart,
    suffix: str,
    *,
    theme: str = "light",
    width: int | None = None,
    height: int | None = None,
) -> bytes:
    """Return the bytes of a chart's file of one of :data:`SUFFIXES`; the same each time.

    Raises
    ------
    UsageError
        Where the extra ``plot`` is not installed, and for a theme that is none.
    """
    return SUFFIXES[suffix](vega_lite(chart, theme, width=width, height=height))


def svg(chart: Chart, *, theme: str = "light") -> str:
    """Return a chart as SVG."""
    return drawn(chart, ".svg", theme=theme).decode()


def mimebundle(chart: Chart) -> dict[str, Any]:
    """Return a chart in the forms that notebooks know, best first; SVG where it can be drawn."""
    words = f"{chart.title}\n{chart.subtitle}\n{chart.description}"
    shown: dict[str, Any] = {VEGA_LITE_MIME: vega_lite(chart), "text/plain": words}
    try:
        shown["image/svg+xml"] = svg(chart)
    except UsageError:  # the extra is not installed: whoever knows Vega-Lite draws it
        return shown
    return shown


def _svg(spec: dict[str, Any]) -> bytes:
    text: str = _converter().vegalite_to_svg(spec, vl_version=VERSION)
    return _renumbered(text).encode()


def _png(spec: dict[str, Any]) -> bytes:
    made: bytes = _converter().vegalite_to_png(spec, vl_version=VERSION, scale=_SCALE)
    return made


def _pdf(spec: dict[str, Any]) -> bytes:
    made: bytes = _converter().vegalite_to_pdf(spec, vl_version=VERSION)
    return made


def _json(spec: dict[str, Any]) -> bytes:
    return json.dumps(spec, ensure_ascii=False).encode() + b"\n"


def _renumbered(text: str) -> str:
    """Return SVG whose numbered names count from 0: Vega counts on from drawing to drawing."""
    numbers: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        return f"{found[1]}{numbers.setdefault(found[0], len(numbers))}"

    return _NUMBERED.sub(number, text)


def _converter() -> ModuleType:
    try:
        import vl_convert
    except ImportError as error:
        raise UsageError(
            "drawing a chart needs vl-convert, which is not installed",
            hint="pip install 'cimis[plot]'",
        ) from error
    return vl_convert


SUFFIXES: dict[str, Callable[[dict[str, Any]], bytes]] = {
    ".svg": _svg,
    ".png": _png,
    ".pdf": _pdf,
    ".json": _json,
}
"""How a chart becomes a file, by suffix; JSON (as ``x.vl.json``) is the specification itself."""
