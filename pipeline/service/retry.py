"""When a failed request is tried again, and after which wait."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import tenacity

from cimis.pipeline.errors import CimisError, FirewallPage, NetworkError, ServiceError

__all__ = ["Retry", "RetryPolicy"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Retry:
    """A retry that is about to happen: the error, its number from 1 of how many, the wait."""

    error: CimisError
    number: int
    of: int
    wait_s: float

    def __str__(self) -> str:
        """Return the line for the log: ``retryable: 429 (attempt 2/3)``."""
        return f"retryable: {_called(self.error)} (attempt {self.number}/{self.of})"


def _called(error: CimisError) -> str:
    """Return the shortest name of an error: its status, its kind, or its class."""
    if isinstance(error, NetworkError):
        return error.kind.replace("_", " ")
    if isinstance(error, FirewallPage):
        return "firewall page"
    status = getattr(error, "status", None)
    return str(status) if status is not None else type(error).__name__


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often, how long and how patiently a request is tried.

    Parameters
    ----------
    tries : int
        Most tries, the first one counted: three retries make four.
    base_s : float
        Wait before the first retry in seconds; it doubles with each next, plus jitter of up to
        `base_s`.
    cap_s : float
        Longest wait of our own choosing, in seconds.
    deadline_s : float
        No retry starts later than this after the first try.
    retry_after_cap_s : float
        Longest wait that the service may ask for; when it asks for more, the error is final
        rather than the wait cut short.
    firewall_tries : int
        Most tries against an HTML page, which may be permanent.
    sleep : callable
        Waits some seconds; tests give their own.
    """

    tries: int = 4
    base_s: float = 1.0
    cap_s: float = 60.0
    deadline_s: float = 900.0
    retry_after_cap_s: float = 300.0
    firewall_tries: int = 2
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def run(
        self,
        attempt: Callable[[], Awaitable[T]],
        *,
        on_retry: Callable[[Retry], None] | None = None,
    ) -> T:
        """Return what an attempt returns, trying again where its error allows it.

        Cancellation ends it at once, also in the middle of a wait.

        Parameters
        ----------
        attempt : callable
            Makes one whole try.
        on_retry : callable, optional
            Told of each retry before its wait.

        Raises
        ------
        CimisError
            The last try's error.
        """
        pages = 0

        async def counted() -> T:
            nonlocal pages
            try:
                return await attempt()
            except FirewallPage:
                pages += 1
                raise

        def enough(state: tenacity.RetryCallState) -> bool:
            late = tenacity.stop_before_delay(self.deadline_s)(state)
            return late or state.attempt_number >= self.tries or pages >= self.firewall_tries

        def tell(state: tenacity.RetryCallState) -> None:
            error = _error(state)
            if on_retry is not None and isinstance(error, CimisError):
                wait_s = state.upcoming_sleep
                on_retry(Retry(error, state.attempt_number, self.tries - 1, wait_s))

        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception(self._worth_a_retry),
            wait=self._wait_s,
            stop=enough,
            before_sleep=tell,
            sleep=self.sleep,
            reraise=True,
        )
        return await retrying(counted)

    def _worth_a_retry(self, error: BaseException) -> bool:
        asked_s = getattr(error, "retry_after_s", None)
        return (
            isinstance(error, ServiceError)
            and error.retryable
            and (asked_s is None or asked_s <= self.retry_after_cap_s)
        )

    def _wait_s(self, state: tenacity.RetryCallState) -> float:
        doubling = tenacity.wait_exponential(multiplier=self.base_s, max=self.cap_s)
        own_s = min((doubling + tenacity.wait_random(0, self.base_s))(state), self.cap_s)
        return max(own_s, getattr(_error(state), "retry_after_s", None) or 0.0)


def _error(state: tenacity.RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome is not None else None
