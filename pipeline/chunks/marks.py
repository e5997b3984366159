"""Missing marks and flags of a block: its rows' patterns of states, and each row's pattern."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.errors import ChunkError

__all__ = ["Marks", "pack_marks", "unpack_marks"]

Bytes = npt.NDArray[np.uint8]
_WIDE = 256


@dataclass(frozen=True, slots=True)
class Marks:
    """The states of a block's values.

    ``patterns`` has a row per column and a column per pattern: 0 for a present value that passed,
    else 1 + the state's number. ``numbers`` names each row's pattern.
    """

    patterns: Bytes
    numbers: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

    def of(self, column: int) -> Bytes | None:
        """Return the states of a column's rows, None where every value is present and passed."""
        states = self.patterns[column]
        return states[self.numbers] if states.any() else None


def pack_marks(states: Bytes) -> tuple[bytes, ...]:
    """Return the marks of a block in two pieces, none where every value is present and passed.

    Parameters
    ----------
    states : uint8 array, columns x rows
        0 for a present value that passed, else 1 + the state's number.
    """
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


def unpack_marks(data: bytes | memoryview, columns: int, rows: int, states: int) -> Marks:
    """Return the marks that a frame holds, checked.

    Raises
    ------
    ChunkError
        Where a row names no pattern, or a pattern names a state that the footer does not.
    """
    octets = np.frombuffer(data, dtype=np.uint8)
    count = int.from_bytes(data[:2], "little")
    width = 1 if count <= _WIDE else 2
    end = 2 + columns * count
    if octets.size != end + width * rows or not count:
        raise ChunkError(f"marks of {count} patterns hold {octets.size} bytes")
    patterns = octets[2:end].reshape(columns, count)
    numbers: npt.NDArray[np.uint8] | npt.NDArray[np.uint16] = octets[end : end + rows]
    if width == 2:
        numbers = numbers | octets[end + rows :].astype(np.uint16) << np.uint16(8)
    if int(numbers.max()) >= count:
        raise ChunkError(f"a row has pattern {int(numbers.max())} of {count}")
    if patterns.size and int(patterns.max()) > states:
        raise ChunkError(f"marks name state {int(patterns.max())} of {states}")
    return Marks(patterns, numbers)
