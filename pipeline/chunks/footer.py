"""The footer of a V2 chunk: what it says, and its bytes (``docs/format-v2.md``, section Footer)."""

from __future__ import annotations

import struct
from typing import NamedTuple

from cimis.pipeline.chunks.dictionary import descriptor
from cimis.pipeline.chunks.encodings import Encoding
from cimis.pipeline.chunks.encodings.signed import wrap
from cimis.pipeline.chunks.key import ChunkKey
from cimis.pipeline.chunks.octets import Writer
from cimis.pipeline.errors import ChunkError
from cimis.pipeline.field.items import Item, Scope, by_code
from cimis.pipeline.field.time import UNIT_S

__all__ = ["Block", "Cell", "ColumnInfo", "Footer", "State", "pack"]

SCOPES = (Scope.DAILY, Scope.HOURLY)
_SUSPICION = (
    "radiation read from V1 chunks of the older program wrapped around above 25.5 MJ/m² and is "
    "suspect"
)


class ColumnInfo(NamedTuple):
    """One data item's column: code, unit text, decimals, and whether values are doubles.

    ``from_v1``: some of its values were read from a V1 file that makes them suspect.
    """

    code: str
    unit: str
    decimals: int
    is_double: bool = False
    from_v1: bool = False

    @property
    def item(self) -> Item:
        """The registry's item; `ChunkError` for a code that this version does not know."""
        item = by_code(self.code)
        if item is None:
            raise ChunkError(f"unknown data item '{self.code}'", hint="update cimis")
        return item


class State(NamedTuple):
    """What a mark says of a value: missing or not, and its flag (None = passed)."""

    missing: bool
    flag: str | None


class Cell(NamedTuple):
    """One column of one block: encoding, statistics over present values, bytes.

    ``minimum`` and ``maximum`` are scaled integers (doubles for double columns), None where every
    value is missing. ``length`` 0 means that all residuals are zero and there is no frame.
    """

    encoding: Encoding
    minimum: int | float | None
    maximum: int | float | None
    missing: int
    offset: int
    length: int
    crc32: int


class Block(NamedTuple):
    """Consecutive rows: their times as runs of (first, count), the marks' frame, the cells."""

    rows: int
    runs: tuple[tuple[int, int], ...]
    marks_offset: int
    marks_length: int
    marks_size: int
    marks_crc32: int
    cells: tuple[Cell, ...]

    @property
    def first(self) -> int:
        """First time, in days (daily) or hours (hourly) since 1970-01-01 PST."""
        return self.runs[0][0]

    @property
    def last(self) -> int:
        """Last time, in the same unit."""
        start, count = self.runs[-1]
        return start + count - 1


class Footer(NamedTuple):
    """All that a chunk says of itself; byte ranges are offsets in the file."""

    version: int
    features: int
    key: ChunkKey
    columns: tuple[ColumnInfo, ...]
    states: tuple[State, ...]
    blocks: tuple[Block, ...]
    data_end: int

    @property
    def rows(self) -> int:
        """Rows of all blocks."""
        return sum(block.rows for block in self.blocks)

    @property
    def suspicion(self) -> str | None:
        """What makes some of its values suspect, in a line for people; None where nothing does."""
        return _SUSPICION if any(column.from_v1 for column in self.columns) else None

    @property
    def time_unit_s(self) -> int:
        """Seconds of one unit of the blocks' times."""
        return UNIT_S[self.key.scope]

    @property
    def first_time_s(self) -> int:
        """First row's time in seconds since 1970-01-01 PST; end of the hour where hourly."""
        return self.blocks[0].first * self.time_unit_s

    @property
    def last_time_s(self) -> int:
        """Last row's time, in the same form."""
        return self.blocks[-1].last * self.time_unit_s


def pack(footer: Footer) -> bytes:
    """Return the footer's bytes before compression."""
    out = Writer()
    key = footer.key
    out.data += bytes([footer.version, footer.features, SCOPES.index(key.scope)])
    out.unsigned(key.year)
    out.unsigned(0 if key.station is None else key.station + 1)
    if key.target is not None:
        out.text(key.target.encode())
    out.unsigned(len(footer.columns))
    for column in footer.columns:
        out.data += descriptor(
            column.code,
            column.unit,
            column.decimals,
            is_double=column.is_double,
            from_v1=column.from_v1,
        )
    out.unsigned(len(footer.states))
    for state in footer.states:
        out.data.append(1 if state.missing else 0)
        out.text((state.flag or "").encode())
    out.unsigned(len(footer.blocks))
    for block in footer.blocks:
        _pack_block(out, block, footer.columns)
    return bytes(out.data)


def _pack_block(out: Writer, block: Block, columns: tuple[ColumnInfo, ...]) -> None:
    out.unsigned(block.rows)
    out.unsigned(len(block.runs))
    end = 0
    for start, count in block.runs:
        out.signed(start - end)
        out.unsigned(count)
        end = start + count
    out.unsigned(block.marks_length)
    if block.marks_length:
        out.unsigned(block.marks_size)
        out.word(block.marks_crc32)
    for cell, column in zip(block.cells, columns, strict=True):
        out.data.append(_form(cell.encoding))
        for part in cell.encoding.step or ():
            out.unsigned(part)
        cell.encoding.kind.write(out, cell.encoding)
        out.unsigned(cell.missing)
        if cell.missing < block.rows:
            low, high = _as_integers(cell, column)
            out.signed(wrap(low - cell.encoding.base))
            out.unsigned(high - low & (1 << 64) - 1)
        out.unsigned(cell.length)
        if cell.length:
            out.word(cell.crc32)


def _form(encoding: Encoding) -> int:
    """Return a cell's first byte: whether values are steps, kind, planes or low bits."""
    shape = 8 + encoding.low if encoding.low else encoding.width
    return (encoding.step is not None) << 7 | encoding.kind.number << 4 | shape


def _as_integers(cell: Cell, column: ColumnInfo) -> tuple[int, int]:
    assert cell.minimum is not None
    assert cell.maximum is not None
    if column.is_double:
        low, high = struct.unpack("<2q", struct.pack("<2d", cell.minimum, cell.maximum))
        return low, high
    return int(cell.minimum), int(cell.maximum)
