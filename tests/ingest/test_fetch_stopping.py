"""Stopping a run: the first signal asks, the second insists; what was begun is finished."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cimis.pipeline.chunks import read_footer, store_rows
from cimis.pipeline.errors import FetchInterrupted
from cimis.pipeline.fetch.run import Run
from cimis.pipeline.fetch.stopping import stopping_in_order
from cimis.pipeline.service import Settings
from tests.ingest.service import KEY, NOW, Service, running, wants


@pytest.fixture(autouse=True)
def _own_handlers() -> Iterator[None]:
    """Keep a handler for SIGTERM, as the command line does, and restore what was."""

    def leave(_number: int, _frame: Any) -> None:
        raise SystemExit(1)

    before = signal.signal(signal.SIGTERM, leave)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(
    ("number", "insisting", "code"),
    [(signal.SIGINT, KeyboardInterrupt, None), (signal.SIGTERM, SystemExit, 143)],
)
def test_the_first_signal_asks_and_the_second_insists(
    number: signal.Signals, insisting: type[BaseException], code: int | None
) -> None:
    asked: list[int] = []
    before = signal.getsignal(number)
    with stopping_in_order(lambda: asked.append(1)):
        signal.raise_signal(number)
        assert asked == [1]
        with pytest.raises(insisting) as caught:
            signal.raise_signal(number)
    assert asked == [1]
    assert getattr(caught.value, "code", None) == code
    assert signal.getsignal(number) is before


def test_a_signal_that_is_ignored_stays_so() -> None:
    """A run behind ``nohup`` or ``&`` does not stop at the Ctrl-C of another."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with stopping_in_order(lambda: pytest.fail("heeded")):
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_what_waits_to_be_written_is_written_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run stopped while chunks queue for the disk stores them all, and reports them as stored."""
    writing, go_on = threading.Event(), threading.Event()

    def slow(*given: Any, **named: Any) -> Any:
        writing.set()
        assert go_on.wait(30)
        return store_rows(*given, **named)

    monkeypatch.setattr("cimis.pipeline.fetch.keep.store_rows", slow)
    arrived = asyncio.Event()

    async def before(asked: Any) -> None:
        if asked.number >= 3:
            arrived.set()
            await asyncio.sleep(60)

    request = wants([2, 5, 6, 7], "2021-01-01", "2024-12-31", concurrency=4)

    async def main() -> Run:
        async with running(Service(before=before)) as service:
            work = Run(tmp_path, request, Settings(service.base_url, KEY), clock=lambda: NOW)
            task = asyncio.create_task(work.go())
            await arrived.wait()
            assert await asyncio.to_thread(writing.wait, 30)
            await asyncio.sleep(0.2)  # let the other answers reach the shelf
            work.stop()
            threading.Timer(0.2, go_on.set).start()
            with pytest.raises(asyncio.CancelledError):
                await task
            return work

    report = asyncio.run(main()).report
    assert report.interrupted
    kept = {r.station: r for r in report.results if r.success}
    left = [r for r in report.results if not r.success]
    assert kept
    assert left
    assert {type(r.error) for r in left} == {FetchInterrupted}
    for result in report.results:
        path = tmp_path / f"stations/{result.station:03}/{result.year}_daily.zst"
        assert result.stored == (read_footer(path).rows if path.exists() else 0)
        assert result.success == (result.stored == result.expected)
