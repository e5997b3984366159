"""The network's archive: the checks find what is known of its stations, and neighbours agree."""

from __future__ import annotations

import datetime as dt
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cimis.agronomy.drift import Periods, clear_sky_drift, humidity_ceiling
from cimis.agronomy.nearness import inverse_distance, nearest, nearest_value
from cimis.agronomy.neighbours import against_neighbours, regression
from cimis.agronomy.normals import PERCENTILES, daily_normals
from cimis.agronomy.solar import clear_sky_w_m2
from cimis.pipeline.archive.ftp import members, read_member
from cimis.pipeline.field.items import Scope
from cimis.pipeline.field.places import Place, distance_km
from cimis.pipeline.rows.values import to_physical
from cimis.pipeline.service.stations import Station, parse_stations


@cache
def _stations(real: Path) -> dict[int, Station]:
    listed = parse_stations((real / "api/stations/legacy_all_stations.json").read_bytes())
    return {station.number: station for station in listed}


@cache
def _year(real: Path, year: int | str, station: int) -> pl.DataFrame:
    """Return a station's year with NaN for what is missing or flagged."""
    path = real / "ftp" / f"dailyStns{year}.zip"
    table = read_member(path, members(path, Scope.DAILY)[station])
    assert table is not None
    frame = pl.DataFrame(pl.from_arrow(to_physical(table.combine_chunks())))
    items = [name for name in frame.columns if f"{name}_qc" in frame.columns]
    values = (
        pl.when(pl.col(f"{name}_qc").is_null()).then(pl.col(name)).fill_null(np.nan).alias(name)
        for name in items
    )
    return frame.select("date", *values).sort("date")


def _whole_2016(real: Path, station: int, item: str) -> np.ndarray:
    """Return an item on every day of the year, NaN also on those that are absent."""
    frame, days = _year(real, 2016, station), np.full(366, np.nan)
    days[frame["date"].dt.ordinal_day().to_numpy().astype(np.int64) - 1] = frame[item].to_numpy()
    return days


def _drift(real: Path, year: int, station: int) -> Periods:
    frame, here = _year(real, year, station), _stations(real)[station]
    clear = clear_sky_w_m2(
        frame["date"].dt.ordinal_day().to_numpy().astype(np.float64),
        np.array(here.latitude),
        np.array(here.elevation_m),
        frame["vap_pres_avg"].to_numpy(),
    )
    return clear_sky_drift(frame["date"].to_numpy(), frame["sol_rad_avg"].to_numpy(), clear)


def test_carneros_reads_low_until_the_end_of_august(real: Path) -> None:
    got = _drift(real, 2018, 109)
    assert got.factor[:4].min() == pytest.approx(1.15, abs=0.01)
    assert got.factor[:4].max() == pytest.approx(1.25, abs=0.01)
    assert got.start[4] == np.datetime64("2018-08-29")
    assert got.factor[4] == pytest.approx(0.98, abs=0.01)
    assert got.verdict[:5].tolist() == ["suspect"] * 4 + ["sound"]


def test_monrovia_reads_low_in_2014_and_right_in_2016(real: Path) -> None:
    low = _drift(real, 2014, 159)
    assert low.factor.min() == pytest.approx(1.19, abs=0.01)
    assert low.factor.max() == pytest.approx(1.30, abs=0.01)
    assert set(low.verdict) == {"suspect"}
    assert _drift(real, 2016, 159).factor[:4].mean() == pytest.approx(0.98, abs=0.01)


def test_patterson_comes_back_within_2013(real: Path) -> None:
    got = _drift(real, 2013, 161)
    assert got.factor.max() == pytest.approx(1.22, abs=0.01)
    assert got.factor[4] == pytest.approx(0.97, abs=0.01)
    assert got.verdict.tolist() == ["suspect"] * 4 + ["sound"] * 2


def test_davis_is_sound_in_23_of_24_periods(real: Path) -> None:
    verdicts = [v for year in (2013, 2014, 2016, 2018) for v in _drift(real, year, 6).verdict]
    assert (len(verdicts), verdicts.count("sound")) == (24, 23)


@pytest.mark.parametrize("station", [2, 6, 80, 116, 159])
def test_ceilings_equal_polars(real: Path, station: int) -> None:
    frame = _year(real, 2014, station).filter(pl.col("rel_hum_max").is_not_nan())
    due = frame["rel_hum_max"].top_k(frame.height // 100).mean()
    got = humidity_ceiling(frame["date"].to_numpy(), frame["rel_hum_max"].to_numpy())
    assert got.percent[0] == pytest.approx(due)


@pytest.mark.parametrize(
    ("item", "measured"),
    [
        ("eto", 0.264),
        ("air_tmp_max", 0.78),
        ("air_tmp_min", 0.96),
        ("sol_rad_avg", 10.2),
        ("vap_pres_avg", 0.049),
        ("wind_spd_avg", 0.24),
    ],
)
def test_neighbours_of_davis_estimate_it_better_than_distance_does(
    real: Path, item: str, measured: float
) -> None:
    """A sample of the network's figures: the whole is measured by ``benchmarks.agronomy``."""
    known = _stations(real)
    held = members(real / "ftp" / "dailyStns2016.zip", Scope.DAILY)
    places = {
        n: Place(s.latitude, s.longitude) for n, s in known.items() if s.latitude and s.longitude
    }
    numbers = [n for n in sorted(held) if n in places and distance_km(places[6], places[n]) < 75]
    values = np.column_stack([_whole_2016(real, n, item) for n in numbers])
    near = nearest(numbers, [places[n] for n in numbers])
    got = regression(values, near)
    error = np.abs(values - got.value)[::3]
    for plain in (inverse_distance, nearest_value):
        guess = np.column_stack([plain(values, near, n) for n in numbers])[::3]
        assert np.nanmean(error) < 0.8 * np.nanmean(np.abs(values[::3] - guess)[np.isfinite(error)])
    assert np.nanmean(error) < 1.2 * measured
    assert against_neighbours(values, got).marked.sum() < 0.02 * np.isfinite(error).sum() * 3


def test_normals_equal_polars(real: Path) -> None:
    """Four years of Davis; each day's sample gathered by a join, figures by Polars."""
    years = (
        _year(real, year, 6).select("date", "air_tmp_max") for year in (2013, 2014, 2016, 2018)
    )
    frame = pl.concat(years)
    got = daily_normals(frame["date"].to_numpy(), frame["air_tmp_max"].to_numpy(), least_years=4)
    calendar = pl.date_range(dt.date(2016, 1, 1), dt.date(2016, 12, 31), eager=True)
    days = pl.DataFrame({"centre": calendar}).with_row_index("place")
    # years next to each other do not meet here, but for 2013 and 2014
    around = days.join(pl.DataFrame({"shift": range(-7, 8)}), how="cross").with_columns(
        day=pl.col("centre") + pl.duration(days="shift")
    )
    around = around.join(pl.DataFrame({"year": range(2013, 2019)}), how="cross").select(
        "place",
        "year",
        key=(pl.col("year") + pl.col("day").dt.year() - 2016).cast(pl.String)
        + pl.col("day").dt.strftime("-%m-%d"),
    )
    values = frame.select(pl.col("date").dt.strftime("%Y-%m-%d").alias("key"), "air_tmp_max")
    sample = around.join(values.filter(pl.col("air_tmp_max").is_not_nan()), on="key")
    sample = sample.filter(pl.len().over("place", "year") > 7)
    value = pl.col("air_tmp_max")
    due = (
        sample.group_by("place")
        .agg(
            value.mean().alias("mean"),
            value.min().alias("least"),
            value.max().alias("most"),
            pl.col("year").n_unique().alias("years"),
            *(value.quantile(p / 100, "linear").alias(f"p{p}") for p in PERCENTILES),
        )
        .sort("place")
    )
    full = due["years"].to_numpy() >= 4
    np.testing.assert_array_equal(got.years, due["years"])
    for name in ("mean", "least", "most"):
        np.testing.assert_allclose(getattr(got, name)[full], due[name].to_numpy()[full])
    np.testing.assert_allclose(
        got.percentiles[full], due.select(f"p{p}" for p in PERCENTILES).to_numpy()[full]
    )
    assert full.sum() > 300


def test_only_july_has_five_years(real: Path) -> None:
    """The archive ends with July 2022: its middle days have normals, other days none."""
    years = (2013, 2014, 2016, 2018, "2022jul")
    frame = pl.concat(_year(real, year, 6).select("date", "air_tmp_max") for year in years)
    got = daily_normals(frame["date"].to_numpy(), frame["air_tmp_max"].to_numpy())
    known = np.isfinite(got.mean)
    assert set(got.month[known]) == {7}
    assert known.sum() >= 25
    assert set(got.years[known]) == {5}
    assert got.period == (2013, 2022)
    assert not got.complete.any()
