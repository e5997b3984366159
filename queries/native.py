"""DuckDB's compiled module, imported without the Python package around it where that can be.

The package costs as much again to import as the module, and a question in SQL needs nothing of
it: only Arrow in and out does. The module is private, so what is used of it is looked for first;
where it is missing or another, the package serves, slower to start and with the same answers.
"""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import Any, Literal

__all__ = ["Form", "is_damage", "is_full", "native", "opened", "straight", "with_arrow"]

Form = Literal["arrow", "stream"]
"""What rows come as: all of them as a table, or a reader that they come from batch by batch."""

_USED = ("connect", "Error", "StatementType", "__version__")
_DAMAGE = re.compile(
    r"checksum|corrupt|serializ|could not read|not a valid|database file|metadata|block",
    re.IGNORECASE,
)

_USED_OF_CONNECTION = (
    *("abort", "execute", "cursor", "close", "extract_statements"),
    *("fetchmany", "fetchall"),
)


@cache
def native() -> Any:
    """Return ``_duckdb``, or ``duckdb`` where that is not there as it is known here."""
    try:
        module = import_module("_duckdb")
        connection = module.DuckDBPyConnection
    except (ImportError, AttributeError):
        return import_module("duckdb")
    known = all(hasattr(module, name) for name in _USED)
    if known and all(hasattr(connection, name) for name in _USED_OF_CONNECTION):
        return module
    return import_module("duckdb")


def opened(path: str = ":memory:") -> Any:
    """Return a connection to a database, which draws no bars of its own on the terminal."""
    connection = native().connect(path)
    with suppress(native().Error):  # a notebook without ipywidgets has none, and refuses the word
        connection.execute("SET enable_progress_bar = false")
    return connection


@cache
def with_arrow() -> Any:
    """Return ``duckdb``, whose import lets connections give Arrow, those made before it too."""
    return import_module("duckdb")


def straight(connection: Any, text: str, form: Form, batch_rows: int) -> Any | None:
    """Return what a statement without parameters gives as Arrow; None where this DuckDB cannot.

    A relation, the public way, binds a statement to say what it would give before it runs it: a
    question of one week takes a quarter longer so.
    """
    try:
        result = connection._submit(text, None, form, batch_rows)
        return result.arrow_table() if form == "arrow" else result.arrow_reader()
    except (AttributeError, TypeError):  # private, so another version may have it otherwise
        return None


def is_full(error: Exception) -> bool:
    """Tell whether DuckDB failed for want of room or right, as it would again."""
    return any(word in str(error) for word in ("No space left", "Permission denied", "Read-only"))


def is_damage(error: Exception) -> bool:
    """Tell whether an error of DuckDB's may come from an unreadable mirror."""
    duck = native()
    kinds = (
        duck.IOException,
        duck.FatalException,
        duck.InternalException,
        duck.SerializationException,
    )
    # damage that its checksums find is told by the plain class
    mine = type(error) is duck.Error or isinstance(error, kinds)
    return mine and _DAMAGE.search(str(error)) is not None
