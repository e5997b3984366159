"""Where one request's time goes, in milliseconds, as measured."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

__all__ = ["PHASES", "Timings"]


@dataclass(slots=True)
class Timings:
    """Milliseconds of each phase of a request; 0 for a phase that did not happen.

    ``connect_ms`` holds the look-up of the host's name, which the HTTP library does not tell apart.
    A request on a connection that stands already has neither it nor TLS time. ``ttfb_ms`` runs
    from the sending of the request's headers to the answer's. ``decode_ms`` is inflating and
    decoding, ``write_ms`` encoding and writing chunks. ``total_ms`` is wall time, which also holds
    the waiting for a free connection.
    """

    connect_ms: float = 0.0
    tls_ms: float = 0.0
    ttfb_ms: float = 0.0
    read_ms: float = 0.0
    decode_ms: float = 0.0
    write_ms: float = 0.0
    total_ms: float = 0.0

    def add(self, other: Timings, *, share: float = 1.0) -> None:
        """Add another request's times, or a share of them."""
        for phase in PHASES:
            setattr(self, phase, getattr(self, phase) + share * getattr(other, phase))

    def as_dict(self) -> dict[str, float]:
        """Return the times, to the microsecond."""
        return {phase: round(getattr(self, phase), 3) for phase in PHASES}

    @contextmanager
    def measure(self, phase: str) -> Iterator[None]:
        """Add the time spent inside to a phase."""
        began = time.perf_counter()
        try:
            yield
        finally:
            took_ms = (time.perf_counter() - began) * 1000
            setattr(self, phase, getattr(self, phase) + took_ms)


PHASES: tuple[str, ...] = tuple(field.name for field in fields(Timings))


_BEGINS = {
    "connect_tcp.started": "connect_ms",
    "start_tls.started": "tls_ms",
    "send_request_headers.started": "ttfb_ms",
}
_ENDS = {
    "connect_tcp": "connect_ms",
    "start_tls": "tls_ms",
    "receive_response_headers": "ttfb_ms",
}
"""What the HTTP library's trace extension tells of, as the phase that it begins or ends."""


class Trace:
    """Listens to the HTTP library's events of one request and writes their times down."""

    def __init__(self, timings: Timings) -> None:
        self._timings = timings
        self._began: dict[str, float] = {}

    async def __call__(self, event: str, _info: dict[str, Any]) -> None:
        """Take one event; its name ends in what was done and how it went."""
        now = time.perf_counter()
        name = event.split(".", 1)[1]
        if name in _BEGINS:
            self._began[_BEGINS[name]] = now
            return
        done, _, how = name.partition(".")
        phase = _ENDS.get(done, "")
        if how != "started" and phase in self._began:
            took_ms = (now - self._began.pop(phase)) * 1000
            setattr(self._timings, phase, getattr(self._timings, phase) + took_ms)
