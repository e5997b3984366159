"""Progress as bars on a terminal's standard error; elsewhere only what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from cimis.cli.showing.output import Output
from cimis.pipeline.errors import CimisError, TooManyRecords
from cimis.pipeline.fetch.report.progress import Progress

if TYPE_CHECKING:
    from cimis.pipeline.fetch.report.station_year import StationYear
    from cimis.pipeline.plan.windows import Window
    from cimis.pipeline.service import Retry

__all__ = ["Bars", "counting", "phases"]


@contextmanager
def counting(out: Output, what: str) -> Iterator[Callable[[int, int], None]]:
    """Draw one bar over steps of a known number; yields what to call with those done and all."""
    if not out.animated:
        yield lambda _done, _all: None
        return
    import sys

    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Remaining())
    with Progress(*columns, console=out.console(sys.stderr), transient=True) as bars:
        task = bars.add_task(what, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


@contextmanager
def phases(out: Output) -> Iterator[Callable[[str, int, int, str], None]]:
    """Draw a bar for each phase of a job; elsewhere than on a terminal say steps that have words.

    Yields what to call with the phase's name, the steps done and all, and words for the next step.
    """
    if not out.animated:
        yield lambda what, _done, _all, words: out.note(f"{what} {words}") if words else None
        return
    import sys

    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
    from rich.progress import TimeElapsedColumn as Elapsed

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Elapsed())
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=out.console(sys.stderr)) as bars:

        def show(what: str, done: int, total: int, words: str) -> None:
            if what not in tasks:
                for before in bars.tasks:
                    bars.update(before.id, completed=before.total)
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, description=f"{what} {words}".strip())

        yield show
        for task in bars.tasks:
            bars.update(task.id, completed=task.total)


class Bars(Progress):
    """Shows requests, bytes and stored station-years while a run goes on; a context manager."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._bars: Any = None
        self._requests: Any = None
        self._windows = 0
        self._bytes = 0
        self._stored = 0

    def __enter__(self) -> Self:
        if self._out.animated:
            import sys

            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

            self._bars = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.completed:.0f} of {task.total:.0f} requests"),
                TextColumn("{task.fields[bytes]}, {task.fields[stored]} station-years stored"),
                TimeElapsedColumn(),
                console=self._out.console(sys.stderr),
            )
            self._bars.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def on_plan(self, windows: Sequence[Window]) -> None:
        """Draw the bar over the requests that will be made."""
        self._windows = len(windows)
        if self._bars is not None:
            self._requests = self._bars.add_task(
                "fetching", total=self._windows, bytes="0 kB", stored=0
            )

    def on_bytes(self, count: int) -> None:
        """Count bytes that came over the wire."""
        self._bytes += count
        self._show(bytes=f"{self._bytes / 1000:,.0f} kB")

    def on_window_done(self, window: Window, *, ok: bool) -> None:  # noqa: ARG002
        """Move the bar by one request."""
        if self._bars is not None:
            self._bars.advance(self._requests)

    def on_split(self, window: Window, parts: Sequence[Window], error: CimisError | None) -> None:
        """Lengthen the bar by the smaller requests, and say why."""
        self._windows += len(parts) - 1
        self._show(total=self._windows)
        if error is None or isinstance(error, TooManyRecords):
            why = f"the service holds {window.records:,} records for too many"
        else:
            why = f"{len(window.stations)} stations at once fail: {error}"
        self._say(f"{why}; asking in {len(parts)} parts")

    def on_station_done(self, result: StationYear) -> None:
        """Count a stored year, or name the station that failed."""
        if result.error is None:
            self._stored += 1
            self._show(stored=self._stored)
        else:
            who = result.target or f"station {result.station}"
            self._say(f"{who}, {result.year}: {result.error}")

    def on_retry(self, retry: Retry, window: Window) -> None:  # noqa: ARG002
        """Say that a request will be tried again."""
        self._say(str(retry))

    def _show(self, **fields: Any) -> None:
        if self._bars is not None:
            self._bars.update(self._requests, **fields)

    def _say(self, text: str) -> None:
        if self._bars is not None:
            self._bars.console.print(text, markup=False)
        else:
            self._out.note(text)
