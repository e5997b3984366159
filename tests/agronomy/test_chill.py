"""Chill agrees with its papers' rules, with other programs' figures, and says what it lacks."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cimis.agronomy.chill import chill_hours, chill_portions, utah_units
from cimis.agronomy.hours import fill_gaps
from cimis.pipeline.errors import UsageError
from tests.agronomy.winters import portions_by_loop, winter

RAMP = np.linspace(0, 15, 2880)


def test_the_ramp_has_the_portions_that_chillr_counts() -> None:
    assert round(float(chill_portions(RAMP).total), 4) == 72.5697


def test_the_ramp_has_the_portions_that_xclim_counts() -> None:
    got = chill_portions(RAMP, kelvin=273.15, first_hour=False)
    assert float(got.total) == pytest.approx(72.2441765, abs=1e-7)


@pytest.mark.parametrize("kelvin", [273.0, 273.15])
def test_a_winter_of_stations_is_as_a_plain_loop_over_each(kelvin: float) -> None:
    hours = winter(3624, 4)
    got = chill_portions(hours, kelvin=kelvin)
    due = [portions_by_loop(column.tolist(), kelvin) for column in hours.T]
    assert min(due) > 20
    np.testing.assert_allclose(got.total, due, rtol=1e-11)


def test_the_running_sum_ends_at_the_total_and_never_falls() -> None:
    got = chill_portions(winter(2000, 2))
    assert (np.diff(got.running, axis=0) >= 0).all()
    np.testing.assert_allclose(got.running[-1], got.total)


def test_an_hour_without_temperature_is_passed_over() -> None:
    hours = winter(2400, 1)[:, 0]
    gaps = np.random.default_rng(5).random(2400) < 0.04
    with_gaps = np.where(gaps, np.nan, hours)
    got = chill_portions(with_gaps)
    assert int(got.missing) == gaps.sum()
    assert float(got.total) == pytest.approx(float(chill_portions(hours[~gaps]).total), rel=1e-12)


def test_utah_weights_change_where_the_paper_says() -> None:
    edges = [1.4, 1.5, 2.4, 2.5, 9.1, 9.2, 12.4, 12.5, 15.9, 16.0, 18.0, 18.1]
    got = utah_units(edges).hourly.tolist()
    assert got == [0, 0.5, 0.5, 1, 1, 0.5, 0.5, 0, 0, -0.5, -0.5, -1]


def test_both_counts_of_hours_at_their_limits() -> None:
    below, between = chill_hours([-0.1, 0.0, 7.2, 7.3, (45 - 32) / 1.8])
    assert below.hourly.tolist() == [1, 1, 1, 0, 0]
    assert between.hourly.tolist() == [0, 1, 1, 0, 0]


def test_davis_has_the_hours_counted_by_hand(real: Path) -> None:
    with (real / "web" / "davis_hourly_2019_metric.csv").open(newline="") as file:
        hours = [
            float(row["Air Temp (C)"])
            for row in csv.DictReader(file)
            if (row["Date"] or "").startswith(("11/", "12/"))
        ]
    assert len(hours) == 61 * 24
    assert [int(count.total) for count in chill_hours(hours)] == [395, 390]


def test_missing_hours_are_counted_and_a_sum_that_lacks_too_much_is_refused() -> None:
    hours = np.full((100, 3), 5.0)
    hours[:5, 1] = hours[:6, 2] = np.nan
    got = utah_units(hours)
    assert got.missing.tolist() == [0, 5, 6]
    assert got.refused.tolist() == [False, False, True]
    np.testing.assert_array_equal(got.total, [100, 95, np.nan])
    np.testing.assert_array_equal(utah_units(hours, max_missing=0.1).total, [100, 95, 94])


def test_a_series_without_any_hour_has_no_sum() -> None:
    assert np.isnan(utah_units(np.full(4, np.nan), max_missing=1).total)
    assert np.isnan(utah_units(np.empty(0), max_missing=1).total)


def test_short_gaps_are_filled_only_when_asked() -> None:
    hours = [4.0, np.nan, np.nan, 10.0, np.nan, np.nan, np.nan, 4.0, np.nan]
    assert int(utah_units(hours, max_missing=1).missing) == 6
    got = utah_units(hours, fill_hours=2, max_missing=1)
    assert (int(got.missing), int(got.filled)) == (4, 2)
    assert got.hourly.tolist() == [1, 1, 1, 0.5, 0, 0, 0, 1, 0]


@given(
    st.lists(st.one_of(st.none(), st.integers(-50, 250)), min_size=1, max_size=60),
    st.integers(0, 6),
)
def test_filling_is_a_line_between_neighbours_and_nothing_else(
    tenths: list[int | None], longest: int
) -> None:
    hours = np.array([np.nan if t is None else t / 10 for t in tenths])
    due, gap = hours.copy(), 0
    for at, value in enumerate(hours):  # a plain loop over the gaps
        if np.isnan(value):
            gap += 1
            continue
        if 0 < gap <= longest and gap < at:
            due[at - gap : at] = np.linspace(hours[at - gap - 1], value, gap + 2)[1:-1]
        gap = 0
    got = utah_units(hours, fill_hours=longest, max_missing=1)
    assert int(got.missing) == np.isnan(due).sum()
    assert int(got.filled) == np.isnan(hours).sum() - np.isnan(due).sum()
    wide = fill_gaps(np.stack([hours, hours[::-1]], axis=1), longest=longest)
    np.testing.assert_allclose(wide.values[:, 0], due, atol=1e-12)
    np.testing.assert_allclose(wide.values[:, 1], due[::-1], atol=1e-12)


def test_a_temperature_that_is_not_celsius_is_named() -> None:
    with pytest.raises(UsageError, match="280 °C, at hour index 1, column 0, is no air temperat"):
        chill_portions([[5.0], [280.0]])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [({"max_missing": 5}, "share of missing hours 5"), ({"fill_hours": -1}, "gaps of -1 hours")],
)
def test_impossible_allowances_are_refused(arguments: dict[str, int], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        utah_units([5.0], **arguments)
