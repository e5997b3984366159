"""Rows to CSV, TSV, JSON, NDJSON, Parquet or Arrow, batch by batch, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

import pyarrow as pa

from pipeline.errors import UsageError
from queries.heads import renamed, unit_symbol, units_of
from queries.replacing import replacing
from queries.texts import csv_lines, json_records
from queries.timing import QueryTimings

__all__ = ["FORMATS", "HEADERS", "Written", "format_of", "write"]

FORMATS = ("csv", "tsv", "json", "ndjson", "parquet", "arrow")
"""Formats that can be written; the terminal's table is the command line's own."""

HEADERS = ("names", "units")
"""What the head of a text format says: column names alone, or their units too."""

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
        raise UsageError(
            f"cannot tell the output format of '{target}': {suffix or 'no suffix'}",
            hint=f"name the file .{', .'.join(FORMATS)}, or give --format",
        )
    return _SUFFIXES[suffix]


def write(
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    target: str | Path | IO[bytes],
    format: str | None = None,  # noqa: A002
    *,
    header: str = "names",
    timings: QueryTimings | None = None,
) -> Written:
    """Write rows to a file or an open binary stream, holding one batch at a time.

    A file appears whole, under its name, when the last row is written; before that there is a
    temporary one beside it, which an error removes. No rows give a header or schema alone. Flag
    columns become plain strings. Parquet and Arrow always have the units in the fields' metadata:
    ``unit`` as the service writes it, ``symbol`` as people do.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        All of ``schema``.
    schema : pyarrow.Schema
    target : path or binary stream
    format : str, optional
        One of :data:`FORMATS`; by default from the target's suffix.
    header : {"names", "units"}
        With units a column of CSV or TSV is called ``air_tmp_avg [°C]``; JSON is one object of
        ``units`` (by column) and ``rows``; the first line of NDJSON is an object of ``units``.
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
    if header not in HEADERS:
        raise UsageError(f"no header '{header}'", hint=f"choose one of {', '.join(HEADERS)}")
    units = header == "units"
    if not isinstance(target, str | Path):
        if format is None:
            raise UsageError("a stream needs a named format", hint=f"one of {', '.join(FORMATS)}")
        name = format_of("", format)
        rows, size = _drain(batches, schema, target, name, timings, units=units)
        return Written(rows, size, name)
    path = Path(target)
    name = format_of(path, format)
    with replacing(path) as stream:
        rows, size = _drain(batches, schema, stream, name, timings, units=units)
    return Written(rows, size, name, path)


def _drain(
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    stream: IO[bytes],
    name: str,
    timings: QueryTimings,
    *,
    units: bool,
) -> tuple[int, int]:
    """Write all batches; return rows and bytes."""
    counted = _Counted(stream)
    plain = _plain(schema)
    rows = 0
    with timings.phase("print"):
        writer = _WRITERS[name](counted, plain, units)
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


def _plain(schema: pa.Schema) -> pa.Schema:
    fields = []
    for field in schema:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        symbol = unit_symbol(field)
        more = {b"symbol": symbol.encode()} if symbol else {}
        fields.append(field.with_type(kind).with_metadata({**(field.metadata or {}), **more}))
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
    def __init__(self, stream: _Counted, schema: pa.Schema, separator: str, units: bool) -> None:
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

    def __init__(self, stream: _Counted, schema: pa.Schema, units: bool) -> None:
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
    def __init__(self, stream: _Counted, schema: pa.Schema, units: bool) -> None:
        self._stream = stream
        if units:
            stream.write(_units_json(schema) + b"\n")

    def batch(self, batch: pa.RecordBatch) -> None:
        if batch.num_rows:
            self._stream.write(json_records(batch, between="", after="\n"))

    def close(self) -> None:
        self._stream.flush()


class _Parquet:
    def __init__(self, stream: _Counted, schema: pa.Schema, _units: bool) -> None:
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
    def __init__(self, stream: _Counted, schema: pa.Schema, _units: bool) -> None:
        self._writer = pa.ipc.new_file(pa.PythonFile(stream, mode="w"), schema)

    def batch(self, batch: pa.RecordBatch) -> None:
        if batch.num_rows:
            self._writer.write_batch(batch)

    def close(self) -> None:
        self._writer.close()


_WRITERS: dict[str, Callable[[_Counted, pa.Schema, bool], _Writer]] = {
    "csv": lambda stream, schema, units: _Delimited(stream, schema, ",", units),
    "tsv": lambda stream, schema, units: _Delimited(stream, schema, "\t", units),
    "json": _Json,
    "ndjson": _Ndjson,
    "parquet": _Parquet,
    "arrow": _Arrow,
}
