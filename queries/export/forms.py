"""The forms that rows are written in, one class each: CSV, TSV, JSON, NDJSON, Parquet, Arrow."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import IO, Protocol

import pyarrow as pa

from cimis.queries.export.heads import renamed, units_of
from cimis.queries.export.texts import csv_lines, json_records

__all__ = ["WRITERS", "Counted", "Writer"]


class Writer(Protocol):
    """Writes rows in one form."""

    def batch(self, batch: pa.RecordBatch) -> None:
        """Write some rows."""
        ...

    def close(self) -> None:
        """Write what ends the form."""
        ...


class Counted:
    """A stream that counts the bytes written to it and leaves closing to its owner.

    Once ``abandoned`` it takes no more: pyarrow ends a Parquet file when its writer is collected,
    which would make an answer that broke off look whole.
    """

    closed = False
    abandoned = False

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.size = 0

    def write(self, data: bytes) -> int:
        """Write bytes, and count them."""
        if self.abandoned:
            return len(data)
        self._stream.write(data)
        self.size += len(data)
        return len(data)

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self.size

    def flush(self) -> None:
        """Hand over what is buffered."""
        if not self.abandoned:
            self._stream.flush()

    def close(self) -> None:
        """Hand over what is buffered; the owner closes."""
        self._stream.flush()

    def readable(self) -> bool:
        """Tell that it is not for reading."""
        return False

    def writable(self) -> bool:
        """Tell that it is for writing."""
        return True

    def seekable(self) -> bool:
        """Tell that it has no places."""
        return False


class _Delimited:
    def __init__(self, stream: Counted, schema: pa.Schema, separator: str, units: bool) -> None:
        self._stream = stream
        self._separator = separator
        if units:
            known = units_of(schema)
            names = [f"{n} [{known[n]}]" if n in known else n for n in schema.names]
            schema = renamed(schema, names)
        heads = pa.RecordBatch.from_arrays(
            [pa.array([name], pa.string()) for name in schema.names],
            names=[str(number) for number in range(len(schema.names))],
        )
        stream.write(csv_lines(heads, separator) if schema.names else b"\n")

    def batch(self, batch: pa.RecordBatch) -> None:
        if batch.num_rows:
            self._stream.write(csv_lines(batch, self._separator))

    def close(self) -> None:
        self._stream.flush()


class _Json:
    """One array of objects, a row a line; with units it stands in an object beside them."""

    def __init__(self, stream: Counted, schema: pa.Schema, units: bool) -> None:
        self._stream = stream
        self._any = False
        self._end = b"}\n" if units else b"\n"
        stream.write(_units_json(schema)[:-1] + b',"rows":[' if units else b"[")

    def batch(self, batch: pa.RecordBatch) -> None:
        if batch.num_rows:
            piece = json_records(batch, between=",\n", after="")
            self._stream.write(piece if self._any else piece[1:])
            self._any = True

    def close(self) -> None:
        self._stream.write((b"\n]" if self._any else b"]") + self._end)
        self._stream.flush()


def _units_json(schema: pa.Schema) -> bytes:
    """Return an object of the columns' units."""
    found = json.dumps({"units": units_of(schema)}, ensure_ascii=False, separators=(",", ":"))
    return found.encode()


class _Ndjson:
    def __init__(self, stream: Counted, schema: pa.Schema, units: bool) -> None:
        self._stream = stream
        if units:
            stream.write(_units_json(schema) + b"\n")

    def batch(self, batch: pa.RecordBatch) -> None:
        if batch.num_rows:
            self._stream.write(json_records(batch, between="", after="\n"))

    def close(self) -> None:
        self._stream.flush()


class _Parquet:
    def __init__(self, stream: Counted, schema: pa.Schema, _units: bool) -> None:
        import pyarrow.parquet as pq

        self._writer = pq.ParquetWriter(
            pa.PythonFile(stream, mode="w"), schema, compression="zstd", compression_level=9
        )

    def batch(self, batch: pa.RecordBatch) -> None:
        if batch.num_rows:
            self._writer.write_batch(batch)

    def close(self) -> None:
        self._writer.close()


class _Arrow:
    def __init__(self, stream: Counted, schema: pa.Schema, _units: bool) -> None:
        self._writer = pa.ipc.new_file(pa.PythonFile(stream, mode="w"), schema)

    def batch(self, batch: pa.RecordBatch) -> None:
        if batch.num_rows:
            self._writer.write_batch(batch)

    def close(self) -> None:
        self._writer.close()


WRITERS: dict[str, Callable[[Counted, pa.Schema, bool], Writer]] = {
    "csv": lambda stream, schema, units: _Delimited(stream, schema, ",", units),
    "tsv": lambda stream, schema, units: _Delimited(stream, schema, "\t", units),
    "json": _Json,
    "ndjson": _Ndjson,
    "parquet": _Parquet,
    "arrow": _Arrow,
}
