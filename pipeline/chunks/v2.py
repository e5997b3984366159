"""The V2 chunk codec: a scaled table to the bytes of a file, and back (``docs/format-v2.md``)."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.chunks import marks
from pipeline.chunks.arrow import take_apart
from pipeline.chunks.blocks import BlockReader
from pipeline.chunks.choose import Chosen, choose
from pipeline.chunks.container import (
    FEATURE_DOUBLES,
    FEATURE_PREDICTION,
    FEATURE_STEPS,
    HEADER_BYTES,
    VERSION,
    check_header,
    parse_footer,
    seal,
)
from pipeline.chunks.encodings import (
    Ints,
    split_planes,
    width_of,
)
from pipeline.chunks.footer import Block, Cell, ColumnInfo, Footer, State
from pipeline.chunks.frames import pack_frame
from pipeline.chunks.key import ChunkKey
from pipeline.chunks.kinds import Encoding, Kind
from pipeline.chunks.parse import MAX_BLOCK_ROWS, MAX_ROWS, MAX_STATES
from pipeline.chunks.parts import (
    Bools,
    FlagColumn,
    Parts,
    Statistics,
    ValueColumn,
    filled,
    missing_rows,
    statistics,
)
from pipeline.chunks.predictions import Column
from pipeline.chunks.tables import gather, put_together
from pipeline.errors import ChunkError

__all__ = [
    "BLOCK_ROWS",
    "BlockReader",
    "decode_parts",
    "decode_scaled",
    "encode",
    "encode_parts",
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
    return encode_parts(take_apart(table, key), key, block_rows=block_rows)


def encode_parts(parts: Parts, key: ChunkKey, *, block_rows: int = BLOCK_ROWS) -> bytes:
    """Return the V2 file of rows that `take_apart` has put into canonical form."""
    if not 0 < block_rows <= MAX_BLOCK_ROWS:
        raise ChunkError(f"blocks of {block_rows} rows; 1 to {MAX_BLOCK_ROWS} are possible")
    if not 0 < parts.times.size <= MAX_ROWS:
        raise ChunkError(f"{key.name}: {parts.times.size} rows; a chunk has 1 to {MAX_ROWS}")
    columns = tuple(value.info for value in parts.values)
    states, numbers = _states(parts.values, parts.flags)
    frames = bytearray()
    blocks = []
    values = np.zeros((len(columns), parts.times.size), np.int64)
    for row, value in zip(values, parts.values, strict=True):
        row[:] = value.numbers
    missing = missing_rows(parts.values, parts.times.size)
    for start in range(0, parts.times.size, block_rows):
        rows = np.s_[:, start : min(start + block_rows, parts.times.size)]
        coded = _encode_columns(columns, values[rows], missing[rows])
        found = statistics(columns, values[rows], missing[rows])
        packed = marks.pack_marks(numbers[rows])
        blocks.append(_write_block(frames, parts.times[rows[1]], packed, coded, found))
    features = _features(blocks, columns)
    footer = Footer(VERSION, features, key, columns, states, tuple(blocks), 0)
    return seal(bytes(frames), footer)


def _features(blocks: list[Block], columns: Sequence[ColumnInfo]) -> int:
    features = FEATURE_DOUBLES if any(c.is_double for c in columns) else 0
    encodings = [cell.encoding for block in blocks for cell in block.cells]
    if any(encoding.predictor for encoding in encodings):
        features |= FEATURE_PREDICTION
    if any(encoding.step for encoding in encodings):
        features |= FEATURE_STEPS
    return features


def _states(
    values: Sequence[ValueColumn], flags: Sequence[FlagColumn]
) -> tuple[tuple[State, ...], npt.NDArray[np.uint8]]:
    """Return the chunk's states in order, and 0 or 1 + the state's number, columns x rows."""
    texts = sorted({t for f in flags for t in f.texts})
    if not flags:
        return (), np.zeros((0, 0), np.uint8)
    rank = {text: number + 1 for number, text in enumerate(texts)}
    codes = np.stack([flag.numbers for flag in flags])
    for row, flag in zip(codes, flags, strict=True):
        if len(flag.texts) not in (0, len(texts)):
            row[:] = np.array([0, *(rank[t] for t in flag.texts)])[row]
    codes = 2 * codes + missing_rows(values, codes.shape[1])
    used = 1 + np.flatnonzero(np.bincount(codes.ravel(), minlength=2 * len(texts) + 2)[1:])
    if used.size > MAX_STATES:
        raise ChunkError(f"{used.size} different marks; a chunk holds {MAX_STATES}")
    states = tuple(
        State(bool(code & 1), texts[(code >> 1) - 1] if code > 1 else None)
        for code in used.tolist()
    )
    lookup = np.zeros(2 * len(texts) + 2, dtype=np.uint8)
    lookup[used] = np.arange(1, used.size + 1)
    return states, lookup[codes]


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
    chosen = {n: _doubles(columns[n]) for n, info in enumerate(infos) if info.is_double}
    integers = [column for column in columns if column.number not in chosen]
    for column, found in zip(integers, choose(integers), strict=True):
        chosen[column.number] = found
    return [chosen[number] for number in range(len(infos))]


def _doubles(column: Column) -> Chosen:
    words = column.values.view(np.uint64)
    width = width_of(words)
    return Chosen(Encoding(Kind.DOUBLE, width), split_planes(words, width), apart=False)


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
