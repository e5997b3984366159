"""How far days or months are from their normals: anomaly, percentile, rank."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cimis.agronomy.normals import Normals, calendar_place

__all__ = ["Departures", "departures"]

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Days = npt.NDArray[np.datetime64]


@dataclass(frozen=True, slots=True)
class Departures:
    """How far values are from normal; arrays of the values' length, NaN or 0 where unknown.

    ``anomaly`` is the value less the mean; ``percentile`` the share of the sample below it, those
    equal counted half, in %; ``rank`` 1 for a value that none of the sample's ``of`` values
    exceeds.
    """

    normal: Doubles
    anomaly: Doubles
    percentile: Doubles
    rank: Ints
    of: Ints
    years: Ints


def departures(normals: Normals, dates: Days, values: Doubles) -> Departures:
    """Hold values against the normals of their calendar days, or of their months.

    Parameters
    ----------
    normals : Normals
        Of days or months, in the unit of the values.
    dates : datetime64 array
        The day of each value; any day of the month for months.
    values : float64 array of the same length
        NaN where missing.
    """
    place = dates.astype("datetime64[M]").astype(np.int64) % 12
    if normals.day[0] > 0:
        place = calendar_place(dates)
    sample = normals.sample[place]
    of = np.isfinite(sample).sum(axis=1)
    known = np.isfinite(values) & np.isfinite(normals.mean[place])
    below, above = ((s(sample, values[:, None])).sum(axis=1) for s in (np.less, np.greater))
    share = 100 * (of + below - above) / (2 * np.maximum(of, 1))
    return Departures(
        normal=normals.mean[place],
        anomaly=values - normals.mean[place],
        percentile=np.where(known, share, np.nan),
        rank=np.where(known, above + 1, 0),
        of=np.where(known, of, 0),
        years=normals.years[place],
    )
