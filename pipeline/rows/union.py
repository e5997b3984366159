"""Several batches as one table: widest types, largest decimals, later rows winning."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cimis.pipeline.errors import DecodeError, UsageError
from cimis.pipeline.field.items import ITEMS
from cimis.pipeline.rows.arrays import ARROW_TYPES, joined
from cimis.pipeline.rows.keys import last_of_each_key
from cimis.pipeline.rows.numbers import width_of
from cimis.pipeline.rows.schema import RANK, decimals_of, item_fields, item_of
from cimis.pipeline.rows.values import at_decimals

__all__ = ["Duplicates", "unify"]


class Duplicates(Protocol):
    """What counts rows that a later one of the same key replaces, as ``DecodeStats`` does."""

    duplicates: int


def unify(
    batches: Iterable[pa.RecordBatch],
    *,
    empty: pa.Schema | None = None,
    stats: Duplicates | None = None,
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


def _common(parts: Sequence[pa.RecordBatch]) -> pa.Schema:
    """Return the schema that all batches fit."""
    keys = _keys(parts[0].schema)
    found: dict[str, list[tuple[pa.Field, pa.Array]]] = {}
    for part in parts:
        if _keys(part.schema) != keys:
            raise UsageError("batches of different scopes or keys cannot be one table")
        for field, column in zip(part.schema, part.columns, strict=True):
            item = item_of(field)
            if item is not None:
                found.setdefault(item.code, []).append((field, column))
    fields = list(keys)
    for code in sorted(found, key=RANK.__getitem__):
        item, columns = ITEMS[RANK[code]], found[code]
        decimals = max(decimals_of(field) for field, _ in columns)
        unit = (columns[0][0].metadata or {}).get(b"unit", b"").decode()
        try:
            kind = max((_type_at(decimals, *column) for column in columns), key=_bits)
        except OverflowError:
            raise DecodeError(
                f"values too far apart for 64 bits at {decimals} decimals", key=item.json_key
            ) from None
        fields += item_fields(item, kind, decimals=decimals, unit=unit)
    return pa.schema(fields, metadata=parts[0].schema.metadata)


def _bits(kind: pa.DataType) -> int:
    return int(kind.bit_width)


def _keys(schema: pa.Schema) -> list[pa.Field]:
    keys = []
    for field in schema:
        if item_of(field) is not None:
            break
        keys.append(field)
    return keys


def _type_at(decimals: int, field: pa.Field, column: pa.Array) -> pa.DataType:
    """Return the narrowest type, at least its own, that holds a column at so many decimals."""
    more = decimals - decimals_of(field)
    if not more:
        return field.type
    ends = pc.min_max(column).as_py().values()
    low, high = (10**more * (end or 0) for end in ends)
    return max(ARROW_TYPES[width_of(low, high)], field.type, key=_bits)


def _fitted(part: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    if part.schema.equals(schema, check_metadata=True):
        return part
    columns = []
    for field in schema:
        index = part.schema.get_field_index(field.name)
        if index < 0:
            columns.append(pa.nulls(part.num_rows, field.type))
            continue
        column, own = part.column(index), part.schema.field(index)
        more = decimals_of(field) - decimals_of(own)
        if more or own.type != field.type:
            column = at_decimals(column, more, field.type)
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _last_rows(table: pa.Table, stats: Duplicates | None) -> pa.Table:
    """Return the table without rows whose key comes again later."""
    where = joined(table.column(0))
    if pa.types.is_string(where.type):
        where = where.dictionary_encode().indices
    hours = table.column("hour").to_numpy() if "hour" in table.column_names else None
    days = table.column("date").cast(pa.int32()).to_numpy()
    keep = last_of_each_key(np.asarray(where), days, hours)
    if keep is None:
        return table
    if stats is not None:
        stats.duplicates += table.num_rows - len(keep)
    return table.take(pa.array(keep))
