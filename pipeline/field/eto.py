"""Reference evapotranspiration: ASCE-EWRI 2005 standardized equation and the CIMIS equation.

Plain numpy on arrays of any common shape, doubles in and out. Sources: the ASCE-EWRI standardized
reference evapotranspiration equation (short and tall reference surface) in the form used by the
network, and the network's own published hourly "CIMIS equation".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

__all__ = [
    "SHORT",
    "TALL",
    "Surface",
    "air_pressure_kpa",
    "asce_daily_mm",
    "asce_hourly_mm",
    "cimis_hourly_mm",
    "clear_sky_mj",
    "extraterrestrial_daily_mj",
    "extraterrestrial_hourly_mj",
    "saturation_pressure_kpa",
    "sun_elevation_rad",
]

Doubles = npt.NDArray[np.float64]
Elevation = TypeVar("Elevation", float, Doubles)
_SOLAR_MJ = 4.92
_KELVIN = 273.16


class Surface(NamedTuple):
    """Constants of a reference surface: numerators and denominators per step, soil heat shares."""

    cn_daily: float
    cd_daily: float
    cn_hourly: float
    cd_day: float
    cd_night: float
    soil_day: float
    soil_night: float


SHORT = Surface(900.0, 0.34, 37.0, 0.24, 0.96, 0.1, 0.5)
TALL = Surface(1600.0, 0.38, 66.0, 0.25, 1.7, 0.04, 0.2)


@dataclass(frozen=True, slots=True)
class _Sun:
    """Inverse relative distance, declination and latitude of a day (radians)."""

    distance: Doubles
    declination: Doubles
    latitude: Doubles


def saturation_pressure_kpa(temperature_c: Doubles) -> Doubles:
    """Return the saturation vapour pressure in kPa over water at a temperature in °C."""
    pressure: Doubles = 0.6108 * np.exp(17.27 * temperature_c / (temperature_c + 237.3))
    return pressure


def air_pressure_kpa(elevation_m: Elevation) -> Elevation:
    """Return the mean air pressure in kPa at an elevation in m, or at each of an array."""
    pressure: Elevation = 101.3 * ((293 - 0.0065 * elevation_m) / 293) ** 5.26
    return pressure


def _slope(temperature_c: Doubles) -> Doubles:
    """Return the slope of the saturation pressure in kPa per °C, in the ASCE form."""
    shifted = temperature_c + 237.3
    slope: Doubles = 2503.0 * np.exp(17.27 * temperature_c / shifted) / shifted**2
    return slope


def _sun(day_of_year: Doubles, latitude_deg: float | Doubles) -> _Sun:
    angle = 2 * np.pi * day_of_year / 365
    latitude: Doubles = np.radians(latitude_deg)
    return _Sun(1 + 0.033 * np.cos(angle), 0.409 * np.sin(angle - 1.39), latitude)


def _sunset(sun: _Sun) -> Doubles:
    sunset: Doubles = np.arccos(np.clip(-np.tan(sun.latitude) * np.tan(sun.declination), -1, 1))
    return sunset


def extraterrestrial_daily_mj(day_of_year: Doubles, latitude_deg: float | Doubles) -> Doubles:
    """Return extraterrestrial radiation in MJ/m² per day; latitudes and days broadcast."""
    sun = _sun(day_of_year, latitude_deg)
    sunset = _sunset(sun)
    beam = sunset * np.sin(sun.latitude) * np.sin(sun.declination)
    beam += np.cos(sun.latitude) * np.cos(sun.declination) * np.sin(sunset)
    daily: Doubles = 24 / np.pi * _SOLAR_MJ * sun.distance * beam
    return daily


def _hour_angle(day_of_year: Doubles, middle_utc_h: Doubles, longitude_deg: float) -> Doubles:
    b = 2 * np.pi * (day_of_year - 81) / 364
    season = 0.1645 * np.sin(2 * b) - 0.1255 * np.cos(b) - 0.025 * np.sin(b)
    hours = middle_utc_h + np.radians(longitude_deg) * 12 / np.pi + season - 12
    wrapped: Doubles = (np.pi / 12 * hours + np.pi) % (2 * np.pi) - np.pi
    return wrapped


def extraterrestrial_hourly_mj(
    day_of_year: Doubles, middle_utc_h: Doubles, latitude_deg: float, longitude_deg: float
) -> Doubles:
    """Return extraterrestrial radiation in MJ/m² per hour around the hour's middle in UTC.

    ``longitude_deg`` is positive to the east.
    """
    sun = _sun(day_of_year, latitude_deg)
    sunset = _sunset(sun)
    angle = _hour_angle(day_of_year, middle_utc_h, longitude_deg)
    begin = np.clip(angle - np.pi / 24, -sunset, sunset)
    end = np.maximum(np.clip(angle + np.pi / 24, -sunset, sunset), begin)
    beam = (end - begin) * np.sin(sun.latitude) * np.sin(sun.declination)
    beam += np.cos(sun.latitude) * np.cos(sun.declination) * (np.sin(end) - np.sin(begin))
    hourly: Doubles = 12 / np.pi * _SOLAR_MJ * sun.distance * beam
    return hourly


def sun_elevation_rad(
    day_of_year: Doubles, middle_utc_h: Doubles, latitude_deg: float, longitude_deg: float
) -> Doubles:
    """Return the sun's elevation in radians at the hour's middle in UTC."""
    sun = _sun(day_of_year, latitude_deg)
    angle = _hour_angle(day_of_year, middle_utc_h, longitude_deg)
    height = np.sin(sun.latitude) * np.sin(sun.declination)
    height = height + np.cos(sun.latitude) * np.cos(sun.declination) * np.cos(angle)
    elevation: Doubles = np.arcsin(np.clip(height, -1, 1))
    return elevation


def clear_sky_mj(extraterrestrial_mj: Doubles, elevation_m: float) -> Doubles:
    """Return clear-sky solar radiation of the same step."""
    return (0.75 + 2e-5 * elevation_m) * extraterrestrial_mj


def cloud_factor(solar_mj: Doubles, clear_mj: Doubles) -> Doubles:
    """Return the cloudiness function f_cd; NaN where there is no clear-sky radiation."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(clear_mj > 0, solar_mj / clear_mj, np.nan)
    return 1.35 * np.clip(ratio, 0.3, 1.0) - 0.35


def _held(factor: Doubles, high_sun: npt.NDArray[np.bool_]) -> Doubles:
    """Return f_cd with that of the last high sun (or 1) where the sun stands low or below."""
    usable = high_sun & np.isfinite(factor)
    last = np.maximum.accumulate(np.where(usable, np.arange(factor.size), -1))
    return np.where(last < 0, 1.0, factor[last.clip(0)])


def asce_hourly_mm(
    temperature_c: Doubles,
    vapour_kpa: Doubles,
    solar_mj: Doubles,
    wind_m_s: Doubles,
    day_of_year: Doubles,
    middle_utc_h: Doubles,
    *,
    latitude_deg: float,
    longitude_deg: float,
    elevation_m: float,
    surface: Surface = SHORT,
) -> Doubles:
    """Return hourly ASCE reference ET in mm.

    Parameters
    ----------
    temperature_c, vapour_kpa, solar_mj, wind_m_s : one-dimensional float64 arrays
        Hourly means (°C, kPa, m/s at 2 m) and solar radiation (MJ/m² per hour), in time order.
    day_of_year, middle_utc_h : float64 arrays
        Day of year, and the middle of each hour in UTC hours.
    latitude_deg, longitude_deg, elevation_m : float
        Longitude positive to the east.
    surface : Surface
        SHORT (ETo) or TALL (ETr).

    Returns
    -------
    float64 array
        mm per hour; NaN where an input is.
    """
    above = extraterrestrial_hourly_mj(day_of_year, middle_utc_h, latitude_deg, longitude_deg)
    sky = cloud_factor(solar_mj, clear_sky_mj(above, elevation_m))
    high = sun_elevation_rad(day_of_year, middle_utc_h, latitude_deg, longitude_deg) >= 0.3
    kelvin = temperature_c + _KELVIN
    longwave = 2.042e-10 * _held(sky, high) * (0.34 - 0.14 * np.sqrt(vapour_kpa)) * kelvin**4
    net = 0.77 * solar_mj - longwave
    day = net >= 0
    soil = np.where(day, surface.soil_day, surface.soil_night) * net
    cd = np.where(day, surface.cd_day, surface.cd_night)
    gamma = 0.000665 * air_pressure_kpa(elevation_m)
    slope = _slope(temperature_c)
    deficit = saturation_pressure_kpa(temperature_c) - vapour_kpa
    drying = gamma * surface.cn_hourly / (temperature_c + 273) * wind_m_s * deficit
    return (0.408 * slope * (net - soil) + drying) / (slope + gamma * (1 + cd * wind_m_s))


def asce_daily_mm(
    maximum_c: Doubles,
    minimum_c: Doubles,
    vapour_kpa: Doubles,
    solar_mj: Doubles,
    wind_m_s: Doubles,
    day_of_year: Doubles,
    *,
    latitude_deg: float,
    elevation_m: float,
    surface: Surface = SHORT,
) -> Doubles:
    """Return daily ASCE reference ET in mm from daily extremes (°C), means and MJ/m² per day."""
    clear = clear_sky_mj(extraterrestrial_daily_mj(day_of_year, latitude_deg), elevation_m)
    fourth = ((maximum_c + _KELVIN) ** 4 + (minimum_c + _KELVIN) ** 4) / 2
    sky = cloud_factor(solar_mj, clear)
    net = 0.77 * solar_mj - 4.901e-9 * sky * (0.34 - 0.14 * np.sqrt(vapour_kpa)) * fourth
    mean = (maximum_c + minimum_c) / 2
    gamma = 0.000665 * air_pressure_kpa(elevation_m)
    slope = _slope(mean)
    full = (saturation_pressure_kpa(maximum_c) + saturation_pressure_kpa(minimum_c)) / 2
    drying = gamma * surface.cn_daily / (mean + 273) * wind_m_s * (full - vapour_kpa)
    below = slope + gamma * (1 + surface.cd_daily * wind_m_s)
    return (0.408 * slope * net + drying) / below


def cimis_hourly_mm(
    temperature_c: Doubles,
    vapour_kpa: Doubles,
    net_w_m2: Doubles,
    wind_m_s: Doubles,
    *,
    elevation_m: float,
) -> Doubles:
    """Return hourly ETo in mm by the network's own equation from net radiation in W/m²."""
    full = saturation_pressure_kpa(temperature_c)
    slope = 4099 * full / (temperature_c + 237.3) ** 2
    pressure = 101.3 - 0.0115 * elevation_m + 5.44e-7 * elevation_m**2
    gamma = 0.000646 * (1 + 0.000946 * temperature_c) * pressure
    weight = slope / (slope + gamma)
    wind = np.where(net_w_m2 > 0, 0.030 + 0.0576 * wind_m_s, 0.125 + 0.0439 * wind_m_s)
    water = net_w_m2 / (694.5 * (1 - 0.000946 * temperature_c))
    return weight * water + (1 - weight) * (full - vapour_kpa) * wind
