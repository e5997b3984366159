"""Reference ET against rain: day by day, and added up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cimis.charts.axes import bars, colors, dots, flags, said, time_axis, value_axis, when
from cimis.charts.chart import ROWS, Chart
from cimis.charts.long import check_some, long_rows, span_of
from cimis.charts.words import called, figure, item_word, span_words, station_word
from cimis.pipeline.field.items import Item, Scope, Standard

if TYPE_CHECKING:
    import polars as pl

__all__ = ["eto_rain"]


def eto_rain(
    rows: pl.DataFrame,
    eto: Item,
    rain: Item,
    names: Mapping[int, str],
    *,
    standard: Standard = Standard.METRIC,
    span: tuple[dt.date, dt.date] | None = None,
    notes: tuple[str, ...] = (),
) -> Chart:
    """Return a chart of what the air asked for and what fell: daily above, added up below.

    Of several stations only what is added up is shown, a panel each.

    Parameters
    ----------
    rows : polars.DataFrame
        Daily, as :meth:`cimis.Store.daily` gives them, in ``standard`` units.
    eto, rain : Item
        Which columns they are.
    names, standard, span, notes
        As of :func:`cimis.charts.series.series`.

    Returns
    -------
    Chart
        Its rows: ``station``, ``item``, ``label``, ``time``, ``value``, ``flag``, ``alone``, and
        ``total``: the sum up to and with the day, null where its value is missing. Missing days
        add nothing to it.
    """
    import polars as pl

    span = span or span_of(rows)
    stations = rows["station"].unique().sort().to_list()
    labels = {
        (station, item.column): item_word(item) for station in stations for item in (rain, eto)
    }
    drawn = long_rows(rows, (eto, rain), labels, span)
    check_some(drawn["value"], "ET and rain")
    total = pl.col("value").fill_null(0).cum_sum().over("station", "item").round(6)
    drawn = drawn.with_columns(
        pl.when(pl.col("value").is_not_null()).then(total).alias("total"),
    )
    flagged = drawn.filter(drawn["flag"].is_not_null() & drawn["value"].is_not_null()).height
    daily = len(stations) == 1
    marked = " · × flagged" if flagged and daily else ""
    return Chart(
        kind="eto-rain",
        title=f"{item_word(eto)} and rain, {called(stations, names)}",
        subtitle=f"{span_words(*span)}, daily, Pacific standard time{marked}",
        description=_described(drawn, stations, names, eto, rain, standard, span),
        rows=drawn,
        spec=_spec(stations, names, eto, rain, standard, span),
        notes=notes,
    )


def _spec(
    stations: list[int],
    names: Mapping[int, str],
    eto: Item,
    rain: Item,
    standard: Standard,
    span: tuple[dt.date, dt.date],
) -> dict[str, Any]:
    words = [item_word(rain), item_word(eto)]
    symbol = rain.symbol(standard)

    def panel(y: dict[str, Any], layers: list[dict[str, Any]], *, last: bool) -> Any:
        x = time_axis(span)
        x["axis"] |= {} if last else {"labels": False, "ticks": False}
        color = colors(words, {})
        encoding = {"x": x, "y": y, "color": color, "tooltip": said(symbol)}
        return {"encoding": encoding, "layer": layers}

    def only(item: Item, layer: dict[str, Any]) -> dict[str, Any]:
        chosen = {"filter": {"field": "item", "equal": item.column}}
        return layer | {"transform": [chosen, *layer.get("transform", ())]}

    lines = {"mark": {"type": "line"}}
    panels: list[dict[str, Any]] = []
    if len(stations) == 1:
        layers = [only(rain, bars(Scope.DAILY, span)), only(eto, lines), only(eto, dots()), flags()]
        y = value_axis(f"A day ({symbol})", zero=True)
        panels.append(panel(y, layers, last=False))
    for number, station in enumerate(stations):
        y = value_axis(f"So far ({symbol})", field="total", zero=True)
        made = panel(y, [lines], last=number == len(stations) - 1)
        if len(stations) > 1:
            made["title"] = {"text": station_word(station, names), "fontSize": 12}
        made["transform"] = [{"filter": {"field": "station", "equal": station}}]
        made["encoding"]["tooltip"] = [
            *said(symbol),
            {"field": "total", "type": "quantitative", "title": "so far", "format": ",.4~g"},
        ]
        panels.append(made)
    return {
        "data": {"name": ROWS},
        "transform": [when(Scope.DAILY)],
        "vconcat": panels,
        "spacing": 14,
        "resolve": {"scale": {"y": "shared" if len(stations) > 1 else "independent"}},
    }


def _described(
    rows: pl.DataFrame,
    stations: list[int],
    names: Mapping[int, str],
    eto: Item,
    rain: Item,
    standard: Standard,
    span: tuple[dt.date, dt.date],
) -> str:
    import polars as pl

    symbol = rain.symbol(standard)
    value = pl.col("value")
    sums = rows.group_by("station", "item").agg(
        total=value.sum(), lacking=value.is_null().sum(), count=value.count()
    )
    facts = {(s, i): (total, lacks, n) for s, i, total, lacks, n in sums.iter_rows()}

    def said_of(station: int, item: Item, word: str) -> str:
        total, lacks, count = facts[station, item.column]
        if not count:
            return f"no {word}"
        short = f" ({lacks:,} days without a value)" if lacks else ""
        return f"{word} {figure(total, symbol)}{short}"

    told = [
        f"{station_word(station, names)}: {said_of(station, eto, item_word(eto))}, "
        f"{said_of(station, rain, 'rain')}"
        for station in stations
    ]
    return f"Reference ET and rain added up over {span_words(*span)}. {'; '.join(told)}."
