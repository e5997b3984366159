"""Signed integers as unsigned ones: zigzag, and what 64 bits hold of any integer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cimis.pipeline.rows.numbers import Ints, Numbers, Words

__all__ = ["plain_unzigzag", "unzigzag", "wrap", "zigzag"]

_HALF, _WHOLE = 1 << 63, (1 << 64) - 1


def zigzag(values: Ints) -> Words:
    """Map signed to unsigned so that small magnitudes are small."""
    return ((values << 1) ^ (values >> 63)).view("<u8")


def unzigzag(words: Words) -> Numbers:
    """Undo `zigzag`, in as many bits as the words have."""
    own = words.astype(words.dtype.newbyteorder("="), copy=False)
    return ((own >> 1) ^ -(own & 1)).view(f"<i{words.dtype.itemsize}")


def plain_unzigzag(words: Iterable[int]) -> Iterator[int]:
    """Yield what `unzigzag` returns."""
    return ((word >> 1) ^ -(word & 1) for word in words)


def wrap(value: int) -> int:
    """Return an integer modulo 2**64 as a signed one."""
    if -_HALF <= value < _HALF:
        return value
    return (value + _HALF & _WHOLE) - _HALF
