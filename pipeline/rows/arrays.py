"""Between numpy and Arrow: values, missing marks and flags, without a loop over rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cimis.pipeline.rows.numbers import Doubles, Ints, narrowest
from cimis.pipeline.rows.schema import FLAG_TYPE

__all__ = [
    "ARROW_TYPES",
    "bitmap",
    "coded",
    "decoded",
    "flag_array",
    "flag_arrays",
    "flag_codes",
    "is_text",
    "joined",
    "numbers_of",
    "plain_array",
    "ranks",
    "text_array",
    "value_array",
    "value_arrays",
]

Bools = npt.NDArray[np.bool_]
Kinds = Sequence[type[np.signedinteger]]

ARROW_TYPES = {np.int16: pa.int16(), np.int32: pa.int32(), np.int64: pa.int64()}
"""The types that scaled values have."""


def plain_array(
    kind: pa.DataType, values: npt.NDArray[np.generic], valid: pa.Buffer | None = None
) -> pa.Array:
    """Return an Arrow array over a numpy array's memory, with its validity bitmap if any."""
    return pa.Array.from_buffers(kind, values.size, [valid, pa.py_buffer(values)])


def bitmap(valid: Bools) -> pa.Buffer | None:
    """Return rows that are there as an Arrow validity bitmap; None where all are."""
    if valid.all():
        return None
    return pa.py_buffer(np.packbits(valid, bitorder="little"))


def numbers_of(array: pa.Array, dtype: str | None = None) -> tuple[np.ndarray, Bools | None]:
    """Return an array's values and its missing rows (None where there are none).

    Parameters
    ----------
    array : pyarrow.Array
        Of a type of fixed width.
    dtype : str, optional
        The numpy type of its values; by default signed integers of their width.
    """
    dtype = dtype or f"<i{array.type.bit_width // 8}"
    start, size = array.offset, len(array)
    bits, data = array.buffers()[0], array.buffers()[1]
    numbers = np.zeros(size, dtype) if data is None else np.frombuffer(data, dtype)[start:][:size]
    if bits is None or array.null_count == 0:
        return numbers, None
    octets = np.frombuffer(bits, np.uint8)
    valid = np.unpackbits(octets, bitorder="little")[start : start + size]
    return numbers, valid == 0


def joined(column: pa.ChunkedArray) -> pa.Array:
    """Return a column in one piece."""
    if column.num_chunks == 1:
        return column.chunk(0)
    if pa.types.is_dictionary(column.type):
        # plain texts: pyarrow cannot unify dictionaries that hold a null
        return joined(column.cast(pa.string())).dictionary_encode()
    whole = column.combine_chunks()
    return whole.combine_chunks() if isinstance(whole, pa.ChunkedArray) else whole


def value_array(
    values: Doubles | npt.NDArray[np.integer], missing: Bools | None = None
) -> pa.Array:
    """Return doubles as float64, integers in the narrowest type; null where missing."""
    valid = None
    if missing is not None and missing.any():
        values, valid = np.where(missing, values.dtype.type(0), values), bitmap(~missing)
    if values.dtype == np.float64:
        return plain_array(pa.float64(), values, valid)
    kind = narrowest(values.astype(np.int64, copy=False))
    return plain_array(ARROW_TYPES[kind], values.astype(kind, copy=False), valid)


def value_arrays(
    values: npt.NDArray[np.signedinteger], valid: Bools | None, kinds: Kinds
) -> list[pa.Array]:
    """Return the rows of a matrix as arrays.

    Parameters
    ----------
    values, valid : integer and bool arrays, columns x rows
        ``valid`` is None where every value is there.
    kinds : sequence of types
        Of each column; see `narrowest`.
    """
    size = values.shape[1]
    bitmaps = [(None, 0)] * len(kinds) if valid is None else _bitmaps(valid)
    if len(set(kinds)) == 1:
        buffers = _spread(values.astype(kinds[0], copy=False))
    else:
        pairs = zip(values, kinds, strict=True)
        buffers = [pa.py_buffer(np.ascontiguousarray(row, dtype=kind)) for row, kind in pairs]
    return [
        pa.Array.from_buffers(ARROW_TYPES[kind], size, [bits, data], nulls)
        for kind, data, (bits, nulls) in zip(kinds, buffers, bitmaps, strict=True)
    ]


def flag_array(numbers: npt.NDArray[np.integer], texts: pa.Array) -> pa.Array:
    """Return flags by the number of their text, from 1; 0 is null."""
    valid = numbers > 0
    indices = (np.maximum(numbers, 1) - 1).astype(np.int8)
    marks = plain_array(pa.int8(), indices, bitmap(valid))
    return pa.DictionaryArray.from_arrays(marks, texts, safe=False)  # in range as made above


def flag_arrays(
    codes: npt.NDArray[np.uint8] | None, texts: Sequence[str], shape: tuple[int, int]
) -> list[pa.Array]:
    """Return the flags of several columns; they share the used texts, in alphabetical order.

    Columns without a flag are one and the same array.

    Parameters
    ----------
    codes : uint8 array, columns x rows, optional
        Places in ``texts``; 0 is null. None where all are null.
    texts : sequence of str
        The first stands for null.
    shape : pair of int
        Columns and rows.
    """
    columns, size = shape
    marks = np.zeros((0, size), np.uint8) if codes is None else codes
    used = [code for code in np.flatnonzero(np.bincount(marks.ravel())).tolist() if code]
    used.sort(key=texts.__getitem__)
    dictionary = text_array([texts[code] for code in used])
    nothing = pa.py_buffer(bytes(size))
    blank = _flags(nothing, nothing.slice(0, (size + 7) // 8), size, size, dictionary)
    arrays = [blank] * columns
    flagged = np.flatnonzero(marks.any(axis=1))
    renumbered = np.zeros(len(texts) + 1, np.int8)
    renumbered[used] = np.arange(len(used))
    marks = marks[flagged]
    bitmaps = _bitmaps(marks != 0)
    buffers = _spread(renumbered[marks])
    for k, data, (bits, nulls) in zip(flagged.tolist(), buffers, bitmaps, strict=True):
        arrays[k] = _flags(data, bits, nulls, size, dictionary)
    return arrays


def flag_codes(array: pa.Array | None) -> tuple[Ints, Ints, list[str]]:
    """Return which rows have a flag, the number of its text in these, from 1, and the texts.

    Parameters
    ----------
    array : pyarrow.Array, optional
        Texts, or a dictionary of texts; none is null in all rows.
    """
    if array is None or array.null_count == len(array):
        return np.zeros(0, np.int64), np.zeros(0, np.int64), []
    if not pa.types.is_dictionary(array.type):
        array = array.cast(pa.string()).dictionary_encode()
    indices, missing = numbers_of(array.indices)
    rows = np.arange(indices.size) if missing is None else np.flatnonzero(~missing)
    texts = [text or "" for text in array.dictionary.to_pylist()]
    return rows, indices[rows].astype(np.int64) + 1, texts


def ranks(texts: Sequence[str], known: Sequence[str]) -> Ints:
    """Return what numbers of some texts are among the known ones: 0 for 0, and for unknown ones."""
    place = {text: number for number, text in enumerate(known, 1)}
    return np.array([0, *(place.get(text, 0) for text in texts)], np.int64)


def coded(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return texts as flags."""
    whole = joined(texts) if isinstance(texts, pa.ChunkedArray) else texts
    return whole.dictionary_encode().cast(FLAG_TYPE)


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


def text_array(texts: Sequence[str]) -> pa.Array:
    """Return a string array, built from buffers: cheaper for a few texts than by inference."""
    encoded = [text.encode() for text in texts]
    offsets = np.zeros(len(texts) + 1, np.int32)
    offsets[1:] = np.cumsum([len(text) for text in encoded])
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(texts), buffers, 0)


def _spread(rows: npt.NDArray[np.generic]) -> list[pa.Buffer]:
    """Return the rows of a matrix as buffers that begin at multiples of 64 bytes."""
    size = rows.shape[1] * rows.itemsize
    step = -(-size // 64) * 64
    room = np.zeros((len(rows), step), np.uint8)
    room[:, :size] = np.ascontiguousarray(rows).view(np.uint8)
    whole = pa.py_buffer(room)
    return [whole.slice(start, size) for start in range(0, len(rows) * step, step)]


def _bitmaps(marks: Bools) -> list[tuple[pa.Buffer | None, int]]:
    """Return per row of marks its Arrow bitmap (None where all are set) and its unset count."""
    unset = marks.shape[1] - np.count_nonzero(marks, axis=1)
    some = np.flatnonzero(unset)
    buffers = _spread(np.packbits(marks[some], axis=1, bitorder="little"))
    maps: list[tuple[pa.Buffer | None, int]] = [(None, 0)] * len(marks)
    for k, buffer, nulls in zip(some.tolist(), buffers, unset[some].tolist(), strict=True):
        maps[k] = buffer, nulls
    return maps


def _flags(
    codes: pa.Buffer, bits: pa.Buffer | None, nulls: int, size: int, dictionary: pa.Array
) -> pa.Array:
    return pa.DictionaryArray.from_buffers(FLAG_TYPE, size, [bits, codes], dictionary, nulls)
