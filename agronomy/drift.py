"""Slow faults of sensors, seen over months: radiation against a clear sky, humidity's ceiling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cimis.agronomy.evidence import Verdict
from cimis.agronomy.series import check_days
from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.time import years_of

__all__ = [
    "CEILING_PERCENT",
    "POSSIBLE_FACTORS",
    "SOUND_FACTORS",
    "Ceilings",
    "Periods",
    "clear_sky_drift",
    "humidity_ceiling",
]

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Days = npt.NDArray[np.datetime64]
Words = npt.NDArray[np.str_]

_PERIOD_DAYS = 60
_PERIODS = 6
_LARGEST = 6
_SPIKE_CHANGE = 0.02
_SPIKE_W_M2 = 75.0

SOUND_FACTORS = (0.97, 1.03)
POSSIBLE_FACTORS = (0.5, 1.5)
"""Factors of a sound radiation sensor, and those beyond which a period is no evidence."""

CEILING_PERCENT = 95.0
"""Below this the year's highest humidity says that the sensor reads low."""


@dataclass(frozen=True, slots=True)
class Periods:
    """Radiation against a clear sky in periods of 60 days; arrays of periods.

    The last of a year has the 65 or 66 days from its 301st on.

    Attributes
    ----------
    start, end : datetime64[D] arrays
        First and last day that the rows have in each period.
    days : int64 array
        Days with radiation and clear-sky radiation.
    spikes : int64 array
        Days left out as spikes: their ratios are the largest.
    factor : float64 array
        Mean clear-sky radiation over mean radiation of the six days; above 1 the sensor reads
        low. NaN where there were not enough days.
    clearest : datetime64[D] array, periods × 6
        The six days, NaT where there are none.
    verdict : str array
        ``sound``, ``suspect`` or ``no evidence``.
    """

    start: Days
    end: Days
    days: Ints
    spikes: Ints
    factor: Doubles
    clearest: Days
    verdict: Words


@dataclass(frozen=True, slots=True)
class Ceilings:
    """The highest humidity of each calendar year; arrays of years.

    ``percent`` is the mean of the highest 1 % of the year's daily maxima (``top`` of ``days``).
    """

    year: Ints
    days: Ints
    top: Ints
    percent: Doubles
    verdict: Words


def clear_sky_drift(
    dates: Days, solar_w_m2: Doubles, clear_w_m2: Doubles, *, least_days: int = 30
) -> Periods:
    """Hold the clearest days of each period against a clear sky.

    Parameters
    ----------
    dates : datetime64[D] array, ascending
    solar_w_m2 : float64 array of the same length
        Measured radiation Rs, daily mean; NaN where missing, or flagged by the network.
    clear_w_m2 : float64 array of the same length
        Clear-sky radiation Rso, see `cimis.agronomy.solar.clear_sky_w_m2`.
    least_days : int
        Days that a period must have, else it is no evidence; half a period by default.

    Returns
    -------
    Periods
        One for each 60 days of each calendar year that has rows.

    Raises
    ------
    UsageError
        For arrays of unlike length, days out of order, or fewer than seven days asked for.

    Notes
    -----
    As agweather-qaqc (JOSS 06368, ``rs_period_ratio_corr``) has it, which counts its periods from
    the record's start, not the year's, and corrects what it finds: the factor is mean Rso over
    mean Rs of the six days with the largest Rs/Rso; 0.97 to 1.03 is sound, outside 0.5 to 1.5
    the period is no evidence. The largest ratio is a spike, and the next seven days are looked
    at, while leaving it out raises the factor by 2 % or more where Rs exceeds Rso in the mean, or
    where it exceeds it by 75 W/m² or more.

    On a coast with fog a period may have no clear day: a factor above 1 is then no drift. Compare
    neighbours and the same season of other years.
    """
    dates = check_days(dates, solar_w_m2, clear_w_m2)
    if least_days <= _LARGEST:
        raise UsageError(
            f"{least_days} days are too few to judge a period", hint="ask for at least 7"
        )
    rows = _rows_of_periods(dates)
    held = rows >= 0
    ratio = np.where(held & (clear_w_m2[rows] > 0), solar_w_m2[rows] / clear_w_m2[rows], np.nan)
    days = np.isfinite(ratio).sum(axis=1)
    order = np.argsort(-ratio, axis=1, kind="stable")  # NaN last
    ranked = np.take_along_axis(rows, order, axis=1)
    solar = _means_of_six(solar_w_m2[ranked])
    clear = _means_of_six(clear_w_m2[ranked])
    factors = np.divide(clear, solar, out=np.full(clear.shape, np.nan), where=solar > 0)
    moved = np.diff(factors, axis=1) >= _SPIKE_CHANGE * factors[:, :-1]
    excess = (solar - clear)[:, :-1]
    spike = (moved & (excess > 0)) | (excess >= _SPIKE_W_M2)
    spikes = np.argmin(np.pad(spike, ((0, 0), (0, 1))), axis=1)  # all are: the last, too late
    judged = (days >= least_days) & (spikes + _LARGEST < days)
    factor = np.where(judged, factors[np.arange(len(rows)), spikes], np.nan)
    six = np.take_along_axis(ranked, spikes[:, None] + np.arange(_LARGEST), axis=1)
    return Periods(
        start=dates[rows[:, 0]],
        end=dates[rows.max(axis=1)],
        days=days,
        spikes=np.where(judged, spikes, 0),
        factor=factor,
        clearest=np.where(judged[:, None], dates[six], np.datetime64("NaT", "D")),
        verdict=_verdicts(factor, SOUND_FACTORS, POSSIBLE_FACTORS),
    )


def _rows_of_periods(dates: Days) -> Ints:
    """Return which rows each period has, as periods × most rows, filled up with -1."""
    years = dates.astype("datetime64[Y]")
    within = (dates - years.astype("datetime64[D]")).astype(np.int64) // _PERIOD_DAYS
    keys = years.astype(np.int64) * _PERIODS + np.minimum(within, _PERIODS - 1)
    _, first, counts = np.unique(keys, return_index=True, return_counts=True)
    places = np.arange(max(counts.max(initial=0), _PERIOD_DAYS))
    return np.where(places < counts[:, None], first[:, None] + places, -1)


def _means_of_six(values: Doubles) -> Doubles:
    """Return the mean of each six values in a row along the last axis."""
    means: Doubles = np.lib.stride_tricks.sliding_window_view(values, _LARGEST, axis=1).mean(
        axis=-1
    )
    return means


def humidity_ceiling(dates: Days, humidity_percent: Doubles, *, least_days: int = 300) -> Ceilings:
    """Say for each calendar year whether the highest humidity comes near 100 %.

    Every year has days of rain or fog on which the air is saturated; where the mean of the
    highest 1 % of the daily maxima stays below 95 %, the sensor reads low (rule and percentage of
    agweather-qaqc, ``rh_yearly_percentile_corr``; the 95 % are ours).

    Parameters
    ----------
    dates : datetime64[D] array, ascending
    humidity_percent : float64 array of the same length
        Daily maximum of relative humidity; NaN where missing, or flagged by the network.
    least_days : int
        Days with a value that a year must have, else it is no evidence.

    Raises
    ------
    UsageError
        For arrays of unlike length, or days out of order.
    """
    dates = check_days(dates, humidity_percent)
    present = np.isfinite(humidity_percent)
    years, place = np.unique(dates.astype("datetime64[Y]"), return_inverse=True)
    days = np.bincount(place[present], minlength=years.size)
    top = np.maximum(days // 100, 1)
    values, place = humidity_percent[present], place[present]
    order = np.lexsort((-values, place))
    rank = np.arange(order.size) - (np.cumsum(days) - days)[place[order]]
    among = rank < top[place[order]]
    total = np.bincount(place[order][among], values[order][among], minlength=years.size)
    percent = np.where(days >= max(least_days, 1), total / top, np.nan)
    return Ceilings(
        year=years_of(years),
        days=days,
        top=np.minimum(top, days),
        percent=percent,
        verdict=_verdicts(percent, (CEILING_PERCENT, np.inf), (-np.inf, np.inf)),
    )


def _verdicts(figure: Doubles, sound: tuple[float, float], possible: tuple[float, float]) -> Words:
    """Return each figure's verdict: sound within the one band, no evidence outside the other."""
    with np.errstate(invalid="ignore"):
        fine = (figure >= sound[0]) & (figure <= sound[1])
        telling = (figure >= possible[0]) & (figure <= possible[1])
    words = np.where(fine, Verdict.SOUND.value, Verdict.SUSPECT.value)
    return np.where(telling, words, Verdict.NO_EVIDENCE.value)
