"""DuckDB over the chunks: a sandboxed connection with the store's views, and answers to SQL."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds

from pipeline.errors import CimisError
from queries.sandbox import SETTINGS, allowed, translated
from queries.timing import QueryTimings

__all__ = ["Answer", "Engine", "Parameters"]

Parameters = Sequence[Any] | Mapping[str, Any]

_BATCH_ROWS = 65_536


class Engine:
    """An in-memory DuckDB that sees the given datasets as views, and nothing else.

    Parameters
    ----------
    views : mapping of str to function
        For each view's name, what makes its dataset; called for each connection, so that every
        question fills timings of its own.
    unsafe : bool
        Lift the sandbox: files, network, extensions, configuration and writing statements.

    Notes
    -----
    Sandboxed, a question cannot read or write a file, reach the network, load an extension, see the
    caller's Python variables or change the configuration: DuckDB's external access is off and its
    configuration locked before the first question. ``temp_directory`` stays unset, so a question
    that outgrows memory fails instead of spilling to disk.
    """

    def __init__(
        self,
        views: Mapping[str, Callable[[QueryTimings], ds.Dataset]],
        *,
        unsafe: bool = False,
    ) -> None:
        self._views = views
        self.unsafe = unsafe
        self._root = duckdb.connect(":memory:")
        # an open connection at exit makes the binding print leaks to standard error
        self._closing = weakref.finalize(self, self._root.close)
        self._root.execute("SET temp_directory = ''")
        if not unsafe:
            for setting in SETTINGS:
                self._root.execute(setting)

    def close(self) -> None:
        """Close the database; safe to call twice."""
        self._closing()

    def connection(self, timings: QueryTimings | None = None) -> duckdb.DuckDBPyConnection:
        """Return a new connection with the views; the caller closes it."""
        return self._connected(timings or QueryTimings())[0]

    def _connected(
        self, timings: QueryTimings
    ) -> tuple[duckdb.DuckDBPyConnection, list[ds.Dataset]]:
        cursor = self._root.cursor()
        sources = [make(timings) for make in self._views.values()]
        for name, source in zip(self._views, sources, strict=True):
            cursor.register(name, source)
        return cursor, sources

    def ask(
        self,
        text: str,
        parameters: Parameters | None = None,
        *,
        timings: QueryTimings | None = None,
    ) -> Answer:
        """Return the answer to SQL, its first rows already worked out.

        Parameters
        ----------
        text : str
            One statement that reads; with ``unsafe``, any number of any kind, of which the last
            one answers.
        parameters : sequence or mapping, optional
            Values for ``?`` (and ``$1``) or for ``$name``.
        timings : QueryTimings, optional

        Raises
        ------
        UsageError
            For SQL that is wrong or not allowed; the message is DuckDB's first line.
        StoreError
            When a chunk that the question needs is damaged.
        """
        return Answer(self, text, parameters, timings or QueryTimings())


class Answer:
    """The answer to one SQL question: read it as often as wanted, in any form.

    The question runs once when asked, up to its first rows. :meth:`batches` then streams; reading
    again asks again, unless :meth:`table` (or :meth:`pl`, :meth:`df`, :meth:`fetchall`) was called,
    which keeps the rows.
    """

    def __init__(
        self, engine: Engine, text: str, parameters: Parameters | None, timings: QueryTimings
    ) -> None:
        self._engine = engine
        self._text = text
        self._parameters = parameters
        self._table: pa.Table | None = None
        self.timings = timings
        self._fresh: _Stream | None = self._run()
        self.schema: pa.Schema = self._fresh.schema

    def _run(self) -> _Stream:
        return _Stream(self._engine, self._text, self._parameters, self.timings)

    @property
    def columns(self) -> list[str]:
        """Names of the answer's columns."""
        return list(self.schema.names)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows in record batches, without holding them."""
        if self._table is not None:
            yield from self._table.to_batches()
            return
        stream, self._fresh = self._fresh or self._run(), None
        yield from stream

    def table(self) -> pa.Table:
        """Return all rows as a :class:`pyarrow.Table`, and keep them."""
        if self._table is None:
            self._table = pa.Table.from_batches(list(self.batches()), schema=self.schema)
        return self._table

    def pl(self) -> Any:
        """Return all rows as a :class:`polars.DataFrame`."""
        import polars as pl

        return pl.from_arrow(self.table())

    def df(self) -> Any:
        """Return all rows as a :class:`pandas.DataFrame`; needs pandas."""
        return self.table().to_pandas()

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return all rows as tuples of Python values."""
        columns = [_plain_values(column) for column in self.table().columns]
        return list(zip(*columns, strict=True))

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table().__arrow_c_stream__(requested_schema)

    def __len__(self) -> int:
        return int(self.table().num_rows)

    def __repr__(self) -> str:
        return f"<Answer: {', '.join(f'{f.name} {f.type}' for f in self.schema)}>"


def _plain_values(column: pa.ChunkedArray) -> list[Any]:
    """Return a column as Python values; DuckDB's wide integers come as decimals of scale 0."""
    values: list[Any] = column.to_pylist()
    if pa.types.is_decimal(column.type) and column.type.scale == 0:
        return [None if value is None else int(value) for value in values]
    return values


class _Stream:
    """One run of a question on a connection of its own, closed when its rows end."""

    def __init__(
        self, engine: Engine, text: str, parameters: Parameters | None, timings: QueryTimings
    ) -> None:
        self._timings = timings
        with timings.phase("plan"):
            self._cursor, self._sources = engine._connected(timings)
        self._closing = weakref.finalize(self, self._cursor.close)
        self._reader: Any = None
        with timings.engine(), self._translated():
            *first, last = allowed(self._cursor, text, unsafe=engine.unsafe)
            for statement in first:
                self._cursor.execute(statement)
            relation = self._cursor.sql(last, params=parameters)
            # a statement without rows, such as SET, gives no relation
            self._reader = None if relation is None else relation.to_arrow_reader(_BATCH_ROWS)
        self.schema = pa.schema([]) if self._reader is None else self._reader.schema

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        try:
            while self._reader is not None:
                with self._timings.engine(), self._translated():
                    try:
                        batch = self._reader.read_next_batch()
                    except StopIteration:
                        break
                if batch.num_rows:
                    yield batch
        finally:
            self._reader = None
            self._closing()

    def _translated(self) -> _Translation:
        return _Translation(self)

    def failed(self) -> CimisError | None:
        """Return the error of our own that stopped the question, if one did."""
        return next(
            (e for source in self._sources if (e := getattr(source, "failure", None)) is not None),
            None,
        )


class _Translation:
    """A context that turns DuckDB's errors into ours, and gives back ours that passed through."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None or isinstance(error, CimisError | StopIteration):
            return
        own = self._stream.failed()
        if own is not None:
            self._stream._closing()
            raise own from None
        if isinstance(error, duckdb.Error | pa.ArrowException):
            self._stream._closing()
            raise translated(error) from error
