"""The chunks of one scope of a data directory: what there is, and their rows from wherever."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.chunks.footer import Footer
from pipeline.items import Scope
from queries.arrays import Keep
from queries.cache import ReadCache
from queries.chunk_file import read_part, read_whole
from queries.columns import SEGMENT_ROWS, ColumnCache, Superseded, stamp_of
from queries.index import ScopeIndex
from queries.loading import IndexLoader
from queries.prune import blocks_that_may
from queries.timing import QueryTimings
from queries.values import Part

if TYPE_CHECKING:
    from queries.reader import Question

__all__ = ["ChunkSource"]

Places = npt.NDArray[np.int64]


class ChunkSource:
    """Chunks of one scope: an index that follows the catalog, and rows of chunks.

    Rows come from the column cache where a chunk is in it, else from the read cache, else from the
    chunk's file. Each is known by the chunk's checksum, so none is ever stale.

    Parameters
    ----------
    root : Path
        The data directory.
    scope : Scope
    loader : IndexLoader
        Reads the catalog.
    cache : ReadCache, optional
    spatial : bool
        Chunks of spatial targets, instead of stations.
    """

    def __init__(
        self,
        root: Path,
        scope: Scope,
        loader: IndexLoader,
        *,
        cache: ReadCache | None = None,
        spatial: bool = False,
    ) -> None:
        self.root = root
        self.scope = scope
        self.spatial = spatial
        self._loader = loader
        self._cache = cache
        self._columns: ColumnCache | None = None
        self._placed: tuple[ScopeIndex, Places] | None = None

    def index(self) -> ScopeIndex:
        """Return what is stored now."""
        return self._loader.index(self.scope, spatial=self.spatial)

    @property
    def schema(self) -> pa.Schema:
        """Physical schema of all that is stored now."""
        return self.index().schema

    def parts(
        self,
        index: ScopeIndex,
        chunks: npt.NDArray[np.intp],
        question: Question,
        timings: QueryTimings,
    ) -> Iterator[Part]:
        """Yield rows of chunks, given by their places in the index, in that order.

        Raises
        ------
        ChunkError
            When a chunk's file is damaged or gone.
        """
        for first, after, start in self._runs(index, chunks):
            if start >= 0:
                rows = int(index.rows_of[chunks[first:after]].sum())
                try:
                    yield from self._mapped(start, start + rows, question.names, timings)
                except Superseded:  # before the first rows: files are mapped all at once
                    self._placed = None
                else:
                    timings.count(cache_hits=after - first)
                    continue
            for place in chunks[first:after].tolist():
                yield self._chunk(index, place, question, timings)

    def keeper(self, timings: QueryTimings) -> Keep | None:
        """Return what keeps Arrow arrays of rows that the column cache holds; None without one."""
        return None if self._cache is None else partial(self._cache.array, timings)

    def _runs(
        self, index: ScopeIndex, chunks: npt.NDArray[np.intp]
    ) -> Iterator[tuple[int, int, int]]:
        """Yield runs of chunks that lie together in the column cache, and where; else -1."""
        if not len(chunks):
            return
        start = self._places(index)[chunks]
        follows = (start[1:] == start[:-1] + index.rows_of[chunks[:-1]]) & (start[:-1] >= 0)
        loose = (start[1:] < 0) & (start[:-1] < 0)
        edges = [0, *(np.flatnonzero(~(follows | loose)) + 1).tolist(), len(chunks)]
        for first, after in pairwise(edges):
            yield first, after, int(start[first])

    def _places(self, index: ScopeIndex) -> Places:
        """Return each chunk's first row in the column cache, -1 where it is not in it."""
        if self.spatial:
            return np.full(len(index), -1, np.int64)
        stamp = stamp_of(self.root, self.scope)
        known = None if self._columns is None else self._columns.stamp
        if self._placed is None or self._placed[0] is not index or known != stamp:
            self._columns = ColumnCache.open(self.root, self.scope)
            places = np.full(len(index), -1, np.int64)
            if self._columns is not None and self._columns.catalog == index.generation:
                places = self._columns.first_rows()
            elif self._columns is not None:
                found = [self._columns.first_row(checksum) for checksum in index.checksums]
                places[:] = [-1 if row is None else row for row in found]
            self._placed = (index, places)
        return self._placed[1]

    def _mapped(
        self, start: int, stop: int, names: Sequence[str], timings: QueryTimings
    ) -> Iterator[Part]:
        """Yield rows of the column cache, a segment at a time."""
        cache = self._columns
        assert cache is not None
        edges = [
            start,
            *range((start // SEGMENT_ROWS + 1) * SEGMENT_ROWS, stop, SEGMENT_ROWS),
            stop,
        ]
        for begin, end in pairwise(edges):
            with timings.phase("read"):
                columns = {
                    name: cache.column(name, begin, end) for name in names if name in cache.columns
                }
            timings.count(rows_decoded=end - begin, columns_read=len(columns))
            yield Part(end - begin, columns, (cache.generation, begin))

    def _chunk(
        self, index: ScopeIndex, place: int, question: Question, timings: QueryTimings
    ) -> Part:
        """Return a chunk's rows from the read cache or its file."""
        keys = index.keys_of(place, question.names)
        if keys is not None:
            return keys
        path = self.root / index.paths[place]
        if self.spatial:
            # files and caches know no target; the index does
            wished = [name for name in question.names if name != "target"]
            return index.named(place, self._part(index, place, path, wished, question, timings))
        return self._part(index, place, path, question.names, question, timings)

    def _part(
        self,
        index: ScopeIndex,
        place: int,
        path: Path,
        names: Sequence[str],
        question: Question,
        timings: QueryTimings,
    ) -> Part:
        if self._cache is None:

            def wanted(footer: Footer) -> Sequence[int]:
                return blocks_that_may(footer, question.term, question.policy)

            return read_part(path, names, timings, wanted)
        return self._cache.part(
            index.checksums[place],
            names,
            lambda names: read_whole(path, names, timings),
            timings,
        )
