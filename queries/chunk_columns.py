"""Columns of a chunk's blocks in their compact form, decoded from the file's bytes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.chunks.blocks import BlockReader
from pipeline.chunks.container import check_header, parse_footer
from pipeline.chunks.footer import Block, Cell, Footer
from pipeline.chunks.key import ChunkKey
from pipeline.chunks.marks import Marks
from pipeline.chunks.tables import check_statistics
from pipeline.chunks.v1 import decode as decode_v1
from pipeline.errors import ChunkError
from pipeline.items import QC_FLAGS, Scope
from pipeline.schema import decimals_of, item_of, key_columns
from queries.arrays import presence
from queries.timing import QueryTimings
from queries.values import (
    Column,
    Doubles,
    Flags,
    Keys,
    Part,
    Scaled,
    joined,
    missing_mark,
)

__all__ = ["LETTERS", "FileBytes", "blocks_of_v2", "rows_of_v1"]

_INTS = tuple(
    (np.dtype(kind), int(np.iinfo(kind).min), int(np.iinfo(kind).max))
    for kind in ("<i2", "<i4", "<i8")
)
_NO_ROWS = np.empty(0, np.int64)
_NO_STATES = np.empty(0, np.uint8)

LETTERS = tuple(flag.letter for flag in QC_FLAGS)
"""The first letters of every chunk's flag codes: shared, so that chunks join without recoding."""

_CODES = frozenset(LETTERS)


class FileBytes:
    """Byte ranges of an open file whose end has been read already."""

    def __init__(self, tail: bytes, size: int, handle: int) -> None:
        self.tail = memoryview(tail)
        self.size = size
        self.read = len(tail)
        self._handle = handle

    def __getitem__(self, place: slice) -> memoryview:
        begin = self.size - len(self.tail)
        if place.start >= begin:
            return self.tail[place.start - begin : place.stop - begin]
        data = os.pread(self._handle, place.stop - place.start, place.start)
        self.read += len(data)
        return memoryview(data)


def blocks_of_v2(
    file: FileBytes,
    key: ChunkKey,
    names: Sequence[str],
    timings: QueryTimings,
    wanted: Callable[[Footer], Sequence[int]] | None,
) -> Part:
    """Return the wanted blocks of a V2 file; ``wanted`` chooses them by the footer."""
    with timings.phase("plan"):
        footer = _footer(file)
        if footer.key != key:
            raise ChunkError(f"file of {footer.key.name}, not of {key.name}")
        numbers = range(len(footer.blocks)) if wanted is None else wanted(footer)
    timings.count(
        blocks_considered=len(footer.blocks),
        blocks_skipped=len(footer.blocks) - len(numbers),
        blocks_read=len(numbers),
    )
    decoder = _Decoder(file, footer, names)
    with timings.phase("decode"):
        parts = [decoder.block(footer.blocks[number]) for number in numbers]
    timings.count(
        bytes_read=file.read,
        columns_read=decoder.columns * len(numbers),
        rows_decoded=sum(part.rows for part in parts),
    )
    if not parts:
        return Part(0, {})
    if len(parts) == 1:
        return parts[0]
    columns = {name: joined([part.columns[name] for part in parts]) for name in parts[0].columns}
    return Part(sum(part.rows for part in parts), columns)


def _footer(file: FileBytes) -> Footer:
    """Return the footer; one longer than the tail that was read is read again whole."""
    try:
        footer = parse_footer(file.tail, file.size)
    except ChunkError:
        if len(file.tail) == file.size:
            raise
        file.tail = file[0 : file.size]
        footer = parse_footer(file.tail, file.size)
    if len(file.tail) == file.size:
        check_header(file.tail, footer.features)
    return footer


class _Decoder:
    """Decodes some columns of a V2 file, block by block."""

    def __init__(self, file: FileBytes, footer: Footer, names: Sequence[str]) -> None:
        self._footer = footer
        self._reader = BlockReader(file, footer)
        wanted = set(names)
        self._keys = [n for n in key_columns(footer.key.scope) if n in wanted]
        self._values: list[tuple[int, str, str | None, str | None]] = []
        for number, info in enumerate(footer.columns):
            item = info.item
            value = item.column if item.column in wanted else None
            flag = item.flag_column if item.flag_column in wanted else None
            if value or flag:
                self._values.append((number, info.code, value, flag))
        self.columns = sum((v is not None) + (f is not None) for _, _, v, f in self._values)
        flags = [state.flag for state in footer.states if state.flag]
        self._letters = (*LETTERS, *dict.fromkeys(f for f in flags if f not in _CODES))
        codes = {letter: code for code, letter in enumerate(self._letters, 1)}
        self._missing = np.array([state.missing for state in footer.states], np.bool_)
        self._codes = np.array([codes.get(s.flag or "", 0) for s in footer.states], np.uint8)

    def block(self, block: Block) -> Part:
        """Return one block."""
        made: dict[str, Column] = dict(self._key_columns(block))
        marks = self._reader.marks(block) if self._values else None
        numbers = [number for number, _, value, _ in self._values if value is not None]
        found = self._reader.columns(block, numbers)
        gone = np.zeros(found.shape, np.bool_)
        for place, number in enumerate(numbers):
            rows, states = _marked(marks, number)
            gone[place, rows] = self._missing[states]
        check_statistics(block, numbers, self._footer, found, gone)
        whole = dict(zip(numbers, found, strict=True))
        for number, _, value, flag in self._values:
            rows, states = _marked(marks, number)
            if value is not None:
                missing = rows[self._missing[states]]
                made[value] = self._value(block.cells[number], number, whole[number], missing)
            if flag is not None:
                codes = np.zeros(block.rows, np.uint8)
                codes[rows] = self._codes[states]
                made[flag] = Flags(codes, self._letters)
        return Part(block.rows, made)

    def _value(
        self,
        cell: Cell,
        number: int,
        whole: npt.NDArray[np.int64],
        missing: npt.NDArray[np.int64],
    ) -> Column:
        if self._footer.columns[number].is_double:
            present = np.ones(whole.size, np.bool_)
            present[missing] = False
            return Doubles(whole.view(np.float64), present)
        low, high = int(cell.minimum or 0), int(cell.maximum or 0)
        kind, mark = next((k, least) for k, least, most in _INTS if least < low and high <= most)
        values = whole.astype(kind)
        values[missing] = mark
        return Scaled(values, self._footer.columns[number].decimals)

    def _key_columns(self, block: Block) -> dict[str, Column]:
        """Return the key columns asked for, from the block's runs of times."""
        if not self._keys:
            return {}
        runs = np.array(block.runs, np.int64)
        starts, counts = runs[:, 0], runs[:, 1]
        shift = np.repeat(starts - np.cumsum(counts) + counts, counts)
        times = shift + np.arange(block.rows)
        made: dict[str, Column] = {}
        for name in self._keys:
            if name == "station":
                made[name] = Keys(np.full(block.rows, self._footer.key.station or 0, np.uint16))
            elif self._footer.key.scope is Scope.DAILY:
                made[name] = Keys(times.astype(np.int32))
            elif name == "time":
                made[name] = Keys(times * 3_600)
            elif name == "date":
                made[name] = Keys(((times - 1) // 24).astype(np.int32))
            else:
                made[name] = Keys(((times - 1) % 24 + 1).astype(np.uint8))
        return made


def _marked(
    marks: Marks | None, number: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Return the marked rows of a column and the number of the state of each."""
    states = None if marks is None else marks.of(number)
    if states is None:
        return _NO_ROWS, _NO_STATES
    rows = np.flatnonzero(states)
    return rows, states[rows] - np.uint8(1)


def rows_of_v1(data: bytes, key: ChunkKey, names: Sequence[str], timings: QueryTimings) -> Part:
    """Return all rows of a V1 file, which is one stream."""
    with timings.phase("decode"):
        table = decode_v1(data, key)
        wanted = [name for name in table.schema.names if name in set(names)]
        found = {name: _column(table.schema.field(name), table[name]) for name in wanted}
    timings.count(
        blocks_considered=1,
        blocks_read=1,
        bytes_read=len(data),
        columns_read=len(found),
        rows_decoded=table.num_rows,
    )
    return Part(table.num_rows, found)


def _column(field: pa.Field, chunked: pa.ChunkedArray) -> Column:
    column = chunked.chunk(0) if chunked.num_chunks == 1 else chunked.combine_chunks()
    if pa.types.is_dictionary(field.type):
        return _flags(column)
    values = _numbers(column)
    if item_of(field) is None:
        return Keys(values)
    present = presence(column)
    if pa.types.is_floating(field.type):
        return Doubles(values, present)
    mark = missing_mark(values.dtype)
    if bool((values[present] == mark).any()):
        values, mark = values.astype(np.int64), missing_mark(np.dtype(np.int64))
    return Scaled(np.where(present, values, values.dtype.type(mark)), decimals_of(field))


def _flags(column: pa.DictionaryArray) -> Flags:
    letters = column.dictionary.to_pylist()
    unknown = [letter for letter in letters if letter not in _CODES]
    union = (*LETTERS, *unknown)
    table = np.array([union.index(letter) + 1 for letter in letters] or [0], np.uint8)
    present = presence(column.indices)
    codes = np.where(present, table[np.where(present, _numbers(column.indices), 0)], 0)
    return Flags(codes.astype(np.uint8), union)


def _numbers(column: pa.Array) -> npt.NDArray[Any]:
    """Return a primitive column's values without a copy, whatever lies in its missing places."""
    kind = column.type
    letter = "f" if pa.types.is_floating(kind) else "iu"[pa.types.is_unsigned_integer(kind)]
    made: npt.NDArray[Any] = np.frombuffer(
        column.buffers()[1], f"<{letter}{kind.bit_width // 8}", count=column.offset + len(column)
    )
    return made[column.offset :]
