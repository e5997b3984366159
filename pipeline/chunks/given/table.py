"""Tables as people give them: which column is what, and the rows of one chunk that they hold.

A column is known by its field metadata or by its name: a key (``station`` or ``target``, ``date``,
``time``, ``hour``), an item (``air_tmp_avg``, ``day-air-tmp-avg``) or an item's flags (the item's
column and ``_qc``). Anything else is refused by name; nothing is left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Protocol, runtime_checkable

import numpy as np
import pyarrow as pa

from cimis.pipeline.chunks.given.keys import check_key, check_station, chunk_key, key_columns_of
from cimis.pipeline.chunks.key import ChunkKey
from cimis.pipeline.errors import ChunkError, UsageError
from cimis.pipeline.field.items import Item, Scope, scope_items
from cimis.pipeline.field.time import named_time
from cimis.pipeline.rows.keys import time_arrays, times_of
from cimis.pipeline.rows.numbers import Ints
from cimis.pipeline.rows.schema import TIME_COLUMN, is_from_v1, item_fields, item_of, stated_unit
from cimis.pipeline.rows.values import flags, scaled

__all__ = ["ArrowStream", "Given", "Role", "rows_of", "whole_chunk"]


@runtime_checkable
class ArrowStream(Protocol):
    """Anything that hands out Arrow data: Polars and pandas tables, Arrow's own, DuckDB's."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return a PyCapsule with an Arrow stream."""
        ...


@dataclass(frozen=True, slots=True)
class Role:
    """One item of a table: the names of the columns with its values and, if any, its flags."""

    item: Item
    values: str
    flags: str | None


@dataclass(frozen=True, slots=True)
class Given:
    """Rows for one chunk: as they were given, and scaled, with times of day or hour.

    ``table`` has only time, values and flags under the registry's names, in the order given;
    ``nans`` counts per column the values that were NaN, and are missing in ``table``.
    """

    key: ChunkKey
    source: pa.Table
    roles: tuple[Role, ...]
    times: Ints
    table: pa.Table
    nans: dict[str, int] = field(default_factory=dict)


def whole_chunk(given: object) -> Given:
    """Return the rows of a table that is to be one chunk; the rows say which.

    Raises
    ------
    UsageError
        When it is no table.
    ChunkError
        For a column that is neither key, item nor flag, of a type that holds no values, or with
        an infinity; for rows of several stations or years, and for a key that is there twice.
    """
    source = _table(given)
    scope = _scope(source.schema)
    roles = _roles(source.schema, scope)
    if source.num_rows == 0:
        raise ChunkError("a chunk needs rows with station (or target) and date, and there are none")
    times = times_of(source, scope)
    key = chunk_key(source, scope, times)
    order = np.argsort(times, kind="stable")
    twice = np.flatnonzero(np.diff(times[order]) == 0)
    if twice.size:
        when = named_time(scope, int(times[order][twice[0]]))
        raise ChunkError(f"{key.name}: {when} is there twice", hint="keep one row of each time")
    return _given(key, source, roles, times)


def rows_of(given: object, key: ChunkKey) -> Given:
    """Return the rows of a table for a chunk that is named; a time may be there twice.

    Raises
    ------
    UsageError, ChunkError
        As `whole_chunk` does, and for rows that are not the key's.
    """
    source = _table(given)
    roles = _roles(source.schema, key.scope)
    times = times_of(source, key.scope)
    if key.station is not None:
        check_station(key.station)
    check_key(source, key, times)
    return _given(key, source, roles, times)


def _table(given: object) -> pa.Table:
    if isinstance(given, pa.Table):
        found = given
    elif isinstance(given, ArrowStream):
        found = pa.table(given)
    else:
        lazy = " (collect it first)" if hasattr(given, "collect") else ""
        raise UsageError(
            f"a {type(given).__name__} is no table{lazy}",
            hint="give a pyarrow Table, a Polars or pandas DataFrame, or anything else with "
            "__arrow_c_stream__",
        )
    names = found.schema.names
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise ChunkError(f"the table has two columns '{double}'")
    return found


def _scope(schema: pa.Schema) -> Scope:
    hourly = {"time", "hour"} & set(schema.names)
    stated = (schema.metadata or {}).get(b"scope") == Scope.HOURLY.encode()
    return Scope.HOURLY if hourly or stated else Scope.DAILY


@cache
def _spellings(scope: Scope) -> dict[str, Item]:
    """Return a scope's items by each name that they have."""
    return {
        name: item
        for item in scope_items(scope)
        for name in (item.column, item.code, item.code[4:], item.json_key)
    }


def _roles(schema: pa.Schema, scope: Scope) -> tuple[Role, ...]:
    """Return what a table's columns are; `ChunkError` for the first that is nothing known."""
    keys = key_columns_of(scope)
    items: dict[Item, str] = {}
    rest: list[str] = []
    for column in schema:
        if column.name in keys:
            continue
        item = _item(column, scope)
        if item is None:
            rest.append(column.name)
        elif item in items:
            raise ChunkError(f"columns '{items[item]}' and '{column.name}' are one item")
        else:
            items[item] = column.name
    flagged: dict[Item, str] = {}
    for name in rest:
        item = _flagged(name, items, scope)
        if item in flagged:
            raise ChunkError(f"columns '{flagged[item]}' and '{name}' are flags of one item")
        flagged[item] = name
    return tuple(Role(item, name, flagged.get(item)) for item, name in items.items())


def _item(column: pa.Field, scope: Scope) -> Item | None:
    """Return a column's item, by its metadata or else its name; None where it is no item's."""
    by_name = _spellings(scope).get(column.name)
    item = item_of(column)
    if item is None:
        return by_name
    if item.scope is not scope:
        raise ChunkError(f"column '{column.name}' is the {item.scope} item '{item.code}'")
    if by_name not in (None, item):
        raise ChunkError(f"column '{column.name}' says in its metadata that it is '{item.code}'")
    return item


def _flagged(name: str, items: dict[Item, str], scope: Scope) -> Item:
    """Return the item whose flags a column holds."""
    base = name.removesuffix("_qc")
    own = next((item for item, column in items.items() if column == base), None)
    item = own or _spellings(scope).get(base)
    if base == name or item is None:
        raise ChunkError(_foreign(name, scope), hint=_advice(name, scope))
    if item not in items:
        raise ChunkError(
            f"column '{name}' holds flags, but their values are not there",
            hint=f"add '{item.column}', with nulls where values are missing",
        )
    return item


def _foreign(name: str, scope: Scope) -> str:
    other = Scope.DAILY if scope is Scope.HOURLY else Scope.HOURLY
    base = name.removesuffix("_qc")
    if base in _spellings(other):
        why = "with" if scope is Scope.HOURLY else "without"
        return f"column '{name}' is {other}, and a table {why} time or hour is {scope}"
    return f"column '{name}' is neither a key, nor a {scope} item, nor an item's flags"


def _advice(name: str, scope: Scope) -> str:
    if name.startswith("__index_level_"):
        return "it is the index of a pandas table: reset_index(drop=True) leaves it out"
    from difflib import get_close_matches

    near = get_close_matches(name, [*key_columns_of(scope), *_spellings(scope)], n=1, cutoff=0.6)
    guess = f"did you mean '{near[0]}'? " if near else ""
    return f"{guess}drop it, or name it as 'cimis items' does"


def _given(key: ChunkKey, source: pa.Table, roles: tuple[Role, ...], times: Ints) -> Given:
    arrays = time_arrays(key.scope, times)[:1]
    fields = [pa.field(TIME_COLUMN[key.scope], arrays[0].type, nullable=False)]
    nans: dict[str, int] = {}
    for role in roles:
        column = source.schema.field(role.values)
        array, decimals, nan = scaled(source[role.values], column, role.item)
        if nan:
            nans[role.item.column] = nan
        unit, old = stated_unit(column, role.item), is_from_v1(column)
        value, flag = item_fields(role.item, array.type, decimals=decimals, unit=unit, from_v1=old)
        arrays.append(array)
        fields.append(value)
        if role.flags is not None:
            arrays.append(flags(source[role.flags], role.flags))
            fields.append(flag.with_type(arrays[-1].type))
    return Given(key, source, roles, times, pa.table(arrays, schema=pa.schema(fields)), nans)
