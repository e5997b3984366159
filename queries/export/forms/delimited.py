"""Rows as CSV and TSV: a line of names, then a line a row."""

from __future__ import annotations

import pyarrow as pa

from cimis.queries.export.forms.stream import Counted, Heading
from cimis.queries.export.heads import renamed, titles
from cimis.queries.export.texts import csv_lines

__all__ = ["Delimited"]


class Delimited:
    """Lines of cells, with a separator between them."""

    def __init__(
        self, stream: Counted, schema: pa.Schema, heading: Heading, separator: str
    ) -> None:
        self._stream = stream
        self._separator = separator
        if heading.units:
            schema = renamed(schema, titles(schema))
        heads = pa.RecordBatch.from_arrays(
            [pa.array([name], pa.string()) for name in schema.names],
            names=[str(number) for number in range(len(schema.names))],
        )
        stream.write(csv_lines(heads, separator) if schema.names else b"\n")

    def batch(self, batch: pa.RecordBatch) -> None:
        """Write some rows."""
        if batch.num_rows:
            self._stream.write(csv_lines(batch, self._separator))

    def close(self) -> None:
        """Hand over what is buffered."""
        self._stream.flush()
