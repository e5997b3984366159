"""A change of any one byte of a record is judged alike on both paths."""

from __future__ import annotations

import pytest
from decode_bodies import body, generated
from decode_paths import both_paths

from cimis.pipeline.field.items import Scope, scope_items


@pytest.mark.parametrize("stations", [(2,), (2, 80)], ids=["known header", "new header"])
@pytest.mark.parametrize("change", ["", " ", '"', ",", "{", "}", ":", "1", "\\", "\x00"])
def test_each_byte_replaced_or_followed(change: str, stations: tuple[int, ...]) -> None:
    """Deleted, replaced by, or preceded by a character that means something in JSON."""
    items = scope_items(Scope.HOURLY)[:2]
    data = body(*generated(Scope.HOURLY, 6, items=items, stations=stations))
    starts = [i for i in range(len(data)) if data.startswith(b'{"Date"', i)]
    refused = 0
    for at in range(starts[3], starts[4]):
        for rest in {at + 1, at} if change else {at + 1}:
            stats = both_paths(data[:at] + change.encode() + data[rest:], Scope.HOURLY)
            refused += stats is None
    assert refused > 10
