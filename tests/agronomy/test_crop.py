"""Crop coefficients and crop ET agree with FAO-56's printed examples, water with its definition."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cimis.agronomy.crop import (
    Coefficients,
    Lengths,
    Season,
    adjusted_kc,
    crop_et,
    kc_of_days,
    landscape_water,
)
from cimis.pipeline.errors import UsageError

LENGTHS, KC = Lengths(25, 25, 30, 20), Coefficients(0.15, 1.19, 0.35)
"""FAO-56, box 15: dry beans at Kimberly, Idaho, planted on 23 May 1974."""


def test_example_28_kc_on_four_days() -> None:
    got = kc_of_days([20, 40, 70, 95], lengths=LENGTHS, kc=KC)
    assert got.round(2).tolist() == [0.15, 0.77, 1.19, 0.56]


def test_figure_36_kc_and_crop_et_of_ten_decades() -> None:
    # the mean of a decade is that of its curve; 1,000 points of each stand for it
    points = (np.arange(100_000) + 0.5) / 1000
    kc = kc_of_days(points, lengths=LENGTHS, kc=KC).reshape(10, -1).mean(axis=1)
    assert kc.round(2).tolist() == [0.15, 0.15, 0.20, 0.57, 0.98, 1.19, 1.19, 1.19, 0.98, 0.56]
    eto = [3.0, 3.4, 4.0, 4.2, 4.5, 5.1, 5.6, 6.0, 5.5, 5.2]
    got = crop_et(eto, kc)
    # within the printed digits; 3.0 · 0.15 = 0.45 is printed as 0.5
    printed = [0.5, 0.5, 0.8, 2.4, 4.4, 6.1, 6.7, 7.1, 5.4, 2.9]
    np.testing.assert_allclose(got, printed, rtol=0, atol=0.05 + 1e-9)


@pytest.mark.parametrize(
    ("kc", "wind", "humidity", "height", "due"),
    [
        (1.20, 1.3, 75, 2.0, 1.07),  # example 27, maize near Taipei
        (1.20, 4.6, 44, 2.0, 1.30),  # example 27, maize near Mocha
        (1.15, 2.2, 30, 0.4, 1.19),  # box 15, dry beans at Kimberly
        (1.10, 2.2, 30, 0.4, 1.14),  # example 29, its basal coefficient (equation 70)
        (1.20, 2.2, 30, 0.5, 1.24),  # equation 68, alfalfa to grass at Kimberly
        (0.35, 2.2, 30, 0.4, 0.35),  # box 15: an end below 0.45 stays
    ],
)
def test_coefficients_adjusted_to_a_climate(
    kc: float, wind: float, humidity: float, height: float, due: float
) -> None:
    got = adjusted_kc(kc, wind_m_s=wind, humidity_min_pct=humidity, height_m=height)
    assert round(got, 2) == due


def test_wind_and_humidity_are_taken_within_their_limits() -> None:
    gale = adjusted_kc(1.2, wind_m_s=15, humidity_min_pct=3, height_m=3)
    assert gale == adjusted_kc(1.2, wind_m_s=6, humidity_min_pct=20, height_m=3)


def test_plants_outside_the_equation_are_refused() -> None:
    with pytest.raises(UsageError, match=r"0\.05 m"):
        adjusted_kc(1.2, wind_m_s=2, humidity_min_pct=45, height_m=0.05)


def test_a_season_by_dates_is_that_of_its_lengths() -> None:
    season = Season.of_lengths(dt.date(1974, 5, 23), LENGTHS, KC)
    assert season.lengths == LENGTHS
    assert season.end == dt.date(1974, 8, 30)
    dates = np.datetime64("1974-05-22") + np.arange(102)
    got = season.kc_on(dates)
    assert np.isnan(got[[0, 101]]).all()
    np.testing.assert_array_equal(got[1:-1], kc_of_days(np.arange(1, 101), lengths=LENGTHS, kc=KC))


@given(
    st.tuples(*[st.integers(1, 120)] * 4).map(lambda t: Lengths(*t)),
    st.tuples(*[st.floats(0, 1.4)] * 3).map(lambda t: Coefficients(*t)),
)
def test_each_day_is_equation_66_written_out(lengths: Lengths, kc: Coefficients) -> None:
    due, before = [], 0
    stages = zip(lengths, (kc.initial, kc.initial, kc.mid, kc.mid), strict=True)
    for (length, previous), following in zip(
        stages, (kc.initial, kc.mid, kc.mid, kc.end), strict=True
    ):
        for day in range(before + 1, before + length + 1):
            due.append(previous + (day - before) / length * (following - previous))
        before += length
    got = kc_of_days(np.arange(1, before + 1), lengths=lengths, kc=kc)
    np.testing.assert_allclose(got, due, atol=1e-12)


@pytest.mark.parametrize(
    ("lengths", "kc"),
    [
        (Lengths(0, 1, 1, 1), Coefficients(0.1, 1, 1)),
        (Lengths(1, 1, 1, 1), Coefficients(0.1, -1, 1)),
        (Lengths(1, 1, 1, 1), Coefficients(0.1, float("nan"), 1)),
    ],
)
def test_impossible_curves_are_refused(lengths: Lengths, kc: Coefficients) -> None:
    with pytest.raises(UsageError, match=r"stages of|crop coefficients"):
        kc_of_days([1], lengths=lengths, kc=kc)


def test_missing_reference_et_stays_missing() -> None:
    assert np.isnan(crop_et([5, np.nan], [0.5, 1])).tolist() == [False, True]


def test_an_acre_inch_is_near_27_000_gallons() -> None:
    got = landscape_water([25.4], factor=1.0, area_sqft=43_560)
    assert got.inches.tolist() == [1.0]
    assert got.gallons.tolist() == [pytest.approx(27_007.2)]


def test_zones_of_a_landscape_stand_side_by_side() -> None:
    eto = np.array([[25.4], [50.8], [np.nan]])
    got = landscape_water(eto, factor=[0.55, 0.3], area_sqft=[1000, 200])
    np.testing.assert_allclose(got.inches, [[0.55, 0.3], [1.1, 0.6], [np.nan] * 2])
    np.testing.assert_allclose(got.gallons, [[341, 37.2], [682, 74.4], [np.nan] * 2])


@pytest.mark.parametrize(("factor", "area"), [(-0.1, 1), (0.5, -1), (float("nan"), 1)])
def test_factors_and_areas_below_0_are_refused(factor: float, area: float) -> None:
    with pytest.raises(UsageError, match="is a number from 0"):
        landscape_water([1], factor=factor, area_sqft=area)
