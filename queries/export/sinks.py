"""Rows to a file or stream in any of the forms, batch by batch, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyarrow as pa

from cimis.pipeline.errors import UsageError
from cimis.queries.export.about import About
from cimis.queries.export.formats import FORMATS
from cimis.queries.export.forms import WRITERS, Counted, Heading
from cimis.queries.export.heads import unit_symbol
from cimis.queries.export.replacing import replacing
from cimis.queries.timing import QueryTimings

__all__ = ["FORMATS", "HEADERS", "Written", "format_of", "write"]

HEADERS = ("names", "units")
"""What the head of a text format says: column names alone, or their units too."""

_SUFFIXES = {suffix: name for name, kind in FORMATS.items() for suffix in kind.suffixes}


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: rows, bytes, format and, for a file, where."""

    rows: int
    bytes: int
    format: str
    path: Path | None = None


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
    about: About | None = None,
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
        XLSX, Markdown and HTML always say units.
    about : About, optional
        What XLSX and HTML say of the answer beside what its columns tell.
    timings : QueryTimings, optional
        Gets the time of writing as ``print`` and the rows written.

    Raises
    ------
    UsageError
        For an unknown format, a target that cannot be written to, or where xlsxwriter, which XLSX
        needs, is not installed.
    StoreError
        When the disk fails or is full.
    """
    timings = timings or QueryTimings()
    if header not in HEADERS:
        raise UsageError(f"no header '{header}'", hint=f"choose one of {', '.join(HEADERS)}")
    heading = Heading(header == "units", about or About())
    if not isinstance(target, str | Path):
        if format is None:
            raise UsageError("a stream needs a named format", hint=f"one of {', '.join(FORMATS)}")
        name = format_of("", format)
        rows, size = _drain(batches, schema, target, name, timings, heading)
        return Written(rows, size, name)
    path = Path(target)
    name = format_of(path, format)
    with replacing(path) as stream:
        rows, size = _drain(batches, schema, stream, name, timings, heading)
    return Written(rows, size, name, path)


def _drain(
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    stream: IO[bytes],
    name: str,
    timings: QueryTimings,
    heading: Heading,
) -> tuple[int, int]:
    """Write all batches; return rows and bytes."""
    counted = Counted(stream)
    plain = _plain(schema)
    rows = 0
    with counted.held:
        with timings.phase("print"):
            writer = WRITERS[name](counted, plain, heading)
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
