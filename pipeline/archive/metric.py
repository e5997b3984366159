"""Exact conversion of English values to metric ones, in integers, with one rule of rounding.

A value of d decimals becomes the nearest metric value of the item's decimals, ties away from zero.
Vapour pressure keeps one decimal more than the registry's, so that mBars to kPa loses nothing.
Factors are the definitions: inch 25.4 mm, mile 1.609344 km, langley 41,868 J/m², day 86,400 s.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.items import Item

__all__ = ["metric_decimals", "to_metric"]

Ints = npt.NDArray[np.int64]

# English unit -> numerator, denominator, what is taken off first (in whole units)
_RATIOS: dict[str, tuple[int, int, int]] = {
    "(F)": (5, 9, 32),
    "(in)": (254, 10, 0),
    "(Ly/day)": (41_868, 86_400, 0),
    "(mBars)": (1, 10, 0),
    "(MPH)": (44_704, 100_000, 0),
}
_MILES = (1_609_344, 1_000_000, 0)


def metric_decimals(item: Item) -> int:
    """Return the decimals of an item's converted values."""
    extra = 1 if item.unit_english == "(mBars)" else 0
    return item.decimals_metric + extra


def to_metric(values: Ints, decimals: int, item: Item) -> Ints:
    """Return English values as metric ones.

    Parameters
    ----------
    values : int64 array
        English values times ``10**decimals``.
    decimals : int
    item : Item

    Returns
    -------
    int64 array
        Metric values times ``10**metric_decimals(item)``.
    """
    # wind run says MPH but counts miles
    ratio = _MILES if item.code == "day-wind-run" else _RATIOS.get(item.unit_english, (1, 1, 0))
    numerator, denominator, offset = ratio
    top = (values - offset * 10**decimals) * (numerator * 10 ** metric_decimals(item))
    bottom = denominator * 10**decimals
    rounded: Ints = np.sign(top) * ((2 * np.abs(top) + bottom) // (2 * bottom))
    return rounded
