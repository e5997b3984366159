"""Schemas tell item, decimals, unit and time base, and scaled values become exact doubles."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cimis.pipeline.field.items import Scope, resolve
from cimis.pipeline.rows.schema import (
    decimals_of,
    item_of,
    key_columns,
    physical_schema,
    scaled_schema,
    table_items,
)
from cimis.pipeline.rows.values import to_physical


def test_columns_are_keys_then_value_and_flag_of_each_item() -> None:
    schema = physical_schema(Scope.DAILY, resolve("air-tmp-avg,precip", Scope.DAILY))
    assert schema.names == [
        *("station", "date", "air_tmp_avg", "air_tmp_avg_qc", "precip", "precip_qc"),
    ]
    assert key_columns(Scope.HOURLY) == ["station", "time", "date", "hour"]


def test_a_value_field_tells_its_item_decimals_and_unit() -> None:
    schema = scaled_schema(Scope.DAILY, resolve("precip", Scope.DAILY), decimals={"day-precip": 3})
    field = schema.field("precip")
    item = item_of(field)
    assert item is not None
    assert item.code == "day-precip"
    assert decimals_of(field) == 3
    assert field.metadata[b"unit"] == b"(mm)"
    assert item_of(schema.field("precip_qc")) is None
    assert table_items(schema) == (item,)


def test_the_schema_states_its_time_base() -> None:
    assert b"PST" in scaled_schema(Scope.HOURLY, ()).metadata[b"time_base"]


@settings(deadline=None)  # the first array of a process imports more of pyarrow
@given(st.lists(st.none() | st.integers(-(10**14), 10**14), max_size=40), st.integers(0, 6))
def test_scaled_values_become_the_double_nearest_to_their_decimal(
    numbers: list[int | None], places: int
) -> None:
    items = resolve("precip", Scope.DAILY)
    schema = scaled_schema(
        Scope.DAILY, items, decimals={"day-precip": places}, value_type=pa.int64()
    )
    size = len(numbers)
    table = pa.table(
        [
            pa.array(np.zeros(size, np.uint16)),
            pa.array(np.zeros(size, np.int32)).cast(pa.date32()),
            pa.array(numbers, pa.int64()),
            pa.nulls(size, schema.field("precip_qc").type),
        ],
        schema=schema,
    )
    values = to_physical(table)["precip"].to_pylist()
    due = [None if n is None else float(Decimal(n).scaleb(-places)) for n in numbers]
    assert values == due


@pytest.mark.parametrize("width", [pa.int16(), pa.int32(), pa.int64()])
def test_a_sliced_column_keeps_its_rows_and_missing_values(width: pa.DataType) -> None:
    items = resolve("air-tmp-avg", Scope.DAILY)
    schema = scaled_schema(Scope.DAILY, items, value_type=width)
    table = pa.table(
        [
            pa.array([1, 1, 1, 1], pa.uint16()),
            pa.array([0, 1, 2, 3], pa.int32()).cast(pa.date32()),
            pa.array([81, None, -5, 7], width),
            pa.nulls(4, schema.field(3).type),
        ],
        schema=schema,
    )
    assert to_physical(table.slice(1, 2))["air_tmp_avg"].to_pylist() == [None, -0.5]
