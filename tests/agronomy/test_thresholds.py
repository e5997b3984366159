"""A threshold is read with its unit, and never guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cimis.agronomy.thresholds import Threshold, threshold
from cimis.pipeline.errors import UsageError


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("50F", Threshold(50, "F")),
        ("10 °C", Threshold(10, "C")),
        ("-1.5c", Threshold(-1.5, "C")),
        (" 87.8º F ", Threshold(87.8, "F")),
    ],
)
def test_a_number_and_its_unit_are_read(text: str, due: Threshold) -> None:
    assert threshold(text) == due


def test_a_number_alone_may_be_meant_in_either_unit() -> None:
    with pytest.raises(UsageError, match="no unit") as caught:
        threshold("50")
    assert caught.value.hint == "write 50F or 50C"


@pytest.mark.parametrize("text", ["", "F", "5O F", "50K", "50 F C", "nan C", "1e3F", "٥٠F"])
def test_what_is_no_temperature_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="threshold"):
        threshold(text)


def test_units_convert_as_defined() -> None:
    assert threshold("50F").to("C") == 10
    assert threshold("31C").to("F") == pytest.approx(87.8, abs=1e-12)
    assert threshold("41.1C").to("C") == 41.1


@given(st.floats(-60, 150, allow_nan=False))
def test_a_threshold_prints_as_it_may_be_given(value: float) -> None:
    given_one = threshold(f"{value:.4f}F")
    assert threshold(str(given_one)).value == pytest.approx(given_one.value, rel=1e-5)
