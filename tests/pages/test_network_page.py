"""The page of the network: its figures against other ways to them, and what it does not hide."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from cimis import NoDataError, Store, UsageError
from tests.cli.conftest import typed
from tests.pages.networks import EVIL, make_network
from tests.pages.reading import Reading

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

__all__ = ["typed"]

C = pl.col
FIRST, LAST = dt.date(2021, 1, 1), dt.date(2021, 12, 31)
DAYS = ("--start", "2021-01-01", "--end", "2021-12-31")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_network(tmp_path_factory.mktemp("network") / "data")


@pytest.fixture(scope="module")
def html(root: Path) -> str:
    with Store(root) as store:
        return store.network_report(year=2021, made_at="today").html()


@pytest.fixture(scope="module")
def page(html: str) -> Reading:
    return Reading(html)


@pytest.fixture(scope="module")
def days(root: Path) -> pl.DataFrame:
    """The rows that the page tells of."""
    with Store(root) as store:
        return store.daily(None, FIRST, LAST, "asce_eto,precip", qc="drop-severe")


def _number(text: str) -> float:
    return float(text.replace("\N{MINUS SIGN}", "-"))


def test_the_ranking_has_the_sums_of_the_stored_days(page: Reading, days: pl.DataFrame) -> None:
    """Sums, counts and ranks are those of an own computation over the rows."""
    due = days.group_by("station").agg(
        eto=C("asce_eto").sum(), count=C("asce_eto").count(), rain=C("precip").sum()
    )
    enough = due.filter(C("count") >= 0.9 * 365)
    ranks = dict(
        enough.with_columns(C("eto").rank("min", descending=True).cast(pl.Int64))
        .select("station", "eto")
        .iter_rows()
    )
    rows = page.tables["ranking"]
    assert {int(row["station"]) for row in rows} == set(due["station"])
    for row in rows:
        station = int(row["station"])
        _, eto, count, rain = due.row(by_predicate=C("station") == station)
        assert _number(row["eto"]) == pytest.approx(eto, abs=0.0501)
        assert _number(row["rain"]) == pytest.approx(rain, abs=0.0501)
        assert int(row["eto_days"]) == count
        assert row["eto_rank"] == str(ranks.get(station, ""))
    assert ranks
    assert 15 not in ranks


def test_sums_are_what_cimis_query_gives(page: Reading, root: Path, typed: Typed) -> None:
    words = ("query", "--items", "asce_eto", "--qc", "drop-severe", "--every", "year", *DAYS)
    answer = typed(*words, "--format", "csv", "--data-dir", root)
    given = {
        row["station"]: float(row["asce_eto"]) for row in csv.DictReader(io.StringIO(answer.out))
    }
    shown = {row["station"]: _number(row["eto"]) for row in page.tables["ranking"]}
    assert shown.keys() == given.keys()
    assert shown == pytest.approx(given, abs=0.0501)


def test_anomalies_are_what_stands_beside_the_days(page: Reading, root: Path) -> None:
    """The anomaly of the span is the sum of those of its days; stations below five years lack."""
    with Store(root) as store:
        beside = store.compare("normal", None, FIRST, LAST, "asce_eto", qc="drop-severe").pl()
    both = beside.drop_nulls("asce_eto_anomaly")
    due = both.group_by("station").agg(
        anomaly=C("asce_eto_anomaly").sum(), normal=C("asce_eto_normal").sum(), count=pl.len()
    )
    enough = {row["station"]: row for row in due.to_dicts() if row["count"] >= 0.9 * 365}
    rows = page.tables["anomalies"]
    assert {int(row["station"]) for row in rows} == set(enough) == {5, 6, 8, 9}
    for row in rows:
        one = enough[int(row["station"])]
        assert _number(row["anomaly"]) == pytest.approx(one["anomaly"], abs=0.06)
        percent = 100 * one["anomaly"] / one["normal"]
        assert _number(row["percent"]) == pytest.approx(percent, abs=0.06)
    assert [int(row["percent_rank"]) for row in rows] == [1, 2, 3, 4]


def test_the_course_is_of_the_stations_in_each_month(page: Reading, days: pl.DataFrame) -> None:
    means = days.group_by("station", C("date").dt.strftime("%Y-%m").alias("month")).agg(
        eto=C("asce_eto").mean(), rain=C("precip").sum()
    )
    rows = page.tables["course"]
    assert [row["begin"] for row in rows] == [f"2021-{month:02}" for month in range(1, 13)]
    for row in rows:
        there = means.filter(C("month") == row["begin"]).drop_nulls("eto")
        assert float(row["median"]) == pytest.approx(there["eto"].median(), abs=0.00501)
        p90 = there["eto"].quantile(0.9, "linear")
        assert float(row["p90"]) == pytest.approx(p90, abs=0.00501)
        assert float(row["rain"]) == pytest.approx(there["rain"].mean(), abs=0.0501)
        assert int(row["stations"]) == there.height


def test_tiles_are_exact(page: Reading, days: pl.DataFrame) -> None:
    due = days.group_by("station").agg(eto=C("asce_eto").sum(), count=C("asce_eto").count())
    median = due.filter(C("count") >= 0.9 * 365)["eto"].median()
    assert float(page.tiles["eto-median"]) == pytest.approx(median)
    share = 100 * due["count"].sum() / (365 * due.height)
    assert float(page.tiles["completeness"]) == pytest.approx(share)


def test_the_worst_gaps_are_those_of_cimis_gaps(page: Reading, root: Path) -> None:
    with Store(root) as store:
        runs = store.gaps(None, FIRST, LAST, "asce_eto").pl()
    longest = runs.sort("length", descending=True)["length"].to_list()
    rows = page.tables["gaps"]
    assert [int(row["length"]) for row in rows] == longest[: len(rows)]
    assert (rows[0]["station"], rows[0]["kind"], rows[0]["first"]) == ("15", "absent", "2021-04-01")


def test_sensors_and_freshness_are_told_of_every_station(page: Reading, root: Path) -> None:
    with Store(root) as store:
        verdicts = {str(k): v.value for k, v in store.qc(start=FIRST, end=LAST).verdicts().items()}
    rows = page.tables["ranking"]
    assert {row["station"]: row["verdict"] for row in rows} == verdicts
    last = {row["station"]: row["last_day"] for row in rows}
    assert last == dict.fromkeys(("5", "6", "8", "9", "80"), "2021-12-31") | {"15": "2021-03-31"}
    fresh = next(c for c in page.charts if "freshness" in c["columns"])["columns"]
    assert set(fresh["freshness"]) == {"newest day"}


def test_maps_name_the_stations_that_they_cannot_show(page: Reading) -> None:
    maps = [chart for chart in page.charts if chart["kind"] == "map"]
    assert len(maps) == 4
    assert all(sorted(chart["columns"]["station"]) == [5, 6, 8, 80] for chart in maps)
    lost = "2 stations have no coordinates in the list of stations, so no place here"
    assert page.words.count(f"{lost}: station 9, Stratford (15)") == 4


def test_without_a_list_of_stations_it_is_said_that_there_are_no_maps(root: Path) -> None:
    with Store(root) as store:
        found = Reading(store.network_report(year=2021, stations=9).html())
    assert not [chart for chart in found.charts if chart["kind"] == "map"]
    assert "There are no maps" in found.words
    assert found.tables["ranking"][0]["name"] == "station 9"


def test_a_map_leaves_a_station_that_lacks_days_without_a_colour(root: Path) -> None:
    with Store(root) as store:
        found = Reading(store.network_report("2021-03-01", "2021-12-31").html())
    (eto,) = (c["columns"]["eto_mapped"] for c in found.charts if "eto_mapped" in c["columns"])
    (percent,) = (c["columns"] for c in found.charts if "percent" in c["columns"])
    assert all(value is not None for value in eto)
    assert percent["percent"][percent["station"].index(80)] is None


def test_names_are_text_and_never_run(html: str) -> None:
    assert EVIL not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_the_page_says_how_it_is_made_again_and_of_what(page: Reading) -> None:
    days = "--start 2021-01-01 --end 2021-12-31"
    assert f"cimis report --overview {days} -o network.html" in page.words
    assert f"cimis gaps {days} --items asce_eto --runs" in page.words
    (source,) = page.tables["sources"]
    assert (source["source"], source["chunks"]) == ("test", "6")
    assert "US Census Bureau" in page.words


def test_a_county_is_a_page_of_its_own(root: Path) -> None:
    with Store(root) as store:
        found = Reading(store.network_report(year=2021, county="yolo", units="english").html())
        depth = float(store.daily([6], FIRST, LAST, "asce_eto", qc="drop-severe")["asce_eto"].sum())
    assert {row["station"] for row in found.tables["ranking"]} == {"6", "8"}
    (davis,) = (row for row in found.tables["ranking"] if row["station"] == "6")
    assert float(davis["eto"]) == pytest.approx(depth / 25.4, abs=0.00501)
    assert "Yolo County" in found.words
    assert "--county yolo --units english" in found.words
    (eto,) = (c for c in found.charts if "eto_mapped" in c["columns"])
    shapes = eto["spec"]["layer"][0]["data"]["values"]["objects"]["counties"]["geometries"]
    assert [one["properties"]["name"] for one in shapes] == ["Yolo"]


def test_a_short_span_is_told_day_by_day(root: Path) -> None:
    with Store(root) as store:
        found = Reading(store.network_report("2021-06-01", "2021-06-10").html())
    assert [row["begin"] for row in found.tables["course"]] == [
        f"2021-06-{day:02}" for day in range(1, 11)
    ]


def test_without_five_years_there_is_no_map_against_normal(root: Path) -> None:
    with Store(root) as store:
        report = store.network_report(year=2021, stations=80)
    found = Reading(report.html())
    assert "anomalies" not in found.tables
    assert not [chart for chart in found.charts if "percent" in chart["columns"]]
    assert "1 of 1 stations have no anomaly" in " ".join(report.notes)


def test_the_older_reference_is_taken_where_it_alone_is_stored(tmp_path: Path) -> None:
    from cimis.pipeline.field.items import Scope
    from tests.queries.conftest import put, year_table

    put(tmp_path / "data", [year_table(Scope.DAILY, 5, 2021, items="eto,precip")])
    with Store(tmp_path / "data") as store:
        report = store.network_report(year=2021)
        days = store.daily(5, FIRST, LAST, "eto", qc="drop-severe")
    found = Reading(report.html())
    assert "asce_eto" not in report.lacks.items
    assert float(found.tables["ranking"][0]["eto"]) == pytest.approx(days["eto"].sum(), abs=0.0501)


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"year": 2021, "county": "Atlantis"}, UsageError),
        ({"year": 2021, "units": "furlongs"}, UsageError),
        ({"year": 2021, "reference": "etr"}, UsageError),
        ({}, UsageError),
        ({"year": 1999}, NoDataError),
    ],
)
def test_what_cannot_be_meant_is_refused(
    root: Path, asked: dict[str, object], error: type[Exception]
) -> None:
    with Store(root) as store, pytest.raises(error):
        store.network_report(**asked)  # type: ignore[arg-type] # wrong on purpose


def test_the_same_store_gives_the_same_page(root: Path, html: str) -> None:
    with Store(root) as store:
        assert store.network_report(year=2021, made_at="today").html() == html
    assert len(html.encode()) < 1_500_000


def test_freshness_is_how_far_behind_the_newest_day_a_station_is(root: Path) -> None:
    from cimis.pages.network_facts import network_facts

    with Store(root) as store:
        fresh = network_facts(store, FIRST, LAST).stations.select("station", "freshness")
    behind = dict(fresh.iter_rows())
    assert behind.pop(15) == "within a year"
    assert set(behind.values()) == {"newest day"}


@pytest.fixture
def here(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with the store as the data directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CIMIS_DATA_DIR", str(root))
    return tmp_path


def test_the_command_saves_the_page_and_says_what_lacks(here: Path, typed: Typed) -> None:
    answer = typed("report", "--overview", "--stations", "5,999", "--year", "2021", "-o", "n.html")
    assert answer.code == 0, answer.err
    assert "stations with no row: 999" in answer.err
    text = (here / "n.html").read_text(encoding="utf-8")
    assert "stations with no row: 999" in text
    assert "cimis report --overview --start 2021-01-01 --end 2021-12-31 --stations 5,999" in text


def test_the_command_takes_a_county(here: Path, typed: Typed) -> None:
    words = ("report", "--overview", "--county", "Yolo", "--month", "2021-06", "-o", "yolo.html")
    answer = typed(*words, "--json")
    assert answer.code == 0, answer.err
    told = json.loads(answer.out)
    assert told["stations"] == [6, 8]
    assert told["bytes"] == (here / "yolo.html").stat().st_size


@pytest.mark.parametrize(
    ("words", "told", "code"),
    [
        (("--year", "2021", "-o", "n.xlsx"), "a report is a file of HTML", 2),
        (("--year", "2021"), "no file is named", 2),
        (("--year", "2021", "--low", "5C", "-o", "n.html"), "no degree days", 2),
        (("--county", "Atlantis", "--year", "2021", "-o", "n.html"), "no county 'Atlantis'", 2),
        (("--year", "1999", "-o", "n.html"), "no daily record is stored", 3),
        (("--year", "2021", "-o", "no/such/folder/n.html"), "cannot write", 2),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    here: Path, typed: Typed, words: tuple[str, ...], told: str, code: int
) -> None:
    answer = typed("report", "--overview", *words)
    assert answer.code == code
    assert told in answer.err
    assert list(here.iterdir()) == []


def test_a_damaged_chunk_is_told_on_the_page_and_ends_the_command(
    tmp_path: Path, typed: Typed
) -> None:
    root = make_network(tmp_path / "data")
    chunk = root / "stations" / "006" / "2021_daily.zst"
    chunk.write_bytes(chunk.read_bytes()[:-40])
    words = ("report", "--overview", "--year", "2021", "-o", tmp_path / "n.html")
    answer = typed(*words, "--data-dir", root)
    assert answer.code == 7, answer.err
    found = Reading((tmp_path / "n.html").read_text(encoding="utf-8"))
    assert "006/2021_daily.zst" in found.words
    assert "6" not in {row["station"] for row in found.tables["ranking"]}
