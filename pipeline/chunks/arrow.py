"""Take scaled tables apart into the plain arrays that the chunk codec works on."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from cimis.pipeline.chunks.footer import ColumnInfo
from cimis.pipeline.chunks.given.keys import check_key
from cimis.pipeline.chunks.key import ChunkKey
from cimis.pipeline.chunks.parts import Bools, FlagColumn, Parts, ValueColumn, flag_columns
from cimis.pipeline.errors import ChunkError
from cimis.pipeline.field.items import Item
from cimis.pipeline.rows.arrays import flag_codes, joined, numbers_of, ranks
from cimis.pipeline.rows.keys import times_of
from cimis.pipeline.rows.numbers import Ints, canonical
from cimis.pipeline.rows.schema import RANK, decimals_of, is_from_v1, item_of, stated_unit

__all__ = ["canonical_column", "take_apart"]

MAX_FLAGS = 127
_KEYS = {"station", "target", "date", "time", "hour"}


def take_apart(table: pa.Table, key: ChunkKey) -> Parts:
    """Return a table's rows as arrays in canonical form, after checking that they are the key's.

    Decimals become the fewest that hold every value, not fewer than the registry's; columns come
    in registry order; an empty flag is a passed one. Raises ChunkError for foreign rows.
    """
    times = times_of(table, key.scope)
    if bool((times[1:] <= times[:-1]).any()):
        raise ChunkError(f"{key.name}: times do not ascend")
    check_key(table, key, times)
    columns = dict(zip(table.schema.names, table.columns, strict=True))
    pairs = ((field, item_of(field)) for field in table.schema)
    items = [(item, field) for field, item in pairs if item is not None]
    items.sort(key=lambda pair: RANK[pair[0].code])
    known = {f.name for _, f in items} | {i.flag_column for i, _ in items} | _KEYS
    for name in columns:
        if name not in known:
            raise ChunkError(f"{key.name}: column '{name}' is no key, item or item's flags")
    values, flags = [], []
    for item, field in items:
        if item.scope is not key.scope:
            raise ChunkError(f"{key.name}: item '{item.code}' is {item.scope}")
        values.append(_value_column(joined(columns[field.name]), field, item))
        flag = columns.get(item.flag_column)
        flags.append(None if flag is None else joined(flag))
    return Parts(times, values, _flag_columns(flags, times.size, key))


def _value_column(array: pa.Array, field: pa.Field, item: Item) -> ValueColumn:
    unit, old = stated_unit(field, item), is_from_v1(field)
    if pa.types.is_floating(array.type):
        doubles, missing = numbers_of(array.cast(pa.float64()), "<f8")
        present = doubles if missing is None else doubles[~missing]
        if not bool(np.isfinite(present).all()):
            raise ChunkError(f"column '{item.column}' holds a value that is no number")
        info = ColumnInfo(item.code, unit, item.decimals_metric, True, old)
        return ValueColumn(info, doubles.view(np.int64), missing)
    if not pa.types.is_integer(array.type):
        raise ChunkError(f"column '{item.column}' is {array.type}, not integers or float64")
    numbers, missing = numbers_of(array)
    info = ColumnInfo(item.code, unit, decimals_of(field), from_v1=old)
    return canonical_column(info, numbers.astype(np.int64), missing)


def canonical_column(info: ColumnInfo, numbers: Ints, missing: Bools | None) -> ValueColumn:
    """Return integers with the decimals that a chunk keeps; missing ones become 0 in place."""
    if missing is not None:
        numbers[missing] = 0
    numbers, decimals = canonical(numbers, info.decimals, info.item.decimals_metric)
    if decimals != info.decimals:
        info = ColumnInfo(info.code, info.unit, decimals, from_v1=info.from_v1)
    return ValueColumn(info, numbers, missing)


def _flag_columns(arrays: list[pa.Array | None], rows: int, key: ChunkKey) -> list[FlagColumn]:
    """Return the flags of columns; an empty text is a passed flag, and so is none."""
    coded = [flag_codes(array) for array in arrays]
    known = sorted({text for *_, texts in coded for text in texts} - {""})
    if any(len(text) > 3 for text in known):
        raise ChunkError(f"{key.name}: a flag has more than 3 characters")
    numbers = np.zeros((len(arrays), rows), np.int64)
    for row, (flagged, codes, texts) in zip(numbers, coded, strict=True):
        row[flagged] = ranks(texts, known)[codes]
    columns = flag_columns(known, numbers)
    most = max((len(column.texts) for column in columns), default=0)
    if most > MAX_FLAGS:
        raise ChunkError(f"{key.name}: {most} flags; a column holds {MAX_FLAGS}")
    return columns
