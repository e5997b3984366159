"""The SQLite file of a catalog: found or made, of a known version, its errors told."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from cimis.pipeline.catalog.tables import LATER_TABLES, REVISION, SCHEMA, VERSION
from cimis.pipeline.errors import StoreError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.storage import storage_of

__all__ = [
    "CATALOG_FILE",
    "REBUILD",
    "CatalogFile",
    "adopt_hint",
    "is_current",
    "is_foreign",
    "lists_nothing",
]

CATALOG_FILE = "metadata.sqlite3"
REBUILD = "rebuild the catalog with 'cimis verify --repair'"
_LEAST_BYTES = 1 << 17
"""What SQLite needs for its files beside the catalog."""


def adopt_hint(root: Path) -> str:
    """Return the command that takes a folder of chunks over."""
    import shlex

    return f"take the chunks over: cimis init --adopt {shlex.quote(str(root))}"


def lists_nothing(root: Path) -> StoreError:
    """Return the error of a folder without a catalog; with chunks in it, how to take them over."""
    # a store that is in order need not know where else chunks may lie
    from cimis.pipeline.chunks.whereabouts import chunk_files

    if root.is_dir() and next(chunk_files(root), None) is not None:
        return StoreError(
            f"{root} holds chunks, but no catalog ({CATALOG_FILE}) that lists them",
            hint=adopt_hint(root),
        )
    return StoreError(
        f"{root} is no data directory: it has no {CATALOG_FILE}",
        hint=f"make one: cimis init {root}",
    )


def is_foreign(root: Path) -> bool:
    """Tell whether a folder's metadata file is a database of another program."""
    path = root / CATALOG_FILE
    if not path.is_file():
        return False
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            return _foreign_tables(connection) or not _own_tables(connection)
        finally:
            connection.close()
    except sqlite3.DatabaseError:
        return False  # damaged, or locked: whoever opens it says so


def is_current(root: Path) -> bool:
    """Tell whether a catalog needs no bringing up to date; also of one that cannot be read."""
    path = root / CATALOG_FILE
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            query = "select value from meta where key = 'revision'"
            found = connection.execute(query).fetchone()
            return not _own_tables(connection) if found is None else found[0] >= REVISION
        finally:
            connection.close()
    except sqlite3.DatabaseError:
        return True  # damaged, locked, or another program's: whoever opens it says so


def _foreign_tables(connection: sqlite3.Connection) -> bool:
    """Tell whether there are tables, and not those of a catalog."""
    some = connection.execute("select 1 from sqlite_master limit 1").fetchone()
    return some is not None and not _own_tables(connection)


def _own_tables(connection: sqlite3.Connection) -> bool:
    columns = connection.execute("select name from pragma_table_info('meta')").fetchall()
    if columns != [("key",), ("value",)]:
        return False
    query = "select count(*) from meta where key in ('version', 'generation')"
    return bool(connection.execute(query).fetchone()[0] == 2)


class CatalogFile:
    """An open catalog file; a context manager. See :class:`catalog.database.Catalog`."""

    def __init__(self, root: Path, *, create: bool = False) -> None:
        self.root = root
        storage = storage_of(root)
        self.path = storage.database(root, CATALOG_FILE)
        if not storage.writable:
            if create:
                from cimis.pipeline.storage.writers import must_be_writable

                must_be_writable(root)
            with self._errors():
                self._connect(f"{self.path.absolute().as_uri()}?mode=ro&immutable=1", create=False)
            return
        if not create and not self.path.is_file():
            raise lists_nothing(root)
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
        import shutil  # slow to import, and seldom needed

        free = shutil.disk_usage(self.root).free
        writable = os.access(self.root, os.W_OK) and free > _LEAST_BYTES
        return not writable and (not log.exists() or log.stat().st_size == 0)

    def _prepare(self, *, create: bool) -> None:
        run = self._connection.execute
        if _foreign_tables(self._connection) or not (create or _own_tables(self._connection)):
            raise StoreError(
                f"{self.path} is no catalog of cimis, but a file of another program",
                hint=adopt_hint(self.root),
            )
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
                        "insert into meta values ('version', ?), ('revision', ?), "
                        f"('generation', {first})",
                        [VERSION, REVISION],
                    )
                for statement in LATER_TABLES.split(";"):
                    run(statement)
                for scope in Scope:
                    run(
                        "insert or ignore into meta select ?, value from meta "
                        "where key = 'generation'",
                        [f"generation_{scope}"],
                    )
        found = run("select value from meta where key = 'version'").fetchone()
        if found is None or found[0] != VERSION:
            raise StoreError(
                f"{self.path} has catalog version {found and found[0]}; {VERSION} is known",
                hint="a newer cimis made it: update cimis; or move the file away, and "
                "'cimis verify --repair' makes a new one from the chunks",
            )

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            hint = "check the disk and its space; 'cimis verify --repair' rebuilds a damaged one"
            if "locked" in str(error) or "busy" in str(error):
                hint = "another process holds it; try again"
            elif not storage_of(self.root).writable:
                hint = "a published store is only read; 'cimis pull' makes one to write"
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

    def copy_to(self, other: sqlite3.Connection) -> None:
        """Copy the whole catalog, as it is at one moment, into another database."""
        with self._errors():
            self._connection.backup(other)

    def put_revision(self) -> None:
        """Enter that catalog and chunks are up to date."""
        with self._errors(), self._transaction():
            self._connection.execute(
                "insert or replace into meta values ('revision', ?)", [REVISION]
            )

    def check(self) -> None:
        """Let SQLite check the whole file; `StoreError` where it finds damage."""
        with self._errors():
            found = self._connection.execute("pragma integrity_check(1)").fetchone()[0]
            if found != "ok":
                raise sqlite3.DatabaseError(found)
