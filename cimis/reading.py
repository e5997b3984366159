"""What a store answers: rows, frames, SQL and datasets over its chunks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cimis.arguments import (
    Day,
    Items,
    Stations,
    count_of,
    items_of,
    open_span_of,
    scope_of,
    station_numbers,
)
from cimis.lacking import tally_of, warned
from pipeline.errors import StoreError, UsageError
from pipeline.items import Scope

if TYPE_CHECKING:
    import duckdb
    import polars as pl
    import pyarrow.dataset as ds

    from queries.cache import ReadCache
    from queries.dataset import ChunkDataset
    from queries.duck import Answer, Engine, Parameters
    from queries.loading import IndexLoader
    from queries.rows import Rows
    from queries.source import ChunkSource
    from queries.tally import Tally
    from queries.timing import QueryTimings

__all__ = ["Reading"]


class Reading:
    """The reading half of a :class:`cimis.Store`, which is what users open.

    Sources, engines and the cache are made when they are first needed, and owned here.
    """

    def __init__(self, root: Path, cache_bytes: int) -> None:
        self.root = root
        self._cache_bytes = cache_bytes
        self._sources: dict[tuple[Scope, bool], ChunkSource] = {}
        self._engines: dict[tuple[str, bool, bool], Engine] = {}
        self._loader: IndexLoader | None = None
        self._cache: ReadCache | None = None
        self._closed = False

    def close(self) -> None:
        """Close connections and files; safe to call twice."""
        self._closed = True
        for engine in self._engines.values():
            engine.close()
        if self._cache is not None:
            self._cache.close()
        if self._loader is not None:
            self._loader.close()
        self._engines.clear()
        self._sources.clear()

    def daily(
        self,
        stations: Stations | None = None,
        start: Day | None = None,
        end: Day | None = None,
        items: Items | None = None,
        *,
        units: str = "metric",
        qc: str = "keep",
    ) -> pl.DataFrame:
        """Return daily rows as a data frame, in station and date order.

        Parameters
        ----------
        stations : int, str or iterable of int, optional
            Station numbers, as ``2``, ``[2, 5]`` or ``"2,5-7"``; by default all that are stored.
        start, end : date or str, optional
            First and last day (``"2024-06-01"``), both inclusive.
        items : str or iterable of str, optional
            Items by short name or API code; by default all that are stored.
        units : {"metric", "english"}
        qc : {"keep", "drop-severe", "strict"}
            What flags do to values: nothing; those flagged severe become missing; all flagged do.

        Returns
        -------
        polars.DataFrame
            ``station`` (UInt16), ``date``, and per item its value (Float64, missing is null) and
            its flag (String, passed is null).

        Raises
        ------
        UsageError
            For an unknown item, policy, unit, or a date that is none.
        StoreError
            When the catalog or a chunk is damaged.

        Warns
        -----
        IncompleteAnswer
            When stations, days or items that were asked for are not there; its ``lacks`` tell.
        """
        return warned(
            self.query(
                "daily", stations=stations, start=start, end=end, items=items, units=units, qc=qc
            )
        )

    def hourly(
        self,
        stations: Stations | None = None,
        start: Day | None = None,
        end: Day | None = None,
        items: Items | None = None,
        *,
        units: str = "metric",
        qc: str = "keep",
    ) -> pl.DataFrame:
        """Return hourly rows as a data frame, in station and time order; see :meth:`daily`.

        ``time`` is the end of the hour in Pacific standard time, all year; ``date`` and ``hour``
        (1..24) are the network's own, and ``start`` and ``end`` mean ``date``.
        """
        rows = self.query(
            "hourly", stations=stations, start=start, end=end, items=items, units=units, qc=qc
        )
        return warned(rows)

    def query(
        self,
        scope: str | Scope = "daily",
        *,
        stations: Stations | None = None,
        start: Day | None = None,
        end: Day | None = None,
        items: Items | None = None,
        units: str = "metric",
        qc: str = "keep",
        limit: int | None = None,
        timings: QueryTimings | None = None,
    ) -> Rows:
        """Return the same rows unread: to stream, to write, to time; it has ``lacks``."""
        from queries.conversion import standard
        from queries.quality import policy
        from queries.rows import select

        chosen = scope_of(scope)
        numbers = station_numbers(stations)
        first, last = open_span_of(start, end)
        wanted = items_of(items, chosen)
        most = None if limit is None else count_of(limit, "a limit")
        return select(
            self._source(chosen),
            stations=numbers,
            start=first,
            end=last,
            items=wanted,
            units=standard(units),
            policy=policy(qc),
            limit=most,
            timings=timings,
            tally=tally_of(self.root, chosen, numbers, first, last, wanted, limit=most),
        )

    def scan_daily(self, *, qc: str = "keep", timings: QueryTimings | None = None) -> pl.LazyFrame:
        """Return a lazy frame of all daily rows, which reads only what its plan needs."""
        return self._scan(Scope.DAILY, qc, timings)

    def scan_hourly(self, *, qc: str = "keep", timings: QueryTimings | None = None) -> pl.LazyFrame:
        """Return a lazy frame of all hourly rows, which reads only what its plan needs."""
        return self._scan(Scope.HOURLY, qc, timings)

    def _scan(self, scope: Scope, qc: str, timings: QueryTimings | None) -> pl.LazyFrame:
        from queries.frames import scan
        from queries.quality import policy

        return scan(self._source(scope), policy=policy(qc), timings=timings)

    def dataset(
        self,
        scope: str | Scope = "daily",
        *,
        qc: str = "keep",
        timings: QueryTimings | None = None,
    ) -> ChunkDataset:
        """Return the rows of a scope as a :class:`pyarrow.dataset.Dataset`."""
        from queries.dataset import ChunkDataset
        from queries.quality import policy

        return ChunkDataset(self._source(scope_of(scope)), policy=policy(qc), timings=timings)

    def sql(
        self,
        text: str,
        params: Parameters | None = None,
        *,
        qc: str = "keep",
        unsafe: bool = False,
        timings: QueryTimings | None = None,
    ) -> Answer:
        """Return the answer to SQL over daily, hourly, spatial_daily, stations and chunks.

        Parameters
        ----------
        text : str
            One statement that reads, in DuckDB's dialect; see :class:`queries.duck.Engine`.
        params : sequence or mapping, optional
            Values for ``?`` or ``$name``.
        qc : {"keep", "drop-severe", "strict"}
        unsafe : bool
            Lift the sandbox: files, network, extensions, configuration, writing statements.
        timings : QueryTimings, optional

        Raises
        ------
        UsageError
            For SQL that is wrong or not allowed.
        """
        return self._answer(text, params, qc=qc, unsafe=unsafe, timings=timings)

    def _answer(
        self,
        text: str,
        params: Parameters | None = None,
        *,
        qc: str = "keep",
        unsafe: bool = False,
        timings: QueryTimings | None = None,
        tally: Tally | None = None,
    ) -> Answer:
        from queries.duck import Answer

        if not isinstance(text, str):
            raise UsageError(f"{text!r} is no SQL", hint="give a text")
        engine = self._engine(qc, unsafe=unsafe, spatial="spatial_daily" in text.lower())
        return Answer(engine, text, params, timings, tally)

    def connect(self, *, qc: str = "keep", unsafe: bool = False) -> duckdb.DuckDBPyConnection:
        """Return a DuckDB connection with the same views, sandboxed; close it after use."""
        return self._engine(qc, unsafe=unsafe, spatial=True).connection()

    def _indexes(self) -> IndexLoader:
        if self._closed:
            raise StoreError(f"the store at '{self.root}' is closed", hint="open it again")
        if self._loader is None:
            from queries.loading import IndexLoader

            self._loader = IndexLoader(self.root)
        return self._loader

    def _source(self, scope: Scope, *, spatial: bool = False) -> ChunkSource:
        loader = self._indexes()
        if (scope, spatial) not in self._sources:
            from queries.source import ChunkSource

            self._sources[scope, spatial] = ChunkSource(
                self.root, scope, loader, cache=self._read_cache(), spatial=spatial
            )
        return self._sources[scope, spatial]

    def _read_cache(self) -> ReadCache | None:
        if self._cache_bytes and self._cache is None:
            from queries.cache import ReadCache
            from queries.cache_disk import cache_folder

            self._cache = ReadCache(self._cache_bytes, cache_folder(self.root))
        return self._cache

    def _engine(self, qc: str, *, unsafe: bool, spatial: bool) -> Engine:
        from queries.dataset import ChunkDataset
        from queries.duck import Engine
        from queries.quality import policy

        chosen, loader = policy(qc), self._indexes()
        if (chosen, unsafe, spatial) not in self._engines:

            def rows(scope: Scope, spatial: bool = False) -> Callable[[], ChunkDataset]:
                return lambda: ChunkDataset(self._source(scope, spatial=spatial), policy=chosen)

            views: dict[str, Callable[[], ds.Dataset]] = {
                "daily": rows(Scope.DAILY),
                "hourly": rows(Scope.HOURLY),
                "stations": loader.stations,
                "chunks": loader.chunks,
            }
            if spatial:  # a view costs each question a little, and few ask for this one
                views["spatial_daily"] = rows(Scope.DAILY, True)
            self._engines[chosen, unsafe, spatial] = Engine(views, unsafe=unsafe)
        return self._engines[chosen, unsafe, spatial]
