"""Radiation that a cloudless sky lets through, from the sun's way, the air and its water.

ASCE-EWRI (2005), "The ASCE Standardized Reference Evapotranspiration Equation", Appendix D, in
the daily form that the RefET package codes (``rso_daily``). Everything broadcasts: a column of
stations (latitude, elevation) against a row of days gives stations × days.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cimis.pipeline.field.eto import air_pressure_kpa, extraterrestrial_daily_mj
from cimis.pipeline.field.units import WATT_DAY_MJ

__all__ = ["MJ_PER_W_M2_DAY", "clear_sky_w_m2", "extraterrestrial_w_m2", "sun_height_sine"]

Doubles = npt.NDArray[np.float64]

MJ_PER_W_M2_DAY = WATT_DAY_MJ
"""MJ/m² that a mean of one W/m² makes in a day."""

_LEAST_SINE = 0.1
"""Floor of sin β, as RefET sets it: the exponents of KB have no meaning below the horizon."""


def extraterrestrial_w_m2(day_of_year: Doubles, latitude_deg: Doubles) -> Doubles:
    """Return the radiation above the air as a day's mean in W/m² (ASCE-EWRI 2005, Eq. 21)."""
    return extraterrestrial_daily_mj(day_of_year, latitude_deg) / MJ_PER_W_M2_DAY


def sun_height_sine(day_of_year: Doubles, latitude_deg: Doubles) -> Doubles:
    """Return sin β of the sun, weighted over the day by what it sends (ASCE-EWRI 2005, Eq. D.5).

    ``sin β = sin[0.85 + 0.3 φ sin(2πJ/365 − 1.39) − 0.42 φ²]``, φ in radians, J the day of the
    year, not below 0.1.
    """
    latitude = np.radians(latitude_deg)
    season = np.sin(2 * np.pi * day_of_year / 365 - 1.39)
    return np.maximum(np.sin(0.85 + 0.3 * latitude * season - 0.42 * latitude**2), _LEAST_SINE)


def clear_sky_w_m2(
    day_of_year: Doubles, latitude_deg: Doubles, elevation_m: Doubles, vapour_kpa: Doubles
) -> Doubles:
    """Return what a cloudless day would bring, as its mean in W/m².

    Parameters
    ----------
    day_of_year : float64 array
        1 to 366.
    latitude_deg, elevation_m : float64 arrays
        Of the station, north positive, in degrees and m.
    vapour_kpa : float64 array
        Vapour pressure of the day in kPa; NaN where it is missing.

    Returns
    -------
    float64 array of the shape that the four broadcast to
        NaN where an input is, or the vapour pressure is far below 0.

    Notes
    -----
    ``Rso = (KB + KD) · Ra`` (D.1), with the clearness of the direct beam (D.2) for clean air
    (Kt = 1) ``KB = 0.98 exp[−0.00146 P / sin β − 0.075 (W / sin β)^0.4]``, the water in the air
    (D.3) ``W = 0.14 ea P + 2.1`` in mm, the diffuse part (D.4)
    ``KD = min(0.35 − 0.36 KB, 0.18 + 0.82 KB)``, and pressure P in kPa from the elevation (Eq. 3).
    """
    pressure = air_pressure_kpa(elevation_m)
    sine = sun_height_sine(day_of_year, latitude_deg)
    water_mm = 0.14 * vapour_kpa * pressure + 2.1
    with np.errstate(invalid="ignore"):  # less than no water, of a sensor that is wrong
        beam = 0.98 * np.exp(-0.00146 * pressure / sine - 0.075 * (water_mm / sine) ** 0.4)
    diffuse = np.minimum(0.35 - 0.36 * beam, 0.18 + 0.82 * beam)
    return (beam + diffuse) * extraterrestrial_w_m2(day_of_year, latitude_deg)
