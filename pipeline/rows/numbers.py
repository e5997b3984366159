"""Values as integers over a power of ten: how wide, with how many decimals, exactly rescaled."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "INT64_MAX",
    "MAX_DECIMALS",
    "Bools",
    "Doubles",
    "Ints",
    "Numbers",
    "Octets",
    "Words",
    "canonical",
    "decimal_form",
    "fewest",
    "magnitude",
    "narrowest",
    "rescaled",
    "width_of",
]

Bools = npt.NDArray[np.bool_]
Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.signedinteger[Any]]
Octets = npt.NDArray[np.uint8]
Words = npt.NDArray[np.unsignedinteger[Any]]

INT64_MAX = 2**63 - 1

MAX_DECIMALS = 18
"""More decimals than this cannot stand in an int64."""

_SIGNIFICANT = 15
_ROOMY = 1 << 58  # ten times as much still fits


def magnitude(values: npt.NDArray[np.signedinteger]) -> int:
    """Return the largest absolute value, 0 where there is none; exact for -2**63 too."""
    return max(int(values.max()), -int(values.min())) if values.size else 0


def width_of(low: int, high: int) -> type[np.signedinteger]:
    """Return the narrowest of int16, int32 and int64 that holds two bounds.

    Raises
    ------
    OverflowError
        Where none does.
    """
    for bits, kind in ((15, np.int16), (31, np.int32), (63, np.int64)):
        if -(1 << bits) <= low and high < 1 << bits:
            return kind
    raise OverflowError(f"{low} to {high} need more than 64 bits")


def narrowest(values: npt.NDArray[np.integer]) -> type[np.signedinteger]:
    """Return the narrowest of int16, int32 and int64 that holds all values."""
    if values.dtype == np.int16 or not values.size:
        return np.int16
    return width_of(int(values.min()), int(values.max()))


def rescaled(values: npt.NDArray[np.signedinteger], more: int) -> npt.NDArray[np.signedinteger]:
    """Return values with so many more decimals, as int64; as they are where there are none more.

    Raises
    ------
    OverflowError
        Where one does not fit 64 bits then.
    """
    if more == 0:
        return values
    if magnitude(values) > INT64_MAX // 10**more:
        raise OverflowError(f"values need more than 64 bits with {more} more decimals")
    return values.astype(np.int64) * np.int64(10**more)


def fewest(
    values: npt.NDArray[np.signedinteger], decimals: int, least: int
) -> tuple[npt.NDArray[np.signedinteger], int]:
    """Return values with the fewest decimals that hold them all, but not fewer than ``least``."""
    while decimals > least and not bool((values % 10).any()):
        values, decimals = values // 10, decimals - 1
    return values, decimals


def canonical(values: Ints, decimals: int, least: int) -> tuple[Ints, int]:
    """Return values with the decimals that chunks keep, which follow from the values alone.

    The fewest that hold them all, but not fewer than ``least`` as long as these fit 64 bits.
    """
    kept, decimals = fewest(values, decimals, least)
    top = magnitude(kept) if decimals < least else 0
    more = 0
    while top < _ROOMY and decimals < least:
        top, more, decimals = top * 10, more + 1, decimals + 1
    return rescaled(kept, more).astype(np.int64, copy=False), decimals


def decimal_form(values: Doubles, least: int) -> tuple[Ints, int] | None:
    """Return doubles as integers over a power of ten, and its exponent: the decimals.

    The fewest decimals, not fewer than ``least``, at which each value is the double nearest to
    its decimal; None where one is no decimal of at most 15 digits, or not finite.
    """
    for decimals in range(least, _SIGNIFICANT + 1):
        with np.errstate(over="ignore"):
            numbers = np.rint(values * 10.0**decimals)
        if values.size and not np.abs(numbers).max() < 10.0**_SIGNIFICANT:
            return None
        if np.array_equal(numbers / 10.0**decimals, values):
            return numbers.astype(np.int64), decimals
    return None
