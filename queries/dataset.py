"""What is stored as a dataset of pyarrow's own: the Parquet twins under one schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.dataset as ds

from cimis.pipeline.field.items import scope_items
from cimis.queries.mirror.layout import arrow_schema, scope_of_table

if TYPE_CHECKING:
    from cimis.queries.engines.answer import Answer
    from cimis.queries.mirror.twins import Twins

__all__ = ["dataset", "dataset_schema", "in_memory"]


def dataset_schema(table: str) -> pa.Schema:
    """Return the schema of a table of rows: keys, every item of the scope, flags as strings."""
    made = arrow_schema(table, scope_items(scope_of_table(table)))
    return pa.schema([f.with_nullable(True) for f in made], metadata=made.metadata)


def dataset(table: str, twins: Twins) -> ds.Dataset:
    """Return a dataset over a table's twins: it scans, pickles and unites like any other."""
    return ds.dataset(
        [str(path) for path in twins.paths], schema=dataset_schema(table), format="parquet"
    )


def in_memory(answer: Answer) -> ds.Dataset:
    """Return the rows of an answer, all read, as a dataset."""
    return ds.dataset(answer.table())
