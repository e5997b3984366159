"""Chunk files: the V2 format, the V1 codec, atomic writes and checks.

Names are imported when they are first used, so that a reader of footers does not pay for Arrow.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cimis.pipeline.chunks.files import (
        ChunkInfo,
        read_chunk,
        read_footer,
        read_scaled,
        write_chunk,
    )
    from cimis.pipeline.chunks.key import ChunkKey
    from cimis.pipeline.chunks.merge import MergeCounts, merge_rows
    from cimis.pipeline.chunks.storing import Stored, store_rows

__all__ = [
    "ChunkInfo",
    "ChunkKey",
    "MergeCounts",
    "Stored",
    "merge_rows",
    "read_chunk",
    "read_footer",
    "read_scaled",
    "store_rows",
    "write_chunk",
]

_ROOMS = {
    "ChunkKey": "key",
    "MergeCounts": "merge",
    "Stored": "storing",
    "merge_rows": "merge",
    "store_rows": "storing",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOMS.get(name, 'files')}"), name)
