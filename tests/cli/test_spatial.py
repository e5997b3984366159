"""Zip codes, coordinates and addresses: asked for at every endpoint, stored, and queried again."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import cimis
from cimis.pipeline.emulator import Emulator, GeneratedSource

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

MONTH = ("--month", "2024-06")
DAYS = {"startDate": "2024-06-01", "endDate": "2024-06-30", "unitOfMeasure": "M"}
HQ = "HQ=1416 9th St, Davis, CA"


@pytest.fixture
def service() -> Iterator[Emulator]:
    with Emulator(GeneratedSource()) as emulator:
        yield emulator


@pytest.fixture
def folder(service: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CIMIS_BASE_URL", service.base_url)
    monkeypatch.setenv("CIMIS_APP_KEY", service.app_key)
    monkeypatch.setenv("CIMIS_DATA_DIR", str(tmp_path / "d"))
    return tmp_path / "d"


def _asked(service: Emulator, path: str, **parameters: str) -> list[dict[str, Any]]:
    """Return the records of an endpoint, by a client and a parser that are not the project's."""
    answer = httpx.get(
        service.base_url + path,
        params=parameters | DAYS,
        headers={"Ocp-Apim-Subscription-Key": service.app_key},
    )
    providers = answer.raise_for_status().json()["Data"]["Providers"]
    return [record for provider in providers for record in provider["Records"]]


def _values(records: list[dict[str, Any]], key: str = "DayAsceEto") -> list[float | None]:
    texts = [record[key]["Value"] for record in records]
    return [None if text is None else float(text) for text in texts]


def test_spatial_data_of_zip_codes_are_stored_and_read_back_as_sent(
    folder: Path, service: Emulator, typed: Typed
) -> None:
    assert typed("fetch", "--zip", "95616,93624", *MONTH).code == 0
    with cimis.open(folder) as store:
        for code in ("93624", "95616"):
            sent = _asked(service, "/SpatialWeb/GetDataBySpatialZipCodes", zipCodes=code)
            rows = store.daily(f"zip:{code}")
            assert rows["target"].unique().to_list() == [f"zip:{code}"]
            assert rows["asce_eto"].to_list() == _values(sent)
            assert rows["wind_spd_avg"].to_list() == _values(sent, "DayWindSpdAvg")
    assert (folder / "spatial/zip/93624/2024_daily.zst").is_file()


def test_spatial_data_of_coordinates_and_addresses_lie_beside_those_of_stations(
    folder: Path, service: Emulator, typed: Typed
) -> None:
    point = ("--coordinate", "36.5,-120.1")
    assert typed("fetch", *point, "--address", HQ, "--stations", "2", *MONTH).code == 0
    by_point = _asked(
        service, "/SpatialWeb/GetDataBySpatialCoordinates", coordinates="lat=36.5,lng=-120.1"
    )
    by_address = _asked(
        service, "/SpatialWeb/GetDataByAddresses", addresses="addr-name=HQ,addr=1416 9th St, Davis"
    )
    with cimis.open(folder) as store:
        found = store.sql(
            "select p.target, count(*), count(d.asce_eto), sum(p.asce_eto) from spatial_daily p "
            "join daily d using (date) where d.station = 2 group by 1 order by 1"
        ).fetchall()
        stations = store.daily(stations=2)["asce_eto"]
    assert [row[0] for row in found] == ["address:HQ", "coordinate:36.5,-120.1"]
    assert [row[1:3] for row in found] == [(30, stations.count())] * 2
    assert found[0][3] == pytest.approx(sum(v or 0 for v in _values(by_address)))
    assert found[1][3] == pytest.approx(sum(v or 0 for v in _values(by_point)))


def test_stations_that_serve_a_zip_code_are_stored_as_stations(
    folder: Path, service: Emulator, typed: Typed
) -> None:
    told = typed("fetch", "--zip", "95616", "--network", "wsn", *MONTH)
    assert told.code == 0
    sent = _asked(service, "/StationWeb/GetDataByStationZipCodes", zipCodes="95616")
    stations = {int(record["Station"]) for record in sent}
    with cimis.open(folder) as store:
        rows = store.daily(items=["asce_eto"])
        assert set(rows["station"].to_list()) == stations
        assert rows["asce_eto"].to_list() == _values(sent)
        assert store.daily("targets").height == 0
    assert service.traffic.by_path["/StationWeb/GetDataByStationZipCodes"] == 2


def test_hourly_records_come_from_the_stations_of_a_zip_code(folder: Path, typed: Typed) -> None:
    day = ("--start", "2024-06-01", "--end", "2024-06-01")
    assert typed("fetch", "--zip", "95616", "--prefer", "scs", "--hourly", *day).code == 0
    with cimis.open(folder) as store:
        assert store.hourly().height % 24 == 0 < store.hourly().height


@pytest.mark.parametrize(("network", "spatial"), [("scs", True), ("wsn", False)])
def test_the_preferred_network_answers_for_a_zip_code_of_both(
    folder: Path, service: Emulator, typed: Typed, network: str, spatial: bool
) -> None:
    assert typed("fetch", "--zip", "95616", "--prefer", network, *MONTH).code == 0
    with cimis.open(folder) as store:
        assert (store.daily("targets").height == 30) is spatial
        assert (store.daily().height > 0) is not spatial
    asked = "/GeoStationWeb/GetDataByGeoStationZipCodes"
    assert service.traffic.by_path[asked] == 1
    assert any(f"prefer={network.upper()}" in query for query in service.traffic.queries)


def test_the_other_network_answers_where_the_preferred_one_does_not(
    folder: Path, service: Emulator, typed: Typed
) -> None:
    """One of the spatial network's zip codes has no station."""
    lists = json.loads(typed("zip-codes", "--json").out)
    alone = next(entry["zip_code"] for entry in lists if entry["spatial"] and not entry["stations"])
    wanted = f"{alone},95616"
    assert typed("fetch", "--zip", wanted, "--prefer", "wsn", *MONTH).code == 0
    with cimis.open(folder) as store:
        assert store.daily("targets")["target"].unique().to_list() == [f"zip:{alone}"]
        assert store.daily().height > 0


def test_zip_codes_are_listed_with_what_serves_them(
    folder: Path, service: Emulator, typed: Typed
) -> None:
    whole = {e["zip_code"]: e for e in json.loads(typed("zip-codes", "--json").out)}
    one = json.loads(typed("zip-codes", "--zip", "95616", "--json").out)
    assert one == [whole["95616"]]
    assert one[0]["stations"]
    assert one[0]["spatial"]
    assert {path for path in service.traffic.by_path if "Zip" in path} == {
        "/StationWeb/GetAllStationsZipCodes",
        "/StationWeb/GetStationZipCodeInfoByZipCode",
        "/SpatialWeb/GetAllSpatialZipCodes",
        "/SpatialWeb/GetSpatialZipCodeInfoByZipCode",
    }


def test_a_second_fetch_asks_for_nothing_that_is_final(
    folder: Path, service: Emulator, typed: Typed
) -> None:
    wish = ("fetch", "--zip", "95616", "--coordinate", "36.5,-120.1", *MONTH)
    typed(*wish)
    before = service.traffic.requests
    assert typed(*wish).code == 0
    assert service.traffic.requests == before


def test_years_of_spatial_data_are_asked_for_at_most_366_days_at_once(
    folder: Path, service: Emulator, typed: Typed
) -> None:
    done = typed("fetch", "--zip", "95616", "--year", "2003-2005", "--json")
    assert json.loads(done.out)["totals"]["requests"] == 3
    assert service.traffic.statuses == {200: 3}
    with cimis.open(folder) as store:
        assert str(store.daily("targets")["date"].min()) == "2003-02-20"
    assert "begin on 2003-02-20" in done.err + done.out


def test_a_query_prints_a_target_in_its_first_column(folder: Path, typed: Typed) -> None:
    typed("fetch", "--zip", "95616", "--address", HQ, *MONTH)
    span = ("--start", "2024-06-01", "--end", "2024-06-02", "--items", "asce_eto")
    rows = list(csv.DictReader(io.StringIO(typed("query", "--address", "HQ", *span).out)))
    assert [row["target"] for row in rows] == ["address:HQ"] * 2
    summed = typed("query", "--zip", "95616", "--every", "month", "--items", "asce_eto").out
    assert summed.splitlines()[0] == "target,period,days,asce_eto,asce_eto_days"


def test_a_lost_catalog_is_rebuilt_with_its_targets(folder: Path, typed: Typed) -> None:
    typed("fetch", "--zip", "95616", "--address", HQ, *MONTH)
    for path in folder.glob("metadata.sqlite3*"):
        path.unlink()
    typed("verify", "--repair")
    with cimis.open(folder) as store:
        assert store.daily("targets")["target"].unique().sort().to_list() == [
            "address:HQ",
            "zip:95616",
        ]


@pytest.mark.parametrize(
    ("wish", "code", "words"),
    [
        (("--coordinate", "33,-122"), 2, "not in California"),
        (("--coordinate", "51,0"), 2, "outside California"),
        (("--coordinate", "north"), 2, "is no point"),
        (("--zip", "99999"), 2, "zip code is not supported"),
        (("--zip", "99999", "--network", "wsn"), 2, "no station served the zip code 99999"),
        (("--zip", "9999"), 2, "is no zip code"),
        (("--zip", "95616", "--hourly"), 2, "spatial data are daily"),
        (("--zip", "95616", "--items", "precip"), 2, "no spatial data of 'day-precip'"),
        (("--zip", "95616", "--format", "v1"), 2, "format v1 holds stations only"),
        (("--address", "HQ=Nowhere 1, Elsewhere"), 2, "not in California"),
        (("--address", "HQ=a;b"), 2, "characters"),
        (("--address", HQ, "--address", "HQ=Davis"), 2, "named twice"),
        (("--network", "wsn", "--stations", "2"), 2, "--zip"),
        ((), 2, "nobody named"),
        (("--near", "51,0"), 2, "outside California"),
        (("--county", "Atlantis"), 2, "no county 'Atlantis'"),
    ],
)
def test_what_cannot_be_asked_for_is_said_and_nothing_is_stored(
    folder: Path, typed: Typed, wish: tuple[str, ...], code: int, words: str
) -> None:
    told = typed("fetch", *wish, *MONTH)
    assert told.code == code
    assert words in told.err
    assert not list(folder.rglob("*.zst"))


def test_a_zip_code_that_nobody_serves_is_told(folder: Path, typed: Typed) -> None:
    told = typed("zip-codes", "--zip", "99999")
    assert told.code == 3
    assert "99999" in told.err


def test_an_unknown_zip_code_does_not_cost_the_others_theirs(folder: Path, typed: Typed) -> None:
    told = typed("fetch", "--zip", "95616,99999", *MONTH)
    assert told.code == 4
    assert "zip:99999" in told.err
    with cimis.open(folder) as store:
        assert store.daily("zip:95616").height == 30
