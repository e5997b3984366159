"""A wind rose: how often the wind blows from where, and how strongly."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from cimis.charts.chart import ROWS, Chart
from cimis.charts.long import check_some
from cimis.charts.words import called, listed, span_words, station_word
from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Standard

if TYPE_CHECKING:
    import polars as pl

__all__ = ["MOST_ROSES", "SECTORS", "rose"]

SECTORS = (
    *("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE"),
    *("S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW"),
)
"""From where the wind blows, clockwise."""

MOST_ROSES = 4

_CIRCLE = 360
_WIDTH = _CIRCLE / len(SECTORS)
_DRAWN = 0.92
"""Share of a sector's angle that its petal takes."""

_SPEEDS = {
    Standard.METRIC: (0.5, 2.0, 3.0, 4.0, 6.0),
    Standard.ENGLISH: (1.0, 4.0, 7.0, 10.0, 13.0),
}
"""Edges of the classes of speed in m/s and mph; what is below the first is calm."""

_HOLE = 0.12
"""Radius of the calm middle, of the whole."""


def rose(
    hours: pl.DataFrame,
    names: Mapping[int, str],
    *,
    standard: Standard = Standard.METRIC,
    span: tuple[dt.date, dt.date],
    symbol: str,
    notes: tuple[str, ...] = (),
) -> Chart:
    """Return wind roses: shares of the hours by sixteen sectors and five classes of speed.

    Hours without direction or speed do not count; calm ones have no sector.

    Parameters
    ----------
    hours : polars.DataFrame
        ``station``, ``direction`` (degrees from north, from where it blows) and ``speed``.
    names : mapping of int to str
        Stations' names.
    standard : Standard
        Whose units the speeds have: m/s or mph.
    span : tuple of date
        First and last day.
    symbol : str
        The unit of speed.

    Returns
    -------
    Chart
        Its rows: ``station``, ``sector``, ``speed`` (the class in words), ``hours``, ``share`` (of
        all hours that count, calm ones too), and where the petal lies: ``begin`` and ``end``
        (degrees), ``inner`` and ``outer``.

    Raises
    ------
    NoDataError
        Where no hour has both.
    UsageError
        For more than four stations.
    """
    import polars as pl

    stations = hours["station"].unique().sort().to_list()
    if len(stations) > MOST_ROSES:
        raise UsageError(
            f"{len(stations)} wind roses do not fit beside each other",
            hint=f"name at most {MOST_ROSES} stations",
        )
    both = pl.col("direction").is_not_null() & pl.col("speed").is_not_null()
    counted = hours.filter(both)
    check_some(counted["speed"], "wind speed with direction (hourly)")
    edges, words = _SPEEDS[standard], _words(_SPEEDS[standard], symbol)
    facts = counted.group_by("station").agg(
        pl.len().alias("count"), (pl.col("speed") < edges[0]).mean().alias("calm")
    )
    drawn = (
        _drawn(counted, edges, words).join(facts, on="station").sort("station", "place", "class")
    )
    share = pl.col("hours") / pl.col("count")
    drawn = drawn.with_columns(share.alias("share")).with_columns(
        share.cum_sum().over("station", "place").alias("outer")
    )
    most = float(drawn["outer"].max() or 0)  # type: ignore[arg-type]
    hole = most * _HOLE
    middle = pl.col("place") * _WIDTH
    half = _WIDTH * _DRAWN / 2
    drawn = drawn.select(
        "station",
        "sector",
        "speed",
        "hours",
        "share",
        (middle - half).alias("begin"),
        (middle + half).alias("end"),
        (pl.col("outer") - pl.col("share") + hole).alias("inner"),
        (pl.col("outer") + hole).alias("outer"),
    )
    told = {row[0]: (row[1], row[2]) for row in facts.iter_rows()}
    calm = "; ".join(
        (f"{station_word(station, names)} " if len(stations) > 1 else "")
        + f"{told[station][1]:.1%} of {told[station][0]:,} h calm"
        for station in stations
        if station in told
    )
    return Chart(
        kind="rose",
        title=f"Wind, {called(stations, names)}",
        subtitle=f"{span_words(*span)}, share of hours, from where it blows · {calm} "
        f"(< {edges[0]:g} {symbol})",
        description=_described(drawn, stations, names, span, calm, symbol),
        rows=drawn,
        spec=_spec([s for s in stations if s in told], names, words, (most, hole), _free(drawn)),
        notes=notes,
    )


def _words(edges: Sequence[float], symbol: str) -> list[str]:
    between = [f"{low:g}–{high:g}" for low, high in pairwise(edges)]
    return [*(f"{text} {symbol}" for text in between), f"{edges[-1]:g} {symbol} and more"]


def _drawn(hours: pl.DataFrame, edges: Sequence[float], words: Sequence[str]) -> pl.DataFrame:
    """Return hours by station, sector and class of speed."""
    import polars as pl

    place = ((pl.col("direction") + _WIDTH / 2) // _WIDTH).cast(pl.Int32) % len(SECTORS)
    above = pl.sum_horizontal(*(pl.col("speed") >= edge for edge in edges[1:]))
    found = hours.filter(pl.col("speed") >= edges[0]).select(
        "station", place.alias("place"), above.cast(pl.Int32).alias("class")
    )
    sectors, classes = dict(enumerate(SECTORS)), dict(enumerate(words))
    return (
        found.group_by("station", "place", "class")
        .agg(pl.len().alias("hours"))
        .with_columns(
            pl.col("place").replace_strict(sectors, return_dtype=pl.String).alias("sector"),
            pl.col("class").replace_strict(classes, return_dtype=pl.String).alias("speed"),
        )
    )


def _free(rows: pl.DataFrame) -> float:
    """Return the angle between the two sectors with the least wind, where rings are labelled."""
    import numpy as np
    import polars as pl

    sums = dict(rows.group_by("sector").agg(pl.col("share").sum()).rows())
    shares = np.array([sums.get(sector, 0.0) for sector in SECTORS])
    return float(np.argmin(shares + np.roll(shares, -1)) + 0.5) * _WIDTH


def _spec(
    stations: Sequence[int],
    names: Mapping[int, str],
    words: Sequence[str],
    size: tuple[float, float],
    free: float,
) -> dict[str, Any]:
    most, hole = size
    step = next(step for step in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if most / step <= 5)
    rings = [step * number for number in range(1, int(most / step) + 1)]
    whole = (most + hole) * 1.14
    scale: dict[str, Any] = {"type": "linear", "zero": True, "domain": [0, whole]}
    if len(stations) > 1:  # Vega-Lite would take the whole's width, which is none, for a rose's
        scale["range"] = [0, {"expr": "childWidth / 2"}]
    radius = {"type": "quantitative", "scale": scale}
    turn = {
        "type": "quantitative",
        "scale": {"domain": [0, _CIRCLE], "range": [0, 2 * 3.141592653589793]},
        "stack": None,
    }
    ring_rows = [
        {"ring": ring + hole, "said": f"{ring:.0%}", "at": free, "from": 0, "to": _CIRCLE}
        for ring in rings
    ]
    compass = [
        {"said": name, "at": number * _CIRCLE / 4, "ring": whole * 0.97}
        for number, name in enumerate(("N", "E", "S", "W"))
    ]
    at = {"field": "at", **turn}
    layers: list[dict[str, Any]] = [
        {
            "data": {"values": ring_rows},
            "mark": {"type": "arc", "style": "ring", "tooltip": None},
            "encoding": {
                "theta": {"field": "from", **turn},
                "theta2": {"field": "to"},
                "radius": {"field": "ring", **radius, "stack": None},
                "radius2": {"field": "ring"},
            },
        },
        {
            "mark": {"type": "arc"},
            "encoding": {
                "theta": {"field": "begin", **turn},
                "theta2": {"field": "end"},
                "radius": {"field": "inner", **radius, "stack": None},
                "radius2": {"field": "outer"},
                "color": {
                    "field": "speed",
                    "type": "ordinal",
                    "scale": {"domain": list(words), "range": "ramp"},
                    "legend": {"symbolType": "square", "symbolOpacity": 1},
                },
                "tooltip": [
                    {"field": "sector", "type": "nominal", "title": "from"},
                    {"field": "speed", "type": "nominal", "title": "speed"},
                    {"field": "share", "type": "quantitative", "title": "share", "format": ".1%"},
                    {"field": "hours", "type": "quantitative", "title": "hours", "format": ","},
                ],
            },
        },
        {
            "data": {"values": ring_rows},
            "mark": {"type": "text", "style": "note"},
            "encoding": {
                "theta": at,
                "radius": {"field": "ring", **radius, "stack": None},
                "text": {"field": "said"},
            },
        },
        {
            "data": {"values": compass},
            "mark": {"type": "text", "style": "name"},
            "encoding": {
                "theta": at,
                "radius": {"field": "ring", **radius, "stack": None},
                "text": {"field": "said"},
            },
        },
    ]
    views = []
    for station in stations:
        view: dict[str, Any] = {"layer": layers}
        view["transform"] = [{"filter": {"field": "station", "equal": station}}]
        if len(stations) > 1:
            title = station_word(station, names)
            view["title"] = {"text": title, "fontSize": 12, "anchor": "middle"}
        views.append(view)
    if len(views) == 1:
        return {"data": {"name": ROWS}, **views[0]}
    return {"data": {"name": ROWS}, "hconcat": views}


def _described(
    rows: pl.DataFrame,
    stations: Sequence[int],
    names: Mapping[int, str],
    span: tuple[dt.date, dt.date],
    calm: str,
    symbol: str,
) -> str:
    import polars as pl

    by_sector = rows.group_by("station", "sector", maintain_order=True).agg(pl.col("share").sum())
    most = by_sector.sort("share", descending=True)
    told = []
    for station in stations:
        own = most.filter(pl.col("station") == station).head(3)
        parts = [f"{sector} {share:.0%}" for sector, share in own.select("sector", "share").rows()]
        if parts:
            told.append(f"{station_word(station, names)}: most often from {listed(parts)}")
    return (
        f"Wind rose of sixteen sectors and classes of speed in {symbol}, {span_words(*span)}. "
        f"{'; '.join(told)}. {calm}."
    )
