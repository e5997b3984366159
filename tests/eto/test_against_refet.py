"""Reference ET agrees with refet, another implementation of ASCE-EWRI 2005.

Both follow the same equations with the same constants ("asce" there), so they differ by the
rounding of doubles alone: 1e-9 mm is asked. They treat two things in ways of their own, which are
kept out:

- *Hours of a low sun* (below 0.3 rad), where the equations take the cloudiness of the last high
  sun: we do, refet takes 1. So hours of a low sun are given first, where no high sun was before,
  and are then alike; and since refet looks at the sun at an hour's begin and we at its middle,
  hours between the two are left out.
- *Air above saturation* on a day (vapour pressure beyond the mean of saturation): refet calls the
  deficit 0, we reckon with what was measured. Such days are left out.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import refet

from cimis.pipeline.decode import decode, unify
from cimis.pipeline.field import eto
from cimis.pipeline.rows.values import to_physical

Doubles = eto.Doubles
CLOSE_MM = 1e-9
SURFACES = [pytest.param(eto.SHORT, "eto", id="short"), pytest.param(eto.TALL, "etr", id="tall")]
PLACES = [(38.5, -121.8, 18.0), (36.3, -120.1, 87.0), (41.9, -121.5, 1231.0), (33.0, -115.4, -30.0)]
"""Latitude and longitude in degrees, and elevation in m, from all over the state."""
AT_2M = (math.exp(4.87) + 5.42) / 67.8
"""The height in m (2.0003) at which refet takes the wind as it is, as we take that at 2 m."""
W_TO_MJ_DAY, W_TO_MJ_HOUR = 0.0864, 0.0036
"""One W/m² over a day and over an hour, in MJ/m²."""


class Place(NamedTuple):
    """Where weather was measured."""

    latitude_deg: float
    longitude_deg: float
    elevation_m: float


def _daily(
    highest: Doubles,
    lowest: Doubles,
    vapour: Doubles,
    solar: Doubles,
    wind: Doubles,
    day: Doubles,
    place: Place,
    surface: eto.Surface,
    name: str,
) -> tuple[Doubles, Doubles]:
    """Return ours and refet's daily figures of the days that are no more than saturated."""
    full = (eto.saturation_pressure_kpa(highest) + eto.saturation_pressure_kpa(lowest)) / 2
    keep = np.isfinite(highest + lowest + solar + wind + vapour) & (vapour <= full)
    highest, lowest, vapour = highest[keep], lowest[keep], vapour[keep]
    solar, wind, day = solar[keep], wind[keep], day[keep]
    ours = eto.asce_daily_mm(
        highest,
        lowest,
        vapour,
        solar,
        wind,
        day,
        latitude_deg=place.latitude_deg,
        elevation_m=place.elevation_m,
        surface=surface,
    )
    theirs = refet.Daily(
        tmin=lowest,
        tmax=highest,
        ea=vapour,
        rs=solar,
        uz=wind,
        zw=AT_2M,
        elev=place.elevation_m,
        lat=place.latitude_deg,
        doy=day,
        method="asce",
    )
    return ours, np.asarray(getattr(theirs, name)())


def _hourly(
    temperature: Doubles,
    vapour: Doubles,
    solar: Doubles,
    wind: Doubles,
    day: Doubles,
    middle: Doubles,
    place: Place,
    surface: eto.Surface,
    name: str,
) -> tuple[Doubles, Doubles]:
    """Return ours and refet's hourly figures, hours of a low sun first; see the page's head."""

    def sun(hour: Doubles) -> Doubles:
        return eto.sun_elevation_rad(day, hour, place.latitude_deg, place.longitude_deg)

    begin, half = sun(middle - 0.5) >= 0.3, sun(middle) >= 0.3
    keep = np.isfinite(temperature + vapour + solar + wind) & (begin == half)
    order = np.argsort(half[keep], kind="stable")

    def put(values: Doubles) -> Doubles:
        chosen: Doubles = values[keep][order]
        return chosen

    ours = eto.asce_hourly_mm(
        *(put(values) for values in (temperature, vapour, solar, wind, day, middle)),
        latitude_deg=place.latitude_deg,
        longitude_deg=place.longitude_deg,
        elevation_m=place.elevation_m,
        surface=surface,
    )
    theirs = refet.Hourly(
        tmean=put(temperature),
        ea=put(vapour),
        rs=put(solar),
        uz=put(wind),
        zw=AT_2M,
        elev=place.elevation_m,
        lat=place.latitude_deg,
        lon=place.longitude_deg,
        doy=put(day),
        time=put(middle) - 0.5,
        method="asce",
    )
    return ours, np.asarray(getattr(theirs, name)())


@pytest.mark.parametrize(("surface", "name"), SURFACES)
@pytest.mark.parametrize("where", PLACES)
def test_drawn_days(surface: eto.Surface, name: str, where: tuple[float, float, float]) -> None:
    draw = np.random.default_rng(19)
    size = 2_000
    lowest = draw.uniform(-10, 30, size)
    highest = lowest + draw.uniform(0, 25, size)
    ours, theirs = _daily(
        highest,
        lowest,
        draw.uniform(0.05, 3.5, size),
        draw.uniform(0, 33, size),
        draw.uniform(0, 12, size),
        draw.integers(1, 366, size).astype(float),
        Place(*where),
        surface,
        name,
    )
    assert ours.size > size // 3
    assert np.abs(ours - theirs).max() < CLOSE_MM


@pytest.mark.parametrize(("surface", "name"), SURFACES)
@pytest.mark.parametrize("where", PLACES)
def test_drawn_hours(surface: eto.Surface, name: str, where: tuple[float, float, float]) -> None:
    draw = np.random.default_rng(20)
    size = 4_000
    ours, theirs = _hourly(
        draw.uniform(-10, 45, size),
        draw.uniform(0.05, 3.5, size),
        draw.uniform(0, 4, size),
        draw.uniform(0, 12, size),
        draw.integers(1, 366, size).astype(float),
        draw.integers(0, 24, size).astype(np.float64) + 0.5,
        Place(*where),
        surface,
        name,
    )
    assert ours.size > size // 2
    assert np.abs(ours - theirs).max() < CLOSE_MM


@pytest.mark.parametrize(("surface", "name"), SURFACES)
def test_real_hours(real: Path, surface: eto.Surface, name: str) -> None:
    compared = 0
    for path in sorted((real / "api/hourly").glob("wy*.json"))[:6]:
        rows = to_physical(unify(list(decode([path.read_bytes()], scope="hourly"))))
        if not {"air_tmp", "vap_pres", "sol_rad", "wind_spd"} <= set(rows.schema.names):
            continue
        temperature, vapour, solar, wind = (
            rows[item].to_numpy().astype(np.float64)
            for item in ("air_tmp", "vap_pres", "sol_rad", "wind_spd")
        )
        ends = rows["time"].to_numpy().astype("datetime64[m]")
        middle = ends - np.timedelta64(30, "m") + np.timedelta64(8, "h")  # PST to UTC
        midnight = middle.astype("datetime64[D]")
        day = (midnight - middle.astype("datetime64[Y]")).astype(np.float64) + 1
        hour = (middle - midnight).astype(np.float64) / 60
        ours, theirs = _hourly(
            temperature,
            vapour,
            solar * W_TO_MJ_HOUR,
            wind,
            day,
            hour,
            Place(*PLACES[1]),
            surface,
            name,
        )
        assert np.abs(ours - theirs).max() < CLOSE_MM
        compared += ours.size
    assert compared > 1_000


@pytest.mark.parametrize(("surface", "name"), SURFACES)
def test_real_days(real: Path, surface: eto.Surface, name: str) -> None:
    compared = 0
    columns = ("air_tmp_max", "air_tmp_min", "dew_pnt", "sol_rad_avg", "wind_spd_avg")
    for path in sorted((real / "api/daily").glob("wy*.json"))[:12]:
        rows = to_physical(unify(list(decode([path.read_bytes()], scope="daily"))))
        if not set(columns) <= set(rows.schema.names):
            continue
        highest, lowest, dew, solar, wind = (
            rows[item].to_numpy().astype(float) for item in columns
        )
        dates = rows["date"].to_numpy().astype("datetime64[D]")
        day = (dates - dates.astype("datetime64[Y]")).astype(np.float64) + 1
        vapour, solar = eto.saturation_pressure_kpa(dew), solar * W_TO_MJ_DAY
        found = _daily(highest, lowest, vapour, solar, wind, day, Place(*PLACES[0]), surface, name)
        if found[0].size:
            assert np.abs(found[0] - found[1]).max() < CLOSE_MM
        compared += found[0].size
    assert compared > 100
