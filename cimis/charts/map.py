"""Maps: stations as points over the counties' outlines, coloured by a value or a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cimis.charts.chart import ROWS, Chart
from cimis.charts.outlines import COUNTIES_LAYER, outlines

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Shade", "station_map"]

_ALBERS = {"type": "conicEqualArea", "parallels": [34, 40.5], "rotate": [120, 0]}
"""California's own equal-area projection (California Albers, EPSG:3310)."""

_LINE = "#8c8c8c"
_NONE = "#8c8c8c"
_NAMED = 12
_COLORS = {"sound": "#0072b2", "suspect": "#e69f00", "bad": "#d55e00"}
"""Verdicts in Okabe and Ito's colours, which people with colour blindness can tell apart."""

_GRADES = ("#414487", "#2a788e", "#22a884", "#7ad151", "#fde725")
"""Of viridis, without its darkest end, which a dark page would swallow."""

_SHAPES = ("circle", "triangle-up", "diamond", "square", "triangle-down")


@dataclass(frozen=True, slots=True)
class Shade:
    """What colours the points of a map.

    Parameters
    ----------
    column : str
        Of the rows: a number, or a text where ``words`` are given.
    title : str
        Beside the scale, with the unit in brackets.
    diverging : bool
        Whether the value is a difference, and 0 the middle of the scale.
    words : sequence of str, optional
        The texts in their order, at most five and one that says nothing is known, last; each has a
        colour and a shape: verdicts their own, others from dark to light.
    decimals : int
        Of the number beside the pointer.
    reverse : bool
        Whether small values are the dark ones.
    """

    column: str
    title: str
    diverging: bool = False
    words: Sequence[str] = ()
    decimals: int = 1
    reverse: bool = False


def station_map(
    rows: pl.DataFrame,
    shade: Shade | None = None,
    *,
    title: str,
    subtitle: str = "",
    counties: Sequence[str] | None = None,
    others: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
) -> Chart:
    """Return a map of stations.

    Parameters
    ----------
    rows : polars.DataFrame
        A row a station: ``station`` (number), ``name``, ``county``, ``latitude`` and ``longitude``
        (degrees; null where not known), the column of the shade, and what else the tooltip tells.
        Stations without coordinates are named in the chart's notes; those without a value are drawn
        as empty rings.
    shade : Shade, optional
        Without one every station is drawn alike, with its name beside it: a map of its place.
    title, subtitle : str
    counties : sequence of str, optional
        Draw these counties alone, by the names that CIMIS and the Census Bureau share.
    others : mapping of str to str, optional
        Further columns that the tooltip tells, with what they are called there.
    notes : sequence of str
        To be said as well.

    Returns
    -------
    Chart
        Of the kind ``map``; its rows are those given, without the stations that have no place.
    """
    import polars as pl

    placed = pl.col("latitude").is_not_null() & pl.col("longitude").is_not_null()
    known, lost = rows.filter(placed), rows.filter(~placed)
    layers: list[dict[str, Any]] = [_land(counties)]
    if shade is None:
        layers += _places()
    else:
        layers += _points(shade, others or {}, counties is None, _farthest(known, shade))
        if known[shade.column].count() == 0:  # a scale without values cannot be drawn
            layers.pop()
    spec = {
        "data": {"name": ROWS},
        "projection": _ALBERS,
        "layer": layers,
        "config": {"view": {"stroke": None}},
    }
    told = (*notes, *_lost(lost), *_empty(known, shade))
    text = _described(known, shade)
    return Chart("map", title, subtitle, text, known, spec, told)


def _land(counties: Sequence[str] | None) -> dict[str, Any]:
    topology = outlines(counties)
    return {
        "data": {"values": topology, "format": {"type": "topojson", "feature": COUNTIES_LAYER}},
        "mark": {
            "type": "geoshape",
            "fill": _LINE,
            "fillOpacity": 0.08,
            "stroke": _LINE,
            "strokeWidth": 0.6,
            "tooltip": None,
            "aria": False,
        },
    }


def _at() -> dict[str, Any]:
    return {
        "longitude": {"field": "longitude", "type": "quantitative"},
        "latitude": {"field": "latitude", "type": "quantitative"},
    }


def _tooltip(shade: Shade | None, others: Mapping[str, str]) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = [
        {"field": "name", "type": "nominal", "title": "Station"},
        {"field": "station", "type": "nominal", "title": "Number"},
        {"field": "county", "type": "nominal", "title": "County"},
    ]
    if shade is not None:
        one: dict[str, Any] = {"field": shade.column, "title": shade.title, "type": "nominal"}
        if not shade.words:
            one |= {"type": "quantitative", "format": f",.{shade.decimals}f"}
        told.append(one)
    told += [{"field": name, "type": "nominal", "title": text} for name, text in others.items()]
    return told


def _places() -> list[dict[str, Any]]:
    """Return points alike, with the station's name beside each."""
    return [
        {
            "mark": {
                "type": "point",
                "filled": True,
                "size": 90,
                "color": "#d55e00",
                "aria": False,
            },
            "encoding": _at() | {"tooltip": _tooltip(None, {})},
        },
        {
            "mark": {"type": "text", "dx": 9, "align": "left", "fontWeight": "bold", "aria": False},
            "encoding": _at() | {"text": {"field": "name", "type": "nominal"}},
        },
    ]


def _farthest(known: pl.DataFrame, shade: Shade) -> float:
    """Return how far from 0 the values of a diverging scale reach."""
    values = known[shade.column] if shade.diverging else None
    far = None if values is None else values.abs().max()
    return float(far) if isinstance(far, int | float) and far else 1.0


def _points(
    shade: Shade, others: Mapping[str, str], state: bool, far: float
) -> list[dict[str, Any]]:
    tooltip = _tooltip(shade, others)
    # the corner towards Nevada is empty on a map of the state
    legend: dict[str, Any] = {"orient": "top-right"}
    if not state:
        legend = {"orient": "bottom"} | ({"columns": 3} if shade.words else {})
    there = f"datum[{shade.column!r}] !== null"
    color: dict[str, Any] = {"field": shade.column, "title": shade.title, "legend": legend}
    encoding = _at() | {"color": color, "tooltip": tooltip}
    if shade.words:
        words = list(shade.words)
        colors = [_COLORS.get(word, grade) for word, grade in zip(words, _GRADES, strict=False)]
        shapes = list(_SHAPES[: len(words) - 1])
        color |= {
            "type": "nominal",
            "scale": {"domain": words, "range": [*colors[: len(words) - 1], _NONE]},
        }
        encoding["shape"] = {
            "field": shade.column,
            "title": shade.title,
            "legend": legend,
            "type": "nominal",
            "scale": {"domain": words, "range": [*shapes, "cross"]},
        }
    else:
        few_to_many = _GRADES if shade.reverse else _GRADES[::-1]
        scale: dict[str, Any] = {"range": list(few_to_many), "interpolate": "lab"}
        if shade.diverging:
            # as far to each side, so that a colour means as much on both
            scale = {"scheme": "blueorange", "domain": [-far, far]}
        color |= {"type": "quantitative", "scale": scale}
    size = 55 if state else 100
    # a name for each of hundreds of points would drown the words that say what the map shows
    mark = {"type": "point", "filled": True, "size": size, "opacity": 1, "aria": False}
    ring = mark | {"filled": False, "size": size * 0.8, "color": _NONE, "strokeWidth": 1.2}
    edge = {"stroke": "#7a7a7a", "strokeWidth": 0.6}
    return [
        {"transform": [{"filter": f"!({there})"}], "mark": ring, "encoding": _rings(tooltip)},
        {"transform": [{"filter": there}], "mark": mark | edge, "encoding": encoding},
    ]


def _rings(tooltip: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return _at() | {"tooltip": list(tooltip)}


def _lost(lost: pl.DataFrame) -> tuple[str, ...]:
    """Say which stations have no place on the map."""
    if lost.is_empty():
        return ()
    some = [_called(row["name"], row["station"]) for row in lost.to_dicts()]
    more = f" and {len(some) - _NAMED} more" if len(some) > _NAMED else ""
    who = "1 station has" if len(some) == 1 else f"{len(some)} stations have"
    names = ", ".join(some[:_NAMED])
    return (f"{who} no coordinates in the list of stations, so no place here: {names}{more}",)


def _called(name: str | None, number: int) -> str:
    alone = f"station {number}"
    return alone if name in (None, "", alone) else f"{name} ({number})"


def _empty(known: pl.DataFrame, shade: Shade | None) -> tuple[str, ...]:
    missing = 0 if shade is None else known[shade.column].null_count()
    if not missing:
        return ()
    return (f"{missing} of {known.height} stations have no value and are drawn as empty rings",)


def _described(known: pl.DataFrame, shade: Shade | None) -> str:
    """Return in words what the map shows: how many stations, and which are lowest and highest."""
    if shade is None:
        where = ", ".join(
            f"{row['name']} at {row['latitude']:.4f}, {row['longitude']:.4f}"
            for row in known.head(_NAMED).to_dicts()
        )
        return f"Map of California's counties with {where}."
    there = known.drop_nulls(shade.column).sort(shade.column)
    text = f"Map of {known.height} station{'' if known.height == 1 else 's'}."
    if there.is_empty():
        return f"{text} None has a value."
    if shade.words:
        counts = dict(there[shade.column].value_counts().iter_rows())
        met = [f"{word}: {counts[word]}" for word in shade.words if word in counts]
        return f"{text} {shade.title}: {', '.join(met)}."
    low, high = there.row(0, named=True), there.row(-1, named=True)
    ends = [f"{row['name']} with {row[shade.column]:,.{shade.decimals}f}" for row in (low, high)]
    told = f"{shade.title}: lowest at {ends[0]}, highest at {ends[1]}."
    return f"{text} {told}".replace(" -", " \N{MINUS SIGN}")
