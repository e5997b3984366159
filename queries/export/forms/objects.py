"""Rows as JSON objects: in one array, or a line each."""

from __future__ import annotations

import json

import pyarrow as pa

from cimis.queries.export.forms.stream import Counted, Heading
from cimis.queries.export.heads import units_of
from cimis.queries.export.texts import json_records

__all__ = ["Json", "Ndjson"]


class Json:
    """One array of objects, a row a line; with units it stands in an object beside them."""

    def __init__(self, stream: Counted, schema: pa.Schema, heading: Heading) -> None:
        self._stream = stream
        self._any = False
        self._end = b"}\n" if heading.units else b"\n"
        stream.write(_units(schema)[:-1] + b',"rows":[' if heading.units else b"[")

    def batch(self, batch: pa.RecordBatch) -> None:
        """Write some rows."""
        if batch.num_rows:
            piece = json_records(batch, between=",\n", after="")
            self._stream.write(piece if self._any else piece[1:])
            self._any = True

    def close(self) -> None:
        """Write what ends the array."""
        self._stream.write((b"\n]" if self._any else b"]") + self._end)
        self._stream.flush()


class Ndjson:
    """An object a line; with units the first one is of units."""

    def __init__(self, stream: Counted, schema: pa.Schema, heading: Heading) -> None:
        self._stream = stream
        if heading.units:
            stream.write(_units(schema) + b"\n")

    def batch(self, batch: pa.RecordBatch) -> None:
        """Write some rows."""
        if batch.num_rows:
            self._stream.write(json_records(batch, between="", after="\n"))

    def close(self) -> None:
        """Hand over what is buffered."""
        self._stream.flush()


def _units(schema: pa.Schema) -> bytes:
    """Return an object of the columns' units."""
    found = json.dumps({"units": units_of(schema)}, ensure_ascii=False, separators=(",", ":"))
    return found.encode()
