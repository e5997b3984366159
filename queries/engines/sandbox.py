"""What SQL may do, and how DuckDB's refusals and errors are told."""

from __future__ import annotations

import re
from typing import Any

from cimis.pipeline.errors import CimisError, StoreError, UsageError
from cimis.queries.native import native

__all__ = ["SETTINGS", "allowed", "translated"]

SETTINGS = (
    "SET temp_directory = ''",
    "SET enable_external_access = false",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET allow_community_extensions = false",
    "SET python_enable_replacements = false",
    # an attached file is on the list of paths that stay allowed; nothing is to be opened any more
    "SET disabled_filesystems = 'LocalFileSystem'",
    # clients set the zone in which times that have one are shown; ours have none
    "SET allowed_configs = ['timezone']",
    "SET lock_configuration = true",
)
"""What closes an engine, in this order, once all that it is to see has been opened."""

_READING = {"SELECT", "EXPLAIN", "MULTI"}  # MULTI is PIVOT


def allowed(cursor: Any, text: str, *, unsafe: bool) -> list[Any]:
    """Return the statements of a text; `UsageError` where one is not allowed, or there is none."""
    statements = cursor.extract_statements(text)
    if not statements:
        raise UsageError("no SQL given", hint="for example: select count(*) from daily")
    if unsafe:
        return list(statements)
    for statement in statements:
        kind = _kind(statement)
        if kind not in _READING:
            raise UsageError(
                f"SQL refused: {kind} statements are not allowed, the store is read-only here",
                hint="ask with SELECT; --unsafe lifts the sandbox",
            )
    if len(statements) > 1:
        raise UsageError(
            f"one statement at a time, here are {len(statements)}",
            hint="ask them one after the other; --unsafe lifts the sandbox",
        )
    return list(statements)


def _kind(statement: Any) -> str:
    """Return the kind of a statement; some of DuckDB's have no name in Python."""
    try:
        return str(statement.type.name)
    except ValueError:
        return "such"


def translated(error: Exception) -> CimisError:
    """Return an error of DuckDB's as one of ours: wrong SQL, refused SQL, or out of memory."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    first = re.sub(r"^[A-Z][A-Za-z ]* Error: ", "", lines[0]) if lines else type(error).__name__
    text = str(error)
    duck = native()
    if isinstance(error, duck.PermissionException) or "configuration has been locked" in text:
        return UsageError(
            f"SQL refused: {first}",
            hint="questions see no files, network, extensions or settings; --unsafe lifts that",
        )
    if isinstance(error, duck.OutOfMemoryException):
        return StoreError(f"SQL ran out of memory: {first}", hint="select less or aggregate more")
    if isinstance(error, duck.InternalException | duck.FatalException):
        return CimisError(f"DuckDB failed: {first}")
    at = next((place for place, line in enumerate(lines) if line.startswith("LINE ")), None)
    near = None if at is None else lines[at].strip()
    bindings = next((line for line in lines if "andidate bindings" in line), None)
    hint = (
        bindings
        or near
        or "views: daily, hourly, spatial_daily, stations, chunks; 'describe daily' lists columns"
    )
    made = UsageError(f"SQL: {first}", hint=hint)
    if at is not None:
        made.pointer = "\n".join(lines[at : at + 2])
    return made
