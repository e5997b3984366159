"""One odd entry in a list of the service, or of saved answers, stops nothing, and is named."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cimis.pipeline.emulator import Emulator, GeneratedSource
from tests.cli.front import answer, front
from tests.emulator.test_replayed_answers import _saved

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

STATIONS = "/StationWeb/GetAllStations"
ZIP_CODES = "/StationWeb/GetAllStationsZipCodes"
SPAN = ("--start", "2024-01-01", "--end", "2024-01-05")
SPOILED = {"ConnectDate": "soon", "HmsLatitude": "º", "StationNbr": None, "IsActive": None}


def listed(server: Emulator, path: str) -> dict[str, list[dict[str, Any]]]:
    """Return a list of the embedded server as JSON."""
    asked = urllib.request.Request(
        server.base_url + path, headers={"Ocp-Apim-Subscription-Key": server.app_key}
    )
    with urllib.request.urlopen(asked, timeout=30) as found:
        body: dict[str, list[dict[str, Any]]] = json.load(found)
        return body


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    with Emulator(GeneratedSource()) as running:
        monkeypatch.setenv("CIMIS_BASE_URL", running.base_url)
        monkeypatch.setenv("CIMIS_APP_KEY", running.app_key)
        monkeypatch.setenv("CIMIS_DATA_DIR", str(tmp_path / "data"))
        yield running


def bent(server: Emulator, path: str, body: object) -> Any:
    """Serve another body at one path."""
    whole = answer("200 OK", json.dumps(body).encode(), "Content-Type: application/json")
    port = int(server.base_url.rsplit(":", 1)[1])
    return front(port, bend=lambda _path, _n: whole, path=path)


@pytest.mark.parametrize("field", SPOILED)
@pytest.mark.parametrize("form", [(), ("--log-format", "json"), ("--json",)])
def test_a_fetch_goes_on_and_names_the_entry(
    field: str, form: tuple[str, ...], typed: Typed, server: Emulator
) -> None:
    body = listed(server, STATIONS)
    number = body["Stations"][3]["StationNbr"]
    body["Stations"][3] |= {field: SPOILED[field]}
    fetch = ("fetch", "--near", "36.3,-120.1", *SPAN, *form)
    with bent(server, STATIONS, body) as url:
        found = typed(*fetch, "--base-url", url)
    assert found.code == 0, found.err
    assert field in found.err
    assert field == "StationNbr" or f"station {number}" in found.err
    if form == ("--log-format", "json"):
        events = [json.loads(line) for line in found.err.splitlines()]
        assert field in next(e["message"] for e in events if e["event"] == "warning")
    if form == ("--json",):
        assert field in json.loads(found.out)["warnings"][0]


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_sync_goes_on_and_names_the_entry(form: str, typed: Typed, server: Emulator) -> None:
    assert typed("fetch", "--stations", "2", "--last", "20d").code == 0
    body = listed(server, STATIONS)
    body["Stations"][3] |= {"ConnectDate": "soon"}
    with bent(server, STATIONS, body) as url:
        found = typed("sync", "--log-format", form, "--base-url", url)
    assert found.code == 0, found.err
    lines = [line for line in found.err.splitlines() if "ConnectDate" in line]
    assert len(lines) == 1
    assert form == "text" or json.loads(lines[0])["event"] == "warning"


def test_a_station_whose_entry_is_odd_can_be_named(typed: Typed, server: Emulator) -> None:
    body = listed(server, STATIONS)
    (entry,) = (facts for facts in body["Stations"] if facts["StationNbr"] == "5")
    entry["Elevation"] = "high"
    with bent(server, STATIONS, body) as url:
        found = typed("fetch", "--stations", "2,5", *SPAN, "--base-url", url)
    assert found.code == 0, found.err
    assert "station 5, Elevation" in found.err
    assert "of 2 stations" in found.err


def test_a_list_without_dates_will_do(typed: Typed, server: Emulator) -> None:
    body = listed(server, STATIONS)
    for entry in body["Stations"]:
        entry |= {"ConnectDate": "", "DisconnectDate": "", "IsActive": "True"}
    with bent(server, STATIONS, body) as url:
        service = ("--base-url", url)
        found = typed("stations", "--refresh", "--active", "2024", "--json", *service)
        planned = typed("fetch", "--stations", "all", *SPAN, "--dry-run", *service)
        counted = typed("sql", "select count(*) from stations where connected is null")
    assert found.code == planned.code == 0
    assert len(json.loads(found.out)) == len(body["Stations"])
    assert "left out" not in found.err + planned.err
    assert counted.out.split() == ["count_star()", str(len(body["Stations"]))]


def test_odd_zip_codes_are_named(typed: Typed, server: Emulator) -> None:
    body = listed(server, ZIP_CODES)
    body["ZipCodes"][0]["IsActive"] = "perhaps"
    code = next(str(e["ZipCode"]) for e in body["ZipCodes"][1:] if e["IsActive"] == "True")
    with bent(server, ZIP_CODES, body) as url:
        found = typed("zip-codes", "--with-closed", "--base-url", url)
        fetch = ("fetch", "--zip", code, "--network", "wsn", *SPAN)
        fetched = typed(*fetch, "--base-url", url)
    assert (found.code, fetched.code) == (0, 0), fetched.err
    for said in (found.err, fetched.err):
        assert "IsActive" in said
        assert str(body["ZipCodes"][0]["ZipCode"]) in said


def test_a_replay_without_a_list_is_fetched(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The emulator's own entries know no dates; all stations of the files are fetched."""
    (tmp_path / "saved").mkdir()
    with Emulator(_saved(tmp_path / "saved")) as running:
        monkeypatch.setenv("CIMIS_BASE_URL", running.base_url)
        monkeypatch.setenv("CIMIS_APP_KEY", running.app_key)
        day = ("--start", "2016-06-01", "--end", "2016-06-01", "--data-dir", tmp_path / "data")
        found = typed("fetch", "--stations", "all", *day)
    assert found.code == 0, found.err
    assert "stored 1 record of 1 station" in found.err


def test_an_odd_entry_of_a_saved_list_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    odd = [{"StationNbr": "5", "Name": "five"}, {"Name": "none"}, None]
    (tmp_path / "list.json").write_text(json.dumps({"Stations": odd}))
    source = _saved(tmp_path)
    assert [facts["StationNbr"] for facts in source.stations()] == ["2", "5"]
    assert "entry 1 of the stations has no StationNbr" in caplog.text
    assert "entry 2" in caplog.text
