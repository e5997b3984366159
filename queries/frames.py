"""Polars over what is stored: data frames of answers, and lazy frames over the Parquet twins."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

from cimis.pipeline.field.items import scope_items
from cimis.queries.mirror.layout import scope_of_table

if TYPE_CHECKING:
    from cimis.queries.engines.answer import Answer
    from cimis.queries.mirror.twins import Twins

__all__ = ["frame", "scan", "table_schema", "whole"]

_KEYS: dict[str, pl.DataType] = {
    "station": pl.UInt16(),
    "target": pl.String(),
    "date": pl.Date(),
    "time": pl.Datetime("ms"),
    "hour": pl.UInt8(),
}


def whole(table: pa.Table) -> pl.DataFrame:
    """Return an Arrow table as a data frame, without a copy where that can be."""
    made = pl.from_arrow(table, rechunk=False)
    assert isinstance(made, pl.DataFrame)
    return made


def frame(answer: Answer) -> pl.DataFrame:
    """Return an answer as a data frame."""
    return whole(answer.table())


def table_schema(table: str) -> pl.Schema:
    """Return the columns of a table of rows: keys, every item of the scope, and its flag."""
    from cimis.queries.mirror.layout import keys_of

    columns: dict[str, pl.DataType] = {name: _KEYS[name] for name in keys_of(table)}
    for item in scope_items(scope_of_table(table)):
        columns |= {item.column: pl.Float64(), item.flag_column: pl.String()}
    return pl.Schema(columns)


def scan(table: str, twins: Twins) -> pl.LazyFrame:
    """Return a lazy frame over a table's twins, with a column for every item, stored or not.

    ``reference_eto`` is the ASCE figure, else the network's older one; ``reference_eto_source``
    says whose it is, row by row. The frame holds its files open: it gives the rows of when it was
    made, whatever is stored or deleted before it is collected.

    Raises
    ------
    FileNotFoundError
        When a twin was deleted since it was found.
    """
    if twins.lazy is None:
        with ExitStack() as stack:  # Polars holds what it has been given by descriptors of its own
            files: list[Any] = [stack.enter_context(path.open("rb")) for path in twins.paths]
            schema = table_schema(table)
            frame = pl.scan_parquet(
                files, glob=False, cache=False, schema=schema, missing_columns="insert"
            )
        twins.lazy = with_reference(frame)
    made = twins.lazy
    assert isinstance(made, pl.LazyFrame)
    return made


def with_reference(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Return a frame with the reference ET there is, and whose it is."""
    asce, older = pl.col("asce_eto"), pl.col("eto")
    return frame.with_columns(
        pl.coalesce(asce, older).alias("reference_eto"),
        pl.when(asce.is_not_null())
        .then(pl.lit("asce_eto"))
        .when(older.is_not_null())
        .then(pl.lit("eto"))
        .alias("reference_eto_source"),
    )
