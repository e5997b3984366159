"""The heads of an answer's columns: their order, names that differ, and what their values mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cimis.pipeline.field.items import Standard

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["described", "numbered", "renamed", "titles", "unit_symbol", "units_of"]


def numbered(names: Sequence[str]) -> list[str]:
    """Return column names of which no two are alike, as DuckDB makes them: ``x``, ``x_1``, ``x_2``.

    Letters' case does not tell names apart, as it does not in SQL.
    """
    seen: dict[str, int] = {}
    found = []
    for name in names:
        low, new = name.lower(), name
        if low in seen:
            while new.lower() in seen:
                new = f"{name}_{seen[low]}"
                seen[low] += 1
        seen[new.lower()] = 1
        found.append(new)
    return found


def renamed(schema: pa.Schema, names: Sequence[str]) -> pa.Schema:
    """Return a schema with its columns under other names, in the same order."""
    import pyarrow as pa

    fields = [field.with_name(name) for field, name in zip(schema, names, strict=True)]
    return pa.schema(fields, metadata=schema.metadata)


def described(schema: pa.Schema, metadata: Mapping[str, Mapping[bytes, bytes]]) -> pa.Schema:
    """Return a schema with metadata put on the columns that are named."""
    import pyarrow as pa

    fields = [
        field.with_metadata(dict(metadata[field.name])) if field.name in metadata else field
        for field in schema
    ]
    return pa.schema(fields, metadata=schema.metadata)


def unit_symbol(field: pa.Field) -> str:
    """Return a column's unit as people write it (``°C``, ``mm``), blank where none is known."""
    from cimis.pipeline.rows.schema import item_of

    known = field.metadata or {}
    if b"symbol" in known:
        return str(known[b"symbol"].decode())
    sent = known.get(b"unit", b"").decode()
    item = item_of(field)
    for standard in Standard if item is not None and sent else ():
        assert item is not None
        if sent == item.unit(standard):
            return item.symbol(standard)
    return str(sent.strip("()"))


def units_of(schema: pa.Schema) -> dict[str, str]:
    """Return the units of columns as people write them, where they are known."""
    return {field.name: unit for field in schema if (unit := unit_symbol(field))}


def titles(schema: pa.Schema) -> list[str]:
    """Return the columns' names with their units, where they are known: ``air_tmp_avg [°C]``."""
    known = units_of(schema)
    return [f"{name} [{known[name]}]" if name in known else name for name in schema.names]
