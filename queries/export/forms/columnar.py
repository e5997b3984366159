"""Rows as Parquet and Arrow files."""

from __future__ import annotations

import pyarrow as pa

from cimis.queries.export.forms.stream import Counted, Heading

__all__ = ["Arrow", "Parquet"]


class Parquet:
    """A Parquet file, a row group a batch."""

    def __init__(self, stream: Counted, schema: pa.Schema, _heading: Heading) -> None:
        import pyarrow.parquet as pq

        self._writer = pq.ParquetWriter(
            pa.PythonFile(stream, mode="w"), schema, compression="zstd", compression_level=9
        )

    def batch(self, batch: pa.RecordBatch) -> None:
        """Write some rows."""
        if batch.num_rows:
            self._writer.write_batch(batch)

    def close(self) -> None:
        """Write the footer."""
        self._writer.close()


class Arrow:
    """An Arrow file."""

    def __init__(self, stream: Counted, schema: pa.Schema, _heading: Heading) -> None:
        self._writer = pa.ipc.new_file(pa.PythonFile(stream, mode="w"), schema)

    def batch(self, batch: pa.RecordBatch) -> None:
        """Write some rows."""
        if batch.num_rows:
            self._writer.write_batch(batch)

    def close(self) -> None:
        """Write the footer."""
        self._writer.close()
