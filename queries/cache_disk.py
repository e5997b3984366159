"""A cache on disk: entries of bytes in one SQLite file of bounded size that processes share."""

from __future__ import annotations

import sqlite3
import threading
import time
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["POINTS", "READS", "DiskCache", "cache_counts", "cache_folder", "point_share"]

READS = "reads"
"""Decoded columns of whole chunks (:mod:`queries.cache`)."""

POINTS = "points"
"""What questions of few rows needed of a chunk (:mod:`queries.point_chunk`)."""

_POINT_BYTES = 16_000_000

_VERSION = 1
_PAGE_BYTES = 4096
_ROW_BYTES = 128
_PENDING_BYTES = 4 << 20
_WAIT_S = 0.5
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS entry (
    checksum TEXT NOT NULL, name TEXT NOT NULL, used INTEGER NOT NULL, bytes INTEGER NOT NULL,
    crc32 INTEGER NOT NULL, data BLOB NOT NULL, UNIQUE (checksum, name)
);
CREATE INDEX IF NOT EXISTS entry_used ON entry (used, bytes);
PRAGMA user_version = {_VERSION};
"""


def cache_folder(root: Path) -> Path:
    """Return where a data directory's caches lie; deleting it is always safe."""
    return root / ".cache"


def cache_counts(root: Path) -> dict[str, tuple[int, int]]:
    """Return by cache how many entries were found, and how many not, in a data directory so far."""
    found = {}
    for kind in (READS, POINTS):
        kept = DiskCache(cache_folder(root), 0, kind)
        found[kind] = kept.counts()
        kept.close()
    return found


def point_share(limit_bytes: int | None) -> int:
    """Return how much of a cache's bound is for questions of few rows; None is the default."""
    return _POINT_BYTES if limit_bytes is None else min(limit_bytes // 4, _POINT_BYTES)


_TALLY = "CREATE TABLE IF NOT EXISTS tally (name TEXT PRIMARY KEY, value INTEGER NOT NULL)"


class DiskCache:
    """Bytes by chunk checksum and name, in a file of bounded size.

    The file never grows beyond the bound: SQLite is told the most pages that it may have. Every
    entry has a CRC-32, and one that does not match is a miss. All trouble with the file makes the
    cache behave as an empty one.

    Parameters
    ----------
    folder : Path
        Made when the first entry is kept.
    limit_bytes : int
        Greatest size of the file.
    kind : str
        Whose entries the file holds.
    """

    def __init__(self, folder: Path, limit_bytes: int, kind: str = READS) -> None:
        self.path = folder / f"{kind}-{_VERSION}.sqlite3"
        self._limit = limit_bytes
        self._connection: sqlite3.Connection | None = None
        self._pending: dict[tuple[str, str], bytes] = {}
        self._pending_bytes = 0
        self._touched: set[tuple[str, str]] = set()
        self._asked = [0, 0]
        self._lock = threading.Lock()

    def _open(self, *, make: bool) -> sqlite3.Connection | None:
        if self._connection is None and (make or self.path.exists()):
            if make:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                if self.path.exists() and self.path.stat().st_size > self._limit:
                    self.path.unlink()  # kept under a larger bound, and a file does not shrink
            opened = sqlite3.connect(
                self.path, timeout=_WAIT_S, isolation_level=None, check_same_thread=False
            )
            try:
                opened.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
                opened.execute("PRAGMA synchronous = OFF")  # what is lost is read again
                opened.execute(f"PRAGMA max_page_count = {max(self._limit // _PAGE_BYTES, 8)}")
                if opened.execute("PRAGMA user_version").fetchone() != (_VERSION,):
                    opened.executescript(_SCHEMA)
            except sqlite3.Error:
                opened.close()
                raise
            self._connection = opened
        return self._connection

    def get(self, checksum: str, names: Sequence[str]) -> dict[str, bytes]:
        """Return those of a chunk's entries that are kept."""
        with self._lock:
            rows = [
                (name, self._pending[checksum, name])
                for name in names
                if (checksum, name) in self._pending
            ]
            try:
                rows += self._select(checksum, names)
            except (sqlite3.Error, OSError) as error:
                self._failed(error)
            self._touched.update((checksum, name) for name, _ in rows)
            found = dict(rows)
            self._asked[0] += len(found)
            self._asked[1] += len(names) - len(found)
        return found

    def _select(self, checksum: str, names: Sequence[str]) -> list[tuple[str, bytes]]:
        connection = self._open(make=False)
        if connection is None:
            return []
        marks = ",".join("?" * len(names))
        text = f"SELECT name, crc32, data FROM entry WHERE checksum = ? AND name IN ({marks})"
        rows = connection.execute(text, (checksum, *names)).fetchall()
        return [
            (name, data)
            for name, crc32, data in rows
            if isinstance(data, bytes) and zlib.crc32(data) == crc32
        ]

    def put(self, checksum: str, entries: Mapping[str, bytes]) -> None:
        """Keep entries of a chunk; they reach the disk with the next flush."""
        with self._lock:
            for name, data in entries.items():
                self._pending[checksum, name] = data
                self._pending_bytes += len(data) + _ROW_BYTES
        if self._pending_bytes > min(_PENDING_BYTES, self._limit // 2):
            self.flush()

    def flush(self) -> None:
        """Bring what was kept to disk in one transaction, and let go of the oldest for it."""
        with self._lock:
            pending, self._pending, self._pending_bytes = self._pending, {}, 0
            touched, self._touched = self._touched, set()
            if not pending and not touched:
                return
            try:
                self._store(pending, touched)
            except (sqlite3.Error, OSError) as error:
                self._failed(error)

    def _store(self, pending: dict[tuple[str, str], bytes], touched: set[tuple[str, str]]) -> None:
        connection = self._open(make=bool(pending))
        if connection is None:
            return
        try:
            self._write(connection, pending, touched, self._limit * 2 // 3)
        except sqlite3.OperationalError as error:
            if "full" not in str(error):
                raise
            # pages are fuller or emptier than thought: let go of more
            self._write(connection, pending, touched, self._limit // 4)

    def _write(
        self,
        connection: sqlite3.Connection,
        pending: dict[tuple[str, str], bytes],
        touched: set[tuple[str, str]],
        room: int,
    ) -> None:
        now = time.time_ns()
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.executemany(
                "UPDATE entry SET used = ? WHERE checksum = ? AND name = ?",
                [(now, *key) for key in touched],
            )
            needed = sum(len(data) + _ROW_BYTES for data in pending.values())
            self._make_room(connection, needed, room)
            connection.executemany(
                "INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (*key, now, len(data) + _ROW_BYTES, zlib.crc32(data), data)
                    for key, data in pending.items()
                ],
            )
            connection.execute(_TALLY)
            counts = zip(("hits", "misses"), self._asked, strict=True)
            connection.executemany(
                "INSERT INTO tally VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
                list(counts),
            )
            connection.execute("COMMIT")
            self._asked = [0, 0]
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _make_room(self, connection: sqlite3.Connection, needed: int, room: int) -> None:
        """Delete the entries used longest ago until ``needed`` bytes fit into ``room``."""
        (total,) = connection.execute("SELECT coalesce(sum(bytes), 0) FROM entry").fetchone()
        excess = total + needed - room
        if excess <= 0:
            return
        (until,) = connection.execute(
            "SELECT min(used) FROM (SELECT used, sum(bytes) OVER (ORDER BY used) AS freed"
            " FROM entry) WHERE freed >= ?",
            (excess,),
        ).fetchone()
        if until is None:
            connection.execute("DELETE FROM entry")
        else:
            connection.execute("DELETE FROM entry WHERE used <= ?", (until,))

    def size(self) -> tuple[int, int]:
        """Return the number of entries on disk and the size of the file in bytes."""
        with self._lock:
            try:
                connection = self._open(make=False)
                if connection is None:
                    return 0, 0
                (count,) = connection.execute("SELECT count(*) FROM entry").fetchone()
                return count, self.path.stat().st_size
            except (sqlite3.Error, OSError) as error:
                self._failed(error)
                return 0, 0

    def counts(self) -> tuple[int, int]:
        """Return how many entries were found, and how many not, since the file was made."""
        with self._lock:
            try:
                connection = self._open(make=False)
                if connection is None:
                    return 0, 0
                found = dict(connection.execute("SELECT name, value FROM tally").fetchall())
            except (sqlite3.Error, OSError):
                return 0, 0
        return found.get("hits", 0), found.get("misses", 0)

    def clear(self) -> int:
        """Delete the file; return the bytes freed."""
        with self._lock:
            self._pending.clear()
            self._pending_bytes = 0
            self._touched.clear()
            size = self.path.stat().st_size if self.path.exists() else 0
            self._drop()
            return size

    def _failed(self, error: Exception) -> None:
        """Delete a damaged file; a held or full one is let be."""
        damaged = isinstance(error, sqlite3.DatabaseError)
        if damaged and not isinstance(error, sqlite3.OperationalError):
            self._drop()

    def _drop(self) -> None:
        """Close and delete the file; another process that has it open goes on with its own."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        for path in (self.path, self.path.with_name(self.path.name + "-journal")):
            try:
                path.unlink(missing_ok=True)
            except OSError:
                return

    def close(self) -> None:
        """Bring what was kept to disk and close the file."""
        self.flush()
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
