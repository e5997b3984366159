"""Chunks into the tables of rows: decoded here, inserted in other threads, noted at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cimis.pipeline.chunks.bulk import ChunkFile, Damaged, read_many
from cimis.pipeline.chunks.footer import ColumnInfo
from cimis.pipeline.chunks.key import ChunkKey
from cimis.pipeline.field.items import Scope, scope_items
from cimis.pipeline.storage import storage_of
from cimis.queries.mirror.layout import TABLES, Listed, scope_of_table, table_of

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

__all__ = ["fill", "in_order", "is_late", "open_year"]

_ROW_GROUP = 122_880
"""Rows of a row group of DuckDB's."""

_AT_ONCE = 2
"""Pieces inserted at once: one is compressed while another is; more would take more memory."""


def in_order(listed: Sequence[Listed], chosen: Sequence[Listed]) -> list[Listed]:
    """Return chunks in the order that their rows are to lie in: what may still change last.

    So the nightly change touches the end. The open year is the newest; a chunk of an earlier one
    that may still change lies with it.
    """
    newest = open_year(listed)

    def place(chunk: Listed) -> tuple[Any, ...]:
        last = is_late(chunk, newest)
        return (chunk.station is None, last, chunk.station or 0, chunk.target or "", chunk.year)

    return sorted(chosen, key=place)


def open_year(listed: Sequence[Listed]) -> int:
    """Return the newest year there is; 0 where there is none."""
    return max((chunk.year for chunk in listed), default=0)


def is_late(chunk: Listed, newest: int) -> bool:
    """Tell whether a chunk's rows lie at the end, where the open year's do."""
    return chunk.year >= newest or chunk.open


def fill(
    connection: duckdb.DuckDBPyConnection,
    root: Path,
    scope: Scope,
    chunks: Sequence[Listed],
    *,
    schema: str = "",
    items: frozenset[str] | None = None,
) -> None:
    """Read chunks, in the order given, into the tables of rows, and note what they are.

    ``schema`` is where the tables lie; ``items`` the codes of those to read, by default all.

    Rows are decoded in this thread and inserted in others, batch by batch, so that memory stays
    bounded. A damaged chunk gives no rows; what is wrong with it is kept.
    """

    files = [
        ChunkFile(root / c.path, ChunkKey(scope, c.year, station=c.station, target=c.target))
        for c in chunks
    ]
    facts: dict[int, tuple[str | None, int, str | None]] = {}
    shape = connection.execute("SELECT tab, code FROM facts.shape").fetchall()
    room = {t: {code for tab, code in shape if tab == t} for t in TABLES[scope]}
    seen: dict[tuple[str, tuple[ColumnInfo, ...]], None] = {}

    def batches(table: str, first: int, after: int) -> Iterator[pa.Table]:
        for part in read_many(files[first:after], columns=_wished(table, items)):
            if isinstance(part, Damaged):
                facts[first + part.place] = (None, 0, part.error.reason)
                continue
            present: set[str] = set()
            for place, rows, checksum, columns in zip(
                part.places, part.rows, part.checksums, part.columns, strict=True
            ):
                facts[first + place] = (checksum, rows, None)
                seen.setdefault((table, columns))
                present |= {info.code for info in columns}
            # columns of nulls cost as much as others to insert
            yield part.table.select(_present(part.table, table, present & room[table]))

    def pieces() -> Iterator[tuple[str, pa.Table]]:
        for table, first, after in _stretches(scope, chunks):
            for rows in _in_row_groups(batches(table, first, after)):
                yield schema + table, rows

    _inserted(connection, pieces())
    found = [
        (*(_standing(file.path) if facts[number][2] else (0, 0)), *facts[number])
        for number, file in enumerate(files)
    ]
    _note(connection, chunks, found)
    _note_stored(connection, seen)


def _present(rows: pa.Table, table: str, codes: set[str]) -> list[str]:
    """Return those columns of rows that some chunk has, with the keys."""
    items = {item.column: item.code for item in scope_items(scope_of_table(table))}
    items |= {item.flag_column: item.code for item in scope_items(scope_of_table(table))}
    return [name for name in rows.column_names if name not in items or items[name] in codes]


def _wished(table: str, items: frozenset[str] | None) -> list[str] | None:
    """Return the columns of some items; None for all. The keys come in any case."""
    if items is None:
        return None
    chosen = [item for item in scope_items(scope_of_table(table)) if item.code in items]
    return [name for item in chosen for name in (item.column, item.flag_column)]


def _stretches(scope: Scope, chunks: Sequence[Listed]) -> Iterator[tuple[str, int, int]]:
    """Yield runs of chunks of one table whose sites ascend: its name, the first, behind the last.

    Closed years are one, what may still change the next. They share no row group: one with rows of
    all sites and of years of both would be read for nearly every question.
    """
    sites = [(table_of(scope, c.kind), c.station or 0, c.target or "") for c in chunks]
    first = 0
    for number in range(1, len(sites) + 1):
        same = number < len(sites) and sites[number][0] == sites[first][0]
        if not same or sites[number] < sites[number - 1]:
            yield sites[first][0], first, number
            first = number


def _inserted(
    connection: duckdb.DuckDBPyConnection, pieces: Iterable[tuple[str, pa.Table]]
) -> None:
    """Insert pieces, some at a time, while the next ones are being made; their order is kept.

    In whole row groups: a smaller piece would stay one of its own, and compress worse.
    """
    begun: list[Future[None]] = []
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="mirror") as pool:
        for table, rows in pieces:
            before = begun[-1] if begun else None
            begun.append(pool.submit(_insert, connection, table, rows, before))
            if len(begun) > _AT_ONCE:
                begun.pop(0).result()
        for each in begun:
            each.result()


def _in_row_groups(batches: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Yield rows in pieces of whole row groups, and at its end what is left.

    That is at least a row group, where there are so many rows: a smaller one goes through the log.
    """
    import pyarrow as pa

    kept: list[pa.Table] = []
    for rows in batches:
        if kept and rows.column_names != kept[0].column_names:
            yield pa.concat_tables(kept)
            kept = []
        kept.append(rows)
        held = sum(part.num_rows for part in kept)
        whole = held - held % _ROW_GROUP - _ROW_GROUP
        if whole > 0:
            every = pa.concat_tables(kept)
            yield every.slice(0, whole)
            kept = [every.slice(whole)]
    if kept:
        yield pa.concat_tables(kept)


def _insert(
    connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table, before: Future[None] | None
) -> None:
    """Insert physical rows into a table of rows, behind those of an earlier piece.

    As one Arrow chunk: of several, DuckDB's threads make row groups that are not full, which the
    next checkpoint writes once more and leaves holes in the file for. What an insertion takes is
    compressing; its rows get their place when it is committed.
    """
    names = ", ".join(rows.column_names)
    with connection.cursor() as own:
        own.register("batch", rows.combine_chunks())
        own.execute("BEGIN")
        own.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM batch")
        if before is not None:
            before.result()
        own.execute("COMMIT")


def _standing(path: Path) -> tuple[int, int]:
    """Return a damaged file's size and time of change, to tell when it is another; 0 if gone."""
    try:
        return storage_of(path).standing(path)
    except OSError:
        return 0, 0


def _note(
    connection: duckdb.DuckDBPyConnection,
    chunks: Sequence[Listed],
    found: Sequence[tuple[int, int, str | None, int, str | None]],
) -> None:
    import pyarrow as pa

    if not chunks:
        return
    columns = {
        "path": pa.array([c.path for c in chunks], pa.string()),
        "station": pa.array([c.station for c in chunks], pa.uint16()),
        "target": pa.array([c.target for c in chunks], pa.string()),
        "year": pa.array([c.year for c in chunks], pa.int32()),
        "checksum": pa.array([c.checksum for c in chunks], pa.string()),
        "read": pa.array([f[2] for f in found], pa.string()),
        "rows": pa.array([f[3] for f in found], pa.int64()),
        "damage": pa.array([f[4] for f in found], pa.string()),
        "bytes": pa.array([f[0] for f in found], pa.int64()),
        "changed_ns": pa.array([f[1] for f in found], pa.int64()),
    }
    connection.register("noted", pa.table(columns))
    connection.execute(f"INSERT INTO facts.held ({', '.join(columns)}) SELECT * FROM noted")
    connection.unregister("noted")


def _note_stored(
    connection: duckdb.DuckDBPyConnection, seen: Iterable[tuple[str, tuple[ColumnInfo, ...]]]
) -> None:
    """Widen what is known of the columns: more decimals are kept until it is made anew."""
    stored: dict[tuple[str, str], tuple[int, str]] = {}
    for table, columns in seen:
        for info in columns:
            most = stored.get((table, info.code), (0, ""))[0]
            stored[table, info.code] = (max(most, info.decimals), info.unit)
    for (table, code), (decimals, unit) in stored.items():
        before = connection.execute(
            "DELETE FROM facts.stored WHERE tab = ? AND code = ? RETURNING decimals", [table, code]
        ).fetchone()
        most = decimals if before is None else max(decimals, int(before[0]))
        values = [table, code, most, unit]
        connection.execute("INSERT INTO facts.stored VALUES (?, ?, ?, ?)", values)
