"""Reads the catalog into the arrays that questions are planned on, anew when it has changed."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.dataset as ds

from pipeline.catalog import Catalog, ChunkRow
from pipeline.chunks import read_footer
from pipeline.errors import StoreError
from pipeline.items import Scope, by_code
from queries.index import ScopeIndex
from queries.listing import (
    CHUNK_SCHEMA,
    STATION_SCHEMA,
    LazyTable,
    chunk_table,
    station_table,
)
from queries.terms import Range

__all__ = ["IndexLoader"]


class IndexLoader:
    """What the catalog holds, as arrays and tables that follow its changes.

    Parameters
    ----------
    root : Path
        The data directory.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._catalog = Catalog(root)
        self._known: dict[Scope, tuple[int, ScopeIndex]] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the catalog."""
        self._catalog.close()

    def index(self, scope: Scope) -> ScopeIndex:
        """Return the chunks of a scope now; the same object until the catalog changes."""
        with self._lock:
            generation = self._catalog.generation()
            known = self._known.get(scope)
            if known is None or known[0] != generation:
                rows = [r for r in self._catalog.chunks(scope=scope) if r.station is not None]
                known = self._known[scope] = (generation, self._made(scope, rows))
            return known[1]

    def _made(self, scope: Scope, rows: Sequence[ChunkRow]) -> ScopeIndex:
        return ScopeIndex(
            scope,
            paths=[row.path for row in rows],
            checksums=[row.checksum for row in rows],
            stations=_integers([row.station or 0 for row in rows]),
            first_s=_integers([row.first_s for row in rows]),
            last_s=_integers([row.last_s for row in rows]),
            rows=_integers([row.rows for row in rows]),
            stored=self._columns(rows),
            values=lambda: _values(rows),
        )

    def _columns(self, rows: Sequence[ChunkRow]) -> dict[str, tuple[int, str]]:
        """Return decimals and unit per stored item, from as few footers as name them all."""
        found: dict[str, tuple[int, str]] = {}
        for row in reversed(rows):
            if found.keys() >= set(row.items):
                continue
            try:
                footer = read_footer(self._root / row.path)
            except StoreError:  # a damaged chunk is told of when its rows are asked for
                usual = [item for code in row.items if (item := by_code(code)) is not None]
                for item in usual:
                    found.setdefault(item.code, (item.decimals_metric, item.unit_metric))
                continue
            for column in footer.columns:
                found.setdefault(column.code, (column.decimals, column.unit))
        return found

    def stations(self) -> ds.Dataset:
        """Return the stations, one row each, read when they are scanned."""
        return LazyTable(STATION_SCHEMA, lambda: station_table(self._catalog.stations()))

    def chunks(self) -> ds.Dataset:
        """Return the chunks of all scopes, one row each, read when they are scanned."""
        return LazyTable(CHUNK_SCHEMA, lambda: chunk_table(self._catalog.chunks()))


def _integers(numbers: Sequence[int]) -> npt.NDArray[np.int64]:
    return np.array(numbers, np.int64)


def _values(rows: Sequence[ChunkRow]) -> dict[str, Range]:
    """Return per value column the bounds of each chunk, from the catalog's packed statistics.

    Chunks with the same items and number of blocks are unpacked together.
    """
    alike: dict[tuple[tuple[str, ...], int], list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        alike[row.items, int.from_bytes(row.statistics[:4], "little")].append(place)
    made: dict[str, Range] = {}
    for (items, blocks), places in alike.items():
        lows, highs, missing = _unpacked([rows[p].statistics for p in places], blocks, len(items))
        for number, code in enumerate(items):
            item = by_code(code)
            if item is None:
                continue
            known = made.setdefault(item.column, _nowhere(len(rows)))
            low, high = lows[:, :, number], highs[:, :, number]
            known.present[places] = ~np.isnan(low).all(axis=1)
            known.low[places] = np.fmin.reduce(low, axis=1)
            known.high[places] = np.fmax.reduce(high, axis=1)
            known.missing[places] = (missing[:, :, number] > 0).any(axis=1)
    return made


def _nowhere(size: int) -> Range:
    """Return the bounds of a column that no chunk has."""
    absent = np.zeros(size, np.bool_)
    return Range(np.full(size, np.nan), np.full(size, np.nan), absent, np.ones(size, np.bool_))


def _unpacked(blobs: list[bytes], blocks: int, columns: int) -> tuple[Any, Any, Any]:
    """Return minima, maxima and missing counts, each as (chunk, block, column)."""
    kind = np.dtype(
        [
            ("head", "<u4", 2),
            ("times", "<i8", (3, blocks)),
            ("low", "<f8", (blocks, columns)),
            ("high", "<f8", (blocks, columns)),
            ("missing", "<i8", (blocks, columns)),
        ]
    )
    whole = np.frombuffer(b"".join(blobs), kind)
    return whole["low"], whole["high"], whole["missing"]
