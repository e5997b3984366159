"""Which stations a fetch means: the numbers named, checked against the network's own list."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import UsageError
from pipeline.serving import served

if TYPE_CHECKING:
    from pipeline.api import Retry, RetryPolicy, Settings, Timeouts
    from pipeline.errors import DecodeError

__all__ = ["chosen_stations", "left_out", "refresh_stations"]


def refresh_stations(
    root: Path,
    settings: Settings,
    *,
    policy: RetryPolicy | None = None,
    timeout: Timeouts | None = None,
    on_retry: Callable[[Retry], None] | None = None,
    on_odd: Callable[[DecodeError], None] | None = None,
) -> list[dict[str, Any]]:
    """Ask the service for its list of stations, keep it in the catalog, and return it.

    Of an entry that cannot be read, and that ``on_odd`` hears of, what was known before is kept.
    """
    from pipeline.api import CimisClient, Station
    from pipeline.catalog import Catalog

    async def ask() -> list[Station]:
        async with CimisClient(settings, policy=policy, timeout=timeout) as client:
            return await client.stations(on_retry=on_retry, on_odd=on_odd)

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        listed = asyncio.run(ask())
    else:  # in a notebook a loop runs already
        with ThreadPoolExecutor(1) as pool:
            listed = pool.submit(asyncio.run, ask()).result()
    with Catalog(root) as catalog:
        catalog.put_stations((s.number, s.name, _facts(s)) for s in listed)
        return catalog.stations()


def chosen_stations(
    numbers: Sequence[int] | None,
    root: Path,
    settings: Settings,
    span: tuple[dt.date, dt.date],
    *,
    singly: Iterable[int] = (),
    ask: bool,
    say: Callable[[str], None],
    warn: Callable[[str], None],
    policy: RetryPolicy | None = None,
    timeout: Timeouts | None = None,
) -> tuple[int, ...]:
    """Return the numbers of the stations that are meant, as the network's list has them.

    Parameters
    ----------
    numbers : sequence of int, optional
        None for every station that worked during the span.
    root : pathlib.Path
        The data directory, whose catalog keeps the network's list.
    settings : Settings
        The service to ask for the list where the catalog's does not do.
    span : pair of datetime.date
        First and last day.
    singly : iterable of int
        Those of the numbers that were named by themselves, not in a range.
    ask : bool
        Whether the service may be asked.
    say, warn : callable
        Hear which numbers of a range do not exist, and which entries of the list are odd.
    policy, timeout : optional
        When to try again, and how long to wait.

    Raises
    ------
    UsageError
        For a station named by its own number that the network does not have.
    """
    known = _known(root)
    odd = set[str]()

    def told(error: DecodeError) -> None:
        odd.add(error.station or "")
        warn(left_out(error))

    if ask and not set(numbers or [-1]) <= known.keys():
        listed = refresh_stations(
            root,
            settings,
            policy=policy,
            timeout=timeout,
            on_retry=lambda r: say(str(r)),
            on_odd=told,
        )
        known = {facts["number"]: facts for facts in listed}
    if not known and numbers is not None:
        return tuple(numbers)
    if numbers is None:
        return _working(known.values(), span)
    # a station whose entry cannot be read is there all the same
    unknown = [n for n in numbers if n not in known and str(n) not in odd]
    named = sorted(set(unknown) & set(singly))
    if named or len(unknown) == len(numbers):
        raise UsageError(
            f"the network has no station {', '.join(map(str, named or unknown))}",
            hint="see 'cimis stations'",
        )
    if unknown:
        say(f"left out of the ranges, as the network has no such stations: {unknown}")
    return tuple(number for number in numbers if number not in unknown)


def left_out(error: DecodeError) -> str:
    """Return in words that an entry of a list of the service is left out, and why."""
    return f"an entry of the service's list is left out: {error}"


def _known(root: Path) -> dict[int, dict[str, Any]]:
    """Return the stations that the catalog knows, none where there is no catalog."""
    from pipeline.catalog import CATALOG_FILE, Catalog

    if not (root / CATALOG_FILE).is_file():
        return {}
    with Catalog(root) as catalog:
        return {facts["number"]: facts for facts in catalog.stations()}


def _working(known: Iterable[Mapping[str, Any]], span: tuple[dt.date, dt.date]) -> tuple[int, ...]:
    """Return the stations that were connected on some day of a span."""
    found = tuple(facts["number"] for facts in known if served(facts, *span))
    if not found:
        raise UsageError(
            "no station is known that worked in these days",
            hint="fetch the list: cimis stations --refresh",
        )
    return found


def _facts(station: Any) -> dict[str, Any]:
    """Return a station as JSON-ready facts, its days as text."""
    return {
        name: value.isoformat() if isinstance(value, dt.date) else value
        for name, value in asdict(station).items()
    }
