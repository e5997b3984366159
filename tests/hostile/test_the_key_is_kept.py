"""A service that repeats the key gets it nowhere: onto no screen, into no log, onto no disk."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from pathlib import Path

import h2.connection
import pytest

from cimis.cli.main import run as typed
from cimis.pipeline.service import CimisClient
from cimis.pipeline.service.masking import masked
from tests.api.raw_server import KEY, WINDOW, reply, says
from tests.hostile.bodies import LISTED, ZIP, record, right
from tests.hostile.conftest import Authority
from tests.hostile.servers import answering, answering_h2
from tests.hostile.ways_in import (
    DATA,
    LISTS,
    WAYS,
    refused,
    request,
    run,
    settings_of,
    shows_the_key,
)
from tests.ingest.service import body_of

ECHOES = {
    "a refusal": reply(f"no such key: {KEY}".encode(), status="400 Bad"),
    "a refusal of the key": reply(f"ERR1006 {KEY}".encode(), status="403 Forbidden"),
    "a failure": reply(json.dumps({"message": KEY}).encode(), status="503 Down"),
    "a page": reply(f"<title>{KEY}</title>".encode()),
    "a redirect": reply(b"", status="302 Found", headers=(f"Location: http://h/{KEY}",)),
    "an error with status 200": reply(json.dumps({"Message": f"bad key {KEY}"}).encode()),
    "text with status 200": reply(f"{KEY} is bad".encode()),
    "half a key with status 200": reply(KEY[4:].encode()),
    "an encoding": reply(b"{}", headers=(f"Content-Encoding: {KEY}",)),
    "a status line": f"HTTP/1.1 299 {KEY}\r\nContent-Length: 0\r\n\r\n".encode(),
    "no status line": f"{KEY} 200 OK\r\n\r\n".encode(),
    "a header that is none": f"HTTP/1.1 200 OK\r\n{KEY}\r\n\r\n".encode(),
    "a length that is none": f"HTTP/1.1 200 OK\r\nContent-Length: {KEY}\r\n\r\n".encode(),
    "a piece's size": f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{KEY}\r\n".encode(),
    "a wait": reply(b"", status="429 Slow", headers=(f"Retry-After: {KEY}",)),
}


@pytest.mark.parametrize(
    ("way", "echo"),
    [
        *((way, echo) for way in ("streaming", "stations") for echo in ECHOES),
        *((way, "an error with status 200") for way in WAYS),
        *((way, "half a key with status 200") for way in WAYS),
    ],
)
def test_no_error_repeats_it(
    way: str, echo: str, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor does any log at its most talkative, nor any file."""
    caplog.set_level(logging.DEBUG)
    with answering(says(ECHOES[echo], close=True)) as server:
        refused(way, server.base_url, root)
    assert "connect_tcp" in caplog.text  # the logs were on
    assert KEY not in caplog.text


FIELDS = ("Date", "Station", "Standard", "Scope", "Hour", "DayPrecip")


@pytest.mark.parametrize("way", ["streaming", "plain"])
@pytest.mark.parametrize("field", FIELDS)
def test_no_field_of_a_record_repeats_it(field: str, way: str, root: Path) -> None:
    """Texts of an odd record are quoted in part; no part of the key is."""
    for value in (KEY, f"{'x' * 10}{KEY}", {"Value": KEY}, {"Value": "1", "Unit": KEY}):
        body = body_of([record(**{field: value})])
        with answering(says(reply(body))) as server:
            error = refused(way, server.base_url, root)
        assert "****" in str(error)


def test_a_key_of_a_record_does_not_repeat_it(root: Path) -> None:
    """Not in the report's warnings, where names that are not known stand."""
    with answering(says(reply(body_of([record(**{f"My{KEY}": 1})])))) as server:
        report = run(server.base_url, root, request(2))
    assert report.exit_code == 0
    assert any("My****" in warning for warning in report.warnings)
    assert KEY not in json.dumps(report.as_dict(), default=str) + repr(report)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., int]:
    """Type a command against a server; nothing that it says may show the key or a traceback."""

    def type_(base_url: str, *words: str) -> int:
        monkeypatch.setenv("CIMIS_BASE_URL", base_url)
        monkeypatch.setenv("CIMIS_APP_KEY", KEY)
        code = typed(words)
        out, err = capfd.readouterr()
        assert not shows_the_key(out + err)
        assert "Traceback" not in out + err
        return code

    return type_


def test_no_list_keeps_it(root: Path, told: Callable[..., int]) -> None:
    """A station's name with the key in it is kept without; entries that are left out are told."""
    stations = {"Stations": [LISTED | {"Name": KEY, "City": f"x{KEY}"}, {"StationNbr": KEY}]}
    zips = {"ZipCodes": [ZIP, ZIP | {"ZipCode": KEY}, ZIP | {"ConnectDate": KEY[3:]}]}
    with answering(says(reply(json.dumps(stations).encode()))) as server:
        assert told(server.base_url, "stations", "--refresh", "--data-dir", str(root)) == 0
    with answering(says(reply(json.dumps(zips).encode()))) as server:
        assert told(server.base_url, "zip-codes", "--zip", "93624") == 0
    for path in root.rglob("*"):
        assert not path.is_file() or not shows_the_key(path.read_bytes().decode("latin-1"))


@pytest.mark.parametrize("echo", ECHOES)
def test_no_command_shows_it(echo: str, root: Path, told: Callable[..., int]) -> None:
    words = "fetch-streaming --stations 2 --start 2024-01-01 --end 2024-01-05 --full --verbose"
    with answering(says(ECHOES[echo], close=True)) as server:
        code = told(server.base_url, *words.split(), "--retries", "0", "--data-dir", str(root))
    assert code in (2, 4, 5, 6)


def test_what_doctor_asks_does_not_show_it() -> None:
    """The one request that gives its error, if there is one, in its answer."""

    async def main(base_url: str) -> str:
        async with CimisClient(settings_of(base_url)) as client:
            found = await client.probe()
        error = found.error
        told = "" if error is None else f"{error.as_dict()} {error.__cause__!r}"
        return f"{found!r} {error} {told}"

    for echo in ECHOES.values():
        with answering(says(echo, close=True)) as server:
            assert not shows_the_key(asyncio.run(main(server.base_url)))


def test_nothing_that_a_service_sets_is_sent_back(root: Path) -> None:
    """No cookie, the key in it or not, goes with a later request."""
    cookies = (f"Set-Cookie: k={KEY}; Path=/; Max-Age=9999", "Set-Cookie: track=me")

    async def main(base_url: str) -> None:
        async with CimisClient(settings_of(base_url)) as client:
            for _ in range(3):
                async with client.data(WINDOW) as response:
                    [piece async for piece in response.pieces()]

    with answering(says(reply(right("streaming"), headers=cookies))) as server:
        asyncio.run(main(server.base_url))
    assert len(server.heads) == 3
    assert not any("cookie" in head.lower() for head in server.heads)


def test_over_http_2_it_is_neither_told_nor_logged(
    root: Path, trusted: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    def frames(connection: h2.connection.H2Connection, stream: int) -> None:
        connection.send_headers(stream, [(":status", "400"), ("x-echo", KEY), ("set-cookie", KEY)])
        connection.send_data(stream, f"bad {KEY}".encode(), end_stream=True)

    with answering_h2(frames, trusted.server()) as server:
        error = refused("streaming", server.base_url, root)
    assert "bad ****" in str(error)
    assert len(server.asked) == 1
    assert KEY not in caplog.text


def test_every_longer_piece_of_a_key_is_masked() -> None:
    """Of 8 characters and more, in any case; what is shorter tells nothing."""
    key = "0123456789abcdef0123456789ABCDEF"
    assert masked(f"a {key} b", key) == "a **** b"
    assert masked(f"a {key.upper()} b {key.lower()}", key) == "a **** b ****"
    for start in range(0, 20, 3):
        assert masked(f"a{key[start : start + 10]}!", key) == "a****!"
    assert masked("abcdef0", key) == "abcdef0"
    assert masked("no key here", key) == "no key here"
    assert masked("a k b", "k") == "a **** b"


def test_every_way_in_is_tried() -> None:
    """What is refused above is refused by every way that a client can be asked."""
    assert WAYS.keys() == DATA.keys() | LISTS.keys()
    public = {name for name in vars(CimisClient) if not name.startswith("_")}
    assert public == {"data", "stations", "station", "zip_codes", "probe", "shown"}
