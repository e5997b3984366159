"""Every way a request can fail, from a real server to the report: class, words, hint, tries."""

from __future__ import annotations

import asyncio
import datetime as dt
import gzip
import json
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from cimis.pipeline.errors import (
    AuthError,
    CimisError,
    DecodeError,
    FirewallPage,
    NetworkError,
    RateLimited,
    RequestRefused,
    ServiceError,
    TooManyRecords,
)
from cimis.pipeline.fetch import RunReport, fetch_async
from cimis.pipeline.service import RetryPolicy, Settings, Timeouts
from cimis.pipeline.service.timings import Trace
from tests.api.raw_server import (
    KEY,
    Answer,
    hanging_up,
    hangs,
    listening,
    never_accepting,
    raw_server,
    refusing,
    reply,
    resets,
    says,
)
from tests.ingest.service import NOW, wants

QUICK = Timeouts(connect_s=0.3, read_s=0.2, write_s=0.3)
PAGE = b"<html><head><title>Request Rejected</title></head><body>no</body></html>"


def day_json(value: str = "0.0", name: str = "DayPrecip") -> bytes:
    """Return an answer of one day of station 2."""
    record = {
        "Date": "2024-01-01",
        "Julian": "1",
        "Station": "2",
        "Standard": "metric",
        "ZipCodes": "93624",
        "Scope": "daily",
        name: {"Value": value, "Qc": " ", "Unit": "(mm)"},
    }
    provider = {"Name": "cimis", "Type": "station", "Owner": "water.ca.gov", "Records": [record]}
    return json.dumps({"Data": {"Providers": [provider]}}).encode()


DAY = day_json()
PACKED = gzip.compress(DAY, mtime=0)
GZIP = ("Content-Encoding: gzip",)


@dataclass
class Outcome:
    """What a run of one request came to."""

    report: RunReport
    waits: list[float] = field(default_factory=list)

    @property
    def error(self) -> CimisError:
        (result,) = self.report.results
        assert result.error is not None
        return result.error

    def check(self, kind: type[CimisError], said: str, hint: str, attempts: int) -> None:
        """Check the report of one failed station: class, words, hint, tries, place, secrecy."""
        (result,) = self.report.results
        facts = result.as_dict()["error"]
        assert type(self.error) is kind
        assert facts["class"] == kind.__name__
        assert said in facts["message"]
        assert hint in facts["hint"]
        assert facts["retryable"] is (attempts > 1)
        assert (result.attempts, self.report.requests) == (attempts, attempts)
        assert self.report.retries == len(self.waits) == attempts - 1
        assert list(facts["stations"]) == [2]
        assert (facts["start"], facts["end"]) == ("2024-01-01", "2024-01-01")
        assert result.stored == 0
        assert KEY not in json.dumps(self.report.as_dict())


async def outcome_at(root: Path, base_url: str) -> Outcome:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    request = wants(
        [2], "2024-01-01", "2024-01-01", policy=RetryPolicy(sleep=sleep), timeouts=QUICK
    )
    report = await fetch_async(root, request, Settings(base_url, KEY), clock=lambda: NOW)
    return Outcome(report, waits)


def outcome(root: Path, *answers: Answer, tls: ssl.SSLContext | None = None) -> Outcome:
    """Fetch one day of one station from a server that answers so."""

    async def main() -> Outcome:
        async with raw_server(*answers, tls=tls) as server:
            return await outcome_at(root, server.base_url)

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        ("429 Too Many Requests", RateLimited, "answered 429: not now"),
        ("500 Internal Server Error", ServiceError, "answered 500: not now"),
        ("502 Bad Gateway", ServiceError, "answered 502: not now"),
        ("503 Service Unavailable", ServiceError, "answered 503: not now"),
        ("504 Gateway Timeout", ServiceError, "answered 504: not now"),
    ],
)
def test_a_status_that_may_pass_is_tried_four_times(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, status: str, kind: type[CimisError], said: str
) -> None:
    """The log counts the retries, and the report has the last answer."""
    found = outcome(tmp_path, says(reply(b"not now", status=status)))
    found.check(kind, said, "try again later", 4)
    logged = [r.getMessage() for r in caplog.records if r.name == "cimis.fetch"]
    assert logged == [f"retryable: {status[:3]} (attempt {n}/3)" for n in (1, 2, 3)]
    for wait_s, low in zip(found.waits, (1, 2, 4), strict=True):
        assert low <= wait_s <= low + 1


def in_seconds(seconds: int) -> str:
    return str(seconds)


def at_a_moment(seconds: int) -> str:
    return format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize("form", [in_seconds, at_a_moment])
@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_the_wait_that_the_service_names_is_kept_to(
    tmp_path: Path, form: Callable[[int], str], status: str
) -> None:
    """The wait is as long as asked, in either form, and the next try succeeds."""
    told = says(reply(status=status, headers=(f"Retry-After: {form(40)}",)))
    found = outcome(tmp_path, told, says(reply(DAY)))
    assert found.report.exit_code == 0
    assert found.report.results[0].attempts == 2
    assert 35 < found.waits[0] <= 40


def test_a_wait_longer_than_any_run_is_final(tmp_path: Path) -> None:
    found = outcome(tmp_path, says(reply(status="429 Slow", headers=("Retry-After: 7200",))))
    assert type(found.error) is RateLimited
    assert found.error.hint == "try again in 7200 s"
    assert (found.report.requests, found.waits) == (1, [])


@pytest.mark.parametrize(
    ("answer", "said", "hint"),
    [
        (hangs, "the service stopped answering", "--timeout"),
        (says(reply(DAY)[:-30], pause_s=9), "the service stopped answering", "--timeout"),
        (resets, "the connection was reset", "later"),
        (says(close=True), "closed the connection before the answer was whole", "later"),
        (says(reply(DAY)[:-30], close=True), "before the answer was whole", "later"),
        (says(reply(DAY[:-30])), "cut short", "fewer days"),
        (says(reply(b"")), "the body is empty", "fewer days"),
        (says(reply(PACKED[:-20], headers=GZIP)), "gzip body is damaged", "compression"),
        (says(reply(PACKED[:-8] + bytes(8), headers=GZIP)), "gzip body is damaged", "compression"),
        (says(reply(DAY, headers=GZIP)), "gzip body is damaged", "compression"),
        (says(b"220 smtp.example\r\n\r\n"), "the answer is not HTTP", "port"),
    ],
    ids=[
        *("silence", "silence in the body", "reset", "early end", "short body", "cut JSON"),
        *("empty body", "truncated gzip", "corrupt gzip", "plain body called gzip", "not HTTP"),
    ],
)
def test_a_broken_answer_is_tried_four_times(
    tmp_path: Path, answer: Answer, said: str, hint: str
) -> None:
    outcome(tmp_path, answer).check(NetworkError, said, hint, 4)


def test_a_firewalls_page_is_tried_twice(tmp_path: Path) -> None:
    """It may be permanent, and says so with status 200."""
    page = says(reply(PAGE, headers=("Content-Type: text/html",)))
    found = outcome(tmp_path, page)
    found.check(FirewallPage, "HTML page titled 'Request Rejected'", "firewall", 2)
    assert found.error.as_dict()["status"] == 200


def test_a_refused_connection_is_tried_four_times(tmp_path: Path) -> None:
    with refusing() as base_url:
        found = asyncio.run(outcome_at(tmp_path, base_url))
    found.check(NetworkError, "the host refuses the connection", "whether the service is up", 4)


def test_a_connection_that_never_stands_is_tried_four_times(tmp_path: Path) -> None:
    with never_accepting() as base_url:
        found = asyncio.run(outcome_at(tmp_path, base_url))
    found.check(NetworkError, "connecting took too long", "firewall", 4)


def test_a_name_without_an_address_is_tried_four_times(tmp_path: Path) -> None:
    found = asyncio.run(outcome_at(tmp_path, "http://no-such-host.invalid"))
    found.check(NetworkError, "no-such-host.invalid: the host's name", "name service", 4)


def test_a_broken_pipe_is_tried_four_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client begins to send only when the server has left, whoever is quicker otherwise.

    On a busy machine it may notice even so before it sends, which is an end of another kind.
    """
    with hanging_up() as (base_url, broken, accepted):

        class Late(Trace):
            async def __call__(self, event: str, info: dict[str, Any]) -> None:
                if event == "connection.connect_tcp.complete":
                    assert await asyncio.to_thread(broken.wait, 5)
                    broken.clear()
                await super().__call__(event, info)

        monkeypatch.setattr("cimis.pipeline.service.client.Trace", Late)
        for run in range(1, 11):
            found = asyncio.run(outcome_at(tmp_path / str(run), base_url))
            assert isinstance(found.error, NetworkError)
            assert len(accepted) == 4 * run
            if found.error.kind == "broken_pipe":
                break
    found.check(NetworkError, "the connection broke while sending", "later", 4)


def serving(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_a_certificate_of_no_known_authority_is_final(tmp_path: Path, certificate: Path) -> None:
    """It does not become trusted by asking again; `SSL_CERT_FILE` is the way."""
    found = outcome(tmp_path, says(reply(DAY)), tls=serving(certificate))
    found.check(NetworkError, "certificate is not trusted", "SSL_CERT_FILE", 1)
    assert found.report.exit_code == 6


def test_a_failed_handshake_is_tried_four_times(tmp_path: Path) -> None:
    """A server that answers the handshake with plain HTTP."""

    async def main() -> Outcome:
        async with listening(plain) as port:
            return await outcome_at(tmp_path, f"https://127.0.0.1:{port}")

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(reply(b"speak plainly", status="400 Bad Request"))
        await writer.drain()
        writer.close()

    outcome_ = asyncio.run(main())
    outcome_.check(NetworkError, "the encrypted connection failed", "speaks TLS", 4)


@pytest.mark.parametrize(
    ("status", "body", "kind", "said", "hint", "code"),
    [
        ("400 Bad", b'{"Message":"ERR1010"}', RequestRefused, "lies in the future", "PST", 2),
        ("400 Bad", b"ERR1011", RequestRefused, "before the network's first day", "1982", 2),
        ("400 Bad", b"ERR1012", RequestRefused, "the start lies after", "exchange", 2),
        ("400 Bad", b"ERR1032", RequestRefused, "unit of measure", "E or M", 2),
        ("400 Bad", b"ERR2112-DATA VOLUME", TooManyRecords, "more records", "fewer days", 2),
        ("400 Bad", b"nonsense", RequestRefused, "answered 400: nonsense", "base URL", 2),
        ("401 Denied", b'{"statusCode":401}', AuthError, "refuses the API key", "check the key", 5),
        ("403 Forbidden", b"ERR1006", AuthError, "(403 ERR1006)", "check the key", 5),
        ("404 Not Found", b"ERR1019", RequestRefused, "no such station", "cimis stations", 2),
        ("404 Not Found", b"ERR1035", RequestRefused, "no such data item", "cimis items", 2),
        ("404 Not Found", b"", RequestRefused, "answered 404", "base URL", 2),
        ("302 Found", b"", ServiceError, "not followed", "base URL", 6),
        ("200 OK", b'{"Data":{"Providers":7}}', DecodeError, "", "the service has changed", 6),
        ("200 OK", b'{"Stations":[]}', DecodeError, "", "the service has changed", 6),
        ("200 OK", b"no JSON at all", DecodeError, "", "the service has changed", 6),
        ("200 OK", day_json("1.2.3"), DecodeError, "'1.2.3'", "the service has changed", 6),
        ("200 OK", day_json("wet"), DecodeError, "'wet'", "the service has changed", 6),
        (
            *("200 OK", DAY.replace(b'"2024-01-01"', b'"2024-13-41"'), DecodeError),
            *("2024-13-41", "the service has changed", 6),
        ),
        (
            *("200 OK", DAY.replace(b'"2024-01-01"', b'"2024-01-02"'), DecodeError),
            *("not asked for", "the service has changed", 6),
        ),
    ],
)  # fmt: skip
def test_what_cannot_pass_is_tried_once(
    tmp_path: Path,
    status: str,
    body: bytes,
    kind: type[CimisError],
    said: str,
    hint: str,
    code: int,
) -> None:
    """Refusals, wrong schemas and wrong values are final at once, with their exit code."""
    found = outcome(tmp_path, says(reply(body, status=status)))
    found.check(kind, said, hint, 1)
    assert found.report.exit_code == code


def test_a_name_service_that_hangs_does_not_hold_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time-out of connecting holds for the look-up too, and its hint names the name service."""
    over = threading.Event()

    def hang(*given: Any, **named: Any) -> list[Any]:
        assert over.wait(60), "the run has waited for the look-up"
        return []

    monkeypatch.setattr("socket.getaddrinfo", hang)

    async def asked() -> Outcome:
        try:
            return await outcome_at(tmp_path, "http://slow-names.invalid")
        finally:
            over.set()

    found = asyncio.run(asked())
    found.check(NetworkError, "connecting took too long", "name service", 4)
