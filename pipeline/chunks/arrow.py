"""Take Arrow tables apart into the plain arrays that the chunk codec works on."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from pipeline.chunks.arrays import Ints, magnitude
from pipeline.chunks.footer import ColumnInfo
from pipeline.chunks.key import ChunkKey
from pipeline.chunks.parts import Bools, FlagColumn, Parts, ValueColumn, flag_columns
from pipeline.errors import ChunkError
from pipeline.items import ITEMS, Item, Scope
from pipeline.schema import TIME_COLUMN, decimals_of, is_from_v1, item_of, stated_unit

__all__ = ["arrange", "bitmap", "plain_array", "take_apart", "time_arrays"]

MAX_FLAGS = 127
_ORDER = {item.code: number for number, item in enumerate(ITEMS)}
_KEYS = {"station", "target", "date", "time", "hour"}
_SECONDS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


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
        # plain texts: pyarrow cannot unify dictionaries that hold a null
        return _joined(column.cast(pa.string())).dictionary_encode()
    joined = column.combine_chunks()
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined


def take_apart(table: pa.Table, key: ChunkKey) -> Parts:
    """Return a table's rows as arrays in canonical form, after checking that they are the key's.

    Decimals become the fewest that hold every value, not fewer than the registry's; columns come
    in registry order; an empty flag is a passed one. Raises ChunkError for foreign rows.
    """
    times = _times(table, key)
    columns = dict(zip(table.schema.names, table.columns, strict=True))
    pairs = ((field, item_of(field)) for field in table.schema)
    items = [(item, field) for field, item in pairs if item is not None]
    items.sort(key=lambda pair: _ORDER[pair[0].code])
    known = {f.name for _, f in items} | {i.flag_column for i, _ in items} | _KEYS
    for name in columns:
        if name not in known:
            raise ChunkError(f"{key.name}: column '{name}' is no key, item or item's flags")
    values, flags = [], []
    for item, field in items:
        if item.scope is not key.scope:
            raise ChunkError(f"{key.name}: item '{item.code}' is {item.scope}")
        values.append(_value_column(_joined(columns[field.name]), field, item))
        flag = columns.get(item.flag_column)
        flags.append(None if flag is None else _joined(flag))
    return Parts(times, values, _flag_columns(flags, times.size, key))


def _times(table: pa.Table, key: ChunkKey) -> Ints:
    column = "date" if key.scope is Scope.DAILY else "time"
    if column not in table.schema.names:
        raise ChunkError(f"{key.name}: the table has no column '{column}'")
    array = _joined(table[column])
    if array.null_count:
        raise ChunkError(f"{key.name}: a row has no {column}")
    if key.scope is Scope.DAILY:
        dates = array if pa.types.is_date32(array.type) else array.cast(pa.date32())
        times = _numbers(dates, "<i4")[0].astype(np.int64)
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
        numbers = _joined(table["station"])
        if numbers.type.equals(pa.uint16()):
            stations = _numbers(numbers, "<u2")[0]
        else:
            stations = _numbers(numbers.cast(pa.int64()), "<i8")[0]
        if bool((stations != key.station).any()):
            raise ChunkError(f"{key.name}: rows of other stations")
    return times


def _value_column(array: pa.Array, field: pa.Field, item: Item) -> ValueColumn:
    unit = stated_unit(field, item)
    if pa.types.is_floating(array.type):
        doubles, missing = _numbers(array.cast(pa.float64()), "<f8")
        present = doubles if missing is None else doubles[~missing]
        if not bool(np.isfinite(present).all()):
            raise ChunkError(f"column '{item.column}' holds a value that is no number")
        info = ColumnInfo(item.code, unit, item.decimals_metric, True, is_from_v1(field))
        return ValueColumn(info, doubles.view(np.int64), missing)
    if not pa.types.is_integer(array.type):
        raise ChunkError(f"column '{item.column}' is {array.type}, not integers or float64")
    width = array.type.bit_width // 8
    raw, missing = _numbers(array, f"<i{width}")
    numbers = raw.astype(np.int64)
    if missing is not None:
        numbers[missing] = 0
    numbers, places = _canonical(numbers, decimals_of(field), item.decimals_metric)
    info = ColumnInfo(item.code, unit, places, from_v1=is_from_v1(field))
    return ValueColumn(info, numbers, missing)


def _canonical(numbers: Ints, decimals: int, least: int) -> tuple[Ints, int]:
    """Return numbers with the fewest decimals that hold them all, but not fewer than ``least``."""
    while decimals > least and not bool((numbers % 10).any()):
        numbers, decimals = numbers // 10, decimals - 1
    top = magnitude(numbers) if decimals < least else 0
    while 0 <= top < 1 << 58 and decimals < least:
        numbers, decimals, top = numbers * 10, decimals + 1, top * 10
    return numbers, decimals


def _flag_columns(arrays: list[pa.Array | None], rows: int, key: ChunkKey) -> list[FlagColumn]:
    """Return the flags of columns; an empty text is a passed flag, and so is none."""
    coded = [None if a is None or a.null_count == rows else _coded(a) for a in arrays]
    texts = [[text or "" for text in c.dictionary.to_pylist()] if c else [] for c in coded]
    known = sorted({text for found in texts for text in found} - {""})
    if any(len(text) > 3 for text in known):
        raise ChunkError(f"{key.name}: a flag has more than 3 characters")
    rank = {text: number for number, text in enumerate(known, 1)} | {"": 0}
    numbers = np.zeros((len(arrays), rows), np.int64)
    for row, column, found in zip(numbers, coded, texts, strict=True):
        if column is not None:
            indices, missing = _numbers(column.indices, f"<i{column.indices.type.bit_width // 8}")
            flagged = np.s_[:] if missing is None else np.flatnonzero(~missing)
            row[flagged] = np.array([rank[text] for text in found] or [0])[indices[flagged]]
    columns = flag_columns(known, numbers)
    most = max((len(column.texts) for column in columns), default=0)
    if most > MAX_FLAGS:
        raise ChunkError(f"{key.name}: {most} flags; a column holds {MAX_FLAGS}")
    return columns


def _coded(array: pa.Array) -> pa.DictionaryArray:
    if pa.types.is_dictionary(array.type):
        return array
    return array.cast(pa.string()).dictionary_encode()


def arrange(table: pa.Table, scope: Scope) -> tuple[pa.Table, int]:
    """Return rows in ascending time, of rows with one time the last; and how many were dropped."""
    array = _joined(table[TIME_COLUMN[scope]])
    instants = _numbers(array, "<i4" if scope is Scope.DAILY else "<i8")[0]
    if instants.size < 2 or bool((instants[1:] > instants[:-1]).all()):
        return table, 0
    order = np.argsort(instants, kind="stable")
    last = np.flatnonzero(np.diff(instants[order], append=instants[order][-1:] + 1))
    chosen = order[last].astype(np.int64)
    return table.take(plain_array(pa.int64(), chosen)), instants.size - chosen.size


def plain_array(kind: pa.DataType, values: np.ndarray, valid: pa.Buffer | None = None) -> pa.Array:
    """Return an Arrow array over a numpy array's memory, with its validity bitmap if any."""
    return pa.Array.from_buffers(kind, values.size, [valid, pa.py_buffer(values)])


def time_arrays(scope: Scope, times: Ints) -> list[pa.Array]:
    """Return the key columns of times, which are days or hours since 1970."""
    if scope is Scope.DAILY:
        return [plain_array(pa.date32(), times.astype(np.int32))]
    dates = (times - 1) // 24
    hours = (times - dates * 24).astype(np.uint8)
    return [
        plain_array(pa.timestamp("s"), times * 3600),
        plain_array(pa.date32(), dates.astype(np.int32)),
        plain_array(pa.uint8(), hours),
    ]


def bitmap(valid: Bools) -> pa.Buffer | None:
    """Return rows that are there as an Arrow validity bitmap; None where all are."""
    if valid.all():
        return None
    return pa.py_buffer(np.packbits(valid, bitorder="little"))
