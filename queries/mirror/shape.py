"""Which columns of a mirror take room: made for the items that its chunks have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.items import Scope
from queries.mirror.layout import FACTS, TABLES, Listed, create, items_in

if TYPE_CHECKING:
    import duckdb

__all__ = ["begin", "outgrown"]


def begin(connection: duckdb.DuckDBPyConnection, scope: Scope, listed: Sequence[Listed]) -> None:
    """Make the tables, empty."""
    for statement in FACTS.strip().rstrip(";").split(";"):
        connection.execute(statement)
    for table in TABLES[scope]:
        codes = items_in(table, listed)
        connection.execute(create(table, codes))
        for code in sorted(codes):
            connection.execute("INSERT INTO facts.shape VALUES (?, ?)", [table, code])


def outgrown(connection: duckdb.DuckDBPyConnection, scope: Scope, listed: Sequence[Listed]) -> bool:
    """Tell whether some chunk has an item for which there is no room."""
    shape = set(connection.execute("SELECT tab, code FROM facts.shape").fetchall())
    return any((t, code) not in shape for t in TABLES[scope] for code in items_in(t, listed))
