"""What becomes of cells that are stored and come again in an archive: one value of two."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cimis.pipeline.errors import ChunkError
from cimis.pipeline.field.items import Item, Scope, Standard
from cimis.pipeline.field.units import agree, metric_decimals
from cimis.pipeline.rows.arrays import coded, joined, numbers_of
from cimis.pipeline.rows.schema import TIME_COLUMN, decimals_of, is_from_v1, table_items
from cimis.pipeline.rows.values import at_decimals, to_physical

__all__ = ["settled"]


def settled(
    old: pa.Table, new: pa.Table, scope: Scope, *, prefer: str, standard: Standard
) -> tuple[pa.Table, int, int]:
    """Return new rows with the cells that are to be, and how many were filled, how many differ.

    ``standard`` is what the new rows were written in; a missing cell that comes with a flag, where
    one without is stored, is filled with it.
    """
    before, after = old, new
    time_name = TIME_COLUMN[scope]
    when = numbers_of(joined(after[time_name]))[0]
    there = numbers_of(joined(before[time_name]))[0]
    order = np.argsort(there)
    places = np.searchsorted(there[order], when).clip(0, len(there) - 1)
    matched = there[order][places] == when
    at = pa.array(order[places])
    english = standard is Standard.ENGLISH
    filled = differing = 0
    for item in table_items(after.schema):
        came = after[item.column]
        has = np.asarray(came.is_valid())
        if item.column not in before.schema.names:
            says = has | _has_flag(after[item.flag_column].cast(pa.string()))
            filled += int((says & matched).sum())
            continue
        own, own_flag = (before[name].take(at) for name in (item.column, item.flag_column))
        place = after.schema.get_field_index(item.column)
        own_field = before.schema.field(item.column)
        field, own, came = _alike(item, (own_field, own), (after.schema.field(place), came))
        had = np.asarray(own.is_valid())
        other = np.asarray(pc.not_equal(own, came).fill_null(False)) & matched
        decimals = max(metric_decimals(item), decimals_of(field))
        pair = _scaled(own, field, decimals, 0), _scaled(came, field, decimals, 1 << 52)
        same = agree(*(pair if english else pair[::-1]), decimals, item)
        differing += int((other & ~same).sum())
        own_flag, new_flag = (f.cast(pa.string()) for f in (own_flag, after[item.flag_column]))
        says = ~had & ~has & _has_flag(new_flag) & ~_has_flag(own_flag)
        filled += int((((has & ~had) | says) & matched).sum())
        keep = pa.array(matched & ~says & (~has if prefer == "import" else had | ~has))
        flags = pc.if_else(keep, own_flag, new_flag)
        if is_from_v1(own_field) and bool((np.asarray(keep) & had).any()):
            field = field.with_metadata(own_field.metadata | field.metadata)
        after = after.set_column(place, field, pc.if_else(keep, own, came))
        place = after.schema.get_field_index(item.flag_column)
        after = after.set_column(place, after.schema.field(place), coded(flags))
    return after, filled, differing


_Column = tuple[pa.Field, pa.ChunkedArray]


def _alike(
    item: Item, old: _Column, new: _Column
) -> tuple[pa.Field, pa.ChunkedArray, pa.ChunkedArray]:
    """Return two columns of one item with one type and the same decimals, and their field."""
    columns = old, new
    decimals = max(decimals_of(field) for field, _ in columns)
    made = []
    if any(pa.types.is_floating(field.type) for field, _ in columns):
        made = [to_physical(pa.table([c], schema=pa.schema([f])))[0] for f, c in columns]
    else:
        for field, column in columns:
            try:
                more = decimals - decimals_of(field)
                made.append(pa.chunked_array([at_decimals(joined(column), more, pa.int64())]))
            except OverflowError:
                raise ChunkError(
                    f"column '{item.column}' needs more than 64 bits for {decimals} decimals"
                ) from None
    metadata = new[0].metadata | {b"decimals": b"%d" % decimals}
    return pa.field(item.column, made[0].type, metadata=metadata), made[0], made[1]


def _has_flag(flags: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    return np.asarray(pc.not_equal(flags, "").fill_null(False))


def _scaled(
    column: pa.ChunkedArray, field: pa.Field, decimals: int, wide: int
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return values as integers of so many decimals; ``wide`` stands for those that are wider."""
    more = decimals if pa.types.is_floating(column.type) else decimals - decimals_of(field)
    values = np.rint(np.asarray(column.fill_null(0)) * 10.0**more)
    return np.where(np.abs(values) < 1 << 52, values, wide).astype(np.int64)
