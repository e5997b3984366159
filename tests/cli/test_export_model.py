"""Files for models are read back: by pyfao56 itself, by parsers of the formats' descriptions."""

from __future__ import annotations

import csv
import io
import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import cimis
from cimis import Store
from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.emulator import Emulator, GeneratedSource
from cimis.pipeline.field.items import Scope
from tests.cli.conftest import typed
from tests.queries.conftest import put, year_table

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

__all__ = ["typed"]

ITEMS = (
    "air_tmp_avg,air_tmp_max,air_tmp_min,asce_eto,dew_pnt,precip,rel_hum_max,rel_hum_min,"
    "sol_rad_avg,vap_pres_avg,wind_spd_avg"
)
FACTS: dict[str, Any] = {"latitude": 35.532, "longitude": -119.282, "elevation_m": 110.0}
SPAN = ("--station", "5", "--start", "2020-12-20", "--end", "2021-04-20")
with_pyfao56 = pytest.mark.skipif(find_spec("pyfao56") is None, reason="pyfao56 is not installed")


def calm(table: pa.Table) -> pa.Table:
    """Return a table with winds that there are, of 0 to 9.9 m/s."""
    place = table.schema.get_field_index("wind_spd_avg")
    winds = [None if w is None else round(abs(w) % 10, 1) for w in table[place].to_pylist()]
    return table.set_column(place, table.schema.field(place), pa.array(winds, pa.float64()))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two years of station 5, the second without 11 to 15 April, and its hours."""
    place = tmp_path_factory.mktemp("models") / "data"
    whole = year_table(Scope.DAILY, 7, 2020, items=ITEMS)
    number = pa.array(np.full(whole.num_rows, 5, np.uint16))
    put(place, [calm(whole.set_column(0, whole.schema.field("station"), number))])
    put(place, [calm(year_table(Scope.DAILY, 5, 2021, items=ITEMS))])
    put(place, [year_table(Scope.HOURLY, 5, 2021, items="air_tmp")])
    with Catalog(place) as catalog:
        catalog.put_stations([(5, "Shafter", {"number": 5, "name": "Shafter", **FACTS})])
    return place


@pytest.fixture(autouse=True)
def _store(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIMIS_DATA_DIR", str(kept))


@pytest.fixture
def days(kept: Path) -> pl.DataFrame:
    """Every day of the span, null where there is no value."""
    with Store(kept) as store:
        held = store.daily(5, "2020-12-20", "2021-04-20", ITEMS, qc="drop-severe")
    first, last = held["date"].min(), held["date"].max()
    every = pl.select(date=pl.date_range(pl.lit(first), pl.lit(last)))
    return every.join(held, on="date", how="left")


def same(found: list[float], due: pl.Series, within: float) -> None:
    """Assert that numbers are those of a column, missing where it is null."""
    expected = due.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    assert np.isnan(expected).any()
    np.testing.assert_allclose(found, expected, rtol=0, atol=within + 1e-9)


@with_pyfao56
def test_pyfao56_reads_its_file_and_finds_the_same_numbers(
    days: pl.DataFrame, tmp_path: Path, typed: Typed
) -> None:
    import pyfao56

    path = tmp_path / "five.wth"
    answer = typed("export-model", "--format", "pyfao56", *SPAN, "-o", path)
    assert answer.code == 0, answer.err
    assert "wrote 122 rows" in answer.err
    assert "written as NaN: sol_rad_avg " in answer.err
    weather = pyfao56.Weather(str(path))
    assert (weather.rfcrp, weather.z, weather.lat, weather.wndht) == ("S", 110.0, 35.532, 2.0)
    table = weather.wdata
    assert table.index.tolist() == [f"{day:%Y-%j}" for day in days["date"]]
    assert set(table["MorP"]) == {"M"}
    for theirs, ours, ratio in (
        ("Srad", "sol_rad_avg", 0.0864),
        ("Tmax", "air_tmp_max", 1),
        ("Tmin", "air_tmp_min", 1),
        ("Vapr", "vap_pres_avg", 1),
        ("Tdew", "dew_pnt", 1),
        ("RHmax", "rel_hum_max", 1),
        ("RHmin", "rel_hum_min", 1),
        ("Wndsp", "wind_spd_avg", 1),
        ("Rain", "precip", 1),
        ("ETref", "asce_eto", 1),
    ):
        same(table[theirs].to_list(), days[ours] * ratio, 0.005)


@with_pyfao56
def test_the_reference_et_that_pyfao56_computes_from_it_is_ours(
    tmp_path: Path, typed: Typed
) -> None:
    """Wrong units of radiation, wind or vapour would show; 0.1 kPa of vapour pressure do too."""
    import pyfao56

    from cimis.naming.lists import NetworkLists
    from cimis.pipeline.service import Settings

    root, path = tmp_path / "d", tmp_path / "80.wth"
    with Emulator(GeneratedSource()) as service, cimis.create(root) as store:
        url, key = service.base_url, service.app_key
        store.fetch(80, start="2024-06", end="2024-06", base_url=url, app_key=key)
        NetworkLists(root, Settings.load(base_url=url, app_key=key)).refreshed()
        due = store.eto("daily")["computed"]
    words = ("--station", "80", "--data-dir", root, "--qc", "keep", "-o", path)
    assert typed("export-model", "--format", "pyfao56", *words).code == 0
    weather = pyfao56.Weather(str(path))
    found = np.array([weather.compute_etref(key) for key in weather.wdata.index])
    expected = due.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    held = np.isfinite(expected) & np.isfinite(found)
    assert held.sum() > 20
    np.testing.assert_allclose(found[held], expected[held], rtol=0, atol=0.2)


def dssat(text: str) -> tuple[dict[str, str], list[dict[str, str]]]:
    """Read a DSSAT file as its weather module does: a value ends where its heading ends."""
    lines = text.splitlines()
    assert lines[0].startswith("*WEATHER")
    heads = [number for number, line in enumerate(lines) if line.startswith("@")]

    def read(head: str, line: str) -> dict[str, str]:
        found, begin = {}, 0
        for name in head.replace("@", " ").split():
            end = head.index(name, begin) + len(name)
            found[name] = line[begin:end].strip()
            begin = end
        return found

    station, weather = heads
    place = read(lines[station], lines[station + 1])
    return place, [read(lines[weather], line) for line in lines[weather + 1 :]]


def test_a_dssat_file_has_the_numbers_under_its_headings(
    days: pl.DataFrame, kept: Path, typed: Typed
) -> None:
    answer = typed("export-model", "--format", "dssat", *SPAN)
    assert answer.code == 0, answer.err
    place, rows = dssat(answer.out)
    assert (place["INSI"], place["LAT"], place["LONG"]) == ("C005", "35.532", "-119.282")
    assert [float(place[name]) for name in ("ELEV", "REFHT", "WNDHT")] == [110, 1.5, 2]
    with Store(kept) as store:
        all_days = store.daily(5, items="air_tmp_avg", qc="strict")
    year_month = all_days.group_by(pl.col("date").dt.year(), month=pl.col("date").dt.month()).agg(
        pl.col("air_tmp_avg").mean()
    )
    # five days in a row lack of April 2021, which does not count then
    without = year_month.filter(~((pl.col("date") == 2021) & (pl.col("month") == 4)))
    months = without.group_by("month").agg(pl.col("air_tmp_avg").mean())["air_tmp_avg"].to_numpy()
    assert float(place["TAV"]) == pytest.approx(months.mean(), abs=0.1)
    assert float(place["AMP"]) == pytest.approx((months.max() - months.min()) / 2, abs=0.1)
    assert [row["DATE"] for row in rows] == [f"{day:%y%j}" for day in days["date"]]
    for theirs, ours, ratio in (
        ("SRAD", "sol_rad_avg", 0.0864),
        ("TMAX", "air_tmp_max", 1),
        ("TMIN", "air_tmp_min", 1),
        ("RAIN", "precip", 1),
        ("DEWP", "dew_pnt", 1),
        ("WIND", "wind_spd_avg", 86.4),
        ("RHUM", "rel_hum_max", 1),
    ):
        found = [float(row[theirs]) for row in rows]
        same([float("nan") if one == -99 else one for one in found], days[ours] * ratio, 0.05)


def frame(text: str) -> list[dict[str, float]]:
    """Read a CSV file as R's ``read.csv`` does: NA is missing."""
    rows = csv.DictReader(io.StringIO(text))
    return [{n: float("nan") if v == "NA" else float(v) for n, v in row.items()} for row in rows]


def test_a_chillr_file_is_the_data_frame_that_handle_cimis_gave(
    days: pl.DataFrame, typed: Typed
) -> None:
    answer = typed("export-model", "--format", "chillr", *SPAN)
    rows = frame(answer.out)
    assert list(rows[0]) == ["Year", "Month", "Day", "Tmin", "Tmax", "Tmean", "Prec"]
    dates = [(day.year, day.month, day.day) for day in days["date"]]
    assert [(row["Year"], row["Month"], row["Day"]) for row in rows] == dates
    for theirs, ours in (
        ("Tmin", "air_tmp_min"),
        ("Tmax", "air_tmp_max"),
        ("Tmean", "air_tmp_avg"),
        ("Prec", "precip"),
    ):
        same([row[theirs] for row in rows], days[ours], 0)


def test_a_chillr_file_of_hours_has_24_of_each_day(kept: Path, typed: Typed) -> None:
    span = ("--station", "5", "--start", "2021-04-01", "--end", "2021-04-20")
    rows = frame(typed("export-model", "--format", "chillr", *span, "--hourly").out)
    assert list(rows[0]) == ["Year", "Month", "Day", "JDay", "Hour", "Temp"]
    assert [row["Hour"] for row in rows] == [*range(24)] * 20
    assert [row["JDay"] for row in rows[::24]] == list(range(91, 111))
    with Store(kept) as store:
        hours = store.hourly(5, "2021-04-01", "2021-04-20", "air_tmp", qc="drop-severe")
    due = {(d.day, h - 1): t for d, h, t in hours.select("date", "hour", "air_tmp").iter_rows()}
    found = {(row["Day"], row["Hour"]): row["Temp"] for row in rows}
    assert {key for key, value in found.items() if value == value} == {
        key for key, value in due.items() if value is not None
    }
    assert all(found[key] == value for key, value in due.items() if value is not None)


@pytest.mark.parametrize(
    ("words", "code", "due"),
    [
        (("--format", "dssat", *SPAN, "--hourly"), 2, "dssat reads days, not hours"),
        (("--format", "chillr", "--stations", "5,6"), 2, "a model's file is of one station"),
        (("--format", "chillr"), 2, "no station is named"),
        (("--format", "dssat", "--station", "9"), 3, "no daily record is stored of station 9"),
        (("--format", "chillr", *SPAN, "--json"), 2, "a model's file is no JSON"),
        (("--format", "aquacrop", *SPAN), 2, "aquacrop"),
        (SPAN, 2, "--format"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_meant_is_refused(
    words: tuple[str, ...], code: int, due: str, typed: Typed
) -> None:
    answer = typed("export-model", *words)
    assert (answer.code, answer.out) == (code, "")
    assert due in answer.err


def test_a_station_whose_place_is_unknown_is_refused_where_the_file_needs_it(
    tmp_path: Path, typed: Typed
) -> None:
    put(tmp_path / "d", [year_table(Scope.DAILY, 7, 2021, items=ITEMS)])
    words = ("--station", "7", "--data-dir", tmp_path / "d")
    answer = typed("export-model", "--format", "dssat", *words)
    assert (answer.code, "where station 7 lies is not known" in answer.err) == (3, True)
    assert typed("export-model", "--format", "chillr", *words).code == 0


def test_a_value_that_six_places_do_not_hold_is_refused(tmp_path: Path, typed: Typed) -> None:
    table = year_table(Scope.DAILY, 5, 2021, items=ITEMS)
    place = table.schema.get_field_index("wind_spd_avg")
    winds = pa.array([120.0] * table.num_rows)
    put(tmp_path / "d", [table.set_column(place, table.schema.field(place), winds)])
    with Catalog(tmp_path / "d") as catalog:
        catalog.put_stations([(5, "Shafter", {"number": 5, "name": "Shafter", **FACTS})])
    saved = tmp_path / "five.WTH"
    words = ("--qc", "keep", "--data-dir", tmp_path / "d", "-o", saved)
    answer = typed("export-model", "--format", "dssat", *SPAN, *words)
    assert (answer.code, saved.exists()) == (8, False)
    assert "wind_spd_avg of 2021-01-01 comes to 10368.0" in answer.err


def test_without_a_whole_year_the_climate_is_missing_and_said(tmp_path: Path, typed: Typed) -> None:
    half = calm(year_table(Scope.DAILY, 5, 2021, items=ITEMS)).slice(0, 90)
    put(tmp_path / "d", [half])
    with Catalog(tmp_path / "d") as catalog:
        catalog.put_stations([(5, "Shafter", {"number": 5, "name": "Shafter", **FACTS})])
    answer = typed("export-model", "--format", "dssat", *SPAN, "--data-dir", tmp_path / "d")
    place, _ = dssat(answer.out)
    assert (place["TAV"], place["AMP"]) == ("-99.0", "-99.0")
    assert "TAV and AMP are -99" in answer.err


def test_in_json_the_answer_tells_of_the_file(tmp_path: Path, typed: Typed) -> None:
    path = tmp_path / "five.csv"
    answer = typed("export-model", "--format", "chillr", *SPAN, "-o", path, "--json")
    told = json.loads(answer.out)
    assert (told["path"], told["rows"], told["bytes"]) == (str(path), 122, path.stat().st_size)
    lacks = next(json.loads(line) for line in answer.err.splitlines() if "lacks" in line)
    assert lacks["lacks"]["short"] == [{"station": 5, "present": 117, "asked": 122}]
