"""Values and flags as people give them, in any Arrow type, as exact scaled integers and texts.

Floats become the decimals that they print as: of a column the fewest decimals, not fewer than the
registry's, that hold them all. A column with one of more than 15 digits stays doubles.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from pipeline.errors import ChunkError
from pipeline.items import Item
from pipeline.schema import as_doubles, decimal_form, decimals_of

__all__ = ["decoded", "flags", "is_text", "scaled"]

MAX_DECIMALS = 18
_PASSED_ON = (pa.int16(), pa.int32(), pa.int64())


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


def decoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column without a dictionary; texts of one as plain strings."""
    if not pa.types.is_dictionary(column.type):
        return column
    kind = column.type.value_type
    kind = pa.string() if is_text(kind) else kind  # pyarrow takes no string views
    return pa.chunked_array([c.dictionary.cast(kind).take(c.indices) for c in column.chunks], kind)


def is_text(kind: pa.DataType) -> bool:
    """Tell whether a type is one of text, whatever its layout."""
    tests = pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view
    return any(test(kind) for test in tests)


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
    missing = np.asarray(column.is_null())
    values = np.asarray(as_doubles(column).fill_null(0.0))
    endless = np.flatnonzero(np.isinf(values))
    if endless.size:
        raise ChunkError(
            f"column '{name}' holds {values[endless[0]]}, which is no value "
            f"(row {endless[0] + 1} of the table)",
            hint="a missing value is null or NaN",
        )
    nans = np.isnan(values)
    values = np.where(nans, 0.0, values)
    absent = missing | nans
    form = decimal_form(values, least)
    numbers, decimals = (values, least) if form is None else form
    return pa.array(numbers, mask=absent), decimals, int(nans.sum())


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
