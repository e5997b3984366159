"""The reader without numpy gives the values and states of the other one, on every golden chunk."""

from __future__ import annotations

import pytest

from cimis.pipeline.chunks.v2.codec import decode_parts, encode
from cimis.pipeline.chunks.v2.container import parse_footer
from cimis.queries.point.blocks import BlockColumns
from tests.chunks.golden_chunks import CASES


@pytest.mark.parametrize("name", CASES)
def test_both_readers_decode_a_chunk_alike(name: str) -> None:
    key, rows = CASES[name]()
    data = encode(rows, key, block_rows=200)
    footer = parse_footer(data, len(data))
    _, parts = decode_parts(data)
    texts = [(state.missing, state.flag) for state in footer.states]
    start = 0
    for block in footer.blocks:
        plain = BlockColumns(memoryview(data), footer, block)
        place = slice(start, start + block.rows)
        assert plain.times() == parts.times[place].tolist()
        for number, (value, flag) in enumerate(zip(parts.values, parts.flags, strict=True)):
            assert plain.values(number) == value.numbers[place].tolist()
            states = plain.states(number)
            found = {row: texts[state] for row, state in states.items()}
            gone = [False] * parts.times.size if value.missing is None else value.missing.tolist()
            letters = [(None, *flag.texts)[n] for n in flag.numbers.tolist()]
            due = list(zip(gone[place], letters[place], strict=True))
            assert [found.get(row, (False, None)) for row in range(block.rows)] == due
        start += block.rows
