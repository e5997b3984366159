"""Missing marks and flags of a block: its rows' patterns of states, and each row's pattern."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from cimis.pipeline.errors import ChunkError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from cimis.pipeline.rows.numbers import Octets

    Numbered = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

__all__ = ["Marks", "join_numbers", "pack_marks", "split_marks", "unpack_marks"]

_WIDE = 256
_OCTETS = bytes(range(_WIDE))


class Marks(NamedTuple):
    """The states of a block's values.

    ``patterns`` has a row per column and a column per pattern: 0 for a present value that passed,
    else 1 + the state's number. ``numbers`` names each row's pattern.
    """

    patterns: Octets
    numbers: Numbered

    def of(self, column: int) -> Octets | None:
        """Return the states of a column's rows, None where every value is present and passed."""
        states = self.patterns[column]
        return states[self.numbers] if states.any() else None


def pack_marks(states: Octets) -> tuple[bytes, ...]:
    """Return the marks of a block in two pieces, none where every value is present and passed.

    Parameters
    ----------
    states : uint8 array, columns x rows
        0 for a present value that passed, else 1 + the state's number.
    """
    import numpy as np

    if not states.any():
        return ()
    edges = np.flatnonzero((states[:, 1:] != states[:, :-1]).any(axis=0)) + 1
    heads = np.concatenate([[0], edges])
    # a text of fixed length compares as its octets do
    texts = np.ascontiguousarray(states[:, heads].T).view(f"S{len(states)}").ravel()
    found, places = np.unique(texts, return_inverse=True)
    patterns = found.view(np.uint8).reshape(found.size, len(states)).T
    spread = np.repeat(places, np.diff(heads, append=states.shape[1]))
    planes = [spread & 0xFF, spread >> 8] if found.size > _WIDE else [spread]
    rest = b"".join(plane.astype(np.uint8).tobytes() for plane in planes)
    return found.size.to_bytes(2, "little") + patterns.tobytes(), rest


def split_marks(
    data: bytes, columns: int, rows: int, states: int
) -> tuple[int, bytes, bytes, bytes]:
    """Return what a frame of marks holds, checked, without numpy.

    Returns
    -------
    count : int
        Of patterns.
    patterns : bytes
        The states of each pattern, column by column.
    low, high : bytes
        The number of each row's pattern; of up to 256 patterns there are no high bytes.

    Raises
    ------
    ChunkError
        Where a row names no pattern, or a pattern names a state that the footer does not.
    """
    count = int.from_bytes(data[:2], "little")
    end = 2 + columns * count
    if len(data) != end + (1 if count <= _WIDE else 2) * rows or not count:
        raise ChunkError(f"marks of {count} patterns hold {len(data)} bytes")
    patterns, low, high = data[2:end], data[end : end + rows], data[end + rows :]
    if high or low.translate(None, _OCTETS[:count]):  # far faster than to look for the greatest
        most = max(join_numbers(low, high))
        if most >= count:
            raise ChunkError(f"a row has pattern {most} of {count}")
    if patterns.translate(None, _OCTETS[: states + 1]):
        raise ChunkError(f"marks name state {max(patterns)} of {states}")
    return count, patterns, low, high


def join_numbers(low: bytes, high: bytes) -> Sequence[int]:
    """Return the numbers of rows' patterns of their low and high bytes."""
    return [a | b << 8 for a, b in zip(low, high, strict=True)] if high else low


def unpack_marks(data: bytes, columns: int, rows: int, states: int) -> Marks:
    """Return the marks that a frame holds; checked, with the errors of `split_marks`."""
    import numpy as np

    count, patterns, low, high = split_marks(data, columns, rows, states)
    numbers: Numbered = np.frombuffer(low, np.uint8)
    if high:
        numbers = numbers | np.frombuffer(high, np.uint8).astype(np.uint16) << np.uint16(8)
    return Marks(np.frombuffer(patterns, np.uint8).reshape(columns, count), numbers)
