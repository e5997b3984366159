"""Generated weather is the same whatever is asked, and hangs together as weather does."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from cimis.pipeline.emulator import GeneratedSource
from cimis.pipeline.emulator.network import sites
from cimis.pipeline.emulator.troubles.faults import sensor_faults
from cimis.pipeline.emulator.weather.climate import weather_of_year
from cimis.pipeline.field import eto
from cimis.pipeline.field.items import Scope, Standard, by_code, resolve, scope_items

STATIONS = (2, 10, 15, 80)


def _texts(station: int, start: dt.date, end: dt.date) -> dict[str, list[str | None]]:
    items = resolve("all", Scope.DAILY)
    span = (start, end, items, Standard.METRIC)
    found = GeneratedSource().records(station, Scope.DAILY, *span)
    return {key: list(texts.values) for key, texts in found.items.items()}


def test_a_day_is_the_same_whatever_window_is_asked() -> None:
    year = _texts(2, dt.date(2023, 1, 1), dt.date(2024, 12, 31))
    month = _texts(2, dt.date(2023, 12, 20), dt.date(2024, 1, 10))
    start = (dt.date(2023, 12, 20) - dt.date(2023, 1, 1)).days
    for key, values in month.items():
        assert year[key][start : start + 22] == values, key


@pytest.mark.parametrize("station", STATIONS)
def test_humidity_pressure_and_temperature_hang_together(station: int) -> None:
    weather = weather_of_year(sites()[station], 2022)
    full = eto.saturation_pressure_kpa(weather.air_c)
    assert (weather.vapour_kpa <= full).all()
    assert (weather.dew_c <= weather.air_c).all()
    assert ((weather.humidity > 0) & (weather.humidity <= 100)).all()
    assert np.allclose(eto.saturation_pressure_kpa(weather.dew_c), weather.vapour_kpa)


@pytest.mark.parametrize("station", STATIONS)
def test_the_sun_never_shines_more_than_from_a_clear_sky(station: int) -> None:
    site = sites()[station]
    weather = weather_of_year(site, 2022)
    julian = np.repeat(np.arange(1.0, 366.0), 24)
    middle = np.tile(np.arange(24) + 8.5, 365)
    above = eto.extraterrestrial_hourly_mj(julian, middle, site.latitude, site.longitude)
    clear = eto.clear_sky_mj(above, site.elevation_m).reshape(365, 24) / 0.0036
    assert (weather.solar_w_m2 <= clear + 1e-6).all()
    assert (weather.solar_w_m2[:, 0] == 0).all()


@pytest.mark.parametrize("station", STATIONS)
def test_seasons_are_those_of_california(station: int) -> None:
    weather = weather_of_year(sites()[station], 2022)
    january, july = slice(0, 31), slice(181, 212)
    assert weather.air_c[july].mean() > weather.air_c[january].mean() + 2
    assert weather.asce_eto_mm[july].sum() > 2 * weather.asce_eto_mm[january].sum()
    rain = [weather_of_year(sites()[station], y).rain_mm.sum(axis=1) for y in range(2012, 2022)]
    winter = sum(float(r[:90].sum() + r[304:].sum()) for r in rain)
    summer = sum(float(r[151:243].sum()) for r in rain)
    assert winter > 2 * summer


def test_days_are_made_of_their_hours() -> None:
    station, day = 80, dt.date(2024, 5, 3)
    source = GeneratedSource()
    hourly = source.records(
        station, Scope.HOURLY, day, day, scope_items(Scope.HOURLY), Standard.METRIC
    )
    daily = source.records(
        station, Scope.DAILY, day, day, scope_items(Scope.DAILY), Standard.METRIC
    )

    def hours(key: str) -> list[float]:
        return [float(v or "nan") for v in hourly.items[key].values]

    def value(key: str) -> float:
        return float(daily.items[key].values[0] or "nan")

    assert value("DayAirTmpAvg") == pytest.approx(np.mean(hours("HlyAirTmp")), abs=0.11)
    assert value("DayPrecip") == pytest.approx(np.sum(hours("HlyPrecip")), abs=0.13)
    assert value("DayAsceEto") == pytest.approx(np.sum(hours("HlyAsceEto")), abs=0.13)
    assert value("DayWindRun") == pytest.approx(86.4 * value("DayWindSpdAvg"), abs=4.4)


def test_gaps_and_flags_come_at_the_rates_of_the_archive() -> None:
    item = by_code("day-air-tmp-avg")
    assert item is not None
    missing = flagged = days = 0
    for number in list(sites())[:60]:
        gone, flags = sensor_faults(sites()[number], 2021, 365).of(item)
        days += 365
        missing += int(gone.sum())
        flagged += sum(flag == "Y" for flag in flags)
    assert 0.010 < missing / days < 0.035
    assert 0.030 < flagged / days < 0.055


@pytest.mark.parametrize("code", ["day-leaf-wetness", "hly-leaf-wetness"])
def test_an_item_that_the_weather_does_not_make_is_not_collected(code: str) -> None:
    """So a new data item needs its row in the registry alone, and no value is made up for it."""
    known = by_code("day-precip")
    assert known is not None
    item = replace(known, code=code)
    span = (dt.date(2023, 1, 1), dt.date(2023, 1, 3), (item,), Standard.METRIC)
    found = GeneratedSource().records(2, item.scope, *span)
    texts = found.items[item.json_key]
    assert len(found.dates) == (3 if item.scope is Scope.DAILY else 72)
    assert set(texts.values) == {None}
    assert set(texts.flags) == {"N"}
    assert len(texts.values) == len(texts.flags) == len(found.dates)
