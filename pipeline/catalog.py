"""The catalog of a data directory: stations, chunks with their statistics, and runs, in SQLite.

The chunk files are the truth; the catalog is what can be known of them without opening one. It
needs the standard library alone, so a point query can read it without paying for Arrow.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pipeline.catalog_tables import SCHEMA, VERSION
from pipeline.errors import StoreError
from pipeline.items import Scope
from pipeline.listed import ChunkRow

__all__ = ["CATALOG_FILE", "Catalog", "ChunkRow"]

CATALOG_FILE = "metadata.sqlite3"
_LEAST_BYTES = 1 << 17
"""What SQLite needs for its files beside the catalog."""

_COLUMNS = (
    "path, scope, station, target, year, format, rows, first_s, last_s, bytes, checksum, items, "
    "provisional_from_s, fetched_at, source, statistics"
)


class Catalog:
    """One open catalog; a context manager. Safe with other processes: WAL and short transactions.

    Parameters
    ----------
    root : Path
        The data directory.
    create : bool
        Make the catalog where there is none; otherwise that is an error.

    Raises
    ------
    StoreError
        When there is no catalog, it is damaged, or a newer version made it.
    """

    def __init__(self, root: Path, *, create: bool = False) -> None:
        self.root = root
        self.path = root / CATALOG_FILE
        if not create and not self.path.is_file():
            raise StoreError(
                f"{root} is no data directory: it has no {CATALOG_FILE}",
                hint=f"make one with 'cimis init --data-dir {root}', or rebuild a lost catalog "
                f"with 'cimis verify --repair --data-dir {root}'",
            )
        with self._errors():
            try:
                self._connect(self.path.absolute().as_uri(), create=create)
            except sqlite3.OperationalError:
                if create or not self._is_still():
                    raise
                # on a disk that is full or read-only SQLite cannot make its files for readers
                uri = f"{self.path.absolute().as_uri()}?mode=ro&immutable=1"
                self._connect(uri, create=False)

    def _connect(self, uri: str, *, create: bool) -> None:
        self._connection = sqlite3.connect(
            uri, uri=True, timeout=30, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare(create=create)
        except BaseException:
            self._connection.close()
            raise

    def _is_still(self) -> bool:
        """Tell whether all is in the file itself, and nobody writes."""
        log = self.path.with_name(CATALOG_FILE + "-wal")
        free = os.statvfs(self.root)
        writable = os.access(self.root, os.W_OK) and free.f_bavail * free.f_frsize > _LEAST_BYTES
        return not writable and (not log.exists() or log.stat().st_size == 0)

    def _prepare(self, *, create: bool) -> None:
        run = self._connection.execute
        if create:
            run("pragma journal_mode = wal")
            run("pragma synchronous = full")
            with self._transaction():
                if not run("select 1 from sqlite_master where name = 'meta'").fetchone():
                    for statement in SCHEMA.split(";"):
                        run(statement)
                    # a rebuilt catalog must not count through the numbers of the lost one again
                    first = "abs(random() / 4)"
                    run(
                        f"insert into meta values ('version', ?), ('generation', {first})",
                        [VERSION],
                    )
        found = run("select value from meta where key = 'version'").fetchone()
        if found is None or found[0] != VERSION:
            raise StoreError(
                f"{self.path} has catalog version {found and found[0]}; {VERSION} is known",
                hint="update cimis, or rebuild the catalog with 'cimis verify --repair'",
            )

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            hint = "check the disk and its space; 'cimis verify --repair' rebuilds a damaged one"
            if "locked" in str(error) or "busy" in str(error):
                hint = "another process holds it; try again"
            elif not os.access(self.root, os.W_OK):
                hint = "the folder is read-only for you; choose another with --data-dir"
            raise StoreError(f"catalog {self.path}: {error}", hint=hint) from error

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("begin immediate")
        try:
            yield
            self._connection.execute("commit")
        except BaseException:
            self._connection.execute("rollback")
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def check(self) -> None:
        """Let SQLite check the whole file; `StoreError` where it finds damage."""
        with self._errors():
            found = self._connection.execute("pragma integrity_check(1)").fetchone()[0]
            if found != "ok":
                raise sqlite3.DatabaseError(found)

    def generation(self) -> int:
        """Return a number that grows with every change of a chunk's row, from a random start."""
        with self._errors():
            row = self._connection.execute("select value from meta where key = 'generation'")
            return int(row.fetchone()[0])

    def put_chunks(self, rows: Iterable[ChunkRow]) -> None:
        """Enter chunks, replacing what was said of the same paths."""
        values = [
            (
                *(row.path, row.scope.value, row.station, row.target, row.year, row.format),
                *(row.rows, row.first_s, row.last_s, row.file_bytes, row.checksum),
                *(",".join(row.items), row.provisional_from_s, row.fetched_at, row.source),
                row.statistics,
            )
            for row in rows
        ]
        places = ", ".join("?" * 16)
        with self._errors(), self._transaction():
            run = self._connection
            run.executemany(f"insert or replace into chunks ({_COLUMNS}) values ({places})", values)
            run.execute("update meta set value = value + 1 where key = 'generation'")

    def remove_chunks(self, paths: Iterable[str]) -> None:
        """Forget chunks by path, and that their days were asked for."""
        values, run = [(path,) for path in paths], self._connection
        with self._errors(), self._transaction():
            run.executemany("delete from chunks where path = ?", values)
            run.executemany("delete from asked where path = ?", values)
            run.execute("update meta set value = value + 1 where key = 'generation'")

    def chunks(
        self,
        *,
        scope: Scope | None = None,
        stations: Sequence[int] | None = None,
        first_year: int | None = None,
        last_year: int | None = None,
        path: str | None = None,
    ) -> list[ChunkRow]:
        """Return the chunks that match all conditions, by scope, station, target and year."""
        where, values = ["1"], list[Any]()
        conditions = (("scope = ?", scope), ("year >= ?", first_year), ("year <= ?", last_year))
        for condition, value in (*conditions, ("path = ?", path)):
            if value is not None:
                where.append(condition)
                values.append(value.value if isinstance(value, Scope) else value)
        if stations is not None:
            where.append("station in (select value from json_each(?))")
            values.append(json.dumps(sorted(stations)))
        query = f"select {_COLUMNS} from chunks where {' and '.join(where)} "
        query += "order by scope, station, target, year"
        with self._errors():
            found = self._connection.execute(query, values).fetchall()
        return [_row(values) for values in found]

    def put_asked(self, path: str, items: str, spans: Iterable[tuple[str, str]]) -> None:
        """Enter the spans of days, now final, that the service was asked for; replaces the old."""
        with self._errors(), self._transaction():
            run = self._connection
            run.execute("delete from asked where path = ? and items = ?", [path, items])
            values = [(path, items, *span) for span in spans]
            run.executemany("insert into asked values (?, ?, ?, ?)", values)

    def asked(self, paths: Iterable[str]) -> list[tuple[str, str, str, str]]:
        """Return path, items, first and last day of what was asked for, by path and day."""
        query = "select * from asked where path in (select value from json_each(?)) order by 1, 3"
        with self._errors():
            return self._connection.execute(query, [json.dumps(list(paths))]).fetchall()

    def scope_chunks(self, scope: Scope, *, spatial: bool = False) -> list[tuple[Any, ...]]:
        """Return path, station (or target), rows, first and last second, checksum, items of chunks.

        In station and time order, as bare tuples because there may be ten thousand.
        """
        who = "target" if spatial else "station"
        return self._of_scope(f"path, {who}, rows, first_s, last_s, checksum, items", scope, who)

    def scope_statistics(
        self, scope: Scope, *, spatial: bool = False
    ) -> list[tuple[str, str, bytes]]:
        """Return checksum, items and packed statistics of the same chunks, in the same order."""
        who = "target" if spatial else "station"
        return self._of_scope("checksum, items, statistics", scope, who)

    def _of_scope(self, columns: str, scope: Scope, who: str) -> list[Any]:
        query = f"select {columns} from chunks where scope = ? and {who} is not null order by {who}"
        query += ", year"
        with self._errors():
            return self._connection.execute(query, [scope.value]).fetchall()

    def count(self, scope: Scope) -> int:
        """Return the number of chunks of a scope."""
        with self._errors():
            query = "select count(*) from chunks where scope = ? and station is not null"
            return int(self._connection.execute(query, [scope.value]).fetchone()[0])

    def item_codes(self, scope: Scope, *, spatial: bool = False) -> set[str]:
        """Return the codes of all items that some chunk of a scope holds."""
        found = self._of_scope("distinct items", scope, "target" if spatial else "station")
        return {code for (items,) in found for code in items.split(",") if code}

    def put_stations(self, stations: Iterable[tuple[int, str, dict[str, Any]]]) -> None:
        """Enter stations as number, name and JSON-ready facts."""
        values = [(number, name, json.dumps(facts)) for number, name, facts in stations]
        with self._errors(), self._transaction():
            self._connection.executemany("insert or replace into stations values (?, ?, ?)", values)

    def stations(self) -> list[dict[str, Any]]:
        """Return the facts of every known station, by number."""
        with self._errors():
            found = self._connection.execute("select facts from stations order by number")
            return [json.loads(facts) for (facts,) in found.fetchall()]

    def put_run(
        self,
        command: str,
        started_at: str,
        finished_at: str,
        exit_code: int,
        report: dict[str, Any],
    ) -> None:
        """Enter the report of a run; times are ISO 8601 with zone."""
        values = (command, started_at, finished_at, exit_code, json.dumps(report))
        with self._errors(), self._transaction():
            self._connection.execute(
                "insert into runs (command, started_at, finished_at, exit_code, report) "
                "values (?, ?, ?, ?, ?)",
                values,
            )

    def runs(self, *, last: int = 10) -> list[dict[str, Any]]:
        """Return the newest runs' command, times, exit code and report, newest first."""
        names = ("command", "started_at", "finished_at", "exit_code", "report")
        query = f"select {', '.join(names)} from runs order by id desc limit ?"
        with self._errors():
            found = self._connection.execute(query, [last]).fetchall()
        runs = [dict(zip(names, values, strict=True)) for values in found]
        return [run | {"report": json.loads(run["report"])} for run in runs]


def _row(values: Sequence[Any]) -> ChunkRow:
    facts = list(values)
    facts[1] = Scope(facts[1])
    facts[11] = tuple(facts[11].split(",")) if facts[11] else ()
    return ChunkRow(*facts)
