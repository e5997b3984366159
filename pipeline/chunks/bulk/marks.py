"""Marks of many blocks at once: which values are missing or flagged, item by item."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from pipeline.chunks.arrays import Bools, Ints
from pipeline.chunks.bulk.heads import States
from pipeline.chunks.bulk.layout import Blocks
from pipeline.chunks.bulk.shelves import Shelves

__all__ = ["MAX_TEXTS", "ManyMarks", "flag_texts"]

Codes = npt.NDArray[np.uint8]
_WIDE = 256
MAX_TEXTS = 127
"""Flag texts that one call's codes have room for."""


def flag_texts(states: Sequence[States]) -> list[str]:
    """Return the flags that some files' states name, sorted."""
    return sorted(frozenset[str]().union(*(each.flags for each in {*states})))


class ManyMarks:
    """The marks of blocks, decompressed; those that break a rule are told by ``wrong``.

    A value's code is twice the number of its flag's text (0: passed, else from 1), and 1 more where
    it is missing.

    Parameters
    ----------
    blocks : Blocks
    plain : bytes
        What the marks' frames hold, block by block; a block without has none.
    states : sequence of States
        Of each block.
    columns : int64 array
        Of each block: how many columns.
    texts : sequence of str
    shelves : Shelves
    """

    def __init__(
        self,
        blocks: Blocks,
        plain: bytes,
        states: Sequence[States],
        columns: Ints,
        texts: Sequence[str],
        shelves: Shelves,
    ) -> None:
        self._octets = np.frombuffer(plain + bytes(2), np.uint8)
        self._blocks = np.flatnonzero(blocks.marks_length)
        self._shelves = shelves
        marked = self._blocks
        rows, size = blocks.rows[marked], blocks.marks_size[marked]
        start = np.cumsum(size) - size
        count = self._octets[start].astype(np.int64) | self._octets[start + 1].astype(np.int64) << 8
        wide = count > _WIDE
        due = 2 + columns[marked] * count + np.where(wide, 2, 1) * rows
        bad = (size != due) | (count == 0) | (size < 2)
        count = np.where(bad, 1, count)
        known = [*dict.fromkeys(states)]
        ranks = {each: number for number, each in enumerate(known)}
        self._tables = np.concatenate([_table(each, tuple(texts)) for each in known])
        kinds = np.array([ranks[states[block]] for block in marked.tolist()], np.int64)
        most = np.array([len(each.listed) for each in known], np.int64)[kinds]
        first = 1 + np.cumsum(count) - count
        self._patterns, high = self._numbers(start + 2 + columns[marked] * count, rows, first, wide)
        bad |= high >= count
        states_end = np.minimum(start + 2 + columns[marked] * count, self._octets.size - 1)
        ends = np.stack([np.minimum(start + 2, states_end - 1), states_end], axis=1)
        if marked.size:
            bad |= np.maximum.reduceat(self._octets, ends.ravel())[::2] > most
        self.wrong: Bools = np.zeros(blocks.rows.size, np.bool_)
        self.wrong[marked] = bad
        spread = np.repeat(np.arange(marked.size), count)
        self._spread = spread
        self._place = (start + 2 - first)[spread] + np.arange(1, 1 + spread.size)
        self._count = count[spread]
        self._kind = kinds[spread] * 256

    def _numbers(self, start: Ints, rows: Ints, first: Ints, wide: Bools) -> tuple[Ints, Ints]:
        """Return each row's pattern among those of all blocks, and each block's highest number."""
        made = np.zeros(self._shelves.size, np.int64)
        high = np.zeros(rows.size, np.int64)
        for number, shelf in enumerate(self._shelves.shelves):
            here = np.flatnonzero(self._shelves.shelf[self._blocks] == number)
            if here.size == 0:
                continue
            along = np.arange(shelf.rows)
            at = start[here, None] + along
            found = self._octets.take(at, mode="clip").astype(np.int64)
            double = here[wide[here]]
            if double.size:
                more = self._octets.take(
                    start[double, None] + rows[double, None] + along, mode="clip"
                )
                found[wide[here]] |= more.astype(np.int64) << 8
            if int(rows[here].min()) < shelf.rows:
                found[along >= rows[here, None]] = 0
            high[here] = found.max(axis=1)
            found += first[here, None]
            places = self._shelves.place[self._blocks[here]]
            stacked = shelf.of(made)
            if places.size == len(stacked):
                stacked[:] = found
            else:
                stacked[places] = found
        return made, high

    def codes(self, numbers: Ints) -> Codes:
        """Return the codes of one item's values in a flat array.

        Parameters
        ----------
        numbers : int64 array
            Of each block: the number of the item's column, -1 where it has none; its codes are 0.
        """
        column = numbers[self._blocks][self._spread]
        state = self._octets.take(self._place + column * self._count, mode="clip")
        table = np.zeros(self._spread.size + 1, np.uint8)
        table[1:] = np.where(column < 0, 0, self._tables.take(self._kind + state))
        if not table.any():
            return np.zeros(self._patterns.size, np.uint8)
        return table.take(self._patterns, mode="clip")


@lru_cache(4_096)
def _table(states: States, texts: tuple[str, ...]) -> Codes:
    """Return the code of every state that a footer lists, by the state's number."""
    table = np.zeros(256, np.uint8)
    for number, state in enumerate(states.listed, 1):
        table[number] = 2 * (texts.index(state.flag) + 1 if state.flag else 0) + state.missing
    return table
