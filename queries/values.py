"""Columns between their compact form in numpy and the Arrow columns of an answer.

Compact, a value column is integers scaled by its decimals, the least integer of the type meaning
missing; a flag column is one byte per row, 0 meaning none, else 1 + the flag's place in a list of
letters. Keys are plain integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.schema import FLAG_TYPE

__all__ = [
    "Column",
    "Doubles",
    "Flags",
    "Keys",
    "Part",
    "Scaled",
    "assembled",
    "bitmap",
    "flag_array",
    "joined",
    "key_array",
    "missing_mark",
    "nulls",
    "presence",
    "rescaled",
    "strings",
    "value_array",
]

Ints = npt.NDArray[Any]
Bools = npt.NDArray[np.bool_]


class Scaled(NamedTuple):
    """Values as integers, the least of their type meaning missing."""

    values: Ints
    decimals: int


class Doubles(NamedTuple):
    """Values that no decimals describe, and which of them are there."""

    values: npt.NDArray[np.float64]
    present: Bools


class Flags(NamedTuple):
    """Flags as codes, 0 meaning none, and the letters that codes from 1 stand for."""

    codes: npt.NDArray[np.uint8]
    letters: tuple[str, ...]


class Keys(NamedTuple):
    """A key column's integers: stations, days, seconds or hours."""

    values: Ints


Column = Scaled | Doubles | Flags | Keys


class Part(NamedTuple):
    """Consecutive rows: how many, and their columns by name, of those that there are."""

    rows: int
    columns: dict[str, Column]

    def sliced(self, start: int, stop: int) -> Part:
        """Return some of the rows, without a copy."""
        if start == 0 and stop >= self.rows:
            return self
        columns = {name: _sliced(c, start, stop) for name, c in self.columns.items()}
        return Part(stop - start, columns)

    def taken(self, places: npt.NDArray[np.intp]) -> Part:
        """Return the rows at some places."""
        columns = {name: _taken(c, places) for name, c in self.columns.items()}
        return Part(len(places), columns)


def _taken(column: Column, places: npt.NDArray[np.intp]) -> Column:
    match column:
        case Scaled(values, decimals):
            return Scaled(values[places], decimals)
        case Flags(codes, letters):
            return Flags(codes[places], letters)
        case Doubles(doubles, present):
            return Doubles(doubles[places], present[places])
        case Keys(numbers):
            return Keys(numbers[places])


def _sliced(column: Column, start: int, stop: int) -> Column:
    match column:
        case Scaled(values, decimals):
            return Scaled(values[start:stop], decimals)
        case Flags(codes, letters):
            return Flags(codes[start:stop], letters)
        case Doubles(doubles, present):
            return Doubles(doubles[start:stop], present[start:stop])
        case Keys(numbers):
            return Keys(numbers[start:stop])


def assembled(parts: Sequence[Part], schema: pa.Schema) -> pa.RecordBatch:
    """Return parts as one batch of a physical schema; a column that no part has is null."""
    rows = sum(part.rows for part in parts)
    arrays = []
    for field in schema:
        column = _gathered(parts, field.name)
        if column is None:
            arrays.append(nulls(field.type, rows))
        elif isinstance(column, Flags):
            arrays.append(flag_array(column))
        elif isinstance(column, Keys):
            arrays.append(key_array(column, field.type))
        else:
            arrays.append(value_array(column))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


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


def joined(parts: Sequence[Column]) -> Column:
    """Return columns of one kind one after another."""
    if len(parts) == 1:
        return parts[0]
    first = parts[0]
    if isinstance(first, Keys):
        return Keys(np.concatenate([part[0] for part in parts]))
    if isinstance(first, Flags):
        return _joined_flags([part for part in parts if isinstance(part, Flags)])
    scaled = [part for part in parts if isinstance(part, Scaled)]
    if len(scaled) < len(parts):
        halves = [_as_doubles(part) for part in parts if isinstance(part, Scaled | Doubles)]
        values, present = zip(*halves, strict=True)
        return Doubles(np.concatenate(values), np.concatenate(present))
    decimals = max(part.decimals for part in scaled)
    kinds = {part.values.dtype for part in scaled}
    if len(kinds) > 1 or any(part.decimals != decimals for part in scaled):
        return Scaled(np.concatenate([rescaled(part, decimals) for part in scaled]), decimals)
    return Scaled(np.concatenate([part.values for part in scaled]), decimals)


def _joined_flags(parts: list[Flags]) -> Flags:
    letters = parts[0].letters
    if all(part.letters == letters for part in parts):
        return Flags(np.concatenate([part.codes for part in parts]), letters)
    union = tuple(dict.fromkeys(letter for part in parts for letter in part.letters))
    codes = []
    for part in parts:
        table = np.zeros(len(part.letters) + 1, np.uint8)
        table[1:] = [union.index(letter) + 1 for letter in part.letters]
        codes.append(table[part.codes])
    return Flags(np.concatenate(codes), union)


def missing_mark(kind: np.dtype[Any]) -> int:
    """Return the integer that means missing in values of a type: its least."""
    return int(np.iinfo(kind).min)


def rescaled(column: Scaled, decimals: int) -> Ints:
    """Return values in int64 with at least as many decimals, missing marks kept."""
    values = column.values
    wide = values.astype(np.int64)
    if decimals != column.decimals:
        wide *= 10 ** (decimals - column.decimals)
    if values.dtype.itemsize < 8 or decimals != column.decimals:
        wide[values == missing_mark(values.dtype)] = missing_mark(wide.dtype)
    return wide


def _as_doubles(column: Scaled | Doubles) -> Doubles:
    """Return values as the doubles nearest to their decimal texts."""
    if isinstance(column, Doubles):
        return column
    values, decimals = column
    # division gives the nearest double, multiplication by the reciprocal does not
    divided = np.divide(values, 10.0**decimals, dtype=np.float64)
    return Doubles(divided, values != values.dtype.type(missing_mark(values.dtype)))


def value_array(column: Scaled | Doubles) -> pa.Array:
    """Return values as float64, each the double nearest to its decimal text."""
    values, present = _as_doubles(column)
    return pa.Array.from_buffers(pa.float64(), len(values), [bitmap(present), pa.py_buffer(values)])


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
