"""After a fault fewer requests are under way at once, and more again with each answer."""

from __future__ import annotations

import asyncio

import pytest

from cimis.pipeline.errors import ServiceError
from cimis.pipeline.fetch.patience import Pace


async def _most_at_once(pace: Pace, requests: int) -> int:
    """Return how many of some requests are under way together."""
    under_way = most = 0

    async def one() -> None:
        nonlocal under_way, most
        async with pace.turn():
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            under_way -= 1

    await asyncio.gather(*(one() for _ in range(requests)))
    return most


async def _fault(pace: Pace) -> None:
    with pytest.raises(ServiceError):
        async with pace.turn():
            raise ServiceError("no luck")


def test_all_that_are_wished_for_go_out_where_all_is_well() -> None:
    assert asyncio.run(_most_at_once(Pace(8), 20)) == 8


def test_each_fault_halves_them_down_to_one_and_answers_raise_them() -> None:
    async def story() -> list[int]:
        pace = Pace(8)
        seen: list[int] = []
        for _ in range(5):
            await _fault(pace)
            seen.append(await _most_at_once(pace, 1 if len(seen) < 3 else 4))
        seen.append(await _most_at_once(pace, 400))
        return seen

    *_, worst, last = asyncio.run(story())
    assert worst == 1
    assert last == 8


def test_whoever_waits_is_let_in_when_another_fails_or_is_cancelled() -> None:
    async def story() -> bool:
        pace = Pace(1)

        async def stay() -> None:
            async with pace.turn():
                await asyncio.sleep(60)

        staying = asyncio.create_task(stay())
        await asyncio.sleep(0)
        waiting = asyncio.create_task(_most_at_once(pace, 3))
        await asyncio.sleep(0)
        staying.cancel()
        return await asyncio.wait_for(waiting, 10) == 1

    assert asyncio.run(story())
