"""An answer of other stations, days, hours, items, units or scope than asked is refused whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cimis.pipeline.errors import DecodeError, RequestRefused
from cimis.pipeline.field.items import Scope
from tests.api.raw_server import reply, says
from tests.hostile.bodies import LISTED, ZIP, item, record, right, spatial
from tests.hostile.servers import answering
from tests.hostile.ways_in import DATA, WAYS, files_of, refused, request, run, taken
from tests.ingest.service import body_of


def sent(way: str, body: bytes, root: Path) -> DecodeError:
    """Return the error that a way in makes of a body."""
    with answering(says(reply(body))) as server:
        error = refused(way, server.base_url, root)
    assert type(error) is DecodeError
    assert error.exit_code == 6
    assert not error.retryable
    return error


@pytest.mark.parametrize("way", WAYS)
def test_what_is_right_is_taken(way: str, root: Path) -> None:
    """So that a refusal below is due to the one fact that is bent."""
    with answering(says(reply(right(way)))) as server:
        assert taken(way, server.base_url, root)


OTHER: dict[str, dict[str, Any]] = {
    "another station": {"Station": "5"},
    "no station": {"Station": ...},
    "a station that none can be": {"Station": "-2"},
    "a target": {"Station": ..., "Coordinate": "lat=36.8,lng=-119.7"},
    "the day before": {"Date": "2023-12-31"},
    "the day after": {"Date": "2024-02-01"},
    "another century": {"Date": "1924-01-01"},
    "no day": {"Date": "2024-02-30"},
    "an hour": {"Hour": "0100"},
    "hourly": {"Scope": "hourly"},
    "another scope": {"Scope": "monthly"},
    "English": {"Standard": "english"},
    "no standard": {"Standard": ...},
    "degrees Fahrenheit": {"DayAirTmpAvg": item("DayAirTmpAvg") | {"Unit": "(F)"}},
    "inches": {"DayPrecip": item("DayPrecip") | {"Unit": "(in)"}},
    "langleys": {"DaySolRadAvg": item("DaySolRadAvg") | {"Unit": "(Ly/day)"}},
}


@pytest.mark.parametrize("way", ["streaming", "plain"])
@pytest.mark.parametrize("other", OTHER)
def test_one_record_of_another_kind_spoils_the_answer(other: str, way: str, root: Path) -> None:
    """Also when it comes last, after records that are right."""
    good = [record(Date=f"2024-01-{day:02}") for day in range(1, 31)]
    sent(way, body_of([*good, record(**OTHER[other])]), root)


OTHER_HOURS: dict[str, dict[str, Any]] = {
    "daily": {"Scope": "daily"},
    "no hour": {"Hour": ...},
    "hour 0": {"Hour": "0000"},
    "hour 25": {"Hour": "2500"},
    "half an hour": {"Hour": "0130"},
    "a daily item": {"Hour": ..., "DayPrecip": item("DayPrecip")},
    "the day after": {"Date": "2024-02-01"},
}


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("other", OTHER_HOURS)
def test_hours_that_were_not_asked_for(other: str, plain: bool, root: Path) -> None:
    body = body_of([record(Scope.HOURLY), record(Scope.HOURLY, **OTHER_HOURS[other])])
    before = files_of(root)
    with answering(says(reply(body))) as server:
        report = run(server.base_url, root, request(2, scope=Scope.HOURLY, plain=plain))
    assert {type(result.error) for result in report.failed} == {DecodeError}
    assert files_of(root) == before


@pytest.mark.parametrize("way", ["streaming", "plain", "sync"])
def test_records_without_any_item_that_was_asked_for(way: str, root: Path) -> None:
    """They would be taken for days on which every item lacks, and erase what is stored."""
    date = "2026-10-01" if way == "sync" else "2024-01-01"
    bare = {name: ... for name in record() if name.startswith("Day")}
    only = {"DaySoilTmpMax": item("DaySoilTmpMax")}  # known, and not asked for
    assert "no item" in str(sent(way, body_of([record(**bare, Date=date)]), root))
    assert "no item" in str(sent(way, body_of([record(**bare, **only, Date=date)]), root))


def test_items_beside_those_asked_for_are_left_out(root: Path) -> None:
    """Known ones without a word, unknown ones with a warning; none is stored."""
    more = {"DaySoilTmpMax": item("DaySoilTmpMax", "99.9"), "DayDew": item("DayPrecip")}
    with answering(says(reply(body_of([record(**more)])))) as server:
        report = run(server.base_url, root, request(2))
    assert report.exit_code == 0
    assert any("'DayDew'" in warning for warning in report.warnings)
    from cimis.pipeline.chunks import read_chunk

    table = read_chunk(root / "stations/002/2024_daily.zst")
    assert "soil_tmp_max" not in table.column_names


SPATIAL: dict[str, dict[str, Any]] = {
    "another zip code": {"ZipCodes": "90001"},
    "several zip codes": {"ZipCodes": "93624, 90001"},
    "a coordinate": {"Coordinate": "lat=36.8,lng=-119.7"},
    "a station": {"Station": "2"},
    "nobody": {"ZipCodes": ""},
    "the day after": {"Date": "2024-02-01"},
    "English": {"Standard": "english"},
    "hourly": {"Scope": "hourly"},
}


@pytest.mark.parametrize("other", SPATIAL)
def test_targets_that_were_not_asked_for(other: str, root: Path) -> None:
    sent("zip code", body_of([spatial(), spatial(**SPATIAL[other])]), root)


@pytest.mark.parametrize(
    "place", ["lat=36.8,lng=-119.8", "lat=nan,lng=nan", "36.8", "lat=1e999,lng=0"]
)
def test_places_that_were_not_asked_for(place: str, root: Path) -> None:
    sent("coordinate", body_of([spatial(Coordinate=place, DayWindSpdAvg=...)]), root)


@pytest.mark.parametrize("way", ["one station", "one zip code"])
def test_another_entry_of_a_list_is_not_taken_for_absence(way: str, root: Path) -> None:
    """An answer about another station does not say that there is none."""
    body = {
        "one station": {"Stations": [LISTED | {"StationNbr": "5"}]},
        "one zip code": {"ZipCodes": [ZIP | {"ZipCode": "90001"}]},
    }[way]
    assert "asked for" in str(sent(way, json.dumps(body).encode(), root))


def test_no_entry_of_a_list_is_absence(root: Path) -> None:
    with answering(says(reply(b'{"Stations":[]}'))) as server:
        assert type(refused("one station", server.base_url, root)) is RequestRefused


@pytest.mark.parametrize("way", WAYS)
def test_an_answer_to_another_question_is_refused(way: str, root: Path) -> None:
    """Data in the place of a list, and a list in the place of data."""
    sent(way, right("stations" if way in DATA else "streaming"), root)


@pytest.mark.parametrize("way", DATA)
def test_another_stations_answer_spoils_only_itself(way: str, root: Path) -> None:
    """Once the service has found its way again the same request brings the rows."""
    wrong = record(Station="5") if way not in ("zip code", "coordinate") else spatial(ZipCodes="1")
    with answering(says(reply(body_of([wrong]))), says(reply(right(way)))) as server:
        refused(way, server.base_url, root)
        assert taken(way, server.base_url, root)
