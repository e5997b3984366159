"""What a question of few rows needs of one chunk: from the cache on disk, else from the file.

Plain Python as :mod:`queries.point`. An entry of the cache is JSON, known by the checksum of the
chunk's bytes, so it is never stale: one says what the chunk is (`Facts`), and one per block and
column what is in it (`Cells`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pipeline.errors import ChunkError, StoreError
from queries.timing import QueryTimings

if TYPE_CHECKING:
    from pipeline.catalog import ChunkRow
    from pipeline.chunks.footer import Footer
    from queries.cache_disk import DiskCache

__all__ = ["Cells", "Facts", "PointChunk", "Rewritten", "Runs"]

_TAIL_BYTES = 1 << 14
_MOST_DECIMALS = 6
_EXACT = 10**15
_FACTS = "facts"

Runs = tuple[tuple[int, int], ...]
Cells = tuple[list[int], dict[int, int]]
"""A column's scaled integers in a block, and the number of its state by row where it has one."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a chunk is.

    Attributes
    ----------
    columns : dict
        By item code the decimals, and whether the numbers print otherwise than by their digits.
    states : tuple
        Whether the value is missing, and the flag.
    blocks : tuple
        Of each block its rows' times as runs of first time and count.
    """

    columns: dict[str, tuple[int, bool]]
    states: tuple[tuple[bool, str | None], ...]
    blocks: tuple[Runs, ...]

    @classmethod
    def of_footer(cls, footer: Footer) -> Self:
        """Return what a footer says."""
        columns = {c.code: (c.decimals, _unusual(footer, n)) for n, c in enumerate(footer.columns)}
        states = tuple((state.missing, state.flag) for state in footer.states)
        return cls(columns, states, tuple(block.runs for block in footer.blocks))

    def to_bytes(self) -> bytes:
        """Return them as JSON."""
        return json.dumps([self.columns, self.states, self.blocks]).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return what `to_bytes` made JSON of."""
        columns, states, blocks = json.loads(data)
        return cls(
            {code: (decimals, unusual) for code, (decimals, unusual) in columns.items()},
            tuple((missing, flag) for missing, flag in states),
            tuple(tuple((first, count) for first, count in runs) for runs in blocks),
        )


def _unusual(footer: Footer, number: int) -> bool:
    """Tell whether a column's numbers print otherwise than by their digits."""
    info = footer.columns[number]
    bounds = [
        b
        for block in footer.blocks
        for b in (block.cells[number].minimum, block.cells[number].maximum)
    ]
    large = any(bound is not None and abs(bound) >= _EXACT for bound in bounds)
    return info.is_double or info.decimals > _MOST_DECIMALS or large


class Rewritten(Exception):
    """A file is no longer the one that the catalog listed, so what is kept may not be mixed in."""


class PointChunk:
    """One chunk; a context manager. Its file is opened when the cache lacks what is asked for.

    `Rewritten` is raised by its methods, with a cache only.

    Parameters
    ----------
    root : Path
    chunk : ChunkRow
    cache : DiskCache, optional
    timings : QueryTimings
    """

    def __init__(
        self, root: Path, chunk: ChunkRow, cache: DiskCache | None, timings: QueryTimings
    ) -> None:
        self._path = root / chunk.path
        self._checksum = chunk.checksum
        self._listed = chunk
        self._cache = cache
        self._timings = timings
        self._file: _File | None = None
        self._footer: Footer | None = None
        self._fresh: dict[str, bytes] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._timings.count(bytes_read=self._file.read)
            self._file.close()
        if self._cache is not None and self._fresh:
            self._cache.put(self._checksum, self._fresh)

    def facts(self) -> Facts:
        """Return what the chunk is."""
        kept = self._kept([_FACTS]).get(_FACTS)
        if kept is not None:
            return Facts.from_bytes(kept)
        found = Facts.of_footer(self._opened()[1])
        if self._cache is not None:
            self._fresh[_FACTS] = found.to_bytes()
        return found

    def cells(self, block: int, codes: Sequence[str]) -> dict[str, Cells]:
        """Return columns of a block by item code."""
        names = {code: f"{block} {code}" for code in codes}
        kept = self._kept(list(names.values()))
        found = {code: _cells(kept[name]) for code, name in names.items() if name in kept}
        lacking = [code for code in codes if code not in found]
        if self._cache is not None:
            self._timings.count(cache_hits=len(found), cache_misses=len(lacking))
        if not lacking:
            return found
        file, footer = self._opened()
        with self._timings.phase("decode"):
            for code, cells in _decoded(file, footer, block, lacking).items():
                found[code] = cells
                if self._cache is not None:
                    self._fresh[names[code]] = _packed(cells)
        rows = footer.blocks[block].rows
        self._timings.count(blocks_read=1, columns_read=2 * len(lacking), rows_decoded=rows)
        return found

    def _kept(self, names: Sequence[str]) -> dict[str, bytes]:
        if self._cache is None:
            return {}
        with self._timings.phase("read"):
            return self._cache.get(self._checksum, names)

    def _opened(self) -> tuple[_File, Footer]:
        """Return the open file and its footer."""
        if self._file is None:
            self._file = _File(self._path, self._timings, whole=self._cache is not None)
            if self._cache is not None and self._file.checksum() != self._checksum:
                raise Rewritten
        if self._footer is None:
            from pipeline.chunks.container import check_header, parse_footer
            from pipeline.chunks.key import ChunkKey

            listed = self._listed
            key = ChunkKey(listed.scope, listed.year, station=listed.station, target=listed.target)
            with self._timings.phase("plan"):
                footer = parse_footer(self._file.tail, self._file.size)
                if len(self._file.tail) == self._file.size:
                    check_header(self._file.tail, footer.features)
                if footer.key != key:
                    raise ChunkError(f"file of {footer.key.name}, not of {key.name}")
                self._footer = footer
        return self._file, self._footer


def _decoded(file: _File, footer: Footer, block: int, codes: Sequence[str]) -> dict[str, Cells]:
    """Return those of a block's columns that the chunk has."""
    from queries.plain_blocks import BlockColumns  # zstandard, which a kept answer can spare

    columns = BlockColumns(file, footer, footer.blocks[block])
    places = {info.code: number for number, info in enumerate(footer.columns)}
    rows = footer.blocks[block].rows
    for code in codes:
        columns.check(places[code])
    return {
        code: (columns.values(places[code]), columns.states(places[code], 0, rows))
        for code in codes
    }


def _packed(cells: Cells) -> bytes:
    values, states = cells
    return json.dumps([values, list(states), list(states.values())]).encode()


def _cells(data: bytes) -> Cells:
    values, rows, states = json.loads(data)
    return values, dict(zip(rows, states, strict=True))


class _File:
    """An open chunk whose end has been read, or all of it; a daily one is whole in its end."""

    def __init__(self, path: Path, timings: QueryTimings, *, whole: bool) -> None:
        with timings.phase("read"):
            try:
                self._handle = os.open(path, os.O_RDONLY)
            except FileNotFoundError:
                raise ChunkError(
                    "is in the catalog but not on disk", hint="run 'cimis verify --repair'"
                ) from None
            except OSError as error:
                raise StoreError(f"cannot read {path}: {error.strerror}") from error
            self.size = os.fstat(self._handle).st_size
            size = self.size if whole else min(self.size, _TAIL_BYTES)
            self.tail = memoryview(os.pread(self._handle, size, self.size - size))
        self.read = size
        timings.count(files_opened=1, chunks_read=1)

    def checksum(self) -> str:
        """Return the catalog's checksum (BLAKE2b-128) of a file that was read whole."""
        from hashlib import blake2b  # loads OpenSSL, which an answer from the cache can spare

        return blake2b(self.tail, digest_size=16).hexdigest()

    def close(self) -> None:
        """Close the file."""
        os.close(self._handle)

    def __getitem__(self, place: slice) -> memoryview:
        begin = self.size - len(self.tail)
        if place.start >= begin:
            return self.tail[place.start - begin : place.stop - begin]
        data = os.pread(self._handle, place.stop - place.start, place.start)
        self.read += len(data)
        return memoryview(data)
