"""The first rows of an answer as a notebook shows them, with units in the heads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cimis.pipeline.markup import FIRST, Sheet
from cimis.queries.export.heads import unit_symbol

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["first_of", "first_rows"]


def first_rows(table: pa.Table, total: int | None = None) -> Sheet:
    """Return the first rows of a table, of which there are ``total``, by default its own."""
    head = table.slice(0, FIRST)
    rows = list(zip(*(column.to_pylist() for column in head.columns), strict=True))
    heads = [
        f"{field.name} [{unit}]" if (unit := unit_symbol(field)) else field.name
        for field in table.schema
    ]
    return Sheet("", heads, rows, table.num_rows if total is None else total)


def first_of(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Sheet:
    """Return the first rows of what is streamed, all of which goes by, counted and not held."""
    import pyarrow as pa

    held, total = [], 0
    for batch in batches:
        if total < FIRST:
            held.append(batch.slice(0, FIRST - total))
        total += batch.num_rows
    return first_rows(pa.Table.from_batches(held, schema), total)
