"""Arrow arrays of an answer, from columns in their compact form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.schema import FLAG_TYPE
from queries.values import (
    Column,
    Doubles,
    Flags,
    Keys,
    Part,
    Scaled,
    Texts,
    joined,
    missing_mark,
)

__all__ = [
    "Keep",
    "assembled",
    "bitmap",
    "flag_array",
    "key_array",
    "nulls",
    "presence",
    "strings",
    "value_array",
]

Bools = npt.NDArray[np.bool_]
Keep = Callable[[tuple[str, str], Callable[[], pa.Array]], pa.Array]


def assembled(parts: Sequence[Part], schema: pa.Schema, keep: Keep | None = None) -> pa.RecordBatch:
    """Return parts as one batch of a physical schema; a column that no part has is null.

    Parameters
    ----------
    parts : sequence of Part
    schema : pyarrow.Schema
    keep : function, optional
        Returns a former array of the same rows and column, or makes and keeps one; asked where the
        rows have an origin.
    """
    rows = sum(part.rows for part in parts)
    origin = parts[0].origin if len(parts) == 1 else None
    arrays = []
    for field in schema:
        if keep is None or origin is None:
            arrays.append(_array(parts, field, rows))
        else:
            place = f"{origin[0]}/{origin[1]}+{rows}", field.name
            arrays.append(keep(place, partial(_array, parts, field, rows)))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _array(parts: Sequence[Part], field: pa.Field, rows: int) -> pa.Array:
    column = _gathered(parts, field.name)
    if column is None:
        return nulls(field.type, rows)
    if isinstance(column, Flags):
        return flag_array(column)
    if isinstance(column, Texts):
        return strings(column.names).take(key_array(Keys(column.codes), pa.int32()))
    return key_array(column, field.type) if isinstance(column, Keys) else value_array(column)


def _gathered(parts: Sequence[Part], name: str) -> Column | None:
    """Return a column of all parts, null where a part has none; None where no part has it."""
    found = [part.columns.get(name) for part in parts]
    example = next((column for column in found if column is not None), None)
    if example is None:
        return None
    return joined(
        [
            _absent(example, part.rows) if column is None else column
            for column, part in zip(found, parts, strict=True)
        ]
    )


def _absent(example: Column, rows: int) -> Column:
    """Return a column of missing values that joins with an example."""
    match example:
        case Scaled(values, decimals):
            return Scaled(np.full(rows, missing_mark(values.dtype), values.dtype), decimals)
        case Flags(_, letters):
            return Flags(np.zeros(rows, np.uint8), letters)
        case Doubles():
            return Doubles(np.zeros(rows), np.zeros(rows, np.bool_))
    raise TypeError("a key column is never absent")


def value_array(column: Scaled | Doubles) -> pa.Array:
    """Return values as float64, each the double nearest to its decimal text."""
    if isinstance(column, Doubles):
        values, present = column
        marks = bitmap(present)
        return pa.Array.from_buffers(pa.float64(), len(values), [marks, pa.py_buffer(values)])
    scaled, decimals = column
    present = scaled != scaled.dtype.type(missing_mark(scaled.dtype))
    # memory of Arrow's pool is used again by the next batch; fresh pages would cost more than this
    data = pa.allocate_buffer(8 * len(scaled))
    # division gives the nearest double, multiplication by the reciprocal does not
    np.divide(scaled, 10.0**decimals, out=np.frombuffer(data, np.float64), dtype=np.float64)
    return pa.Array.from_buffers(pa.float64(), len(scaled), [bitmap(present), data])


def flag_array(column: Flags) -> pa.Array:
    """Return flags as dictionary-encoded strings, none as null."""
    codes, letters = column
    rows = len(codes)
    if not codes.any():
        return nulls(FLAG_TYPE, rows)
    indices = np.maximum(codes, 1) - np.uint8(1)
    packed = pa.Array.from_buffers(
        pa.int8(), rows, [bitmap(codes != 0), pa.py_buffer(indices.view(np.int8))]
    )
    return pa.DictionaryArray.from_arrays(packed, strings(letters))


def key_array(column: Keys, kind: pa.DataType) -> pa.Array:
    """Return a key column of an Arrow type, without a copy where the width is its own."""
    wanted = np.dtype(f"{'u' if pa.types.is_unsigned_integer(kind) else 'i'}{kind.bit_width // 8}")
    values = np.ascontiguousarray(column.values, wanted)
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(values)])


def strings(texts: Sequence[str]) -> pa.Array:
    """Return texts as an Arrow array, without pyarrow's conversion of Python lists.

    That conversion looks for pandas first and imports it where it is installed, at half a second.
    """
    coded = [text.encode() for text in texts]
    ends = np.cumsum([0, *map(len, coded)], dtype=np.int32)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(coded))]
    return pa.Array.from_buffers(pa.string(), len(coded), buffers)


def nulls(kind: pa.DataType, rows: int) -> pa.Array:
    """Return a column of missing values; a dictionary's is empty."""
    marks = pa.py_buffer(bytes((rows + 7) // 8))
    coded = pa.types.is_dictionary(kind)
    plain = kind.index_type if coded else kind
    data = pa.py_buffer(bytes(rows * plain.bit_width // 8))
    column = pa.Array.from_buffers(plain, rows, [marks, data], null_count=rows)
    return pa.DictionaryArray.from_arrays(column, strings(())) if coded else column


def bitmap(present: Bools) -> pa.Buffer | None:
    """Return booleans as an Arrow validity bitmap; None where all are true."""
    return None if present.all() else pa.py_buffer(np.packbits(present, bitorder="little"))


def presence(column: pa.Array) -> Bools:
    """Return which values of an Arrow column are not missing."""
    marks, rows = column.buffers()[0], len(column)
    if marks is None:
        return np.ones(rows, np.bool_)
    bits = np.frombuffer(marks, np.uint8)
    stop = column.offset + rows
    return np.unpackbits(bits, count=stop, bitorder="little")[column.offset :].view(np.bool_)
