"""Servers on loopback that say exactly what a test wants, byte by byte."""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import ssl
import struct
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from cimis.pipeline.field.items import Scope, default_items
from cimis.pipeline.plan.windows import Window

KEY = "k3y-that-must-stay-hidden"
EMPTY = (
    b'{"Data":{"Providers":[{"Name":"cimis","Type":"station","Owner":"water.ca.gov",'
    b'"Records":[]}]}}'
)
WINDOW = Window(
    (2, 5), Scope.DAILY, dt.date(2024, 1, 1), dt.date(2024, 1, 31), default_items(Scope.DAILY)
)

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


@dataclass
class RawServer:
    """What a server was asked, and where it listens."""

    base_url: str = ""
    heads: list[str] = field(default_factory=list)
    connections: int = 0


def reply(body: bytes = EMPTY, *, status: str = "200 OK", headers: tuple[str, ...] = ()) -> bytes:
    """Return a whole HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    if not any(h.lower().startswith("content-type") for h in headers):
        lines.append("Content-Type: application/json")
    return "\r\n".join([*lines, "", ""]).encode() + body


def says(*parts: bytes, pause_s: float = 0.0, close: bool = False) -> Answer:
    """Answer with given bytes, part by part."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause_s)
        if close:
            writer.close()

    return answer


async def resets(writer: asyncio.StreamWriter) -> None:
    """Break the connection with a reset."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(*_LINGER)
    writer.transport.abort()


async def hangs(writer: asyncio.StreamWriter) -> None:
    """Say nothing."""
    await asyncio.sleep(60)


@contextmanager
def hanging_up() -> Iterator[tuple[str, threading.Event, list[int]]]:
    """Accept connections and break each at once, first in one direction, then in both.

    What is sent on such a connection afterwards meets a broken pipe. Yields the base URL, an event
    that is set while the newest connection is broken, and a list with one entry per connection.
    """
    broken = threading.Event()
    accepted: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    connection.shutdown(socket.SHUT_WR)
                    connection.setsockopt(*_LINGER)
                    connection.close()
                    accepted.append(len(accepted))
                    broken.set()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", broken, accepted
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)


@contextmanager
def never_accepting() -> Iterator[str]:
    """Listen with a full queue, so that connecting neither succeeds nor fails; yields its URL."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        port = listening.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        yield f"http://127.0.0.1:{port}"
        for filler in fillers:
            filler.close()


@contextmanager
def refusing() -> Iterator[str]:
    """Hold a port on which nobody listens; yields its URL."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


def _linger() -> tuple[int, int, bytes]:
    return socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)


_LINGER = _linger()


@asynccontextmanager
async def raw_server(
    *answers: Answer, tls: ssl.SSLContext | None = None
) -> AsyncIterator[RawServer]:
    """Serve the answers one request after another, the last one again and again."""
    server = RawServer()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        try:
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                number = len(server.heads)
                server.heads.append(head.decode())
                await answers[min(number, len(answers) - 1)](writer)
        except (asyncio.IncompleteReadError, OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async with listening(serve, tls) as port:
        server.base_url = f"http{'s' if tls else ''}://127.0.0.1:{port}"
        yield server


@asynccontextmanager
async def listening(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Listen on loopback, and yield the port; connections still open at the end are cut."""
    served: list[tuple[asyncio.Task[None], asyncio.StreamWriter]] = []

    def kept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append((asyncio.create_task(serve(reader, writer)), writer))

    server = await asyncio.start_server(kept, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task, _ in served:
            task.cancel()
        await asyncio.gather(*(task for task, _ in served), return_exceptions=True)
        for _, writer in served:
            writer.transport.abort()  # a farewell over TLS waits for the other side
        await asyncio.sleep(0)  # in which the sockets are closed
