"""Generated weather: sound sensors raise few alarms, injected faults are found."""

from __future__ import annotations

import numpy as np
import pytest

from cimis.agronomy.drift import Periods, clear_sky_drift, humidity_ceiling
from cimis.agronomy.evidence import Marks, Verdict, evidence_of
from cimis.agronomy.sensors import monthly_outliers
from cimis.agronomy.solar import clear_sky_w_m2, extraterrestrial_w_m2
from cimis.agronomy.stuck import steps, stuck
from cimis.pipeline.emulator.network import StationSite, sites
from cimis.pipeline.emulator.weather.climate import HourlyWeather, weather_of_year

DAYS = np.arange("2015-01-01", "2016-01-01", dtype="datetime64[D]")
HOURS = np.arange("2015-01-01T01", "2016-01-01T01", dtype="datetime64[h]")
SUMMER = slice(2, 4)
"""May to August: in the other months the generator has no day without a cloud."""

WEATHER = [(site, weather_of_year(site, 2015)) for site in list(sites().values())[:24:3]]
"""Eight stations, from Del Norte to the Imperial Valley."""


def _drift(site: StationSite, weather: HourlyWeather, gain: float = 1.0) -> Periods:
    """Return the periods of a station whose sensor has a gain, under Appendix D's clear sky."""
    day = np.arange(1.0, 366.0)
    latitude, elevation = np.array(site.latitude), np.array(site.elevation_m)
    clear = clear_sky_w_m2(day, latitude, elevation, weather.vapour_kpa.mean(axis=1))
    generated = (0.75 + 2e-5 * elevation) * extraterrestrial_w_m2(day, latitude)
    return clear_sky_drift(DAYS, gain * weather.solar_w_m2.mean(axis=1) * clear / generated, clear)


def _verdicts(item: str, hours: np.ndarray) -> dict[str, Verdict]:
    marks: list[Marks] = stuck(item, HOURS, np.round(hours.ravel(), 1))
    if item == "air_tmp":
        marks += steps(HOURS, hours.ravel())
    return {one.check: evidence_of(one, HOURS).verdict for one in marks}


def test_a_sound_radiation_sensor_mostly_raises_no_alarm() -> None:
    words = [word for site, weather in WEATHER for word in _drift(site, weather).verdict[SUMMER]]
    assert words.count("suspect") <= 1


@pytest.mark.parametrize("gain", [0.95, 0.9, 1.1])
def test_a_drift_of_five_and_ten_percent_is_found(gain: float) -> None:
    found = [_drift(site, weather, gain).verdict[SUMMER] for site, weather in WEATHER]
    assert sum("suspect" in verdicts for verdicts in found) >= len(WEATHER) - 1


def test_humidity_reaches_its_ceiling_unless_the_sensor_reads_low() -> None:
    highest = [weather.humidity.max(axis=1) for _, weather in WEATHER]
    for gain, word in ((1.0, "sound"), (0.95, "suspect")):
        found = [humidity_ceiling(DAYS, gain * values).verdict[0] for values in highest]
        assert found == [word] * len(WEATHER)


def test_sound_hours_raise_no_alarm() -> None:
    for _, weather in WEATHER:
        for item, hours in (("air_tmp", weather.air_c), ("wind_spd", weather.wind_m_s)):
            assert set(_verdicts(item, hours).values()) == {Verdict.SOUND}


@pytest.mark.parametrize("item", ["air_tmp", "wind_spd", "wind_dir"])
def test_a_sensor_stuck_for_a_day_is_found_with_its_hours(item: str) -> None:
    for _, weather in WEATHER:
        hours = {"air_tmp": weather.air_c, "wind_spd": weather.wind_m_s}.get(
            item, weather.direction_deg
        ).copy()
        hours[200] = hours[200, 0]
        (marks,) = [m for m in stuck(item, HOURS, hours.ravel()) if m.check == "stuck 24 h"]
        found = np.flatnonzero(marks.marked).tolist()
        assert set(range(4800, 4824)) <= set(found)
        assert len(found) < 30  # an hour that goes on alike belongs to the run
        assert evidence_of(marks, HOURS).verdict is Verdict.SUSPECT


def test_a_step_is_found_at_its_hour() -> None:
    for _, weather in WEATHER:
        hours = weather.air_c.copy().ravel()
        hours[3000:] += 15
        wide = steps(HOURS, hours)[1]
        assert np.flatnonzero(wide.marked).tolist() == [3000]
        assert evidence_of(wide, HOURS).first == HOURS[3000]


def test_sound_temperatures_are_no_outliers() -> None:
    months = DAYS.astype("datetime64[M]").astype(np.int64) % 12 + 1
    found = [monthly_outliers(months, weather.air_c.mean(axis=1)) for _, weather in WEATHER]
    alarms = [evidence_of(marks, DAYS).verdict is Verdict.SUSPECT for marks in found]
    assert sum(alarms) <= 1
