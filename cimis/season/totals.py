"""Two values a day, added up over periods: of the days that have both, with their difference."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Item, Rule, Standard
from cimis.pipeline.field.units import metric_decimals
from cimis.season.normal import converted
from cimis.season.series import nullable

if TYPE_CHECKING:
    from cimis.season.paired import Dates, Places
    from cimis.season.series import Doubles

__all__ = ["check_period", "totals"]

_MONTHS = {"month": (0, 1), "year": (0, 12), "water-year": (9, 12)}
"""Periods of whole months: the months that the year begins later, and how many they are."""

_MONDAY = np.datetime64("1969-12-29", "D")


def check_period(every: str) -> None:
    """Refuse what is no period of days."""
    if every != "week" and every not in _MONTHS:
        raise UsageError(
            f"no daily period '{every}'", hint=f"one of week, {', '.join(map(str, _MONTHS))}"
        )


def totals(
    stations: Places,
    dates: Dates,
    values: Mapping[Item, tuple[Doubles, Doubles]],
    every: str,
    span: tuple[dt.date | None, dt.date | None],
    kind: Standard,
    *,
    normal: bool = False,
) -> pa.Table:
    """Return both figures of each station and period, their difference, and of how many days.

    Parameters
    ----------
    stations, dates : int64 and datetime64 array
        Of each day, in this order.
    values : mapping of Item to pair of float64 arrays
        Metric; NaN = missing.
    every : {"week", "month", "year", "water-year"}
    span : pair of datetime.date or None
        The days asked for; a period that they cut counts those inside.
    kind : Standard
        Units of the figures.
    normal : bool
        Whether the second values are normals: maxima and minima are then means.
    """
    first, after = _periods(dates, every)
    edges = np.flatnonzero(np.diff(stations) | (np.diff(first) != np.timedelta64(0, "D"))) + 1
    starts = np.concatenate([[0], edges]) if len(stations) else edges
    begin, end = first[starts], after[starts]
    inside = [np.datetime64(one, "D") for one in span if one is not None]
    low = begin if span[0] is None else np.maximum(begin, inside[0])
    high = end if span[1] is None else np.minimum(end, inside[-1] + np.timedelta64(1, "D"))
    fields = [pa.field("station", pa.uint16()), pa.field("period", pa.date32())]
    columns = [pa.array(stations[starts], pa.uint16()), pa.array(begin, pa.date32())]
    fields.append(pa.field("days", pa.int64()))
    columns.append(pa.array((high - low).astype(np.int64)))
    beside, difference = ("normal", "anomaly") if normal else ("compared", "difference")
    for item, pair in values.items():
        rule = Rule.MEAN if normal and item.rule is not Rule.SUM else item.rule
        both = ~(np.isnan(pair[0]) | np.isnan(pair[1]))
        count = np.add.reduceat(both.astype(np.int64), starts) if len(starts) else np.array([], int)
        decimals = _decimals(item, rule, kind)
        own, theirs = (
            np.round(converted(_figures(one, both, count, starts, rule), item, kind), decimals)
            for one in pair
        )
        name, unit = item.column, {b"symbol": item.symbol(kind).encode()}
        fields += [
            pa.field(one, pa.float64(), metadata=unit)
            for one in (name, f"{name}_{beside}", f"{name}_{difference}")
        ]
        fields.append(pa.field(f"{name}_days", pa.int64()))
        columns += [nullable(one, decimals) for one in (own, theirs, own - theirs)]
        columns.append(pa.array(count, pa.int64()))
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def _figures(
    values: Doubles, both: np.ndarray, count: np.ndarray, starts: Places, rule: Rule
) -> Doubles:
    """Return one figure a period by an item's rule, NaN where no day has both values."""
    if not len(starts):
        return np.array([], np.float64)
    if rule in (Rule.MAX, Rule.MIN):
        way, nothing = (np.maximum, -np.inf) if rule is Rule.MAX else (np.minimum, np.inf)
        found = way.reduceat(np.where(both, values, nothing), starts)
    else:
        found = np.add.reduceat(np.where(both, values, 0.0), starts)
        if rule is not Rule.SUM:
            found = found / np.maximum(count, 1)
    return np.where(count > 0, found, np.nan)


def _decimals(item: Item, rule: Rule, kind: Standard) -> int:
    """Return the decimals of a figure, as those of records summed up have."""
    if kind is Standard.METRIC and rule in (Rule.SUM, Rule.MAX, Rule.MIN):
        return metric_decimals(item)
    return item.decimals(kind) + (rule not in (Rule.SUM, Rule.MAX, Rule.MIN))


def _periods(dates: Dates, every: str) -> tuple[Dates, Dates]:
    """Return the first day of each day's period, and the day after its last."""
    if every == "week":
        week = np.timedelta64(7, "D")
        first = _MONDAY + (dates - _MONDAY) // week * week
        return first, first + week
    shift, length = _MONTHS[every]
    months = dates.astype("datetime64[M]").astype(np.int64)
    begin = (months - shift) // length * length + shift
    return tuple(m.astype("datetime64[M]").astype("datetime64[D]") for m in (begin, begin + length))  # type: ignore[return-value]
