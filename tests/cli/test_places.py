"""Stations by place: distances, directions, zip codes, years, and the forms of the list."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cimis.pipeline.emulator import Emulator, GeneratedSource
from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.places import Place, bearing_deg, distance_km, parse_place

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

DAVIS = Place(38.5449, -121.7405)
FRESNO = Place(36.7378, -119.7871)


@pytest.fixture(scope="module")
def service() -> Iterator[Emulator]:
    with Emulator(GeneratedSource()) as emulator:
        yield emulator


@pytest.fixture
def listed(
    service: Emulator, tmp_path: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> list[dict[str, Any]]:
    """The network's list, kept in a data directory that the environment names."""
    monkeypatch.setenv("CIMIS_BASE_URL", service.base_url)
    monkeypatch.setenv("CIMIS_APP_KEY", service.app_key)
    monkeypatch.setenv("CIMIS_DATA_DIR", str(tmp_path / "d"))
    found: list[dict[str, Any]] = json.loads(typed("stations", "--refresh", "--json").out)
    return found


def _by_cosines(one: Place, other: Place) -> float:
    """Return the distance by another formula, the spherical law of cosines."""
    a, b = math.radians(one.latitude), math.radians(other.latitude)
    east = math.radians(other.longitude - one.longitude)
    cosine = math.sin(a) * math.sin(b) + math.cos(a) * math.cos(b) * math.cos(east)
    return 6371.0088 * math.acos(min(cosine, 1.0))


def test_distance_and_bearing_of_known_places() -> None:
    """A degree of a meridian is 111.195 km; Fresno lies south-east of Davis."""
    assert distance_km(Place(35, -120), Place(36, -120)) == pytest.approx(111.195, abs=0.001)
    assert bearing_deg(Place(35, -120), Place(36, -120)) == 0
    assert bearing_deg(Place(36, -120), Place(35, -120)) == 180
    assert bearing_deg(Place(35, -121), Place(35, -120)) == pytest.approx(89.7, abs=0.1)
    assert distance_km(DAVIS, FRESNO) == pytest.approx(_by_cosines(DAVIS, FRESNO), rel=1e-9)
    assert 130 < bearing_deg(DAVIS, FRESNO) < 150
    assert distance_km(DAVIS, DAVIS) == 0


def test_the_nearest_come_first_with_distance_and_direction(
    typed: Typed, listed: list[dict[str, Any]]
) -> None:
    near = ("--near", f"{DAVIS.latitude},{DAVIS.longitude}")
    found = json.loads(typed("stations", *near, "--within", "80", "--json").out)
    due = {}
    for facts in listed:
        far = _by_cosines(DAVIS, Place(facts["latitude"], facts["longitude"]))
        if far <= 80:
            due[facts["station"]] = far
    assert [s["station"] for s in found] == sorted(due, key=lambda number: due[number])
    assert len(found) > 3
    for facts in found:
        assert facts["distance_km"] == pytest.approx(due[facts["station"]], abs=0.01)
        assert 0 <= facts["bearing_deg"] < 360
    table = list(csv.DictReader(io.StringIO(typed("stations", *near).out)))
    assert [int(row["station"]) for row in table[: len(found)]] == [s["station"] for s in found]


def test_conditions_narrow_together(typed: Typed, listed: list[dict[str, Any]]) -> None:
    code = listed[0]["zip_codes"][0]
    found = json.loads(typed("stations", "--zip", code, "--json").out)
    assert found == [s for s in listed if code in s["zip_codes"]]
    found = json.loads(typed("stations", "--active", "1995", "--eto", "--json").out)
    assert found == [
        s
        for s in listed
        if s["eto"]
        and s["connected"] <= "1995-12-31"
        and (s["disconnected"] or "9999") >= "1995-01-01"
    ]
    assert 0 < len(found) < len(listed)
    now = json.loads(typed("stations", "--active", "--json").out)
    assert now == [s for s in listed if s["active"]]


def test_geojson_has_longitude_first(typed: Typed, listed: list[dict[str, Any]]) -> None:
    found = json.loads(typed("stations", "--county", "yolo", "--format", "geojson").out)
    assert found["type"] == "FeatureCollection"
    due = [s for s in listed if "yolo" in s["county"].lower()]
    assert [f["id"] for f in found["features"]] == [s["station"] for s in due]
    for feature, facts in zip(found["features"], due, strict=True):
        assert feature["geometry"] == {
            "type": "Point",
            "coordinates": [facts["longitude"], facts["latitude"], facts["elevation_m"]],
        }
        assert feature["properties"]["name"] == facts["name"]


@pytest.mark.parametrize(
    "words",
    [
        ("--near", "somewhere"),
        ("--near", "48.9,2.3"),
        ("--near", "-121.78,38.54"),
        ("--near", "38.54,121.78"),
        ("--within", "10"),
        ("--county", "Atlantis"),
        ("--active", "soon"),
        ("--active", "--closed"),
    ],
)
def test_what_is_no_place_is_refused(
    words: tuple[str, ...], typed: Typed, listed: list[dict[str, Any]]
) -> None:
    assert listed
    assert typed("stations", *words).code == 2


@pytest.mark.parametrize("text", ["38.54,-121.78", " 38.54 , -121.78 ", "38.54 -121.78"])
def test_a_point_is_written_in_many_ways(text: str) -> None:
    assert parse_place(text) == Place(38.54, -121.78)


def test_a_point_the_wrong_way_round_gets_a_hint() -> None:
    with pytest.raises(UsageError, match="outside California") as caught:
        parse_place("38.54,121.78")
    assert "west negative" in str(caught.value.hint)


def test_questions_are_asked_by_place(typed: Typed, listed: list[dict[str, Any]]) -> None:
    """The nearest station, all within a distance, those of a county; together they narrow."""
    days = ("--start", "2024-01-01", "--end", "2024-01-03")
    some = [s for s in listed if s["active"]][:12]
    numbers = ",".join(str(s["station"]) for s in some)
    assert typed("fetch", "--stations", numbers, *days).code == 0
    there = some[4]
    near = ("--near", f"{there['latitude']},{there['longitude']}")

    def asked(*words: str) -> set[int]:
        answer = typed("query", *words, *days, "--items", "asce_eto", "--json", "--allow-empty")
        assert answer.code == 0, answer.err
        return {row["station"] for row in json.loads(answer.out)}

    assert asked(*near) == {there["station"]}
    place = Place(there["latitude"], there["longitude"])
    due = {
        s["station"]
        for s in some
        if _by_cosines(place, Place(s["latitude"], s["longitude"])) <= 150
    }
    assert asked(*near, "--within", "150") == due
    assert asked("--county", there["county"]) == {
        s["station"] for s in some if there["county"] in s["county"]
    }
    assert asked(*near, "--within", "150", "--stations", str(there["station"])) == {
        there["station"]
    }
    gaps = json.loads(typed("gaps", *near, *days, "--json").out)
    assert {row["station"] for row in gaps} == {there["station"]}
    assert typed("query", "--county", "Atlantis", *days).code == 2
    assert typed("query", "--near", "48.9,2.3", *days).code == 2
    assert typed("query", "--within", "5", *days).code == 2


def test_near_chooses_alike_for_fetch_and_query(typed: Typed, listed: list[dict[str, Any]]) -> None:
    """The nearest station that worked in the days asked for, though a closed one lies nearer."""
    closed = next(s for s in listed if s["disconnected"] and s["disconnected"] < "2024-01-01")
    near = ("--near", f"{closed['latitude']},{closed['longitude']}")
    days = ("--start", "2024-01-01", "--end", "2024-01-02")
    place = Place(closed["latitude"], closed["longitude"])
    due = min(
        (s for s in listed if not s["disconnected"] and s["connected"] <= "2024-01-02"),
        key=lambda s: _by_cosines(place, Place(s["latitude"], s["longitude"])),
    )
    fetched = typed("fetch", *near, *days, "--json")
    asked = typed("query", *near, *days, "--json")
    for answer in (fetched, asked):
        assert answer.code == 0, answer.err
        (told,) = json.loads(answer.err.splitlines()[0])["near"]
        assert told["station"] == due["station"]
        assert (told["name"], told["connected"]) == (due["name"], due["connected"])
    assert {row["station"] for row in json.loads(asked.out)} == {due["station"]}
    then = (closed["connected"], closed["connected"])
    old = typed("query", *near, "--start", then[0], "--end", then[1], "--allow-empty")
    assert f"station {closed['station']} {closed['name']}, 0 km" in old.err
    assert f"until {closed['disconnected']}" in old.err
