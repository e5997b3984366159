"""A whole run, awaited or waited for, ended in order when the user interrupts it."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cimis.pipeline.fetch.report.progress import Progress
from cimis.pipeline.fetch.report.run_report import RunReport
from cimis.pipeline.fetch.request import FetchRequest
from cimis.pipeline.fetch.run import Run
from cimis.pipeline.fetch.stopping import RunStopped, stopping_in_order
from cimis.pipeline.service import Settings
from cimis.pipeline.service.loop import waited_for

__all__ = ["fetch", "fetch_async"]


async def fetch_async(
    root: str | Path,
    request: FetchRequest,
    settings: Settings,
    *,
    progress: Progress | None = None,
    clock: Callable[[], dt.datetime] | None = None,
) -> RunReport:
    """Fetch stations into a data directory.

    A station that fails does so alone: it has its error in the report, and the others are stored.
    Nothing of a request is stored before its whole answer has been read and found right.

    Parameters
    ----------
    root : path-like
        The data directory; made where it is absent.
    request : FetchRequest
        Stations, days (both ends inclusive), items, and how.
    settings : Settings
        The service and the key.
    progress : Progress, optional
        Hears of events as they happen.
    clock : callable, optional
        Gives the present moment, with zone; by default the system's clock.

    Returns
    -------
    RunReport
        Its ``exit_code`` is 0 when all is stored.

    Raises
    ------
    UsageError
        For days that cannot be asked for.
    AuthError
        When no key is set. One that the service refuses is in the report.
    StoreError
        When the data directory or its catalog cannot be used at all.
    """
    return await Run(Path(root), request, settings, progress=progress, clock=clock).go()


def fetch(
    root: str | Path,
    request: FetchRequest,
    settings: Settings,
    *,
    progress: Progress | None = None,
    clock: Callable[[], dt.datetime] | None = None,
) -> RunReport:
    """Fetch stations into a data directory, and wait for it; see `fetch_async`.

    Works in a notebook too, where an event loop runs already.

    Raises
    ------
    RunStopped
        When the user interrupts it (SIGINT, or a SIGTERM that the program handles); what is whole
        is stored, and its ``report`` tells. A second signal does not wait for that.
    """
    run = Run(Path(root), request, settings, progress=progress, clock=clock)
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        with stopping_in_order(run.stop):
            try:
                return waited_for(run.go())
            except asyncio.CancelledError:
                raise RunStopped(run.report) from None
    with ThreadPoolExecutor(1) as pool:
        task = pool.submit(waited_for, run.go())
        try:
            return task.result()
        except KeyboardInterrupt:
            run.stop()
            raise RunStopped(run.report) from None
