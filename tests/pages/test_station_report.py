"""The report of stations as a command and a method: what it says, refuses, and never leaves."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cimis.pages.saving import MOST_BYTES
from cimis.pages.station.cold import winter_of
from cimis.parsing import parse_date
from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.chunks import ChunkKey
from cimis.pipeline.errors import NoDataError, UsageError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.lacks import IncompleteAnswer
from cimis.store import Store, create
from tests.cli.conftest import typed
from tests.pages.browsing import shown
from tests.pages.reading import Reading
from tests.queries.conftest import put, year_table

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.cli.conftest import Typed

__all__ = ["typed"]

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&"
ITEMS = "air_tmp_avg,air_tmp_max,air_tmp_min,asce_eto,precip,sol_rad_avg,vap_pres_avg"
MADE = "2026-11-28 12:00 PST"


def facts_of(number: int, name: str, **more: Any) -> tuple[int, str, dict[str, Any]]:
    place = {"latitude": 35.5, "longitude": -119.3, "elevation_m": 110.0, "county": "Kern"}
    return number, name, {"number": number, "name": name, **place, **more}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two stations of 2020 and 2021, one of a name that would run if it could."""
    place = tmp_path / "data"
    with create(place):
        pass
    for station in (2, 5):
        put(place, [year_table(Scope.DAILY, station, year, items=ITEMS) for year in (2020, 2021)])
    with Catalog(place) as catalog:
        catalog.put_stations(
            [facts_of(2, "FivePoints"), facts_of(5, HOSTILE, city=HOSTILE, siting=HOSTILE)]
        )
    monkeypatch.setenv("CIMIS_DATA_DIR", str(place))
    monkeypatch.chdir(tmp_path)
    return place


def read(root: Path, stations: str, start: str, end: str, **more: Any) -> Reading:
    with Store(root) as store:
        return Reading(store.report(stations, start, end, made_at=MADE, **more).html())


def test_a_hostile_name_is_shown_and_never_run(root: Path, browser: Browser) -> None:
    with Store(root) as store:
        store.report(5, "2021-03-01", "2021-03-31").save(root / "r.html")
    with shown(browser, root / "r.html") as found:
        assert found.page.locator("h1").inner_text() == f"{HOSTILE} (5)"
        assert found.dialogs == []
        assert found.errors == []
        assert found.console == []
        assert found.page.locator("img").count() == 0
        assert [url for url in found.requests if url.startswith("http")] == []


def test_too_little_history_is_said_and_no_error(root: Path) -> None:
    page = read(root, "2", "2021-01-01", "2021-12-31")
    assert page.words.count("no normal: fewer than five") >= 3
    assert "No hourly temperature of the winter that ends in 2021 is stored" in page.words
    assert "fetch --station 2 --hourly --start 2020-09-01 --end 2021-02-28" in page.words


def test_what_lacks_is_said_by_page_command_and_method(root: Path, typed: Typed) -> None:
    """Station 2 has no record of two days of April, station 999 none at all."""
    words = ("--stations", "2,999", "--start", "2021-04-01", "--end", "2021-04-20", "-o", "r.html")
    answer = typed("report", *words)
    assert answer.code == 0
    for text in ("stations with no row: 999", "station 2 has 18 of 20 days"):
        assert text in answer.err
        assert text in (root.parent / "r.html").read_text()
    assert re.search(r"wrote [\d,]+ bytes to r\.html", answer.err)
    with Store(root) as store:
        lacks = store.report("2,999", "2021-04-01", "2021-04-20").lacks
    assert lacks.without_rows == (999,)


def test_json_tells_of_the_file(root: Path, typed: Typed) -> None:
    answer = typed("report", "--station", "2", "--month", "2021-03", "-o", "r.html", "--json")
    told = json.loads(answer.out)
    assert told == {
        "path": "r.html",
        "bytes": (root.parent / "r.html").stat().st_size,
        "stations": [2],
    }


def test_the_same_store_gives_the_same_bytes(root: Path) -> None:
    with Store(root) as store:
        first, second = (
            store.report(2, "2021-01-01", "2021-03-31", made_at=MADE).html() for _ in range(2)
        )
    assert first == second
    assert f"Made {MADE} by cimis" in first


def test_stations_share_a_page_each_under_its_name(root: Path) -> None:
    page = read(root, "2,5", "2021-03-01", "2021-03-31")
    assert {"eto-total-2", "eto-total-5"} <= page.tiles.keys()
    assert "FivePoints (2): degree days" in page.words


def test_english_units_reach_every_figure(root: Path) -> None:
    metric, english = (
        read(root, "2", "2021-03-01", "2021-03-31", units=units) for units in ("metric", "english")
    )
    depth = float(metric.tiles["rain-total-2"])
    # each day is rounded to two decimals of an inch
    assert float(english.tiles["rain-total-2"]) == pytest.approx(depth / 25.4, abs=0.2)
    assert "50 °F to 86 °F" in english.words
    assert "°C" not in english.words
    assert "361 ft" in english.words


def test_a_long_span_has_months_instead_of_days(root: Path) -> None:
    long = read(root, "2,5", "2020-07-01", "2021-12-31")
    assert "months" in long.tables
    assert "days" not in long.tables
    # of 549 days station 5 has no record of five
    assert sum(int(row["days"]) for row in long.tables["months"]) == 544


def test_the_largest_page_can_be_mailed(root: Path) -> None:
    with Store(root) as store:
        whole = store.report("2,5", "2020-07-01", "2021-12-31").html()
    assert 800_000 < len(whole.encode()) < MOST_BYTES


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--stations", "999", "--year", "2021", "-o", "r.html"), 3, "no daily record is stored"),
        (("--stations", "2", "--year", "2021"), 2, "no file is named"),
        (("--stations", "2", "--year", "2021", "-o", "r.pdf"), 2, "a report is a file of HTML"),
        (
            ("--stations", "2", "--year", "2021", "-o", "none/r.html"),
            2,
            "cannot write 'none/r.html'",
        ),
        (("--year", "2021", "-o", "r.html"), 2, "no station is named"),
        (("--stations", "2", "-o", "r.html"), 2, "which days?"),
        (("--stations", "1-9", "--year", "2021", "-o", "r.html"), 2, "more than one page can hold"),
        (
            ("--stations", "2", "--year", "2015-2021", "-o", "r.html"),
            2,
            "more than one page can hold",
        ),
        (("--stations", "2", "--year", "2021", "--low", "ten", "-o", "r.html"), 2, "ten"),
        (
            ("--stations", "2", "--year", "2021", "--low", "30C", "--high", "10C", "-o", "r.html"),
            2,
            "thresh",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_bad_input_is_one_line_and_leaves_nothing(
    words: tuple[str, ...], code: int, told: str, root: Path, typed: Typed
) -> None:
    answer = typed("report", *words)
    assert answer.code == code
    assert told in answer.err
    assert answer.err.count("error: ") == 1
    assert [path.name for path in root.parent.iterdir()] == ["data"]


def test_a_page_that_is_there_stays_where_a_new_one_fails(root: Path, typed: Typed) -> None:
    (root.parent / "r.html").write_text("the old one")
    assert typed("report", "--station", "999", "--year", "2021", "-o", "r.html").code == 3
    assert (root.parent / "r.html").read_text() == "the old one"


def test_a_damaged_chunk_is_named_and_the_rest_is_given(root: Path, typed: Typed) -> None:
    path = ChunkKey(Scope.DAILY, 2021, station=5).path(root)
    path.write_bytes(path.read_bytes()[:-9])
    answer = typed("report", "--stations", "2,5", "--month", "2021-03", "-o", "r.html")
    assert answer.code == 7
    assert "stations/005/2021_daily.zst" in answer.err
    page = Reading((root.parent / "r.html").read_text())
    assert "eto-total-2" in page.tiles
    assert "damaged chunk" in page.words
    assert typed("report", "--station", "5", "--month", "2021-03", "-o", "other.html").code == 7
    assert not (root.parent / "other.html").exists()


def test_the_method_refuses_what_cannot_be_meant(root: Path) -> None:
    with Store(root) as store, warnings.catch_warnings():
        warnings.simplefilter("error", IncompleteAnswer)
        with pytest.raises(UsageError, match="no days named"):
            store.report(2)
        with pytest.raises(UsageError, match="stations that are named"):
            store.report("all", year=2021)
        with pytest.raises(NoDataError):
            store.report(2, year=2015)


def test_a_station_without_a_list_has_a_page_all_the_same(tmp_path: Path) -> None:
    with create(tmp_path / "bare"):
        pass
    put(tmp_path / "bare", [year_table(Scope.DAILY, 7, 2021, items=ITEMS)])
    page = read(tmp_path / "bare", "7", "2021-03-01", "2021-03-31")
    assert "nothing is known of station 7 but its records" in page.words
    assert "coordinates or the elevation of the station are not known" in page.words


def test_revisions_of_stored_rows_are_told(root: Path) -> None:
    with Catalog(root) as catalog:
        catalog.put_change("stations/002/2021_daily.zst", "2022-01-05T10:00:00+00:00", (0, 12, 3))
        catalog.put_change("stations/002/2020_daily.zst", "2022-01-05T10:00:00+00:00", (0, 1, 0))
    (row,) = read(root, "2", "2021-03-01", "2021-03-31").tables["revisions"]
    assert (row["at"], row["revised"], row["filled"]) == ("2022-01-05 10:00:00", "12", "3")


@pytest.mark.parametrize(
    ("first", "last", "winter"),
    [
        ("2024-01-01", "2024-12-31", 2024),
        ("2023-10-01", "2024-09-30", 2024),
        ("2024-07-01", "2024-07-31", 2024),
        ("2024-12-01", "2024-12-31", 2025),
        ("2024-02-01", "2024-02-20", 2024),
        ("2022-01-01", "2023-12-31", 2023),
        ("2026-09-01", "2026-10-31", 2026),
    ],
)
def test_the_winter_of_a_report(first: str, last: str, winter: int) -> None:
    """The last that ends in its days, else the one that runs then, else the one before."""
    today = parse_date("2026-10-31")
    assert winter_of(parse_date(first), parse_date(last), today) == winter
