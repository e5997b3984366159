"""What is tried again, how often, after which wait, and what is not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from cimis.pipeline.errors import (
    AuthError,
    CimisError,
    DecodeError,
    FirewallPage,
    NetworkError,
    RateLimited,
    RequestRefused,
    ServiceError,
)
from cimis.pipeline.service import Retry, RetryPolicy


class Run:
    """An attempt that fails with given errors in turn, then succeeds; and what was noted."""

    def __init__(self, *errors: BaseException, **policy: Any) -> None:
        self._errors: Sequence[BaseException] = errors
        self.tries = 0
        self.waits: list[float] = []
        self.retries: list[Retry] = []
        self.policy = RetryPolicy(sleep=self._sleep, **policy)

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    async def _attempt(self) -> str:
        self.tries += 1
        if self.tries <= len(self._errors):
            raise self._errors[self.tries - 1]
        return "done"

    def __call__(self) -> str:
        return asyncio.run(self.policy.run(self._attempt, on_retry=self.retries.append))


def rate_limited(wait_s: float | None = None) -> RateLimited:
    return RateLimited("slow down", status=429, retry_after_s=wait_s)


def test_three_retries_follow_the_first_try() -> None:
    """The fourth failure is final, and is the error that comes out."""
    last = ServiceError("fourth", status=503)
    run = Run(*[ServiceError("down", status=503)] * 3, last, last)
    with pytest.raises(ServiceError, match="fourth"):
        run()
    assert run.tries == 4


def test_a_success_after_failures_is_a_success() -> None:
    run = Run(ServiceError("down", status=500), NetworkError("cut", kind="eof"))
    assert run() == "done"
    assert run.tries == 3


def test_waits_double_from_one_second_with_jitter() -> None:
    run = Run(*[ServiceError("down", status=503)] * 6, tries=7, cap_s=10.0)
    assert run() == "done"
    for wait, low in zip(run.waits, [1, 2, 4, 8, 10, 10], strict=True):
        assert low <= wait <= min(low + 1, 10)
    assert len(set(run.waits[:4])) == 4


def test_each_retry_is_announced_in_words() -> None:
    run = Run(rate_limited(), NetworkError("cut", kind="read_timeout"), FirewallPage("page"))
    assert run() == "done"
    assert [str(retry) for retry in run.retries] == [
        "retryable: 429 (attempt 1/3)",
        "retryable: read timeout (attempt 2/3)",
        "retryable: firewall page (attempt 3/3)",
    ]


@pytest.mark.parametrize(
    "error",
    [
        AuthError("no"),
        RequestRefused("no", status=400),
        DecodeError("garbage"),
        ValueError("a bug"),
    ],
)
def test_what_cannot_get_better_is_not_tried_again(error: Exception) -> None:
    run = Run(error)
    with pytest.raises(type(error)):
        run()
    assert run.tries == 1
    assert not run.waits


def test_an_error_may_say_that_it_is_final() -> None:
    error = NetworkError("certificate", kind="tls")
    error.retryable = False
    run = Run(error)
    with pytest.raises(NetworkError):
        run()
    assert run.tries == 1


def test_the_services_wait_is_obeyed() -> None:
    run = Run(rate_limited(30), rate_limited(0), ServiceError("x", status=503, retry_after_s=45))
    assert run() == "done"
    assert run.waits[0] == 30
    assert 2 <= run.waits[1] <= 3
    assert run.waits[2] == 45


def test_a_wait_beyond_the_cap_ends_the_tries() -> None:
    """The wait is neither cut short nor sat out."""
    run = Run(rate_limited(3600))
    with pytest.raises(RateLimited):
        run()
    assert (run.tries, run.waits) == (1, [])


def test_no_retry_starts_after_the_deadline() -> None:
    run = Run(rate_limited(20), deadline_s=10)
    with pytest.raises(RateLimited):
        run()
    assert run.tries == 1


def test_a_firewall_page_is_met_twice_at_most() -> None:
    """The second page is final, whatever came between."""
    page = FirewallPage("page", status=200)
    run = Run(page, ServiceError("down", status=503), page, page, tries=9)
    with pytest.raises(FirewallPage):
        run()
    assert run.tries == 3


def test_no_retries_means_one_try() -> None:
    run = Run(ServiceError("down", status=503), tries=1)
    with pytest.raises(ServiceError):
        run()
    assert run.tries == 1


def test_cancelling_ends_a_wait_at_once() -> None:
    """A cancelled run neither sleeps on nor tries again."""
    tries = 0

    async def attempt() -> None:
        nonlocal tries
        tries += 1
        raise ServiceError("down", status=503)

    async def main() -> None:
        task = asyncio.create_task(RetryPolicy(base_s=50).run(attempt))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 2)

    asyncio.run(main())
    assert tries == 1


def test_cancelling_an_attempt_is_not_a_failure_to_repeat() -> None:
    run = Run(asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError):
        run()
    assert run.tries == 1


def test_an_unnamed_error_is_called_by_its_class() -> None:
    error: CimisError = ServiceError("down")
    assert str(Retry(error, 1, 3, 1.0)) == "retryable: ServiceError (attempt 1/3)"
