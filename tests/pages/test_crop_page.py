"""The weekly page of crops: its figures against `cimis crop-et`, its sources, and bad input."""

from __future__ import annotations

import csv
import datetime as dt
import io
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from cimis import Store
from tests.cli.conftest import typed
from tests.pages.networks import make_network
from tests.pages.reading import Reading

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

__all__ = ["typed"]

BEANS = """\
[crop.beans]
title = "Beans <b>"
source = "FAO-56, box 15"
start = "05-23"
initial = { days = 25, kc = 0.15 }
development = { days = 25 }
mid = { days = 30, kc = 1.19 }
late = { days = 20, kc = 0.35 }

[crop.pasture]
source = "own trials"
initial = { from = "02-01", to = "02-28", kc = 0.8 }
development = { from = "03-01", to = "03-31" }
mid = { from = "04-01", to = "10-31", kc = 0.8 }
late = { from = "11-01", to = "11-30", kc = 0.8 }
"""
WHOM = ("--stations", "5,6", "--end", "2021-07-31", "--units", "english")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_network(tmp_path_factory.mktemp("crops") / "data")


@pytest.fixture
def words(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """The command with a file of crops, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CIMIS_DATA_DIR", str(root))
    (tmp_path / "crops.toml").write_text(BEANS)
    return ("crop-et", "--crops", "crops.toml", *WHOM)


@pytest.fixture
def page(words: tuple[str, ...], typed: Typed) -> Reading:
    answer = typed(*words, "--page", "week.html")
    assert answer.code == 0, answer.err
    assert "bytes to week.html" in answer.err
    assert answer.out == ""
    return Reading(Path("week.html").read_text(encoding="utf-8"))


def test_the_week_has_the_figures_of_the_command(
    page: Reading, words: tuple[str, ...], typed: Typed
) -> None:
    """Every figure of the first table stands in the rows of ``cimis crop-et``."""
    rows = list(csv.DictReader(io.StringIO(typed(*words, "--format", "csv").out)))
    stored = [row for row in rows if row["basis"] == "stored"]
    coming = {(row["station"], row["crop"]): row["etc"] for row in rows if row not in stored}
    assert len(page.tables["week"]) == len(stored) == 4
    for week, behind, row in zip(page.tables["week"], page.tables["behind"], stored, strict=True):
        shown = behind | week
        for name in ("etc", "rain", "total", "total_rain", "eto"):
            assert float(shown[name]) == float(row[name]), name
        assert shown["since"] == row["since"]
        assert float(shown["kc"]) == pytest.approx(float(row["kc"]), abs=0.00501)
        assert float(shown["next"]) == float(coming[row["station"], row["crop"]])


def test_pasture_used_its_share_of_the_stored_reference(page: Reading, root: Path) -> None:
    with Store(root) as store:
        week = store.daily(5, "2021-07-25", "2021-07-31", "asce_eto", qc="drop-severe")
    shown = page.tables["week"][1]
    assert (shown["name"], shown["title"]) == ("Shafter", "pasture")
    assert float(shown["etc"]) == pytest.approx(
        0.8 * float(week["asce_eto"].sum()) / 25.4, abs=0.00501
    )


def test_coefficients_stand_with_their_days_and_sources(page: Reading) -> None:
    beans = page.tables["coefficients"][:3]
    assert [(row["stage"], row["first"], row["last"], row["kc"]) for row in beans] == [
        ("initial", "2021-05-23", "2021-06-16", "0.15"),
        ("mid", "2021-07-12", "2021-08-10", "1.19"),
        ("late", "2021-08-11", "2021-08-30", "0.35"),
    ]
    assert {row["source"] for row in page.tables["coefficients"]} == {
        "FAO-56, box 15",
        "own trials",
    }


def test_charts_have_twelve_weeks_and_the_one_to_come(page: Reading, root: Path) -> None:
    first, second = page.charts
    pasture = pl.DataFrame(first["columns"]).filter(pl.col("what") == "pasture")
    assert pasture.height == 13
    assert pasture["basis"].to_list()[-1] == "historical average"
    rain = pl.DataFrame(first["columns"]).filter(pl.col("what") == "Rain")
    with Store(root) as store:
        week = store.daily(5, "2021-07-25", "2021-07-31", "precip", qc="drop-severe")
    assert rain["depth"].to_list()[-1] == pytest.approx(
        float(week["precip"].sum()) / 25.4, abs=0.00501
    )
    assert (first["kind"], second["kind"]) == ("weeks", "weeks")
    assert "Davis (6)" in page.words


def test_titles_of_the_crops_file_are_text(page: Reading) -> None:
    assert page.tables["week"][0]["title"] == "Beans <b>"
    assert "Beans <b>" not in Path("week.html").read_text(encoding="utf-8")


def test_a_landscape_is_told_with_its_gallons(words: tuple[str, ...], typed: Typed) -> None:
    assert typed(*words, "--landscape", "2500,0.55", "--page", "week.html").code == 0
    found = Reading(Path("week.html").read_text(encoding="utf-8"))
    row = found.tables["behind"][2] | found.tables["week"][2]
    assert row["title"] == "Landscape"
    depth = float(row["eto"]) * 0.55
    assert float(row["gallons"]) == pytest.approx(depth * 0.6234 * 2500, rel=0.01)
    assert "2,500 square feet" in found.words


def test_what_lacks_is_said_on_the_page_and_by_the_command(
    words: tuple[str, ...], typed: Typed
) -> None:
    answer = typed(*words, "--stations", "5,80,999", "--page", "week.html")
    assert answer.code == 0, answer.err
    text = Reading(Path("week.html").read_text(encoding="utf-8")).words
    for told in ("stations with no row: 999", "no average for 1 stations (80)"):
        assert told in answer.err
        assert told.lower() in text.lower()
    assert "2 of 6 rows have no figure for next week" in text


def test_a_day_makes_the_same_page_again(words: tuple[str, ...], root: Path) -> None:
    with Store(root) as store:
        made = [
            store.crop_report("crops.toml", stations=5, end=dt.date(2021, 7, 31), made_at="x")
            for _ in range(2)
        ]
    assert made[0].html() == made[1].html()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--page", "week.pdf"), "a report is a file of HTML"),
        (("--page", "week.html", "-o", "week.csv"), "--page saves a page"),
        (("--page", "week.html", "--format", "json"), "--page saves a page"),
        (("--page", "no/such/folder/week.html"), "cannot write"),
        (("--page", "week.html", "--start", "2021-07-40"), "2021-07-40"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    words: tuple[str, ...], typed: Typed, more: tuple[str, ...], told: str
) -> None:
    answer = typed(*words, *more)
    assert answer.code == 2
    assert told in answer.err
    assert [path.name for path in Path().iterdir()] == ["crops.toml"]
