"""Blocks of a V2 chunk decoded without numpy: for the few rows of a point question.

Importing numpy costs more than decoding a year of a few columns in plain Python. The numbers are
those of :mod:`cimis.pipeline.chunks`; the tests hold both readers to the same values on every
chunk.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from operator import add
from typing import Protocol

from cimis.pipeline.chunks.encodings import Predicted
from cimis.pipeline.chunks.encodings.shapes import plain_join_octets
from cimis.pipeline.chunks.encodings.signed import wrap
from cimis.pipeline.chunks.encodings.steps import plain_undo_steps
from cimis.pipeline.chunks.footer import Block, Cell, Footer
from cimis.pipeline.chunks.marks import join_numbers, split_marks
from cimis.pipeline.chunks.v2.frames import unpack_frame
from cimis.pipeline.errors import ChunkError

__all__ = ["BlockColumns", "FileSlices"]


class FileSlices(Protocol):
    """Byte ranges of a file."""

    def __getitem__(self, place: slice) -> memoryview:
        """Return a range."""


class BlockColumns:
    """The columns of one block; each is decoded when it is first needed.

    Parameters
    ----------
    file : FileSlices
    footer : Footer
    block : Block
    """

    def __init__(self, file: FileSlices, footer: Footer, block: Block) -> None:
        self._file = file
        self._footer = footer
        self._block = block
        self._known: dict[int, list[int]] = {}
        self._marks: tuple[bytes, Sequence[int]] | None = None

    def times(self) -> list[int]:
        """Return the rows' times in days or hours since 1970."""
        return [t for first, count in self._block.runs for t in range(first, first + count)]

    def values(self, number: int) -> list[int]:
        """Return a column's scaled integers; missing rows hold what the writer filled in."""
        known = self._known.get(number)
        if known is None:
            known = self._known[number] = self._decoded(number)
        return known

    def checked(self, number: int) -> tuple[list[int], dict[int, int]]:
        """Return a column's values and states, after checking them by what the footer says."""
        cell, known = self._block.cells[number], self._footer.states
        states = self.states(number)
        gone = {row for row, state in states.items() if known[state].missing}
        present: Sequence[float] = [
            value for row, value in enumerate(self.values(number)) if row not in gone
        ]
        if self._footer.columns[number].is_double:
            count = len(present)
            present = struct.unpack(f"<{count}d", struct.pack(f"<{count}q", *present))
        found = (min(present, default=None), max(present, default=None), len(gone))
        if found != (cell.minimum, cell.maximum, cell.missing):
            raise ChunkError(
                f"column '{self._footer.columns[number].code}' has minimum, maximum and missing "
                f"count {found}, not {(cell.minimum, cell.maximum, cell.missing)}",
                offset=cell.offset,
            )
        return self.values(number), states

    def states(self, number: int) -> dict[int, int]:
        """Return the numbers of the states that rows of a column have, by row."""
        if self._marks is None:
            self._marks = self._read_marks()
        patterns, rows = self._marks
        count = len(patterns) // max(len(self._footer.columns), 1)
        states = patterns[number * count : (number + 1) * count]
        if not any(states):
            return {}
        return {row: states[pattern] - 1 for row, pattern in enumerate(rows) if states[pattern]}

    def _decoded(self, number: int) -> list[int]:
        cell = self._block.cells[number]
        encoding = cell.encoding
        kind, predictor = encoding.kind, encoding.predictor
        numbers = kind.plain(self._words(cell), encoding.base)
        if predictor is not None and isinstance(kind, Predicted):
            infos = self._footer.columns
            inputs = [self.values(other) for other in predictor.columns]
            decimals = [infos[other].decimals for other in predictor.columns]
            foretold = kind.plain_foretold(predictor, inputs, decimals, infos[number].decimals)
            numbers = map(add, numbers, foretold)
        if encoding.step is not None:
            numbers = plain_undo_steps(numbers, encoding.step)
        return [wrap(value) for value in numbers]

    def _words(self, cell: Cell) -> Sequence[int]:
        rows, encoding = self._block.rows, cell.encoding
        size = encoding.frame_bytes(rows)
        data = self._frame(cell.offset, cell.length, size, cell.crc32) if cell.length else b""
        return plain_join_octets(data, rows, encoding.width, encoding.low)

    def _read_marks(self) -> tuple[bytes, Sequence[int]]:
        """Return the states of all columns' patterns, and the number of each row's pattern."""
        block, columns = self._block, len(self._footer.columns)
        if not block.marks_length:
            return b"", ()
        data = self._frame(
            block.marks_offset, block.marks_length, block.marks_size, block.marks_crc32
        )
        _, patterns, low, high = split_marks(data, columns, block.rows, len(self._footer.states))
        return patterns, join_numbers(low, high)

    def _frame(self, offset: int, length: int, size: int, crc32: int) -> bytes:
        return unpack_frame(self._file[offset : offset + length], offset, size, crc32)
