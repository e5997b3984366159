"""Clear-sky radiation follows the ASCE's Appendix D, for days and stations at once."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cimis.agronomy.solar import clear_sky_w_m2, extraterrestrial_w_m2, sun_height_sine

FALLON = (39.4575, 1208.5, 1.2206674169951346)
"""Latitude, elevation and vapour pressure of RefET's worked day, 1 July 2015 at Fallon."""


def _one(value: float) -> np.ndarray:
    return np.array([value])


def _by_hand(day: int, latitude_deg: float, elevation_m: float, vapour_kpa: float) -> float:
    """Appendix D written out in plain numbers."""
    phi = math.radians(latitude_deg)
    pressure = 101.3 * ((293 - 0.0065 * elevation_m) / 293) ** 5.26
    angle = 2 * math.pi * day / 365
    sine = math.sin(0.85 + 0.3 * phi * math.sin(angle - 1.39) - 0.42 * phi**2)
    water = 0.14 * vapour_kpa * pressure + 2.1
    beam = 0.98 * math.exp(-0.00146 * pressure / sine - 0.075 * (water / sine) ** 0.4)
    diffuse = 0.35 - 0.36 * beam if beam >= 0.15 else 0.18 + 0.82 * beam
    tilt = 0.409 * math.sin(angle - 1.39)
    sunset = math.acos(-math.tan(phi) * math.tan(tilt))
    above = sunset * math.sin(phi) * math.sin(tilt)
    above += math.cos(phi) * math.cos(tilt) * math.sin(sunset)
    above *= 24 / math.pi * 4.92 * (1 + 0.033 * math.cos(angle))
    return (beam + diffuse) * above / 0.0864


@pytest.mark.parametrize("day", [1, 80, 172, 266, 366])
@pytest.mark.parametrize("vapour", [0.3, 1.2, 3.1])
def test_clear_sky_equals_the_equations_written_out(day: int, vapour: float) -> None:
    got = clear_sky_w_m2(_one(day), _one(38.5), _one(18.0), _one(vapour))
    assert got[0] == pytest.approx(_by_hand(day, 38.5, 18.0, vapour), rel=1e-12)


def test_the_worked_day_of_refet() -> None:
    """RefET's own figure rests on its other constants of pressure and sun: 0.1 % apart."""
    latitude, elevation, vapour = (_one(number) for number in FALLON)
    got = clear_sky_w_m2(_one(182), latitude, elevation, vapour) * 0.0864
    assert got[0] == pytest.approx(31.565939444861765, rel=1e-3)


def test_extraterrestrial_radiation_as_refet_by_the_asce_constants() -> None:
    got = extraterrestrial_w_m2(_one(182), _one(39.4575)) * 0.0864
    assert got[0] == pytest.approx(41.64824567735701, rel=1e-12)


def test_a_column_of_stations_against_a_row_of_days() -> None:
    days = np.arange(1.0, 366.0)
    latitude, elevation = np.array([[33.0], [41.9]]), np.array([[-40.0], [1340.0]])
    vapour = np.linspace(0.4, 2.0, 2 * days.size).reshape(2, days.size)
    got = clear_sky_w_m2(days, latitude, elevation, vapour)
    assert got.shape == (2, 365)
    alone = clear_sky_w_m2(days[200:201], latitude[1], elevation[1], vapour[1, 200:201])
    assert got[1, 200] == alone[0]


def test_missing_vapour_pressure_leaves_its_day_without() -> None:
    got = clear_sky_w_m2(np.array([10.0, 11.0]), _one(38.5), _one(18.0), np.array([np.nan, 0.8]))
    assert np.isnan(got).tolist() == [True, False]


def test_more_water_in_the_air_lets_less_through() -> None:
    got = clear_sky_w_m2(_one(172.0), _one(38.5), _one(18.0), np.array([0.5, 1.5, 2.5]))
    assert (np.diff(got) < 0).all()


def test_the_sun_is_never_taken_below_a_tenth() -> None:
    assert sun_height_sine(_one(355.0), _one(85.0))[0] == 0.1
