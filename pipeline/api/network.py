"""Sockets for the HTTP library, with name look-up and connecting measured apart."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

from pipeline.api.timings import Timings
from pipeline.errors import UsageError

__all__ = ["MeasuredTransport", "request_timings"]

request_timings: ContextVar[Timings | None] = ContextVar("request_timings", default=None)
"""The times of the request that the running task makes."""

_STAGGER_S = 0.25
"""Head start of one address of a host over its next, as RFC 8305 advises."""

_KEEPALIVE_S = 30.0


class _MeasuredNetwork(httpcore.AsyncNetworkBackend):
    """The HTTP library's own sockets, after a look-up of ours whose time is known."""

    def __init__(self) -> None:
        self._sockets = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 # the library's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        timings = request_timings.get() or Timings()
        began = time.perf_counter()
        try:
            addresses = await _addresses(host, port, timeout)
        finally:
            timings.dns_ms += (time.perf_counter() - began) * 1000
        left = None if timeout is None else max(timeout - time.perf_counter() + began, 0.001)

        async def connect(address: str) -> httpcore.AsyncNetworkStream:
            return await self._sockets.connect_tcp(
                address, port, left, local_address, socket_options
            )

        with timings.measure("tcp_ms"):
            return await _first_to_connect(addresses, connect)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def _addresses(host: str, port: int, timeout_s: float | None) -> list[str]:
    """Return a host's addresses in the order of the system's preference."""
    try:
        found = await _looked_up(host, port, timeout_s)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(str(error)) from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def _looked_up(host: str, port: int, timeout_s: float | None) -> list[Any]:
    """Ask the system for a host's addresses, in a thread that no time-out or exit waits for."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[Any]] = loop.create_future()

    def settle(found: list[Any] | BaseException) -> None:
        if answer.done():
            return
        if isinstance(found, BaseException):
            answer.set_exception(found)
        else:
            answer.set_result(found)

    def ask() -> None:
        found: list[Any] | BaseException
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            found = error
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, found)

    # the loop's own pool is joined at exit, so a name service that hangs would hold Ctrl-C up
    threading.Thread(target=ask, name="cimis-look-up", daemon=True).start()
    try:
        async with asyncio.timeout(timeout_s):
            return await answer
    except TimeoutError:
        raise socket.gaierror(socket.EAI_AGAIN, f"no answer within {timeout_s:g} s") from None


async def _first_to_connect(addresses: list[str], connect: Any) -> httpcore.AsyncNetworkStream:
    """Return the stream of the first address that answers, each next one tried a little later."""
    running: set[asyncio.Task[httpcore.AsyncNetworkStream]] = set()
    errors: list[BaseException] = []
    waiting = list(addresses)
    try:
        while waiting or running:
            if waiting:
                running.add(asyncio.create_task(connect(waiting.pop(0))))
            done, running = await asyncio.wait(
                running,
                timeout=_STAGGER_S if waiting else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            streams = [task.result() for task in done if task.exception() is None]
            errors += [e for task in done if (e := task.exception()) is not None]
            if streams:
                for spare in streams[1:]:
                    await spare.aclose()
                return streams[0]
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    raise errors[0] if errors else httpcore.ConnectError("the host has no address")


class _Body(httpx.AsyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


class MeasuredTransport(httpx.AsyncBaseTransport):
    """One pool of HTTP/2 and HTTP/1.1 connections to one service, through a proxy where one is set.

    Parameters
    ----------
    base_url : str
        The service; decides about TLS and proxy.
    max_connections : int
        Most connections at once; an HTTP/2 service needs but one.
    """

    def __init__(self, base_url: str, *, max_connections: int = 64) -> None:
        parts = urlsplit(base_url)
        options: dict[str, Any] = {
            "max_connections": max_connections,
            "max_keepalive_connections": max_connections,
            "keepalive_expiry": _KEEPALIVE_S,
            "http2": True,
            "network_backend": _MeasuredNetwork(),
            "ssl_context": _ssl_context() if parts.scheme == "https" else None,
        }
        proxy = _proxy(parts.scheme, parts.hostname or "")
        if proxy is None:
            self._pool = httpcore.AsyncConnectionPool(**options)
            return
        url = httpx.URL(proxy)
        self._pool = httpcore.AsyncHTTPProxy(
            httpcore.URL(
                scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
            ),
            proxy_auth=(url.username, url.password) if url.username else None,
            **options,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; failures come out as the lower library's own exceptions."""
        answer = await self._pool.handle_async_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_Body(answer.stream),
            extensions=answer.extensions,
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()


def _ssl_context() -> ssl.SSLContext:
    return httpx.create_ssl_context()


def _proxy(scheme: str, host: str) -> str | None:
    """Return the proxy that the environment names for a host, if any."""
    if host in ("localhost", "::1") or host.startswith("127.") or proxy_bypass(host):
        return None
    proxies = getproxies()
    found = proxies.get(scheme) or proxies.get("all")
    if found is None or "://" not in found:
        return f"http://{found}" if found else None
    if urlsplit(found).scheme not in ("http", "https"):
        raise UsageError(
            f"the environment's proxy for {host} is of the kind '{urlsplit(found).scheme}'",
            hint="name an HTTP proxy in HTTPS_PROXY, or the host in NO_PROXY",
        )
    return found
