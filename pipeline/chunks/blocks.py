"""Blocks of a V2 file decoded: their marks, and some or all of their columns at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from pipeline.chunks.encodings import Ints, decode_columns, join_planes
from pipeline.chunks.footer import Block, Footer
from pipeline.chunks.frames import unpack_frame
from pipeline.chunks.marks import Marks, unpack_marks

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
        encodings = {number: block.cells[number].encoding for number in numbers}
        for number in numbers:
            predictor = encodings[number].predictor
            for other in predictor.columns if predictor else ():
                encodings[other] = block.cells[other].encoding
        words = np.zeros((len(encodings), block.rows), np.uint64)
        for row, (number, encoding) in zip(words, encodings.items(), strict=True):
            cell = block.cells[number]
            if cell.length:
                size = encoding.frame_bytes(block.rows)
                frame = self._frame(cell.offset, cell.length, size, cell.crc32)
                join_planes(frame, encoding, row)
        decimals = {number: self.footer.columns[number].decimals for number in encodings}
        return decode_columns(words, encodings, decimals)[: len(numbers)]

    def _frame(self, offset: int, length: int, size: int, crc32: int) -> bytes:
        return unpack_frame(self.view[offset : offset + length], offset, size, crc32)
