"""Polars over the chunks: lazy frames that read only what the plan needs."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import pyarrow as pa
from polars.io.plugins import register_io_source

from queries.polars_terms import term_of_json
from queries.quality import FlagPolicy
from queries.reader import Question, answer
from queries.source import ChunkSource
from queries.terms import UNKNOWN
from queries.timing import QueryTimings

__all__ = ["frame", "polars_schema", "scan", "whole"]


def polars_schema(schema: pa.Schema) -> pl.Schema:
    """Return the Polars schema of a physical Arrow schema; flags are strings."""
    return pl.Schema({field.name: _dtype(field.type) for field in schema})


def _dtype(kind: pa.DataType) -> pl.DataType:
    if pa.types.is_dictionary(kind):
        return pl.String()
    empty = pl.from_arrow(pa.array([], kind))
    assert isinstance(empty, pl.Series)
    return empty.dtype


def frame(batches: list[pa.RecordBatch], schema: pa.Schema) -> pl.DataFrame:
    """Return batches of a physical schema as one data frame; flags are strings."""
    plain = [f.with_type(pa.string()) if pa.types.is_dictionary(f.type) else f for f in schema]
    target = pa.schema(plain)
    columns = [
        pa.chunked_array([_plain(b.column(i)) for b in batches], type=field.type)
        for i, field in enumerate(target)
    ]
    return whole(pa.table(columns, schema=target))


def whole(table: pa.Table) -> pl.DataFrame:
    """Return an Arrow table as a data frame, without a copy where that can be."""
    made = pl.from_arrow(table, rechunk=False)
    assert isinstance(made, pl.DataFrame)
    return made


def _plain(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def scan(
    source: ChunkSource,
    *,
    policy: FlagPolicy = FlagPolicy.KEEP,
    timings: QueryTimings | None = None,
) -> pl.LazyFrame:
    """Return a lazy frame over a scope's chunks.

    Columns, predicate and row limit are pushed down to the chunks: one that cannot match is not
    opened, a column that is not asked for is not decoded. Polars applies neither predicate nor
    limit again, so both are applied here, exactly.
    """
    schema = source.schema
    filled = timings or QueryTimings()

    def read(
        with_columns: list[str] | None,
        predicate: pl.Expr | None,
        n_rows: int | None,
        batch_size: int | None,
    ) -> Iterator[pl.DataFrame]:
        del batch_size  # a hint; the reader's own batches start small and grow
        names = schema.names if with_columns is None else with_columns
        needed = set() if predicate is None else set(predicate.meta.root_names())
        extra = [name for name in schema.names if name in needed and name not in names]
        read_schema = pa.schema([schema.field(n) for n in [*names, *extra]])
        question = Question(
            schema=read_schema,
            term=UNKNOWN
            if predicate is None
            else term_of_json(predicate.meta.serialize(format="json")),
            limit=n_rows if predicate is None else None,
            policy=policy,
        )
        left = n_rows
        for batch in answer(source, question, filled):
            with filled.phase("decode"):
                part = frame([batch], read_schema)
            if predicate is not None:
                part = part.filter(predicate).select(names)
            if left is not None:
                part = part.head(left)
                left -= part.height
            yield part
            if left is not None and left <= 0:
                return

    return register_io_source(
        read, schema=polars_schema(schema), validate_schema=True, is_pure=True
    )
