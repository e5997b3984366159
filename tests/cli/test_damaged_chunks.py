"""A damaged chunk stops no answer: the rest is given, its file named, and the exit code is 7."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.chunks import ChunkKey
from cimis.pipeline.field.items import Scope
from tests.cli.conftest import typed
from tests.queries.conftest import put, year_table

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

__all__ = ["typed"]

ITEMS = "air_tmp_avg,air_tmp_max,air_tmp_min,asce_eto,sol_rad_avg,vap_pres_avg,wind_spd_avg,precip"
BAD = "stations/005/2021_daily.zst"
DAYS = ("--start", "2021-04-01", "--end", "2021-04-05")
BOTH = ("--stations", "2,5", *DAYS)
COUNT = "select station, count(*) as n from daily group by station order by station"

ASKED: dict[str, tuple[str, ...]] = {
    "query of few rows": ("query", *BOTH),
    "query in order of items": ("query", *BOTH, "--items", "precip,air_tmp_avg"),
    "query of all": ("query",),
    "query by month": ("query", "--stations", "2,5", "--year", "2021", "--every", "month"),
    "sql": ("sql", COUNT),
    "sql by name": ("sql", "rain-days", "--stations", "2,5"),
    "gaps": ("gaps", *BOTH, "--items", "precip"),
    "eto": ("eto", *BOTH),
    "qc": ("qc", *BOTH),
    "qc by neighbours": ("qc", *BOTH, "--checks", "range,neighbours"),
    "fill": ("fill", *BOTH),
    "crop-et": ("crop-et", "--landscape", "2500,0.5", "--total-from", "2021-04-01", *BOTH),
}
"""Questions of two stations, of which one year of one is damaged."""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two stations' 2021 of which that of station 5 is damaged, and the place of each."""
    place = tmp_path / "d"
    monkeypatch.setenv("CIMIS_DATA_DIR", str(place))
    put(place, [year_table(Scope.DAILY, station, 2021, items=ITEMS) for station in (2, 5)])
    facts = {"latitude": 35.5, "longitude": -119.3, "elevation_m": 110.0}
    with Catalog(place) as catalog:
        catalog.put_stations((n, f"S{n}", {"number": n, "name": f"S{n}", **facts}) for n in (2, 5))
    path = ChunkKey(Scope.DAILY, 2021, station=5).path(place)
    path.write_bytes(path.read_bytes()[:-9])
    return place


@pytest.mark.parametrize("cache", [None, "0"], ids=["mirror", "chunks"])
@pytest.mark.parametrize("question", ASKED)
def test_the_rest_is_given_and_the_file_named(
    question: str, cache: str | None, typed: Typed, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if cache is not None:
        monkeypatch.setenv("CIMIS_CACHE", cache)
    words = () if question == "gaps" else ("--format", "csv")
    answer = typed(*ASKED[question], *words)
    assert answer.code == 7, answer.err
    given = {line.split(",")[0] for line in answer.out.splitlines()[1:]}
    assert "2" in given
    assert given <= {"2"} or question in ("gaps", "fill")
    assert sum(line.startswith("error: ") for line in answer.err.splitlines()) == 1
    assert BAD in answer.err


@pytest.mark.parametrize("question", ASKED)
def test_in_json_the_error_is_an_object_beside_the_rows(
    question: str, typed: Typed, root: Path
) -> None:
    answer = typed(*ASKED[question], "--json")
    assert answer.code == 7, answer.err
    assert 2 in {row["station"] for row in json.loads(answer.out)}
    told = [json.loads(line) for line in answer.err.splitlines() if line.startswith("{")]
    (error,) = [line["error"] for line in told if "error" in line]
    assert error["exit_code"] == 7
    assert error["path"] == BAD


@pytest.mark.parametrize("question", ["query", "gaps", "eto", "qc"])
def test_where_nothing_else_matches_it_is_damage_not_absence(
    question: str, typed: Typed, root: Path
) -> None:
    answer = typed(question, "--station", "5", *DAYS)
    assert answer.code == 7
    assert BAD in answer.err


@pytest.mark.parametrize("question", [name for name, words in ASKED.items() if "2,5" in words])
def test_a_question_that_does_not_need_it_is_whole(question: str, typed: Typed, root: Path) -> None:
    answer = typed(*("2" if word == "2,5" else word for word in ASKED[question]))
    assert (answer.code, BAD in answer.err) == (0, False), answer.err


def test_what_else_lacks_is_said_too(typed: Typed, root: Path) -> None:
    answer = typed("query", "--stations", "2,5,999", *DAYS)
    assert answer.code == 7
    assert "stations with no row: 5, 999" in answer.err
    assert BAD in answer.err


def test_once_its_file_is_whole_again_the_answer_is(typed: Typed, root: Path) -> None:
    assert typed("sql", COUNT).code == 7
    put(root, [year_table(Scope.DAILY, 5, 2021, items=ITEMS)])
    answer = typed("sql", COUNT)
    assert answer.code == 0
    assert [line.split(",")[0] for line in answer.out.splitlines()] == ["station", "2", "5"]
