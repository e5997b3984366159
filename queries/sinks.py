"""Rows to CSV, TSV, JSON, NDJSON, Parquet or Arrow, batch by batch, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

import pyarrow as pa

from pipeline.errors import UsageError
from queries.replacing import replacing
from queries.texts import csv_lines, json_records
from queries.timing import QueryTimings

__all__ = ["FORMATS", "Written", "format_of", "write"]

FORMATS = ("csv", "tsv", "json", "ndjson", "parquet", "arrow")
"""Formats that can be written; the terminal's table is the command line's own."""

_SUFFIXES = {f".{name}": name for name in FORMATS} | {
    ".jsonl": "ndjson",
    ".pq": "parquet",
    ".feather": "arrow",
    ".ipc": "arrow",
}


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: rows, bytes, format and, for a file, where."""

    rows: int
    bytes: int
    format: str
    path: Path | None = None


class _Writer(Protocol):
    def batch(self, batch: pa.RecordBatch) -> None: ...
    def close(self) -> None: ...


def format_of(target: str | Path, format: str | None = None) -> str:  # noqa: A002
    """Return the format to write, named or from a file's suffix.

    Raises
    ------
    UsageError
        For an unknown format, or a suffix that names none.
    """
    known = f"choose one of {', '.join(FORMATS)}"
    if format is not None:
        name = format.strip().lower()
        if name not in FORMATS:
            raise UsageError(f"unknown output format '{format}'", hint=known)
        return name
    suffix = Path(target).suffix.lower()
    if suffix not in _SUFFIXES:
        shown = f"'{suffix}'" if suffix else "no suffix"
        raise UsageError(
            f"cannot tell the output format of '{target}': {shown}",
            hint=f"name the file .{', .'.join(FORMATS)}, or give --format",
        )
    return _SUFFIXES[suffix]


def write(
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    target: str | Path | IO[bytes],
    format: str | None = None,  # noqa: A002
    *,
    timings: QueryTimings | None = None,
) -> Written:
    """Write rows to a file or an open binary stream, holding one batch at a time.

    A file appears whole, under its name, when the last row is written; before that there is a
    temporary one beside it, which an error removes. Units stay in the field metadata of Parquet and
    Arrow. No rows give a header or schema alone. Flag columns become plain strings.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        All of ``schema``.
    schema : pyarrow.Schema
    target : path or binary stream
    format : str, optional
        One of :data:`FORMATS`; by default from the target's suffix.
    timings : QueryTimings, optional
        Gets the time of writing as ``print`` and the rows written.

    Raises
    ------
    UsageError
        For an unknown format or a target that cannot be written to.
    StoreError
        When the disk fails or is full.
    """
    timings = timings or QueryTimings()
    if not isinstance(target, str | Path):
        if format is None:
            raise UsageError("a stream needs a named format", hint=f"one of {', '.join(FORMATS)}")
        rows, size = _drain(batches, schema, target, format_of("", format), timings)
        return Written(rows, size, format_of("", format))
    path = Path(target)
    name = format_of(path, format)
    with replacing(path) as stream:
        rows, size = _drain(batches, schema, stream, name, timings)
    return Written(rows, size, name, path)


def _drain(
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    stream: IO[bytes],
    name: str,
    timings: QueryTimings,
) -> tuple[int, int]:
    """Write all batches; return rows and bytes."""
    counted = _Counted(stream)
    plain = _without_dictionaries(schema)
    rows = 0
    with timings.phase("print"):
        writer = _WRITERS[name](counted, plain)
    try:
        for batch in batches:
            with timings.phase("print"):
                writer.batch(_decoded(batch, plain))
            rows += batch.num_rows
        with timings.phase("print"):
            writer.close()
    except BaseException:
        counted.abandoned = True
        raise
    timings.count(rows=rows)
    return rows, counted.size


def _without_dictionaries(schema: pa.Schema) -> pa.Schema:
    fields = [
        f.with_type(f.type.value_type) if pa.types.is_dictionary(f.type) else f for f in schema
    ]
    return pa.schema(fields, metadata=schema.metadata)


def _decoded(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return a batch with its dictionaries resolved: an Arrow file allows one only, unchanging."""
    columns = [
        c.dictionary_decode() if pa.types.is_dictionary(c.type) else c for c in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


class _Counted:
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
        if self.abandoned:
            return len(data)
        self._stream.write(data)
        self.size += len(data)
        return len(data)

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        if not self.abandoned:
            self._stream.flush()

    def close(self) -> None:
        self._stream.flush()

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False


class _Delimited:
    def __init__(self, stream: _Counted, schema: pa.Schema, separator: str) -> None:
        self._stream = stream
        self._separator = separator
        names = pa.RecordBatch.from_arrays(
            [pa.array([name], pa.string()) for name in schema.names],
            names=[str(number) for number in range(len(schema.names))],
        )
        stream.write(csv_lines(names, separator) if schema.names else b"\n")

    def batch(self, batch: pa.RecordBatch) -> None:
        if batch.num_rows:
            self._stream.write(csv_lines(batch, self._separator))

    def close(self) -> None:
        self._stream.flush()


class _Json:
    """One array of objects, a row a line."""

    def __init__(self, stream: _Counted, _schema: pa.Schema) -> None:
        self._stream = stream
        self._any = False
        stream.write(b"[")

    def batch(self, batch: pa.RecordBatch) -> None:
        if batch.num_rows:
            piece = json_records(batch, between=",\n", after="")
            self._stream.write(piece if self._any else piece[1:])
            self._any = True

    def close(self) -> None:
        self._stream.write(b"\n]\n" if self._any else b"]\n")
        self._stream.flush()


class _Ndjson:
    def __init__(self, stream: _Counted, _schema: pa.Schema) -> None:
        self._stream = stream

    def batch(self, batch: pa.RecordBatch) -> None:
        if batch.num_rows:
            self._stream.write(json_records(batch, between="", after="\n"))

    def close(self) -> None:
        self._stream.flush()


class _Parquet:
    def __init__(self, stream: _Counted, schema: pa.Schema) -> None:
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
    def __init__(self, stream: _Counted, schema: pa.Schema) -> None:
        self._writer = pa.ipc.new_file(pa.PythonFile(stream, mode="w"), schema)

    def batch(self, batch: pa.RecordBatch) -> None:
        if batch.num_rows:
            self._writer.write_batch(batch)

    def close(self) -> None:
        self._writer.close()


_WRITERS: dict[str, Callable[[_Counted, pa.Schema], _Writer]] = {
    "csv": lambda stream, schema: _Delimited(stream, schema, ","),
    "tsv": lambda stream, schema: _Delimited(stream, schema, "\t"),
    "json": _Json,
    "ndjson": _Ndjson,
    "parquet": _Parquet,
    "arrow": _Arrow,
}
