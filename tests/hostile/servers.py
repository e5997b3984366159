"""Servers and a proxy on loopback that mean ill, each in a thread of its own."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import h2.config
import h2.connection
import h2.events

from tests.api.raw_server import Answer, RawServer, listening, raw_server

T = TypeVar("T")


@contextmanager
def in_a_thread(serving: Callable[[], AbstractAsyncContextManager[T]]) -> Iterator[T]:
    """Run an asynchronous server in an event loop of its own; gives what it gives."""
    started = threading.Event()
    given: list[Any] = []

    async def main() -> None:
        ended = asyncio.Event()
        async with serving() as server:
            given.extend((server, asyncio.get_running_loop(), ended))
            started.set()
            await ended.wait()

    thread = threading.Thread(target=asyncio.run, args=(main(),), daemon=True)
    thread.start()
    assert started.wait(10)
    server, loop, ended = given
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)


@contextmanager
def answering(*answers: Answer, tls: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    """Answer one request after the other so, the last answer again and again."""
    with in_a_thread(lambda: raw_server(*answers, tls=tls)) as server:
        yield server


def endless(head: bytes, piece: bytes, *, pause_s: float = 0.0, most: int = 1 << 30) -> Answer:
    """Begin to answer and never come to an end; a client that takes `most` bytes is at fault."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        sent = 0
        while not writer.is_closing() and sent < most:
            writer.write(piece)
            sent += len(piece)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return answer


Frames = Callable[[h2.connection.H2Connection, int], Awaitable[None] | None]
"""Answers one stream of an HTTP/2 connection."""


@dataclass
class H2Server:
    """What an HTTP/2 server was asked, and where it listens."""

    base_url: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)


@asynccontextmanager
async def _h2_server(
    frames: Frames, tls: ssl.SSLContext, settings: dict[Any, int]
) -> AsyncIterator[H2Server]:
    server = H2Server()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        config = h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        connection = h2.connection.H2Connection(config)
        connection.local_settings.update(settings)
        connection.initiate_connection()
        writer.write(connection.data_to_send())
        with suppress(OSError, asyncio.CancelledError, h2.exceptions.ProtocolError):
            while data := await reader.read(65_536):
                for event in connection.receive_data(data):
                    if isinstance(event, h2.events.RequestReceived):
                        server.asked.append({str(k): str(v) for k, v in event.headers or []})
                        frames(connection, event.stream_id or 0)
                writer.write(connection.data_to_send())
                await writer.drain()
        writer.close()

    tls.set_alpn_protocols(["h2"])
    async with listening(serve, tls) as port:
        server.base_url = f"https://127.0.0.1:{port}"
        yield server


@contextmanager
def answering_h2(
    frames: Frames, tls: ssl.SSLContext, settings: dict[Any, int] | None = None
) -> Iterator[H2Server]:
    """Answer every request over HTTP/2 by these frames."""
    with in_a_thread(lambda: _h2_server(frames, tls, settings or {})) as server:
        yield server


@dataclass
class Proxy:
    """Where a proxy listens, and what it was told in the clear."""

    url: str = ""
    heads: list[str] = field(default_factory=list)


@asynccontextmanager
async def _proxy(answer: bytes | None, tls: ssl.SSLContext | None) -> AsyncIterator[Proxy]:
    proxy = Proxy()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            proxy.heads.append(head)
            if answer is not None:
                writer.write(answer)
                await writer.drain()
            elif head.startswith("CONNECT "):
                port = int(head.split()[1].rpartition(":")[2])  # whatever the name: on loopback
                there, away = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
                await asyncio.gather(pump(reader, away), pump(there, writer))
        writer.close()

    async with listening(serve, tls) as port:
        proxy.url = f"http{'s' if tls else ''}://127.0.0.1:{port}"
        yield proxy


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


@contextmanager
def proxying(answer: bytes | None = None, *, tls: ssl.SSLContext | None = None) -> Iterator[Proxy]:
    """Carry tunnels to loopback, whatever host they are for; or answer every request so."""
    with in_a_thread(lambda: _proxy(answer, tls)) as proxy:
        yield proxy
