"""English values become metric by one exact rounding, and come back as they were."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.items import ITEMS, Item, by_code
from pipeline.units import agree, english_decimals, metric_decimals, to_english, to_metric

RATIOS = {
    "(F)": (Fraction(5, 9), 32),
    "(in)": (Fraction(254, 10), 0),
    "(Ly/day)": (Fraction(41868, 86400), 0),
    "(mBars)": (Fraction(1, 10), 0),
    "(MPH)": (Fraction(44704, 100000), 0),
}
ANY_ITEM = st.sampled_from(ITEMS)
NUMBERS = st.integers(-999_999, 9_999_999) | st.integers(-(10**15), 10**15)


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
