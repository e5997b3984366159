"""Crop water use: the Kc curve of FAO-56, crop ET, and the water budget of a landscape.

Allen, Pereira, Raes & Smith (1998), *Crop Evapotranspiration*, FAO Irrigation and Drainage Paper
56, chapter 6. No coefficient comes with this room: they depend on crop, cover and edition, and are
the user's, with their source (`cimis.agronomy.crops_file`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cimis.agronomy.arrays import Doubles
from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.units import MILLIMETRE

__all__ = [
    "GALLONS_PER_INCH_SQFT",
    "Coefficients",
    "Dates",
    "LandscapeWater",
    "Lengths",
    "Season",
    "adjusted_kc",
    "crop_et",
    "kc_of_days",
    "landscape_water",
]

Dates = npt.NDArray[np.datetime64]
GALLONS_PER_INCH_SQFT = 0.62
"""US gallons in an inch of water on a square foot, as the state's ordinance rounds it."""

_DAY = dt.timedelta(days=1)


class Lengths(NamedTuple):
    """Length of the four growth stages in days (FAO-56, figure 25 and table 11)."""

    initial: int
    development: int
    mid: int
    late: int


class Coefficients(NamedTuple):
    """Crop coefficients of the initial stage, the mid-season, and the end of the late season."""

    initial: float
    mid: float
    end: float


class LandscapeWater(NamedTuple):
    """Water that a landscape may use or needs: depth, and volume on its area."""

    inches: Doubles
    gallons: Doubles


def kc_of_days(day: npt.ArrayLike, *, lengths: Lengths, kc: Coefficients) -> Doubles:
    """Return the crop coefficient on days of the growing season: FAO-56, equation 66.

    Kc is level in the initial stage and the mid-season, and runs linearly between the coefficients
    of its neighbours in the development and the late stage.

    Parameters
    ----------
    day : array_like, any shape
        Day of the season, 1 = the first; parts of days are points of the same curve.
    lengths : Lengths
        Days of each stage.
    kc : Coefficients
        Of the initial stage, the mid-season and the end.

    Returns
    -------
    ndarray, float64
        Kc, of the shape of ``day``; NaN before and after the season.

    Raises
    ------
    UsageError
        For a stage shorter than a day, or a coefficient below 0 or not a number.
    """
    if min(lengths) < 1:
        raise UsageError(f"stages of {tuple(lengths)} days: each is a day at least")
    if not all(np.isfinite(value) and value >= 0 for value in kc):
        raise UsageError(f"crop coefficients {tuple(kc)}: each is a number from 0")
    ends = np.cumsum(lengths)
    curve: Doubles = np.interp(
        np.asarray(day, dtype=np.float64),
        [0, *ends],
        [kc.initial, kc.initial, kc.mid, kc.mid, kc.end],
        left=np.nan,
        right=np.nan,
    )
    return curve


def adjusted_kc(kc: float, *, wind_m_s: float, humidity_min_pct: float, height_m: float) -> float:
    """Return a coefficient of mid-season or end, adjusted to a climate: FAO-56, eqs. 62 and 65.

    Parameters
    ----------
    kc : float
        Kc mid or Kc end of a table, which holds at 2 m/s and 45 %; below 0.45 it stays as it is.
    wind_m_s : float
        Mean wind speed at 2 m over the stage, taken within 1 to 6 m/s.
    humidity_min_pct : float
        Mean of the daily minimum relative humidity over the stage, taken within 20 to 80 %.
    height_m : float
        Mean height of the plants, 0.1 to 10 m.

    Raises
    ------
    UsageError
        For a height outside that range, in which the equation does not hold.
    """
    if not 0.1 <= height_m <= 10:
        raise UsageError(f"plants of {height_m:g} m: the adjustment holds from 0.1 to 10 m")
    if kc < 0.45:
        return kc
    wind, humidity = np.clip(wind_m_s, 1, 6), np.clip(humidity_min_pct, 20, 80)
    return float(kc + (0.04 * (wind - 2) - 0.004 * (humidity - 45)) * (height_m / 3) ** 0.3)


@dataclass(frozen=True, slots=True)
class Season:
    """One growing season by its dates.

    Parameters
    ----------
    starts : tuple of date
        First day of the initial, development, mid and late stage, in this order.
    end : date
        Last day of the late stage.
    kc : Coefficients
        Of the initial stage, the mid-season and the end.
    """

    starts: tuple[dt.date, dt.date, dt.date, dt.date]
    end: dt.date
    kc: Coefficients

    @classmethod
    def of_lengths(cls, start: dt.date, lengths: Lengths, kc: Coefficients) -> Season:
        """Return the season that starts on a day and has stages of so many days."""
        ends = np.cumsum(lengths).tolist()
        first, second, third, last = (start + days * _DAY for days in ends)
        return cls((start, first, second, third), last - _DAY, kc)

    @property
    def lengths(self) -> Lengths:
        """Days of each stage."""
        marks = (*self.starts, self.end + _DAY)
        return Lengths(*((later - earlier).days for earlier, later in pairwise(marks)))

    def kc_on(self, dates: Dates) -> Doubles:
        """Return Kc on days (datetime64), NaN outside the season; as `kc_of_days`."""
        day = (dates.astype("datetime64[D]") - np.datetime64(self.starts[0], "D")).astype(int) + 1
        kc = kc_of_days(day, lengths=self.lengths, kc=self.kc)
        return np.where(day >= 1, kc, np.nan)


def crop_et(eto: npt.ArrayLike, kc: npt.ArrayLike) -> Doubles:
    """Return crop evapotranspiration under standard conditions: FAO-56, equation 58, Kc · ETo.

    Parameters
    ----------
    eto : array_like
        Grass reference ET, mm or inches per day; NaN = missing.
    kc : array_like
        Crop coefficients for the grass reference, of a shape that broadcasts with it.

    Returns
    -------
    ndarray, float64
        ETc in the unit of ``eto``; NaN where either is.
    """
    return np.asarray(np.asarray(eto, np.float64) * np.asarray(kc, np.float64))


def landscape_water(
    eto_mm: npt.ArrayLike, *, factor: npt.ArrayLike, area_sqft: npt.ArrayLike
) -> LandscapeWater:
    """Return the water of a landscape for its reference ET.

    ETo · 0.62 · factor · area: the form of California's Model Water Efficient Landscape Ordinance
    (23 CCR § 492.4), where the factor is an ET adjustment factor for what may be applied, or plant
    factor over irrigation efficiency for what is needed.

    Parameters
    ----------
    eto_mm : array_like
        Reference ET of the period, mm; NaN = missing.
    factor : array_like
        Share of ETo, the user's.
    area_sqft : array_like
        Landscape area, square feet. All three broadcast, as days by zones.

    Returns
    -------
    LandscapeWater
        ``inches`` (ETo · factor) and US ``gallons``.

    Raises
    ------
    UsageError
        For a factor or an area below 0, or that is not a number.
    """
    shares, areas = np.asarray(factor, np.float64), np.asarray(area_sqft, np.float64)
    for values, what in ((shares, "landscape factor"), (areas, "landscape area")):
        if not (np.isfinite(values) & (values >= 0)).all():
            raise UsageError(f"a {what} is a number from 0")
    inches = np.asarray(np.asarray(eto_mm, np.float64) / MILLIMETRE.metric(1.0) * shares)
    return LandscapeWater(inches, inches * GALLONS_PER_INCH_SQFT * areas)
