"""A body that is not, byte for byte, what the service sends is refused, never half taken."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from cimis.pipeline.errors import CimisError, DecodeError, FirewallPage, NetworkError, ServiceError
from tests.api.raw_server import reply, says
from tests.hostile.bodies import LISTED, item, record, right
from tests.hostile.servers import answering
from tests.hostile.ways_in import DATA, LISTS, WAYS, refused, request, run, taken
from tests.ingest.service import body_of


def sent(way: str, answer: bytes, root: Path, *, close: bool = True) -> CimisError:
    with answering(says(answer, close=close)) as server:
        return refused(way, server.base_url, root)


@pytest.mark.parametrize("way", WAYS)
def test_a_page_with_status_200_is_no_data(way: str, root: Path) -> None:
    page = b"<html><head><title>Request Rejected</title></head></html>"
    assert type(sent(way, reply(page, headers=("Content-Type: text/html",)), root)) is FirewallPage
    assert type(sent(way, reply(page), root)) is FirewallPage


TYPES = ("text/plain", "application/xml", "image/png", "application/octet-stream", "", "x" * 2000)


@pytest.mark.parametrize("kind", TYPES)
def test_the_body_decides_not_what_it_is_called(kind: str, root: Path) -> None:
    """Data under another name are data; something else under the right name is not."""
    answer = reply(right("streaming"), headers=(f"Content-Type: {kind}",))
    with answering(says(answer)) as server:
        assert taken("streaming", server.base_url, root)
    sent("streaming", reply(b"%PDF-1.7", headers=("Content-Type: application/json",)), root)


@pytest.mark.parametrize("way", WAYS)
def test_an_error_text_with_status_200_is_told(way: str, root: Path) -> None:
    """What the service says stands in the error, whatever its form."""
    for body in (b"ERR1006-INVALID APP KEY", b'{"Message":"ERR1006-INVALID APP KEY"}'):
        error = sent(way, reply(body), root)
        assert type(error) is DecodeError
        assert "ERR1006" in str(error)


@pytest.mark.parametrize("way", WAYS)
def test_other_good_statuses_are_no_data(way: str, root: Path) -> None:
    for status in ("204 No Content", "206 Partial", "203 Other", "299 Odd"):
        body = b"" if status.startswith("204") else right(way)
        assert type(sent(way, reply(body, status=status), root)) is ServiceError


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("less", [1, 40])
def test_a_body_shorter_than_announced_is_cut(less: int, way: str, root: Path) -> None:
    error = sent(way, reply(right(way))[:-less], root)
    assert type(error) is NetworkError
    assert error.kind == "eof"


@pytest.mark.parametrize("way", WAYS)
def test_a_body_longer_than_announced_is_cut(way: str, root: Path) -> None:
    """The rest is not taken for the next answer, and what came is not taken for all."""
    body = right(way)
    answer = reply(body).replace(
        f"Content-Length: {len(body)}".encode(), f"Content-Length: {len(body) - 3}".encode()
    )
    error = sent(way, answer, root)
    assert isinstance(error, NetworkError if way in DATA else DecodeError)


LENGTHS = (
    "Content-Length: -1",
    "Content-Length: 5, 9",
    "Content-Length: 1e3",
    "Content-Length: 5\r\nContent-Length: 9",
)


@pytest.mark.parametrize("length", LENGTHS)
def test_lengths_that_are_none_are_refused(length: str, root: Path) -> None:
    answer = f"HTTP/1.1 200 OK\r\n{length}\r\n\r\n".encode() + right("streaming")
    assert type(sent("streaming", answer, root)) is NetworkError


CHUNKS = {
    "no size": b"\r\n{}\r\n0\r\n\r\n",
    "a size that is none": b"xyz\r\n{}\r\n0\r\n\r\n",
    "a negative size": b"-2\r\n{}\r\n0\r\n\r\n",
    "a huge size": b"ffffffffffffffffffff\r\n{}\r\n",
    "no last piece": b"2\r\n{}\r\n",
}


@pytest.mark.parametrize("name", CHUNKS)
def test_pieces_that_are_none_are_refused(name: str, root: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert type(sent("streaming", head + CHUNKS[name], root)) is NetworkError


@pytest.mark.parametrize("way", WAYS)
def test_a_packed_body_that_is_cut_or_damaged_is_refused(way: str, root: Path) -> None:
    packed = gzip.compress(right(way), mtime=0)
    at = len(packed) // 2
    damaged = packed[:at] + bytes([packed[at] ^ 0x55]) + packed[at + 1 :]
    wrong_sum = packed[:-8] + b"\0\0\0\0" + packed[-4:]
    for wire in (packed[:-9], damaged, wrong_sum, packed + b"more", right(way)):
        error = sent(way, reply(wire, headers=("Content-Encoding: gzip",)), root)
        assert isinstance(error, NetworkError)


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "compress", "\x80", "gzip;q=1"])
def test_encodings_that_were_not_asked_for_are_refused(encoding: str, root: Path) -> None:
    for way in ("streaming", "stations"):
        answer = reply(right(way), headers=(f"Content-Encoding: {encoding}",))
        assert type(sent(way, answer, root)) is DecodeError


UNICODE = {
    "Latin-1": b"caf\xe9",
    "a cut character": b"\xe2\x82",
    "a surrogate": b"\xed\xa0\x80",
    "an overlong slash": b"\xc0\xaf",
    "beyond Unicode": b"\xf4\x90\x80\x80",
}


@pytest.mark.parametrize("way", ["streaming", "plain", "stations", "zip codes"])
@pytest.mark.parametrize("name", UNICODE)
def test_text_that_is_not_utf_8_is_refused(name: str, way: str, root: Path) -> None:
    body = right(way)
    at = body.index(b"93624")
    bent = body[:at] + UNICODE[name] + body[at:]
    assert type(sent(way, reply(bent), root)) is DecodeError


@pytest.mark.parametrize("way", ["streaming", "plain", "stations"])
@pytest.mark.parametrize("coding", ["utf-16", "utf-32", "utf-16-le"])
def test_json_of_another_coding_is_refused(coding: str, way: str, root: Path) -> None:
    """Python's own parser would take it."""
    assert type(sent(way, reply(right(way).decode().encode(coding)), root)) is DecodeError


@pytest.mark.parametrize("way", ["streaming", "plain"])
@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e999", '"NaN"', '"inf"', '"1e3"']
)
def test_no_number_that_is_none_is_taken(number: str, way: str, root: Path) -> None:
    text = body_of([record(DayPrecip=item("DayPrecip", "@"))]).decode()
    assert type(sent(way, reply(text.replace('"@"', number).encode()), root)) is DecodeError


@pytest.mark.parametrize("way", ["streaming", "plain"])
def test_nor_where_nobody_reads_it(way: str, root: Path) -> None:
    """NaN is not JSON, wherever it stands."""
    text = body_of([record(Note="@")]).decode()
    assert type(sent(way, reply(text.replace('"@"', "NaN").encode()), root)) is DecodeError


TWICE = {
    "a date": ('"Julian"', '"Date":"2024-01-02","Julian"'),
    "a station": ('"Station":"2"', '"Station":"5","Station":"2"'),
    "a unit": ('"Standard":"metric"', '"Standard":"english","Standard":"metric"'),
    "an item": ('"DayPrecip"', '"DayPrecip":{"Value":"7.7","Qc":" ","Unit":"(mm)"},"DayPrecip"'),
    "a value": ('"Value":"1.0"', '"Value":"7.7","Value":"1.0"'),
    "an item with blanks": ('"DayPrecip"', '"DayPrecip" : null,"DayPrecip"'),
    "an escaped item": ('"DayPrecip"', '"DayPreci\\u0070":null,"DayPrecip"'),
    "the records": ('"Records"', '"Records":[],"Records"'),
    "the providers": ('"Providers"', '"Providers":[],"Providers"'),
    "the data": ('{"Data"', '{"Data":{"Providers":[]},"Data"'),
}


@pytest.mark.parametrize("way", ["streaming", "plain"])
@pytest.mark.parametrize("name", TWICE)
def test_a_key_that_stands_twice_is_refused(name: str, way: str, root: Path) -> None:
    """Which of the two is meant nobody can say."""
    once, twice = TWICE[name]
    good = [record(Date=f"2024-01-{day:02}", Julian=str(day)) for day in range(1, 32)]
    parts = body_of(good).decode().rpartition(once)
    if once in ('"Records"', '"Providers"', '{"Data"'):
        parts = body_of(good).decode().partition(once)
    bent = parts[0] + twice + parts[2]
    error = sent(way, reply(bent.encode()), root)
    assert type(error) is DecodeError
    assert "twice" in str(error)


@pytest.mark.parametrize("way", LISTS)
def test_odd_entries_alone_are_no_list(way: str, root: Path) -> None:
    key = "ZipCodes" if "zip" in way else "Stations"
    odd: tuple[list[Any], ...] = ([None], [[]], ["x"], [{"StationNbr": "two"}], [{"ZipCode": 1e9}])
    for entries in odd:
        assert type(sent(way, reply(json.dumps({key: entries}).encode()), root)) is DecodeError


def test_a_name_may_not_steer_the_terminal(root: Path) -> None:
    """Signs that a terminal obeys are blanked, in names that are kept and in what is warned of."""
    from cimis.pipeline.service.stations import parse_stations

    evil = "\x1b]0;owned\x07\x1b[31mFive\x9bPoints\u202e\u200b"
    (station,) = parse_stations(json.dumps({"Stations": [LISTED | {"Name": evil}]}).encode())
    assert station.name.isprintable()
    body = body_of([record(**{evil: 1})])
    with answering(says(reply(body))) as server:
        report = run(server.base_url, root, request(2))
    assert all(warning.isprintable() for warning in report.warnings)
    assert any("owned" in warning for warning in report.warnings)


@pytest.mark.parametrize("way", WAYS)
def test_errors_stay_on_one_printable_line(way: str, root: Path) -> None:
    evil = b"\x1b[2J\r\n\x00\xff\xfe\x9b31m\xe2\x80\xae" * 20
    for answer in (reply(evil), reply(evil, status="400 Bad"), reply(b'{"Message":"' + evil)):
        error = sent(way, answer, root)
        assert str(error).isprintable()
        assert len(str(error)) < 400
