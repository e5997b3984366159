"""The catalog as it is published: a copy of one moment, and in which object each chunk lies."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from cimis.pipeline.catalog.database import CATALOG_FILE, Catalog
from cimis.pipeline.errors import StoreError

__all__ = ["Lies", "lies_in", "note_objects", "packed", "retired_in", "take", "unpacked"]

_LEVEL = 9
_MOST_BYTES = 1 << 32
_OBJECTS = """
create table lies (path text primary key, object text not null, start integer not null,
    bytes integer not null, checksum text not null, tail text not null) without rowid;
create table retired (object text primary key, since text not null) without rowid;
"""


class Lies(NamedTuple):
    """Where a chunk lies: ``bytes`` of an object from ``start`` on.

    ``checksum`` is the file's, as in the catalog; ``tail`` that of its last `TAIL_BYTES`, by which
    a reader of ranges knows the footer for the right one, and by that the rest; empty for V1.
    """

    object: str
    start: int
    bytes: int
    checksum: str
    tail: str


def take(root: Path, target: Path) -> tuple[str, Catalog]:
    """Copy the catalog of a data directory as it is now, without what concerns this machine alone.

    Returns
    -------
    tuple of str and Catalog
        A checksum over all that it says, and the copy in the folder ``target``, open.
    """
    with Catalog(root) as catalog:
        path = target / CATALOG_FILE
        path.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as copy:
            catalog.copy_to(copy)
            copy.execute("pragma journal_mode = delete")
            copy.execute("delete from runs")
            for table in ("pulled", "lies", "retired"):
                copy.execute(f"drop table if exists {table}")
            copy.commit()
            state = _state(copy)
    return state, Catalog(target)


def note_objects(
    path: Path, lies: Iterable[tuple[str, Lies]], retired: Iterable[tuple[str, str]]
) -> None:
    """Write into a snapshot where its chunks lie, and since when objects are of no use."""
    with closing(sqlite3.connect(path, isolation_level=None)) as copy:
        copy.executescript(_OBJECTS)
        copy.execute("begin")
        copy.executemany(
            "insert into lies values (?, ?, ?, ?, ?, ?)", ((name, *where) for name, where in lies)
        )
        copy.executemany("insert into retired values (?, ?)", retired)
        copy.execute("commit")
        copy.execute("vacuum")


def lies_in(path: Path) -> dict[str, Lies]:
    """Return by path where the chunks of a snapshot lie."""
    with _reading(path) as copy:
        return {name: Lies(*where) for name, *where in copy.execute("select * from lies")}


def retired_in(path: Path) -> dict[str, str]:
    """Return the objects that a snapshot has no use for, and since when (ISO 8601)."""
    with _reading(path) as copy:
        return dict(copy.execute("select object, since from retired"))


def packed(path: Path) -> bytes:
    """Return a snapshot as an object."""
    import zstandard

    return zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress(path.read_bytes())


def unpacked(data: bytes, where: str) -> bytes:
    """Return the snapshot that an object is."""
    import zstandard

    try:
        return zstandard.ZstdDecompressor().decompress(data, max_output_size=_MOST_BYTES)
    except zstandard.ZstdError as error:
        raise StoreError(
            f"the catalog {where} is damaged: {error}", hint="ask who publishes it to publish again"
        ) from None


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(uri, uri=True)) as copy:
            yield copy
    except sqlite3.DatabaseError as error:
        raise StoreError(
            f"{path} is no snapshot of a published store: {error}", hint="'cimis cache clear'"
        ) from error


def _state(copy: sqlite3.Connection) -> str:
    digest = hashlib.blake2b(digest_size=16)
    tables = "select name from sqlite_master where type = 'table' order by name"
    for (table,) in copy.execute(tables).fetchall():
        columns = len(copy.execute(f"pragma table_info({table})").fetchall())
        order = ", ".join(str(number + 1) for number in range(columns))
        for row in copy.execute(f"select * from {table} order by {order}"):
            digest.update(repr(row).encode())
    return digest.hexdigest()
