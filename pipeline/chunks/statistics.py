"""Times, bounds and missing counts per block and column of a chunk, as the catalog keeps them.

The bytes are little-endian: u32 blocks, u32 columns; i64 rows, first, last per block; then f64
minimum, f64 maximum and i64 missing count per block and column, block by block. Times are in days
(daily) or hours (hourly) since 1970-01-01 PST; bounds are physical values, NaN where all values
are missing.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan

from cimis.pipeline.chunks.footer import Footer

__all__ = ["BlockStatistics", "bounds_of", "of_footer"]


@dataclass(frozen=True, slots=True)
class BlockStatistics:
    """Statistics of one chunk; two-dimensional ones are flat, block by block."""

    blocks: int
    columns: int
    rows: tuple[int, ...]
    first: tuple[int, ...]
    last: tuple[int, ...]
    minimum: tuple[float, ...]
    maximum: tuple[float, ...]
    missing: tuple[int, ...]

    def to_bytes(self) -> bytes:
        """Return the catalog's form."""
        cells = self.blocks * self.columns
        form = f"<2I{3 * self.blocks}q{2 * cells}d{cells}q"
        return struct.pack(
            form,
            *(self.blocks, self.columns, *self.rows, *self.first, *self.last),
            *(*self.minimum, *self.maximum, *self.missing),
        )


def of_footer(footer: Footer) -> BlockStatistics:
    """Return the statistics that a footer holds, with bounds as physical values."""
    minimum, maximum, missing = [], [], []
    for block in footer.blocks:
        for cell, column in zip(block.cells, footer.columns, strict=True):
            scale = 1.0 if column.is_double else 10.0**column.decimals
            minimum.append(nan if cell.minimum is None else cell.minimum / scale)
            maximum.append(nan if cell.maximum is None else cell.maximum / scale)
            missing.append(cell.missing)
    return BlockStatistics(
        len(footer.blocks),
        len(footer.columns),
        tuple(block.rows for block in footer.blocks),
        tuple(block.first for block in footer.blocks),
        tuple(block.last for block in footer.blocks),
        tuple(minimum),
        tuple(maximum),
        tuple(missing),
    )


def bounds_of(packed: bytes, columns: Sequence[str]) -> Mapping[str, tuple[float, float]]:
    """Return the least and greatest value of the columns of a chunk in which none is missing.

    Parameters
    ----------
    packed : bytes
        The catalog's form.
    columns : sequence of str
        Codes of the chunk's items, in column order.
    """
    blocks, count = struct.unpack_from("<2I", packed)
    cells = blocks * count
    start = struct.calcsize("<2I") + 3 * 8 * blocks
    numbers = struct.unpack_from(f"<{2 * cells}d{cells}q", packed, start)
    found = {}
    for place, code in enumerate(columns):
        least, most, missing = (
            numbers[part * cells + place : (part + 1) * cells : count] for part in range(3)
        )
        if blocks and not any(missing):
            found[code] = min(least), max(most)
    return found
