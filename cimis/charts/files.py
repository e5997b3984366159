"""Charts as files: SVG, PNG and PDF, the specification itself, and what a notebook shows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.sax.saxutils import escape

from cimis.charts.axes import POINTED
from cimis.charts.chart import Chart
from cimis.charts.spec import VERSION, vega_lite
from cimis.pipeline.errors import UsageError
from cimis.pipeline.extras import needing
from cimis.queries.export.replacing import replacing

__all__ = ["SUFFIXES", "check_drawable", "check_suffix", "drawn", "mimebundle", "save", "svg"]

VEGA_LITE_MIME = "application/vnd.vegalite.v6+json"

_SCALE = 2
"""Pixels of a PNG for each of the drawing's, so that it is sharp in print and on dense screens."""

_PLACES = re.compile(r' (?:d|transform|x|y|x1|x2|y1|y2|width|height)="[^"]*"')
_LONG = re.compile(r"-?\d+\.\d{3,}(?:e-?\d+)?")
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


def check_drawable(path: Path) -> None:
    """Raise `UsageError` where a chart could not be drawn into such a file, whatever it shows."""
    if SUFFIXES[check_suffix(path)] is not _json:
        _converter()


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
    text: str = _converter().vegalite_to_svg(_still(spec), vl_version=VERSION)
    return _described(_PLACES.sub(_rounded, _renumbered(text)), spec).encode()


def _png(spec: dict[str, Any]) -> bytes:
    made: bytes = _converter().vegalite_to_png(_still(spec), vl_version=VERSION, scale=_SCALE)
    return made


def _pdf(spec: dict[str, Any]) -> bytes:
    made: bytes = _converter().vegalite_to_pdf(_still(spec), vl_version=VERSION)
    return made


def _json(spec: dict[str, Any]) -> bytes:
    return json.dumps(spec, ensure_ascii=False).encode() + b"\n"


def _still(spec: dict[str, Any]) -> dict[str, Any]:
    """Return a specification without the layers that are there for a pointer only."""
    kept = dict(spec)
    for several in ("vconcat", "hconcat"):
        if several in spec:
            kept[several] = [_still(one) for one in spec[several]]
    if "layer" in spec:
        kept["layer"] = [
            layer for layer in spec["layer"] if not layer.get("name", "").startswith(POINTED)
        ]
    return kept


def _described(text: str, spec: dict[str, Any]) -> str:
    """Return SVG with the chart's title and description, for those who cannot see it."""
    title = escape(" ".join(spec["title"]["text"]))
    told = f"<title>{title}</title><desc>{escape(spec['description'])}</desc>"
    head, end, rest = text.partition(">")
    return f'{head} role="img"{end}{told}{rest}'


def _rounded(attribute: re.Match[str]) -> str:
    """Return an attribute whose numbers have two decimals: a hundredth of a pixel."""
    return _LONG.sub(lambda number: f"{float(number[0]):.2f}", attribute[0])


def _renumbered(text: str) -> str:
    """Return SVG whose numbered names count from 0: Vega counts on from drawing to drawing."""
    numbers: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        return f"{found[1]}{numbers.setdefault(found[0], len(numbers))}"

    return _NUMBERED.sub(number, text)


def _converter() -> ModuleType:
    with needing("plot", "drawing a chart needs vl-convert, which is not installed"):
        import vl_convert
    return vl_convert


SUFFIXES: dict[str, Callable[[dict[str, Any]], bytes]] = {
    ".svg": _svg,
    ".png": _png,
    ".pdf": _pdf,
    ".json": _json,
}
"""How a chart becomes a file, by suffix; JSON (as ``x.vl.json``) is the specification itself."""
