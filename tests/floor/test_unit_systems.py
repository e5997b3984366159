"""English values become metric by one exact rounding, and come back as they were."""

from __future__ import annotations

import ast
import re
from fractions import Fraction

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cimis.pipeline.field.items import ITEMS, Item, by_code
from cimis.pipeline.field.units import (
    WATT_DAY_MJ,
    agree,
    english_decimals,
    megajoules_of,
    metric_decimals,
    to_english,
    to_metric,
    watts_of,
)
from tests.modules import MODULES, ROOT

RATIOS = {
    "(F)": (Fraction(5, 9), 32),
    "(in)": (Fraction(254, 10), 0),
    "(Ly/day)": (Fraction(41868, 86400), 0),
    "(mBars)": (Fraction(1, 10), 0),
    "(MPH)": (Fraction(44704, 100000), 0),
}
ANY_ITEM = st.sampled_from(ITEMS)
NUMBERS = st.integers(-999_999, 9_999_999) | st.integers(-(10**13), 10**13)


def _ratio(item: Item) -> tuple[Fraction, int]:
    if item.code == "day-wind-run":
        return Fraction(1609344, 1000000), 0
    return RATIOS.get(item.unit_english, (Fraction(1), 0))


def _whole(exact: Fraction) -> int:
    """Return the nearest integer, ties away from zero."""
    found = int(abs(exact) + Fraction(1, 2))
    return found if exact >= 0 else -found


def _array(value: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([value, value], dtype=np.int64)


@given(ANY_ITEM, NUMBERS, st.integers(0, 3), st.integers(0, 4))
def test_conversion_to_metric_is_exact_with_ties_away_from_zero(
    item: Item, value: int, places: int, metric: int
) -> None:
    ratio, off = _ratio(item)
    due = _whole((Fraction(value, 10**places) - off) * ratio * 10**metric)
    assert to_metric(value, places, item, metric) == due
    assert to_metric(_array(value), places, item, metric).tolist() == [due, due]


@given(ANY_ITEM, NUMBERS, st.integers(0, 4), st.integers(0, 3))
def test_conversion_to_english_is_exact_with_ties_away_from_zero(
    item: Item, value: int, places: int, english: int
) -> None:
    ratio, off = _ratio(item)
    due = _whole((Fraction(value, 10**places) / ratio + off) * 10**english)
    assert to_english(value, places, item, english) == due
    assert to_english(_array(value), places, item, english).tolist() == [due, due]


@given(ANY_ITEM, NUMBERS, st.integers(0, 3))
def test_an_english_value_comes_back_from_metric(item: Item, value: int, more: int) -> None:
    """Of the item's usual decimals and of more: what is stored has decimals enough."""
    places = item.decimals_english + more
    metric = metric_decimals(item, places)
    assert english_decimals(item, metric) == places
    assert to_english(to_metric(value, places, item, metric), metric, item, places) == value


@given(ANY_ITEM, st.integers(-99_999, 99_999))
def test_sums_of_inches_are_exact_in_millimetres(item: Item, value: int) -> None:
    if item.unit_english == "(in)":
        places, metric = item.decimals_english, metric_decimals(item)
        assert Fraction(to_metric(value, places, item, metric), 10**metric) == Fraction(
            value, 10**places
        ) * Fraction(254, 10)


@given(ANY_ITEM, st.floats(-1e6, 1e6))
def test_one_table_says_the_same_of_floats_and_in_sql(item: Item, value: float) -> None:
    ratio = item.quantity.ratio
    if ratio is not None:
        exact, off = _ratio(item)
        assert ratio.metric(value) == pytest.approx(float((Fraction(value) - off) * exact))
        english = ratio.english(value)
        assert english == pytest.approx(float(Fraction(value) / exact + off))
        (row,) = duckdb.execute(f"SELECT {ratio.english_sql('?::DOUBLE')}", [value]).fetchall()
        assert row == (english,)


@given(ANY_ITEM, st.integers(0, 3), st.integers(0, 4))
def test_a_step_is_one_english_unit_of_the_last_decimal(
    item: Item, english: int, metric: int
) -> None:
    step = item.quantity.step(english, metric)
    due = _ratio(item)[0] * Fraction(10**metric, 10**english)
    assert step == (due.numerator, due.denominator)


@given(st.integers(-30_000, 30_000))
def test_radiation_of_a_day_is_watts_or_megajoules(value: int) -> None:
    assert watts_of(value) == _whole(Fraction(value * 1_000_000, 86_400))
    assert megajoules_of(value) == _whole(Fraction(value * 86_400, 1_000_000))
    assert watts_of(_array(value)).tolist() == [watts_of(value)] * 2
    assert Fraction(86_400, 1_000_000) == Fraction(WATT_DAY_MJ).limit_denominator(10_000)


@pytest.mark.parametrize(
    ("code", "metric", "english", "due"),
    [
        ("day-air-tmp-avg", "10.2", "50.3", True),
        ("day-air-tmp-avg", "10.2", "50.4", True),
        ("day-air-tmp-avg", "10.2", "50.6", False),
        ("day-air-tmp-avg", "10.17", "50.4", False),  # no metric value of the network's
        ("day-precip", "7.00", "0.28", True),
        ("day-precip", "7.00", "0.29", False),
        ("day-sol-rad-avg", "99", "205", True),
        ("day-sol-rad-avg", "97", "205", False),
        ("day-rel-hum-avg", "50", "51", False),
        ("day-wind-spd-avg", "1.5", "3.5", True),  # 1.565 m/s, from tenths of mph
        ("day-wind-spd-avg", "1.5", "3.6", False),
    ],
)
def test_values_agree_that_can_be_one_reading(
    code: str, metric: str, english: str, due: bool
) -> None:
    item = by_code(code)
    assert item is not None
    decimals, places = 4, item.decimals_english
    own = metric_decimals(item)
    came = to_metric(_array(int(Fraction(english) * 10**places)), places, item, own)
    stored = _array(int(Fraction(metric) * 10**decimals))
    assert agree(stored, came * 10 ** (decimals - own), decimals, item).tolist() == [due] * 2


_FACTORS = {
    *(25.4, 2.54, 0.254, 254, 25_400),  # inches
    *(1.8, 0.5555555555555556),  # °F
    *(0.44704, 2.23693629, 1.609344, 1_397, 3_125, 25_146, 15_625, 2_794, 5_588, 0.3048),  # miles
    *(1_163, 41_868, 0.48458, 2.0636, 11.63, 11.574, 0.0864, 0.0036, 864, 86.4, 3.6),  # energy
}
_ELSEWHERE = {
    ("pipeline/field/eto.py", 0.0036),  # the formula's own
    ("pipeline/chunks/v2/parse.py", 254),  # bits
    ("pipeline/emulator/network.py", 254),  # a place's height
    ("pipeline/emulator/network.py", 1.8),  # a place's rain
}


def test_no_other_module_knows_a_factor_between_units() -> None:
    found = set()
    for path in MODULES:
        name = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and type(node.value) in (int, float):
                found |= {(name, node.value)} if node.value in _FACTORS else set()
    found = {pair for pair in found if pair[0] != "pipeline/field/units.py"}
    assert found - _ELSEWHERE == set()


def test_no_sql_holds_a_factor_between_units() -> None:
    texts = re.compile(r"25\.4|\* ?1\.8|0\.44704|1\.609|11\.63")
    for path in MODULES:
        if path.parts[len(ROOT.parts)] in ("cimis", "queries"):
            assert texts.search(path.read_text()) is None, path
