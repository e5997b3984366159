"""Reads the catalog into the arrays that questions are planned on, anew when it has changed."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.dataset as ds

from pipeline.catalog import Catalog
from pipeline.chunks import read_footer
from pipeline.errors import StoreError
from pipeline.items import Scope, by_code
from queries.columns import CHUNK_FACTS, ColumnCache
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
        self._known: dict[tuple[Scope, bool], tuple[int, ScopeIndex]] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the catalog."""
        self._catalog.close()

    def index(self, scope: Scope, *, spatial: bool = False) -> ScopeIndex:
        """Return the chunks of a scope now; the same object until the catalog changes.

        Either those of stations or those of spatial targets.
        """
        of = scope, spatial
        with self._lock:
            generation = self._catalog.generation()
            known = self._known.get(of)
            if known is None or known[0] != generation:
                known = self._known[of] = (generation, self._made(scope, generation, spatial))
            return known[1]

    def _made(self, scope: Scope, generation: int, spatial: bool) -> ScopeIndex:
        built = None if spatial else ColumnCache.open(self._root, scope)
        targets = None
        if built is not None and built.catalog == generation:
            facts, stored = built.chunks, built.stored
        else:
            rows = self._catalog.scope_chunks(scope, spatial=spatial)
            if spatial:
                targets = [row[1] for row in rows]
                rows = [(row[0], 0, *row[2:]) for row in rows]
            facts = np.array([row[:-1] for row in rows], CHUNK_FACTS)
            stored = self._columns([row[0] for row in rows], [row[-1] for row in rows])
        checksums = facts["checksum"].astype(str).tolist()
        return ScopeIndex(
            scope,
            paths=facts["path"].astype(str).tolist(),
            checksums=checksums,
            stations=np.ascontiguousarray(facts["station"], np.int64),
            first_s=np.ascontiguousarray(facts["first_s"]),
            last_s=np.ascontiguousarray(facts["last_s"]),
            rows=np.ascontiguousarray(facts["rows"]),
            stored=stored,
            generation=generation,
            values=lambda: self._values(scope, checksums, spatial=spatial),
            targets=targets,
        )

    def _columns(self, paths: Sequence[str], items: Sequence[str]) -> dict[str, tuple[int, str]]:
        """Return decimals and unit per stored item, from as few footers as name them all."""
        newest = {text: place for place, text in enumerate(items)}
        found: dict[str, tuple[int, str]] = {}
        for text, place in sorted(newest.items(), key=lambda pair: -pair[1]):
            if found.keys() >= set(text.split(",")):
                continue
            try:
                footer = read_footer(self._root / paths[place])
            except StoreError:  # a damaged chunk is told of when its rows are asked for
                for item in filter(None, map(by_code, text.split(","))):
                    found.setdefault(item.code, (item.decimals_metric, item.unit_metric))
                continue
            for column in footer.columns:
                found.setdefault(column.code, (column.decimals, column.unit))
        return found

    def _values(self, scope: Scope, checksums: Sequence[str], *, spatial: bool) -> dict[str, Range]:
        """Return bounds of values per chunk; none where the catalog has changed meanwhile."""
        rows = self._catalog.scope_statistics(scope, spatial=spatial)
        if [row[0] for row in rows] != list(checksums):
            return {}
        return _bounds([(items, packed) for _, items, packed in rows])

    def stations(self) -> ds.Dataset:
        """Return the stations, one row each, read when they are scanned."""
        return LazyTable(STATION_SCHEMA, lambda: station_table(self._catalog.stations()))

    def chunks(self) -> ds.Dataset:
        """Return the chunks of all scopes, one row each, read when they are scanned."""
        return LazyTable(CHUNK_SCHEMA, lambda: chunk_table(self._catalog.chunks()))


def _bounds(rows: Sequence[tuple[str, bytes]]) -> dict[str, Range]:
    """Return per value column the bounds of each chunk, from the catalog's packed statistics.

    Chunks with the same items and number of blocks are unpacked together.
    """
    alike: dict[tuple[str, int], list[int]] = defaultdict(list)
    for place, (items, packed) in enumerate(rows):
        alike[items, int.from_bytes(packed[:4], "little")].append(place)
    made: dict[str, Range] = {}
    for (items, blocks), places in alike.items():
        codes = [code for code in items.split(",") if code]
        lows, highs, missing = _unpacked([rows[p][1] for p in places], blocks, len(codes))
        for number, code in enumerate(codes):
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
