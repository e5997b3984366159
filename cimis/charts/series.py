"""Time series: items of stations over days or hours, a panel for each unit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cimis.charts.axes import bars, colors, dots, flags, line, said, time_axis, value_axis, when
from cimis.charts.chart import ROWS, Chart
from cimis.charts.long import check_some, long_rows, span_of
from cimis.charts.words import (
    axis_title,
    called,
    figure,
    item_word,
    listed,
    sentence,
    span_words,
    station_word,
)
from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Item, Rule, Standard

if TYPE_CHECKING:
    import polars as pl

__all__ = ["MOST_LINES", "series"]

MOST_LINES = 14
"""Lines that colours, and dashes for the second round of them, keep apart."""

_TOLD = 4
_QUARTERS = (0, 90, 180, 270, 360)
_DASHED_FROM = 7


def series(
    rows: pl.DataFrame,
    items: Sequence[Item],
    names: Mapping[int, str],
    *,
    standard: Standard = Standard.METRIC,
    span: tuple[dt.date, dt.date] | None = None,
    notes: tuple[str, ...] = (),
) -> Chart:
    """Return a chart of items of stations over time.

    Items of one quantity share a panel, panels share the axis of time. Lines are open where values
    are missing; directions are points; rain of a single station is bars.

    Parameters
    ----------
    rows : polars.DataFrame
        As :meth:`cimis.Store.daily` or :meth:`cimis.Store.hourly` give them, in ``standard`` units.
    items : sequence of Item
        Of one scope.
    names : mapping of int to str
        Stations' names.
    standard : Standard
        System of units of the rows.
    span : tuple of date, optional
        First and last day; by default those of the rows.
    notes : tuple of str
        What was left out.

    Returns
    -------
    Chart
        Its rows: ``station``, ``item``, ``label``, ``time``, ``value``, ``flag``, ``alone``.

    Raises
    ------
    NoDataError
        Where no value is there.
    UsageError
        For more lines than can be told apart.
    """
    span = span or span_of(rows)
    stations = rows["station"].unique().sort().to_list()
    labels = _labels(stations, items, names)
    if len(labels) > MOST_LINES:
        raise UsageError(
            f"{len(labels)} lines cannot be told apart in one chart",
            hint=f"name fewer stations or items; {MOST_LINES} lines at most",
        )
    drawn = long_rows(rows, items, labels, span)
    what = listed(sentence([item_word(item) for item in items][:_TOLD]))
    if len(items) > _TOLD:
        what = f"{len(items)} items"
    check_some(drawn["value"], what)
    scope = items[0].scope
    subtitle = f"{span_words(*span)}, {scope}, Pacific standard time"
    if drawn.filter(drawn["flag"].is_not_null() & drawn["value"].is_not_null()).height:
        subtitle += " · × flagged"
    return Chart(
        kind="series",
        title=f"{what}, {called(stations, names)}",
        subtitle=subtitle,
        description=_described(drawn, items, labels, standard, span),
        rows=drawn,
        spec=_spec(items, stations, labels, standard, span),
        notes=notes,
    )


def _labels(
    stations: Sequence[int], items: Sequence[Item], names: Mapping[int, str]
) -> dict[tuple[int, str], str]:
    """Return what the legend calls each line: as little as tells them apart."""

    def label(station: int, item: Item) -> str:
        if len(stations) == 1:
            return item_word(item)
        if len(items) == 1:
            return station_word(station, names)
        return f"{item_word(item)}, {station_word(station, names)}"

    return {(station, item.column): label(station, item) for item in items for station in stations}


def _spec(
    items: Sequence[Item],
    stations: Sequence[int],
    labels: Mapping[tuple[int, str], str],
    standard: Standard,
    span: tuple[dt.date, dt.date],
) -> dict[str, Any]:
    """Return a panel for each quantity, the axis of time below the last one."""
    panels: dict[object, list[Item]] = {}
    for item in items:
        panels.setdefault(item.quantity, []).append(item)
    # rain takes the first colour, as in the other charts
    ordered = sorted(labels, key=lambda key: key[1] != "precip")
    every = list(dict.fromkeys(labels[key] for key in ordered))
    made = []
    for number, own in enumerate(panels.values()):
        last = number == len(panels) - 1
        made.append(_panel(own, stations, labels, every, standard, span, last=last))
    return {
        "data": {"name": ROWS},
        "transform": [when(items[0].scope)],
        "vconcat": made,
        "spacing": 14,
        "resolve": {"scale": {"color": "independent", "strokeDash": "independent"}},
    }


def _panel(
    items: Sequence[Item],
    stations: Sequence[int],
    labels: Mapping[tuple[int, str], str],
    every: Sequence[str],
    standard: Standard,
    span: tuple[dt.date, dt.date],
    *,
    last: bool,
) -> dict[str, Any]:
    own = [label for (_, column), label in labels.items() if column in {i.column for i in items}]
    symbol = items[0].symbol(standard)
    x = time_axis(span)
    x["axis"] |= {} if last else {"labels": False, "ticks": False}
    legend = {"values": own} if len(set(own)) > 1 else None
    color = colors(every, legend)
    dash: dict[str, Any] = {}
    if len(every) > _DASHED_FROM:
        solid = [[1, 0] if place < _DASHED_FROM else [5, 3] for place in range(len(every))]
        dash["strokeDash"] = {
            "field": "label",
            "type": "nominal",
            "scale": {"domain": list(every), "range": solid},
            "legend": color["legend"],
        }
    barred = [i.column for i in items if i.column == "precip" and len(stations) == 1]
    points = [i.column for i in items if i.rule is Rule.DIRECTION]
    lines = [i.column for i in items if i.column not in (*barred, *points)]
    layers = []
    if barred:
        layers.append(_only(barred, bars(items[0].scope, span)))
    if lines:
        layers += [_only(lines, line(**dash)), _only(lines, dots())]
    if points:
        layers.append(_only(points, {"mark": {"type": "point", "size": 8}}))
    title = axis_title(items, standard)
    zero = bool(barred) or all(item.rule is Rule.SUM for item in items)
    return {
        "transform": [{"filter": {"field": "label", "oneOf": own}}],
        "encoding": {
            "x": x,
            "y": _compass(title) if points else value_axis(title, zero=zero),
            "color": color,
            "tooltip": said(symbol),
        },
        "layer": [*layers, flags()],
    }


def _compass(title: str) -> dict[str, Any]:
    """Return the channel of directions: the whole circle, with its four quarters."""
    y = value_axis(title)
    y["scale"] = {"zero": True, "domain": [_QUARTERS[0], _QUARTERS[-1]]}
    y["axis"] |= {"values": list(_QUARTERS)}
    return y


def _only(columns: Sequence[str], layer: dict[str, Any]) -> dict[str, Any]:
    """Return a layer that shows only some items."""
    chosen = {"filter": {"field": "item", "oneOf": list(columns)}}
    return layer | {"transform": [chosen, *layer.get("transform", ())]}


def _described(
    rows: pl.DataFrame,
    items: Sequence[Item],
    labels: Mapping[tuple[int, str], str],
    standard: Standard,
    span: tuple[dt.date, dt.date],
) -> str:
    import polars as pl

    symbols = {item.column: item.symbol(standard) for item in items}
    value = pl.col("value")
    flagged = (pl.col("flag").is_not_null() & value.is_not_null()).sum()
    facts = rows.group_by("station", "item", "label", maintain_order=True).agg(
        low=value.min(),
        high=value.max(),
        mean=value.mean(),
        missing=value.is_null().sum(),
        flagged=flagged,
    )
    told = []
    for row in facts.head(2 * _TOLD).iter_rows(named=True):
        symbol = symbols[row["item"]]
        if row["mean"] is None:
            told.append(f"{row['label']}: no value")
            continue
        told.append(
            f"{row['label']}: {figure(row['low'], symbol)} to {figure(row['high'], symbol)}, "
            f"mean {figure(row['mean'], symbol)}, {row['missing']:,} missing, "
            f"{row['flagged']:,} flagged"
        )
    more = f"; and {len(labels) - 2 * _TOLD} more" if len(labels) > 2 * _TOLD else ""
    return f"Lines over time, {span_words(*span)}. {'; '.join(told)}{more}."
