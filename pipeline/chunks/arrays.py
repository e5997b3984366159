"""The kinds of arrays that chunks are read into, by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Bools", "Ints", "Numbers", "Octets", "Words", "magnitude"]

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.signedinteger[Any]]
Octets = npt.NDArray[np.uint8]
Words = npt.NDArray[np.unsignedinteger[Any]]


def magnitude(values: Ints) -> int:
    """Return the largest absolute value, 0 where there is none; exact for -2**63 too."""
    return max(int(values.max()), -int(values.min())) if values.size else 0
