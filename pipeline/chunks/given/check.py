"""Compare the rows that a chunk will hold with those that were given, column by column."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cimis.pipeline.chunks.given.table import Given
from cimis.pipeline.chunks.parts import Bools, FlagColumn, Parts, ValueColumn
from cimis.pipeline.errors import ChunkError
from cimis.pipeline.rows.arrays import decoded
from cimis.pipeline.rows.numbers import Ints
from cimis.pipeline.rows.schema import decimals_of

__all__ = ["check"]

_EXACT = 1 << 53  # a scaled integer up to this divides to the float64 nearest to its decimal


def check(given: Given, parts: Parts) -> None:
    """Raise `ChunkError` unless parts hold exactly the rows, values, gaps and flags given.

    Values are compared as what they were given as: floats with the nearest float of their width,
    integers and decimals digit by digit. Plain integers and decimals that no answer could give
    exactly are refused too; scaled integers, which say their decimals, are read as such again.
    """
    if not np.array_equal(np.sort(given.times), parts.times):
        rows = f"{parts.times.size} of {given.times.size} rows"
        raise _differs(given, rows)
    pairs = zip(parts.values, parts.flags, strict=True)
    found = {value.info.code: (value, flag) for value, flag in pairs}
    if found.keys() != {role.item.code for role in given.roles}:
        raise _differs(given, f"{len(found)} of {len(given.roles)} items")
    place = np.searchsorted(parts.times, given.times)
    for role in given.roles:
        value, flag = found[role.item.code]
        field = given.source.schema.field(role.values)
        if not _same_values(given.source[role.values], field, value, place):
            raise _differs(given, f"values of '{role.values}' that are others")
        texts = None if role.flags is None else given.source[role.flags]
        if not _same_flags(texts, flag, place):
            raise _differs(given, f"flags of '{role.item.flag_column}' that are others")


def _differs(given: Given, what: str) -> ChunkError:
    return ChunkError(
        f"{given.key.name}: the chunk would have {what}", hint="nothing was written; report this"
    )


def _same_values(column: pa.ChunkedArray, field: pa.Field, value: ValueColumn, place: Ints) -> bool:
    column = decoded(column)
    numbers = value.numbers[place]
    absent: Bools = np.zeros(place.size, np.bool_)
    if value.missing is not None:
        absent = value.missing[place]
    if pa.types.is_null(column.type):
        return bool(absent.all())
    gone = np.asarray(column.is_null())
    if pa.types.is_floating(column.type):
        wide = np.asarray(column.cast(pa.float64()).fill_null(np.nan))
        double = value.info.is_double
        mine = numbers.view(np.float64) if double else numbers / 10.0**value.info.decimals
        width = column.type.to_pandas_dtype()
        equal = mine.astype(width).astype(np.float64) == wide
        return np.array_equal(np.isnan(wide), absent) and bool((equal | absent).all())
    if not np.array_equal(gone, absent):
        return False
    plain = b"decimals" not in (field.metadata or {})
    if plain and bool(((numbers > _EXACT) | (numbers < -_EXACT))[~absent].any()):
        raise ChunkError(
            f"column '{field.name}' holds a number of more digits than a float64, which every "
            "answer is, tells apart",
            hint="round it, or give the column as float64",
        )
    if pa.types.is_decimal(column.type):
        return _same_decimals(column, numbers, value.info.decimals)
    whole = np.asarray(column.cast(pa.int64()).fill_null(0), np.int64)
    equal = _same_digits(whole, decimals_of(field), numbers, value.info.decimals)
    return bool((equal | absent).all())


def _same_digits(one: Ints, one_decimals: int, two: Ints, two_decimals: int) -> Bools:
    """Tell of integers with decimals which are equal, without growing any of them."""
    if one_decimals > two_decimals:
        return _same_digits(two, two_decimals, one, one_decimals)
    factor = 10 ** (two_decimals - one_decimals)
    equal: Bools = (two // factor == one) & (two % factor == 0)
    return equal


def _same_decimals(column: pa.ChunkedArray, numbers: Ints, decimals: int) -> bool:
    wide = pa.array(numbers).cast(pa.decimal256(76, 0))
    pointed = pa.decimal256(76, decimals)
    mine = pa.Array.from_buffers(pointed, len(wide), wide.buffers(), offset=wide.offset)
    kind = pa.decimal256(76, max(column.type.scale, decimals))
    same = pc.equal(column.cast(kind), pa.chunked_array([mine.cast(kind)]))
    return bool(pc.all(same).as_py() is not False)


def _same_flags(texts: pa.ChunkedArray | None, flag: FlagColumn, place: Ints) -> bool:
    numbers = flag.numbers[place]
    if texts is None or texts.null_count == len(texts):
        return not bool(numbers.any())
    due = decoded(texts).cast(pa.string()).fill_null("")
    mine = pa.array(["", *flag.texts]).take(pa.array(numbers))
    return bool(pc.all(pc.equal(due, pa.chunked_array([mine]))).as_py() is not False)
