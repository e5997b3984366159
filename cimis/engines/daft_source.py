"""A source as Daft has it: tasks are splits of what a plan's filters let through, made as it runs.

Imported only where Daft is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import reduce
from operator import and_

import pyarrow as pa
import pyarrow.compute as pc
from daft import Schema
from daft.io.pushdowns import Pushdowns
from daft.io.source import DataSource, DataSourceTask
from daft.recordbatch import RecordBatch

from cimis.engines.daft_filters import as_arrow
from cimis.queries.splits.split import Split

__all__ = ["Source"]


class Source(DataSource):  # type: ignore[misc]
    """Rows of a data directory.

    Parameters
    ----------
    ask : callable
        Gives the splits that a filter lets through, of about so many rows each.
    schema : pyarrow.Schema
    meets : pyarrow.compute.Expression, optional
        What rows must meet beside what a plan asks.
    target_rows : int
    """

    def __init__(
        self,
        ask: Callable[..., tuple[list[Split], pa.Schema]],
        schema: pa.Schema,
        meets: pc.Expression | None,
        target_rows: int,
    ) -> None:
        self._ask, self._schema, self._meets, self._rows = ask, schema, meets, target_rows

    @property
    def name(self) -> str:
        """How plans call it."""
        return "cimis"

    @property
    def schema(self) -> Schema:
        """All columns."""
        return Schema.from_pyarrow_schema(self._schema)

    async def get_tasks(self, pushdowns: Pushdowns) -> AsyncIterator[DataSourceTask]:
        """Yield the splits that a plan needs."""
        known, left, rows = [self._meets], None, self._rows
        used = set(pushdowns.columns or self._schema.names)
        if pushdowns.filters is not None:
            known.append(as_arrow(pushdowns.filters, self._schema))
            # Daft looks at each row again, for which it needs the columns of its filter
            used |= pushdowns.filter_required_column_names()
        elif self._meets is None and pushdowns.limit is not None:
            left = pushdowns.limit
            rows = max(1, min(rows, left))
        meets = [one for one in known if one is not None]
        chosen = pa.schema([field for field in self._schema if field.name in used])
        found, _ = self._ask(reduce(and_, meets) if meets else None, target_rows=rows)
        for split in found:
            yield Task(split, chosen)
            if left is not None:
                left -= split.rows
                if left <= 0:
                    return


class Task(DataSourceTask):  # type: ignore[misc]
    """The rows of one split, with some columns."""

    def __init__(self, split: Split, chosen: pa.Schema) -> None:
        self._split, self._chosen = split, chosen

    @property
    def schema(self) -> Schema:
        """The columns that are read."""
        return Schema.from_pyarrow_schema(self._chosen)

    async def read(self) -> AsyncIterator[RecordBatch]:
        """Yield rows, read in a thread: Daft has one loop for all its tasks."""
        batches = self._split.batches(self._chosen.names)
        while (batch := await asyncio.to_thread(next, batches, None)) is not None:
            yield RecordBatch.from_arrow_record_batches([batch], batch.schema)
