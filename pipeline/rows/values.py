"""Values and flags as people give and get them, and as exact scaled integers.

Floats become the decimals that they print as: of a column the fewest decimals, not fewer than the
registry's, that hold them all. A column with one of more than 15 digits stays doubles. On the way
out every value is the double nearest to its decimal.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from cimis.pipeline.errors import ChunkError
from cimis.pipeline.field.items import Item
from cimis.pipeline.rows.arrays import decoded, is_text, joined, numbers_of, value_array
from cimis.pipeline.rows.numbers import MAX_DECIMALS, decimal_form, rescaled
from cimis.pipeline.rows.schema import decimals_of, is_from_v1, item_fields, item_of, stated_unit

__all__ = ["at_decimals", "flags", "scaled", "to_physical", "to_scaled"]

_Column = tuple[pa.Field, pa.ChunkedArray | pa.Array]
_PASSED_ON = (pa.int16(), pa.int32(), pa.int64())


def to_physical(table: pa.Table) -> pa.Table:
    """Return a scaled table with its values as float64, exact to the printed decimal.

    Division (not multiplication by the reciprocal) gives the double nearest to the decimal for up
    to 15 significant digits. Columns that are already float64 pass unchanged.
    """
    return _changed(table, _physical)


def _changed(
    table: pa.Table, change: Callable[[pa.Field, pa.ChunkedArray, Item], _Column]
) -> pa.Table:
    """Return a table with its value columns changed."""
    pairs: list[_Column] = list(zip(table.schema, table.columns, strict=True))
    for place, (field, column) in enumerate(pairs):
        item = item_of(field)
        if item is not None:
            pairs[place] = change(field, column, item)
    schema = pa.schema([field for field, _ in pairs], metadata=table.schema.metadata)
    return pa.table([column for _, column in pairs], schema=schema)


def _physical(field: pa.Field, column: pa.ChunkedArray, _: Item) -> _Column:
    if not pa.types.is_integer(field.type):
        return field, column
    divisor = 10.0 ** decimals_of(field)
    pieces = [_divided(piece, divisor) for piece in column.chunks]
    return field.with_type(pa.float64()), pa.chunked_array(pieces, type=pa.float64())


def _divided(array: pa.Array, divisor: float) -> pa.Array:
    """Return integers divided as float64 with the same validity, without a Python loop."""
    data, stop = array.buffers()[1], array.offset + len(array)
    kind = f"<i{array.type.bit_width // 8}"
    numbers = np.frombuffer(data, kind, count=stop) if data else np.zeros(stop, kind)
    values = np.divide(numbers, divisor, dtype=np.float64)
    return pa.Array.from_buffers(
        pa.float64(),
        len(array),
        [array.buffers()[0], pa.py_buffer(values)],
        offset=array.offset,
    )


def to_scaled(table: pa.Table) -> pa.Table:
    """Return a physical table with its values as scaled integers, in the narrowest types.

    A column with a value that is no decimal of 15 digits stays float64, so that nothing is rounded.
    Columns that are integers pass unchanged; NaN is missing.

    Raises
    ------
    ChunkError
        For an infinity.
    """
    return _changed(table, _whole)


def _whole(field: pa.Field, column: pa.ChunkedArray, item: Item) -> _Column:
    if not pa.types.is_floating(field.type):
        return field, column
    exact, decimals, _ = scaled(column, field, item)
    if not pa.types.is_integer(exact.type):
        return field, column
    array = value_array(*numbers_of(exact))
    unit, old = stated_unit(field, item), is_from_v1(field)
    return item_fields(item, array.type, decimals=decimals, unit=unit, from_v1=old)[0], array


def scaled(column: pa.ChunkedArray, field: pa.Field, item: Item) -> tuple[pa.Array, int, int]:
    """Return a column's values as signed integers or float64, their decimals, and how many NaNs.

    Integers are whole numbers of the unit, or scaled where ``decimals`` of the field's metadata
    says so. NaN is missing.

    Raises
    ------
    ChunkError
        For a type that holds no numbers, an infinity, and what needs more than 64 bits or 18
        decimals.
    """
    column = decoded(column)
    kind, name, least = column.type, field.name, item.decimals_metric
    if pa.types.is_null(kind):
        return pa.nulls(len(column), pa.int16()), least, 0
    if pa.types.is_integer(kind):
        return _integers(column, name), _stated(field), 0
    if pa.types.is_floating(kind):
        return _floats(column, name, least)
    if pa.types.is_decimal(kind):
        return *_decimals(column, name, least), 0
    raise ChunkError(f"column '{name}' is {kind}, and values are numbers", hint="cast it first")


def flags(column: pa.ChunkedArray, name: str) -> pa.Array | pa.ChunkedArray:
    """Return flags as a dictionary of plain texts; `ChunkError` for a type that is no text."""
    kind = column.type
    if pa.types.is_dictionary(kind) and kind.value_type.equals(pa.string()):
        return column
    column = decoded(column)
    if not (is_text(column.type) or pa.types.is_null(column.type)):
        raise ChunkError(f"column '{name}' is {kind}, and flags are text", hint="cast it first")
    return column.cast(pa.string()).combine_chunks().dictionary_encode()


def at_decimals(array: pa.Array, more: int, kind: pa.DataType) -> pa.Array:
    """Return scaled integers with so many more decimals, in a type that holds them.

    Raises
    ------
    OverflowError
        Where one does not fit 64 bits then.
    """
    if not more:
        return array.cast(kind)
    numbers, missing = numbers_of(array)
    if missing is not None:
        numbers = np.where(missing, 0, numbers)
    return pa.array(rescaled(numbers, more), mask=missing).cast(kind)


def _stated(field: pa.Field) -> int:
    try:
        decimals = decimals_of(field)
    except ValueError:
        decimals = -1
    if not 0 <= decimals <= MAX_DECIMALS:
        text = field.metadata[b"decimals"].decode(errors="replace")
        raise ChunkError(f"column '{field.name}' has '{text}' decimals; 0 to {MAX_DECIMALS} can be")
    return decimals


def _integers(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    if column.type in _PASSED_ON:
        return column
    try:
        return column.cast(pa.int64())
    except pa.ArrowInvalid:
        raise ChunkError(f"column '{name}' holds a number beyond 64 bits") from None


def _floats(column: pa.ChunkedArray, name: str, least: int) -> tuple[pa.Array, int, int]:
    values, missing = numbers_of(joined(_doubles(column)), "<f8")
    if missing is not None:
        values = np.where(missing, 0.0, values)
    endless = np.flatnonzero(np.isinf(values))
    if endless.size:
        raise ChunkError(
            f"column '{name}' holds {values[endless[0]]}, which is no value "
            f"(row {endless[0] + 1} of the table)",
            hint="a missing value is null or NaN",
        )
    nans = np.isnan(values)
    values = np.where(nans, 0.0, values)
    absent = nans if missing is None else missing | nans
    form = decimal_form(values, least)
    numbers, decimals = (values, least) if form is None else form
    return pa.array(numbers, mask=absent), decimals, int(nans.sum())


def _doubles(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return floats as float64: a narrower one as the decimal that it prints as, 8.1 as 8.1."""
    if pa.types.is_float64(column.type):
        return column
    return column.cast(pa.float32()).cast(pa.string()).cast(pa.float64())


def _decimals(column: pa.ChunkedArray, name: str, least: int) -> tuple[pa.Array, int]:
    """Return decimals with the fewest places that hold them all, exactly."""
    for places in range(least, MAX_DECIMALS + 1):
        try:
            wide = column.cast(pa.decimal256(76, places)).combine_chunks()
        except pa.ArrowInvalid:
            continue
        whole = wide.combine_chunks() if isinstance(wide, pa.ChunkedArray) else wide
        words = np.frombuffer(whole.buffers()[1], "<i8").reshape(-1, 4)[whole.offset :]
        words = words[: len(whole)]
        missing = np.asarray(whole.is_null())
        low = np.where(missing, 0, words[:, 0])
        if bool(((words[:, 1:] != (low >> 63)[:, None]).any(axis=1) & ~missing).any()):
            break
        return pa.array(low, mask=missing), places
    raise ChunkError(
        f"column '{name}' needs more than {MAX_DECIMALS} decimals or 64 bits", hint="round it"
    )
