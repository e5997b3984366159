"""Stopping a run: the first signal asks it to end in order, a second ends it at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from cimis.pipeline.errors import FetchInterrupted
from cimis.pipeline.fetch.report.run_report import RunReport

__all__ = ["RunStopped", "stopping_in_order"]


class RunStopped(FetchInterrupted):
    """A run was stopped before its end; its report tells what is done."""

    def __init__(self, report: RunReport) -> None:
        done = sum(result.success for result in report.results)
        super().__init__(
            f"stopped: {done} of {len(report.results)} station-years are stored",
            hint="run the same command again to continue",
        )
        self.report: RunReport = report


@contextmanager
def stopping_in_order(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` at the first SIGINT or SIGTERM instead of raising; raise at the second.

    Outside the main thread nothing is changed; neither is a signal that is ignored, nor a SIGTERM
    that ends the process without this program's doing.

    Parameters
    ----------
    stop : callable
        Asks the run to end, and returns at once.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    told = False

    def heed(number: int, _frame: FrameType | None) -> None:
        nonlocal told
        if told:
            raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)
        told = True
        stop()

    before = {
        number: handler
        for number in (signal.SIGINT, signal.SIGTERM)
        if callable(handler := signal.getsignal(number))
    }
    for number in before:
        signal.signal(number, heed)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
