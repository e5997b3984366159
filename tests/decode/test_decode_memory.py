"""Memory is bounded by the window, and what is kept is little."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pyarrow as pa
from decode_bodies import batches, body, generated

from cimis.pipeline.decode import StreamDecoder
from cimis.pipeline.decode.allocs import Allocations
from cimis.pipeline.field.items import Scope, scope_items


def test_six_items_keep_less_than_30_bytes_per_record() -> None:
    """Station, date, and per item two bytes of value, one of flag and two bits."""
    records = generated(Scope.DAILY, 1000, items=scope_items(Scope.DAILY)[:6])
    days = body(*records).removeprefix(body()[:-5]).removesuffix(b"]}]}}")
    text = body()[:-5] + b",".join([days] * 17) + b"]}]}}"
    decoder = StreamDecoder("daily")
    with Allocations() as allocations:
        full = decoder.feed(text)
        for batch in full:
            allocations.keep(batch)
    decoder.finish()
    assert allocations.report.kept < 30 * decoder.stats.records
    assert decoder.stats.records == 17_000


def _endless(megabytes: int) -> Iterator[bytes]:
    """Give a body in pieces of 64 KB without holding it."""
    head, tail = body()[:-5], body()[-5:]
    records = generated(Scope.DAILY, 700, items=scope_items(Scope.DAILY)[:4])
    some = body(*records).removeprefix(head).removesuffix(tail)
    held = head + some
    for _ in range(megabytes * 1_000_000 // len(some)):
        held += b"," + some
        while len(held) > 65_536:
            yield held[:65_536]
            held = held[65_536:]
    yield held + tail


def test_the_peak_does_not_grow_with_the_body() -> None:
    """Once a batch is full, four times the body needs no more memory."""
    peaks = []
    for megabytes in (9, 36):
        decoder = StreamDecoder("daily")
        pieces = _endless(megabytes)
        decoder.feed(next(pieces))
        tracemalloc.start()
        for piece in pieces:
            decoder.feed(piece)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        decoder.finish()
        assert decoder.stats.records > 16_384
    assert max(peaks) < 16_000_000
    assert peaks[1] < 1.2 * peaks[0]


def test_many_tiny_pieces_are_not_held_one_by_one() -> None:
    """Pieces of seven bytes are joined now and then: 47,000 objects would be 2 MB."""
    text = body(*generated(Scope.DAILY, 200))
    decoder = StreamDecoder("daily")
    tracemalloc.start()
    for start in range(0, len(text), 7):
        decoder.feed(text[start : start + 7])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(text) > 250_000
    assert peak < 4 * len(text)
    assert decoder.finish()[0].num_rows == 200


def test_columns_without_flags_share_their_buffers() -> None:
    """Twenty-nine blank flag columns cost as much as one."""
    records = generated(Scope.DAILY, 100)
    for each in records:
        for value in each.values():
            if isinstance(value, dict):
                value["Qc"] = " "
    (batch,) = batches(body(*records))
    flags = [c for c in batch.columns if pa.types.is_dictionary(c.type)]
    assert len(flags) == 29
    assert len({c.buffers()[1].address for c in flags}) == 1


def test_allocations_measures_what_is_kept() -> None:
    """Records, bytes, objects and peaks are reported, with tracing if it is asked for."""
    text = body(*generated(Scope.DAILY, 500))
    with Allocations(trace=True) as allocations:
        kept = batches(text)
        for batch in kept:
            allocations.keep(batch)
    report = allocations.report
    assert (report.records, report.batches) == (500, 1)
    assert report.kept == kept[0].get_total_buffer_size()
    assert report.python_peak is not None
    assert report.python_bytes is not None
    assert report.python_peak > report.python_bytes > 0
    assert report.rss_start > 1_000_000
    assert report.as_dict()["bytes_per_record"] == round(report.kept / 500, 2)
    assert not tracemalloc.is_tracing()
    with Allocations() as nothing:
        pass
    assert nothing.report.kept_per_record == 0
    assert nothing.report.python_peak is None
