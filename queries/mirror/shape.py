"""The tables of a mirror: made for the items that its chunks have, and what is in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.items import Scope
from queries.mirror.layout import FACTS, TABLES, Listed, create, items_in

if TYPE_CHECKING:
    import duckdb

__all__ = ["begin", "held", "held_in", "outgrown"]


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


def held(connection: duckdb.DuckDBPyConnection) -> tuple[int, int, int]:
    """Return how many chunks a mirror knows of, the rows it holds, and the damaged chunks."""
    (found,) = connection.execute(
        "SELECT count(*), coalesce(sum(rows), 0)::BIGINT, count(damage) FROM facts.held"
    ).fetchall()
    chunks, rows, damaged = map(int, found)
    return chunks, rows, damaged


def held_in(path: Path) -> tuple[int, int, int] | None:
    """Return the same of a mirror's file; None where it is not there or cannot be read."""
    import duckdb

    if not path.exists():
        return None
    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            return held(connection)
    except duckdb.Error:
        return None
