"""One line of the log for each request sent: what was asked, what came of it, where the time went.

The lines go to the logger ``cimis.fetch.request``, level INFO. They hold no header and no URL, so
no key either.
"""

from __future__ import annotations

import logging

from cimis.pipeline.errors import CimisError
from cimis.pipeline.fetch.window import Fetched
from cimis.pipeline.plan.windows import Window
from cimis.pipeline.service import Timings

__all__ = ["LOGGER", "log_answer", "log_failure"]

LOGGER = "cimis.fetch.request"

_MOST_NAMED = 8

_log = logging.getLogger(LOGGER)


def log_answer(window: Window, attempt: int, fetched: Fetched) -> None:
    """Log a request that was answered."""
    if _log.isEnabledFor(logging.INFO):
        came = (
            f"{fetched.records:,} records, {fetched.wire_bytes:,} bytes as "
            f"{fetched.content_encoding or 'identity'} of {fetched.decoded_bytes:,}"
        )
        _log.info("%s: %s; %s", _asked(window, attempt), came, _times(fetched.timings))


def log_failure(window: Window, attempt: int, error: CimisError, timings: Timings) -> None:
    """Log a request that failed."""
    _log.info("%s: %s; %s", _asked(window, attempt), error, _times(timings))


def _asked(window: Window, attempt: int) -> str:
    named = ",".join(map(str, window.names[:_MOST_NAMED]))
    more = len(window.stations) - _MOST_NAMED
    rest = f" and {more} more" if more > 0 else ""
    return f"request for {named}{rest}, {window.start} to {window.end}, try {attempt}"


def _times(timings: Timings) -> str:
    times = timings.as_dict()
    del times["write_ms"]  # chunks are written for a station's year, not for a request
    return ", ".join(f"{phase[:-3]} {time_ms:.1f}" for phase, time_ms in times.items()) + " ms"
