"""Crop water use summed over weeks, and since a date, with the days that lack counted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cimis.agronomy.arrays import Counts, Doubles
from cimis.agronomy.crop import Dates, crop_et
from cimis.pipeline.errors import UsageError

__all__ = ["Span", "WaterUse", "days_between", "water_use", "weeks_back"]

_WEEK = dt.timedelta(days=7)
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """Days over which crop water use is summed, both ends inclusive, and the total's first day."""

    first: dt.date
    last: dt.date
    since: dt.date


@dataclass(frozen=True, slots=True)
class WaterUse:
    """Sums of spans; arrays are spans × stations, those of days alone spans.

    A sum is of the days that have a value, and NaN where none has.

    Attributes
    ----------
    days, total_days : int64 arrays, spans
        Days with a coefficient in the span, and from its ``since`` to its end.
    kc : float64 array, spans
        Mean coefficient of the span's days.
    eto, etc, rain : float64 arrays
        Sums over the span's days, in the unit given.
    lacking, rain_lacking : int64 arrays
        Of the span's days those without reference ET, without rain.
    total, total_rain : float64 arrays
        ETc and rain since ``since``.
    total_lacking, total_rain_lacking : int64 arrays
        Days since then without reference ET, without rain.
    """

    days: Counts
    total_days: Counts
    kc: Doubles
    eto: Doubles
    etc: Doubles
    rain: Doubles
    lacking: Counts
    rain_lacking: Counts
    total: Doubles
    total_rain: Doubles
    total_lacking: Counts
    total_rain_lacking: Counts


def weeks_back(first: dt.date, last: dt.date) -> list[tuple[dt.date, dt.date]]:
    """Return the weeks of seven days that end with ``last``, in order; the first may be shorter.

    Raises
    ------
    UsageError
        Where the last day lies before the first.
    """
    if last < first:
        raise UsageError(f"the weeks from {first} to {last} run backwards")
    weeks = []
    while last >= first:
        weeks.append((max(first, last - _WEEK + _DAY), last))
        last -= _WEEK
    return weeks[::-1]


def days_between(first: dt.date, last: dt.date) -> Dates:
    """Return every day from the first to the last, both inclusive."""
    return np.arange(np.datetime64(first, "D"), np.datetime64(last + _DAY, "D"))


def water_use(
    start: dt.date, kc: Doubles, eto: Doubles, rain: Doubles, spans: Sequence[Span]
) -> WaterUse:
    """Return what a crop used in spans of days, and since the day that each names.

    ETc of a day is Kc · ETo (FAO-56, equation 58).

    Parameters
    ----------
    start : date
        Day of the first element; days follow each other without a gap.
    kc : float64 array, days
        Crop coefficient, NaN on days that do not count.
    eto, rain : float64 arrays, days × stations
        NaN where missing.
    spans : sequence of Span
        Within the days given.

    Raises
    ------
    UsageError
        For a span that reaches beyond the days given.
    """
    end = start + len(kc) * _DAY
    for span in spans:
        if not start <= min(span.first, span.since) <= max(span.last, span.since) < end:
            raise UsageError(f"{span.first} to {span.last}: days are given from {start} on only")
    first, last, since = (
        np.array([(getattr(span, name) - start).days for span in spans], dtype=np.int64)
        for name in ("first", "last", "since")
    )
    on = np.isfinite(kc)
    counts = on[:, None] & np.isfinite(eto)
    wet = on[:, None] & np.isfinite(rain)
    used = _running(np.where(counts, crop_et(eto, kc[:, None]), 0.0))
    rained = _running(np.where(wet, rain, 0.0))
    days, present, rainy = _running(on), _running(counts), _running(wet)

    def summed(running: Doubles, held: Doubles, begin: Counts) -> Doubles:
        sums: Doubles = running[last + 1] - running[begin]
        return np.where(held[last + 1] - held[begin] > 0, sums, np.nan)

    def short(held: Doubles, begin: Counts) -> Counts:
        due = (days[last + 1] - days[begin])[:, None]
        lacking: Counts = (due - (held[last + 1] - held[begin])).astype(np.int64)
        return lacking

    in_span = days[last + 1] - days[first]
    sums_kc = _running(np.where(on, kc, 0.0))
    return WaterUse(
        days=in_span.astype(np.int64),
        total_days=(days[last + 1] - days[since]).astype(np.int64),
        kc=np.where(
            in_span > 0, (sums_kc[last + 1] - sums_kc[first]) / np.maximum(in_span, 1), np.nan
        ),
        eto=summed(_running(np.where(counts, eto, 0.0)), present, first),
        etc=summed(used, present, first),
        rain=summed(rained, rainy, first),
        lacking=short(present, first),
        rain_lacking=short(rainy, first),
        total=summed(used, present, since),
        total_rain=summed(rained, rainy, since),
        total_lacking=short(present, since),
        total_rain_lacking=short(rainy, since),
    )


def _running(values: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Doubles:
    """Return sums from the first element to before each, along the first axis."""
    start = np.zeros((1, *values.shape[1:]))
    return np.concatenate([start, np.cumsum(values, axis=0, dtype=np.float64)])
