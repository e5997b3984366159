"""One station's year of coherent hourly weather, the same for the same station and year."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cimis.pipeline.emulator.network import StationSite
from cimis.pipeline.field import eto
from cimis.pipeline.field.time import BEHIND_UTC_H, year_span
from cimis.pipeline.field.units import DEPTH, WATT_HOUR_MJ

__all__ = ["HourlyWeather", "weather_of_year"]

Doubles = npt.NDArray[np.float64]
_TIP_MM = DEPTH.step(2, 0)[0] / DEPTH.step(2, 0)[1]  # hundredths of inches


@dataclass(frozen=True, slots=True)
class HourlyWeather:
    """Hourly means (or totals) of a year, hour-ending, in metric units; arrays of days × 24."""

    air_c: Doubles
    air_max_c: Doubles
    air_min_c: Doubles
    dew_c: Doubles
    vapour_kpa: Doubles
    humidity: Doubles
    solar_w_m2: Doubles
    net_w_m2: Doubles
    wind_m_s: Doubles
    resultant_m_s: Doubles
    direction_deg: Doubles
    rain_mm: Doubles
    soil_c: Doubles
    asce_eto_mm: Doubles
    asce_etr_mm: Doubles
    cimis_eto_mm: Doubles


def _walk(chance: np.random.Generator, size: int, memory: float) -> Doubles:
    """Return a stationary first-order autoregressive series with unit variance."""
    steps = chance.standard_normal(size) * np.sqrt(1 - memory**2)
    steps[0] = chance.standard_normal()
    # the closed form of the recursion, in pieces short enough that memory**-n does not overflow
    out = np.empty(size)
    before, piece = 0.0, 64
    for start in range(0, size, piece):
        part = steps[start : start + piece]
        powers = memory ** np.arange(1, part.size + 1)
        out[start : start + piece] = powers * (before + np.cumsum(part / powers))
        before = out[min(start + piece, size) - 1]
    return out


def weather_of_year(site: StationSite, year: int) -> HourlyWeather:
    """Return the weather of a station's whole calendar year."""
    chance = np.random.default_rng([site.number, year])
    first, last = year_span(year)
    days = (last - first).days + 1
    day = np.arange(1, days + 1, dtype=np.float64)
    season = np.cos(2 * np.pi * (day - 205) / 365.25)  # 1 in late July, -1 in late January
    spell = _walk(chance, days, 0.75)
    cloud, rain_mm = _sky(chance, site, season, spell)
    hours = np.arange(24)
    air = _temperature(chance, site, season, spell, cloud)
    vapour = _vapour(chance, site, season, cloud, air, rain_mm)
    full = eto.saturation_pressure_kpa(air)
    vapour = np.minimum(vapour, 0.99 * full)
    middle_utc = np.tile(hours + 0.5 + BEHIND_UTC_H, days)
    julian = np.repeat(day, 24)
    above = eto.extraterrestrial_hourly_mj(julian, middle_utc, site.latitude, site.longitude)
    dimming = 1 - 0.72 * np.clip(cloud[:, None] + 0.08 * chance.standard_normal((days, 24)), 0, 1)
    clear = eto.clear_sky_mj(above, site.elevation_m)
    solar_mj = clear.reshape(days, 24) * np.clip(dimming, 0.15, 1.0)
    wind = _wind(chance, season, cloud, hours)
    logarithm = np.log(vapour / 0.6108)

    def reference(surface: eto.Surface) -> Doubles:
        return eto.asce_hourly_mm(
            air.ravel(),
            vapour.ravel(),
            solar_mj.ravel(),
            wind.ravel(),
            julian,
            middle_utc,
            latitude_deg=site.latitude,
            longitude_deg=site.longitude,
            elevation_m=site.elevation_m,
            surface=surface,
        ).reshape(days, 24)

    kelvin = air + 273.16
    longwave_mj = 2.042e-10 * (1.2 - cloud[:, None]).clip(0.3, 1.0)
    longwave_mj = longwave_mj * (0.34 - 0.14 * np.sqrt(vapour)) * kelvin**4
    net_w_m2 = (0.77 * solar_mj - longwave_mj) / WATT_HOUR_MJ
    own = eto.cimis_hourly_mm(air, vapour, net_w_m2, wind, elevation_m=site.elevation_m)
    return HourlyWeather(
        air_c=air,
        air_max_c=air + np.abs(0.6 * chance.standard_normal((days, 24))),
        air_min_c=air - np.abs(0.6 * chance.standard_normal((days, 24))),
        dew_c=237.3 * logarithm / (17.27 - logarithm),
        vapour_kpa=vapour,
        humidity=100 * vapour / full,
        solar_w_m2=solar_mj / WATT_HOUR_MJ,
        net_w_m2=net_w_m2,
        wind_m_s=wind,
        resultant_m_s=wind * chance.uniform(0.8, 1.0, (days, 24)),
        direction_deg=_direction(chance, days),
        rain_mm=_by_hour(chance, rain_mm),
        soil_c=_soil(site, season, spell, hours),
        asce_eto_mm=reference(eto.SHORT),
        asce_etr_mm=reference(eto.TALL),
        cimis_eto_mm=own,
    )


def _sky(
    chance: np.random.Generator, site: StationSite, season: Doubles, spell: Doubles
) -> tuple[Doubles, Doubles]:
    """Return cloudiness (0..1) and rain (mm) per day: wet winters, dry summers, coastal fog."""
    front = _walk(chance, season.size, 0.6)
    tendency = front - 1.1 - 0.9 * season + 0.5 * (1 - site.inland) - 0.2 * spell
    cloud = 1 / (1 + np.exp(-1.6 * tendency))
    wet = tendency > 0.75 - 0.35 * np.log(site.wetness + 0.2) + 0.5 * (season > 0.4)
    amount = chance.gamma(0.75, 9.0 * site.wetness**0.5, season.size)
    rain = np.where(wet, np.maximum(np.round(amount / _TIP_MM) * _TIP_MM, _TIP_MM), 0.0)
    return np.where(wet, np.maximum(cloud, 0.6), cloud), rain


def _temperature(
    chance: np.random.Generator, site: StationSite, season: Doubles, spell: Doubles, cloud: Doubles
) -> Doubles:
    base = 17.5 - 0.55 * (site.latitude - 36) - 0.0055 * site.elevation_m - 1.5 * (1 - site.inland)
    swing = 3.0 + 7.0 * site.inland
    level = base + swing * season + (1.5 + 1.2 * site.inland) * spell
    rangeable = (5.0 + 10.5 * site.inland + 2.0 * season) * (1.1 - 0.75 * cloud)
    hours = np.arange(24)
    shape = np.cos(2 * np.pi * (hours - 15) / 24) + 0.15 * np.cos(4 * np.pi * (hours - 14) / 24)
    # neighbouring days meet at midnight: the level is interpolated over the day
    nodes = np.concatenate([level[:1], level, level[-1:]])
    place = (hours + 0.5) / 24 - 0.5
    before, after = nodes[:-2, None], nodes[2:, None]
    smooth = np.where(place < 0, level[:, None] + place * (level[:, None] - before), level[:, None])
    smooth = np.where(place >= 0, level[:, None] + place * (after - level[:, None]), smooth)
    noise = 0.35 * chance.standard_normal((season.size, 24))
    return smooth + 0.5 * rangeable[:, None] * shape + noise


def _vapour(
    chance: np.random.Generator,
    site: StationSite,
    season: Doubles,
    cloud: Doubles,
    air: Doubles,
    rain_mm: Doubles,
) -> Doubles:
    lowest = air.min(axis=1)
    moist = 1.5 - 3.5 * site.inland * (1 + season) / 2 + 2.0 * cloud + 1.2 * (rain_mm > 0)
    dew = lowest + moist - 1.5 + 1.4 * _walk(chance, season.size, 0.7)
    daily = eto.saturation_pressure_kpa(np.minimum(dew, lowest + 3))
    ripple = 1 + 0.05 * np.sin(2 * np.pi * (np.arange(24) - 9) / 24)
    return daily[:, None] * ripple * (1 + 0.01 * chance.standard_normal((season.size, 24)))


def _wind(
    chance: np.random.Generator, season: Doubles, cloud: Doubles, hours: npt.NDArray[np.int64]
) -> Doubles:
    level = np.exp(0.4 * _walk(chance, season.size, 0.5) + 0.15 * season + 0.25 * cloud)
    shape = 1 + 0.45 * np.cos(2 * np.pi * (hours - 16) / 24)
    gusts = np.exp(0.2 * chance.standard_normal((season.size, 24)))
    return 1.7 * level[:, None] * shape * gusts


def _direction(chance: np.random.Generator, days: int) -> Doubles:
    turn = 290 + 70 * _walk(chance, days * 24, 0.9)
    return (turn % 360).reshape(days, 24)


def _by_hour(chance: np.random.Generator, rain_mm: Doubles) -> Doubles:
    """Return each day's rain spread over some hours, in the gauge's steps."""
    tips = np.round(rain_mm / _TIP_MM).astype(np.int64)
    shares = chance.gamma(0.3, 1.0, (rain_mm.size, 24)) + 1e-9
    bounds = np.cumsum(shares, axis=1) / shares.sum(axis=1, keepdims=True)
    totals = np.round(bounds * tips[:, None])
    tipped: Doubles = np.diff(totals, axis=1, prepend=0.0)
    return tipped * _TIP_MM


def _soil(
    site: StationSite, season: Doubles, spell: Doubles, hours: npt.NDArray[np.int64]
) -> Doubles:
    """Return soil temperature: the air's year three weeks late, its spells and days damped."""
    base = 18.5 - 0.5 * (site.latitude - 36) - 0.005 * site.elevation_m
    slow = np.convolve(np.pad(spell, (9, 0), mode="edge"), np.full(10, 0.1), mode="valid")
    yearly = base + (2.5 + 6.0 * site.inland) * np.roll(season, 20) + 1.6 * slow
    return yearly[:, None] + 0.9 * np.cos(2 * np.pi * (hours - 19) / 24)
