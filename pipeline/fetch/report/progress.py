"""What a run tells while it goes on; whoever renders it overrides what it needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cimis.pipeline.errors import CimisError
from cimis.pipeline.plan.windows import Window
from cimis.pipeline.service import Retry, Timings

if TYPE_CHECKING:
    from cimis.pipeline.fetch.report.station_year import StationYear

__all__ = ["Chorus", "Progress"]


class Progress:
    """Hears of a run's events and does nothing; all calls come from the event loop's thread."""

    def on_plan(self, windows: Sequence[Window]) -> None:
        """Hear the requests that will be made, before the first."""

    def on_bytes(self, count: int) -> None:
        """Hear of bytes that came over the wire."""

    def on_request(self, window: Window, timings: Timings, error: CimisError | None) -> None:
        """Hear that one try of a request ended: its times, and what it failed of."""

    def on_window_done(self, window: Window, *, ok: bool) -> None:
        """Hear that a request ended, for good or ill."""

    def on_split(self, window: Window, parts: Sequence[Window], error: CimisError | None) -> None:
        """Hear that smaller requests take the place of one, and why; None: as refused before."""

    def on_station_done(self, result: StationYear) -> None:
        """Hear that a station's year was stored, or could not be."""

    def on_retry(self, retry: Retry, window: Window) -> None:
        """Hear that a request will be tried again."""


class Chorus(Progress):
    """Tells every event to several hearers, in their order."""

    def __init__(self, *hearers: Progress) -> None:
        self._hearers = hearers

    def on_plan(self, windows: Sequence[Window]) -> None:
        """Pass the event on."""
        for hearer in self._hearers:
            hearer.on_plan(windows)

    def on_bytes(self, count: int) -> None:
        """Pass the event on."""
        for hearer in self._hearers:
            hearer.on_bytes(count)

    def on_request(self, window: Window, timings: Timings, error: CimisError | None) -> None:
        """Pass the event on."""
        for hearer in self._hearers:
            hearer.on_request(window, timings, error)

    def on_window_done(self, window: Window, *, ok: bool) -> None:
        """Pass the event on."""
        for hearer in self._hearers:
            hearer.on_window_done(window, ok=ok)

    def on_split(self, window: Window, parts: Sequence[Window], error: CimisError | None) -> None:
        """Pass the event on."""
        for hearer in self._hearers:
            hearer.on_split(window, parts, error)

    def on_station_done(self, result: StationYear) -> None:
        """Pass the event on."""
        for hearer in self._hearers:
            hearer.on_station_done(result)

    def on_retry(self, retry: Retry, window: Window) -> None:
        """Pass the event on."""
        for hearer in self._hearers:
            hearer.on_retry(retry, window)
