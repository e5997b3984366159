"""Maps: outlines of California's counties, and stations over them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cimis.charts.map import Shade, station_map
from cimis.charts.outlines import COUNTIES_LAYER, county_names, origin, outlines
from tests.modules import ROOT

REAL = ROOT.parent / "shared" / "real" / "api" / "stations" / "legacy_all_stations.json"
ROWS = pl.DataFrame(
    {
        "station": [6, 80, 250],
        "name": ["Davis", "Fresno State", "Nowhere <b>"],
        "county": ["Yolo", "Fresno", None],
        "latitude": [38.535694, 36.820833, None],
        "longitude": [-121.776361, -119.742306, None],
        "eto": [1400.4, None, 1200.0],
        "verdict": ["sound", "bad", "sound"],
    }
)
ETO = Shade("eto", "ETo (mm)", decimals=0)


def _points(topology: dict[str, Any]) -> list[tuple[float, float]]:
    (kx, ky), (dx, dy) = topology["transform"]["scale"], topology["transform"]["translate"]
    found = []
    for arc in topology["arcs"]:
        x = y = 0
        for step in arc:
            x, y = x + step[0], y + step[1]
            found.append((x * kx + dx, y * ky + dy))
    return found


def _ring(topology: dict[str, Any], arcs: list[int]) -> list[tuple[float, float]]:
    """Return the points of a ring, which closes only if its arcs meet."""
    ring: list[tuple[float, float]] = []
    for number in arcs:
        one = _points(topology | {"arcs": [topology["arcs"][~number if number < 0 else number]]})
        line = one[::-1] if number < 0 else one
        if ring:
            assert ring[-1] == pytest.approx(line[0]), "arcs of a ring do not meet"
        ring += line
    return ring


def test_outlines_are_all_58_counties_of_california_and_small() -> None:
    assert len(county_names()) == len(set(county_names())) == 58
    assert len(json.dumps(outlines(), separators=(",", ":"))) < 40_000


def test_every_ring_of_a_county_is_closed() -> None:
    topology = outlines()
    for county in topology["objects"][COUNTIES_LAYER]["geometries"]:
        polygons = county["arcs"] if county["type"] == "MultiPolygon" else [county["arcs"]]
        for ring in (_ring(topology, arcs) for polygon in polygons for arcs in polygon):
            assert ring[0] == pytest.approx(ring[-1]), county["properties"]["name"]
            assert len(set(ring)) > 2


def test_outlines_reach_as_far_as_california_does() -> None:
    longitudes, latitudes = zip(*_points(outlines()), strict=True)
    assert (min(longitudes), max(longitudes)) == pytest.approx((-124.41, -114.13), abs=0.01)
    assert (min(latitudes), max(latitudes)) == pytest.approx((32.53, 42.01), abs=0.01)


def test_outlines_of_one_county_hold_that_county_alone() -> None:
    yolo = outlines(["Yolo"])
    longitudes, latitudes = zip(*_points(yolo), strict=True)
    names = [one["properties"]["name"] for one in yolo["objects"][COUNTIES_LAYER]["geometries"]]
    assert names == ["Yolo"]
    assert -122.5 < min(longitudes) < max(longitudes) < -121.4
    assert 38.2 < min(latitudes) < max(latitudes) < 39.0


def test_outlines_of_no_known_county_are_those_of_the_state() -> None:
    assert outlines(["Atlantis"]) == outlines()


def test_outlines_say_where_they_come_from() -> None:
    assert "US Census Bureau" in origin()
    assert "ISC" in origin()


@pytest.mark.skipif(not REAL.is_file(), reason="the real list of stations is not here")
def test_every_county_of_the_network_is_one_of_the_outlines() -> None:
    listed = json.loads(REAL.read_text(encoding="utf-8"))["Stations"]
    assert {one["County"] for one in listed} <= set(county_names())


def test_a_station_without_coordinates_is_named_in_a_note() -> None:
    chart = station_map(ROWS, ETO, title="ETo")
    assert chart.rows["station"].to_list() == [6, 80]
    assert any("Nowhere <b> (250)" in note for note in chart.notes)


def test_a_station_without_a_value_is_drawn_and_told() -> None:
    chart = station_map(ROWS, ETO, title="ETo")
    assert any("1 of 2 stations have no value" in note for note in chart.notes)
    assert chart.rows["eto"].to_list() == [1400.4, None]


def test_a_map_says_in_words_what_it_shows() -> None:
    assert "highest at Davis with 1,400" in station_map(ROWS, ETO, title="ETo").description
    words = Shade("verdict", "Verdict", words=("sound", "bad"))
    assert "Verdict: sound: 1, bad: 1." in station_map(ROWS, words, title="Sensors").description


@pytest.mark.parametrize(
    "shade",
    [ETO, Shade("eto", "anomaly", diverging=True), Shade("verdict", "Verdict", words=("sound",))],
)
def test_a_map_draws_outlines_and_a_point_a_station(shade: Shade) -> None:
    converter = pytest.importorskip("vl_convert", reason="cimis[plot] is not installed")
    chart = station_map(ROWS, shade, title="ETo", counties=["Yolo"])
    spec = {**chart.spec, "datasets": {"rows": chart.rows.to_dicts()}}
    drawn = converter.vegalite_to_svg(json.dumps(spec))
    assert "mark-shape" in drawn
    assert "mark-symbol" in drawn


def test_the_script_makes_the_outlines_again(tmp_path: Path) -> None:
    source = {
        "type": "Topology",
        "transform": {"scale": [0.001, 0.001], "translate": [-122.0, 38.0]},
        "objects": {
            "counties": {
                "geometries": [
                    {
                        "type": "Polygon",
                        "id": number,
                        "properties": {"name": name},
                        "arcs": [[place]],
                    }
                    for place, (number, name) in enumerate([("32001", "No"), ("06113", "Yolo")])
                ]
            }
        },
        "arcs": [[[0, 0], [9, 9], [-9, -9]], [[100, 100], [400, 0], [0, 400], [-400, -400]]],
    }
    given = tmp_path / "counties-10m.json"
    given.write_text(json.dumps(source), encoding="utf-8")
    made = tmp_path / "made.topojson"
    script = ROOT / "scripts" / "make_outlines.py"
    subprocess.run([sys.executable, script, given, made], check=True, capture_output=True)
    topology = json.loads(made.read_text(encoding="utf-8"))
    (county,) = topology["objects"]["counties"]["geometries"]
    assert county["properties"]["name"] == "Yolo"
    assert _points(topology)[0] == pytest.approx((-121.9, 38.1))
