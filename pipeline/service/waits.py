"""How long the service is waited for: at each step, and altogether."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self

__all__ = ["Deadline", "Timeouts", "TooSlow"]


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Longest waits in seconds.

    Parameters
    ----------
    connect_s : float
        To connect, look-up and TLS included.
    read_s : float
        Between bytes.
    write_s : float
        To send.
    whole_s : float
        For a whole answer: a service that sends a byte now and then is not waited for for ever.
    """

    connect_s: float = 10.0
    read_s: float = 120.0
    write_s: float = 30.0
    whole_s: float = 600.0

    @classmethod
    def of(cls, wait_s: float) -> Self:
        """Return waits of which none for a single step is longer than so many seconds."""
        usual = cls()
        return cls(
            min(wait_s, usual.connect_s),
            wait_s,
            min(wait_s, usual.write_s),
            max(usual.whole_s, 5 * wait_s),
        )


class TooSlow(Exception):
    """The whole answer was not there after so many seconds."""

    def __init__(self, whole_s: float) -> None:
        super().__init__(f"after {whole_s:g} s")


class Deadline:
    """The moment by which an answer must be whole.

    Parameters
    ----------
    whole_s : float
        Seconds from now.
    """

    def __init__(self, whole_s: float) -> None:
        self._whole_s = whole_s
        self._ends = time.monotonic() + whole_s

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Give what is done inside the time that is left.

        Raises
        ------
        TooSlow
            When it is over before that is done.
        """
        left_s = self._ends - time.monotonic()
        try:
            async with asyncio.timeout(max(left_s, 0)) as limit:
                yield
        except TimeoutError:
            if limit.expired():
                raise TooSlow(self._whole_s) from None
            raise
