"""How a cell's residuals lie in the bytes of its frame: byte planes, or low bits packed apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cimis.pipeline.rows.numbers import Ints, Octets, Words

__all__ = [
    "MAX_LOW_BITS",
    "join_octets",
    "plain_join_octets",
    "split_low",
    "split_planes",
    "width_of",
]

MAX_LOW_BITS = 7


def width_of(words: Words) -> int:
    """Return the bytes that the largest residual needs: 0 where all are zero."""
    top = int(words.max()) if words.size else 0
    return (top.bit_length() + 7) // 8


def split_planes(words: Words, width: int) -> tuple[bytes, ...]:
    """Return the byte planes of residuals (uint64), lowest bytes first."""
    octets = words.astype("<u8", copy=False).view("u1").reshape(-1, 8)
    return tuple(plane.tobytes() for plane in octets[:, :width].T)


def split_low(words: Words, low: int) -> tuple[bytes, ...]:
    """Return a plane of the residuals' upper bits (below 2**8), and their ``low`` bits, packed."""
    import numpy as np

    octets = words.astype("<u8", copy=False).view(np.uint8).reshape(-1, 8)
    bits = np.unpackbits(octets[:, :1], axis=1, bitorder="little")[:, :low]
    packed = np.packbits(bits.ravel(), bitorder="little")
    return (words >> np.uint64(low)).astype(np.uint8).tobytes(), packed.tobytes()


def join_octets(octets: Octets, rows: int, width: int, low: int) -> Words:
    """Return the residuals of cells of one shape.

    Parameters
    ----------
    octets : uint8 array, cells x size
        What their frames hold.
    rows, width, low : int
        Of each cell.

    Returns
    -------
    array of unsigned integers, cells x rows
        The narrowest that hold them.
    """
    import numpy as np

    if width == 0:
        return np.zeros((len(octets), rows), np.uint8)
    if low:
        words = octets[:, :rows].astype(np.uint16)
        words <<= low
        words |= _unpacked(octets[:, rows:], rows, low)
        return words
    if width == 1:
        return octets
    room = 2 if width == 2 else 4 if width <= 4 else 8
    planes = np.zeros((len(octets), rows, room), np.uint8)
    for plane in range(width):
        planes[:, :, plane] = octets[:, plane * rows : (plane + 1) * rows]
    joined: Words = planes.view(f"<u{room}")[:, :, 0]
    return joined


def _unpacked(octets: Octets, rows: int, low: int) -> Words:
    """Return numbers of ``low`` bits each that lie packed: each is within two octets."""
    pairs = octets.astype("<u2")
    pairs[:, :-1] |= pairs[:, 1:] << 8
    at, shifts = _places(rows, low)
    words: Words = pairs.take(at, axis=1)
    words >>= shifts
    words &= (1 << low) - 1
    return words


@lru_cache(1_024)
def _places(rows: int, low: int) -> tuple[Ints, Words]:
    """Return for each row the octet in which its low bits begin, and at which of its bits."""
    import numpy as np

    at = np.arange(rows) * low
    return at >> 3, (at & 7).astype(np.uint16)


def plain_join_octets(octets: bytes, rows: int, width: int, low: int) -> Sequence[int]:
    """Return the residuals of one cell, without numpy."""
    if low:
        lows = _plain_unpacked(octets[rows:], low)
        return [high << low | rest for high, rest in zip(octets[:rows], lows, strict=False)]
    if width <= 1:
        return octets if width else bytes(rows)
    planes = [octets[plane * rows : (plane + 1) * rows] for plane in range(width)]
    return [int.from_bytes(word, "little") for word in zip(*planes, strict=True)]


def _plain_unpacked(octets: bytes, low: int) -> Iterator[int]:
    """Yield the numbers of ``low`` bits each that lie packed, eight in ``low`` bytes."""
    mask = (1 << low) - 1
    for start in range(0, len(octets), low):
        group = int.from_bytes(octets[start : start + low], "little")
        for shift in range(0, 8 * low, low):
            yield group >> shift & mask
