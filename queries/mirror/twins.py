"""Parquet twins of a mirror: the same rows for engines that read files, made when first asked for.

Two files for each table and flag policy, the closed years and the open one, so that the nightly
change writes the small one only. Each is known by the chunks that it holds.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cimis.pipeline.field.items import Item, scope_items
from cimis.pipeline.storage.system import put_in_place
from cimis.queries.mirror.layout import kind_of_table, scope_of_table, selected
from cimis.queries.mirror.place import Place
from cimis.queries.mirror.shape import number
from cimis.queries.native import opened
from cimis.queries.quality import FlagPolicy

__all__ = ["Twins", "twins"]

PARTS = {"closed": "<", "open": ">="}
"""The two files, and how their years compare with the open one."""

_OPTIONS = "FORMAT parquet, COMPRESSION lz4_raw, PARQUET_VERSION v2, ROW_GROUP_SIZE 122880"


class Twins:
    """The files of a table's rows, and the items whose columns are in them.

    ``lazy`` is the frame that an engine has made of them: it is as lasting as they are.
    """

    def __init__(self, paths: list[Path], items: tuple[Item, ...]) -> None:
        self.paths = paths
        self.items = items
        self.lazy: object = None


def twins(
    place: Place, mirror: Path, table: str, policy: FlagPolicy, *, told: Callable[[str], None]
) -> Twins:
    """Return a table's twins, made from its mirror where they are not there.

    Rows are in the mirror's order: by station and time in the closed years; of the open year,
    what was replaced last stands behind.

    Raises
    ------
    OSError, duckdb.Error
        When they cannot be written, or the mirror not be read.
    """
    scope = scope_of_table(table)
    connection = opened()
    try:
        connection.execute("SET memory_limit = '500MB'")
        quoted = str(mirror).replace("'", "''")
        connection.execute(f"ATTACH '{quoted}' AS stored (READ_ONLY)")
        items = _stored(connection, table)
        year = number(connection, "open_year", facts="stored.facts")
        wanted = {
            part: _digest(connection, table, f"year {beside} {year}", items, policy)
            for part, beside in PARTS.items()
        }
        paths = {
            part: place.twin(f"{table}-{part}-{policy}", digest) for part, digest in wanted.items()
        }
        for part, path in paths.items():
            if path.exists():
                continue
            with place.lock(scope):
                if not path.exists():
                    told(f"writing {table} records of the {part} years for Polars and Arrow")
                    years = f"date {PARTS[part]} make_date(greatest({year}, 1), 1, 1)"
                    _write(connection, table, years, items, policy, path)
                    place.sweep_twins(f"{table}-{part}-{policy}")
    finally:
        connection.close()
    return Twins(list(paths.values()), items)


def _stored(connection: Any, table: str) -> tuple[Item, ...]:
    rows = connection.execute("SELECT code FROM stored.facts.stored WHERE tab = ?", [table])
    codes = {code for (code,) in rows.fetchall()}
    return tuple(item for item in scope_items(scope_of_table(table)) if item.code in codes)


def _digest(
    connection: Any, table: str, years: str, items: tuple[Item, ...], policy: FlagPolicy
) -> str:
    """Return what tells one content of a twin, of the chunks of some years, from another."""
    who = kind_of_table(table)
    columns = ",".join(item.column for item in items)
    found = connection.execute(
        "SELECT md5(concat(?::VARCHAR, string_agg(path || coalesce(read, ''), ',' ORDER BY path))) "
        f"FROM stored.facts.held WHERE {who} IS NOT NULL AND {years}",
        [f"{columns};{policy};"],
    )
    return str(found.fetchone()[0])


def _write(
    connection: Any,
    table: str,
    years: str,
    items: tuple[Item, ...],
    policy: FlagPolicy,
    path: Path,
) -> None:
    draft = path.with_name(f"{path.name.rpartition('-')[0]}.twin-draft")
    # Parquet knows no seconds, and Polars would read microseconds
    columns = selected(table, items, policy).replace("time,", "time::TIMESTAMP_MS AS time,", 1)
    quoted = str(draft).replace("'", "''")
    try:
        connection.execute(
            f"COPY (SELECT {columns} FROM stored.main.{table} WHERE {years}) "
            f"TO '{quoted}' ({_OPTIONS})"
        )
        put_in_place(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
