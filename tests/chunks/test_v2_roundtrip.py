"""Whatever rows a year can hold come back exactly, and the same rows give the same bytes."""

from __future__ import annotations

import datetime as dt
import math

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cimis.pipeline.chunks.key import ChunkKey
from cimis.pipeline.chunks.v2.codec import decode_scaled, encode
from cimis.pipeline.errors import ChunkError
from cimis.pipeline.field.items import Scope, scope_items
from cimis.pipeline.rows.schema import decimals_of, item_of
from tests.chunks.fuzz_chunks import run
from tests.chunks.golden_chunks import CASES, Case, table

INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
VALUES = st.one_of(st.integers(-60, 600), st.integers(-40_000, 40_000), INT64)
DOUBLES = st.floats(allow_nan=False, allow_infinity=False)
FLAGS = st.one_of(st.none(), st.sampled_from("RYHM"), st.text(min_size=1, max_size=3))


@st.composite
def chunks(draw: st.DrawFn) -> Case:
    scope = draw(st.sampled_from(list(Scope)))
    year = draw(st.integers(1982, 2030))
    unit = 1 if scope is Scope.DAILY else 24
    first = (dt.date(year, 1, 1) - dt.date(1970, 1, 1)).days * unit + (unit > 1)
    days = (dt.date(year + 1, 1, 1) - dt.date(year, 1, 1)).days
    steps = st.sets(st.integers(0, days * unit - 1), min_size=1, max_size=60)
    times = [first + step for step in sorted(draw(steps))]
    items = draw(st.lists(st.sampled_from(scope_items(scope)), unique=True, max_size=6))
    columns = {}
    for item in items:
        kind = draw(st.sampled_from([VALUES, VALUES, DOUBLES]))
        size = len(times)
        values = draw(st.lists(st.one_of(st.none(), kind), min_size=size, max_size=size))
        flags = draw(st.lists(FLAGS, min_size=size, max_size=size))
        columns[item.code] = (values, flags, draw(st.integers(0, 6)))
    key = ChunkKey(scope, year, station=draw(st.integers(0, 65535)))
    return key, table(key, times, columns)


def _same(found: pa.Table, due: pa.Table) -> None:
    assert found.schema.names == due.schema.names
    for field in due.schema:
        one, two = found[field.name].to_pylist(), due[field.name].to_pylist()
        if item_of(field) is not None and pa.types.is_integer(field.type):
            shift = decimals_of(found.field(field.name)) - decimals_of(field)
            up, down = 10 ** max(shift, 0), 10 ** max(-shift, 0)
            one = [None if v is None else v * down for v in one]
            two = [None if v is None else v * up for v in two]
        assert one == two, field.name


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(chunks(), st.integers(1, 70))
def test_arbitrary_rows_come_back_exactly(case: Case, block_rows: int) -> None:
    key, rows = case
    data = encode(rows, key, block_rows=block_rows)
    _same(decode_scaled(data), rows)
    assert encode(decode_scaled(data), key, block_rows=block_rows) == data


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.integers(0, 3000)), min_size=1, max_size=120),
    st.sampled_from([(127, 5), (25146, 15625)]),
    st.sampled_from([0, 0, 1]),
)
def test_values_converted_from_inches_or_miles_come_back_exactly(
    counts: list[int | None], step: tuple[int, int], odd: int
) -> None:
    up, down = step
    values = [None if n is None else (2 * up * n + down) // (2 * down) for n in counts]
    values[0] = (values[0] or 0) + odd
    key = ChunkKey(Scope.DAILY, 2013, station=2)
    rows = table(
        key,
        list(range(15706, 15706 + len(values))),
        {"day-precip": (values, [None] * len(values), 2)},
    )
    _same(decode_scaled(encode(rows, key)), rows)


@pytest.mark.parametrize("name", CASES)
def test_bytes_do_not_depend_on_how_rows_lie_in_memory(name: str) -> None:
    key, rows = CASES[name]()
    half = rows.num_rows // 2
    pieces = pa.concat_tables([rows.slice(0, half), rows.slice(half)])
    assert encode(pieces, key) == encode(rows, key)


def test_a_projection_reads_only_what_it_names() -> None:
    key, rows = CASES["daily_year"]()
    found = decode_scaled(encode(rows, key), columns=["date", "dew_pnt_qc", "not_there"])
    assert found.schema.names == ["date", "dew_pnt_qc"]


def test_single_blocks_can_be_read() -> None:
    key, rows = CASES["daily_year"]()
    data = encode(rows, key, block_rows=100)
    found = decode_scaled(data, blocks=[1, 3])
    assert (
        found["date"].to_pylist()
        == rows["date"].to_pylist()[100:200] + rows["date"].to_pylist()[300:366]
    )


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused(value: float) -> None:
    key = ChunkKey(Scope.DAILY, 2024, station=2)
    rows = table(key, [19723], {"day-precip": ([value], [None], 2)})
    with pytest.raises(ChunkError, match="no number"):
        encode(rows, key)


def test_rows_of_another_year_or_station_are_refused() -> None:
    _, rows = CASES["three_days"]()
    with pytest.raises(ChunkError, match="2024"):
        encode(rows, ChunkKey(Scope.DAILY, 2023, station=2))
    with pytest.raises(ChunkError, match="other stations"):
        encode(rows, ChunkKey(Scope.DAILY, 2024, station=3))


def test_times_out_of_order_are_refused() -> None:
    key, rows = CASES["three_days"]()
    with pytest.raises(ChunkError, match="do not ascend"):
        encode(rows.take([1, 0, 2]), key)


def test_a_flag_of_four_characters_is_refused() -> None:
    key = ChunkKey(Scope.DAILY, 2024, station=2)
    with pytest.raises(ChunkError, match="3 characters"):
        encode(table(key, [19723], {"day-precip": ([1], ["LONG"], 2)}), key)


def test_mutants_are_refused_or_unharmed() -> None:
    seen = run(4_000, seed=3)
    assert seen["refused"] > 3_000
