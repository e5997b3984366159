"""Marks of many blocks at once: which values are missing or flagged, item by item."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from cimis.pipeline.chunks.bulk.heads import States
from cimis.pipeline.chunks.bulk.layout import Blocks
from cimis.pipeline.chunks.bulk.shelves import Shelves
from cimis.pipeline.chunks.marks import split_marks
from cimis.pipeline.errors import ChunkError
from cimis.pipeline.rows.numbers import Bools, Ints, Octets

__all__ = ["MAX_TEXTS", "ManyMarks", "check_marks", "flag_texts"]

_WIDE = 256
MAX_TEXTS = 127
"""Flag texts that one call's codes have room for."""


def flag_texts(states: Sequence[States]) -> list[str]:
    """Return the flags that some files' states name, sorted."""
    return sorted(frozenset[str]().union(*(each.flags for each in {*states})))


def check_marks(
    pieces: list[bytes], columns: Ints, rows: Ints, states: Sequence[States]
) -> list[int]:
    """Return the numbers of those pieces that break a rule; they become such as mark nothing.

    Parameters
    ----------
    pieces : list of bytes
        What the marks' frames of some blocks hold.
    columns, rows : int64 arrays
    states : sequence of States
        Of each block.
    """
    wrong = []
    sizes = zip(columns.tolist(), rows.tolist(), states, strict=True)
    for number, (wide, long, each) in enumerate(sizes):
        try:
            split_marks(pieces[number], wide, long, len(each.listed))
        except ChunkError:
            pieces[number] = b"\1" + bytes(1 + wide + long)
            wrong.append(number)
    return wrong


class ManyMarks:
    """The marks of blocks.

    A value's code is twice the number of its flag's text (0: passed, else from 1), and 1 more where
    it is missing.

    Parameters
    ----------
    blocks : Blocks
    pieces : list of bytes
        What the marks' frames hold, checked; of the blocks that have one.
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
        pieces: Sequence[bytes],
        states: Sequence[States],
        columns: Ints,
        texts: Sequence[str],
        shelves: Shelves,
    ) -> None:
        self._octets = np.frombuffer(b"".join(pieces) + bytes(2), np.uint8)
        self._blocks = np.flatnonzero(blocks.marks_length)
        self._shelves = shelves
        marked = self._blocks
        rows, size = blocks.rows[marked], np.fromiter(map(len, pieces), np.int64, len(pieces))
        start = np.cumsum(size) - size
        count = self._octets[start].astype(np.int64) | self._octets[start + 1].astype(np.int64) << 8
        wide = count > _WIDE
        known = [*dict.fromkeys(states)]
        ranks = {each: number for number, each in enumerate(known)}
        self._tables = np.concatenate([_table(each, tuple(texts)) for each in known])
        kinds = np.array([ranks[states[block]] for block in marked.tolist()], np.int64)
        first = 1 + np.cumsum(count) - count
        self._patterns = self._numbers(start + 2 + columns[marked] * count, rows, first, wide)
        spread = np.repeat(np.arange(marked.size), count)
        self._spread = spread
        self._place = (start + 2 - first)[spread] + np.arange(1, 1 + spread.size)
        self._count = count[spread]
        self._kind = kinds[spread] * 256

    def _numbers(self, start: Ints, rows: Ints, first: Ints, wide: Bools) -> Ints:
        """Return each row's pattern among those of all blocks."""
        made = np.zeros(self._shelves.size, np.int64)
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
            found += first[here, None]
            places = self._shelves.place[self._blocks[here]]
            stacked = shelf.of(made)
            if places.size == len(stacked):
                stacked[:] = found
            else:
                stacked[places] = found
        return made

    def codes(self, numbers: Ints) -> Octets:
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
def _table(states: States, texts: tuple[str, ...]) -> Octets:
    """Return the code of every state that a footer lists, by the state's number."""
    table = np.zeros(256, np.uint8)
    for number, state in enumerate(states.listed, 1):
        table[number] = 2 * (texts.index(state.flag) + 1 if state.flag else 0) + state.missing
    return table
