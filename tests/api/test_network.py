"""Finding a way to the service: several addresses, proxies from the environment."""

from __future__ import annotations

import asyncio
import socket
import ssl

import httpx
import pytest

from cimis.pipeline.errors import NetworkError, UsageError
from cimis.pipeline.service import CimisClient, Settings
from cimis.pipeline.service.failures import socket_failure
from tests.api.raw_server import EMPTY, KEY, WINDOW, raw_server, refusing, reply, says

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def addresses(monkeypatch: pytest.MonkeyPatch, *found: str) -> None:
    """Let the name service know these addresses, in this order, of every host."""

    def look_up(host: object, port: int, *given: object, **named: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr("socket.getaddrinfo", look_up)


def fetched(base_url: str) -> bytes:
    async def main() -> bytes:
        async with (
            CimisClient(Settings(base_url, KEY)) as client,
            client.data(WINDOW) as response,
        ):
            return b"".join([piece async for piece in response.pieces()])

    return asyncio.run(main())


def test_a_dead_address_of_a_host_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> int:
        async with raw_server(says(reply())) as server:
            port = server.base_url.rsplit(":", 1)[1]
            addresses(monkeypatch, "127.0.0.2", "127.0.0.1")
            settings = Settings(f"http://cimis.invalid:{port}", KEY)
            async with CimisClient(settings) as client, client.data(WINDOW) as response:
                return response.status

    assert asyncio.run(main()) == 200


def test_when_every_address_refuses_that_is_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    with refusing() as base_url:
        port = base_url.rsplit(":", 1)[1]
        addresses(monkeypatch, "127.0.0.2", "127.0.0.1")
        with pytest.raises(NetworkError) as caught:
            fetched(f"http://cimis.invalid:{port}")
    assert caught.value.kind == "refused"


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
    outer = httpx.ConnectError("failed")
    outer.__cause__ = cause
    error = socket_failure(outer, host="h", where={"stations": (2,)})
    assert error.kind == kind
    assert error.retryable
    assert error.stations == (2,)
