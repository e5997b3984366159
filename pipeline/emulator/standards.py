"""Generated metric values in the unit of the standard that was asked for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cimis.pipeline.field.items import Item, Standard

__all__ = ["converted"]

Doubles = npt.NDArray[np.float64]


def converted(values: Doubles, item: Item, standard: Standard) -> Doubles:
    """Return metric values in a standard's unit."""
    ratio = item.quantity.ratio
    return values if standard is Standard.METRIC or ratio is None else ratio.english(values)
