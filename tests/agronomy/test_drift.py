"""Slow faults: the factor of clear days by period, spikes left out, the ceiling of humidity."""

from __future__ import annotations

import numpy as np
import pytest

from cimis.agronomy.drift import clear_sky_drift, humidity_ceiling
from cimis.pipeline.errors import UsageError

YEAR = np.arange("2015-01-01", "2016-01-01", dtype="datetime64[D]")
CLEAR = 250 + 100 * np.sin(2 * np.pi * (np.arange(365) - 80) / 365)


def _sky(seed: int = 1) -> np.ndarray:
    """Return radiation of a year in which one day in five or so is clear."""
    chance = np.random.default_rng(seed)
    return CLEAR * np.where(chance.random(365) < 0.25, 1.0, chance.uniform(0.3, 0.95, 365))


def test_a_sound_sensor_meets_the_clear_sky() -> None:
    got = clear_sky_drift(YEAR, _sky(), CLEAR)
    assert set(got.verdict) == {"sound"}
    assert got.factor == pytest.approx(1.0)
    assert got.start[1] == np.datetime64("2015-03-02")
    assert got.end[-1] == YEAR[-1]
    assert got.days.tolist() == [60] * 5 + [65]


@pytest.mark.parametrize(("gain", "verdict"), [(0.98, "sound"), (0.9, "suspect"), (1.1, "suspect")])
def test_a_gain_of_one_period_shows_in_its_factor(gain: float, verdict: str) -> None:
    solar = _sky()
    solar[60:120] *= gain
    got = clear_sky_drift(YEAR, solar, CLEAR)
    assert got.verdict[1] == verdict
    assert got.factor[1] == pytest.approx(1 / gain)
    assert set(np.delete(got.verdict, 1)) == {"sound"}


def test_the_factor_equals_a_plain_loop() -> None:
    """Written from the rule: the six largest ratios, and the next while the largest is a spike."""
    chance = np.random.default_rng(3)
    solar = _sky(4) * chance.uniform(0.9, 1.05, 365)
    solar[chance.integers(0, 365, 14)] *= 1.6
    solar[chance.random(365) < 0.1] = np.nan
    got = clear_sky_drift(YEAR, solar, CLEAR)
    for period in range(6):
        rows = [r for r in range(365) if min(r // 60, 5) == period and np.isfinite(solar[r])]
        rows.sort(key=lambda r: -solar[r] / CLEAR[r])
        spikes = 0
        while True:
            now, later = rows[spikes : spikes + 6], rows[spikes + 1 : spikes + 7]
            factor = CLEAR[now].mean() / solar[now].mean()
            change = CLEAR[later].mean() / solar[later].mean() / factor - 1
            excess = solar[now].mean() - CLEAR[now].mean()
            if not ((change >= 0.02 and excess > 0) or excess >= 75):
                break
            spikes += 1
        assert got.factor[period] == pytest.approx(factor)
        assert got.spikes[period] == spikes
        assert got.clearest[period].tolist() == YEAR[now].tolist()
    assert got.spikes.sum() > 3


def test_one_spike_is_left_out() -> None:
    solar = _sky()
    solar[30] = 2.5 * CLEAR[30]
    got = clear_sky_drift(YEAR, solar, CLEAR)
    assert got.spikes.tolist() == [1, 0, 0, 0, 0, 0]
    assert got.factor[0] == pytest.approx(1.0)


def test_too_few_days_are_no_evidence() -> None:
    solar = _sky()
    solar[60:91] = np.nan
    got = clear_sky_drift(YEAR, solar, CLEAR)
    assert got.verdict[1] == "no evidence"
    assert np.isnan(got.factor[1])
    assert np.isnat(got.clearest[1]).all()
    assert clear_sky_drift(YEAR, solar, CLEAR, least_days=29).verdict[1] == "sound"


def test_a_factor_beyond_belief_is_no_evidence() -> None:
    got = clear_sky_drift(YEAR, 0.4 * _sky(), CLEAR)
    assert set(got.verdict) == {"no evidence"}
    assert got.factor == pytest.approx(2.5)


def test_nothing_but_spikes_is_no_evidence() -> None:
    got = clear_sky_drift(YEAR, CLEAR + 200, CLEAR)
    assert set(got.verdict) == {"no evidence"}


def test_absent_days_and_two_years() -> None:
    """Periods count from each 1 January; days that are not there make them shorter, no more."""
    dates = np.arange("2014-12-20", "2015-03-05", dtype="datetime64[D]")
    dates = np.delete(dates, 30)
    level = np.full(dates.size, 200.0)
    got = clear_sky_drift(dates, level, level, least_days=7)
    assert got.start.astype(str).tolist() == ["2014-12-20", "2015-01-01", "2015-03-02"]
    assert got.days.tolist() == [12, 59, 3]


def test_no_days_give_no_periods() -> None:
    none = np.array([], dtype="datetime64[D]")
    assert clear_sky_drift(none, np.array([]), np.array([])).factor.size == 0
    assert humidity_ceiling(none, np.array([])).percent.size == 0


def test_days_may_come_as_instants() -> None:
    solar = _sky()
    got = clear_sky_drift(YEAR.astype("datetime64[ms]"), solar, CLEAR)
    due = clear_sky_drift(YEAR, solar, CLEAR)
    assert got.start.tolist() == due.start.tolist()
    np.testing.assert_array_equal(got.factor, due.factor)
    with pytest.raises(UsageError, match="there twice"):
        clear_sky_drift(np.repeat(YEAR, 2).astype("datetime64[s]"), *(np.zeros(730),) * 2)


def test_a_sensor_that_reads_nothing_is_no_evidence() -> None:
    got = clear_sky_drift(YEAR, np.zeros(365), CLEAR)
    assert set(got.verdict) == {"no evidence"}


def test_days_must_be_in_order_and_match() -> None:
    with pytest.raises(UsageError, match="not in order"):
        clear_sky_drift(YEAR[::-1], CLEAR, CLEAR)
    with pytest.raises(UsageError, match="365 days, but values for 364"):
        humidity_ceiling(YEAR, CLEAR[1:])
    with pytest.raises(UsageError, match="6 days are too few"):
        clear_sky_drift(YEAR, CLEAR, CLEAR, least_days=6)


def test_the_ceiling_is_the_mean_of_the_highest_hundredth() -> None:
    dates = np.arange("2014-01-01", "2016-01-01", dtype="datetime64[D]")
    humidity = np.concatenate([np.linspace(50, 92, 365), np.linspace(50, 100, 365)])
    humidity[10:30] = np.nan
    got = humidity_ceiling(dates, humidity)
    assert got.year.tolist() == [2014, 2015]
    assert got.days.tolist() == [345, 365]
    assert got.percent[0] == pytest.approx(humidity[362:365].mean())
    assert got.verdict.tolist() == ["suspect", "sound"]


def test_a_year_of_too_few_days_has_no_ceiling() -> None:
    humidity = np.full(365, 99.0)
    humidity[:66] = np.nan
    assert humidity_ceiling(YEAR, humidity).verdict.tolist() == ["no evidence"]
    assert humidity_ceiling(YEAR, humidity, least_days=299).verdict.tolist() == ["sound"]
