"""Degree days of a day, from its minimum and maximum or from its hours, as UC IPM counts them.

A method says how temperature runs between the extremes of a day (a sine or straight lines, once
per day or once per half day), a cutoff what counts above the upper threshold. All twelve follow
from two functions of a waveform and a threshold x: E(x), the day's mean of max(T - x, 0), and
S(x), the share of the day above x:

    horizontal      E(low) - E(high)                         growth goes on at the upper rate
    vertical        E(low) - E(high) - (high - low) S(high)  no growth above
    intermediate    E(low) - E(high) - E(high)               what is above is taken off once more,
                                                             but never more than vertical takes

They are the integrals of which Zalom, Goodell, Wilson, Barnett & Bentley (1983), *Degree-Days: The
Calculation and Use of Heat Units in Pest Management*, UC DANR Leaflet 21373, tables 3 to 6, write
out the six cases for the horizontal cutoff; the sine is that of Baskerville & Emin (1969), Ecology
50:514-517; the three cutoffs are those of UC IPM's pages on degree days. That an intermediate
cutoff stops at the vertical one is seen in UC IPM's own answers (hot days, as 68 to 107 °F between
50 and 70 °F) and in the port of its program, HeatUnits.py of UCANR-IGIS/degree-day-challenge.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from cimis.agronomy.arrays import Counts, Doubles, doubles, place_of
from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.field.time import PER_DAY

__all__ = ["Cutoff", "Method", "Running", "degree_days", "hourly_degree_days", "running"]

Method = Literal["single-sine", "double-sine", "single-triangle", "double-triangle", "average"]
Cutoff = Literal["horizontal", "vertical", "intermediate"]
HOURS = PER_DAY[Scope.HOURLY]


class Running(NamedTuple):
    """Degree days since the first day, and how many days the sum lacks so far."""

    total: Doubles
    missing: Counts


def degree_days(
    tmin: npt.ArrayLike,
    tmax: npt.ArrayLike,
    *,
    low: float,
    high: float | None = None,
    method: Method = "single-sine",
    cutoff: Cutoff = "horizontal",
    next_tmin: npt.ArrayLike | None = None,
) -> Doubles:
    """Return the degree days of each day.

    Parameters
    ----------
    tmin, tmax : array_like, shape (days, ...)
        Minimum and maximum air temperature of consecutive days, °C or °F; NaN = missing. Further
        axes are independent series, as stations.
    low : float
        Lower threshold, in the unit of the temperatures.
    high : float, optional
        Upper threshold, in the same unit; without it nothing is cut off.
    method : str
        ``single-sine``, ``single-triangle``: one curve per day, between its own extremes.
        ``double-sine``, ``double-triangle``: the second half of a day falls to the next day's
        minimum. ``average``: the mean of both extremes, each first brought between the thresholds,
        less the lower (it knows the horizontal cutoff only).
    cutoff : str
        ``horizontal``, ``vertical`` or ``intermediate``, as the module says.
    next_tmin : array_like, same shape, optional
        Minimum of the day after each, for the double methods. By default the days are taken as
        consecutive, and the last one falls to its own minimum, as UC IPM counts it.

    Returns
    -------
    ndarray, shape (days, ...), float64
        Degree days in the unit of the temperatures, never below 0; NaN where a temperature it needs
        is missing.

    Raises
    ------
    UsageError
        Thresholds reversed or equal, a cutoff without an upper one, shapes that differ, a minimum
        above its maximum (the message names the day's index), an unknown method or cutoff.
    """
    _check_choice(method, cutoff)
    _check_thresholds(low, high, cutoff)
    lowest, highest = doubles(tmin, "minimum temperatures"), doubles(tmax, "maximum temperatures")
    _check_pair(lowest, highest, "the day's minimum")
    if method == "average":
        top = np.inf if high is None else high
        mean = (np.clip(lowest, low, top) + np.clip(highest, low, top)) / 2
        average: Doubles = mean - low
        return average
    wave = _sine if method.endswith("sine") else _triangle
    halves = [(lowest, highest)]
    if method.startswith("double"):
        # extremes are of civil days, so the next minimum may lie above this maximum: a rise, then
        after = _next_minimum(lowest, next_tmin)
        halves.append((np.minimum(after, highest), np.maximum(after, highest)))

    def above(x: float) -> _Above:
        parts = [wave(least, most, x) for least, most in halves]
        return _Above(*(sum(values) / len(parts) for values in zip(*parts, strict=True)))

    return _cut(above, low, high, cutoff)


def hourly_degree_days(
    temperature: npt.ArrayLike,
    *,
    low: float,
    high: float | None = None,
    cutoff: Cutoff = "horizontal",
    max_missing: int = 0,
) -> Doubles:
    """Return the degree days of each day from its 24 hours: the mean of what each hour gives.

    Parameters
    ----------
    temperature : array_like, shape (24 · days, ...)
        Hourly air temperature of whole days, °C or °F; NaN = missing.
    low, high, cutoff
        As of `degree_days`, hour by hour.
    max_missing : int
        How many hours a day may lack; it then has the mean of the others.

    Returns
    -------
    ndarray, shape (days, ...), float64
        Degree days in the unit of the temperatures, never below 0; NaN where a day lacks more.

    Raises
    ------
    UsageError
        Thresholds reversed or equal, hours that do not fill whole days, an unknown cutoff.
    """
    _check_choice("single-sine", cutoff)
    _check_thresholds(low, high, cutoff)
    hours = doubles(temperature, "hourly temperatures")
    if len(hours) % HOURS:
        raise UsageError(
            f"{len(hours)} hours are not whole days of {HOURS}",
            hint="give each hour, NaN if missing",
        )
    if not 0 <= max_missing < HOURS:
        raise UsageError(f"a day cannot lack {max_missing} of its {HOURS} hours and have a value")
    days = hours.reshape(-1, HOURS, *hours.shape[1:])
    present = np.isfinite(days).sum(axis=1)
    divisor = np.where(present >= HOURS - max_missing, present, np.nan)

    def above(x: float) -> _Above:
        excess = np.nansum(np.maximum(days - x, 0), axis=1)
        return _Above(excess / divisor, (days >= x).sum(axis=1) / divisor)

    return _cut(above, low, high, cutoff)


def running(daily: npt.ArrayLike) -> Running:
    """Return the running total of daily degree days, and how many days it lacks.

    Parameters
    ----------
    daily : array_like, shape (days, ...)
        Degree days from the first day to count (the biofix) on; NaN = missing, adds nothing.

    Returns
    -------
    Running
        ``total`` (float64) and ``missing`` (int64), of the same shape.
    """
    values = doubles(daily, "degree days")
    lacking = np.isnan(values)
    return Running(np.cumsum(np.where(lacking, 0, values), axis=0), np.cumsum(lacking, axis=0))


def _check_choice(method: str, cutoff: str) -> None:
    for given, known, what in ((method, Method, "method"), (cutoff, Cutoff, "cutoff")):
        if given not in get_args(known):
            raise UsageError(
                f"no {what} {given!r}", hint=f"{what}s are {', '.join(get_args(known))}"
            )
    if method == "average" and cutoff != "horizontal":
        raise UsageError(
            f"the average has no {cutoff} cutoff", hint="take a sine or triangle method for it"
        )


def _check_thresholds(low: float, high: float | None, cutoff: Cutoff) -> None:
    if not np.isfinite(low) or (high is not None and not np.isfinite(high)):
        raise UsageError("a threshold is not a number")
    if high is None and cutoff != "horizontal":
        raise UsageError(f"the {cutoff} cutoff needs an upper threshold")
    if high is not None and high <= low:
        raise UsageError(
            f"the upper threshold {high:g} is not above the lower {low:g}",
            hint="give the lower one first, both in one unit",
        )


def _check_pair(lowest: Doubles, highest: Doubles, what: str) -> None:
    if lowest.shape != highest.shape:
        raise UsageError(
            f"{what} has the shape {lowest.shape}, the day's maximum {highest.shape}; one is due"
        )
    reversed_days = lowest > highest
    if reversed_days.any():
        at = tuple(np.argwhere(reversed_days)[0])
        raise UsageError(
            f"{what}, {lowest[at]:g}, is above its maximum, {highest[at]:g}, at "
            f"{place_of(reversed_days, step='day index')}",
            hint="correct or leave out that day: NaN is missing",
        )


def _next_minimum(lowest: Doubles, given: npt.ArrayLike | None) -> Doubles:
    if given is None:
        return np.concatenate([lowest[1:], lowest[-1:]])
    after = doubles(given, "minimum temperatures of the next day")
    if after.shape != lowest.shape:
        raise UsageError(
            f"the next day's minimum has the shape {after.shape}, the day's {lowest.shape}"
        )
    return after


class _Above(NamedTuple):
    """Of the days and a threshold: the mean of what is above it, and the share of time there."""

    excess: Doubles
    share: Doubles


def _cut(
    above: Callable[[float], _Above], low: float, high: float | None, cutoff: Cutoff
) -> Doubles:
    """Return what counts of each day, by the table at the module's top."""
    total = above(low).excess
    if high is not None:
        over = above(high)
        total = total - over.excess
        if cutoff != "horizontal":
            stopped = (high - low) * over.share
            total -= stopped if cutoff == "vertical" else np.minimum(over.excess, stopped)
    positive: Doubles = np.maximum(total, 0)  # rounding may leave -1e-15
    return positive


def _sine(lowest: Doubles, highest: Doubles, x: float) -> _Above:
    """Integrate m + a sin θ above x over θ from -π/2 to π/2; the other half day mirrors it."""
    mean, amplitude = (lowest + highest) / 2, (highest - lowest) / 2
    crossing = np.arcsin(_ratio(x - mean, amplitude, -1))
    excess = ((mean - x) * (np.pi / 2 - crossing) + amplitude * np.cos(crossing)) / np.pi
    return _Above(excess, 0.5 - crossing / np.pi)


def _triangle(lowest: Doubles, highest: Doubles, x: float) -> _Above:
    """Integrate the line from the minimum to the maximum above x; the other half day mirrors it."""
    rise = highest - lowest
    share = 1 - _ratio(x - lowest, rise, 0)
    return _Above(share * (highest - x - share * rise / 2), share)


def _ratio(height: Doubles, size: Doubles, least: float) -> Doubles:
    """Return height / size within least..1; of a day without range, one of the two ends."""
    flat = size == 0
    ends = np.where(height <= 0, least, 1)
    placed: Doubles = np.where(flat, ends, np.clip(height / np.where(flat, 1, size), least, 1))
    return placed
