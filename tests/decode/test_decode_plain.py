"""The plain decoder gives the streaming decoder's rows, and its errors."""

from __future__ import annotations

import pyarrow as pa
import pytest
from decode_bodies import body, envelope, generated, record, text
from hypothesis import given, settings
from hypothesis import strategies as st

from cimis.pipeline.decode import PlainDecoder, StreamDecoder, unify
from cimis.pipeline.errors import DecodeError
from cimis.pipeline.field.items import Item, Scope, scope_items


def _rows(decoder: PlainDecoder | StreamDecoder, data: bytes) -> pa.Table:
    batches = decoder.feed(data[:100]) + decoder.feed(data[100:]) + decoder.finish()
    return unify(batches) if batches else None


def _both(data: bytes, scope: Scope, items: tuple[Item, ...]) -> tuple[pa.Table, pa.Table]:
    return _rows(PlainDecoder(scope, items), data), _rows(StreamDecoder(scope, items), data)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 40), st.sampled_from(Scope), st.integers(1, 13))
def test_the_rows_are_those_of_the_streaming_decoder(
    seed: int, count: int, scope: Scope, width: int
) -> None:
    items = scope_items(scope)[:width]
    records = generated(scope, count, items=items, stations=(2, 80), seed=seed)
    plain, streaming = _both(body(*records), scope, items)
    assert plain.equals(streaming, check_metadata=True)


def test_providers_are_read_one_after_the_other() -> None:
    records = generated(Scope.DAILY, 6)
    data = text(envelope(records[:2], [], records[2:]))
    plain, streaming = _both(data, Scope.DAILY, scope_items(Scope.DAILY))
    assert plain.num_rows == 6
    assert plain.equals(streaming, check_metadata=True)


def test_no_records_are_no_batches() -> None:
    assert _rows(PlainDecoder(Scope.DAILY, scope_items(Scope.DAILY)), body()) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>blocked</html>",
        b'{"Data":{"Providers":7}}',
        b'{"Data":{"Providers":[{"Records":"none"}]}}',
        b"[" * 100_000,
        body(record())[:-3],
        body(record(Date="2024-13-01")),
    ],
)
def test_a_wrong_body_is_the_same_error(data: bytes) -> None:
    errors = []
    for decoder in (PlainDecoder, StreamDecoder):
        with pytest.raises(DecodeError) as caught:
            _rows(decoder(Scope.DAILY, scope_items(Scope.DAILY)), data)
        errors.append(caught.value.reason)
    assert errors[0] == errors[1]
