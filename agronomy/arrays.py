"""Arrays as this room takes them: doubles with time along the first axis, NaN = missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cimis.pipeline.errors import UsageError

__all__ = ["Counts", "Doubles", "doubles", "place_of"]

Doubles = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


def doubles(values: npt.ArrayLike, name: str) -> Doubles:
    """Return values as an array of doubles with time along its first axis.

    Parameters
    ----------
    values : array_like, shape (times, ...)
        Numbers, NaN = missing; a masked or integer array is taken too.
    name : str
        What the values are, for the message.

    Raises
    ------
    UsageError
        For what is no array of numbers, has no axis of time, or holds an infinity.
    """
    try:
        array: Doubles = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{name} are not numbers: {error}") from error
    if isinstance(values, np.ma.MaskedArray):
        array = np.where(np.ma.getmaskarray(values), np.nan, array)
    if array.ndim == 0:
        raise UsageError(f"{name} are one number, where a series is due")
    endless = np.isinf(array)
    if endless.any():
        raise UsageError(f"{name} are infinite at {place_of(endless)}")
    return array


def place_of(marked: npt.NDArray[np.bool_], *, step: str = "index") -> str:
    """Name the first marked element: its place in time, and its column where there are several."""
    first = tuple(int(n) for n in np.argwhere(marked)[0])
    where: dict[str, Any] = {step: first[0]}
    if len(first) > 1:
        where["column"] = first[1] if len(first) == 2 else first[1:]
    return ", ".join(f"{name} {value}" for name, value in where.items())
