"""The equations give the published worked examples to all printed digits."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cimis.pipeline.field import eto

Doubles = eto.Doubles


def _one(value: float) -> Doubles:
    return np.array([value])


def _wind_at_2m(wind_m_s: float, height_m: float) -> Doubles:
    """Return the wind at 2 m over grass (ASCE-EWRI 2005, equation 33) of one at another height."""
    return _one(wind_m_s * 4.87 / math.log(67.8 * height_m - 5.42))


def _celsius(fahrenheit: float) -> Doubles:
    return _one((fahrenheit - 32) / 1.8)


FALLON_M = 1208.5


@pytest.mark.parametrize(("surface", "due"), [(eto.SHORT, 0.60635154), (eto.TALL, 0.71963765)])
def test_the_hourly_example_at_fallon(surface: eto.Surface, due: float) -> None:
    got = eto.asce_hourly_mm(
        _celsius(91.80),
        _one(1.1990099614301906),
        _one(61.16 * 0.041868),
        _wind_at_2m(3.33 * 0.44704, 3.0),
        _one(182.0),
        _one(18.5),
        latitude_deg=39.4575,
        longitude_deg=-118.77388,
        elevation_m=FALLON_M,
        surface=surface,
    )
    assert got[0] == pytest.approx(due, abs=5e-9)


@pytest.mark.parametrize(("surface", "due"), [(eto.SHORT, 7.99796891), (eto.TALL, 10.62608767)])
def test_the_daily_example_at_fallon(surface: eto.Surface, due: float) -> None:
    got = eto.asce_daily_mm(
        _celsius(102.80),
        _celsius(66.65),
        _one(1.2206674169951346),
        _one(674.07 * 0.041868),
        _wind_at_2m(4.80 * 0.44704, 3.0),
        _one(182.0),
        latitude_deg=39.4575,
        elevation_m=FALLON_M,
        surface=surface,
    )
    assert got[0] == pytest.approx(due, abs=5e-9)


def test_the_daily_example_of_brussels() -> None:
    pressures = eto.saturation_pressure_kpa(np.array([21.5, 12.3]))
    got = eto.asce_daily_mm(
        _one(21.5),
        _one(12.3),
        _one(float(pressures[0] * 0.63 + pressures[1] * 0.84) / 2),
        _one(22.07),
        _wind_at_2m(10 / 3.6, 10.0),
        _one(187.0),
        latitude_deg=50.8,
        elevation_m=100.0,
    )
    assert got[0] == pytest.approx(3.88, abs=0.005)


def test_the_intermediate_terms_at_fallon() -> None:
    above = eto.extraterrestrial_hourly_mj(_one(182.0), _one(18.5), 39.4575, -118.77388)
    assert eto.air_pressure_kpa(FALLON_M) == pytest.approx(87.8071, abs=5e-5)
    assert above[0] == pytest.approx(4.306355, abs=5e-7)
    assert eto.clear_sky_mj(above, FALLON_M)[0] == pytest.approx(3.333851, abs=5e-7)
    daily = eto.extraterrestrial_daily_mj(_one(182.0), 39.4575)
    assert daily[0] == pytest.approx(41.648246, abs=5e-7)


def test_the_example_of_the_networks_own_equation() -> None:
    got = eto.cimis_hourly_mm(_one(30.0), _one(1.5), _one(500.0), _one(2.0), elevation_m=20.0)
    assert got[0] == pytest.approx(0.666884, abs=5e-7)
