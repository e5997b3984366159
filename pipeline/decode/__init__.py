"""The streaming decoder from the API's JSON to Arrow RecordBatches."""

from __future__ import annotations

from cimis.pipeline.decode.findings import DecodeStats
from cimis.pipeline.decode.plain import PlainDecoder
from cimis.pipeline.decode.stream import StreamDecoder, adecode, decode
from cimis.pipeline.rows.union import unify

__all__ = [
    "DecodeStats",
    "PlainDecoder",
    "StreamDecoder",
    "adecode",
    "decode",
    "unify",
]
