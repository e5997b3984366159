"""The plain decoder: the whole body at once, an object for every value, as simple programs do it.

It is the measure that the streaming decoder is held against, and the way back should that fail an
operator. The rows are the same; memory and time are not.
"""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pyarrow as pa

from cimis.pipeline.decode.batches import BatchBuilder
from cimis.pipeline.decode.elements import keys_of, no_constant
from cimis.pipeline.decode.findings import DecodeStats, Findings
from cimis.pipeline.decode.numbers import JsonNumber
from cimis.pipeline.decode.records import KeyKind, Place, RecordReader
from cimis.pipeline.decode.stream import StreamDecoder
from cimis.pipeline.field.items import Item, Scope, Standard

__all__ = ["PlainDecoder"]


class PlainDecoder:
    """Decodes one body once it is whole; used as a :class:`StreamDecoder` is.

    Parameters
    ----------
    scope : Scope
    items : tuple of Item
        Items to read, and so the columns.
    key : {"station", "target"}

    Attributes
    ----------
    stats : DecodeStats
    held_bytes : int
        What the parsed document took, where tracemalloc was tracing; else 0.
    """

    def __init__(self, scope: Scope, items: tuple[Item, ...], *, key: KeyKind = "station") -> None:
        self._scope = scope
        self._items = items
        self._key: KeyKind = key
        self._body = bytearray()
        self.stats = DecodeStats()
        self.held_bytes = 0

    def feed(self, piece: bytes) -> list[pa.RecordBatch]:
        """Take a piece; no batch comes before the end."""
        self._body += piece
        return []

    def finish(self) -> list[pa.RecordBatch]:
        """Parse the body and return its batches.

        Raises
        ------
        DecodeError
            When the body is not what the API sends.
        """
        before = _traced_bytes()
        try:
            document = json.loads(
                self._body.decode("utf-8-sig"),
                parse_float=JsonNumber,
                parse_int=JsonNumber,
                parse_constant=no_constant,
            )
            records = _records(document)
            if _keys(document, records) != self._body.count(b":"):
                return self._strictly()  # a key may stand twice, of which the parser kept one
        except (ValueError, RecursionError):
            return self._strictly()
        self.held_bytes = _traced_bytes() - before
        findings = Findings(Standard.METRIC)
        reader = RecordReader(self._scope, self._items, self._key, findings)
        builder = BatchBuilder(self._scope, self._items, self._key, findings)
        places = [Place(number, 0) for number in range(len(records))]
        batches = [b for block in reader.read(records, places) for b in builder.add(block)]
        batches += builder.flush()
        self.stats = findings.stats
        self.stats.records, self.stats.bytes = len(records), len(self._body)
        return batches

    def _strictly(self) -> list[pa.RecordBatch]:
        """Let the strict decoder say what is wrong with the body, and where."""
        decoder = StreamDecoder(self._scope, self._items, key=self._key, fast=False)
        batches = decoder.feed(self._body) + decoder.finish()
        self.stats = decoder.stats
        return batches


def _records(document: Any) -> list[Any]:
    """Return the records of all providers; ValueError for a document of another shape."""
    try:
        lists = [provider["Records"] for provider in document["Data"]["Providers"]]
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(error) from error
    if not all(isinstance(records, list) for records in lists):
        raise ValueError("records that are no list")
    return [record for records in lists for record in records]


def _keys(document: Any, records: list[Any]) -> int:
    """Return how many keys were kept of a document that holds just what the API sends."""
    data = document["Data"]
    around = [document, data, *data["Providers"]]
    return sum(map(len, around)) + sum(keys_of(r) for r in records if type(r) is dict)


def _traced_bytes() -> int:
    return tracemalloc.get_traced_memory()[0] if tracemalloc.is_tracing() else 0
