"""Missing marks and flags of a block: runs of equal state, for all columns in one frame."""

from __future__ import annotations

from itertools import accumulate, pairwise

import numpy as np
import numpy.typing as npt

from pipeline.errors import ChunkError

__all__ = ["Runs", "expand", "pack_marks", "unpack_marks"]

Bytes = npt.NDArray[np.uint8]
Runs = tuple[list[npt.NDArray[np.int64]], list[npt.NDArray[np.int64]], list[Bytes]]


def pack_marks(states: list[Bytes]) -> bytes:
    """Return the marks of a block, empty where every value is present and passed.

    Parameters
    ----------
    states : list of uint8 arrays
        Per column and row: 0 for a present value that passed, else 1 + the state's number.
    """
    if not states:
        return b""
    grid = np.stack(states)
    edges = np.ones(grid.shape, np.bool_)
    np.not_equal(grid[:, 1:], grid[:, :-1], out=edges[:, 1:])
    places = np.flatnonzero(edges)
    numbers = grid.ravel()[places]
    marked = numbers != 0
    if not marked.any():
        return b""
    columns, starts = np.divmod(places[marked], grid.shape[1])
    lengths = np.diff(places, append=grid.size)[marked]
    counts = np.bincount(columns, minlength=len(states))
    pieces = [p for words in (counts, starts, lengths - 1) for p in (words & 0xFF, words >> 8)]
    return b"".join(p.astype(np.uint8).tobytes() for p in (*pieces, numbers[marked]))


def unpack_marks(data: bytes | memoryview, columns: int, rows: int, states: int) -> Runs:
    """Return per column the starts, lengths and state numbers (from 0) of a block's runs.

    Raises
    ------
    ChunkError
        Where runs overlap, leave the block, or name a state that the footer does not.
    """
    octets = np.frombuffer(data, dtype=np.uint8)
    if octets.size < 2 * columns:
        raise ChunkError(f"marks hold {octets.size} bytes for {columns} columns")
    counts = octets[:columns].astype(np.int64) | octets[columns : 2 * columns].astype(np.int64) << 8
    total = int(counts.sum())
    if octets.size != 2 * columns + 5 * total:
        raise ChunkError(f"marks of {total} runs hold {octets.size} bytes")
    planes = octets[2 * columns :].reshape(5, total)
    start = planes[0].astype(np.int64) | planes[1].astype(np.int64) << 8
    length = (planes[2].astype(np.int64) | planes[3].astype(np.int64) << 8) + 1
    number = planes[4]
    if total and (int(number.max()) > states or int(number.min()) == 0):
        raise ChunkError(f"marks name state {int(number.max())} of {states}")
    ends = start + length
    beyond = start[1:] < ends[:-1]
    edges = list(accumulate(counts.tolist(), initial=0))
    beyond[[edge - 1 for edge in edges[1:-1] if 0 < edge < total]] = False
    if total and (int(ends.max()) > rows or bool(beyond.any())):
        raise ChunkError("marks overlap or leave their block")
    ranges = [slice(first, after) for first, after in pairwise(edges)]
    number = number - 1
    return [start[r] for r in ranges], [length[r] for r in ranges], [number[r] for r in ranges]


def expand(
    starts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64], numbers: Bytes
) -> tuple[npt.NDArray[np.int64], Bytes]:
    """Return row numbers and the state number of each, from runs."""
    total = int(lengths.sum())
    offsets = np.repeat(starts - np.cumsum(lengths) + lengths, lengths)
    return offsets + np.arange(total), np.repeat(numbers, lengths)
