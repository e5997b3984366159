"""One open data directory: what users hold to read, ask and fetch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from cimis.arguments import Day, Stations, byte_count, day_of, scope_of, station_numbers
from pipeline.errors import StoreError
from pipeline.items import Item, Scope, resolve

if TYPE_CHECKING:
    import duckdb
    import polars as pl

    from queries.cache import ReadCache
    from queries.dataset import ChunkDataset
    from queries.duck import Answer, Engine, Parameters
    from queries.loading import IndexLoader
    from queries.rows import Rows
    from queries.source import ChunkSource
    from queries.timing import QueryTimings

__all__ = ["Store", "create", "open_store"]


class Store:
    """A data directory, open for questions; also a context manager.

    Use :func:`cimis.open`. A store sees what other processes store while it is open: every question
    reads what the catalog holds at its start.

    Parameters
    ----------
    root : path
        The data directory.
    cache : int or str
        Bound of the read cache in bytes, or as ``"50MB"``; 0 keeps nothing.

    Examples
    --------
    >>> import cimis
    >>> with cimis.open("data") as store:                        # doctest: +SKIP
    ...     june = store.daily(stations=[2, 5], start="2024-06-01", end="2024-06-30")
    """

    def __init__(self, root: str | Path, *, cache: int | str = 0) -> None:
        self.root = _checked(Path(root))
        self._cache_bytes = byte_count(cache)
        self._sources: dict[Scope, ChunkSource] = {}
        self._engines: dict[tuple[str, bool], Engine] = {}
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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Store {str(self.root)!r}{' closed' if self._closed else ''}>"

    def daily(
        self,
        stations: Stations | None = None,
        start: Day | None = None,
        end: Day | None = None,
        items: str | Iterable[str | Item] | None = None,
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
        """
        return self.query(
            "daily", stations=stations, start=start, end=end, items=items, units=units, qc=qc
        ).pl()

    def hourly(
        self,
        stations: Stations | None = None,
        start: Day | None = None,
        end: Day | None = None,
        items: str | Iterable[str | Item] | None = None,
        *,
        units: str = "metric",
        qc: str = "keep",
    ) -> pl.DataFrame:
        """Return hourly rows as a data frame, in station and time order; see :meth:`daily`.

        ``time`` is the end of the hour in Pacific standard time, all year; ``date`` and ``hour``
        (1..24) are the network's own, and ``start`` and ``end`` mean ``date``.
        """
        return self.query(
            "hourly", stations=stations, start=start, end=end, items=items, units=units, qc=qc
        ).pl()

    def query(
        self,
        scope: str | Scope = "daily",
        *,
        stations: Stations | None = None,
        start: Day | None = None,
        end: Day | None = None,
        items: str | Iterable[str | Item] | None = None,
        units: str = "metric",
        qc: str = "keep",
        limit: int | None = None,
        timings: QueryTimings | None = None,
    ) -> Rows:
        """Return the same rows unread: to stream in batches, to write to a file, to time."""
        from queries.quality import policy
        from queries.rows import select
        from queries.units import standard

        chosen = scope_of(scope)
        return select(
            self._source(chosen),
            stations=station_numbers(stations),
            start=day_of(start, end=False),
            end=day_of(end, end=True),
            items=None if items is None else resolve(items, chosen),
            units=standard(units),
            policy=policy(qc),
            limit=limit,
            timings=timings,
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
        """Return the answer to SQL over the views daily, hourly, stations and chunks.

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
        return self._engine(qc, unsafe=unsafe).ask(text, params, timings=timings)

    def connect(self, *, qc: str = "keep", unsafe: bool = False) -> duckdb.DuckDBPyConnection:
        """Return a DuckDB connection with the same views, sandboxed; close it after use."""
        return self._engine(qc, unsafe=unsafe).connection()

    def stations(self) -> pl.DataFrame:
        """Return the stations that the catalog knows, as the service lists them."""
        import polars as pl

        frame = pl.from_arrow(self._indexes().stations().to_table())
        assert isinstance(frame, pl.DataFrame)
        return frame

    def chunks(self) -> pl.DataFrame:
        """Return one row per stored chunk: path, station, year, scope, rows, times, state."""
        import polars as pl

        frame = pl.from_arrow(self._indexes().chunks().to_table())
        assert isinstance(frame, pl.DataFrame)
        return frame

    def _indexes(self) -> IndexLoader:
        if self._closed:
            raise StoreError(f"the store at '{self.root}' is closed", hint="open it again")
        if self._loader is None:
            from queries.loading import IndexLoader

            self._loader = IndexLoader(self.root)
        return self._loader

    def _source(self, scope: Scope) -> ChunkSource:
        loader = self._indexes()
        if scope not in self._sources:
            from queries.source import ChunkSource

            self._sources[scope] = ChunkSource(self.root, scope, loader, cache=self._read_cache())
        return self._sources[scope]

    def _read_cache(self) -> ReadCache | None:
        if self._cache_bytes and self._cache is None:
            from queries.cache import ReadCache, cache_folder

            self._cache = ReadCache(self._cache_bytes, cache_folder(self.root))
        return self._cache

    def _engine(self, qc: str, *, unsafe: bool) -> Engine:
        from queries.dataset import ChunkDataset
        from queries.duck import Engine
        from queries.quality import policy

        chosen = policy(qc)
        loader = self._indexes()
        if (chosen, unsafe) not in self._engines:

            def rows(scope: Scope) -> Callable[[QueryTimings], ChunkDataset]:
                return lambda timings: ChunkDataset(
                    self._source(scope), policy=chosen, timings=timings
                )

            views = {
                "daily": rows(Scope.DAILY),
                "hourly": rows(Scope.HOURLY),
                "stations": lambda _: loader.stations(),
                "chunks": lambda _: loader.chunks(),
            }
            self._engines[chosen, unsafe] = Engine(views, unsafe=unsafe)
        return self._engines[chosen, unsafe]


def open_store(path: str | Path = "data", *, cache: int | str = 0) -> Store:
    """Open a data directory.

    Parameters
    ----------
    path : path
        Made by ``cimis init`` or :func:`create`.
    cache : int or str
        Bound of the read cache in bytes, or as ``"50MB"``; 0 keeps nothing.

    Raises
    ------
    StoreError
        When there is no data directory at the path.
    """
    return Store(path, cache=cache)


def create(path: str | Path) -> Store:
    """Make a data directory, unless it is one already, and open it.

    Raises
    ------
    StoreError
        When the path is a file, or nothing can be written there.
    """
    from pipeline.catalog import Catalog

    root = Path(path)
    if root.exists() and not root.is_dir():
        raise StoreError(f"'{root}' is a file, not a directory", hint="choose another path")
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"cannot make '{root}': {error.strerror}", hint="choose a folder you may write to"
        ) from error
    with Catalog(root, create=True):
        pass
    return Store(root)


def _checked(root: Path) -> Path:
    """Return the root of a data directory that is one."""
    if not root.exists():
        raise StoreError(
            f"there is no data directory at '{root}'", hint=f"make one: cimis init {root}"
        )
    if not root.is_dir():
        raise StoreError(f"'{root}' is a file, not a data directory", hint="name its directory")
    if not (root / "metadata.sqlite3").is_file():
        raise StoreError(
            f"'{root}' is no data directory: it has no metadata.sqlite3",
            hint=f"make one with 'cimis init {root}', or rebuild with 'cimis verify --repair'",
        )
    return root
