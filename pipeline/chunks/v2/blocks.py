"""Blocks of a V2 file decoded: their marks, and some or all of their columns at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from cimis.pipeline.chunks.encodings import Kind, Predicted
from cimis.pipeline.chunks.encodings.predicted import Terms
from cimis.pipeline.chunks.encodings.shapes import join_octets
from cimis.pipeline.chunks.encodings.steps import undo_steps
from cimis.pipeline.chunks.footer import Block, Cell, Footer
from cimis.pipeline.chunks.marks import Marks, unpack_marks
from cimis.pipeline.chunks.v2.frames import unpack_frame
from cimis.pipeline.rows.numbers import Ints

__all__ = ["BlockReader", "Slices"]


class Slices(Protocol):
    """Byte ranges of a file."""

    def __getitem__(self, place: slice) -> memoryview:
        """Return a range."""
        ...


class BlockReader:
    """Decodes the marks and columns of single blocks from a file's bytes."""

    def __init__(self, view: Slices, footer: Footer) -> None:
        self.view = view
        self.footer = footer

    def marks(self, block: Block) -> Marks | None:
        """Return a block's marks, or None where it has none."""
        if not block.marks_length:
            return None
        data = self._frame(
            block.marks_offset, block.marks_length, block.marks_size, block.marks_crc32
        )
        count = len(self.footer.columns)
        return unpack_marks(data, count, block.rows, len(self.footer.states))

    def columns(self, block: Block, numbers: Sequence[int]) -> Ints:
        """Return some of a block's columns, a row of int64 each, missing rows filled."""
        cells = {number: block.cells[number] for number in numbers}
        for number in numbers:
            predictor = cells[number].encoding.predictor
            for other in predictor.columns if predictor else ():
                cells[other] = block.cells[other]
        rows = block.rows
        alike: dict[tuple[Kind, int, int], list[tuple[int, Cell, bytes]]] = {}
        for place, cell in enumerate(cells.values()):
            encoding = cell.encoding
            size = encoding.frame_bytes(rows)
            frame = self._frame(cell.offset, cell.length, size, cell.crc32) if cell.length else b""
            shape = (encoding.kind, encoding.width, encoding.low)
            alike.setdefault(shape, []).append((place, cell, frame))
        values = np.empty((len(cells), rows), np.int64)
        for (kind, width, low), found in alike.items():
            places, some, frames = zip(*found, strict=True)
            octets = np.frombuffer(b"".join(frames), np.uint8).reshape(len(some), -1)
            bases = np.array([cell.encoding.base for cell in some], np.int64)
            words = join_octets(octets, rows, width, low)
            values[list(places)] = kind.numbers(words, bases[:, None])
        self._finish(cells, values)
        return values[: len(numbers)]

    def _finish(self, cells: Mapping[int, Cell], values: Ints) -> None:
        """Add what is foretold to what is left of it, and turn counts of steps into values."""
        rows = dict(zip(cells, values, strict=True))
        decimals = {number: self.footer.columns[number].decimals for number in cells}
        late = [number for number, cell in cells.items() if cell.encoding.predictor is not None]
        for number in [*(cells.keys() - late), *late]:
            encoding, row = cells[number].encoding, rows[number]
            kind, predictor = encoding.kind, encoding.predictor
            if predictor is not None and isinstance(kind, Predicted):
                inputs = [rows[other] for other in predictor.columns]
                scales = [decimals[other] for other in predictor.columns]
                row += kind.foretold(Terms.of(predictor), inputs, scales, decimals[number])
            if encoding.step is not None:
                row[:] = undo_steps(row, encoding.step)

    def _frame(self, offset: int, length: int, size: int, crc32: int) -> bytes:
        return unpack_frame(self.view[offset : offset + length], offset, size, crc32)
