"""A station's days estimated from its neighbours by spatial regression, with their errors.

Hubbard and You (2005), "Sensitivity Analysis of Quality Assurance Using the Spatial Regression
Approach", Journal of Atmospheric and Oceanic Technology 22, 1520-1530, doi:10.1175/JTECH1790.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cimis.agronomy.evidence import Bools, Doubles, Marks
from cimis.agronomy.nearness import Near
from cimis.pipeline.errors import UsageError

__all__ = ["Estimates", "against_neighbours", "regression"]

Ints = npt.NDArray[np.int64]

_LEAST_NEIGHBOURS = 2
_FAR = 3.0
_FAR_TOLERATED = 0.02
_CONSTANT = 1e-6
"""Variance, of the whole record's, below which a window does not vary."""


@dataclass(frozen=True, slots=True)
class Estimates:
    """What neighbours say of some stations, day by day.

    Attributes
    ----------
    stations : tuple of int
        Those estimated, in the order of the columns.
    value : float64 array, days × stations
        NaN where fewer than two neighbours say anything.
    error : float64 array, days × stations
        Standard error of the value, in the unit of the values. The mean absolute error to expect
        is 0.6 to 0.7 of it by item, and up to 0.75 of it in gaps of two weeks.
    used : bool array, days × stations × neighbours
        Which of the columns of ``Near.place`` the value rests on.
    lacks : mapping of int to str
        Stations without any estimate because of where they are, and why.
    """

    stations: tuple[int, ...]
    value: Doubles
    error: Doubles
    used: Bools
    lacks: Mapping[int, str]


def regression(
    values: Doubles,
    near: Near,
    stations: Sequence[int] | None = None,
    *,
    half_days: int = 30,
    least_days: int = 20,
    most: int = 5,
) -> Estimates:
    """Estimate each day of some stations from their neighbours, never from the day itself.

    Parameters
    ----------
    values : float64 array, days × stations
        Of one item; every day in a row, NaN where missing or flagged. Filled values do not
        belong here.
    near : Near
        Which stations are near; its stations are the columns of ``values``.
    stations : sequence of int, optional
        Those to estimate; all by default, those that cannot be among the ``lacks``.
    half_days : int
        Days before and after each day whose values the regressions rest on.
    least_days : int
        Days of these that a neighbour must share with the station.
    most : int
        Neighbours that an estimate rests on: those with the smallest standard errors.

    Raises
    ------
    UsageError
        For arrays that do not fit, and for a named station that has no coordinates or fewer than
        two neighbours.

    Notes
    -----
    For each neighbour i least squares over the days t ± 30 without t itself give
    ``x'_i = a_i + b_i y_i`` and their standard error ``s_i = √(Σ(x − x'_i)² / (n − 2))``. Estimate
    and error are ``x' = Σ(x'_i / s_i²) / Σ(1 / s_i²)`` and ``1 / s'² = Σ(1 / s_i²) / N``. The paper
    tests ``|x − x'| ≤ f s'``, see `against_neighbours`. Sums over the window are differences of
    running sums, so the regressions of all days come at once.
    """
    if values.ndim != 2 or values.shape[1] != len(near.stations):
        raise UsageError(f"values of shape {values.shape} do not fit {len(near.stations)} stations")
    if half_days < 2 or least_days < 3:
        raise UsageError("a regression needs 3 days or more of a window of 5 or more")
    chosen = near.stations if stations is None else tuple(stations)
    lacks: dict[int, str] = {}
    if stations is None:
        reasons = ((s, near.lack(column)) for column, s in enumerate(near.stations))
        lacks = {station: reason for station, reason in reasons if reason is not None}
    standard, mean, spread = _standardised(values)
    shape = (len(values), len(chosen))
    value, error = np.full(shape, np.nan), np.full(shape, np.nan)
    used = np.zeros((*shape, near.place.shape[1]), dtype=np.bool_)
    for place, station in enumerate(chosen):
        if station in lacks:
            continue
        column = near.column(station)
        others = near.place[column][near.place[column] >= 0]
        each, errors = _by_neighbour(
            standard[:, column, None], standard[:, others], half_days, least_days
        )
        got, wrong, those = _weighted(each, errors, most)
        value[:, place] = got * spread[column] + mean[column]
        error[:, place] = wrong * spread[column]
        used[:, place, : others.size] = those
    return Estimates(chosen, value, error, used, lacks)


def against_neighbours(values: Doubles, estimates: Estimates) -> Marks:
    """Mark values that lie farther from what their neighbours say than three standard errors.

    ``values`` are the columns of the estimated stations; the figure is ``z = (x − x') / s'``. On
    the network's stations 0.3 to 1.3 % of days lie beyond, by item; a series of which more than
    2 % do is suspect. A wrong value also spoils the estimates that rest on it: where neighbours
    are marked on one day, the one with the largest ``|z|`` is it.
    """
    score = (values - estimates.value) / estimates.error
    return Marks("neighbours", score, np.abs(score) > _FAR, -_FAR, _FAR, _FAR_TOLERATED)


def _standardised(values: Doubles) -> tuple[Doubles, Doubles, Doubles]:
    """Return values less their station's mean, over its spread, and both; NaN without spread.

    Running sums over years keep their digits only for numbers around 0.
    """
    present = np.isfinite(values)
    count = present.sum(axis=0)
    sums = np.where(present, values, 0.0).sum(axis=0)
    mean = np.divide(sums, count, out=np.full(count.shape, np.nan), where=count > 0)
    away = np.where(present, values - mean, 0.0)
    spread = np.sqrt((away**2).sum(axis=0) / np.maximum(count, 1))
    spread[spread <= _CONSTANT * np.abs(mean)] = np.nan
    return (values - mean) / spread, mean, spread


def _by_neighbour(
    target: Doubles, others: Doubles, half: int, least: int
) -> tuple[Doubles, Doubles]:
    """Return each neighbour's estimate and standard error for each day; NaN where it has none."""
    both = np.isfinite(target) & np.isfinite(others)
    x, y = np.where(both, others, 0.0), np.where(both, target, 0.0)
    count, sum_x, sum_y, sum_xx, sum_yy, sum_xy = (
        _around(part, half) for part in (both.astype(np.float64), x, y, x * x, y * y, x * y)
    )
    n = np.maximum(count, 1)
    xx, yy, xy = sum_xx - sum_x**2 / n, sum_yy - sum_y**2 / n, sum_xy - sum_x * sum_y / n
    usable = (count >= least) & (xx > _CONSTANT * n) & (yy > _CONSTANT * n)
    slope = xy / np.where(usable, xx, np.nan)
    estimate = sum_y / n + slope * (others - sum_x / n)
    residue = np.maximum(yy - slope * xy, _CONSTANT**2)
    return estimate, np.sqrt(residue / np.maximum(count - 2, 1))


def _around(values: Doubles, half: int) -> Doubles:
    """Return for each row the sum of the rows around it, without its own."""
    running = np.cumsum(np.pad(values, ((half + 1, half), (0, 0))), axis=0)
    window: Doubles = running[2 * half + 1 :] - running[: -2 * half - 1]
    return window - values


def _weighted(each: Doubles, errors: Doubles, most: int) -> tuple[Doubles, Doubles, Bools]:
    """Return estimate and error of the best neighbours together, and which these are."""
    valid = np.isfinite(each) & np.isfinite(errors)
    ranked = np.where(valid, errors, np.inf)
    order = np.argsort(ranked, axis=1, kind="stable")
    used = np.zeros(valid.shape, dtype=np.bool_)
    np.put_along_axis(used, order[:, :most], values=True, axis=1)
    used &= valid
    count = used.sum(axis=1)
    used &= (count >= _LEAST_NEIGHBOURS)[:, None]
    weights = np.where(used, ranked, np.inf) ** -2.0
    total = np.where(count >= _LEAST_NEIGHBOURS, weights.sum(axis=1), np.nan)
    value = (weights * np.where(used, each, 0.0)).sum(axis=1) / total
    return value, np.sqrt(count / total), used
