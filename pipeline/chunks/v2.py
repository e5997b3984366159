"""The V2 chunk codec: a scaled table to the bytes of a file, and back (``docs/format-v2.md``)."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.chunks import marks
from pipeline.chunks.arrow import FlagColumn, Parts, ValueColumn, take_apart
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
    decode_column,
    join_planes,
    split_planes,
    width_of,
)
from pipeline.chunks.footer import Block, Cell, ColumnInfo, Footer, State
from pipeline.chunks.frames import pack_frame, unpack_frame
from pipeline.chunks.key import ChunkKey
from pipeline.chunks.kinds import Encoding, Kind
from pipeline.chunks.parse import MAX_BLOCK_ROWS, MAX_ROWS, MAX_STATES
from pipeline.chunks.predictions import Column
from pipeline.chunks.tables import gather, put_together
from pipeline.errors import ChunkError

__all__ = ["BLOCK_ROWS", "decode_parts", "decode_scaled", "encode", "encode_parts", "is_v2"]

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
    for start in range(0, parts.times.size, block_rows):
        rows = slice(start, min(start + block_rows, parts.times.size))
        blocks.append(_encode_block(frames, parts.times[rows], parts.values, numbers, rows))
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
) -> tuple[tuple[State, ...], list[npt.NDArray[np.uint8]]]:
    """Return the chunk's states in order, and per column and row 0 or 1 + the state's number."""
    texts = sorted({t for f in flags for t in f.texts})
    rank = {text: number + 1 for number, text in enumerate(texts)}
    combined = []
    for value, flag in zip(values, flags, strict=True):
        ranks = np.array([0, *(rank[t] for t in flag.texts)], dtype=np.int64)
        code = ranks[flag.numbers] * 2
        if value.missing is not None:
            code = code + value.missing
        combined.append(code)
    counts = np.zeros(2 * len(texts) + 2, dtype=np.int64)
    for code in combined:
        counts += np.bincount(code, minlength=counts.size)
    used = 1 + np.flatnonzero(counts[1:])
    if used.size > MAX_STATES:
        raise ChunkError(f"{used.size} different marks; a chunk holds {MAX_STATES}")
    states = tuple(
        State(bool(code & 1), texts[(code >> 1) - 1] if code > 1 else None)
        for code in used.tolist()
    )
    lookup = np.zeros(2 * len(texts) + 2, dtype=np.uint8)
    lookup[used] = np.arange(1, used.size + 1)
    return states, [lookup[code] for code in combined]


def _encode_block(
    frames: bytearray,
    times: Ints,
    values: Sequence[ValueColumn],
    numbers: list[npt.NDArray[np.uint8]],
    rows: slice,
) -> Block:
    packed = marks.pack_marks([n[rows] for n in numbers])
    offset = HEADER_BYTES + len(frames)
    frame = min((pack_frame(packed, apart=apart) for apart in (False, True)), key=len)
    frames += frame
    cells = []
    for value, chosen in zip(values, _encode_columns(values, rows), strict=True):
        start = HEADER_BYTES + len(frames)
        data = pack_frame(chosen.pieces, apart=chosen.apart)
        frames += data
        low, high, missing = value.statistics(rows)
        crc32 = zlib.crc32(data) if data else 0
        cells.append(Cell(chosen.encoding, low, high, missing, start, len(data), crc32))
    crc32 = zlib.crc32(frame) if frame else 0
    runs = _runs(times)
    size = sum(map(len, packed))
    return Block(times.size, runs, offset, len(frame), size, crc32, tuple(cells))


def _runs(times: Ints) -> tuple[tuple[int, int], ...]:
    edges = np.flatnonzero(np.diff(times, prepend=times[:1] - 2) != 1)
    counts = np.diff(edges, append=times.size)
    return tuple(zip(times[edges].tolist(), counts.tolist(), strict=True))


def _encode_columns(values: Sequence[ValueColumn], rows: slice) -> list[Chosen]:
    """Return the encoding of a block's columns, in their order."""
    chosen: dict[int, Chosen] = {}
    columns = []
    for number, value in enumerate(values):
        missing = None if value.missing is None else value.missing[rows]
        if missing is not None and not missing.any():
            missing = None
        info = value.info
        column = Column(number, info.code, info.decimals, value.numbers[rows], missing)
        if info.is_double:
            chosen[number] = _doubles(column)
        else:
            columns.append(column)
    for column, found in zip(columns, choose(columns), strict=True):
        chosen[column.number] = found
    return [chosen[number] for number in range(len(values))]


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
    table = put_together(footer.key, gather(footer, chosen, _WholeReader(view, footer), numbers))
    if keep is None:
        return table
    return table.select([name for name in table.schema.names if name in keep])


def decode_parts(data: bytes | memoryview) -> tuple[Footer, Parts]:
    """Return the footer and all rows of a V2 file as arrays, after checking every byte."""
    view = memoryview(data)
    footer = parse_footer(view, len(view))
    check_header(view, footer.features)
    reader = _WholeReader(view, footer)
    return footer, gather(footer, footer.blocks, reader, range(len(footer.columns)))


class _BlockReader:
    """Decodes the marks and columns of single blocks from a file's bytes."""

    def __init__(self, view: memoryview, footer: Footer) -> None:
        self.view = view
        self.footer = footer

    def marks(self, block: Block) -> marks.Marks | None:
        """Return a block's marks, or None where it has none."""
        if not block.marks_length:
            return None
        data = self._frame(
            block.marks_offset, block.marks_length, block.marks_size, block.marks_crc32
        )
        count = len(self.footer.columns)
        return marks.unpack_marks(data, count, block.rows, len(self.footer.states))

    def values(self, block: Block, number: int) -> Ints:
        """Return a block's column as integers, missing rows filled."""
        cell = block.cells[number]
        inputs: list[Ints] = []
        decimals: list[int] = []
        if cell.encoding.predictor is not None:
            for other in cell.encoding.predictor.columns:
                inputs.append(self.values(block, other))
                decimals.append(self.footer.columns[other].decimals)
        size = cell.encoding.frame_bytes(block.rows)
        data = self._frame(cell.offset, cell.length, size, cell.crc32) if cell.length else b""
        words = join_planes(data, cell.encoding, block.rows)
        places = self.footer.columns[number].decimals
        return decode_column(words, cell.encoding, inputs, decimals, places)

    def _frame(self, offset: int, length: int, size: int, crc32: int) -> bytes:
        return unpack_frame(self.view[offset : offset + length], offset, size, crc32)


class _WholeReader(_BlockReader):
    """A block reader that decodes a column once, however many are predicted from it."""

    def __init__(self, view: memoryview, footer: Footer) -> None:
        super().__init__(view, footer)
        self._seen: dict[tuple[int, int], Ints] = {}

    def values(self, block: Block, number: int) -> Ints:
        """Return a block's column as integers, missing rows filled."""
        place = block.first, number  # blocks without frames share their offsets
        found = self._seen.get(place)
        if found is None:
            found = self._seen[place] = super().values(block, number)
        return found
