"""Generated metric values in the unit of the standard that was asked for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.items import Item, Standard

__all__ = ["converted"]

Doubles = npt.NDArray[np.float64]

_SCALE = {"(in)": 1 / 25.4, "(Ly/day)": 1 / 0.484583, "(mBars)": 10.0, "(MPH)": 1 / 0.44704}


def converted(values: Doubles, item: Item, standard: Standard) -> Doubles:
    """Return metric values in a standard's unit."""
    if standard is Standard.METRIC:
        return values
    if item.code == "day-wind-run":
        return values / 1.609344
    if item.unit_english == "(F)":
        return values * 1.8 + 32
    return values * _SCALE.get(item.unit_english, 1.0)
