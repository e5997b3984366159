"""The V2 chunk codec: a scaled table to the bytes of a file, and back (``docs/format-v2.md``)."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import reduce
from operator import or_

import numpy as np
import pyarrow as pa

from cimis.pipeline.chunks import marks
from cimis.pipeline.chunks.arrow import take_apart
from cimis.pipeline.chunks.encodings.trial import Column
from cimis.pipeline.chunks.footer import Block, Cell, ColumnInfo, Footer
from cimis.pipeline.chunks.key import ChunkKey
from cimis.pipeline.chunks.parts import Parts, Statistics, filled, statistics
from cimis.pipeline.chunks.tables import gather, put_together, times_of
from cimis.pipeline.chunks.v2.blocks import BlockReader
from cimis.pipeline.chunks.v2.choose import Chosen, choose, choose_doubles
from cimis.pipeline.chunks.v2.container import (
    FEATURE_STEPS,
    HEADER_BYTES,
    VERSION,
    check_header,
    parse_footer,
    seal,
)
from cimis.pipeline.chunks.v2.frames import pack_frame
from cimis.pipeline.chunks.v2.grid import Grid, grid_of
from cimis.pipeline.chunks.v2.parse import FEATURE_FROM_V1, MAX_BLOCK_ROWS, MAX_ROWS
from cimis.pipeline.errors import ChunkError
from cimis.pipeline.rows.numbers import Bools, Ints

__all__ = [
    "BLOCK_ROWS",
    "BlockReader",
    "decode_parts",
    "decode_scaled",
    "encode",
    "encode_grid",
    "is_v2",
]

BLOCK_ROWS = 2_048
_PREFIX = bytes.fromhex("502a4d18")


def is_v2(prefix: bytes) -> bool:
    """Tell whether a file's first four bytes are those of a V2 chunk."""
    return prefix[:4] == _PREFIX


def encode(table: pa.Table, key: ChunkKey, *, block_rows: int = BLOCK_ROWS) -> bytes:
    """Return the V2 file of a chunk's rows.

    Parameters
    ----------
    table : pyarrow.Table
        Scaled (or with float64 columns, kept bit by bit): keys, then value and flag columns, in
        ascending time without duplicates, of the key's station, year and scope.
    key : ChunkKey
    block_rows : int
        Rows of a block, at most 65,535.

    Returns
    -------
    bytes
        The same for the same rows, whatever their Arrow layout.

    Raises
    ------
    ChunkError
        For rows that a chunk cannot hold.
    """
    return encode_grid(grid_of(take_apart(table, key)), key, block_rows=block_rows)


def encode_grid(grid: Grid, key: ChunkKey, *, block_rows: int = BLOCK_ROWS) -> bytes:
    """Return the V2 file of rows that `grid_of` has put into one piece."""
    if not 0 < block_rows <= MAX_BLOCK_ROWS:
        raise ChunkError(f"blocks of {block_rows} rows; 1 to {MAX_BLOCK_ROWS} are possible")
    if not 0 < grid.times.size <= MAX_ROWS:
        raise ChunkError(f"{key.name}: {grid.times.size} rows; a chunk has 1 to {MAX_ROWS}")
    frames = bytearray()
    blocks = []
    for start in range(0, grid.times.size, block_rows):
        rows = np.s_[:, start : min(start + block_rows, grid.times.size)]
        values, missing = grid.values[rows], grid.missing[rows]
        coded = _encode_columns(grid.columns, values, missing)
        found = statistics(grid.columns, values, missing)
        packed = marks.pack_marks(grid.numbers[rows])
        blocks.append(_write_block(frames, grid.times[rows[1]], packed, coded, found))
    features = _features(blocks, grid.columns)
    footer = Footer(VERSION, features, key, grid.columns, grid.states, tuple(blocks), 0)
    return seal(bytes(frames), footer)


def check_grid(data: bytes, key: ChunkKey, grid: Grid) -> Footer:
    """Return the footer of a file's bytes after checking that they hold exactly these rows.

    Raises
    ------
    ChunkError
        Where the bytes are damaged, or hold anything else.
    """
    view = memoryview(data)
    footer = parse_footer(view, len(view))
    check_header(view, footer.features)
    reader = BlockReader(view, footer)
    same = (footer.key, footer.columns, footer.states) == (key, grid.columns, grid.states)
    same = same and np.array_equal(times_of(footer.blocks), grid.times)
    start = 0
    for block in footer.blocks if same else ():
        rows = np.s_[:, start : start + block.rows]
        values, missing, numbers = grid.values[rows], grid.missing[rows], grid.numbers[rows]
        found = reader.columns(block, range(len(grid.columns)))
        mark = reader.marks(block)
        stated = [(cell.minimum, cell.maximum, cell.missing) for cell in block.cells]
        same = (
            same
            and stated == statistics(grid.columns, values, missing)
            and not bool(((found != values) & ~missing).any())
            and np.array_equal(numbers, mark.patterns[:, mark.numbers] if mark else 0 * numbers)
        )
        start += block.rows
    if not same:
        raise ChunkError(
            f"what was read back differs from the {grid.times.size} rows written",
            hint="the new file was removed and the old one stays; check the disk",
        )
    return footer


def _features(blocks: list[Block], columns: Sequence[ColumnInfo]) -> int:
    encodings = [cell.encoding for block in blocks for cell in block.cells]
    features = reduce(or_, (encoding.kind.feature for encoding in encodings), 0)
    if any(encoding.step for encoding in encodings):
        features |= FEATURE_STEPS
    if any(column.from_v1 for column in columns):
        features |= FEATURE_FROM_V1
    return features


def _write_block(
    frames: bytearray,
    times: Ints,
    packed: tuple[bytes, ...],
    coded: Sequence[Chosen],
    found: Sequence[Statistics],
) -> Block:
    """Append a block's frames, and return what the footer says of them."""
    offset = HEADER_BYTES + len(frames)
    frame = min((pack_frame(packed, apart=apart) for apart in (False, True)), key=len)
    frames += frame
    cells = []
    for chosen, (low, high, missing) in zip(coded, found, strict=True):
        start = HEADER_BYTES + len(frames)
        data = pack_frame(chosen.pieces, apart=chosen.apart)
        frames += data
        crc32 = zlib.crc32(data) if data else 0
        cells.append(Cell(chosen.encoding, low, high, missing, start, len(data), crc32))
    crc32 = zlib.crc32(frame) if frame else 0
    size = sum(map(len, packed))
    runs = _runs(times)
    return Block(times.size, runs, offset, len(frame), size, crc32, tuple(cells))


def _runs(times: Ints) -> tuple[tuple[int, int], ...]:
    edges = np.flatnonzero(np.diff(times, prepend=times[:1] - 2) != 1)
    counts = np.diff(edges, append=times.size)
    return tuple(zip(times[edges].tolist(), counts.tolist(), strict=True))


def _encode_columns(infos: Sequence[ColumnInfo], values: Ints, missing: Bools) -> list[Chosen]:
    """Return the encoding of a block's columns, in their order."""
    whole = filled(values, missing)
    gone: list[bool] = np.any(missing, axis=1).tolist()
    columns = [
        Column(n, info.code, info.decimals, whole[n], missing[n] if gone[n] else None)
        for n, info in enumerate(infos)
    ]
    chosen = {n: choose_doubles(columns[n]) for n, info in enumerate(infos) if info.is_double}
    integers = [column for column in columns if column.number not in chosen]
    for column, found in zip(integers, choose(integers), strict=True):
        chosen[column.number] = found
    return [chosen[number] for number in range(len(infos))]


def decode_scaled(
    data: bytes | memoryview,
    *,
    columns: Sequence[str] | None = None,
    blocks: Sequence[int] | None = None,
) -> pa.Table:
    """Return the rows of a V2 file, scaled, after checking every byte that they rest on.

    Parameters
    ----------
    data : bytes
        The whole file.
    columns : sequence of str, optional
        Column names wanted (keys, values, flags); None = all. Absent names are left out.
    blocks : sequence of int, optional
        Numbers of the blocks wanted; None = all, and then the header and all frames are checked.

    Raises
    ------
    ChunkError
        With offset and reason, for anything damaged or impossible.
    """
    view = memoryview(data)
    footer = parse_footer(view, len(view))
    check_header(view, footer.features)
    wanted = range(len(footer.blocks)) if blocks is None else blocks
    chosen = [footer.blocks[number] for number in wanted]
    keep = None if columns is None else set(columns)
    numbers = [
        number
        for number, column in enumerate(footer.columns)
        if keep is None or {column.item.column, column.item.flag_column} & keep
    ]
    table = put_together(footer.key, gather(footer, chosen, BlockReader(view, footer), numbers))
    if keep is None:
        return table
    return table.select([name for name in table.schema.names if name in keep])


def decode_parts(data: bytes | memoryview) -> tuple[Footer, Parts]:
    """Return the footer and all rows of a V2 file as arrays, after checking every byte."""
    view = memoryview(data)
    footer = parse_footer(view, len(view))
    check_header(view, footer.features)
    reader = BlockReader(view, footer)
    return footer, gather(footer, footer.blocks, reader, range(len(footer.columns)))
