"""Normals of a store equal those reckoned in Polars, and say what they rest on or refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from cimis.agronomy.normals import PERCENTILES
from cimis.pipeline.archive.ftp import members, read_member
from cimis.pipeline.errors import NoDataError, UsageError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.rows.values import to_physical
from cimis.store import Store, create
from tests.queries.made import put_days

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

C = pl.col
FIRST, LAST = 2013, 2020
FIGURES = ["mean", *(f"p{percent}" for percent in PERCENTILES), "lowest", "highest"]
EXTREMES = ["lowest_year", "highest_year"]
LEAP = pl.DataFrame(
    {"date": pl.date_range(pl.date(2000, 1, 1), pl.date(2000, 12, 31), eager=True)}
).select(C("date").dt.month().alias("month"), C("date").dt.day().alias("day"))
PLACES = LEAP.with_row_index("place").cast({"place": pl.Int64})


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Eight years of station 5, of station 80 the last four; with gaps and flags."""
    for station, first in ((5, FIRST), (80, LAST - 3)):
        chance = np.random.default_rng(station)
        span = np.datetime64(f"{LAST + 1}-01-01") - np.datetime64(f"{first}-01-01")
        days = int(span.astype(np.int64))
        wave = np.sin((np.arange(days) - 100) / 58.1)
        hot = np.round(25 + 10 * wave + chance.normal(0, 3, days), 1)
        hot[chance.random(days) < 0.05] = np.nan
        put_days(
            tmp_path,
            station,
            f"{first}-01-01",
            {"air_tmp_max": hot, "asce_eto": np.round(4 + 3 * wave, 2)},
            flags={"air_tmp_max": dict.fromkeys(range(20, days, 40), "Y")},
            absent=[*range(300, 303), *range(900, 930)],
        )
    monkeypatch.setenv("CIMIS_DATA_DIR", str(tmp_path))
    return tmp_path


def around(days: pl.DataFrame, *, window: int) -> pl.DataFrame:
    """Return the normals of calendar days from ``date`` and ``value``, null ones left out."""
    found = days.with_columns(
        C("date").dt.year().alias("year"),
        C("date").dt.month().alias("month"),
        C("date").dt.day().alias("day"),
    ).join(PLACES, on=["month", "day"])
    years = found["year"].min(), found["year"].max()
    steps = pl.DataFrame({"step": range(-window, window + 1)})
    sample = (
        found.select("year", "value", at=C("year").cast(pl.Int64) * 366 + C("place"))
        .join(steps, how="cross")
        .with_columns(target=C("at") + C("step"))
        .with_columns(of=C("target") // 366, place=C("target") % 366)
        .filter(C("of").is_between(*years))
        .filter(pl.len().over("target") > window)
    )
    return _figures(sample.sort("at"), "place").join(PLACES, on="place").sort("place")


def _figures(sample: pl.DataFrame, key: str) -> pl.DataFrame:
    return (
        sample.group_by(key)
        .agg(
            C("value").mean().alias("mean"),
            *(C("value").quantile(p / 100, "linear").alias(f"p{p}") for p in PERCENTILES),
            C("value").min().alias("lowest"),
            C("value").max().alias("highest"),
            C("year").get(C("value").arg_min()).alias("lowest_year"),
            C("year").get(C("value").arg_max()).alias("highest_year"),
            C("of").n_unique().alias("years"),
        )
        .filter(C("years") >= 5)
    )


def same(found: pl.DataFrame, due: pl.DataFrame, *, decimals: int) -> None:
    """Hold figures, the years of extremes and the years used against each other."""
    assert found["month"].to_list() == due["month"].to_list()
    for name in FIGURES:
        np.testing.assert_allclose(found[name], due[name], atol=0.501 * 10**-decimals)
    for name in (*EXTREMES, "years"):
        assert found[name].to_list() == due[name].to_list(), name


def unflagged(store: Store, item: str, station: int = 5) -> pl.DataFrame:
    """Return the days that have a value without a flag."""
    return (
        store.daily(station, items=item)
        .filter(C(f"{item}_qc").is_null(), C(item).is_not_null())
        .select("date", value=item)
    )


@pytest.mark.parametrize("window", [0, 7])
def test_days_equal_an_independent_computation(root: Path, window: int) -> None:
    with Store(root) as store:
        found = store.normals("air_tmp_max", stations=5, window=window).pl()
        due = around(unflagged(store, "air_tmp_max"), window=window)
    assert found.height == 366
    assert set(found["period"]) == {"2013-2020"}
    known = found.filter(C("mean").is_not_null())
    assert known["day"].to_list() == due["day"].to_list()
    same(known, due, decimals=3)


@pytest.mark.parametrize(("item", "how"), [("air_tmp_max", "mean"), ("asce_eto", "sum")])
def test_months_equal_an_independent_computation(root: Path, item: str, how: str) -> None:
    """A mean lacks at most ten days and no five in a row, a sum none."""
    with Store(root) as store:
        found = store.normals(item, stations=5, every="month").pl()
        held = unflagged(store, item)
    every = pl.DataFrame(
        {"date": pl.date_range(pl.date(FIRST, 1, 1), pl.date(LAST, 12, 31), eager=True)}
    ).join(held, on="date", how="left")
    month = C("date").dt.truncate("1mo")
    lacking = C("value").is_null()
    totals = (
        every.sort("date")
        .with_columns(run=lacking.rle_id())
        .group_by(month.alias("month_of"))
        .agg(
            value=C("value").sum() if how == "sum" else C("value").mean(),
            missing=lacking.sum(),
            longest=C("run").filter(lacking).value_counts().struct.field("count").max(),
        )
        .filter(
            C("missing") == 0
            if how == "sum"
            else (C("missing") <= 10) & (C("longest").fill_null(0) < 5)
        )
    )
    sample = totals.sort("month_of").select(
        "value",
        year=C("month_of").dt.year(),
        of=C("month_of").dt.year(),
        month=C("month_of").dt.month(),
    )
    assert set(found["statistic"]) == {how}
    assert found["day"].null_count() == 12
    same(found.filter(C("mean").is_not_null()), _figures(sample, "month").sort("month"), decimals=3)


def test_the_archives_julys_equal_polars_over_its_files(real: Path, tmp_path: Path) -> None:
    archives = sorted((real / "ftp").glob("dailyStns*.zip"))
    stations = (6, 80)
    with create(tmp_path / "data") as store:
        store.import_archive(archives, stations=stations)
        found = store.normals("air_tmp_max,eto", stations=stations).pl()
    for station in stations:
        tables = [read_member(path, members(path, Scope.DAILY)[station]) for path in archives]
        for item in ("air_tmp_max", "eto"):
            days = pl.concat(
                pl.DataFrame(pl.from_arrow(to_physical(table.combine_chunks())))
                .filter(C(f"{item}_qc").is_null(), C(item).is_not_null())
                .select("date", value=C(item))
                for table in tables
                if table is not None
            )
            mine = found.filter(C("station") == station, C("item") == item, C("mean").is_not_null())
            assert mine.height >= 17
            same(mine, around(days.sort("date"), window=7), decimals=3)


def test_29_february_has_the_days_around_it_in_every_year(root: Path) -> None:
    with Store(root) as store:
        found = store.normals("air_tmp_max", stations=5).pl()
    (leap,) = found.filter(C("month") == 2, C("day") == 29).to_dicts()
    assert leap["years"] == LAST - FIRST + 1


def test_a_series_below_five_years_is_left_out_and_named(root: Path, typed: Typed) -> None:
    answer = typed("normals", "--items", "asce_eto", "--format", "json")
    assert {row["station"] for row in json.loads(answer.out)} == {5}
    assert "no normals below five years: asce_eto of station 80" in answer.err


def test_where_nothing_has_five_years_it_is_refused(root: Path, typed: Typed) -> None:
    words = ("normals", "--station", "5", "--items", "asce_eto", "--period", "2013-2016")
    answer = typed(*words)
    assert (answer.code, answer.out) == (3, "")
    assert "normals need five years, and of 2013-2016 no day or month of asce_eto" in answer.err
    allowed = typed(*words, "--allow-empty", "--format", "csv")
    assert (allowed.code, allowed.out.count("\n")) == (0, 1)


def test_english_figures_are_the_metric_ones_converted(root: Path) -> None:
    with Store(root) as store:
        metric, english = (
            store.normals("air_tmp_max,asce_eto", stations=5, units=units).pl()
            for units in ("metric", "english")
        )
    assert english["unit"].unique(maintain_order=True).to_list() == ["°F", "in"]
    due = pl.when(C("item") == "asce_eto").then(C("p95") / 25.4).otherwise(C("p95") * 1.8 + 32)
    np.testing.assert_allclose(english["p95"], metric.select(due)["p95"], atol=0.002)
    assert english["highest_year"].to_list() == metric["highest_year"].to_list()


def test_flagged_values_count_only_when_asked(root: Path, typed: Typed) -> None:
    answer = typed("normals", "--station", "5", "--items", "air_tmp_max", "--json")
    assert "flagged values made missing by qc strict" in answer.err
    with Store(root) as store:
        kept = store.normals("air_tmp_max", stations=5, window=0, qc="keep").pl()
        rows = store.daily(5, items="air_tmp_max").drop_nulls("air_tmp_max")
    due = around(rows.select("date", value="air_tmp_max"), window=0)
    same(kept.filter(C("mean").is_not_null()), due, decimals=3)


def test_without_items_it_is_the_usual_ones_that_are_stored(root: Path) -> None:
    with Store(root) as store:
        found = store.normals(stations=5, every="month").pl()
    assert found["item"].unique(maintain_order=True).to_list() == ["air_tmp_max", "asce_eto"]


def test_where_no_usual_item_is_stored_it_is_said(tmp_path: Path, typed: Typed) -> None:
    put_days(tmp_path, 5, "2020-01-01", {"wind_ene": [1.0] * 3})
    for words in (("normals",), ("query", "--compare", "normal")):
        answer = typed(*words, "--data-dir", tmp_path)
        assert (answer.code, answer.out) == (3, "")
        assert "none of the usual daily items is stored" in answer.err


@pytest.mark.parametrize(
    ("named", "due"),
    [
        ({"items": "wind_dir"}, "unknown daily item"),
        ({"every": "week"}, "no normals of every 'week'"),
        ({"period": "2020-1991"}, "runs backwards"),
        ({"window": 92}, "to each side cannot be 92"),
        ({"units": "imperial"}, "unknown units"),
        ({"qc": "none"}, "unknown flag policy"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_what_cannot_be_meant_is_refused(root: Path, named: dict[str, Any], due: str) -> None:
    with Store(root) as store, pytest.raises(UsageError, match=due):
        store.normals(**named)


def test_of_a_station_without_a_record_there_is_nothing(root: Path) -> None:
    with Store(root) as store, pytest.raises(NoDataError, match="no daily record") as caught:
        store.normals("asce_eto", stations=999)
    assert caught.value.report.lacks.without_rows == (999,)
