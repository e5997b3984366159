"""``cimis plot`` draws what ``cimis query`` gives, in a terminal or a file, or says why not."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

import cimis
from cimis.pictures.plot import KINDS
from cimis.pipeline.catalog.database import Catalog
from tests.queries.made import put_days, put_hours

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

YEAR = ("--year", "2020")
ASKED = {
    "series": ("--station", "5", *YEAR),
    "eto-rain": ("--station", "5", *YEAR),
    "cumulated": ("--station", "5", "--water-year", "2020"),
    "gaps": ("--stations", "5,80", *YEAR),
    "rose": ("--station", "5", "--month", "2020-06"),
    "scatter": ("--stations", "5,80", "--items", "asce_eto", *YEAR),
}


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight years of two stations with gaps and flags, a month's hours of wind, and their names."""
    root = tmp_path_factory.mktemp("plot") / "data"
    for station in (5, 80):
        chance = np.random.default_rng(station)
        days = 8 * 365 + 2
        wave = np.sin((np.arange(days) - 100) / 58.1)
        eto = np.round(4 + 3 * wave + chance.normal(0, 0.3, days), 2)
        eto[chance.random(days) < 0.01] = np.nan
        heat = np.round(25 + 10 * wave, 1)
        rain = np.round(chance.gamma(1, 8, days), 1)
        rain[chance.random(days) > 0.1] = 0
        put_days(
            root,
            station,
            "2013-01-01",
            {"asce_eto": eto, "precip": rain, "air_tmp_max": heat},
            flags={"asce_eto": dict.fromkeys(range(20, days, 97), "Y")},
            absent=range(2_700, 2_710),
        )
    chance = np.random.default_rng(1)
    wind = {
        "wind_dir": np.round(chance.uniform(0, 360, 720)),
        "wind_spd": np.round(chance.gamma(2, 1.2, 720), 1),
    }
    put_hours(root, 5, "2020-06-01", wind)
    with Catalog(root) as catalog:
        catalog.put_stations(
            (number, name, {"number": number, "name": name})
            for number, name in ((5, "Shafter"), (80, "Fresno State"))
        )
    return root


@pytest.fixture
def root(stored: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CIMIS_DATA_DIR", str(stored))
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)
    return stored


def test_every_kind_is_asked_for() -> None:
    assert list(ASKED) == list(KINDS)


@pytest.mark.parametrize("kind", ASKED)
def test_a_terminal_shows_title_and_units_in_80_columns(
    kind: str, root: Path, typed: Typed
) -> None:
    answer = typed("plot", kind, *ASKED[kind])
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert "Shafter (5)" in " ".join(lines[:2])
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in answer.out


@pytest.mark.parametrize("kind", ASKED)
@pytest.mark.parametrize("named", ["LANG", "LC_ALL"])
def test_under_lang_c_a_terminal_shows_ascii(
    kind: str, named: str, root: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(named, "C")
    assert typed("plot", kind, *ASKED[kind], "--width", "60").out.isascii()


def test_an_encoding_without_braille_gets_ascii(root: Path, started: Typed) -> None:
    env = {"PYTHONIOENCODING": "latin-1", "LANG": "C.UTF-8"}
    assert started("plot", *ASKED["series"], env=env).out.isascii()


@pytest.mark.parametrize("kind", ASKED)
@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_each_kind_is_drawn_into_a_file(
    kind: str, suffix: str, root: Path, typed: Typed, tmp_path: Path
) -> None:
    pytest.importorskip("vl_convert", reason="the extra plot is not installed")
    path = tmp_path / f"x{suffix}"
    answer = typed("plot", kind, *ASKED[kind], "-o", path, "--theme", "dark")
    size = path.stat().st_size
    assert (answer.code, answer.out) == (0, "")
    assert f"wrote {size:,} bytes to {path}" in answer.err
    assert size > 2_000


def test_json_tells_what_was_written(root: Path, typed: Typed, tmp_path: Path) -> None:
    path = tmp_path / "x.vl.json"
    told = json.loads(typed("plot", *ASKED["series"], "-o", path, "--json").out)
    assert (told["path"], told["bytes"]) == (str(path), path.stat().st_size)
    assert told["title"] == "Reference ET, rain and highest air temperature, Shafter (5)"


def test_the_rows_of_a_chart_are_those_of_query(root: Path, typed: Typed) -> None:
    words = ("--station", "5", "--year", "2020", "--items", "asce_eto", "--units", "english")
    spec = json.loads(typed("plot", *words, "--json").out)
    rows = spec["datasets"]["rows"]
    shown = {row["time"]: (row.get("value", math.nan), row.get("flag")) for row in rows}
    asked = csv.DictReader(io.StringIO(typed("query", *words).out))
    given = {
        row["date"]: (float(row["asce_eto"] or "nan"), row["asce_eto_qc"] or None) for row in asked
    }
    assert {day: str(value) for day, value in shown.items() if day in given} == {
        day: str(value) for day, value in given.items()
    }
    absent = [value for day, value in shown.items() if day not in given]
    assert [(math.isnan(value), flag) for value, flag in absent] == [(True, None)] * len(absent)


def test_a_season_is_held_against_totals_of_other_years(root: Path) -> None:
    with cimis.open(root) as store:
        chart = store.plot("cumulated", 5, "2019-10-01", "2020-09-30", "precip")
        rain = store.daily(5, items="precip", qc="strict")
    years = [2013, 2014, 2015, 2016, 2017, 2018]  # that of 2020 has too few days
    totals = []
    for year in years:
        first = pl.date(year, 10, 1)
        span = pl.col("date").is_between(first, first + pl.duration(days=365))
        found = rain.filter(span)["precip"].to_list()
        assert len(found) == 366
        totals.append(math.fsum(found))
    last = chart.rows.row(-1, named=True)
    expected = np.percentile(totals, (10, 50, 90))
    assert [last["p10"], last["median"], last["p90"]] == pytest.approx(expected, abs=1e-4)


def test_an_open_season_says_what_adds_nothing(root: Path, typed: Typed) -> None:
    answer = typed("plot", "cumulated", "--station", "5", "--water-year", "2020")
    assert "Rain of Shafter (5): 10 days without a value add nothing" in answer.err


def test_without_enough_years_the_season_stands_alone(root: Path, typed: Typed) -> None:
    words = ("plot", "cumulated", *ASKED["cumulated"], "--period", "2016-2018")
    assert "needs 5 other seasons, and 3 have enough days" in typed(*words).err


def test_strict_leaves_out_flagged_values_and_says_how_many(root: Path, typed: Typed) -> None:
    words = ("plot", "--station", "5", *YEAR, "--items", "asce_eto", "--qc", "strict")
    answer = typed(*words)
    assert "flagged" not in answer.out
    assert "flagged values made missing by qc strict" in answer.err


WRONG: dict[str, tuple[tuple[str, ...], int, str]] = {
    "suffix": (("--station", "5", "-o", "x.gif"), 2, "a chart cannot be written as 'x.gif'"),
    "folder": (("--station", "5", "-o", "no/x.json"), 2, "cannot write 'no/x.json'"),
    "a folder": (("--station", "5", "-o", "."), 2, "cannot be written"),
    "kind": (("pie",), 2, "'pie'"),
    "item": (("--items", "wind_foo"), 2, "unknown daily item 'wind_foo'"),
    "one station": (("scatter", "--station", "5"), 2, "a scatter is of two stations"),
    "two items": (("scatter", "--stations", "5,80", "--items", "precip,asce_eto"), 2, "one item"),
    "items of a rose": (("rose", "--items", "precip"), 2, "hourly wind_dir and wind_spd"),
    "not added up": (("cumulated", "--items", "air_tmp_max", *YEAR), 2, "air_tmp_max is not added"),
    "two years": (("cumulated", "--year", "2019-2020"), 2, "longer than a year"),
    "period": (("series", "--period", "1991-2020"), 2, "a plot of series has no period"),
    "height": (("--station", "5", "--height", "200"), 2, "a height is of a picture"),
    "nothing": (("--station", "5", "--year", "1999"), 3, "nothing to plot"),
    "no hours": (("rose", "--station", "80"), 3, "nothing to plot"),
}


@pytest.mark.parametrize("what", WRONG)
def test_bad_input_is_one_line_an_exit_code_and_no_file(
    what: str, root: Path, typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words, code, said = WRONG[what]
    monkeypatch.chdir(tmp_path)
    answer = typed("plot", *words)
    assert (answer.code, answer.out) == (code, "")
    assert said in answer.err
    assert list(tmp_path.iterdir()) == []


def test_a_missing_extra_is_said_before_anything_is_read(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "vl_convert", None)
    answer = typed("plot", "--data-dir", tmp_path / "absent", "-o", tmp_path / "x.svg")
    assert answer.code == 2
    assert "pip install 'cimis[plot]'" in answer.err


def test_the_terminal_needs_no_extra(
    root: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "vl_convert", None)
    assert typed("plot", *ASKED["series"]).code == 0
