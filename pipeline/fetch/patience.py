"""What one request learns of the service that concerns them all: to wait, or that it is no use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from cimis.pipeline.errors import AuthError, CimisError, NetworkError
from cimis.pipeline.service import Retry

__all__ = ["NEVER_REACHED", "Pace", "Patience"]

NEVER_REACHED = {"dns", "refused", "unreachable", "connect_timeout", "tls", "proxy"}
"""Kinds of failure before which the service has said nothing."""


_REGAINED = 0.1
"""By how much each answer raises the number of requests at once, after a fault has lowered it."""


class Pace:
    """How many requests may be under way: all that are wished for, fewer after each fault.

    A fault halves the number, an answer raises it a little: a service in trouble is not pressed,
    and a run that is killed then has few requests in vain.

    Parameters
    ----------
    most : int
        Requests at once where all is well.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._allowed = float(most)
        self._under_way = 0
        self._freed = asyncio.Event()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn, and hold it for one request."""
        while self._under_way >= max(int(self._allowed), 1):
            self._freed.clear()
            await self._freed.wait()
        self._under_way += 1
        try:
            yield
        except CimisError:
            self._allowed = max(self._allowed / 2, 1.0)
            raise
        else:
            self._allowed = min(self._allowed + _REGAINED, float(self._most))
        finally:
            self._under_way -= 1
            self._freed.set()


class Patience:
    """Holds every request back while the service asks for it, and ends when none can succeed.

    Parameters
    ----------
    sleep : callable
        Waits some seconds.
    most_missed : int
        Requests that may fail, retries and all, before the service has once been reached.
    """

    def __init__(self, sleep: Callable[[float], Awaitable[None]], most_missed: int) -> None:
        self._sleep = sleep
        self._until_s = 0.0
        self._left = most_missed
        self._reached = False

    def heed(self, retry: Retry) -> None:
        """Take note of a retry; only one whose wait the service named concerns the others."""
        if getattr(retry.error, "retry_after_s", None) is not None:
            now_s = asyncio.get_running_loop().time()
            self._until_s = max(self._until_s, now_s + retry.wait_s)

    async def wait(self) -> None:
        """Return when requests may be made."""
        wait_s = self._until_s - asyncio.get_running_loop().time()
        if wait_s > 0:
            await self._sleep(wait_s)

    def reached(self) -> None:
        """Take note that the service answered."""
        self._reached = True

    def is_over(self, error: CimisError) -> bool:
        """Tell whether a request's last error shows that no other can succeed either."""
        if isinstance(error, NetworkError) and error.kind in NEVER_REACHED:
            self._left -= 1
            return self._left <= 0 and not self._reached
        self._reached = True
        return isinstance(error, AuthError)
