"""Over TLS the client speaks HTTP/2: many requests at once on one connection, no key in any log."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import pytest

from cimis.pipeline.service import CimisClient, Settings
from tests.api.raw_server import EMPTY, KEY, WINDOW, listening

REQUESTS = 6


class H2Server:
    """Answers when `REQUESTS` requests are open at once, so that they must share the connection."""

    def __init__(self) -> None:
        self.base_url = ""
        self.connections = 0
        self.keys: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        config = h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        connection = h2.connection.H2Connection(config)
        connection.initiate_connection()
        writer.write(connection.data_to_send())
        open_streams: list[int] = []
        while data := await reader.read(65_536):
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    headers = {str(k): str(v) for k, v in event.headers or []}
                    self.keys.append(headers["ocp-apim-subscription-key"])
                    assert event.stream_id is not None
                    open_streams.append(event.stream_id)
            if len(open_streams) == REQUESTS:
                for stream in open_streams:
                    connection.send_headers(
                        stream, [(":status", "200"), ("content-type", "application/json")]
                    )
                    connection.send_data(stream, EMPTY, end_stream=True)
                open_streams = []
            writer.write(connection.data_to_send())
            await writer.drain()
        writer.close()


@asynccontextmanager
async def h2_server(certificate: Path) -> AsyncIterator[H2Server]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.set_alpn_protocols(["h2"])
    server = H2Server()
    async with listening(server.serve, context) as port:
        server.base_url = f"https://127.0.0.1:{port}"
        yield server


def test_many_requests_share_one_connection_and_no_log_has_the_key(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Even with every library's log at its most talkative."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    caplog.set_level(logging.DEBUG)

    async def one(client: CimisClient) -> tuple[bytes, str, float]:
        async with client.data(WINDOW) as response:
            body = b"".join([piece async for piece in response.pieces()])
            return body, response.http_version, response.timings.tls_ms

    async def main() -> H2Server:
        async with h2_server(certificate) as server:
            async with CimisClient(Settings(server.base_url, KEY)) as client:
                got = await asyncio.wait_for(
                    asyncio.gather(*(one(client) for _ in range(REQUESTS))), 20
                )
            assert {(body, version) for body, version, _ in got} == {(EMPTY, "HTTP/2")}
            assert sum(tls_ms > 0 for _, _, tls_ms in got) == 1
            return server

    server = asyncio.run(main())
    assert server.connections == 1
    assert server.keys == [KEY] * REQUESTS
    assert "connect_tcp" in caplog.text  # the logs were on
    assert KEY not in caplog.text
