"""Places, gaps, periods and units on the real archive, against Polars over the files' own texts."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cimis.cli.main import run
from cimis.pipeline.archive.intake import take_in
from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.service.stations import parse_stations
from cimis.store import create

NAMES = {  # column -> place of its text among a row's, in the layout from 2014 on
    "eto": 3,
    "precip": 5,
    "air_tmp_max": 11,
    "air_tmp_min": 13,
    "air_tmp_avg": 15,
    "wind_run": 27,
}
SPAN = (dt.date(2016, 1, 1), dt.date(2016, 12, 31))

WATER_YEAR = pl.col("date").dt.year() + (pl.col("date").dt.month() >= 10).cast(pl.Int32)

Asked = Callable[..., str]


@pytest.fixture(scope="module")
def root(real: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive's 2016, and the list of stations."""
    folder = tmp_path_factory.mktemp("real") / "d"
    create(folder).close()
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    take_in(folder, [real / "ftp/dailyStns2016.zip"], now=now)
    listed = parse_stations((real / "api/stations/legacy_all_stations.json").read_bytes())
    with Catalog(folder) as catalog:
        catalog.put_stations(
            (
                s.number,
                s.name,
                {k: str(v) if isinstance(v, dt.date) else v for k, v in asdict(s).items()},
            )
            for s in listed
        )
    return folder


@pytest.fixture(scope="module")
def raw(real: Path) -> pl.DataFrame:
    """English values as the archive writes them; missing where it has none."""
    rows: list[dict[str, Any]] = []
    with zipfile.ZipFile(real / "ftp/dailyStns2016.zip") as archive:
        for member in archive.namelist():
            for row in csv.reader(io.StringIO(archive.read(member).decode("latin1"))):
                if row and row[0].strip():
                    cells = {name: row[place].strip() for name, place in NAMES.items()}
                    rows.append({"station": int(row[0]), "date": row[1].strip()} | cells)
    frame = pl.DataFrame(rows).with_columns(pl.col("date").str.to_date("%m/%d/%Y"))
    missing = ["", "--", "-6999", "6999", "-9997", "-9998", "-8484"]
    return frame.with_columns(
        pl.when(~pl.col(name).is_in(missing)).then(pl.col(name)).cast(pl.Float64) for name in NAMES
    ).sort("station", "date")


@pytest.fixture
def asked(root: Path, capsys: pytest.CaptureFixture[str]) -> Asked:
    def ask(*arguments: str) -> str:
        capsys.readouterr()
        assert run([*arguments, "--data-dir", str(root)]) == 0
        return capsys.readouterr().out

    return ask


def test_stations_near_a_point_by_another_formula(real: Path, asked: Asked) -> None:
    """The chord through the globe gives the same distances as the haversine formula."""
    found = json.loads(asked("stations", "--near", "38.54,-121.74", "--within", "80", "--json"))
    listed = json.loads((real / "api/stations/legacy_all_stations.json").read_bytes())["Stations"]
    here = pl.DataFrame({"lat": [38.54], "lon": [-121.74]})
    there = pl.DataFrame(
        {
            "station": [int(s["StationNbr"]) for s in listed],
            "lat": [float(s["HmsLatitude"].split("/")[1]) for s in listed],
            "lon": [float(s["HmsLongitude"].split("/")[1]) for s in listed],
        }
    )

    def vector(frame: pl.DataFrame) -> pl.DataFrame:
        lat, lon = pl.col("lat").radians(), pl.col("lon").radians()
        return frame.with_columns(x=lat.cos() * lon.cos(), y=lat.cos() * lon.sin(), z=lat.sin())

    chord = sum(((pl.col(axis) - pl.col(f"{axis}_right")) ** 2 for axis in "xyz"), pl.lit(0.0))
    due = (
        vector(there)
        .join(vector(here), how="cross")
        .with_columns(km=2 * 6371.0088 * (chord.sqrt() / 2).arcsin())
        .filter(pl.col("km") <= 80)
        .sort("km")
    )
    assert [facts["station"] for facts in found] == due["station"].to_list()
    assert [facts["distance_km"] for facts in found] == pytest.approx(due["km"].to_list(), abs=0.01)
    assert len(found) > 10


def test_gaps_are_those_of_the_files(raw: pl.DataFrame, asked: Asked) -> None:
    span = ("--year", "2016", "--items", ",".join(NAMES), "--json")
    told = pl.DataFrame(json.loads(asked("gaps", *span))).select(
        "station", "item", "expected", "absent", "missing"
    )
    due = (
        raw.group_by("station")
        .agg(pl.len().alias("rows"), pl.col(list(NAMES)).null_count())
        .unpivot(list(NAMES), index=["station", "rows"], variable_name="item", value_name="missing")
        .select(
            "station",
            "item",
            expected=pl.lit(366),
            absent=366 - pl.col("rows").cast(pl.Int64),
            missing=pl.col("missing").cast(pl.Int64),
        )
    )
    both = told.join(due, on=["station", "item"], how="full", suffix="_due")
    assert both.height == told.height == due.height > 900
    for name in ("expected", "absent", "missing"):
        assert (both[name] == both[f"{name}_due"]).all(), name
    assert told["missing"].sum() > 0
    assert told["absent"].sum() > 0


@pytest.mark.parametrize(
    ("every", "start"),
    [
        ("month", pl.col("date").dt.truncate("1mo")),
        ("week", pl.col("date").dt.truncate("1w")),
        ("year", pl.col("date").dt.truncate("1y")),
        (
            "water-year",
            pl.date(
                pl.col("date").dt.year() - (pl.col("date").dt.month() < 10).cast(pl.Int32), 10, 1
            ),
        ),
    ],
)
def test_periods_are_summed_up_by_each_items_rule(
    root: Path, raw: pl.DataFrame, asked: Asked, every: str, start: pl.Expr
) -> None:
    """Rules and counts on the values as stored; the values themselves are tested elsewhere."""
    text = asked("query", "--every", every, "--items", ",".join(NAMES), "--format", "csv")
    found = pl.read_csv(io.StringIO(text), try_parse_dates=True).sort("station", "period")
    daily = asked("query", "--items", ",".join(NAMES), "--format", "csv")
    stored = pl.read_csv(io.StringIO(daily), try_parse_dates=True, infer_schema_length=None)
    assert stored.height == raw.height
    due = (
        stored.with_columns(period=start)
        .group_by("station", "period")
        .agg(
            pl.col("eto", "precip").sum(),
            pl.col("air_tmp_max").max(),
            pl.col("air_tmp_min").min(),
            pl.col("air_tmp_avg", "wind_run").mean(),
            pl.col(list(NAMES)).count().name.suffix("_days"),
        )
        .sort("station", "period")
    )
    assert found.height == due.height
    assert found["period"].to_list() == due["period"].to_list()
    for name in NAMES:
        counts = found[f"{name}_days"]
        assert counts.to_list() == due[f"{name}_days"].to_list()
        filled = counts > 0
        off = (found.filter(filled)[name] - due.filter(filled)[name]).abs().max()
        assert isinstance(off, float)
        assert off <= 0.051 if name in ("air_tmp_avg", "wind_run") else off < 1e-6
        assert found.filter(~filled)[name].null_count() == (~filled).sum()


def test_english_units_give_the_files_own_numbers_back(raw: pl.DataFrame, asked: Asked) -> None:
    text = asked("query", "--units", "english", "--items", ",".join(NAMES), "--format", "csv")
    found = pl.read_csv(io.StringIO(text), try_parse_dates=True, infer_schema_length=None)
    found = found.sort("station", "date")
    assert found["date"].to_list() == raw["date"].to_list()
    for name in NAMES:
        keep = pl.lit(True) if name != "precip" else pl.col("station") != 224  # mended on the way
        assert found.filter(keep)[name].to_list() == raw.filter(keep)[name].to_list(), name


def test_sums_and_extremes_in_english_are_those_of_the_files_own_numbers(
    raw: pl.DataFrame, asked: Asked
) -> None:
    """To the decimals that the archive writes, without noise; means within one decimal more."""
    text = asked("query", "--units", "english", "--every", "month", "--format", "csv")
    found = pl.read_csv(io.StringIO(text), try_parse_dates=True, infer_schema_length=None)
    found = found.filter(pl.col("station") != 224).sort("station", "period")
    due = (
        raw.filter(pl.col("station") != 224)
        .with_columns(period=pl.col("date").dt.truncate("1mo"))
        .group_by("station", "period")
        .agg(
            pl.when(pl.col("eto", "precip").count() > 0)
            .then(pl.col("eto", "precip").sum().round(2))
            .name.keep(),
            pl.col("air_tmp_max").max(),
            pl.col("air_tmp_min").min(),
            pl.col("air_tmp_avg", "wind_run").mean(),
        )
        .sort("station", "period")
    )
    assert found["period"].to_list() == due["period"].to_list()
    for name in ("eto", "precip", "air_tmp_max", "air_tmp_min"):
        assert found[name].to_list() == due[name].to_list(), name
    for name in ("air_tmp_avg", "wind_run"):
        off = (found[name] - due[name]).abs().max()
        assert isinstance(off, float)
        assert off < 0.011 if name == "air_tmp_avg" else off < 0.051


def test_every_command_knows_a_month_and_a_water_year(asked: Asked) -> None:
    month = json.loads(asked("gaps", "--month", "2016-02", "--items", "eto", "--json"))
    assert {entry["expected"] for entry in month} == {29}
    year = json.loads(asked("gaps", "--water-year", "2016", "--items", "eto", "--json"))
    assert {entry["expected"] for entry in year} == {366}
