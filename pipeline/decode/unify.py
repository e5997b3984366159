"""The batches of a stream as one table: widest types, largest decimals, later rows winning."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.decode.batches import last_of_each_key
from pipeline.decode.findings import DecodeStats
from pipeline.errors import DecodeError, UsageError
from pipeline.items import ITEMS, Item
from pipeline.schema import FLAG_TYPE, decimals_of, item_metadata, item_of

__all__ = ["unify"]


def unify(
    batches: Iterable[pa.RecordBatch],
    *,
    empty: pa.Schema | None = None,
    stats: DecodeStats | None = None,
) -> pa.Table:
    """Return scaled batches as one table.

    A value column takes the widest type and the largest decimals of its batches, by exact integer
    scaling; a column that a batch lacks is missing there, with a null flag. Of rows with the same
    key the last one stays. The unit text is that of the first batch that has the column.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        Scaled, of one scope and one kind of key.
    empty : pyarrow.Schema, optional
        Schema of the answer when there are no batches.
    stats : DecodeStats, optional
        Its ``duplicates`` grow by the rows dropped here.

    Raises
    ------
    DecodeError
        When a column's values do not fit 64 bits at its largest decimals.
    UsageError
        For batches of different scopes or keys, or for none at all without `empty`.
    """
    parts = list(batches)
    if not parts:
        if empty is None:
            raise UsageError("no batches and no schema", hint="give the schema as 'empty'")
        return empty.empty_table()
    schema = _common(parts)
    table = pa.Table.from_batches([_fitted(part, schema) for part in parts], schema)
    if len(parts) > 1:
        table = table.unify_dictionaries()
        table = _last_rows(table, stats)
    return table


def _common(parts: list[pa.RecordBatch]) -> pa.Schema:
    """Return the schema that all batches fit."""
    first = parts[0].schema
    keys = _keys(first)
    best: dict[Item, tuple[pa.DataType, int, str]] = {}
    for part in parts:
        if _keys(part.schema) != keys:
            raise UsageError("batches of different scopes or keys cannot be one table")
        for field in part.schema:
            item = item_of(field)
            if item is not None:
                known = best.get(item)
                unit = (field.metadata or {}).get(b"unit", b"").decode()
                kind = field.type
                if known is not None and known[0].bit_width > kind.bit_width:
                    kind = known[0]
                places = max(decimals_of(field), known[1] if known else 0)
                best[item] = (kind, places, known[2] if known else unit)
    fields = list(keys)
    for item in sorted(best, key=ITEMS.index):
        kind, places, unit = best[item]
        kind = _wide_enough(parts, item, kind, places)
        metadata = item_metadata(item, decimals=places, unit=unit)
        fields += [
            pa.field(item.column, kind, metadata=metadata),
            pa.field(item.flag_column, FLAG_TYPE),
        ]
    return pa.schema(fields, metadata=first.metadata)


def _keys(schema: pa.Schema) -> list[pa.Field]:
    keys = []
    for field in schema:
        if item_of(field) is not None:
            break
        keys.append(field)
    return keys


def _wide_enough(
    parts: list[pa.RecordBatch], item: Item, kind: pa.DataType, places: int
) -> pa.DataType:
    """Return the narrowest type, at least `kind`, that holds a column at its largest decimals."""
    most = 0
    for part in parts:
        index = part.schema.get_field_index(item.column)
        if index >= 0 and decimals_of(part.schema.field(index)) < places:
            ends = pc.min_max(part.column(index)).as_py()
            factor = 10 ** (places - decimals_of(part.schema.field(index)))
            most = max([most, *(abs(end) * factor for end in ends.values() if end is not None)])
    for wide in (pa.int16(), pa.int32(), pa.int64()):
        if wide.bit_width >= kind.bit_width and most < 2 ** (wide.bit_width - 1):
            return wide
    raise DecodeError(f"values too far apart for 64 bits at {places} decimals", key=item.json_key)


def _fitted(part: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    columns = []
    for field in schema:
        index = part.schema.get_field_index(field.name)
        if index < 0:
            columns.append(pa.nulls(part.num_rows, field.type))
            continue
        column, own = part.column(index), part.schema.field(index)
        more = decimals_of(field) - decimals_of(own)
        if more or own.type != field.type:
            column = column.cast(pa.int64() if more else field.type)
            if more:
                factor = pa.scalar(10**more, pa.int64())
                column = pc.multiply_checked(column, factor).cast(field.type)
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _last_rows(table: pa.Table, stats: DecodeStats | None) -> pa.Table:
    """Return the table without rows whose key comes again later."""
    where = table.column(0)
    if pa.types.is_string(where.type):
        where = where.combine_chunks().dictionary_encode()
        where = (
            where.combine_chunks().indices if isinstance(where, pa.ChunkedArray) else where.indices
        )
    hours = table.column("hour").to_numpy() if "hour" in table.column_names else None
    days = table.column("date").cast(pa.int32()).to_numpy()
    keep = last_of_each_key(np.asarray(where), days, hours)
    if keep is None:
        return table
    if stats is not None:
        stats.duplicates += table.num_rows - len(keep)
    return table.take(pa.array(keep))
