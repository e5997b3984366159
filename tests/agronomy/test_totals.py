"""Percentiles of running totals equal those reckoned season by season."""

from __future__ import annotations

import datetime as dt

import numpy as np
import numpy.typing as npt
import pytest

from cimis.agronomy.totals import running_totals
from cimis.pipeline.errors import NoDataError

DATES = np.arange("2009-10-01", "2021-10-01", dtype="datetime64[D]")
START = dt.date(2018, 10, 1)


def _rain() -> npt.NDArray[np.float64]:
    chance = np.random.default_rng(11)
    return np.where(chance.random(DATES.size) < 0.2, chance.gamma(1, 8, DATES.size), 0.0)


def test_percentiles_are_those_of_the_other_seasons_totals() -> None:
    values = _rain()
    found = running_totals(DATES, values, START, 200)
    years = [year for year in range(2009, 2021) if year != 2018]
    totals = []
    for year in years:
        begin = int(np.flatnonzero(np.datetime64(f"{year}-10-01") == DATES)[0])
        totals.append(np.cumsum(values[begin : begin + 200]))
    assert found.seasons == tuple(years)
    expected = np.percentile(np.array(totals), (10, 50, 90), axis=0).T
    np.testing.assert_allclose(found.percentiles, expected)


def test_a_season_that_lacks_more_than_a_fifth_does_not_count() -> None:
    values = _rain()
    begin = int(np.flatnonzero(np.datetime64("2012-10-01") == DATES)[0])
    values[begin : begin + 41] = np.nan
    assert 2012 not in running_totals(DATES, values, START, 200).seasons
    assert 2012 in running_totals(DATES, values, START, 365).seasons


def test_a_missing_day_takes_the_mean_of_that_day_in_other_seasons() -> None:
    values = np.ones(DATES.size)
    values[int(np.flatnonzero(np.datetime64("2012-10-05") == DATES)[0])] = np.nan
    found = running_totals(DATES, values, START, 10)
    np.testing.assert_allclose(found.percentiles[:, 1], np.arange(1, 11))
    np.testing.assert_allclose(found.percentiles[:, 0], np.arange(1, 11))


def test_a_period_says_in_which_years_seasons_begin() -> None:
    assert running_totals(DATES, _rain(), START, 100, period=(2010, 2015)).seasons == (
        *range(2010, 2016),
    )


def test_a_season_from_29_february_begins_a_day_before_in_other_years() -> None:
    values = np.zeros(DATES.size)
    values[np.flatnonzero(np.datetime64("2019-02-28") == DATES)] = 7.0
    found = running_totals(DATES, values, dt.date(2020, 2, 29), 5)
    assert np.percentile([7.0] + [0.0] * (len(found.seasons) - 1), 90) == found.percentiles[0, 2]


def test_below_five_other_seasons_there_is_none() -> None:
    kept = np.datetime64("2016-10-01") <= DATES
    with pytest.raises(NoDataError, match="needs 5 other seasons, and 4 have enough days"):
        running_totals(DATES[kept], _rain()[kept], dt.date(2019, 10, 1), 365)
