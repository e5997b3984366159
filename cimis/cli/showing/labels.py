"""Station names in what a command prints by itself: a list's rows, or records for JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["named_records", "named_rows"]


def named_rows(
    root: Path, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> tuple[Sequence[str], Sequence[Sequence[Any]]]:
    """Return columns and rows with the names behind the stations' numbers, if there are some."""
    if "station" not in columns:
        return columns, rows
    from cimis.naming.labels import COLUMN, names_of

    names, number = names_of(root), columns.index("station")
    place = number + 1
    widened = [(*row[:place], names.get(row[number]), *row[place:]) for row in rows]
    return (*columns[:place], COLUMN, *columns[place:]), widened


def named_records(root: Path, value: Any) -> Any:
    """Return records with the names behind the stations' numbers; all else as it is."""
    records = isinstance(value, list) and all(isinstance(one, Mapping) for one in value)
    if not records or not any("station" in one for one in value):
        return value
    from cimis.naming.labels import COLUMN, names_of

    names = names_of(root)

    def named(one: Mapping[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, part in one.items():
            made[key] = part
            if key == "station":
                made[COLUMN] = names.get(part)
        return made

    return [named(one) for one in value]
