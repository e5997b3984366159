"""Between Arrow tables and the plain arrays that the chunk codec works on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.chunks import marks
from pipeline.chunks.encodings import Ints
from pipeline.chunks.footer import Block, ColumnInfo, Footer
from pipeline.chunks.key import ChunkKey
from pipeline.errors import ChunkError
from pipeline.items import ITEMS, Scope
from pipeline.schema import (
    FLAG_TYPE,
    KEY_FIELDS,
    decimals_of,
    item_metadata,
    item_of,
    time_zone_metadata,
)

__all__ = ["FlagColumn", "Parts", "ValueColumn", "assemble", "take_apart"]

Bools = npt.NDArray[np.bool_]
MAX_FLAGS = 127
_ORDER = {item.code: number for number, item in enumerate(ITEMS)}
_SECONDS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


@dataclass(frozen=True, slots=True)
class ValueColumn:
    """A column's values as int64 (doubles: their bits) with its missing rows, if any."""

    info: ColumnInfo
    numbers: Ints
    missing: Bools | None

    def statistics(self, rows: slice) -> tuple[int | float | None, int | float | None, int]:
        """Return minimum, maximum and missing count of a block; None where all are missing."""
        numbers: npt.NDArray[np.int64] | npt.NDArray[np.float64] = self.numbers[rows]
        if self.info.is_double:
            numbers = numbers.view(np.float64)
        if self.missing is not None:
            absent = self.missing[rows]
            numbers = numbers[~absent]
            missing = int(absent.sum())
        else:
            missing = 0
        if numbers.size == 0:
            return None, None, missing
        return numbers.min().item(), numbers.max().item(), missing


@dataclass(frozen=True, slots=True)
class FlagColumn:
    """A column's flags: distinct texts, and per row 0 (passed) or 1 + the text's number."""

    texts: tuple[str, ...]
    numbers: Ints


@dataclass(frozen=True, slots=True)
class Parts:
    """A chunk's rows as plain arrays: times in days or hours since 1970, values, flags."""

    times: Ints
    values: list[ValueColumn]
    flags: list[FlagColumn]


class BlockSource(Protocol):
    """What gives a block's decoded marks and columns."""

    def marks(self, block: Block) -> marks.Runs | None:
        """Return starts, lengths and state numbers of a block's runs by column."""
        ...

    def values(self, block: Block, number: int) -> Ints:
        """Return a block's column."""
        ...


def _numbers(array: pa.Array, dtype: str) -> tuple[np.ndarray, Bools | None]:
    """Return an array's values and its missing rows (None where there are none), without loops."""
    start, size = array.offset, len(array)
    bits, data = array.buffers()[0], array.buffers()[1]
    numbers = np.zeros(size, dtype) if data is None else np.frombuffer(data, dtype)[start:][:size]
    if bits is None or array.null_count == 0:
        return numbers, None
    octets = np.frombuffer(bits, np.uint8)
    valid = np.unpackbits(octets, bitorder="little")[start : start + size]
    return numbers, valid == 0


def _joined(column: pa.ChunkedArray) -> pa.Array:
    if column.num_chunks == 1:
        return column.chunk(0)
    if pa.types.is_dictionary(column.type):
        column = column.unify_dictionaries()
    joined = column.combine_chunks()
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined


def take_apart(table: pa.Table, key: ChunkKey) -> Parts:
    """Return a table's rows as arrays, in canonical form, after checking that they are the key's.

    Decimals become the fewest that hold every value, but not fewer than the registry's; columns come
    in registry order; an empty flag is a passed one. Raises ChunkError for foreign rows.
    """
    times = _times(table, key)
    values, flags = [], []
    fields = [f for f in table.schema if item_of(f) is not None]
    for field in sorted(fields, key=_rank):
        item = item_of(field)
        assert item is not None
        if item.scope is not key.scope:
            raise ChunkError(f"{key.name}: item '{item.code}' is {item.scope}")
        values.append(_value_column(_joined(table[field.name]), field))
        name = item.flag_column
        present = name in table.schema.names
        flags.append(
            _flag_column(_joined(table[name]), key)
            if present
            else FlagColumn((), np.zeros(times.size, np.int64))
        )
    return Parts(times, values, flags)


def _rank(field: pa.Field) -> int:
    item = item_of(field)
    assert item is not None
    return _ORDER[item.code]


def _times(table: pa.Table, key: ChunkKey) -> Ints:
    column = "date" if key.scope is Scope.DAILY else "time"
    if column not in table.schema.names:
        raise ChunkError(f"{key.name}: the table has no column '{column}'")
    array = _joined(table[column])
    if array.null_count:
        raise ChunkError(f"{key.name}: a row has no {column}")
    if key.scope is Scope.DAILY:
        times = _numbers(array.cast(pa.date32()), "<i4")[0].astype(np.int64)
        days = times
    else:
        unit = _SECONDS.get(getattr(array.type, "unit", ""), 0) * 3600
        if not unit:
            raise ChunkError(f"{key.name}: column 'time' is {array.type}, not a timestamp")
        instants = _numbers(array, "<i8")[0]
        times = instants // unit
        if bool((times * unit != instants).any()):
            raise ChunkError(f"{key.name}: a time is not a full hour")
        days = (times - 1) // 24
    if times.size and bool((np.diff(times) <= 0).any()):
        raise ChunkError(f"{key.name}: times do not ascend")
    years = days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    if times.size and (int(years.min()) != key.year or int(years.max()) != key.year):
        raise ChunkError(f"{key.name}: rows of {years.min()} to {years.max()}")
    if key.station is not None and "station" in table.schema.names:
        stations = _numbers(_joined(table["station"]).cast(pa.int64()), "<i8")[0]
        if bool((stations != key.station).any()):
            raise ChunkError(f"{key.name}: rows of other stations")
    return times


def _value_column(array: pa.Array, field: pa.Field) -> ValueColumn:
    item = item_of(field)
    assert item is not None
    unit = (field.metadata or {}).get(b"unit", item.unit_metric.encode()).decode()
    if pa.types.is_floating(array.type):
        doubles, missing = _numbers(array.cast(pa.float64()), "<f8")
        present = doubles if missing is None else doubles[~missing]
        if not bool(np.isfinite(present).all()):
            raise ChunkError(f"column '{item.column}' holds a value that is no number")
        info = ColumnInfo(item.code, unit, item.decimals_metric, True)
        return ValueColumn(info, doubles.view(np.int64), missing)
    if not pa.types.is_integer(array.type):
        raise ChunkError(f"column '{item.column}' is {array.type}, not integers or float64")
    width = array.type.bit_width // 8
    raw, missing = _numbers(array, f"<i{width}")
    numbers = raw.astype(np.int64)
    if missing is not None:
        numbers[missing] = 0
    numbers, places = _canonical(numbers, decimals_of(field), item.decimals_metric)
    return ValueColumn(ColumnInfo(item.code, unit, places), numbers, missing)


def _canonical(numbers: Ints, decimals: int, least: int) -> tuple[Ints, int]:
    """Return numbers with the fewest decimals that hold them all, but not fewer than ``least``."""
    while decimals > least and not bool((numbers % 10).any()):
        numbers, decimals = numbers // 10, decimals - 1
    top = int(np.abs(numbers).max()) if numbers.size and decimals < least else 0
    while 0 <= top < 1 << 58 and decimals < least:
        numbers, decimals, top = numbers * 10, decimals + 1, top * 10
    return numbers, decimals


def _flag_column(array: pa.Array, key: ChunkKey) -> FlagColumn:
    if not pa.types.is_dictionary(array.type):
        array = array.cast(pa.string()).dictionary_encode()
    width = array.indices.type.bit_width // 8
    indices, missing = _numbers(array.indices, f"<i{width}")
    numbers = indices.astype(np.int64) + 1
    if missing is not None:
        numbers[missing] = 0
    texts = [text or "" for text in array.dictionary.to_pylist()]
    used = np.unique(numbers)
    kept = sorted({texts[n - 1] for n in used.tolist() if n} - {""})
    if len(kept) > MAX_FLAGS or any(len(text) > 3 for text in kept):
        raise ChunkError(f"{key.name}: a flag has more than 3 characters, or there are too many")
    rank = np.array([0, *(kept.index(t) + 1 if t in kept else 0 for t in texts)], dtype=np.int64)
    return FlagColumn(tuple(kept), rank[numbers])


def assemble(
    footer: Footer,
    blocks: Sequence[Block],
    source: BlockSource,
    numbers: Sequence[int],
    names: Sequence[str] | None,
) -> pa.Table:
    """Return the table of some blocks' columns; ``names`` None means every column."""
    rows = sum(block.rows for block in blocks)
    arrays = _key_arrays(footer, blocks, rows)
    fields = [KEY_FIELDS[footer.key.scope][i] for i in range(len(arrays))]
    if footer.key.target is not None:
        fields[0] = pa.field("target", pa.dictionary(pa.int8(), pa.string()), nullable=False)
    runs = [source.marks(block) for block in blocks]
    texts = sorted({s.flag for s in footer.states if s.flag is not None})
    absent = np.array([s.missing for s in footer.states], dtype=np.bool_)
    rank = np.array([texts.index(s.flag) if s.flag else -1 for s in footer.states], dtype=np.int8)
    for number in numbers:
        info = footer.columns[number]
        missing = np.zeros(rows, dtype=np.bool_)
        flags = np.full(rows, -1, dtype=np.int8)
        values = np.empty(rows, dtype=np.int64)
        start = 0
        for block, run in zip(blocks, runs, strict=True):
            stop = start + block.rows
            if run is not None:
                places, states = marks.expand(run[0][number], run[1][number], run[2][number])
                missing[start + places] = absent[states]
                flags[start + places] = rank[states]
            values[start:stop] = source.values(block, number)
            _check_statistics(block, number, info, values[start:stop], missing[start:stop])
            start = stop
        metadata = item_metadata(info.item, decimals=info.decimals, unit=info.unit)
        value = _value_array(values, missing, info)
        fields += [pa.field(info.item.column, value.type, metadata=metadata)]
        fields += [pa.field(info.item.flag_column, FLAG_TYPE)]
        arrays += [value, _flag_array(flags, texts)]
    table = pa.table(
        arrays, schema=pa.schema(fields, metadata=time_zone_metadata(footer.key.scope))
    )
    if names is None:
        return table
    return table.select([name for name in table.schema.names if name in set(names)])


def _check_statistics(
    block: Block, number: int, info: ColumnInfo, values: Ints, missing: Bools
) -> None:
    cell = block.cells[number]
    found = ValueColumn(info, values, missing if missing.any() else None).statistics(slice(None))
    if found != (cell.minimum, cell.maximum, cell.missing):
        raise ChunkError(
            f"column '{info.code}' has minimum, maximum and missing count {found}, "
            f"not {(cell.minimum, cell.maximum, cell.missing)}",
            offset=cell.offset,
        )


def _key_arrays(footer: Footer, blocks: Sequence[Block], rows: int) -> list[pa.Array]:
    runs = [run for block in blocks for run in block.runs]
    starts = np.array([start for start, _ in runs], dtype=np.int64)
    counts = np.array([count for _, count in runs], dtype=np.int64)
    offsets = np.repeat(starts - np.cumsum(counts) + counts, counts)
    times = offsets + np.arange(rows)
    if footer.key.station is not None:
        station = np.full(rows, footer.key.station, dtype=np.uint16)
        who = _plain(pa.uint16(), station)
    else:
        indices = _plain(pa.int8(), np.zeros(rows, dtype=np.int8))
        target = pa.array([footer.key.target], pa.string())
        who = pa.DictionaryArray.from_arrays(indices, target)
    if footer.key.scope is Scope.DAILY:
        return [who, _plain(pa.date32(), times.astype(np.int32))]
    dates = (times - 1) // 24
    hours = (times - dates * 24).astype(np.uint8)
    return [
        who,
        _plain(pa.timestamp("s"), times * 3600),
        _plain(pa.date32(), dates.astype(np.int32)),
        _plain(pa.uint8(), hours),
    ]


def _plain(kind: pa.DataType, values: np.ndarray, valid: pa.Buffer | None = None) -> pa.Array:
    return pa.Array.from_buffers(kind, values.size, [valid, pa.py_buffer(values)])


def _bitmap(valid: Bools) -> pa.Buffer | None:
    if valid.all():
        return None
    return pa.py_buffer(np.packbits(valid, bitorder="little"))


def _value_array(values: Ints, missing: Bools, info: ColumnInfo) -> pa.Array:
    values = np.where(missing, 0, values)
    valid = _bitmap(~missing)
    if info.is_double:
        return _plain(pa.float64(), values.view(np.float64), valid)
    top = max(int(values.max()), -int(values.min()) - 1) if values.size else 0
    for kind, dtype in ((pa.int16(), np.int16), (pa.int32(), np.int32)):
        if top <= np.iinfo(dtype).max:
            return _plain(kind, values.astype(dtype), valid)
    return _plain(pa.int64(), values, valid)


def _flag_array(flags: npt.NDArray[np.int8], texts: list[str]) -> pa.Array:
    valid = flags >= 0
    indices = _plain(pa.int8(), np.where(valid, flags, 0).astype(np.int8), _bitmap(valid))
    return pa.DictionaryArray.from_arrays(indices, pa.array(texts, pa.string()))
