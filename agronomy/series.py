"""Series of days and hours as the checks take them: in order, none twice, of one length."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cimis.pipeline.errors import UsageError

__all__ = ["check_days", "check_hours"]

Doubles = npt.NDArray[np.float64]
Times = npt.NDArray[np.datetime64]


def check_days(dates: Times, *series: Doubles) -> Times:
    """Return times as days, which may be absent, but not out of order or there twice.

    Raises
    ------
    UsageError
        For such days, and for series of other lengths.
    """
    for values in series:
        if values.shape != dates.shape:
            raise UsageError(f"{len(dates)} days, but values for {len(values)}")
    days: Times = dates.astype("datetime64[D]")
    wrong = np.flatnonzero(np.diff(days) <= np.timedelta64(0, "D"))
    if wrong.size:
        raise UsageError(
            f"the days are not in order after {days[wrong[0]]}, or one is there twice",
            hint="sort by date, and give one station at a time",
        )
    return days


def check_hours(times: Times, values: Doubles) -> None:
    """Refuse hours that do not follow each other, and values of another length."""
    if values.shape != times.shape:
        raise UsageError(f"{len(times)} hours, but {len(values)} values")
    apart = np.flatnonzero(np.diff(times) != np.timedelta64(1, "h"))
    if apart.size:
        raise UsageError(
            f"the hours are not in a row after {times[apart[0]]}",
            hint="give every hour, with NaN where it is absent",
        )
