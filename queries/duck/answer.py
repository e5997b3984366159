"""Answers to SQL: streamed, or kept as a table, and the errors on the way told as ours."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Any

import duckdb
import pyarrow as pa

from pipeline.errors import CimisError
from pipeline.lacks import NOTHING, Lacks
from queries.duck.engine import Engine, Parameters
from queries.duck.sandbox import translated
from queries.tally import Tally
from queries.timing import QueryTimings

__all__ = ["Answer"]

_BATCH_ROWS = 65_536


class Answer:
    """The answer to one SQL question: read it as often as wanted, in any form.

    The question is checked when asked and runs when it is first read. :meth:`batches` streams;
    reading again asks again, unless :meth:`table` (or :meth:`pl`, :meth:`df`) was called, which
    keeps the rows. With an unsafe engine it runs when asked, since it may do more than answer.

    Parameters
    ----------
    engine : Engine
    text : str
        One statement that reads; with an unsafe engine any number of any kind, of which the last
        one answers.
    parameters : sequence or mapping, optional
        Values for ``?`` (and ``$1``) or for ``$name``.
    timings : QueryTimings, optional
    tally : Tally, optional
        Counts the rows where it is known which stations were asked for.

    Raises
    ------
    UsageError
        For SQL that is wrong or not allowed; the message is DuckDB's first line. What is wrong with
        a column or a value is told when the answer is read, as is a damaged chunk.
    """

    def __init__(
        self,
        engine: Engine,
        text: str,
        parameters: Parameters | None = None,
        timings: QueryTimings | None = None,
        tally: Tally | None = None,
    ) -> None:
        self.tally = tally
        self._engine = engine
        self._text = text
        self._parameters = parameters
        self._table: pa.Table | None = None
        self.timings = timings or QueryTimings()
        self._fresh: _Run | None = self._run()
        if engine.unsafe:
            self.table()

    def _run(self) -> _Run:
        run, self._fresh = getattr(self, "_fresh", None), None
        return run or _Run(self._engine, self._text, self._parameters, self.timings)

    @property
    def schema(self) -> pa.Schema:
        """Schema of the answer; the question has then begun to run."""
        if self._table is not None:
            return self._table.schema
        self._fresh = self._run()
        return self._fresh.schema()

    @property
    def columns(self) -> list[str]:
        """Names of the answer's columns."""
        return list(self.schema.names)

    @property
    def lacks(self) -> Lacks:
        """What the answer is less than what was asked; it is read unless that has been done.

        Nothing is known of SQL of one's own, which may ask for anything.
        """
        if self.tally is None:
            return NOTHING
        if not self.tally.counted:
            for _ in self.batches():
                pass
        return self.tally.lacks()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows in record batches, without holding them."""
        found = self._batches()
        return found if self.tally is None else self.tally.over(found)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        if self._table is not None:
            yield from self._table.to_batches()
        else:
            yield from self._run().batches()

    def table(self) -> pa.Table:
        """Return all rows as a :class:`pyarrow.Table`, and keep them."""
        if self._table is None:
            schema = self.schema
            self._table = pa.Table.from_batches(list(self.batches()), schema=schema)
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
        if self._table is not None:
            columns = [column.to_pylist() for column in self._table.columns]
            return list(zip(*columns, strict=True))
        return self._run().tuples()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table().__arrow_c_stream__(requested_schema)

    def __len__(self) -> int:
        return int(self.table().num_rows)

    def __repr__(self) -> str:
        return f"<Answer: {', '.join(f'{f.name} {f.type}' for f in self.schema)}>"


class _Run:
    """One run of a question on a connection of its own, given back when its rows end."""

    def __init__(
        self, engine: Engine, text: str, parameters: Parameters | None, timings: QueryTimings
    ) -> None:
        self._engine = engine
        self._parameters = parameters
        self._timings = timings
        self._reader: Any = None
        self._begun = False
        with timings.phase("plan"):
            self._seat = engine.take(timings)
            self._cursor = self._seat.connection
            self._closing = weakref.finalize(self, self._cursor.close)
            with _Translation(self):
                self._statements = engine.statements(self._seat, text)

    def schema(self) -> pa.Schema:
        """Begin to run, unless that has happened, and return the answer's schema."""
        if not self._begun:
            self._begun = True
            with self._timings.engine(), _Translation(self):
                relation = self._cursor.sql(self._last(), params=self._parameters)
                # a statement without rows, such as SET, gives no relation
                self._reader = None if relation is None else relation.to_arrow_reader(_BATCH_ROWS)
        return pa.schema([]) if self._reader is None else self._reader.schema

    def _last(self) -> Any:
        """Run all statements but the last, and return that."""
        *first, last = self._statements
        for statement in first:
            self._cursor.execute(statement)
        return last

    def tuples(self) -> list[tuple[Any, ...]]:
        """Return all rows as Python values."""
        if self._begun:
            tables = list(self.batches())
            columns = [c.to_pylist() for c in pa.Table.from_batches(tables, self.schema()).columns]
            return list(zip(*columns, strict=True))
        with self._timings.engine(), _Translation(self):
            rows = self._cursor.execute(self._last(), self._parameters).fetchall()
        self._done()
        return rows

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows."""
        self.schema()
        try:
            while self._reader is not None:
                with self._timings.engine(), _Translation(self):
                    try:
                        batch = self._reader.read_next_batch()
                    except StopIteration:
                        break
                if batch.num_rows:
                    yield batch
        except BaseException:
            self._reader = None
            self._closing()
            raise
        self._done()

    def _done(self) -> None:
        self._reader = None
        if self._closing.detach() is not None:
            self._engine.give_back(self._seat)

    def close(self) -> None:
        """Close the connection."""
        self._closing()

    def failed(self) -> CimisError | None:
        """Return the error of our own that stopped the question, if one did."""
        return next((d.failure for d in self._seat.datasets() if d.failure is not None), None)


class _Translation:
    """A context that turns DuckDB's errors into ours, and gives back ours that passed through."""

    def __init__(self, run: _Run) -> None:
        self._run = run

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None or isinstance(error, CimisError | StopIteration):
            return
        own = self._run.failed()
        if own is not None:
            self._run.close()
            raise own from None
        if isinstance(error, duckdb.Error | pa.ArrowException):
            self._run.close()
            raise translated(error) from error
