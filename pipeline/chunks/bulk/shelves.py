"""Where rows of many blocks lie while they are decoded: blocks of about as many rows in one array.

Such an array has a row per block, as long as the longest of them; what is behind a shorter one is
padding. All these arrays lie one after the other in a flat one, so that a whole column is one array
too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from cimis.pipeline.rows.numbers import Ints

__all__ = ["Shelf", "Shelves"]

T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True, eq=False, slots=True)
class Shelf:
    """Blocks stacked: their places among all blocks, the rows of the longest, where it begins."""

    blocks: Ints
    rows: int
    start: int

    def of(self, flat: npt.NDArray[T]) -> npt.NDArray[T]:
        """Return the shelf's part of a flat array, blocks x rows, without a copy."""
        stop = self.start + self.blocks.size * self.rows
        return flat[self.start : stop].reshape(self.blocks.size, self.rows)


class Shelves:
    """The shelves for blocks of so many rows each.

    Attributes
    ----------
    shelves : list of Shelf
    size : int
        Of a flat array.
    rows : int
        Of all blocks: ``size`` less the padding.
    shelf, place : int64 arrays
        Of each block: which shelf, and which row of it.
    starts : int64 array
        Of each block: where it begins in a flat array.
    padding : int64 array
        Places of a flat array that hold no row.
    order : int64 array or None
        Places of all rows in the blocks' order; None where a flat array is in that order already.
    """

    def __init__(self, rows: Ints) -> None:
        unit = 1 << np.maximum(np.ceil(np.log2(rows)).astype(np.int64) - 3, 3)
        kinds, self.shelf = np.unique(-(-rows // unit) * unit, return_inverse=True)
        self.place = np.zeros(rows.size, np.int64)
        self.starts = np.zeros(rows.size, np.int64)
        self.shelves: list[Shelf] = []
        self.size = 0
        for number in range(kinds.size):
            blocks = np.flatnonzero(self.shelf == number)
            longest = int(rows[blocks].max())
            self.shelves.append(Shelf(blocks, longest, self.size))
            self.place[blocks] = np.arange(blocks.size)
            self.starts[blocks] = self.size + np.arange(blocks.size) * longest
            self.size += blocks.size * longest
        self.rows = int(rows.sum())
        before = np.cumsum(rows) - rows
        order = np.repeat(self.starts - before, rows) + np.arange(self.rows)
        whole = self.rows == self.size
        self.order = None if whole and kinds.size == 1 else order
        if whole:
            self.padding = np.empty(0, np.int64)
        else:
            used = np.zeros(self.size, np.bool_)
            used[order] = True
            self.padding = np.flatnonzero(~used)

    def in_order(self, flat: npt.NDArray[T]) -> npt.NDArray[T]:
        """Return the rows of a flat array in the order of blocks."""
        return flat if self.order is None else flat.take(self.order)
