"""Hours that lack a temperature: counted, and short gaps interpolated when that is asked for."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cimis.agronomy.arrays import Counts, Doubles
from cimis.pipeline.errors import UsageError

__all__ = ["Filled", "fill_gaps"]


class Filled(NamedTuple):
    """A series without its short gaps, and how many values of each column were put in."""

    values: Doubles
    filled: Counts


def fill_gaps(values: Doubles, *, longest: int) -> Filled:
    """Interpolate linearly over gaps of at most ``longest`` values.

    Parameters
    ----------
    values : ndarray, shape (times, ...), float64
        Equally spaced; NaN = missing.
    longest : int
        Longest gap to fill; a longer one stays whole, and so do those at either end. 0: none.

    Returns
    -------
    Filled
        ``values`` of the same shape (the array itself where nothing was filled), ``filled`` of the
        shape without the axis of time.

    Raises
    ------
    UsageError
        For a negative ``longest``.
    """
    if longest < 0:
        raise UsageError(f"gaps of {longest} hours cannot be filled")
    lacking = np.isnan(values)
    if not longest or not lacking.any():
        return Filled(values, np.zeros(values.shape[1:], dtype=np.int64))
    times = len(values)
    at = np.arange(times).reshape(-1, *[1] * (values.ndim - 1))
    before = np.maximum.accumulate(np.where(lacking, -1, at), axis=0)
    after = np.minimum.accumulate(np.where(lacking, times, at)[::-1], axis=0)[::-1]
    short = lacking & (before >= 0) & (after < times) & (after - before - 1 <= longest)
    first, last = before[short], after[short]
    columns = np.nonzero(short)
    start, end = values[(first, *columns[1:])], values[(last, *columns[1:])]
    whole = values.copy()
    whole[short] = start + (end - start) * (columns[0] - first) / (last - first)
    return Filled(whole, np.asarray(short.sum(axis=0)))
