"""What is normal for a day or a month: mean, percentiles and extremes of past years.

Rules of completeness after the WMO Guidelines on the Calculation of Climate Normals (WMO-No. 1203,
2017, section 4): a month counts unless 11 days or more are missing, or 5 in a row; a sum needs all
of its days; a normal is complete where 80 % of the period's years count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cimis.agronomy.series import check_days
from cimis.pipeline.errors import NoDataError, UsageError
from cimis.pipeline.field.time import years_of

__all__ = [
    "PERCENTILES",
    "Normals",
    "calendar_place",
    "daily_normals",
    "monthly_normals",
    "monthly_values",
]

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Days = npt.NDArray[np.datetime64]

PERCENTILES = (5, 10, 25, 50, 75, 90, 95)
LEAST_YEARS = 5

_MOST_MISSING = 10
_MISSING_IN_A_ROW = 5
_COMPLETE = 0.8

_LEAP = np.arange("2000-01-01", "2001-01-01", dtype="datetime64[D]")
_MONTHS = _LEAP.astype("datetime64[M]").astype(np.int64) % 12 + 1
_DAYS = (_LEAP - _LEAP.astype("datetime64[M]")).astype(np.int64) + 1
_YEAR = _LEAP.size
_LEAP_DAY = 59


@dataclass(frozen=True, slots=True)
class Normals:
    """Normals of one series; arrays of 366 calendar days, or of 12 months.

    Attributes
    ----------
    month, day : int64 arrays
        Of the calendar; day is 0 for months.
    mean : float64 array
        Mean of all values of the sample.
    percentiles : float64 array, places × 7
        `PERCENTILES` of the sample, linear between its sorted values (definition 7 of Hyndman
        and Fan, 1996, as numpy, Polars and DuckDB's ``quantile_cont`` have it).
    least, most : float64 arrays
        Extremes of the sample.
    least_year, most_year : int64 arrays
        Calendar years of their (first) days; 0 where there is none.
    years : int64 array
        Years that count. Below ``least_years`` all figures are NaN.
    complete : bool array
        Whether 80 % of the period's years count.
    period : tuple of int
        First and last year.
    sample : float64 array, places × values
        What the figures rest on, sorted, NaN last.
    """

    month: Ints
    day: Ints
    mean: Doubles
    percentiles: Doubles
    least: Doubles
    least_year: Ints
    most: Doubles
    most_year: Ints
    years: Ints
    complete: Bools
    period: tuple[int, int]
    sample: Doubles


def daily_normals(
    dates: Days,
    values: Doubles,
    *,
    half_days: int = 7,
    period: tuple[int, int] | None = None,
    least_years: int = LEAST_YEARS,
) -> Normals:
    """Return the normal of each calendar day, from the days around it in all years.

    Parameters
    ----------
    dates : datetime64[D] array, ascending
        Days may be absent.
    values : float64 array of the same length
        NaN where missing, or flagged by the network.
    half_days : int
        Days before and after each day that belong to its sample. A year counts for a day where
        more than half of these have values.
    period : tuple of int, optional
        First and last calendar year; all that have values by default.
    least_years : int
        Years that must count.

    Raises
    ------
    UsageError
        For days out of order, a period reversed, or a window of half a year.
    NoDataError
        Where no day has that many years.

    Notes
    -----
    The calendar has 366 places. 29 February's sample are the days around it in every year, and
    itself in leap years; windows over it have one day fewer in other years. Those of early
    January reach into the December before, where the period has it.
    """
    if not 0 <= half_days <= _YEAR // 4:
        raise UsageError(f"a window of {half_days} days to each side is none", hint="take 0 to 91")
    grid, first = _grid(dates, values, period)
    flat = np.pad(grid.ravel(), half_days, constant_values=np.nan)
    width = 2 * half_days + 1
    windows = np.lib.stride_tricks.sliding_window_view(flat, width).reshape(-1, _YEAR, width)
    counted = np.isfinite(windows).sum(axis=2) > width // 2
    sample = np.where(counted[:, :, None], windows, np.nan).transpose(1, 0, 2).reshape(_YEAR, -1)
    place = np.arange(_YEAR)[:, None, None] + np.arange(-half_days, half_days + 1)
    years = first + np.arange(len(grid))[:, None] + place // _YEAR
    return _normals((_MONTHS, _DAYS), sample, years.reshape(_YEAR, -1), counted, first, least_years)


def monthly_values(
    dates: Days, values: Doubles, *, how: str = "mean", period: tuple[int, int] | None = None
) -> tuple[Doubles, int]:
    """Return the mean or the sum of each month as years × 12, NaN where too much is missing.

    Also the first year. For the rules see the module; arguments and errors as `monthly_normals`.
    """
    if how not in ("mean", "sum"):
        raise UsageError(f"'{how}' is no way to join days", hint="take mean or sum")
    grid, first = _grid(dates, values, period)
    missing = np.isnan(grid)
    missing[~_leap(first + np.arange(len(grid))), _LEAP_DAY] = False
    totals = np.full((len(grid), 12), np.nan)
    for month in range(12):
        inside = np.flatnonzero(month + 1 == _MONTHS)
        lacking, present = missing[:, inside], np.isfinite(grid[:, inside])
        if how == "sum":
            enough = ~lacking.any(axis=1)
        else:
            runs = np.lib.stride_tricks.sliding_window_view(lacking, _MISSING_IN_A_ROW, axis=1)
            longest = runs.sum(axis=2).max(axis=1)
            enough = (lacking.sum(axis=1) <= _MOST_MISSING) & (longest < _MISSING_IN_A_ROW)
        sums = np.where(present, grid[:, inside], 0.0).sum(axis=1)
        count = np.maximum(present.sum(axis=1), 1) if how == "mean" else 1
        totals[:, month] = np.where(enough, sums / count, np.nan)
    return totals, first


def monthly_normals(
    dates: Days,
    values: Doubles,
    *,
    how: str = "mean",
    period: tuple[int, int] | None = None,
    least_years: int = LEAST_YEARS,
) -> Normals:
    """Return the normal of each month, from the months of all years that are complete enough.

    Parameters
    ----------
    dates, values, period, least_years
        As `daily_normals`.
    how : str
        ``mean``, or ``sum`` for rain and ET.

    Raises
    ------
    UsageError, NoDataError
        As `daily_normals`.
    """
    totals, first = monthly_values(dates, values, how=how, period=period)
    years = np.broadcast_to(first + np.arange(len(totals)), totals.T.shape)
    months = np.arange(1, 13), np.zeros(12, dtype=np.int64)
    return _normals(months, totals.T, years, np.isfinite(totals), first, least_years)


def calendar_place(dates: Days) -> Ints:
    """Return the place of each day among the 366 of a leap year, from 0."""
    months = dates.astype("datetime64[M]")
    place: Ints = (dates.astype("datetime64[D]") - months).astype(np.int64)
    place += np.searchsorted(_MONTHS, months.astype(np.int64) % 12 + 1)
    return place


def _leap(years: Ints) -> Bools:
    """Return which years have a 29 February."""
    leap: Bools = (years % 4 == 0) & ((years % 100 != 0) | (years % 400 == 0))
    return leap


def _grid(dates: Days, values: Doubles, period: tuple[int, int] | None) -> tuple[Doubles, int]:
    """Return values as years × 366 calendar days, NaN where there is none, and the first year."""
    dates = check_days(dates, values)
    if period is not None and period[0] > period[1]:
        raise UsageError(f"the period {period[0]}-{period[1]} ends before it begins")
    years = years_of(dates)
    present = np.isfinite(values)
    if period is None:
        if not present.any():
            raise NoDataError("there are no values to take normals from")
        period = int(years[present].min()), int(years[present].max())
    kept = present & (years >= period[0]) & (years <= period[1])
    grid = np.full((period[1] - period[0] + 1, _YEAR), np.nan)
    grid[years[kept] - period[0], calendar_place(dates[kept])] = values[kept]
    return grid, period[0]


def _normals(
    calendar: tuple[Ints, Ints],
    sample: Doubles,
    sample_years: Ints,
    counted: Bools,
    first: int,
    least_years: int,
) -> Normals:
    """Return the figures of each place's sample; ``counted`` says which years have how many."""
    years = counted.sum(axis=0)
    if years.max() < least_years:
        raise NoDataError(
            f"normals need {least_years} years, and at most {years.max()} of "
            f"{first}-{first + len(counted) - 1} have enough days",
            hint="store more years, or ask for fewer (the normal of so few is hardly one)",
        )
    sample = np.where((years >= least_years)[:, None], sample, np.nan)
    held = np.isfinite(sample)
    count = held.sum(axis=1)
    rows = np.arange(len(sample))
    ordered = np.sort(sample, axis=1)
    place = np.array(PERCENTILES) / 100 * (np.maximum(count, 1) - 1)[:, None]
    low = place.astype(np.int64)
    below = np.take_along_axis(ordered, low, axis=1)
    above = np.take_along_axis(ordered, np.minimum(low + 1, ordered.shape[1] - 1), axis=1)
    between = place - low
    percentiles = np.where(between > 0, below + between * (above - below), below)
    least = np.argmin(np.where(held, sample, np.inf), axis=1)
    most = np.argmax(np.where(held, sample, -np.inf), axis=1)
    sums = np.where(held, sample, 0.0).sum(axis=1)
    return Normals(
        month=calendar[0],
        day=calendar[1],
        mean=np.where(count > 0, sums / np.maximum(count, 1), np.nan),
        percentiles=percentiles,
        least=sample[rows, least],
        least_year=np.where(count > 0, sample_years[rows, least], 0),
        most=sample[rows, most],
        most_year=np.where(count > 0, sample_years[rows, most], 0),
        years=years,
        complete=years >= _COMPLETE * len(counted),
        period=(first, first + len(counted) - 1),
        sample=ordered,
    )
