"""The Arrow form of many chunks' rows: one schema for all files, values as doubles, flags as texts.

The schema rests on scope, columns and kind of key alone, so that tables of different files follow
one another; what a chunk lacks is null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cimis.pipeline.chunks.footer import ColumnInfo
from cimis.pipeline.chunks.key import ChunkKey
from cimis.pipeline.errors import ChunkError, StoreError
from cimis.pipeline.field.items import Item, Scope, scope_items
from cimis.pipeline.field.site import SiteKind
from cimis.pipeline.rows.arrays import bitmap, plain_array
from cimis.pipeline.rows.keys import time_arrays
from cimis.pipeline.rows.numbers import Bools, Ints
from cimis.pipeline.rows.schema import KEY_FIELDS, TARGET_FIELD, item_of, physical_schema

__all__ = ["Form", "Together", "key_arrays", "value_array"]


@dataclass(frozen=True, slots=True)
class Together:
    """Rows of files: which files, in order, how many rows of each, and all of them in a table.

    ``columns`` are those that each file has, wanted or not.
    """

    files: Ints
    rows: Ints
    columns: list[tuple[ColumnInfo, ...]]
    table: pa.Table


@dataclass(frozen=True, slots=True)
class Form:
    """The schema of rows of one scope and kind of key, with the items that it needs.

    ``items`` are those of the scope, by place; ``wanted`` the places of those that are asked for.
    """

    schema: pa.Schema
    items: tuple[Item, ...]
    wanted: tuple[int, ...]
    all_items: bool
    _absent: dict[pa.DataType, pa.Array] = field(default_factory=dict)

    @classmethod
    def of(cls, scope: Scope, columns: Sequence[str] | None, kind: SiteKind) -> Form:
        """Return the form with some value and flag columns, by default all of the scope.

        Raises
        ------
        StoreError
            For a name that is no column of the scope.
        """
        items = scope_items(scope)
        fields = list(physical_schema(scope, items))
        keys = len(KEY_FIELDS[scope])
        if columns is not None:
            unknown = sorted({*columns} - {f.name for f in fields})
            if unknown:
                raise StoreError(f"{scope} chunks have no column '{unknown[0]}'")
            fields = fields[:keys] + [f for f in fields[keys:] if f.name in {*columns}]
        if kind is SiteKind.TARGET:
            fields[0] = TARGET_FIELD
        names = {f.name for f in fields}
        pairs = enumerate(items)
        wanted = tuple(n for n, item in pairs if {item.column, item.flag_column} & names)
        return cls(pa.schema(fields), items, wanted, columns is None)

    def table(self, arrays: Mapping[str, pa.Array], rows: int) -> pa.Table:
        """Return a table of arrays by column name; a column that is not among them is null."""
        columns = [
            arrays[each.name] if each.name in arrays else self._nulls(each.type, rows)
            for each in self.schema
        ]
        return pa.table(columns, schema=self.schema)

    def _nulls(self, kind: pa.DataType, rows: int) -> pa.Array:
        """Return nulls; every table shares those of the longest one."""
        kept = self._absent.get(kind)
        if kept is None or len(kept) < rows:
            kept = self._absent[kind] = pa.nulls(rows, kind)
        return kept.slice(0, rows)

    def of_reference(self, table: pa.Table, key: ChunkKey) -> pa.Table:
        """Return the rows of one chunk, as the reader of single chunks gives them, in this form.

        Raises
        ------
        ChunkError
            Where they have an item that is not of the scope.
        """
        for each in table.schema:
            item = item_of(each)
            if item is not None and item.scope is not key.scope:
                raise ChunkError(f"{key.name}: item '{item.code}' is {item.scope}")
        known = {*table.schema.names} & {*self.schema.names}
        arrays = {name: table[name].cast(self.schema.field(name).type) for name in known}
        return self.table(arrays, table.num_rows)


def key_arrays(keys: Sequence[ChunkKey], rows: Ints, times: Ints) -> list[pa.Array]:
    """Return the key columns of rows of some chunks.

    Parameters
    ----------
    keys : sequence of ChunkKey
        Of one scope and kind.
    rows : int64 array
        Of each.
    times : int64 array
        Of all rows, in days or hours since 1970.
    """
    if keys[0].station is not None:
        stations = np.array([key.station for key in keys], np.uint16)
        who = plain_array(pa.uint16(), np.repeat(stations, rows))
    else:
        targets = pa.array([key.target for key in keys], pa.string())
        who = targets.take(pa.array(np.repeat(np.arange(len(keys)), rows)))
    return [who, *time_arrays(keys[0].scope, times)]


def value_array(values: npt.NDArray[np.float64], missing: Bools) -> pa.Array:
    """Return doubles, null where missing."""
    return plain_array(pa.float64(), values, bitmap(~missing))
