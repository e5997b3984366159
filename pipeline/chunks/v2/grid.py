"""A chunk's rows in one piece: what is written, and what is compared with what was read back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cimis.pipeline.chunks.footer import ColumnInfo, State
from cimis.pipeline.chunks.parts import Bools, FlagColumn, Parts, missing_rows
from cimis.pipeline.chunks.v2.parse import MAX_STATES
from cimis.pipeline.errors import ChunkError
from cimis.pipeline.rows.arrays import ranks
from cimis.pipeline.rows.numbers import Ints

__all__ = ["Grid", "grid_of"]


@dataclass(frozen=True, slots=True)
class Grid:
    """Times, columns and states of a chunk; values, missing marks and states, columns x rows.

    ``values`` holds int64 (of doubles the bits); ``numbers`` 0 for a present value that passed,
    else 1 + the number of its state.
    """

    times: Ints
    columns: tuple[ColumnInfo, ...]
    states: tuple[State, ...]
    values: Ints
    missing: Bools
    numbers: npt.NDArray[np.uint8]


def grid_of(parts: Parts) -> Grid:
    """Return rows in canonical form in one piece; `ChunkError` for too many different marks."""
    columns = tuple(value.info for value in parts.values)
    values = np.zeros((len(columns), parts.times.size), np.int64)
    for row, value in enumerate(parts.values):
        values[row] = value.numbers
    missing = missing_rows(parts.values, parts.times.size)
    states, numbers = _states(parts.flags, missing)
    return Grid(parts.times, columns, states, values, missing, numbers)


def _states(
    flags: list[FlagColumn], missing: Bools
) -> tuple[tuple[State, ...], npt.NDArray[np.uint8]]:
    """Return the chunk's states in order, and 0 or 1 + the state's number, columns x rows."""
    texts = sorted({t for f in flags for t in f.texts})
    if not flags:
        return (), np.zeros(missing.shape, np.uint8)
    codes = np.stack([flag.numbers for flag in flags])
    for row, flag in zip(codes, flags, strict=True):
        if len(flag.texts) not in (0, len(texts)):
            row[:] = ranks(flag.texts, texts)[row]
    codes = 2 * codes + missing
    used = 1 + np.flatnonzero(np.bincount(codes.ravel(), minlength=2 * len(texts) + 2)[1:])
    if used.size > MAX_STATES:
        raise ChunkError(f"{used.size} different marks; a chunk holds {MAX_STATES}")
    states = tuple(
        State(bool(code & 1), texts[(code >> 1) - 1] if code > 1 else None)
        for code in used.tolist()
    )
    lookup = np.zeros(2 * len(texts) + 2, dtype=np.uint8)
    lookup[used] = np.arange(1, used.size + 1)
    return states, lookup[codes]
