"""The streaming decoder from the API's JSON to Arrow RecordBatches."""

from __future__ import annotations

from pipeline.decode.findings import DecodeStats
from pipeline.decode.plain import PlainDecoder
from pipeline.decode.stream import StreamDecoder, adecode, decode
from pipeline.rows.union import unify

__all__ = [
    "DecodeStats",
    "PlainDecoder",
    "StreamDecoder",
    "adecode",
    "decode",
    "unify",
]
