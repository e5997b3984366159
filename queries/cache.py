"""The read cache: decoded columns of chunks, bounded in bytes, in memory and on disk.

An entry is one column of one chunk, known by the checksum of the chunk's bytes: a rewritten chunk
has another, so what is here is never stale. Those used longest ago go first. A disk part that
cannot be used (a read-only folder, a full disk, a damaged file) costs speed, never an answer.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from queries.cache_disk import DiskCache
from queries.cache_entries import packed, unpacked
from queries.timing import QueryTimings
from queries.values import Column, Doubles, Flags, Keys, Part, Scaled

__all__ = ["CacheStats", "ReadCache"]

_OVERHEAD_BYTES = 256
"""What an entry costs beside its numbers."""


class _Entry(NamedTuple):
    """A chunk's column and the chunk's number of rows; None for a column that it lacks."""

    rows: int
    column: Column | pa.Array | None


@dataclass(frozen=True, slots=True)
class CacheStats:
    """What a cache holds: entries and bytes in memory and on disk, and the bound of each."""

    limit_bytes: int
    memory_entries: int
    memory_bytes: int
    disk_entries: int
    disk_bytes: int
    hits: int
    misses: int
    evictions: int
    path: str | None


def _size(entry: _Entry) -> int:
    match entry.column:
        case Scaled(values) | Keys(values) | Flags(values):
            return _OVERHEAD_BYTES + int(values.nbytes)
        case Doubles(values, present):
            return _OVERHEAD_BYTES + int(values.nbytes + present.nbytes)
        case pa.Array():
            return _OVERHEAD_BYTES + int(entry.column.get_total_buffer_size())
    return _OVERHEAD_BYTES


class ReadCache:
    """Decoded columns of chunks by checksum, safe for several threads and processes.

    Parameters
    ----------
    limit_bytes : int
        Bound of what is kept in memory, and again of what is kept on disk.
    folder : Path, optional
        Where the disk part lies; without one there is memory alone.
    """

    def __init__(self, limit_bytes: int, folder: Path | None = None) -> None:
        self._limit = limit_bytes
        self._memory: OrderedDict[tuple[str, str], _Entry] = OrderedDict()
        self._bytes = 0
        self._hits = self._misses = self._evictions = 0
        self._lock = threading.Lock()
        self._disk = None if folder is None else DiskCache(folder, limit_bytes)

    def part(
        self,
        checksum: str,
        names: Sequence[str],
        read: Callable[[Sequence[str]], tuple[str, Part]],
        timings: QueryTimings,
    ) -> Part:
        """Return columns of a chunk, kept or read.

        Parameters
        ----------
        checksum : str
            Of the chunk that is wanted.
        names : sequence of str
        read : function
            Reads the named columns from the file and tells the checksum of what it read. Where
            that is another (the chunk was rewritten meanwhile) all columns come from the file.
        timings : QueryTimings
        """
        kept = self._kept(checksum, names)
        lacking = [name for name in names if name not in kept]
        if lacking and self._disk is not None:
            with timings.phase("read"):
                stored = self._disk.get(checksum, lacking)
                found = {name: unpacked(data) for name, data in stored.items()}
            self._put(checksum, {n: _Entry(rows, c) for n, (rows, c) in found.items()}, timings)
            kept |= {name: _Entry(*pair) for name, pair in found.items()}
            lacking = [name for name in lacking if name not in kept]
        self._count(timings, hits=len(names) - len(lacking), misses=len(lacking))
        if lacking:
            found_checksum, part = read(lacking)
            if found_checksum != checksum and len(lacking) < len(names):
                return read(names)[1]
            fresh = {name: _Entry(part.rows, part.columns.get(name)) for name in lacking}
            self._put(found_checksum, fresh, timings)
            if self._disk is not None:
                self._disk.put(
                    found_checksum, {n: packed(e.rows, e.column) for n, e in fresh.items()}
                )
            if found_checksum != checksum:
                return part
            kept |= fresh
        rows = next(iter(kept.values())).rows
        return Part(rows, {n: e.column for n, e in kept.items() if e.column is not None})

    def array(
        self, timings: QueryTimings, place: tuple[str, str], make: Callable[[], pa.Array]
    ) -> pa.Array:
        """Return the Arrow array of rows of the column cache, kept in memory or made.

        Parameters
        ----------
        timings : QueryTimings
        place : tuple of str, str
            What names the rows for good, and their column.
        make : function
        """
        entry = self._kept(place[0], [place[1]]).get(place[1])
        self._count(timings, hits=int(entry is not None), misses=int(entry is None))
        if entry is not None:
            return entry.column
        made = make()
        self._put(place[0], {place[1]: _Entry(len(made), made)}, timings)
        return made

    def _kept(self, checksum: str, names: Sequence[str]) -> dict[str, _Entry]:
        found = {}
        with self._lock:
            for name in names:
                entry = self._memory.get((checksum, name))
                if entry is not None:
                    self._memory.move_to_end((checksum, name))
                    found[name] = entry
        return found

    def _put(self, checksum: str, entries: dict[str, _Entry], timings: QueryTimings) -> None:
        gone = 0
        with self._lock:
            for name, entry in entries.items():
                if (checksum, name) not in self._memory and _size(entry) <= self._limit:
                    self._memory[checksum, name] = entry
                    self._bytes += _size(entry)
            while self._bytes > self._limit:
                _, old = self._memory.popitem(last=False)
                self._bytes -= _size(old)
                gone += 1
            self._evictions += gone
        timings.count(cache_evictions=gone)

    def _count(self, timings: QueryTimings, *, hits: int, misses: int) -> None:
        with self._lock:
            self._hits += hits
            self._misses += misses
        timings.count(cache_hits=hits, cache_misses=misses)

    def stats(self) -> CacheStats:
        """Return what is kept now, and what happened since the cache was opened."""
        entries, size = (0, 0) if self._disk is None else self._disk.size()
        with self._lock:
            return CacheStats(
                limit_bytes=self._limit,
                memory_entries=len(self._memory),
                memory_bytes=self._bytes,
                disk_entries=entries,
                disk_bytes=size,
                hits=self._hits,
                misses=self._misses,
                evictions=self._evictions,
                path=None if self._disk is None else str(self._disk.path),
            )

    def flush(self) -> None:
        """Bring to disk what was kept since the last flush."""
        if self._disk is not None:
            self._disk.flush()

    def clear(self) -> int:
        """Forget everything, on disk too; return the bytes freed there."""
        with self._lock:
            self._memory.clear()
            self._bytes = 0
        return 0 if self._disk is None else self._disk.clear()

    def close(self) -> None:
        """Bring to disk what was kept, and close the file."""
        if self._disk is not None:
            self._disk.close()
