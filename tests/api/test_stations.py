"""Stations are read from what the service lists, and asked for through the client."""

from __future__ import annotations

import asyncio
import datetime as dt
import gzip
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from cimis.pipeline.errors import (
    CimisError,
    DecodeError,
    NetworkError,
    RequestRefused,
    ServiceError,
)
from cimis.pipeline.service import CimisClient, RetryPolicy, Settings
from cimis.pipeline.service.stations import parse_stations, station_from_json
from cimis.pipeline.service.zip_codes import parse_zip_codes
from tests.api.raw_server import KEY, Answer, raw_server, reply, says

FACTS: dict[str, Any] = {
    "StationNbr": "41",
    "Name": "Calipatria/Mulberry",
    "City": "Calipatria",
    "RegionalOffice": "Southern Region Office",
    "County": "Imperial",
    "ConnectDate": "7/17/1983",
    "DisconnectDate": "12/31/2050",
    "IsActive": "True",
    "IsEtoStation": "True",
    "Elevation": "-110",
    "GroundCover": "Grass",
    "HmsLatitude": "33º2'35N / 33.043056",
    "HmsLongitude": "-115º24'57W / -115.41583",
    "ZipCodes": ["92233", " 92227 "],
    "SitingDesc": "Flat.<br />\r\nWind:&nbsp;West",
}

_VALUES = st.none() | st.integers() | st.floats() | st.text(max_size=6) | st.just([1, "a"])


def test_a_station_becomes_values() -> None:
    station = station_from_json(FACTS)
    assert station.number == 41
    assert station.connected == dt.date(1983, 7, 17)
    assert station.disconnected is None
    assert station.active
    assert station.eto
    assert station.elevation_m == -33.53
    assert (station.latitude, station.longitude) == (33.043056, -115.41583)
    assert station.zip_codes == ("92233", "92227")
    assert station.siting == "Flat. Wind: West"


def test_only_a_station_that_stands_no_more_has_an_end() -> None:
    """An active station has none, whatever date is written; an inactive one has its own."""
    past = FACTS | {"DisconnectDate": "6/22/2023"}
    assert station_from_json(past).disconnected is None
    assert station_from_json(past | {"IsActive": "False"}).disconnected == dt.date(2023, 6, 22)


def test_plain_decimals_are_taken_as_coordinates() -> None:
    station = station_from_json(FACTS | {"HmsLatitude": "33.04", "HmsLongitude": ""})
    assert (station.latitude, station.longitude) == (33.04, None)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("StationNbr", "two"),
        ("StationNbr", "70000"),
        ("StationNbr", None),
        ("IsActive", "yes"),
        ("ConnectDate", "1983-07-17"),
        ("ConnectDate", "13/1/1983"),
        ("Elevation", "high"),
        ("HmsLatitude", "33º2'35N / north"),
        ("HmsLatitude", "133.0"),
        ("ZipCodes", [92233]),
        ("Name", 7),
    ],
)
def test_a_field_that_cannot_be_read_is_named(key: str, value: object) -> None:
    with pytest.raises(DecodeError, match=key):
        station_from_json(FACTS | {key: value})


@pytest.mark.parametrize("body", [b"", b"[]", b'{"Stations":null}', b'{"Stations":[1]}', b"ERR"])
def test_an_answer_that_is_no_list_of_stations_is_refused(body: bytes) -> None:
    with pytest.raises(DecodeError):
        parse_stations(body)


@pytest.mark.parametrize("value", ["", None])
def test_a_list_may_say_no_dates(value: str | None) -> None:
    facts = FACTS | {"ConnectDate": value, "DisconnectDate": value, "IsActive": "False"}
    for station in (
        station_from_json(facts),
        station_from_json({k: v for k, v in facts.items() if not k.endswith("Date")}),
    ):
        assert (station.connected, station.disconnected) == (None, None)


def test_an_odd_entry_is_told_and_left_out() -> None:
    """The error names station and field; the other stations are there."""
    odd: list[Any] = [
        FACTS | {"StationNbr": "5", "HmsLatitude": "north"},
        {k: v for k, v in FACTS.items() if k != "StationNbr"},
        FACTS | {"StationNbr": "6", "ConnectDate": "soon"},
        FACTS | {"StationNbr": "7", "IsActive": None},
        FACTS | {"StationNbr": "8", "Elevation": 5},
        None,
        [],
        FACTS,
    ]
    body = json.dumps({"Stations": [FACTS, *odd, FACTS | {"StationNbr": "2"}]}).encode()
    told: list[DecodeError] = []
    found = parse_stations(body, on_odd=told.append)
    assert [station.number for station in found] == [2, 41]
    assert [(error.station, error.key) for error in told] == [
        ("5", "HmsLatitude"),
        (None, "StationNbr"),
        ("6", "ConnectDate"),
        ("7", "IsActive"),
        ("8", "Elevation"),
        (None, None),
        (None, None),
        ("41", "StationNbr"),
    ]
    assert "station 5, HmsLatitude" in str(told[0])


def test_an_odd_entry_is_logged_where_nobody_hears(caplog: pytest.LogCaptureFixture) -> None:
    body = json.dumps({"Stations": [FACTS, FACTS | {"StationNbr": "5", "Name": 7}]}).encode()
    assert len(parse_stations(body)) == 1
    assert "station 5, Name" in caplog.text


ZIP = {"StationNbr": 2, "ZipCode": "93624", "ConnectDate": "6/7/1982", "IsActive": "True"}


def test_odd_entries_of_zip_codes_are_told_and_left_out() -> None:
    odd = [
        ZIP | {"ZipCode": "936"},
        ZIP | {"ZipCode": "93625", "ConnectDate": "soon"},
        ZIP | {"ZipCode": "93626", "IsActive": "maybe"},
        None,
        ZIP,
    ]
    undated = {"ZipCode": "93700", "IsActive": "False"}
    body = json.dumps({"ZipCodes": [ZIP, *odd, undated]}).encode()
    told: list[DecodeError] = []
    found = parse_zip_codes(body, on_odd=told.append)
    assert [(entry.code, entry.connected) for entry in found] == [
        ("93624", dt.date(1982, 6, 7)),
        ("93700", None),
    ]
    assert [(error.station, error.key) for error in told] == [
        ("2", "ZipCode"),
        ("2", "ConnectDate"),
        ("2", "IsActive"),
        (None, None),
        ("2", "ZipCode"),
    ]
    assert "93625" in str(told[1])


@given(st.lists(st.dictionaries(st.sampled_from([*FACTS, "Odd"]), _VALUES) | _VALUES, max_size=4))
def test_no_list_ends_in_another_error(entries: list[Any]) -> None:
    """Whatever the entries are, a good one among them is read."""
    body = json.dumps({"Stations": [FACTS, *entries]}).encode()
    assert 41 in [station.number for station in parse_stations(body, on_odd=lambda _: None)]
    body = json.dumps({"ZipCodes": [ZIP, *entries]}).encode()
    assert "93624" in [entry.code for entry in parse_zip_codes(body, on_odd=lambda _: None)]


def test_every_real_station_is_read(real: Path) -> None:
    """Both real lists give plausible places within California and its dates."""
    old = parse_stations((real / "api/stations/legacy_all_stations.json").read_bytes())
    new = parse_stations((real / "api/2026/stations_excerpt.json").read_bytes())
    assert (len(old), len(new)) == (267, 4)
    assert [s.number for s in old] == sorted({s.number for s in old})
    for station in old + new:
        assert station.latitude is not None
        assert station.longitude is not None
        assert station.elevation_m is not None
        assert 32 < station.latitude < 42.1
        assert -124.5 < station.longitude < -114
        assert -75 < station.elevation_m < 2500
        assert (station.disconnected is None) == station.active
        assert "<" not in station.siting
    assert sum(s.active for s in old) == 146
    assert {s.number: s for s in old}[2].name == {s.number: s for s in new}[2].name == "FivePoints"


def call(answer: Answer, number: int | None = None) -> tuple[Any, str]:
    async def main() -> tuple[Any, str]:
        async def no_sleep(_: float) -> None: ...

        async with raw_server(answer) as server:
            policy = RetryPolicy(tries=2, sleep=no_sleep)
            async with CimisClient(Settings(server.base_url, KEY), policy=policy) as client:
                try:
                    got = await (client.stations() if number is None else client.station(number))
                except CimisError as error:
                    return error, "\n".join(server.heads)
                return got, "\n".join(server.heads)

    return asyncio.run(main())


LIST = json.dumps({"Stations": [FACTS | {"StationNbr": "9"}, FACTS]}).encode()


@pytest.mark.parametrize("packed", [False, True])
def test_all_stations_come_in_order(packed: bool) -> None:
    body = gzip.compress(LIST, mtime=0) if packed else LIST
    headers = ("Content-Encoding: gzip",) if packed else ()
    got, head = call(says(reply(body, headers=headers)))
    assert [station.number for station in got] == [9, 41]
    assert head.startswith("GET /StationWeb/GetAllStations HTTP/1.1")


def test_one_station_is_asked_for_by_its_number() -> None:
    got, head = call(says(reply(LIST)), 41)
    assert got.name == "Calipatria/Mulberry"
    assert "GET /StationWeb/GetStationByStationNumber?stationNbr=41 " in head


def test_an_unknown_station_is_refused() -> None:
    for answer in (reply(b'{"Stations":[]}'), reply(b"ERR1019", status="404 Not Found")):
        error, _ = call(says(answer), 77)
        assert type(error) is RequestRefused
        assert error.stations == (77,)
        assert error.exit_code == 2


def test_a_list_is_tried_again() -> None:
    error, heads = call(says(reply(b"", status="503 Unavailable")))
    assert type(error) is ServiceError
    assert heads.count("GET ") == 2


def test_a_damaged_list_is_named_so() -> None:
    packed = bytearray(gzip.compress(LIST, mtime=0))
    packed[20] ^= 0xFF
    for body in (bytes(packed), gzip.compress(LIST, mtime=0)[:-20]):
        error, _ = call(says(reply(body, headers=("Content-Encoding: gzip",))))
        assert isinstance(error, NetworkError)
        assert error.kind == "corrupt_body"


def test_an_endless_list_is_refused() -> None:
    """A body that inflates beyond any list of stations is not taken into memory."""
    body = gzip.compress(b" " * (17 << 20), mtime=0)
    error, _ = call(says(reply(body, headers=("Content-Encoding: gzip",))))
    assert isinstance(error, DecodeError)


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("zstd", zstandard.compress)],
)
def test_a_list_is_read_in_every_encoding(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    found, _ = call(says(reply(pack(LIST), headers=(f"Content-Encoding: {encoding}",))))
    assert found == call(says(reply(LIST)))[0]


def test_a_list_in_an_unknown_encoding_is_named_so() -> None:
    error, _ = call(says(reply(LIST, headers=("Content-Encoding: br",))))
    assert isinstance(error, DecodeError)
    assert "'br'" in str(error)
