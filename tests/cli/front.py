"""A server before the emulated service that can speak TLS and give answers of its own."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from tests.api.raw_server import listening
from tests.hostile.servers import in_a_thread, pump

DATA = "/StationWeb/GetDataByStationNumber"

Bend = Callable[[str, int], bytes | None]
"""Path with query, and number of the request for data from 0 → a whole answer, or None."""


def answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    """Return a whole HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


class _Front:
    def __init__(self, port: int, bend: Bend | None, path: str) -> None:
        self._port = port
        self._path = path
        self._bend = bend
        self._asked = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                target = head.split(b" ", 2)[1].decode()
                bent = None
                if self._bend is not None and target.startswith(self._path):
                    bent = self._bend(target, self._asked)
                    self._asked += 1
                if bent is None:
                    await self._tunnel(head, reader, writer)
                    break
                writer.write(bent)
                await writer.drain()
        writer.close()

    async def _tunnel(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Let the service answer: one request where answers are bent, else the connection's."""
        if self._bend is not None:
            head = re.sub(rb"(?i)\r\nconnection:[^\r]*", b"\r\nConnection: close", head)
        there, away = await asyncio.open_connection("127.0.0.1", self._port)
        away.write(head)
        await asyncio.gather(pump(reader, away), pump(there, writer))


@contextmanager
def front(
    port: int, *, certificate: Path | None = None, bend: Bend | None = None, path: str = DATA
) -> Iterator[str]:
    """Serve on loopback before the service at `port`, bending answers of `path`; yields the URL."""
    tls = None
    if certificate is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)

    @asynccontextmanager
    async def serving() -> AsyncIterator[str]:
        async with listening(_Front(port, bend, path).serve, tls) as at:
            yield f"http{'s' if tls else ''}://127.0.0.1:{at}"

    with in_a_thread(serving) as url:
        yield url
