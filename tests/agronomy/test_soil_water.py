"""The soil water balance is that of pyfao56; what it would assume silently is told."""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cimis.agronomy.soil_water import FieldWeather, Irrigation, soil_water
from cimis.pipeline.errors import UsageError

START, END = dt.date(2026, 4, 1), dt.date(2026, 5, 10)
SOIL = {"Lini": 10, "Ldev": 10, "Lmid": 10, "Lend": 10, "thetaFC": 0.25, "thetaWP": 0.1}


def generated(days: int = 40) -> FieldWeather:
    rng = np.random.default_rng(2)
    rain = np.where(rng.random(days) < 0.1, 12.0, 0.0)
    return FieldWeather(
        np.datetime64(START, "D") + np.arange(days),
        eto=rng.uniform(4, 8, days),
        rain=rain,
        humidity_min=rng.uniform(20, 45, days),
        wind=rng.uniform(1, 4, days),
    )


@pytest.fixture
def _installed() -> None:
    pytest.importorskip("pyfao56", reason="pyfao56 is not installed")


with_pyfao56 = pytest.mark.usefixtures("_installed")


@with_pyfao56
def test_the_cotton_season_of_2013_has_the_totals_that_pyfao56_publishes(real: Path) -> None:
    folder = real / "pyfao56"
    if not (folder / "cotton2013.wth").exists():
        pytest.skip("no cotton season of pyfao56 among the real data")
    import pyfao56

    given = pyfao56.Weather(str(folder / "cotton2013.wth"))
    table = given.wdata
    days = [dt.datetime.strptime(key, "%Y-%j").date() for key in table.index]  # noqa: DTZ007 # a day
    columns = {
        ours: table[theirs].to_numpy(dtype=float)
        for ours, theirs in (
            ("eto", "ETref"), ("rain", "Rain"), ("tmax", "Tmax"), ("tmin", "Tmin"),
            ("dew_point", "Tdew"), ("humidity_min", "RHmin"), ("wind", "Wndsp"),
        )
    }  # fmt: skip
    weather = FieldWeather(
        np.array(days, dtype="datetime64[D]"), **columns, wind_height_m=given.wndht
    )
    parameters = pyfao56.Parameters()
    parameters.loadfile(str(folder / "cotton2013.par"))
    events = pyfao56.Irrigation(str(folder / "cottonwet2013.irr")).idata
    got = soil_water(
        weather,
        parameters={n: v for n, v in vars(parameters).items() if n not in ("comment", "tmstmp")},
        start=dt.date(2013, 4, 23),
        end=dt.date(2013, 11, 8),
        irrigations=[
            Irrigation(days[table.index.get_loc(key)], row["Depth"], row["fw"], row["ieff"])
            for key, row in events.iterrows()
        ],
    )
    due = {"ETref": 1352.490, "ETcm": 1037.566, "ETa": 1049.731, "Irrig": 945.700, "Rain": 49.270}
    assert {name: round(got.totals[name], 3) for name in due} == due


@with_pyfao56
def test_daily_values_add_up_to_the_totals() -> None:
    got = soil_water(generated(), parameters=SOIL, start=START, end=END)
    assert len(got.dates) == 40
    for name in ("ETref", "ETa", "E", "T", "Rain"):
        assert got.daily[name].sum() == pytest.approx(got.totals[name])


@with_pyfao56
def test_irrigation_lowers_the_depletion_from_its_day_on() -> None:
    dry = soil_water(generated(), parameters=SOIL, start=START, end=END)
    event = Irrigation(dt.date(2026, 4, 21), 50, 1.0)
    wet = soil_water(generated(), parameters=SOIL, start=START, end=END, irrigations=[event])
    np.testing.assert_array_equal(dry.daily["Dr"][:20], wet.daily["Dr"][:20])
    assert wet.daily["Dr"][20] < dry.daily["Dr"][20]
    assert wet.totals["Irrig"] == 50


@with_pyfao56
def test_days_may_come_in_any_order_and_exceed_the_season() -> None:
    weather = generated(60)
    names = ("dates", "eto", "rain", "humidity_min", "wind")
    turned = replace(weather, **{name: getattr(weather, name)[::-1] for name in names})
    straight, back = (
        soil_water(w, parameters=SOIL, start=START, end=END) for w in (weather, turned)
    )
    assert straight.totals == back.totals


@with_pyfao56
def test_assumed_wind_and_humidity_are_counted() -> None:
    weather = generated()
    wind = np.where(np.arange(40) < 7, np.nan, 2.5)
    got = soil_water(
        replace(weather, wind=wind, humidity_min=None), parameters=SOIL, start=START, end=END
    )
    assert got.assumed == {"wind": 7, "humidity_min": 40}


@with_pyfao56
@pytest.mark.parametrize("column", ["eto", "rain"])
def test_a_day_without_reference_et_or_rain_is_refused(column: str) -> None:
    weather = generated()
    values = getattr(weather, column).copy()
    values[[9, 11]] = np.nan
    with pytest.raises(UsageError, match=f"2 of 40 days lack {column}, the first 2026-04-10"):
        soil_water(replace(weather, **{column: values}), parameters=SOIL, start=START, end=END)


@with_pyfao56
def test_days_that_are_not_there_are_refused() -> None:
    with pytest.raises(UsageError, match="20 of 40 days lack eto, the first 2026-04-21"):
        soil_water(generated(20), parameters=SOIL, start=START, end=END)


@with_pyfao56
def test_a_parameter_that_pyfao56_does_not_have_is_named() -> None:
    with pytest.raises(UsageError, match="no parameter 'Kcini'"):
        soil_water(generated(), parameters={"Kcini": 0.3}, start=START, end=END)


@with_pyfao56
def test_two_irrigations_on_a_day_are_refused() -> None:
    twice = [Irrigation(START, 10, 1.0)] * 2
    with pytest.raises(UsageError, match="two irrigations on 2026-04-01"):
        soil_water(generated(), parameters=SOIL, start=START, end=END, irrigations=twice)


@with_pyfao56
def test_a_season_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(UsageError, match="ends on 2026-04-01, before"):
        soil_water(generated(), parameters=SOIL, start=END, end=START)


def test_without_pyfao56_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyfao56", None)
    with pytest.raises(UsageError, match="needs pyfao56, which is not installed") as caught:
        soil_water(generated(), parameters=SOIL, start=START, end=END)
    assert caught.value.hint == "install cimis[soil-water], or pyfao56 itself"
