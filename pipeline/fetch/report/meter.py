"""Counts a run's events into the data directory's tallies, while it goes on."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from cimis.pipeline.catalog.tallies import Tallies
from cimis.pipeline.errors import CimisError
from cimis.pipeline.fetch.report.progress import Progress
from cimis.pipeline.plan.windows import Window
from cimis.pipeline.service import Retry
from cimis.pipeline.service.timings import PHASES, Timings

if TYPE_CHECKING:
    from cimis.pipeline.fetch.report.run_report import RunReport
    from cimis.pipeline.fetch.report.station_year import StationYear

__all__ = ["Meter"]

_EVERY_S = 2.0
"""How often counts go to disk while a run goes on."""

_REQUEST_PHASES = tuple(phase for phase in PHASES if phase != "write_ms")


class Meter(Progress):
    """Hears of a run's events and counts them; see ``docs/metrics.md`` for the names.

    Parameters
    ----------
    root : Path
        The data directory, which is there.
    scope : str
    """

    def __init__(self, root: Path, scope: str) -> None:
        self._tallies = Tallies(root)
        self._scope = scope
        self._flushed_s = time.monotonic()

    def on_request(self, window: Window, timings: Timings, error: CimisError | None) -> None:  # noqa: ARG002
        """Count a try of a request, its phases, and how it failed."""
        tallies = self._tallies
        tallies.add("cimis_requests_total", scope=self._scope)
        for phase in _REQUEST_PHASES:
            seconds = getattr(timings, phase) / 1000
            if seconds > 0:
                name = phase.removesuffix("_ms")
                tallies.observe_s("cimis_fetch_duration_seconds", seconds, phase=name)
        if error is not None:
            status = "retryable" if error.retryable else "non_retryable"
            tallies.add("cimis_fetch_errors_total", status=status)
        self._now_and_then()

    def on_retry(self, retry: Retry, window: Window) -> None:  # noqa: ARG002
        """Count that a request will be tried again."""
        self._tallies.add("cimis_retries_total", scope=self._scope)

    def on_bytes(self, count: int) -> None:
        """Count bytes that came over the wire."""
        self._tallies.add("cimis_bytes_transferred_total", count, scope=self._scope)

    def on_station_done(self, result: StationYear) -> None:
        """Count a station's year, its records, and what storing them took."""
        tallies = self._tallies
        outcome = "success" if result.error is None else "failure"
        tallies.add("cimis_station_years_total", scope=self._scope, outcome=outcome)
        tallies.add("cimis_records_ingested_total", result.received, scope=self._scope)
        tallies.add("cimis_records_revised_total", result.revised, scope=self._scope)
        if result.timings.write_ms:
            seconds = result.timings.write_ms / 1000
            tallies.observe_s("cimis_fetch_duration_seconds", seconds, phase="write")
        self._now_and_then()

    def ended(self, report: RunReport, finished_s: float) -> None:
        """Count the run itself, at a moment in seconds since 1970-01-01 UTC."""
        tallies, totals = self._tallies, report.totals()
        tallies.add("cimis_runs_total", scope=self._scope, exit_code=str(report.exit_code))
        tallies.set("cimis_last_run_timestamp_seconds", finished_s, scope=self._scope)
        if report.exit_code == 0:
            tallies.set("cimis_last_run_success_timestamp_seconds", finished_s, scope=self._scope)
        if totals["stations"]:
            share = totals["success"] / totals["stations"]
            tallies.set("cimis_last_run_success_ratio", share, scope=self._scope)
        if totals["compression_ratio"] is not None:
            tallies.set("cimis_compression_ratio", totals["compression_ratio"], scope=self._scope)
        allocs = totals["alloc_metrics"]
        if allocs is not None and allocs.get("bytes_per_record") is not None:
            path = "plain" if report.plain else "streaming"
            tallies.set("cimis_alloc_bytes_per_record", allocs["bytes_per_record"], path=path)
        tallies.flush()

    def _now_and_then(self) -> None:
        now_s = time.monotonic()
        if now_s - self._flushed_s >= _EVERY_S:
            self._flushed_s = now_s
            self._tallies.flush()
