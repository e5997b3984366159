"""Run the emulated service on loopback: in a thread for tests and demo, or in the foreground."""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from cimis.pipeline.emulator.app import Service, Traffic, application
from cimis.pipeline.emulator.source import Source
from cimis.pipeline.emulator.troubles.troubles import Troubles
from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.time import network_now

__all__ = ["Emulator"]

_START_S = 15.0


class _Protocol(H11Protocol):
    """Lets the application reach a request's connection, which it may have to break off."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class Emulator:
    """An embedded CIMIS service on loopback; a context manager.

    Parameters
    ----------
    source : Source
        What it serves: generated weather or replayed files.
    port : int
        TCP port; 0 takes a free one.
    latency_s : float
        Wait before each answer, in seconds.
    app_key : str
        The only key that it accepts.
    gzip : bool
        Whether it compresses where the client accepts that.
    now : callable
        Returns the present moment in PST without zone.
    troubles : Troubles, optional
        Faults to make on purpose; none by default.

    Raises
    ------
    UsageError
        When the port is taken.
    """

    def __init__(
        self,
        source: Source,
        *,
        port: int = 0,
        latency_s: float = 0.0,
        app_key: str = "demo-key",
        gzip: bool = True,
        now: Callable[[], dt.datetime] = network_now,
        troubles: Troubles | None = None,
    ) -> None:
        self.service = Service(source, app_key, latency_s, gzip, now, troubles or Troubles())
        self.app_key = app_key
        self._socket = self._bound(port)
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            application(self.service),
            log_config=None,
            access_log=False,
            lifespan="off",
            http=_Protocol,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread: threading.Thread | None = None

    @staticmethod
    def _bound(port: int) -> socket.socket:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        # what lets a port be taken again at once lets others take a taken one on Windows
        alone: int = getattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_REUSEADDR)
        listener.setsockopt(socket.SOL_SOCKET, alone, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            listener.close()
            raise UsageError(
                f"cannot listen on port {port}: {error}",
                hint="choose another with --port, or 0 for any free one",
            ) from error
        listener.listen(256)
        return listener

    @property
    def base_url(self) -> str:
        """The URL that a client takes as its base."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def traffic(self) -> Traffic:
        """What the server has seen so far."""
        return self.service.traffic

    def __enter__(self) -> Self:
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )
        self._thread.start()
        deadline = time.monotonic() + _START_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise UsageError("the emulator did not start", hint="try another --port")
            time.sleep(0.005)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join()
        self._socket.close()

    def serve(self) -> None:
        """Serve in the foreground until interrupted."""
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._socket.close()
