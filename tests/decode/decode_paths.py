"""The fast path and the general one, on the same body."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from cimis.pipeline.decode import DecodeStats, StreamDecoder
from cimis.pipeline.errors import DecodeError
from cimis.pipeline.field.items import Scope

Outcome = tuple[list[pa.RecordBatch] | None, str, DecodeStats | None]


def _outcome(data: bytes, scope: Scope, size: int, *, fast: bool, **options: Any) -> Outcome:
    decoder = StreamDecoder(scope, fast=fast, **options)
    try:
        found = [b for i in range(0, len(data), size) for b in decoder.feed(data[i : i + size])]
        found += decoder.finish()
    except DecodeError as error:
        return None, str(error), None
    return found, "", decoder.stats


def both_paths(data: bytes, scope: Scope, **options: Any) -> DecodeStats | None:
    """Check both paths against each other; return the fast one's counts."""
    due, error, counts = _outcome(data, scope, 1 << 20, fast=False, **options)
    for size in (1 << 20, 4096):
        found, complaint, stats = _outcome(data, scope, size, fast=True, **options)
        assert complaint == error
        if due is None or found is None or stats is None or counts is None:
            assert found is None
            assert due is None
            continue
        assert len(found) == len(due)
        for one, other in zip(found, due, strict=True):
            assert one.equals(other, check_metadata=True)
        assert stats.records == counts.records
        assert stats.unknown_keys == counts.unknown_keys
        assert stats.duplicates == counts.duplicates
        assert counts.fast_records == 0
    return stats
