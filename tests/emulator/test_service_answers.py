"""The embedded service answers as the live one: key, refusals, caps, shapes, placeholders."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from cimis.pipeline.emulator import Emulator, GeneratedSource
from cimis.pipeline.errors import UsageError

NOW = dt.datetime(2024, 7, 10, 13, 20)  # noqa: DTZ001 - Pacific standard time bears no zone
DATA = "/StationWeb/GetDataByStationNumber"


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    with Emulator(GeneratedSource(), now=lambda: NOW) as emulator:
        yield emulator


def _get(server: Emulator, path: str = DATA, *, key: str | None = "demo-key", **query: str) -> Any:
    asked = {"startDate": "2024-01-01", "endDate": "2024-01-02", "stationNbrs": "2"} | query
    headers = {} if key is None else {"Ocp-Apim-Subscription-Key": key}
    return httpx.get(server.base_url + path, params=asked, headers=headers)


def _records(server: Emulator, **query: str) -> list[dict[str, Any]]:
    answer = _get(server, **query)
    assert answer.status_code == 200, answer.text
    providers = answer.json()["Data"]["Providers"]
    assert [p["Name"] for p in providers] == ["cimis"]
    records: list[dict[str, Any]] = providers[0]["Records"]
    return records


@pytest.mark.parametrize("key", [None, "wrong"])
def test_without_the_right_key_nothing_is_answered(server: Emulator, key: str | None) -> None:
    answer = _get(server, key=key)
    assert answer.status_code == 401
    assert answer.json()["statusCode"] == 401


@pytest.mark.parametrize("name", ["appKey", "appkey", "APPKEY"])
def test_a_key_in_the_query_meets_the_firewall(server: Emulator, name: str) -> None:
    answer = _get(server, **{name: "demo-key"})
    assert answer.status_code == 200
    assert "Request Rejected" in answer.text


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"stationNbrs": "999"}, 404, "ERR1019"),
        ({"stationNbrs": "2,x"}, 400, "ERR2006"),
        ({"dataItems": "DayAirTmpAvg"}, 404, "ERR1035"),
        ({"dataItems": "hly-air-tmp"}, 404, "ERR1035"),
        ({"endDate": "2024-07-11"}, 400, "ERR1010"),
        ({"startDate": "1982-06-06"}, 400, "ERR1011"),
        ({"endDate": "2023-12-31"}, 400, "ERR1012"),
        ({"unitOfMeasure": "K"}, 400, "ERR1032"),
        ({"startDate": "2019-01-01", "endDate": "2023-10-17"}, 400, "ERR2112"),
    ],
)
def test_what_the_service_refuses(
    server: Emulator, query: dict[str, str], status: int, code: str
) -> None:
    answer = _get(server, **query)
    assert answer.status_code == status
    assert code in answer.json()["Message"]


def test_the_caps_count_stations_times_days_or_hours(server: Emulator) -> None:
    full = {"startDate": "2019-01-01", "endDate": "2023-10-16", "dataItems": "day-precip"}
    assert len(_records(server, **full)) == 1750
    hours = {"isHourly": "true", "stationNbrs": "2,5", "dataItems": "hly-precip"}
    assert len(_records(server, **hours, startDate="2023-01-01", endDate="2023-04-14")) == 4992
    more = _get(server, **hours, startDate="2023-01-01", endDate="2023-04-15")
    assert "ERR2112" in more.text


def test_a_station_that_was_not_operating_answers_with_no_records(server: Emulator) -> None:
    answer = _get(server, stationNbrs="277", startDate="1990-01-01", endDate="1990-01-09")
    assert answer.status_code == 200
    assert len(answer.content) == 94


def test_records_come_grouped_by_station_then_time(server: Emulator) -> None:
    found = _records(server, stationNbrs="6,2", isHourly="true")
    keys = [(int(r["Station"]), r["Date"], r["Hour"]) for r in found]
    assert keys == sorted(keys)
    assert [r["Hour"] for r in found[:24]] == [f"{h:02d}00" for h in range(1, 25)]


def test_a_record_has_the_fields_of_the_live_service_in_order(server: Emulator) -> None:
    record = _records(server, dataItems="day-precip,day-air-tmp-avg", unitOfMeasure="M")[0]
    head = ["Date", "Julian", "Station", "Standard", "ZipCodes", "Scope"]
    assert list(record) == [*head, "DayPrecip", "DayAirTmpAvg"]
    assert record["Julian"] == "1"
    assert record["DayPrecip"]["Unit"] == "(mm)"
    assert len(record["DayPrecip"]["Value"].partition(".")[2]) == 2


def test_english_is_the_default_and_agrees_with_metric(server: Emulator) -> None:
    english = _records(server, dataItems="day-air-tmp-avg")
    metric = _records(server, dataItems="day-air-tmp-avg", unitOfMeasure="M")
    for one, two in zip(english, metric, strict=True):
        assert one["DayAirTmpAvg"]["Unit"] == "(F)"
        fahrenheit = float(one["DayAirTmpAvg"]["Value"])
        assert fahrenheit == pytest.approx(float(two["DayAirTmpAvg"]["Value"]) * 1.8 + 32, abs=0.15)


def test_todays_daily_row_holds_only_a_placeholder(server: Emulator) -> None:
    record = _records(server, startDate="2024-07-10", endDate="2024-07-10")[0]
    present = [k for k, v in record.items() if isinstance(v, dict) and v["Value"] is not None]
    assert present == ["DayAsceEto"]


def test_todays_hours_are_all_there_and_missing_until_they_are_over(server: Emulator) -> None:
    day = {"startDate": "2024-07-10", "endDate": "2024-07-10"}
    found = _records(server, isHourly="true", dataItems="hly-sol-rad", **day)
    assert len(found) == 24
    assert all(r["HlySolRad"]["Value"] is None for r in found[13:])


def test_compression_is_used_only_where_it_is_accepted(server: Emulator) -> None:
    headers = {"Ocp-Apim-Subscription-Key": "demo-key", "Accept-Encoding": "identity"}
    plain = httpx.get(server.base_url + "/StationWeb/GetAllStations", headers=headers)
    accepting = headers | {"Accept-Encoding": "gzip"}
    packed = httpx.get(server.base_url + "/StationWeb/GetAllStations", headers=accepting)
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert plain.json() == packed.json()


def test_the_list_and_one_station_agree(server: Emulator) -> None:
    stations = _get(server, "/StationWeb/GetAllStations").json()["Stations"]
    one = _get(server, "/StationWeb/GetStationByStationNumber", stationNbr="2").json()["Stations"]
    assert one == [s for s in stations if s["StationNbr"] == "2"]
    unknown = _get(server, "/StationWeb/GetStationByStationNumber", stationNbr="9999")
    assert unknown.status_code == 404


def test_an_unknown_path_is_not_found(server: Emulator) -> None:
    assert _get(server, "/api/data").status_code == 404


def test_what_was_asked_is_counted() -> None:
    with Emulator(GeneratedSource(), now=lambda: NOW) as emulator:
        _get(emulator)
        _get(emulator, stationNbrs="999")
        assert emulator.traffic.requests == 2
        assert emulator.traffic.statuses == {200: 1, 404: 1}


def test_a_taken_port_is_a_clear_error(server: Emulator) -> None:
    with pytest.raises(UsageError, match="cannot listen"):
        Emulator(GeneratedSource(), port=server.port)
