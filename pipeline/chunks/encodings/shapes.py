"""How a cell's residuals lie in the bytes of its frame: byte planes, or low bits packed apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.chunks.arrays import Octets, Words

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
        lows = _unpacked(octets[:, rows:], rows, low)
        return (octets[:, :rows].astype(np.uint16) << np.uint16(low)) | lows
    if width == 1:
        return octets
    room = 2 if width == 2 else 4 if width <= 4 else 8
    words = np.zeros((len(octets), rows, room), np.uint8)
    for plane in range(width):
        words[:, :, plane] = octets[:, plane * rows : (plane + 1) * rows]
    joined: Words = words.view(f"<u{room}")[:, :, 0]
    return joined


def _unpacked(octets: Octets, rows: int, low: int) -> Octets:
    """Return numbers of ``low`` bits each that lie packed: eight of them in ``low`` bytes."""
    import numpy as np

    groups = rows + 7 >> 3
    padded = np.zeros((len(octets), groups * low), np.uint8)
    padded[:, : octets.shape[1]] = octets
    planes = np.ascontiguousarray(padded.reshape(-1, low).T)
    made = np.empty((len(octets) * groups, 8), np.uint8)
    mask = np.uint8((1 << low) - 1)
    for number in range(8):
        byte, shift = divmod(number * low, 8)
        bits = planes[byte] >> np.uint8(shift)
        if shift + low > 8:
            bits |= planes[byte + 1] << np.uint8(8 - shift)
        np.bitwise_and(bits, mask, out=made[:, number])
    return made.reshape(len(octets), groups * 8)[:, :rows]


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
