"""Values that cannot be, or hardly: out of range, at odds with each other, far from their month.

No check changes a value, and none reads the network's flags: callers pass NaN for what the
network flagged, and keep these marks in a column of their own.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from cimis.agronomy.evidence import Doubles, Marks
from cimis.pipeline.errors import UsageError

__all__ = ["DAILY_BOUNDS", "OUTLIER_ITEMS", "consistency", "monthly_outliers", "out_of_range"]

Ints = npt.NDArray[np.int64]

_TEMPERATURE, _HUMIDITY, _VAPOUR = (-50.0, 60.0), (2.0, 110.0), (0.0, 8.0)

DAILY_BOUNDS: Mapping[str, tuple[float, float]] = {
    "air_tmp_avg": _TEMPERATURE,
    "air_tmp_max": _TEMPERATURE,
    "air_tmp_min": _TEMPERATURE,
    "dew_pnt": _TEMPERATURE,
    "rel_hum_avg": _HUMIDITY,
    "rel_hum_max": _HUMIDITY,
    "rel_hum_min": _HUMIDITY,
    "sol_rad_avg": (5.0, 700.0),
    "vap_pres_avg": _VAPOUR,
    "wind_spd_avg": (0.0, 35.0),
}
"""Bounds of agweather-qaqc (JOSS 06368) by daily item: °C, %, W/m², kPa, m/s."""

OUTLIER_ITEMS = (
    "air_tmp_avg", "air_tmp_max", "air_tmp_min", "dew_pnt", "soil_tmp_avg", "vap_pres_avg",
)  # fmt: skip
"""Items whose days of a month lie about their middle evenly, so that `monthly_outliers` can judge.

Radiation, humidity, wind, rain and ET lean to one side: of sound stations it marks 2 to 8 %.
"""

_OUTLIER = 3.5
_OUTLIERS_TOLERATED = 0.02
_MAD_OF_NORMAL = 0.6745
_ROUNDING_C = 0.1


def out_of_range(item: str, values: Doubles) -> Marks:
    """Mark what no sound sensor reads in California; the figure is the value.

    Parameters
    ----------
    item : str
        Column of a daily item, one of `DAILY_BOUNDS`.
    values : float64 array
        In metric units; NaN where missing.

    Raises
    ------
    UsageError
        For an item that has no bounds.
    """
    if item not in DAILY_BOUNDS:
        raise UsageError(
            f"there are no bounds for '{item}'", hint=f"there are for {', '.join(DAILY_BOUNDS)}"
        )
    low, high = DAILY_BOUNDS[item]
    return Marks("range", values, (values < low) | (values > high), low, high)


def monthly_outliers(months: Ints, values: Doubles) -> Marks:
    """Mark values far from the middle of their calendar month, over all years given.

    The figure is the modified z-score of Iglewicz and Hoaglin (1993), "How to Detect and Handle
    Outliers": ``0.6745 (x − median) / MAD``, MAD the median of ``|x − median|``; marked beyond
    3.5, and more than 2 % of a series is suspect. A month whose MAD is 0 cannot be judged. For
    which items: `OUTLIER_ITEMS`.

    Parameters
    ----------
    months : int64 array
        1 to 12.
    values : float64 array of the same length
        NaN where missing.
    """
    score = np.full(values.shape, np.nan)
    for month in range(1, 13):
        rows = np.flatnonzero((months == month) & np.isfinite(values))
        if rows.size == 0:
            continue
        away = values[rows] - np.median(values[rows])
        middle = np.median(np.abs(away))
        if middle > 0:
            score[rows] = _MAD_OF_NORMAL * away / middle
    marked = np.abs(score) > _OUTLIER
    return Marks("outlier", score, marked, -_OUTLIER, _OUTLIER, _OUTLIERS_TOLERATED)


def consistency(
    minimum_c: Doubles, mean_c: Doubles, maximum_c: Doubles, dew_point_c: Doubles
) -> dict[str, Marks]:
    """Mark days whose temperatures contradict each other.

    Returns
    -------
    dict of str to Marks
        ``minimum above mean``, ``mean above maximum``, ``minimum above maximum`` and ``dew point
        above mean``; the figure is by how many °C, NaN where one of the two is missing. One step
        of the sensors' rounding, 0.1 °C, is no contradiction.
    """
    pairs = {
        "minimum above mean": (minimum_c, mean_c),
        "mean above maximum": (mean_c, maximum_c),
        "minimum above maximum": (minimum_c, maximum_c),
        "dew point above mean": (dew_point_c, mean_c),
    }
    bound = _ROUNDING_C + 1e-9
    return {
        name: Marks(name, low - high, low - high > bound, -np.inf, _ROUNDING_C)
        for name, (low, high) in pairs.items()
    }
