"""Finding a way to the service: several addresses, proxies from the environment."""

from __future__ import annotations

import asyncio
import ssl

import httpcore
import pytest

from pipeline.api import CimisClient, Settings
from pipeline.api.failures import socket_failure
from pipeline.api.network import _first_to_connect
from pipeline.errors import NetworkError, UsageError
from tests.api.raw_server import EMPTY, KEY, WINDOW, raw_server, reply, says

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


class Stream(httpcore.AsyncNetworkStream):
    closed = False

    def __init__(self, address: str) -> None:
        self.address = address

    async def aclose(self) -> None:
        self.closed = True


def connected(ways: dict[str, float | Exception]) -> str:
    """Return the address that is taken when each answers after some seconds, or fails."""

    async def connect(address: str) -> Stream:
        way = ways[address]
        if isinstance(way, Exception):
            raise way
        await asyncio.sleep(way)
        return Stream(address)

    async def main() -> str:
        stream = await asyncio.wait_for(_first_to_connect(list(ways), connect), 5)
        assert isinstance(stream, Stream)
        assert not stream.closed
        return stream.address

    return asyncio.run(main())


def test_the_preferred_address_is_taken_when_it_answers() -> None:
    assert connected({"a": 0.05, "b": 0.0}) == "a"


def test_a_dead_address_is_passed_over() -> None:
    """Whether it refuses at once or says nothing."""
    assert connected({"a": httpcore.ConnectError("no"), "b": 0.0}) == "b"
    assert connected({"a": 60.0, "b": 0.0}) == "b"


def test_when_all_fail_the_first_ones_reason_is_given() -> None:
    with pytest.raises(httpcore.ConnectError, match="first"):
        connected({"a": httpcore.ConnectError("first"), "b": httpcore.ConnectError("second")})
    with pytest.raises(httpcore.ConnectError, match="no address"):
        connected({})


def fetched(base_url: str) -> bytes:
    async def main() -> bytes:
        async with (
            CimisClient(Settings(base_url, KEY)) as client,
            client.data(WINDOW) as response,
        ):
            return b"".join([piece async for piece in response.pieces()])

    return asyncio.run(main())


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy is asked for the whole address; the host's name need not be known here."""

    async def main() -> list[str]:
        async with raw_server(says(reply())) as proxy:
            monkeypatch.setenv("http_proxy", proxy.base_url)
            settings = Settings("http://cimis.invalid", KEY)
            async with CimisClient(settings) as client, client.data(WINDOW) as response:
                assert b"".join([piece async for piece in response.pieces()]) == EMPTY
            return proxy.heads

    (head,) = asyncio.run(main())
    assert head.startswith("GET http://cimis.invalid/StationWeb/GetDataByStationNumber?")


def test_loopback_and_exempt_hosts_go_without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    async def main() -> None:
        async with (
            raw_server(says(reply())) as server,
            CimisClient(Settings(server.base_url, KEY)) as client,
            client.data(WINDOW) as response,
        ):
            assert response.status == 200

    asyncio.run(main())
    monkeypatch.setenv("no_proxy", "cimis.invalid")
    with pytest.raises(NetworkError) as caught:
        fetched("http://cimis.invalid")
    assert caught.value.kind == "dns"


def test_a_proxy_of_an_unknown_kind_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "socks5://127.0.0.1:9")
    with pytest.raises(UsageError, match="socks5"):
        fetched("https://cimis.invalid")


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        (BrokenPipeError(32, "Broken pipe"), "broken_pipe"),
        (ConnectionAbortedError(103, "aborted"), "reset"),
        (OSError(101, "Network is unreachable"), "unreachable"),
        (ssl.SSLError(1, "record layer failure"), "tls"),
    ],
)
def test_causes_that_loopback_does_not_produce_have_their_kinds(cause: OSError, kind: str) -> None:
    """The kind follows from what the system said, below what the libraries made of it."""
    outer = httpcore.ConnectError("failed")
    outer.__cause__ = cause
    error = socket_failure(outer, host="h", where={"stations": (2,)})
    assert error.kind == kind
    assert error.retryable
    assert error.stations == (2,)
