"""A pyarrow Dataset over a scope's chunks: projection, exact filters and pruning."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any, NoReturn

import pyarrow as pa
import pyarrow.dataset as ds

from pipeline.errors import CimisError, UsageError
from queries.expressions import columns_in, term_of
from queries.quality import FlagPolicy
from queries.reader import EARLY_ROWS, Question, answer
from queries.source import ChunkSource
from queries.terms import UNKNOWN, Term
from queries.timing import QueryTimings

__all__ = ["ChunkDataset", "ChunkScanner"]

_ENGINE_ROWS = 65_536
"""Rows of a batch for an engine that shares out batches to threads: enough of them for all."""


class ChunkDataset(ds.Dataset):  # type: ignore[misc]  # pyarrow ships no types
    """Rows of one scope of a data directory, as any user of pyarrow datasets expects them.

    Batches come in station and time order and can be read again and again. A filter is applied
    exactly, and before that decides which chunks are opened at all.

    Parameters
    ----------
    source : ChunkSource
        Chunks of one scope.
    policy : FlagPolicy
        What QC flags do to their values.
    timings : QueryTimings, optional
        Is filled by every scan.

    Attributes
    ----------
    failure : CimisError or None
        The error that stopped a scan: engines between the caller and here may hide its type.
    """

    def __init__(
        self,
        source: ChunkSource,
        *,
        policy: FlagPolicy = FlagPolicy.KEEP,
        timings: QueryTimings | None = None,
        filter: Any = None,  # noqa: A002
    ) -> None:
        self._source = source
        self._policy = policy
        self._timings = timings or QueryTimings()
        self._filter = filter
        self._schema = source.schema
        self.failure: CimisError | None = None

    @property
    def schema(self) -> pa.Schema:
        """Physical schema: the keys, then every item stored anywhere with its flag column.

        It is what was stored when the dataset was made, and does not change; the rows do.
        """
        return self._schema

    def use(self, timings: QueryTimings) -> None:
        """Fill other timings from now on, and forget a former failure."""
        self._timings = timings
        self.failure = None

    def is_current(self) -> bool:
        """Tell whether the schema is still that of what is stored."""
        return bool(self._source.schema.equals(self._schema, check_metadata=True))

    def scanner(
        self,
        columns: list[str] | dict[str, Any] | None = None,
        filter: Any = None,  # noqa: A002
        batch_size: int = 131_072,
        **_options: Any,
    ) -> ChunkScanner:
        """Return a scan of some columns and the rows that satisfy a filter.

        Parameters
        ----------
        columns : list of str or dict of str to expression, optional
            By default all, in schema order.
        filter : pyarrow.compute.Expression, optional
            May read columns that are not returned.
        batch_size : int
            Greatest number of rows of a batch.
        **_options
            Options of pyarrow's own readers (threads, read-ahead, memory) mean nothing here.
        """
        if self._filter is not None:
            filter = self._filter if filter is None else self._filter & filter  # noqa: A001
        return ChunkScanner(self, columns, filter, batch_size)

    def reader_of(self, columns: list[str], term: Term | None) -> pa.Table | pa.RecordBatchReader:
        """Return some columns of the rows for which an exact tree of terms is true, as a stream.

        Few rows are read at once and come as a table: an engine that takes them on a thread of its
        own need not wait for the interpreter at every batch.
        """
        schema = pa.schema([self._schema.field(n) for n in columns])
        question = Question(
            schema=schema,
            term=term or UNKNOWN,
            exact=term is not None,
            policy=self._policy,
            batch_rows=_ENGINE_ROWS,
        )
        batches = self._answered(question)
        early: list[pa.RecordBatch] = []
        while sum(batch.num_rows for batch in early) < EARLY_ROWS:
            batch = next(batches, None)
            if batch is None:
                return pa.Table.from_batches(early, schema)
            early.append(batch)
        return pa.RecordBatchReader.from_batches(schema, chain(early, batches))

    def _answered(self, question: Question) -> Iterator[pa.RecordBatch]:
        """Yield the rows of an answer; an error of ours is kept for the engine's caller."""
        try:
            yield from answer(self._source, question, self._timings)
        except CimisError as error:
            self.failure = error
            raise

    def filter(self, expression: Any) -> ChunkDataset:
        """Return a dataset of the rows that satisfy an expression."""
        both = expression if self._filter is None else self._filter & expression
        return ChunkDataset(self._source, policy=self._policy, timings=self._timings, filter=both)

    def count_rows(self, filter: Any = None, **options: Any) -> int:  # noqa: A002
        """Return the number of rows; without a filter from the catalog alone."""
        return self.scanner(filter=filter, **options).count_rows()

    def to_table(self, columns: Any = None, filter: Any = None, **options: Any) -> pa.Table:  # noqa: A002
        """Return the rows as a table."""
        return self.scanner(columns=columns, filter=filter, **options).to_table()

    def to_batches(
        self,
        columns: Any = None,
        filter: Any = None,  # noqa: A002
        **options: Any,
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows in batches."""
        return self.scanner(columns=columns, filter=filter, **options).to_batches()

    def head(self, num_rows: int, **options: Any) -> pa.Table:
        """Return the first rows."""
        return self.scanner(**options).head(num_rows)

    def take(self, indices: Any, **options: Any) -> pa.Table:
        """Return rows by their place."""
        return self.scanner(**options).to_table().take(indices)

    def sort_by(self, sorting: Any, **options: Any) -> ds.Dataset:
        """Return the rows sorted, as a dataset in memory."""
        return ds.dataset(self.to_table(**options).sort_by(sorting))

    def join(self, right_dataset: Any, *arguments: Any, **options: Any) -> ds.Dataset:
        """Return a join with another dataset, as a dataset in memory."""
        joined = self.to_table().join(right_dataset.to_table(), *arguments, **options)
        return ds.dataset(joined)

    def join_asof(self, right_dataset: Any, *arguments: Any, **options: Any) -> ds.Dataset:
        """Return a nearest-time join with another dataset, as a dataset in memory."""
        joined = self.to_table().join_asof(right_dataset.to_table(), *arguments, **options)
        return ds.dataset(joined)

    @property
    def partition_expression(self) -> Any:
        """What is true of every row: nothing in particular."""
        return ds.scalar(True)

    def get_fragments(self, filter: Any = None) -> NoReturn:  # noqa: A002, ARG002
        """Chunks are not pyarrow fragments; scan with a filter instead."""
        raise UsageError("a chunk dataset has no fragments", hint="scan it with a filter")

    def replace_schema(self, schema: pa.Schema) -> NoReturn:  # noqa: ARG002
        """The schema follows from what is stored; cast the table instead."""
        raise UsageError("a chunk dataset's schema is fixed", hint="cast the table it gives")

    def __reduce__(self) -> NoReturn:
        raise UsageError("a chunk dataset cannot be pickled", hint="open the store in each process")


class ChunkScanner:
    """One scan of a :class:`ChunkDataset`; can be read again and again."""

    def __init__(
        self,
        dataset: ChunkDataset,
        columns: list[str] | dict[str, Any] | None,
        filter: Any,  # noqa: A002
        batch_size: int,
    ) -> None:
        self._dataset = dataset
        self._expressions = columns if isinstance(columns, dict) else None
        names = dataset.schema.names
        self._columns = list(names if columns is None or self._expressions else columns)
        unknown = [name for name in self._columns if name not in names]
        if unknown:
            raise UsageError(
                f"no column '{unknown[0]}' among what is stored",
                hint=f"columns: {', '.join(names)}",
            )
        self._filter = filter
        self._batch_size = batch_size

    @property
    def dataset_schema(self) -> pa.Schema:
        """Schema of the whole dataset."""
        return self._dataset.schema

    @property
    def projected_schema(self) -> pa.Schema:
        """Schema of what the scan gives."""
        if self._expressions is not None:
            return self._computed(iter(())).projected_schema
        return self._plain_schema()

    def _plain_schema(self) -> pa.Schema:
        schema = self._dataset.schema
        return pa.schema([schema.field(n) for n in self._columns], metadata=schema.metadata)

    def _question(self) -> Question:
        names = self._dataset.schema.names
        read = [] if self._filter is None else columns_in(self._filter, names)
        return Question(
            schema=self._plain_schema(),
            term=term_of(self._filter),
            keep=None if self._filter is None else self._kept,
            keep_fields=tuple(self._dataset.schema.field(name) for name in read),
            policy=self._dataset._policy,
            batch_rows=self._batch_size,
        )

    def _kept(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        return batch.filter(self._filter)

    def _rows(self) -> Iterator[pa.RecordBatch]:
        return self._dataset._answered(self._question())

    def _computed(self, batches: Iterator[pa.RecordBatch]) -> ds.Scanner:
        return ds.Scanner.from_batches(
            batches, schema=self._plain_schema(), columns=self._expressions
        )

    def to_batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows in batches, in station and time order."""
        if self._expressions is not None:
            return iter(self._computed(self._rows()).to_batches())
        return self._rows()

    def to_reader(self) -> pa.RecordBatchReader:
        """Return a reader of the rows."""
        return pa.RecordBatchReader.from_batches(self.projected_schema, self.to_batches())

    def to_table(self) -> pa.Table:
        """Return the rows as a table."""
        return pa.Table.from_batches(list(self.to_batches()), schema=self.projected_schema)

    def head(self, num_rows: int) -> pa.Table:
        """Return the first rows, reading no further than they need."""
        found: list[pa.RecordBatch] = []
        left = num_rows
        for batch in self.to_batches() if num_rows > 0 else ():
            found.append(batch.slice(0, left))
            left -= batch.num_rows
            if left <= 0:
                break
        return pa.Table.from_batches(found, schema=self.projected_schema)

    def take(self, indices: Any) -> pa.Table:
        """Return rows by their place."""
        return self.to_table().take(indices)

    def count_rows(self) -> int:
        """Return the number of rows; without a filter from the catalog alone."""
        if self._filter is None:
            return self._dataset._source.index().rows
        key = self._dataset.schema.names[0]
        narrow = ChunkScanner(self._dataset, [key], self._filter, self._batch_size)
        return sum(int(batch.num_rows) for batch in narrow._rows())
