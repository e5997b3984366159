"""Event loops whose end does not wait for a name look-up that hangs."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

__all__ = ["THREADS", "waited_for"]

T = TypeVar("T")

THREADS = "cimis-loop"
"""How the names of the loops' threads begin."""


def waited_for(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in an event loop of its own, as `asyncio.run` does.

    Also where one runs already, as in a notebook: then in another thread. The loop's threads are
    told to end, and not joined: a look-up cannot be interrupted, and the system gives up one that
    hangs only after a while.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _run(work)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(_run, work).result()


def _run(work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=_loop) as runner:
        return runner.run(work)


def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    loop.set_default_executor(_Threads(thread_name_prefix=THREADS))
    return loop


class _Threads(ThreadPoolExecutor):
    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        super().shutdown(wait=False, cancel_futures=True)
