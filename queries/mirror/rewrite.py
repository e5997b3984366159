"""A mirror written anew from the one before it, in order, once replacing has worn it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cimis.pipeline.field.items import Scope
from cimis.pipeline.rows.schema import TIME_COLUMN
from cimis.queries.mirror.layout import TABLES, Listed, items_in, keys_of, stored_columns

if TYPE_CHECKING:
    import duckdb

__all__ = ["write_anew"]

_COPIED_ROWS = 1_000_000


def write_anew(
    connection: duckdb.DuckDBPyConnection, base: Path, scope: Scope, listed: Sequence[Listed]
) -> None:
    """Copy a mirror's rows in order, a few stations at a time, so that memory stays bounded."""
    connection.execute(f"ATTACH {_literal(base)} AS base (READ_ONLY)")
    for table in TABLES[scope]:
        names = ", ".join(stored_columns(table, items_in(table, listed)))
        who, *_ = keys_of(table)
        for wanted in _groups(connection, who, listed):
            connection.execute(
                f"INSERT INTO {table} ({names}) SELECT {names} FROM base.main.{table} "
                f"WHERE {wanted} ORDER BY {who}, {TIME_COLUMN[scope]}"
            )
    for name in ("held", "stored", "meta"):
        connection.execute(f"INSERT INTO facts.{name} SELECT * FROM base.facts.{name}")
    connection.execute("DETACH base")


def _groups(
    connection: duckdb.DuckDBPyConnection, who: str, listed: Sequence[Listed]
) -> Iterator[str]:
    """Yield conditions that name all rows of a table, those of the open year last."""
    newest = max((chunk.year for chunk in listed), default=0)
    for late in ("<", ">="):
        found = connection.execute(
            f"SELECT {who}, sum(rows) FROM base.facts.held "
            f"WHERE {who} IS NOT NULL AND year {late} {newest} GROUP BY {who} ORDER BY {who}"
        ).fetchall()
        group: list[Any] = []
        size = 0
        for number, (name, rows) in enumerate(found):
            group.append(name)
            size += int(rows)
            if size >= _COPIED_ROWS or number == len(found) - 1:
                first, last = _literal(group[0]), _literal(group[-1])
                yield f"{who} BETWEEN {first} AND {last} AND date {late} DATE '{newest}-01-01'"
                group, size = [], 0


def _literal(value: object) -> str:
    """Return a value as SQL writes it."""
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"
