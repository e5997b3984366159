"""What is normal for a season's running total: its percentiles over the same days of other years.

Percentiles are those of the totals themselves: the sum of daily percentiles is none of a sum.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cimis.agronomy.normals import LEAST_YEARS
from cimis.agronomy.series import check_days
from cimis.pipeline.errors import NoDataError
from cimis.pipeline.field.time import day_number, years_of

__all__ = ["BAND", "MOST_MISSING", "RunningTotals", "running_totals"]

Doubles = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]

BAND = (10, 50, 90)
MOST_MISSING = 0.2
"""Share of days that may be missing in a season that counts."""


@dataclass(frozen=True, slots=True)
class RunningTotals:
    """Percentiles of running totals, a place for each day of the season.

    Attributes
    ----------
    percentiles : float64 array, days × 3
        `BAND` of the totals up to and with each day, linear between their sorted values.
    seasons : tuple of int
        Calendar years in which the seasons that count began.
    """

    percentiles: Doubles
    seasons: tuple[int, ...]


def running_totals(
    dates: Days,
    values: Doubles,
    start: dt.date,
    days: int,
    *,
    period: tuple[int, int] | None = None,
    least_years: int = LEAST_YEARS,
) -> RunningTotals:
    """Return what is normal for the running total of a season, from the seasons of other years.

    Parameters
    ----------
    dates : datetime64[D] array, ascending
        Days may be absent.
    values : float64 array of the same length
        Depths of the days; NaN where missing, or flagged by the network.
    start : datetime.date
        First day of the season in question, which is itself left out.
    days : int
        Length of the season; others are as long, so that a 29 February shifts no total.
    period : tuple of int, optional
        First and last calendar year in which seasons begin; all that have values by default.
    least_years : int
        Seasons that must count.

    Raises
    ------
    NoDataError
        Where fewer seasons count: of one no more than a fifth of the days may be missing. Those
        take the mean of that day's values in the seasons that count, zero where none has one.

    Notes
    -----
    A season that was not over, or not yet begun, when the station's record began or ended lacks
    those days like any others.
    """
    dates = check_days(dates, values)
    present = dates[np.isfinite(values)]
    if present.size == 0:
        raise NoDataError("there are no values to take running totals from")
    first, last = years_of(present[[0, -1]]).tolist()
    lowest, highest = period or (first - 1, last)
    years = [year for year in range(lowest, highest + 1) if year != start.year]
    begins = np.array([_same_day(start, year) for year in years], dtype=np.int64)
    number = dates.astype(np.int64)
    wanted = begins[:, None] + np.arange(days)
    place = np.searchsorted(number, wanted)
    found = np.minimum(place, number.size - 1)
    grid = np.where(number[found] == wanted, values[found], np.nan)
    enough = np.isnan(grid).sum(axis=1) <= MOST_MISSING * days
    counted = tuple(year for year, kept in zip(years, enough.tolist(), strict=True) if kept)
    if len(counted) < least_years:
        raise NoDataError(
            f"a normal total needs {least_years} other seasons, and {len(counted)} have enough days"
        )
    grid = grid[enough]
    held = np.isfinite(grid)
    usual = np.where(held, grid, 0.0).sum(axis=0) / np.maximum(held.sum(axis=0), 1)
    totals = np.where(held, grid, usual).cumsum(axis=1)
    return RunningTotals(np.percentile(totals, BAND, axis=0).T, counted)


def _same_day(day: dt.date, year: int) -> int:
    """Return the same day of another year, of 29 February the day before, as days since 1970."""
    try:
        return day_number(day.replace(year=year))
    except ValueError:
        return day_number(day.replace(year=year, day=day.day - 1))
