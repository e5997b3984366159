"""The stages joined: plan, fetch and decode concurrently, store what is complete, report."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

from cimis.pipeline.catalog.database import CATALOG_FILE, Catalog
from cimis.pipeline.decode.allocs import Allocations
from cimis.pipeline.errors import CimisError, StoreError, TooManyRecords
from cimis.pipeline.fetch.agenda import Smaller, allowed_span, make_agenda
from cimis.pipeline.fetch.final import Span
from cimis.pipeline.fetch.keep import Keeper
from cimis.pipeline.fetch.patience import Pace, Patience
from cimis.pipeline.fetch.report.meter import Meter
from cimis.pipeline.fetch.report.progress import Chorus, Progress
from cimis.pipeline.fetch.report.run_report import RunReport
from cimis.pipeline.fetch.report.trace import log_answer, log_failure
from cimis.pipeline.fetch.request import FetchRequest
from cimis.pipeline.fetch.shelf import Shelf
from cimis.pipeline.fetch.window import Fetched, fetch_window
from cimis.pipeline.fetch.writer import Writer
from cimis.pipeline.field.targets import Kind
from cimis.pipeline.field.time import network_day
from cimis.pipeline.plan.windows import Window, halve
from cimis.pipeline.service import CimisClient, Retry, RetryPolicy, Settings, Timings
from cimis.pipeline.storage.disk import Disk
from cimis.pipeline.storage.refusals import disk_errors
from cimis.pipeline.storage.writers import must_be_writable, remove_stale_temporaries

__all__ = ["Run"]

BUDGET_BYTES = 128 << 20
"""Most bytes of rows that wait for the rest of their station's year."""

LONGEST_HELD_S = 0.5
"""Longest that rows wait so; what a killed run loses is younger."""

_log = logging.getLogger("cimis.fetch")
_log.addHandler(logging.NullHandler())


class Run:
    """One run: a request carried out into a data directory.

    Parameters
    ----------
    root : Path
        The data directory; made where it is absent.
    request : FetchRequest
    settings : Settings
        The service and the key.
    progress : Progress, optional
        Hears of events.
    clock : callable, optional
        Gives the present moment, with zone.

    Attributes
    ----------
    report : RunReport
        Up to date at any moment, also after the run was stopped.
    """

    def __init__(
        self,
        root: Path,
        request: FetchRequest,
        settings: Settings,
        *,
        progress: Progress | None = None,
        clock: Callable[[], dt.datetime] | None = None,
    ) -> None:
        self._root = root
        self._request = request
        self._settings = settings
        self._progress = progress or Progress()
        self._policy = request.policy or RetryPolicy(tries=request.retries + 1)
        self._now = clock() if clock is not None else dt.datetime.now(dt.UTC)
        self._today = network_day(self._now)
        self._shelf = Shelf(request.scope, request.naming)
        self._writer: Writer
        self._task: asyncio.Task[RunReport] | None = None
        self._stopped = False
        self._queue: deque[Window] = deque()
        self._most_records: int | None = None
        self._smaller = Smaller()
        self._fatal: CimisError | None = None
        self._pace = Pace(request.concurrency)
        self._patience = Patience(self._policy.sleep, request.concurrency)
        self.report = RunReport.of(request, self._now)

    async def go(self) -> RunReport:
        """Carry the request out.

        Cancelled, it stores what is whole, marks the report as interrupted, and passes the
        cancellation on.

        Raises
        ------
        UsageError
            For days that cannot be asked for.
        AuthError
            When no key is set.
        StoreError
            When the data directory or its catalog cannot be used.
        """
        self._task = asyncio.current_task()
        if self._stopped:
            raise asyncio.CancelledError
        span, left_out = allowed_span(self._request, self._today)
        self.report.warnings += left_out
        if self._request.dry_run:
            return self._plan_only(span)
        must_be_writable(self._root)
        self._settings.key()
        with disk_errors(self._root, "make"):
            Disk().make_folder(self._root)
        with Catalog(self._root, create=True) as catalog:
            remove_stale_temporaries(self._root)
            # the text of an address does not follow from its name, as that of others does
            addresses = [t for t in self._request.targets if t.kind is Kind.ADDRESS]
            if addresses:
                catalog.put_targets((target.key, target.sent) for target in addresses)
            meter = Meter(self._root, self._request.scope.value)
            self._progress = Chorus(self._progress, meter)
            keeper = Keeper(self._root, catalog, self._request, self._settings.base_url, self._now)
            self._writer = Writer(self._shelf, keeper, self.report, self._progress)
            self._plan(span, catalog)
            began = time.perf_counter()
            try:
                measuring = Allocations(trace=True) if self._request.allocs else nullcontext()
                with measuring as measure:
                    await self._carry_out()
            finally:
                self.report.seconds = time.perf_counter() - began
                if measure is not None:
                    self.report.note_allocs(measure.report)
                finished = self._now + dt.timedelta(seconds=self.report.seconds)
                self._enter(catalog, finished)
                meter.ended(self.report, finished.timestamp())
        return self.report

    def stop(self) -> None:
        """Cancel the run, from whatever thread or a signal's handler."""
        self._stopped = True
        if self._task is not None:
            self._task.get_loop().call_soon_threadsafe(self._task.cancel)

    def _plan_only(self, span: Span) -> RunReport:
        known = (self._root / CATALOG_FILE).is_file()
        with Catalog(self._root) if known else nullcontext() as catalog:
            self._plan(span, catalog)
        return self.report

    def _plan(self, span: Span, catalog: Catalog | None) -> None:
        windows = make_agenda(self._root, catalog, self._request, span, self._shelf)
        self._queue.extend(windows)
        self.report.windows = windows
        self.report.results = self._shelf.results()
        self._progress.on_plan(windows)

    def _enter(self, catalog: Catalog, finished: dt.datetime) -> None:
        """Enter the run in the catalog; a run does not fail for want of its own entry."""
        try:
            catalog.put_run(
                "fetch",
                self._now.isoformat(timespec="seconds"),
                finished.isoformat(timespec="seconds"),
                self.report.exit_code,
                self.report.as_dict(brief=True),
            )
        except StoreError as error:
            self.report.warnings.append(f"the run is not in the catalog: {error}")

    async def _carry_out(self) -> None:
        request = self._request
        async with CimisClient(
            self._settings, gzip=request.gzip, timeout=request.timeouts, policy=self._policy
        ) as client:
            workers = [
                asyncio.create_task(self._work(client))
                for _ in range(min(request.concurrency, len(self._queue)))
            ]
            try:
                await asyncio.gather(*workers)
            except asyncio.CancelledError:
                self.report.interrupted = True
                raise
            finally:
                for worker in workers:
                    worker.cancel()
                await asyncio.gather(*workers, return_exceptions=True)
                self._writer.finish(interrupted=self.report.interrupted)

    async def _work(self, client: CimisClient) -> None:
        while self._queue:
            window = self._queue.popleft()
            if fatal := self._fatal or self._writer.refused:
                await self._fail(window, fatal, 0)
            elif self._is_too_large(window):
                self._split(window, halve(window), None)
            else:
                await self._one(client, window)

    async def _one(self, client: CimisClient, window: Window) -> None:
        """Fetch one window, trying again as the policy allows, and store what it completes."""
        attempts = 0
        spent = Timings()

        async def attempt() -> Fetched:
            async with self._pace.turn():
                return await once()

        async def once() -> Fetched:
            nonlocal attempts
            await self._patience.wait()
            attempts += 1
            self.report.requests += 1
            timings = Timings()
            try:
                fetched = await fetch_window(
                    client, window, self._request, timings, on_bytes=self._on_bytes
                )
            except CimisError as error:
                spent.add(timings)
                self._progress.on_request(window, timings, error)
                log_failure(window, attempts, error, timings)
                raise
            self._progress.on_request(window, fetched.timings, None)
            log_answer(window, attempts, fetched)
            return fetched

        try:
            fetched = await self._smaller.policy(window, self._policy).run(
                attempt, on_retry=lambda retry: self._on_retry(retry, window)
            )
        except CimisError as error:
            if isinstance(error, TooManyRecords):
                self._most_records = min(self._most_records or window.records, window.records - 1)
            if parts := self._smaller.parts(window, error):
                self._split(window, parts, error)
            else:
                await self._fail(window, error, attempts, spent)
            return
        self._patience.reached()
        self._smaller.reached()
        self.report.note(fetched, gzip=self._request.gzip)
        now_s = asyncio.get_running_loop().time()
        complete = self._shelf.put(fetched, attempts, now_s, spent)
        self._progress.on_window_done(window, ok=True)
        early = self._shelf.overdue(now_s, longest_s=LONGEST_HELD_S, budget_bytes=BUDGET_BYTES)
        for key in [*complete, *early]:
            await self._writer.store(key, ended=key in complete)

    def _is_too_large(self, window: Window) -> bool:
        """Tell whether the service has refused as large a request before, and this can be cut."""
        most = self._most_records
        return most is not None and window.records > most and len(window.stations) * window.days > 1

    def _split(self, window: Window, parts: Sequence[Window], error: CimisError | None) -> None:
        self.report.splits += 1
        self._shelf.replace(window, parts)
        self._queue.extendleft(reversed(parts))
        self._progress.on_split(window, parts, error)

    async def _fail(
        self, window: Window, error: CimisError, attempts: int, spent: Timings | None = None
    ) -> None:
        """Note a failure; store what its station-years have besides."""
        if self._fatal is None and self._patience.is_over(error):
            self._fatal = error
        ended = self._shelf.fail(window, error, attempts, spent or Timings())
        self._progress.on_window_done(window, ok=False)
        for key in ended:
            await self._writer.store(key, ended=True)

    def _on_bytes(self, count: int) -> None:
        self.report.bytes_transferred += count
        self._progress.on_bytes(count)

    def _on_retry(self, retry: Retry, window: Window) -> None:
        self.report.retries += 1
        self._patience.heed(retry)
        _log.warning("%s", retry)
        self._progress.on_retry(retry, window)
