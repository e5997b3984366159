"""The tables of a mirror: made for the items that its chunks have, and what is in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cimis.pipeline.field.items import Scope
from cimis.queries.mirror.layout import FACTS, TABLES, Listed, create, items_in

if TYPE_CHECKING:
    import duckdb

__all__ = ["begin", "begin_facts", "begin_rows", "held", "held_in", "number", "outgrown"]


def begin(connection: Any, scope: Scope, listed: Sequence[Listed]) -> None:
    """Make a mirror's tables, empty."""
    begin_facts(connection)
    begin_rows(connection, scope, listed)


def begin_facts(connection: Any) -> None:
    """Make the tables of what is known of the rows, empty."""
    for statement in FACTS.strip().rstrip(";").split(";"):
        connection.execute(statement)


def begin_rows(
    connection: Any, scope: Scope, listed: Sequence[Listed], *, schema: str = ""
) -> None:
    """Make a scope's tables of rows, empty, with room for what chunks have.

    ``schema`` is where to make them, with the dot.
    """
    for table in TABLES[scope]:
        codes = items_in(table, listed)
        connection.execute(create(table, codes, schema=schema))
        for code in sorted(codes):
            connection.execute("INSERT INTO facts.shape VALUES (?, ?)", [table, code])


def number(connection: Any, name: str, *, facts: str = "facts") -> int:
    """Return a number of a whole mirror, 0 where it has none; ``facts`` is the schema's name."""
    found = connection.execute(f"SELECT value FROM {facts}.meta WHERE key = ?", [name]).fetchone()
    return 0 if found is None else int(found[0])


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
