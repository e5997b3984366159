"""Flag policies and units: what becomes missing, and what comes back exactly."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import ITEMS, QC_FLAGS, Item
from cimis.pipeline.field.units import english_decimals, to_english
from cimis.pipeline.rows.schema import decimals_of, physical_schema
from cimis.queries.conversion import standard
from cimis.queries.quality import FlagPolicy, policy, rejected
from cimis.queries.units import english, english_schema

LETTERS = [flag.letter for flag in QC_FLAGS] + ["?"]


def test_each_policy_rejects_more_than_the_one_before() -> None:
    keep, severe, strict = (rejected(chosen, LETTERS) for chosen in FlagPolicy)
    assert keep == frozenset()
    assert severe == {"I", "M", "S", "N/A"}
    assert strict == set(LETTERS)


def test_policies_are_named_as_on_the_command_line() -> None:
    assert policy("drop_severe") is policy(" Drop-Severe ") is FlagPolicy.DROP_SEVERE
    with pytest.raises(UsageError, match="unknown flag policy 'none'"):
        policy("none")
    with pytest.raises(UsageError, match="unknown units 'si'"):
        standard("si")


@given(st.sampled_from(ITEMS), st.integers(-99_999, 99_999), st.integers(0, 4))
def test_english_values_are_rounded_once_to_the_networks_decimals(
    item: Item, scaled: int, decimals: int
) -> None:
    """Of any source: what the service sends in metric, and what an archive had in English."""
    schema = physical_schema(item.scope, [item], decimals={item.code: decimals})
    narrow = pa.schema([schema.field(item.column)])
    metric = scaled / 10.0**decimals
    batch = pa.RecordBatch.from_arrays([pa.array([metric, None, metric])], schema=narrow).slice(1)
    target = english_schema(narrow)
    missing, value = english(batch, target).column(0).to_pylist()
    assert missing is None
    assert target.field(0).metadata[b"unit"].decode() == item.unit_english
    if item.unit_english == item.unit_metric:
        assert value == metric
        return
    places = decimals_of(target.field(0))
    assert places == english_decimals(item, decimals)
    if decimals <= item.decimals_metric:
        assert places == item.decimals_english
    assert value == to_english(scaled, decimals, item, places) / 10.0**places


def test_known_conversions_come_out() -> None:
    wanted = {
        "day-air-tmp-avg": (25.0, 77.0),
        "day-precip": (25.4, 1.0),
        "day-sol-rad-avg": (200.0, 413.0),
    }
    for item in ITEMS:
        if item.code in wanted:
            given_value, expected = wanted[item.code]
            narrow = pa.schema([physical_schema(item.scope, [item]).field(item.column)])
            batch = pa.RecordBatch.from_arrays([pa.array([given_value])], schema=narrow)
            assert english(batch, english_schema(narrow)).column(0).to_pylist() == [expected]
