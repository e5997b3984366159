"""Cells of many blocks decoded together: those encoded alike are one array at every step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

import numpy as np

from cimis.pipeline.chunks.bulk.cells import Cells
from cimis.pipeline.chunks.bulk.shelves import Shelf, Shelves
from cimis.pipeline.chunks.encodings import KINDS, Predicted, kind_of
from cimis.pipeline.chunks.encodings.predicted import MAX_SOURCES, Terms
from cimis.pipeline.chunks.encodings.shapes import join_octets
from cimis.pipeline.chunks.encodings.steps import undo_steps
from cimis.pipeline.rows.numbers import Bools, Ints, Numbers

__all__ = ["CellList", "decode", "predict_cells"]

_UNSCALED = [k.number for k in KINDS if isinstance(k, Predicted) and not k.scaled]


class CellList:
    """The cells that are wanted, in the order in which their frames are to be decompressed.

    Parameters
    ----------
    cells : Cells
        Blocks x columns.
    rows : int64 array
        Of the blocks.
    slots : int64 array, blocks x columns
        The item of each column.
    wanted : bool array, blocks x columns
    shelves : Shelves

    Attributes
    ----------
    cells : Cells
        The wanted ones, in one axis.
    block, slot, rows, sizes : int64 arrays
        Of each.
    """

    def __init__(
        self, cells: Cells, rows: Ints, slots: Ints, wanted: Bools, shelves: Shelves
    ) -> None:
        block, column = np.nonzero(wanted)
        found = cells.only((block, column))
        keys = [block, rows[block], found.low, found.width, found.kind]
        keys += [slots[block, column], shelves.shelf[block]]
        order = np.lexsort(keys)
        self.cells = found.only((order,))
        self.block, self.slot = block[order], slots[block, column][order]
        self.rows = rows[self.block]
        self.sizes = self.cells.sizes(self.rows)
        edges = np.zeros(order.size, np.bool_)
        edges[:1] = True
        for key in keys[1:]:
            sorted_key = key[order]
            edges[1:] |= sorted_key[1:] != sorted_key[:-1]
        self._starts = np.flatnonzero(edges)

    def groups(self) -> Iterator[slice]:
        """Yield the cells of one shelf, item, kind, shape and number of rows."""
        edges = [*self._starts.tolist(), self.block.size]  # of no cell there is one edge
        for start, stop in pairwise(edges):
            yield slice(start, stop)


def decode(listed: CellList, plain: bytes, shelves: Shelves) -> dict[int, Ints]:
    """Return by item its numbers in a flat array; of predicted cells what is left of them.

    Parameters
    ----------
    listed : CellList
    plain : bytes
        What the cells' frames hold, in the list's order.
    shelves : Shelves
    """
    octets = np.frombuffer(plain, np.uint8)
    made: dict[int, Ints] = {}
    at = 0
    for group in listed.groups():
        slot, rows = int(listed.slot[group.start]), int(listed.rows[group.start])
        if slot not in made:
            made[slot] = np.zeros(shelves.size, np.int64)
        shelf = shelves.shelves[shelves.shelf[listed.block[group.start]]]
        size, count = int(listed.sizes[group.start]), group.stop - group.start
        data = octets[at : at + count * size].reshape(count, size)
        at += count * size
        cells = listed.cells
        kind = kind_of(int(cells.kind[group.start]))
        assert kind is not None
        words = join_octets(data, rows, int(cells.width[group.start]), int(cells.low[group.start]))
        numbers = kind.numbers(words, cells.base[group, None])
        _put(shelf.of(made[slot]), shelves.place[listed.block[group]], numbers)
        if not isinstance(kind, Predicted):
            _undo_steps(made[slot], shelf, shelves, listed, group)
    return made


def _put(shelf: Ints, places: Ints, numbers: Numbers) -> None:
    """Put the numbers of cells in their places, of which those of a whole shelf are in order."""
    if places.size == len(shelf):
        shelf[:, : numbers.shape[1]] = numbers
    elif numbers.shape[1] == shelf.shape[1]:
        shelf[places] = numbers
    else:
        shelf[places, : numbers.shape[1]] = numbers


def _undo_steps(
    flat: Ints, shelf: Shelf, shelves: Shelves, listed: CellList, cells: slice | Ints
) -> None:
    """Turn counts of steps into values where cells count steps."""
    up, down = listed.cells.up[cells], listed.cells.down[cells]
    if not down.any():
        return
    stacked = shelf.of(flat)
    places = shelves.place[listed.block[cells]]
    for one, two in {*zip(up.tolist(), down.tolist(), strict=True)} - {(0, 0)}:
        some = places[(up == one) & (down == two)]
        stacked[some] = undo_steps(stacked[some], (one, two))


def predict_cells(
    listed: CellList,
    made: Mapping[int, Ints],
    slots: Ints,
    decimals: Ints,
    shelves: Shelves,
) -> None:
    """Add to what is left of predicted cells what is foretold of them, in ``made``.

    Parameters
    ----------
    listed : CellList
    made : mapping of int to int64 array
        By item, what `decode` returned.
    slots, decimals : int64 arrays, blocks x columns
        The item of each column, and its decimals.
    shelves : Shelves
    """
    late = np.flatnonzero(listed.cells.used)
    if late.size == 0:
        return
    cells, block = listed.cells.only((late,)), listed.block[late]
    slot = listed.slot[late]
    own = np.argmax(slots[block] == slot[:, None], axis=1)
    inputs = np.arange(MAX_SOURCES) < cells.used[:, None]
    sources = np.where(inputs, slots[block[:, None], cells.sources], -1)
    scales = np.where(inputs, decimals[block[:, None], cells.sources], 0)
    free = np.isin(cells.kind, _UNSCALED)
    scales[free] = 0
    out = np.where(free, 0, decimals[block, own])
    parts = (shelves.shelf[block], slot, cells.kind, cells.formula, out)
    keys = np.column_stack([*parts, sources, scales])
    found, which = np.unique(keys, axis=0, return_inverse=True)
    for number, key in enumerate(found.tolist()):
        some = np.flatnonzero(which.ravel() == number)
        shelf = shelves.shelves[key[0]]
        some = some[np.argsort(shelves.place[block[some]])]  # cells of several widths are mixed
        places = shelves.place[block[some]]
        rows: slice | Ints = slice(None) if some.size == shelf.blocks.size else places
        given = [shelf.of(made[source])[rows] for source in key[5:8] if source >= 0]
        target = shelf.of(made[key[1]])
        kind = kind_of(key[2])
        assert isinstance(kind, Predicted)
        terms = Terms(key[3], cells.coefficients[some], cells.shift[some])
        foretold = kind.foretold(terms, given, key[8 : 8 + len(given)], key[4])
        target[rows] += foretold
        _undo_steps(made[key[1]], shelf, shelves, listed, late[some])
