"""Cells of many blocks decoded together: those encoded alike are one array at every step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.chunks.bulk.cells import Cells
from pipeline.chunks.bulk.shelves import Shelf, Shelves
from pipeline.chunks.bulk.varints import Bools, Ints
from pipeline.chunks.encodings import undo_steps
from pipeline.chunks.kinds import Kind
from pipeline.chunks.psychro import Formula, predict

__all__ = ["CellList", "decode", "predict_cells"]

Octets = npt.NDArray[np.uint8]
Words = npt.NDArray[np.unsignedinteger[Any]]
Numbers = npt.NDArray[np.signedinteger[Any]]


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
        stops = np.append(self._starts[1:], self.block.size)
        for start, stop in zip(self._starts.tolist(), stops.tolist(), strict=True):
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
        kind = Kind(int(cells.kind[group.start]))
        words = _words(data, rows, int(cells.width[group.start]), int(cells.low[group.start]))
        _put(
            shelf.of(made[slot]),
            shelves.place[listed.block[group]],
            _numbers(words, kind, cells.base[group]),
        )
        if kind < Kind.LINEAR:
            _undo_steps(made[slot], shelf, shelves, listed, group)
    return made


def _words(data: Octets, rows: int, width: int, low: int) -> Words:
    """Return the residuals of cells, cells x rows, in the narrowest unsigned integers."""
    if width == 0:
        return np.zeros((len(data), rows), np.uint8)
    if low:
        lows = _packed(data[:, rows:], rows, low)
        return (data[:, :rows].astype(np.uint16) << np.uint16(low)) | lows
    if width == 1:
        return data
    room = 2 if width == 2 else 4 if width <= 4 else 8
    words = np.zeros((len(data), rows, room), np.uint8)
    for plane in range(width):
        words[:, :, plane] = data[:, plane * rows : (plane + 1) * rows]
    return words.view(f"<u{room}")[:, :, 0]


def _packed(data: Octets, rows: int, low: int) -> Octets:
    """Return numbers of ``low`` bits each that lie packed: eight of them in ``low`` bytes."""
    groups = rows + 7 >> 3
    padded = np.zeros((len(data), groups * low), np.uint8)
    padded[:, : data.shape[1]] = data
    octets = np.ascontiguousarray(padded.reshape(-1, low).T)
    made = np.empty((len(data) * groups, 8), np.uint8)
    mask = np.uint8((1 << low) - 1)
    for number in range(8):
        byte, shift = divmod(number * low, 8)
        bits = octets[byte] >> np.uint8(shift)
        if shift + low > 8:
            bits |= octets[byte + 1] << np.uint8(8 - shift)
        np.bitwise_and(bits, mask, out=made[:, number])
    return made.reshape(len(data), groups * 8)[:, :rows]


def _numbers(words: Words, kind: Kind, base: Ints) -> Numbers:
    """Return what residuals stand for; of a predicted kind what is left of the prediction."""
    signed = f"<i{words.dtype.itemsize}"
    if kind is Kind.REFERENCE:
        wide = words.view(signed) if words.dtype.itemsize == 8 else words
        return np.add(wide, base[:, None], dtype=np.int64)
    words = words.astype(words.dtype.newbyteorder("="), copy=False)
    steps = ((words >> 1) ^ -(words & 1)).view(signed)
    if kind not in (Kind.DELTA, Kind.DELTA2):
        return steps
    sums = steps.astype(np.int64)  # first: a sum that widens as it goes takes seven times as long
    for _ in range(kind):  # once for DELTA, twice for DELTA2
        np.cumsum(sums, axis=1, out=sums)
    sums += base[:, None]
    return sums


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
    inputs = np.arange(3) < cells.used[:, None]
    sources = np.where(inputs, slots[block[:, None], cells.sources], -1)
    scales = np.where(inputs, decimals[block[:, None], cells.sources], 0)
    scales[cells.kind == Kind.LINEAR] = 0
    out = np.where(cells.kind == Kind.LINEAR, 0, decimals[block, own])
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
        if key[2] == Kind.LINEAR:
            total = np.empty(given[0].shape, np.int64)
            total[:] = cells.shift[some, None]
            for place, values in enumerate(given):
                total += cells.coefficients[some, place, None] * values
            total >>= 16
            foretold = total
        else:
            formula = Formula(key[3])
            foretold = predict(formula, given, key[8 : 8 + len(given)], key[4])
        target[rows] += foretold
        _undo_steps(made[key[1]], shelf, shelves, listed, late[some])
