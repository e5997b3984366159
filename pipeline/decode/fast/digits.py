"""Decimal texts to integers, eight characters to a word and many words at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["read_values"]

Positions = npt.NDArray[np.int64]

_QUOTE, _MINUS, _POINT, _ZERO = 0x22, 0x2D, 0x2E, 0x30
_U = np.uint64
_ONES = _U(0x0101010101010101)
_NULL = int.from_bytes(b"null", "little")
_PLACE = _U(0x0706050403020100)
_PAIR = _U(0x000000FF000000FF)
_HIGH = _U(100 + (1_000_000 << 32))
_LOW = _U(1 + (10_000 << 32))
_POWERS = np.array([10**n for n in range(9)], np.int64)


def read_values(
    data: bytes,
    starts: Positions,
    ends: Positions,
    lasts: npt.NDArray[np.uint8],
    decimals: Positions,
) -> tuple[npt.NDArray[np.int64], Positions, npt.NDArray[np.bool_] | None, npt.NDArray[np.bool_]]:
    """Read quoted decimals of up to seven characters, and nulls.

    Parameters
    ----------
    data : bytes
    starts, ends : (R, K) int64
        Where each value begins and ends in `data`, quotes included.
    lasts : (R, K) uint8
        The byte before each end.
    decimals : (K,) int64
        The decimals that each column shall have at least.

    Returns
    -------
    numbers : (R, K) int64
        Scaled by the columns' decimals; 0 where null.
    decimals : (K,) int64
        Those of each column: as asked, or more where a text has more.
    valid : (R, K) bool or None
        False where null; None when nothing is.
    sound : (R,) bool
        Rows in which every value is a null or a plain decimal: a minus or none, digits, at most
        one point. Numbers of other rows mean nothing.
    """
    sizes = ends - starts
    words = np.ndarray((len(data) - 7,), _U, data, 0, (1,))[starts]
    raw = words.view(np.uint8).reshape(*starts.shape, 8)
    minus = raw[:, :, 1] == _MINUS
    sound = (raw[:, :, 0] == _QUOTE) & (lasts == _QUOTE)
    # move the last character to the highest byte: quote and nothing but zeros are below the text;
    # of a value of other than 3 to 9 bytes, no digit is left, as shifts by 64 and more give zero
    shift = (72 - 8 * sizes).view(_U)
    text = words << shift
    octets = text.view(np.uint8)
    digits = octets - np.uint8(_ZERO)
    is_digit = digits <= 9
    digits *= is_digit.view(np.uint8)
    points = (octets == _POINT).view(_U)
    found = is_digit.view(_U)
    # what is no digit must be the quote and the zeros below, one minus in front, one point
    below = _ONES >> (_U(56) - shift)
    due = points + below + (minus.view(np.uint8).astype(_U) << (shift + _U(8)))
    wrong = (found ^ _ONES ^ due) | (points & (points - _U(1)))
    sound &= (wrong == 0) & (found != 0)
    numbers = _without_point(digits.view(_U), points).view(np.int64)
    places = ((points * _PLACE) >> _U(56)).view(np.int64)
    null = (words & _U(0xFFFFFFFF)) == _U(_NULL)
    valid = None
    if null.any():
        null &= sizes == 4
        sound |= null
        valid = ~null
        numbers *= valid
        places *= valid
    rows = np.ones(len(sound), np.bool_)
    if not sound.all():
        rows = sound.all(axis=1)
        places *= sound
    most = np.maximum(decimals, places.max(axis=0))
    numbers *= _POWERS[most - places]
    np.negative(numbers, out=numbers, where=minus)
    return numbers, most, valid, rows


def _without_point(
    digits: npt.NDArray[np.uint64], points: npt.NDArray[np.uint64]
) -> npt.NDArray[np.uint64]:
    """Return the number that eight digits (the first in the lowest byte) spell, point left out."""
    before = points - np.minimum(points, _U(1))
    word = digits + (digits & before) * _U(255)
    word = word * _U(10) + (word >> _U(8))
    return ((word & _PAIR) * _HIGH + ((word >> _U(16)) & _PAIR) * _LOW) >> _U(32)
