"""No server holds the client for ever: each step has its time, and so has the whole."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path

import h2.connection
import h2.settings
import pytest

from cimis.pipeline.errors import NetworkError, RateLimited, RequestRefused
from cimis.pipeline.service import RetryPolicy, Timeouts
from tests.api.raw_server import Answer, hangs, reply, says
from tests.hostile.conftest import Authority
from tests.hostile.servers import answering, answering_h2, endless, proxying
from tests.hostile.ways_in import PATIENT, QUICK, WAYS, refused, request, run, taken

LONGEST_S = 10
"""Far more than any wait of `QUICK`; a client that waits on is at fault."""


def late(way: str, answer: Answer, root: Path) -> NetworkError:
    """Return the error of a server that takes its time."""
    began = time.monotonic()
    with answering(answer) as server:
        error = refused(way, server.base_url, root, QUICK)
    assert time.monotonic() - began < LONGEST_S
    assert isinstance(error, NetworkError)
    assert error.retryable
    return error


@pytest.mark.parametrize("way", WAYS)
def test_silence_is_left(way: str, root: Path) -> None:
    """A connection that is taken, and on which nothing comes."""
    assert late(way, hangs, root).kind == "read_timeout"


DRIPS = {
    "a body": (b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", b" "),
    "a chunked body": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
    "a status line": (b"HTTP/1.1 200 ", b"O"),
    "other answers first": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
}


@pytest.mark.parametrize("drip", DRIPS)
def test_a_drip_is_left_when_the_whole_takes_too_long(drip: str, root: Path) -> None:
    """Each byte comes in time, and the answer never ends."""
    error = late("streaming", endless(*DRIPS[drip], pause_s=0.1), root)
    assert error.kind == "too_slow"
    assert "did not come to the end" in str(error)


@pytest.mark.parametrize("way", ["stations", "plain"])
def test_other_ways_in_leave_a_drip_too(way: str, root: Path) -> None:
    assert late(way, endless(*DRIPS["a body"], pause_s=0.1), root).kind == "too_slow"


def test_a_refusal_that_drips_is_still_what_its_status_says(root: Path) -> None:
    head = b"HTTP/1.1 400 Bad\r\nContent-Length: 99999\r\n\r\n"
    with answering(endless(head, b"x", pause_s=0.1)) as server:
        assert type(refused("streaming", server.base_url, root, QUICK)) is RequestRefused


def test_a_slow_answer_that_comes_to_its_end_is_taken(root: Path) -> None:
    """The bound is on the whole, not on each pause."""
    from tests.hostile.bodies import right

    whole = reply(right("stations"))
    parts = [whole[at : at + 80] for at in range(0, len(whole), 80)]
    with answering(says(*parts, pause_s=0.05)) as server:
        assert taken("stations", server.base_url, root)


def test_the_wait_for_the_whole_follows_the_wait_for_a_step() -> None:
    """A longer --timeout gives the whole longer; a shorter one does not cut a long download."""
    assert Timeouts().whole_s == Timeouts.of(1).whole_s == 600
    assert Timeouts.of(1000).whole_s == 5000


def test_a_handshake_that_never_comes_is_left(root: Path) -> None:
    """TCP stands, TLS is never begun."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        base_url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        error = refused("streaming", base_url, root, QUICK)
    assert error.as_dict()["kind"] == "connect_timeout"


def test_a_proxy_that_says_nothing_is_left(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(hangs) as silent:
        monkeypatch.setenv("HTTPS_PROXY", silent.base_url)
        error = refused("streaming", "https://cimis.test", root, QUICK)
    assert error.as_dict()["kind"] in ("read_timeout", "connect_timeout")


@pytest.mark.parametrize("how", ["no stream", "no answer", "no end"])
def test_http_2_that_stalls_is_left(how: str, root: Path, trusted: Authority) -> None:
    def frames(connection: h2.connection.H2Connection, stream: int) -> None:
        if how == "no end":
            connection.send_headers(stream, [(":status", "200")])

    least = {h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 0} if how == "no stream" else {}
    began = time.monotonic()
    with answering_h2(frames, trusted.server(), least) as server:
        error = refused("streaming", server.base_url, root, QUICK)
    assert time.monotonic() - began < LONGEST_S
    assert error.as_dict()["kind"] in ("too_slow", "read_timeout")


WAITS = {
    "ten years": "315360000",
    "more digits than a number has": "9" * 400,
    "negative": "-5",
    "a fraction": "1.5",
    "not a number": "soon",
    "nothing": "",
    "the year 9999": "Fri, 31 Dec 9999 23:59:59 GMT",
    "a year that is none": "Fri, 31 Dec 99999 23:59:59 GMT",
    "a zone that is none": "Fri, 31 Dec 2027 23:59:59 +999999",
    "the past": "Wed, 21 Oct 2015 07:28:00 GMT",
    "before all clocks": "Mon, 01 Jan 0001 00:00:00 +1400",
    "other digits": "\u0665".encode().decode("latin-1"),
}


@pytest.mark.parametrize("wait", WAITS)
@pytest.mark.parametrize("status", ["429 Too Many", "503 Unavailable"])
def test_no_wait_that_is_asked_for_is_absurd(status: str, wait: str, root: Path) -> None:
    """None is longer than the policy's most, negative, or the end of the program."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(0)

    policy = RetryPolicy(tries=2, sleep=sleep)
    answer = says(reply(b"", status=status, headers=(f"Retry-After: {WAITS[wait]}",)))
    with answering(answer) as server:
        report = run(server.base_url, root, request(2, policy=policy, timeouts=PATIENT))
    (failed,) = report.failed
    assert failed.error is not None
    assert isinstance(failed.error, RateLimited) == status.startswith("429")
    assert all(0 <= seconds <= 300 for seconds in slept)
    assert len(server.heads) == (1 if wait in ("ten years", "the year 9999") else 2)


def test_a_wait_beyond_the_most_is_told_not_sat_out(root: Path) -> None:
    answer = says(reply(b"", status="429 Too Many", headers=("Retry-After: 315360000",)))
    with answering(answer) as server:
        error = refused("stations", server.base_url, root)
    assert "315360000 s" in str(error.hint)


def test_a_proxy_carries_what_is_right(
    root: Path, trusted: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that what is refused through one above is not refused for its own sake."""
    from tests.hostile.bodies import right

    answer = says(reply(right("stations")))
    with proxying() as proxy, answering(answer, tls=trusted.server("cimis.test")) as server:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        port = server.base_url.rpartition(":")[2]
        assert taken("stations", f"https://cimis.test:{port}", root)
