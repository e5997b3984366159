"""Missing marks and flags of a block: runs of equal state, for all columns in one frame."""

from __future__ import annotations

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
    counts, starts, lengths, numbers = [], [], [], []
    for column in states:
        edges = np.flatnonzero(np.diff(column, prepend=column[:1] ^ 1))
        runs = np.diff(edges, append=column.size)
        marked = column[edges] != 0
        counts.append(int(marked.sum()))
        starts.append(edges[marked])
        lengths.append(runs[marked])
        numbers.append(column[edges][marked])
    if not any(counts):
        return b""
    start = np.concatenate(starts).astype(np.uint16)
    length = (np.concatenate(lengths) - 1).astype(np.uint16)
    pieces = [np.array(counts, np.uint16), start, length]
    planes = [p for words in pieces for p in (words & 0xFF, words >> 8)]
    return (
        b"".join(p.astype(np.uint8).tobytes() for p in planes) + np.concatenate(numbers).tobytes()
    )


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
    edges = np.cumsum(counts)[:-1]
    found = (np.split(start, edges), np.split(length, edges), np.split(number, edges))
    for begin, size in zip(found[0], found[1], strict=True):
        ends = begin + size
        if begin.size and (int(ends[-1]) > rows or bool((begin[1:] < ends[:-1]).any())):
            raise ChunkError("marks overlap or leave their block")
    return found[0], found[1], [n - 1 for n in found[2]]


def expand(
    starts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64], numbers: Bytes
) -> tuple[npt.NDArray[np.int64], Bytes]:
    """Return row numbers and the state number of each, from runs."""
    total = int(lengths.sum())
    offsets = np.repeat(starts - np.cumsum(lengths) + lengths, lengths)
    return offsets + np.arange(total), np.repeat(numbers, lengths)
