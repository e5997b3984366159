"""Each way in which a request can fail, produced by a real server, becomes its own error."""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl
import zlib
from pathlib import Path
from typing import Any

import pytest
import zstandard

from cimis.pipeline.errors import (
    AuthError,
    CimisError,
    FirewallPage,
    NetworkError,
    RateLimited,
    RequestRefused,
    ServiceError,
    TooManyRecords,
)
from cimis.pipeline.service import CimisClient, Settings, Timeouts
from tests.api.raw_server import (
    EMPTY,
    KEY,
    WINDOW,
    Answer,
    RawServer,
    hangs,
    never_accepting,
    raw_server,
    refusing,
    reply,
    resets,
    says,
)

QUICK = Timeouts(connect_s=0.5, read_s=0.3, write_s=0.5)


async def body_of(settings: Settings, **options: Any) -> bytes:
    async with (
        CimisClient(settings, timeout=QUICK, **options) as client,
        client.data(WINDOW) as response,
    ):
        return b"".join([piece async for piece in response.pieces()])


def ask(answer: Answer, **options: Any) -> tuple[bytes | CimisError, RawServer]:
    """Ask a server that answers so; return the body or the error, and the server."""

    async def main() -> tuple[bytes | CimisError, RawServer]:
        async with raw_server(answer) as server:
            try:
                return await body_of(Settings(server.base_url, KEY), **options), server
            except CimisError as error:
                return error, server

    return asyncio.run(main())


def failure(answer: Answer) -> CimisError:
    """Return the error, having checked what every error must carry and must not show."""
    error, _ = ask(answer)
    assert isinstance(error, CimisError)
    facts = json.dumps(error.as_dict(), default=list)
    assert KEY not in facts + repr(error) + str(error) + str(error.hint)
    assert error.as_dict()["stations"] == (2, 5)
    assert error.as_dict()["start"] == "2024-01-01"
    assert error.as_dict()["end"] == "2024-01-31"
    return error


@pytest.mark.parametrize(
    ("status", "body", "kind", "code", "retryable"),
    [
        ("400 Bad Request", b"[ERR2112-DATA VOLUME VIOLATION]", TooManyRecords, "ERR2112", False),
        ("400 Bad Request", b'{"Message":"ERR1010"}', RequestRefused, "ERR1010", False),
        ("400 Bad Request", b"no code at all", RequestRefused, None, False),
        ("404 Not Found", b"ERR1019-STATION NOT FOUND", RequestRefused, "ERR1019", False),
        ("404 Not Found", b"ERR1035-DATA ITEM NOT FOUND", RequestRefused, "ERR1035", False),
        ("418 Teapot", b"", RequestRefused, None, False),
        ("401 Access Denied", b'{"statusCode":401,"message":"denied"}', AuthError, None, False),
        ("403 Forbidden", b"ERR1006-INVALID APP KEY", AuthError, "ERR1006", False),
        ("408 Request Timeout", b"", ServiceError, None, True),
        ("429 Too Many Requests", b"slow down", RateLimited, None, True),
        ("500 Internal Server Error", b"oops", ServiceError, None, True),
        ("502 Bad Gateway", b"", ServiceError, None, True),
        ("503 Service Unavailable", b"", ServiceError, None, True),
        ("504 Gateway Timeout", b"", ServiceError, None, True),
    ],
)  # fmt: skip
def test_each_status_becomes_its_error(
    status: str, body: bytes, kind: type[CimisError], code: str | None, retryable: bool
) -> None:
    """Class, status, ERR code and whether to try again follow from status and body."""
    error = failure(says(reply(body, status=status)))
    assert type(error) is kind
    facts = error.as_dict()
    assert facts["status"] == int(status[:3])
    assert facts.get("err_code") == code
    assert facts["retryable"] is retryable
    assert code is None or kind is AuthError or "answered" in str(error)


def test_a_refusal_says_in_words_what_its_code_means() -> None:
    error = failure(says(reply(b"ERR1035", status="404 Not Found")))
    assert "there is no such data item" in str(error)
    assert error.hint == "see 'cimis items'"


@pytest.mark.parametrize("status", ["429 Too Many", "503 Unavailable"])
@pytest.mark.parametrize(
    ("header", "low", "high"),
    [
        ("Retry-After: 7", 7, 7),
        ("Retry-After: Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
        ("Retry-After: Fri, 31 Dec 2100 23:59:59 GMT", 1e9, 1e10),
    ],
)
def test_the_wait_that_is_asked_for_is_read_in_both_forms(
    status: str, header: str, low: float, high: float
) -> None:
    error = failure(says(reply(b"", status=status, headers=(header,))))
    assert isinstance(error, ServiceError)
    assert error.retry_after_s is not None
    assert low <= error.retry_after_s <= high


@pytest.mark.parametrize("header", ["Retry-After: soon", "X-Other: 1"])
def test_a_wait_that_is_not_one_is_left_out(header: str) -> None:
    error = failure(says(reply(b"", status="429 Too Many", headers=(header,))))
    assert isinstance(error, RateLimited)
    assert error.retry_after_s is None


PAGE = b"\r\n<html><head><title>Request  Rejected</title></head><body>no</body></html>"


@pytest.mark.parametrize(
    ("body", "status", "headers"),
    [
        (PAGE, "200 OK", ("Content-Type: text/html; charset=utf-8",)),
        (PAGE, "200 OK", ("Content-Type: application/json",)),
        (PAGE, "403 Forbidden", ("Content-Type: text/html",)),
        (PAGE, "503 Unavailable", ()),
        (gzip.compress(PAGE, mtime=0), "200 OK", ("Content-Encoding: gzip",)),
        (zlib.compress(PAGE)[2:-4], "200 OK", ("Content-Encoding: deflate",)),
        (zstandard.compress(PAGE), "200 OK", ("Content-Encoding: zstd",)),
        (gzip.compress(b" " * 400 + PAGE, mtime=0), "200 OK", ("Content-Encoding: gzip",)),
    ],
)
def test_an_html_page_is_the_firewalls_whatever_its_status(
    body: bytes, status: str, headers: tuple[str, ...]
) -> None:
    error = failure(says(reply(body, status=status, headers=headers)))
    assert type(error) is FirewallPage
    assert "'Request Rejected'" in str(error)
    assert error.retryable


def test_a_key_that_the_service_repeats_is_masked() -> None:
    """Even where the answer holds the key, the error does not."""
    error = failure(says(reply(f"bad key {KEY}!".encode(), status="400 Bad")))
    assert "bad key ****!" in str(error)


def test_the_key_goes_into_the_header_and_nowhere_else() -> None:
    got, server = ask(says(reply()))
    assert got == EMPTY
    line, *headers = server.heads[0].split("\r\n")
    assert KEY not in line
    assert [h for h in headers if KEY in h] == [f"Ocp-Apim-Subscription-Key: {KEY}"]


def test_the_request_says_what_is_asked() -> None:
    """Path, query and headers are those that the service documents."""
    _, server = ask(says(reply()))
    line, *headers = server.heads[0].lower().split("\r\n")
    assert line.startswith("get /stationweb/getdatabystationnumber?stationnbrs=2%2c5&")
    assert "&startdate=2024-01-01&enddate=2024-01-31&ishourly=false&unitofmeasure=m&" in line
    assert "dataitems=day-" in line
    assert "accept: application/json" in headers
    assert "accept-encoding: gzip, zstd" in headers
    assert any(h.startswith("user-agent: cimis/") for h in headers)


def test_without_gzip_none_is_asked_for() -> None:
    _, server = ask(says(reply()), gzip=False)
    assert "accept-encoding: identity" in server.heads[0].lower()


def test_the_body_comes_as_it_lies_on_the_wire() -> None:
    """Pieces are the compressed bytes, none lost to the look at the beginning."""
    wire = gzip.compress(EMPTY, mtime=0)
    got, _ = ask(says(reply(wire, headers=("Content-Encoding: gzip",))))
    assert got == wire


def test_a_redirect_is_not_followed() -> None:
    """No second request is made, and the key stays with the first host."""
    answer = says(reply(b"", status="302 Found", headers=("Location: http://127.0.0.1:9/",)))
    error, server = ask(answer)
    assert isinstance(error, ServiceError)
    assert not error.retryable
    assert "not followed" in str(error)
    assert len(server.heads) == 1


CUT = reply()[:-40]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (resets, "reset"),
        (says(close=True), "eof"),
        (says(CUT, close=True), "eof"),
        (says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", close=True), "eof"),
        (hangs, "read_timeout"),
        (says(CUT, pause_s=5), "read_timeout"),
        (says(b"220 smtp.example ESMTP\r\n\r\n"), "protocol"),
    ],
)
def test_each_failure_of_the_connection_has_its_kind(answer: Answer, kind: str) -> None:
    error = failure(answer)
    assert type(error) is NetworkError
    assert error.kind == kind
    assert error.retryable


def error_at(base_url: str) -> NetworkError:
    with pytest.raises(NetworkError) as caught:
        asyncio.run(body_of(Settings(base_url, KEY)))
    assert KEY not in str(caught.value)
    return caught.value


def test_a_refused_connection_is_named_so() -> None:
    with refusing() as base_url:
        error = error_at(base_url)
    assert error.kind == "refused"
    assert error.retryable


def test_a_host_without_an_address_is_named_so() -> None:
    error = error_at("http://no-such-host.invalid")
    assert error.kind == "dns"
    assert error.retryable


def test_a_connection_that_never_stands_is_named_so() -> None:
    with never_accepting() as base_url:
        error = error_at(base_url)
    assert error.kind == "connect_timeout"


def ask_tls(certificate: Path) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    async def main() -> bytes:
        async with raw_server(says(reply()), tls=context) as server:
            return await body_of(Settings(server.base_url, KEY))

    return asyncio.run(main())


def test_an_untrusted_certificate_is_final(certificate: Path) -> None:
    """Trying again does not make a certificate trusted."""
    with pytest.raises(NetworkError, match="certificate") as caught:
        ask_tls(certificate)
    assert caught.value.kind == "tls"
    assert not caught.value.retryable


def test_a_broken_handshake_may_be_tried_again() -> None:
    """A server that speaks no TLS at all breaks the handshake."""

    async def main() -> None:
        async with raw_server(says(reply())) as server:
            await body_of(Settings(server.base_url.replace("http:", "https:"), KEY))

    with pytest.raises(NetworkError) as caught:
        asyncio.run(main())
    assert caught.value.kind in ("tls", "eof", "reset", "connect_timeout")
    assert caught.value.retryable


def test_a_trusted_certificate_is_taken(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert ask_tls(certificate) == EMPTY
