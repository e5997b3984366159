"""What the catalog lists, as tables of an engine: stations and chunks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from cimis.pipeline.catalog.database import Catalog, ChunkRow
from cimis.pipeline.field.time import moment_of

__all__ = ["CATALOGUED", "put"]

CATALOGUED: dict[str, dict[str, str]] = {
    "stations": {
        "station": "USMALLINT",
        "name": "VARCHAR",
        "city": "VARCHAR",
        "county": "VARCHAR",
        "regional_office": "VARCHAR",
        "connected": "DATE",
        "disconnected": "DATE",
        "active": "BOOLEAN",
        "eto": "BOOLEAN",
        "elevation_m": "DOUBLE",
        "ground_cover": "VARCHAR",
        "latitude": "DOUBLE",
        "longitude": "DOUBLE",
        "zip_codes": "VARCHAR",
        "siting": "VARCHAR",
    },
    "chunks": {
        "path": "VARCHAR",
        "scope": "VARCHAR",
        "station": "USMALLINT",
        "target": "VARCHAR",
        "year": "INTEGER",
        "format": "VARCHAR",
        "rows": "BIGINT",
        "first": "TIMESTAMP_S",
        "last": "TIMESTAMP_S",
        "bytes": "BIGINT",
        "checksum": "VARCHAR",
        "items": "VARCHAR",
        "state": "VARCHAR",
        "fetched_at": "VARCHAR",
        "source": "VARCHAR",
    },
}
"""The tables and their columns."""


def put(connection: Any, catalog: Catalog, table: str) -> None:
    """Make a table of what the catalog lists now, in the place of an older one."""
    columns = CATALOGUED[table]
    facts = _stations(catalog) if table == "stations" else _chunks(catalog.chunks())
    rows = [[_plain(fact.get(name)) for name in columns] for fact in facts]
    listed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    connection.execute(f"CREATE OR REPLACE TABLE memory.main.{table} ({listed})")
    if not rows:
        return
    # one text for all rows: a statement a row would take a second for a network
    cells = ", ".join(
        f"CAST(r[{place}] AS {kind}) AS {name}"
        for place, (name, kind) in enumerate(columns.items(), 1)
    )
    connection.execute(
        f"INSERT INTO memory.main.{table} SELECT {cells} FROM "
        "(SELECT unnest(from_json(?::JSON, '[[\"VARCHAR\"]]')) AS r)",
        [json.dumps(rows)],
    )


def _stations(catalog: Catalog) -> list[dict[str, Any]]:
    """Return the facts of stations, their number under the name that it has beside records."""
    return [facts | {"station": facts.get("number")} for facts in catalog.stations()]


def _chunks(rows: Sequence[ChunkRow]) -> list[dict[str, Any]]:
    names = set(ChunkRow._fields) - {"statistics"}
    made = []
    for row in rows:
        facts = {name: getattr(row, name) for name in names}
        facts |= {"bytes": row.file_bytes, "items": ",".join(row.items), "state": row.state}
        first, last = (moment_of(end).isoformat() for end in (row.first_s, row.last_s))
        made.append(facts | {"first": first, "last": last})
    return made


def _plain(value: Any) -> str | None:
    """Return a fact as text that its column's type reads."""
    if value is None:
        return None
    if isinstance(value, list | tuple):
        return ",".join(str(part) for part in value)
    return str(value)
