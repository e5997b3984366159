"""Stations and chunks as the catalog lists them, in the form of Arrow tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from pipeline.catalog import ChunkRow

__all__ = ["CHUNK_SCHEMA", "STATION_SCHEMA", "LazyTable", "chunk_table", "station_table"]

STATION_SCHEMA = pa.schema(
    {
        "number": pa.uint16(),
        "name": pa.string(),
        "city": pa.string(),
        "county": pa.string(),
        "regional_office": pa.string(),
        "connected": pa.date32(),
        "disconnected": pa.date32(),
        "active": pa.bool_(),
        "eto": pa.bool_(),
        "elevation_m": pa.float64(),
        "ground_cover": pa.string(),
        "latitude": pa.float64(),
        "longitude": pa.float64(),
        "zip_codes": pa.string(),
        "siting": pa.string(),
    }
)
CHUNK_SCHEMA = pa.schema(
    {
        "path": pa.string(),
        "scope": pa.string(),
        "station": pa.uint16(),
        "target": pa.string(),
        "year": pa.int32(),
        "format": pa.string(),
        "rows": pa.int64(),
        "first": pa.timestamp("s"),
        "last": pa.timestamp("s"),
        "bytes": pa.int64(),
        "checksum": pa.string(),
        "items": pa.string(),
        "state": pa.string(),
        "fetched_at": pa.string(),
        "source": pa.string(),
    }
)


class LazyTable(ds.Dataset):  # type: ignore[misc]  # pyarrow ships no types
    """A small table that is made when it is scanned, as it is then."""

    def __init__(self, schema: pa.Schema, make: Callable[[], pa.Table]) -> None:
        self._schema = schema
        self._make = make

    @property
    def schema(self) -> pa.Schema:
        """Schema of the table."""
        return self._schema

    def scanner(self, *arguments: Any, **options: Any) -> ds.Scanner:
        """Return a scan of the table as it is now."""
        return ds.dataset(self._make()).scanner(*arguments, **options)

    def to_table(self, *arguments: Any, **options: Any) -> pa.Table:
        """Return the table as it is now."""
        return self.scanner(*arguments, **options).to_table()

    def count_rows(self, *arguments: Any, **options: Any) -> int:
        """Return the number of rows now."""
        return int(self.scanner(*arguments, **options).count_rows())


def station_table(facts: Sequence[dict[str, Any]]) -> pa.Table:
    """Return the facts of stations, one row each."""
    return pa.table(
        {
            field.name: pa.array([_fact(f.get(field.name), field.type) for f in facts], field.type)
            for field in STATION_SCHEMA
        }
    )


def _fact(value: Any, kind: pa.DataType) -> Any:
    """Return a fact as its column holds it: dates from ISO texts, lists as one text."""
    if isinstance(value, str) and pa.types.is_date(kind):
        return dt.date.fromisoformat(value)
    if isinstance(value, list | tuple):
        return ",".join(str(part) for part in value)
    return value


def chunk_table(rows: Sequence[ChunkRow]) -> pa.Table:
    """Return what the catalog says of chunks, one row each."""
    columns = {
        "scope": [row.scope.value for row in rows],
        "first": [row.first_s for row in rows],
        "last": [row.last_s for row in rows],
        "bytes": [row.file_bytes for row in rows],
        "items": [",".join(row.items) for row in rows],
    }
    arrays = []
    for field in CHUNK_SCHEMA:
        values = columns.get(field.name) or [getattr(row, field.name) for row in rows]
        plain = pa.int64() if pa.types.is_timestamp(field.type) else field.type
        arrays.append(pa.array(values, plain).cast(field.type))
    return pa.Table.from_arrays(arrays, schema=CHUNK_SCHEMA)
