"""The times of a request are measured: phases that happen count, those that do not are zero."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import time
from pathlib import Path
from typing import Any

import pytest

from cimis.pipeline.errors import NetworkError
from cimis.pipeline.service import CimisClient, Settings, Timings
from cimis.pipeline.service.timings import PHASES
from tests.api.raw_server import KEY, WINDOW, Answer, raw_server, reply, says

SLOW_S = 0.06


async def slow_to_start(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(SLOW_S)
    await says(reply())(writer)


def timed(
    *answers: Answer, requests: int = 1, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> tuple[list[Timings], int]:
    """Return the times of some requests, one after another, and the connections they took."""

    async def main() -> tuple[list[Timings], int]:
        async with raw_server(*answers, tls=tls) as server:
            settings = Settings(server.base_url.replace("127.0.0.1", host), KEY)
            found = []
            async with CimisClient(settings) as client:
                for _ in range(requests):
                    async with client.data(WINDOW) as response:
                        assert [p async for p in response.pieces()]
                    found.append(response.timings)
            return found, server.connections

    return asyncio.run(main())


def test_a_new_connection_has_its_times_and_a_standing_one_none() -> None:
    """Look-up and connecting are measured once; the second request uses the same connection."""
    (first, second), connections = timed(says(reply()), requests=2, host="localhost")
    assert connections == 1
    assert first.connect_ms > 0
    assert first.tls_ms == 0
    assert (second.connect_ms, second.tls_ms) == (0, 0)
    assert second.ttfb_ms > 0


def test_looking_up_a_name_counts_as_connecting(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def slow(*given: Any, **named: Any) -> list[Any]:
        time.sleep(SLOW_S)
        return real(*given, **named)

    monkeypatch.setattr("socket.getaddrinfo", slow)
    ((timings,), _) = timed(says(reply()), host="localhost")
    assert timings.connect_ms >= SLOW_S * 1000
    assert timings.ttfb_ms <= timings.total_ms - timings.connect_ms


def test_connecting_in_vain_is_measured() -> None:
    """The times of a try that fails are kept, so that the report's sums are whole."""
    timings = Timings()

    async def main() -> None:
        async with (
            CimisClient(Settings("http://127.0.0.1:9", KEY)) as client,
            client.data(WINDOW, timings=timings),
        ):
            raise AssertionError("something answers at port 9")

    with pytest.raises(NetworkError):
        asyncio.run(main())
    assert 0 < timings.connect_ms <= timings.total_ms
    assert timings.ttfb_ms == 0


def test_waiting_for_the_first_byte_counts_as_such() -> None:
    ((timings,), _) = timed(slow_to_start)
    assert timings.ttfb_ms >= SLOW_S * 1000
    assert timings.connect_ms + timings.ttfb_ms + timings.read_ms <= timings.total_ms


def test_waiting_for_the_body_counts_as_reading() -> None:
    ((timings,), _) = timed(says(reply()[:-9], reply()[-9:], pause_s=SLOW_S))
    assert timings.read_ms >= SLOW_S * 900
    assert timings.ttfb_ms < timings.total_ms - timings.read_ms


def test_the_handshake_is_measured(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    (first, second), _ = timed(says(reply()), requests=2, tls=context)
    assert first.tls_ms > 0
    assert second.tls_ms == 0


def test_times_add_up_and_go_into_json() -> None:
    total = Timings()
    total.add(Timings(connect_ms=1.0, read_ms=4.0))
    total.add(Timings(read_ms=2.0, write_ms=8.0), share=0.5)
    assert json.loads(json.dumps(total.as_dict())) == {
        **dict.fromkeys(PHASES, 0.0),
        "connect_ms": 1.0,
        "read_ms": 5.0,
        "write_ms": 4.0,
    }
