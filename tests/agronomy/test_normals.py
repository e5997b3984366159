"""Normals equal those of plain loops and of Polars, and say what they rest on or refuse."""

from __future__ import annotations

import datetime as dt
from calendar import monthrange

import numpy as np
import polars as pl
import pytest

from cimis.agronomy.departures import departures
from cimis.agronomy.normals import PERCENTILES, daily_normals, monthly_normals, monthly_values
from cimis.pipeline.errors import NoDataError, UsageError

DATES = np.arange("2001-01-01", "2013-01-01", dtype="datetime64[D]")


def _values(seed: int = 1, missing: float = 0.1) -> np.ndarray:
    chance = np.random.default_rng(seed)
    season = 15 - 10 * np.cos(2 * np.pi * np.arange(DATES.size) / 365.25)
    values: np.ndarray = np.round(season + chance.normal(0, 4, DATES.size), 1)
    values[chance.random(DATES.size) < missing] = np.nan
    return values


def _among(first: str, last: str) -> np.ndarray:
    """Return which of the days lie from one to another."""
    inside = np.zeros(DATES.size, dtype=np.bool_)
    start, end = np.searchsorted(DATES, np.array([first, last], dtype="datetime64[D]")).tolist()
    inside[start : end + 1] = True
    return inside


def _place(month: int, day: int) -> int:
    return (dt.date(2000, month, day) - dt.date(2000, 1, 1)).days


def _sample(values: np.ndarray, month: int, day: int, half: int = 7) -> dict[int, list[float]]:
    """The days around a calendar day by year, counted in the calendar of a leap year."""
    held = {str(d): v for d, v in zip(DATES, values, strict=True) if np.isfinite(v)}
    found = {}
    for year in range(2001, 2013):
        around = [dt.date(2000, month, day) + dt.timedelta(days=n) for n in range(-half, half + 1)]
        names = [f"{year + d.year - 2000}-{d:%m-%d}" for d in around]
        got = [held[name] for name in names if name in held]
        if len(got) > half:
            found[year] = got
    return found


@pytest.mark.parametrize(("month", "day"), [(1, 1), (2, 25), (2, 29), (3, 3), (7, 15), (12, 31)])
def test_a_day_equals_its_sample_taken_by_hand(month: int, day: int) -> None:
    values = _values()
    normals, place = daily_normals(DATES, values), _place(month, day)
    by_year = _sample(values, month, day)
    pool = [v for got in by_year.values() for v in got]
    assert normals.years[place] == len(by_year)
    assert normals.mean[place] == pytest.approx(np.mean(pool))
    assert normals.percentiles[place] == pytest.approx(np.percentile(pool, PERCENTILES))
    assert (normals.least[place], normals.most[place]) == (min(pool), max(pool))
    assert (normals.month[place], normals.day[place]) == (month, day)


def test_a_day_alone_equals_polars() -> None:
    values = _values()
    normals = daily_normals(DATES, values, half_days=0)
    frame = pl.DataFrame({"date": DATES, "value": values}).filter(pl.col("value").is_not_nan())
    due = (
        frame.group_by(pl.col("date").dt.month().alias("m"), pl.col("date").dt.day().alias("d"))
        .agg(
            pl.col("value").mean().alias("mean"),
            pl.len().alias("years"),
            *(pl.col("value").quantile(p / 100, "linear").alias(f"p{p}") for p in PERCENTILES),
        )
        .filter(pl.col("years") >= 5)
        .sort("m", "d")
    )
    known = np.isfinite(normals.mean)
    assert known.sum() == due.height == 365  # 29 February has three years
    np.testing.assert_allclose(normals.mean[known], due["mean"])
    np.testing.assert_array_equal(normals.years[known], due["years"])
    np.testing.assert_allclose(
        normals.percentiles[known], due.select(f"p{p}" for p in PERCENTILES).to_numpy()
    )


def test_the_29th_of_february_has_a_normal_by_the_days_around_it() -> None:
    normals = daily_normals(DATES, _values())
    assert normals.years[_place(2, 29)] == 12
    assert daily_normals(DATES, _values(missing=0), half_days=0).years[_place(2, 29)] == 3


def test_an_extreme_has_the_year_of_its_own_day() -> None:
    """29 December 2005 is in the window of 3 January 2006, and remains of 2005."""
    values = _values()
    values[_among("2005-12-29", "2005-12-29")] = 99.0
    normals = daily_normals(DATES, values)
    assert normals.most[_place(1, 3)] == 99.0
    assert normals.most_year[_place(1, 3)] == 2005
    assert normals.most_year[_place(12, 25)] == 2005


def test_a_year_with_half_of_its_window_does_not_count() -> None:
    values = _values(missing=0)
    july = _among("2004-07-01", "2004-07-31")
    values[july] = np.nan
    normals = daily_normals(DATES, values)
    assert normals.years[_place(7, 1)] == 11  # 7 of 15 days
    assert normals.years[_place(6, 30)] == 12  # 8 of 15
    assert normals.complete[_place(7, 1)]


def test_a_period_bounds_the_years() -> None:
    values = _values()
    inside = _among("2003-01-01", "2010-12-31")
    got = daily_normals(DATES, values, period=(2003, 2010))
    alone = daily_normals(DATES[inside], values[inside])
    np.testing.assert_array_equal(got.mean, alone.mean)
    assert got.period == (2003, 2010)


def test_a_period_that_is_mostly_absent_is_incomplete() -> None:
    got = daily_normals(DATES, _values(), period=(1991, 2020))
    assert not got.complete.any()
    assert got.years.max() == 12


def test_fewer_than_five_years_are_refused() -> None:
    kept = _among("2001-01-01", "2004-12-31")
    with pytest.raises(NoDataError, match="5 years, and at most 4 of 2001-2004"):
        daily_normals(DATES[kept], _values()[kept])
    assert daily_normals(DATES[kept], _values()[kept], least_years=4).years.max() == 4


def test_a_place_with_too_few_years_has_no_figures() -> None:
    values = _values()
    values[_among("2005-03-01", "2012-12-31")] = np.nan
    got = daily_normals(DATES, values)
    assert np.isnan(got.mean[_place(7, 1)])
    assert np.isnan(got.percentiles[_place(7, 1)]).all()
    assert got.years[_place(7, 1)] == 4
    assert got.most_year[_place(7, 1)] == 0
    assert np.isfinite(got.mean[_place(2, 1)])


def test_no_values_at_all_are_refused() -> None:
    with pytest.raises(NoDataError, match="no values"):
        daily_normals(DATES, np.full(DATES.size, np.nan))


def test_a_period_reversed_and_a_window_too_wide_are_refused() -> None:
    with pytest.raises(UsageError, match="ends before it begins"):
        daily_normals(DATES, _values(), period=(2010, 2003))
    with pytest.raises(UsageError, match="window of 200 days"):
        daily_normals(DATES, _values(), half_days=200)
    with pytest.raises(UsageError, match="not in order after 2012-12-31"):
        daily_normals(DATES[::-1], _values())


@pytest.mark.parametrize(
    ("rows", "counts"),
    [
        ([0, 2, 4, 6, 8, 10, 12, 14, 16, 18], True),  # 10 missing
        ([0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20], False),  # 11
        ([3, 4, 5, 6], True),
        ([3, 4, 5, 6, 7], False),  # 5 in a row
    ],
)
def test_a_month_counts_by_the_guidelines(rows: list[int], counts: bool) -> None:
    values = _values(missing=0)
    month = np.flatnonzero(DATES.astype("datetime64[M]") == np.datetime64("2003-05"))
    values[month[rows]] = np.nan
    means, first = monthly_values(DATES, values)
    sums, _ = monthly_values(DATES, values, how="sum")
    assert np.isfinite(means[2003 - first, 4]) == counts
    assert np.isnan(sums[2003 - first, 4])
    if counts:
        assert means[2003 - first, 4] == pytest.approx(np.nanmean(values[month]))


def test_rows_that_are_absent_are_missing_days() -> None:
    values = _values(missing=0)
    kept = ~_among("2003-05-10", "2003-05-14")
    means, first = monthly_values(DATES[kept], values[kept])
    assert np.flatnonzero(np.isnan(means).ravel()).tolist() == [(2003 - first) * 12 + 4]


def test_months_equal_sums_taken_by_hand() -> None:
    values = _values(missing=0)
    sums, first = monthly_values(DATES, values, how="sum")
    for year, month in ((2001, 2), (2004, 2), (2012, 12)):
        days = monthrange(year, month)[1]
        start = int(np.searchsorted(DATES, np.datetime64(f"{year}-{month:02d}-01")))
        assert sums[year - first, month - 1] == pytest.approx(values[start : start + days].sum())


def test_normals_of_months() -> None:
    values = _values(missing=0)
    normals = monthly_normals(DATES, values, how="sum")
    sums, first = monthly_values(DATES, values, how="sum")
    assert normals.mean == pytest.approx(sums.mean(axis=0))
    assert normals.percentiles == pytest.approx(np.percentile(sums, PERCENTILES, axis=0).T)
    assert normals.most_year.tolist() == (first + sums.argmax(axis=0)).tolist()
    assert normals.years.tolist() == [12] * 12


def test_departures_of_days() -> None:
    values = _values(missing=0)
    normals = daily_normals(DATES, values)
    days = np.array(["2020-02-29", "2020-07-15", "2020-07-15", "2020-07-16"], dtype="datetime64[D]")
    place = _place(7, 15)
    given = np.array([20.0, normals.most[place] + 1, normals.percentiles[place, 3], np.nan])
    got = departures(normals, days, given)
    pool = [v for year in _sample(values, 2, 29).values() for v in year]
    below, equal = sum(v < 20 for v in pool), sum(v == 20 for v in pool)
    assert got.percentile[0] == pytest.approx(100 * (below + equal / 2) / len(pool))
    assert got.rank[0] == 1 + len(pool) - below - equal
    assert got.anomaly[:2] == pytest.approx([20 - np.mean(pool), given[1] - normals.mean[place]])
    assert (got.rank[1], got.percentile[1], got.of[1]) == (1, 100.0, 180)
    assert got.percentile[2] == pytest.approx(50, abs=1.5)
    assert np.isnan(got.percentile[3])
    assert (got.rank[3], got.of[3]) == (0, 0)


def test_departures_of_months() -> None:
    normals = monthly_normals(DATES, _values(missing=0))
    got = departures(normals, np.array(["2020-08-31"], dtype="datetime64[D]"), np.array([0.0]))
    assert got.normal[0] == normals.mean[7]
    assert (got.percentile[0], got.rank[0], got.of[0], got.years[0]) == (0.0, 13, 12, 12)
