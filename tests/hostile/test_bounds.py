"""Whatever a service sends, a bounded part of it is taken, and then it is refused."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from pathlib import Path

import h2.connection
import pytest
import zstandard

from cimis.pipeline.errors import CimisError, DecodeError, NetworkError
from cimis.pipeline.service import Timeouts
from tests.api.raw_server import Answer, reply, says
from tests.hostile.bodies import record
from tests.hostile.conftest import Authority
from tests.hostile.servers import answering, answering_h2, endless
from tests.hostile.ways_in import DATA, QUICK, WAYS, refused, request, run
from tests.ingest.service import body_of

MB = 1 << 20
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
HEAD = body_of([record()])[:-5]
"""A body that is right until its last records."""


def asked(way: str, answer: Answer, root: Path) -> CimisError:
    with answering(answer) as server:
        return refused(way, server.base_url, root)


def _deflated(head: bytes) -> bytes:
    """Return a raw deflate stream that begins so and goes on with 200 MB of blanks."""
    packer = zlib.compressobj(9, wbits=-15)
    first = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(b" " * MB) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + block * 200


BOMBS = {
    "gzip": gzip.compress(b"", mtime=0)[:10] + _deflated(HEAD),
    "deflate": b"\x78\xda" + _deflated(HEAD),
    "zstd": zstandard.compress(HEAD) + zstandard.compress(b" " * MB) * 200,
}
"""A few hundred KB that begin as an answer does and inflate to 200 MB."""


@pytest.mark.parametrize("way", ["streaming", "plain", "zip code", "stations", "zip codes"])
@pytest.mark.parametrize("encoding", BOMBS)
def test_a_bomb_is_refused_before_it_fills_the_memory(encoding: str, way: str, root: Path) -> None:
    """Once, and for good: to ask again would be to be sent it again."""
    tracemalloc.start()
    try:
        answer = reply(BOMBS[encoding], headers=(f"Content-Encoding: {encoding}",))
        with answering(says(answer)) as server:
            error = refused(way, server.base_url, root)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert type(error) is DecodeError
    assert "longer than" in str(error)
    assert len(server.heads) == 1
    assert most < 120 * MB


@pytest.mark.parametrize(
    ("way", "length"),
    [
        *((way, "Content-Length: 9999999999") for way in WAYS),
        *((way, "Transfer-Encoding: chunked") for way in ("streaming", "stations")),
    ],
)
def test_an_endless_body_is_left_after_its_measure(way: str, length: str, root: Path) -> None:
    """Blanks for ever behind a beginning that is right."""
    piece = b" " * 65_536
    body = HEAD if way in DATA else b'{"Stations":['
    if "chunked" in length:
        piece = b"10000\r\n" + piece + b"\r\n"
        body = f"{len(body):x}\r\n".encode() + body + b"\r\n"
    error = asked(way, endless(JSON + length.encode() + b"\r\n\r\n" + body, piece), root)
    assert type(error) is DecodeError


def test_records_without_end_are_left_after_their_measure(root: Path) -> None:
    """Each of them right, so that nothing but their number is wrong."""
    piece = body_of([record()])[len(body_of([])) - 5 : -5] + b","
    head = JSON + b"Content-Length: 9999999999\r\n\r\n" + body_of([])[:-5]
    with answering(endless(head, piece * 80)) as server:
        wanted = request(2, timeouts=Timeouts(whole_s=60))
        (failed,) = run(server.base_url, root, wanted).failed
    assert "longer than" in str(failed.error)


@pytest.mark.parametrize(
    ("encoding", "way"), [("gzip", "streaming"), ("zstd", "streaming"), ("gzip", "stations")]
)
def test_packed_nothing_without_end_is_left(encoding: str, way: str, root: Path) -> None:
    """Bytes that inflate to nothing would be waited on for ever."""
    nothing = zstandard.compress(b"") if encoding == "zstd" else gzip.compress(b"", mtime=0)
    head = JSON + f"Content-Encoding: {encoding}\r\nContent-Length: 9999999999\r\n\r\n".encode()
    piece = nothing * (16_384 // len(nothing))
    with answering(endless(head, piece, pause_s=0.02)) as server:
        error = refused(way, server.base_url, root, QUICK)
    assert isinstance(error, DecodeError | NetworkError)


@pytest.mark.parametrize("way", ["streaming", "stations"])
@pytest.mark.parametrize("body", [b"x", b"<html>", b" "])
def test_an_endless_refusal_is_left(body: bytes, way: str, root: Path) -> None:
    """What an error says is read for its first 64 KB."""
    head = b"HTTP/1.1 400 Bad\r\nContent-Length: 9999999999\r\n\r\n"
    error = asked(way, endless(head, body * 16_384, most=200 * MB), root)
    assert len(str(error)) < 400


HEADERS = {
    "one header": b"X-Long: " + b"a" * 300_000,
    "many headers": b"X-A: b\r\n" * 20_000,
    "a status line": b"HTTP/1.1 200 " + b"O" * 300_000,
    "no end of the first line": b"H" * 300_000,
}


@pytest.mark.parametrize("way", ["streaming", "stations"])
@pytest.mark.parametrize("name", HEADERS)
def test_huge_headers_are_refused(name: str, way: str, root: Path) -> None:
    start = b"" if "line" in name else b"HTTP/1.1 200 OK\r\n"
    error = asked(way, says(start + HEADERS[name]), root)
    assert type(error) is NetworkError
    assert error.kind == "protocol"


def test_huge_headers_over_http_2_are_refused(root: Path, trusted: Authority) -> None:
    """A header of 3,000 bytes, and one byte for each of 200 repetitions of it."""

    def frames(connection: h2.connection.H2Connection, stream: int) -> None:
        connection.send_headers(stream, [(":status", "200"), *[("x-long", "a" * 3000)] * 200])

    with answering_h2(frames, trusted.server()) as server:
        error = refused("streaming", server.base_url, root)
    assert type(error) is NetworkError
    assert error.kind == "protocol"


LONG = "9" * 3 * MB
VALUES = {
    "a text": f'"{LONG}"',
    "a number": LONG,
    "an exponent": f"1e{LONG}",
    "a flag": f'"1","Qc":"{LONG}"',
    "a key": f'"1","{LONG}":"1"',
}


@pytest.mark.parametrize(
    ("name", "way"),
    [*((name, "streaming") for name in VALUES), *((name, "plain") for name in list(VALUES)[:-1])],
)
def test_a_huge_value_is_refused(name: str, way: str, root: Path) -> None:
    text = body_of([record(DayPrecip={"Value": "@"})]).decode()
    error = asked(way, says(reply(text.replace('"@"', VALUES[name], 1).encode())), root)
    assert isinstance(error, DecodeError | NetworkError)
    assert len(str(error)) < 400


@pytest.mark.parametrize("way", ["stations", "zip codes"])
@pytest.mark.parametrize("deep", ["[" * 500_000, '{"a":' * 500_000, f"[{LONG}", f'["{LONG}'])
def test_a_deep_or_huge_list_is_refused(deep: str, way: str, root: Path) -> None:
    key = "ZipCodes" if "zip" in way else "Stations"
    error = asked(way, says(reply(f'{{"{key}":{deep}'.encode())), root)
    assert type(error) is DecodeError
    assert len(str(error)) < 400


@pytest.mark.parametrize("way", ["streaming", "plain"])
@pytest.mark.parametrize("mark", ["[", '{"a":'])
def test_deep_nesting_is_refused(mark: str, way: str, root: Path) -> None:
    text = body_of([record(Note="@")]).decode()
    deep = mark * 200_000
    error = asked(way, says(reply(text.replace('"@"', deep, 1).encode())), root)
    assert isinstance(error, DecodeError | NetworkError)
    assert len(str(error)) < 400


def test_a_window_that_zstd_would_keep_is_bounded(root: Path) -> None:
    """A frame may not make its reader keep 128 MB: over HTTP 8 MB are the most."""
    parameters = zstandard.ZstdCompressionParameters(window_log=27)
    frame = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    body = frame.compress(body_of([record()])) + frame.flush()
    error = asked("streaming", says(reply(body, headers=("Content-Encoding: zstd",))), root)
    assert type(error) is NetworkError
    assert error.kind == "corrupt_body"
