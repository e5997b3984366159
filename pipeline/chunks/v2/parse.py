"""Parse a V2 footer, distrusting every number in it before anything is allocated."""

from __future__ import annotations

import struct
from math import isfinite

from cimis.pipeline.chunks.encodings import Encoding, Kind, Predicted, Step, kind_of
from cimis.pipeline.chunks.encodings.signed import wrap
from cimis.pipeline.chunks.encodings.steps import MAX_STEP
from cimis.pipeline.chunks.footer import SCOPES, Block, Cell, ColumnInfo, Footer, State
from cimis.pipeline.chunks.key import ChunkKey
from cimis.pipeline.chunks.octets import Reader
from cimis.pipeline.errors import ChunkError, StoreError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.field.time import times_of_year

__all__ = [
    "FEATURE_FROM_V1",
    "MAX_BLOCKS",
    "MAX_BLOCK_ROWS",
    "MAX_COLUMNS",
    "MAX_ROWS",
    "MAX_STATES",
    "read_columns",
    "read_states",
    "unpack",
]

FEATURE_FROM_V1 = 8
MAX_BLOCK_ROWS = 65_535
MAX_BLOCKS = 4_096
MAX_COLUMNS = 255
MAX_STATES = 254
MAX_FLAGS = 127
MAX_ROWS = 8_784


def unpack(data: bytes, *, data_start: int, data_end: int) -> Footer:
    """Return the footer that ``data`` (decompressed) describes.

    Parameters
    ----------
    data : bytes
    data_start, data_end : int
        Offsets in the file between which the frames lie; the footer's lengths must fill them.

    Raises
    ------
    ChunkError
        For anything that the specification does not allow.
    """
    source = Reader(data)
    version, features, scope = source.raw(3)
    if scope >= len(SCOPES):
        raise ChunkError(f"footer names scope {scope}; 0 and 1 are known")
    key = _key(source, SCOPES[scope])
    columns = read_columns(source, key.scope)
    if any(column.from_v1 for column in columns) != bool(features & FEATURE_FROM_V1):
        raise ChunkError(f"footer has features {features:#04x}, but its columns say otherwise")
    states = read_states(source)
    count = source.unsigned(MAX_BLOCKS)
    if count == 0:
        raise ChunkError("footer names no block")
    blocks = []
    offset = data_start
    for _ in range(count):
        block, offset = _block(source, columns, offset)
        blocks.append(block)
    if source.place != len(data):
        raise ChunkError(f"footer holds {len(data) - source.place} bytes too many")
    if offset != data_end:
        raise ChunkError(f"frames end at {offset} but the footer begins at {data_end}")
    footer = Footer(version, features, key, columns, states, tuple(blocks), data_end)
    _check_times(footer)
    return footer


def _key(source: Reader, scope: Scope) -> ChunkKey:
    year = source.unsigned(9999)
    station = source.unsigned(0x10000)
    try:
        if station:
            return ChunkKey(scope, year, station=station - 1)
        return ChunkKey(scope, year, target=source.text())
    except StoreError as error:
        raise ChunkError(str(error)) from None


def read_columns(source: Reader, scope: Scope) -> tuple[ColumnInfo, ...]:
    """Return a footer's list of columns, which are items of its scope."""
    columns = tuple(_column(source, scope) for _ in range(source.unsigned(MAX_COLUMNS)))
    if len({column.code for column in columns}) < len(columns):
        raise ChunkError("footer names a column twice")
    return columns


def read_states(source: Reader) -> tuple[State, ...]:
    """Return a footer's list of states."""
    states = tuple(_state(source) for _ in range(source.unsigned(MAX_STATES)))
    flags = len({state.flag for state in states if state.flag})
    if flags > MAX_FLAGS:
        raise ChunkError(f"footer names {flags} flags; at most {MAX_FLAGS} are allowed")
    return states


def _column(source: Reader, scope: Scope) -> ColumnInfo:
    code, unit = source.text(), source.text()
    decimals, kind = source.raw(2)
    if decimals > 18 or kind > 3:
        raise ChunkError(f"column '{code}' has {decimals} decimals and kind {kind}")
    found = ColumnInfo(code, unit, decimals, kind & 1 == 1, kind > 1)
    if found.item.scope is not scope:
        raise ChunkError(f"item '{code}' is {found.item.scope}, not {scope}")
    return found


def _state(source: Reader) -> State:
    missing = source.raw(1)[0]
    flag = source.text()
    if missing > 1 or len(flag) > 3 or (not missing and not flag):
        raise ChunkError(f"footer names an impossible mark {missing}, '{flag}'")
    return State(missing == 1, flag or None)


def _block(source: Reader, columns: tuple[ColumnInfo, ...], offset: int) -> tuple[Block, int]:
    rows = source.unsigned(MAX_BLOCK_ROWS)
    runs = _runs(source, rows)
    most = 2 + (len(columns) + 2) * rows
    marks_length = source.unsigned(most + 1024)
    marks_size = marks_crc32 = 0
    if marks_length:
        marks_size = source.unsigned(most)
        marks_crc32 = source.word()
    marks_offset = offset
    offset += marks_length
    cells = []
    for number, column in enumerate(columns):
        cell = _cell(source, column, number, len(columns), rows, offset)
        offset += cell.length
        cells.append(cell)
    for number in range(len(cells)):
        _check_predictor(number, cells, columns)
    block = Block(rows, runs, marks_offset, marks_length, marks_size, marks_crc32, tuple(cells))
    return block, offset


def _runs(source: Reader, rows: int) -> tuple[tuple[int, int], ...]:
    runs = []
    end = total = 0
    for number in range(source.unsigned(rows)):
        step = source.signed()
        if number and step <= 0:
            raise ChunkError("footer's times do not ascend")
        start = end + step
        count = source.unsigned(rows)
        if count == 0:
            raise ChunkError("footer names an empty run of times")
        end = start + count
        total += count
        runs.append((start, count))
    if total != rows or rows == 0:
        raise ChunkError(f"a block of {rows} rows has {total} times")
    return tuple(runs)


def _cell(
    source: Reader, column: ColumnInfo, number: int, columns: int, rows: int, offset: int
) -> Cell:
    form = source.raw(1)[0]
    kind, stepped = kind_of(form >> 4 & 7), form > 127
    if kind is None or kind.doubles != column.is_double or (stepped and not kind.steps):
        raise ChunkError(f"column '{column.code}' has unknown encoding {form:#04x}")
    encoding = _encoding(source, kind, form, columns, number)
    missing = source.unsigned(rows)
    low: int | float | None = None
    high: int | float | None = None
    if missing < rows:
        low = wrap(source.signed() + encoding.base)
        high = wrap(low + source.unsigned())
        if column.is_double:
            low, high = struct.unpack("<2d", struct.pack("<2q", low, high))
            if not (isfinite(low) and isfinite(high)):
                raise ChunkError(f"column '{column.code}' has bounds that are no numbers")
        if low > high:
            raise ChunkError(f"column '{column.code}' has minimum {low} above maximum {high}")
    size = encoding.frame_bytes(rows)
    length = source.unsigned(size + 1024)
    if (length == 0) != (size == 0):
        raise ChunkError(f"column '{column.code}' of {size} bytes has a frame of {length}")
    crc32 = source.word() if length else 0
    return Cell(encoding, low, high, missing, offset, length, crc32)


def _encoding(source: Reader, kind: Kind, form: int, columns: int, number: int) -> Encoding:
    shape = form & 15
    width, low = (shape, 0) if shape <= 8 else (1, shape - 8)
    step = _step(source) if form > 127 else None
    base, predictor = kind.read(source, columns, number)
    return Encoding(kind, width, base, predictor, low, step)


def _step(source: Reader) -> Step:
    numerator, denominator = source.unsigned(MAX_STEP), source.unsigned(MAX_STEP)
    if not 0 < denominator < numerator:
        raise ChunkError(f"a column has the step {numerator}/{denominator}")
    return numerator, denominator


def _check_predictor(number: int, cells: list[Cell], columns: tuple[ColumnInfo, ...]) -> None:
    kind, predictor = cells[number].encoding.kind, cells[number].encoding.predictor
    if predictor is None or not isinstance(kind, Predicted):
        return
    for other in predictor.columns:
        if cells[other].encoding.predictor is not None or columns[other].is_double:
            raise ChunkError("a column is predicted from one that is predicted or of doubles")
    kind.check_decimals([columns[each].decimals for each in (number, *predictor.columns)])


def _check_times(footer: Footer) -> None:
    if footer.rows > MAX_ROWS:
        raise ChunkError(f"footer names {footer.rows} rows; a year has at most {MAX_ROWS}")
    last = None
    for block in footer.blocks:
        if last is not None and block.first <= last:
            raise ChunkError("footer's blocks do not ascend in time")
        last = block.last
    year = footer.key.year
    first, final = times_of_year(footer.key.scope, year)
    if not first <= footer.blocks[0].first <= footer.blocks[-1].last <= final:
        raise ChunkError(f"footer names times of another year than {year}")
