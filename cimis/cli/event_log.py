"""A run's events as a structured log: one JSON object a line on standard error."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cimis.pipeline.errors import CimisError
from cimis.pipeline.fetch.report.progress import Progress

if TYPE_CHECKING:
    from cimis.pipeline.fetch.report.run_report import RunReport
    from cimis.pipeline.fetch.report.station_year import StationYear
    from cimis.pipeline.plan.windows import Window
    from cimis.pipeline.service import Retry, Timings

__all__ = ["EventLog"]


class EventLog(Progress):
    """Writes every event of a run; no header and no URL is in them, so no key either.

    Each line has ``timestamp`` (ISO 8601, UTC), ``level`` and ``event``; what else it has is in
    ``docs/metrics.md``.
    """

    def on_plan(self, windows: Sequence[Window]) -> None:
        """Write how many requests will be made."""
        records = sum(window.records for window in windows)
        _write("info", "plan", requests=len(windows), records=records)

    def on_request(self, window: Window, timings: Timings, error: CimisError | None) -> None:
        """Write one try of a request."""
        level = "info" if error is None else "warning"
        facts = _asked(window) | {"timings": timings.as_dict()}
        facts["timings"].pop("write_ms")  # chunks are written for a year, not for a request
        _write(level, "request", **facts, error=None if error is None else error.as_dict())

    def on_retry(self, retry: Retry, window: Window) -> None:
        """Write that a request will be tried again, and when."""
        _write("warning", "retry", **_asked(window), message=str(retry))

    def on_split(self, window: Window, parts: Sequence[Window], error: CimisError | None) -> None:
        """Write that smaller requests take the place of one."""
        why = None if error is None else error.as_dict()
        _write("warning", "split", **_asked(window), parts=len(parts), error=why)

    def on_station_done(self, result: StationYear) -> None:
        """Write what became of a station's year."""
        facts = result.as_dict()
        level = "info" if result.error is None else "error"
        _write(level, "station_year", **facts)

    def warned(self, text: str) -> None:
        """Write a warning."""
        _write("warning", "warning", message=text)

    def ended(self, report: RunReport) -> None:
        """Write the warnings, and the run's totals."""
        for warning in report.warnings:
            self.warned(warning)
        facts = report.as_dict(brief=True)
        level = "info" if report.exit_code == 0 else "error"
        kept = ("scope", "start", "end", "path", "interrupted", "exit_code", "error", "totals")
        _write(level, "run", **{name: facts[name] for name in kept})


def _asked(window: Window) -> dict[str, Any]:
    return {
        "stations": list(window.names),
        "start": window.start.isoformat(),
        "end": window.end.isoformat(),
    }


def _write(level: str, event: str, **facts: Any) -> None:
    moment = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
    line = {"timestamp": moment, "level": level, "event": event, **facts}
    print(json.dumps(line, ensure_ascii=False), file=sys.stderr, flush=True)  # noqa: T201
