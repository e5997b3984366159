"""Every way by which something of a service comes in, and what must hold whatever it sends."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import traceback
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from cimis.pipeline.errors import CimisError
from cimis.pipeline.fetch import FetchRequest, RunReport, fetch, sync
from cimis.pipeline.field.items import Scope, resolve
from cimis.pipeline.field.targets import Network, coordinate_target, zip_target
from cimis.pipeline.service import CimisClient, RetryPolicy, Settings, Timeouts
from tests.api.raw_server import KEY
from tests.ingest.service import NOW, no_sleep

PATIENT = Timeouts(connect_s=10, read_s=10, write_s=10, whole_s=60)
"""Waits that no test reaches, however busy the machine is."""
QUICK = Timeouts(connect_s=0.5, read_s=0.5, write_s=0.5, whole_s=1.5)
"""Waits that tests of time reach."""
ONCE = RetryPolicy(tries=1, sleep=no_sleep)
FIRST, LAST = dt.date(2024, 1, 1), dt.date(2024, 1, 31)

Way = Callable[[str, Path, Timeouts], CimisError | None]
"""Asks a base URL into a data directory, with waits; returns the error, None where all is well."""


def settings_of(base_url: str) -> Settings:
    return Settings(base_url, KEY)


def request(*numbers: int, **options: Any) -> FetchRequest:
    """Return a request for January of 2024, one try each."""
    given: dict[str, Any] = {
        "policy": ONCE,
        "timeouts": PATIENT,
        "start": FIRST,
        "end": LAST,
        "full": True,
    }
    return FetchRequest(stations=numbers, **given | options)


def run(base_url: str, root: Path, wanted: FetchRequest) -> RunReport:
    return fetch(root, wanted, settings_of(base_url), clock=lambda: NOW)


def _error_of(*reports: RunReport) -> CimisError | None:
    for report in reports:
        assert KEY not in json.dumps(report.as_dict(), default=str)
        for result in report.failed:
            return result.error
    return None


def _by_streaming(base_url: str, root: Path, waits: Timeouts) -> CimisError | None:
    return _error_of(run(base_url, root, request(2, timeouts=waits)))


def _by_plain(base_url: str, root: Path, waits: Timeouts) -> CimisError | None:
    return _error_of(run(base_url, root, request(2, plain=True, timeouts=waits)))


def _of_a_zip_code(base_url: str, root: Path, waits: Timeouts) -> CimisError | None:
    return _error_of(run(base_url, root, request(targets=(zip_target("93624"),), timeouts=waits)))


def _of_a_coordinate(base_url: str, root: Path, waits: Timeouts) -> CimisError | None:
    targets = (coordinate_target("36.8,-119.7"),)
    items = tuple(resolve(["day-asce-eto", "day-sol-rad-avg"], Scope.DAILY))
    return _error_of(run(base_url, root, request(targets=targets, items=items, timeouts=waits)))


def _by_sync(base_url: str, root: Path, waits: Timeouts) -> CimisError | None:
    reports, plan = sync(root, request(2, timeouts=waits), settings_of(base_url), clock=lambda: NOW)
    assert plan.requests
    return _error_of(*reports)


def _asked(work: Callable[[CimisClient], Coroutine[Any, Any, object]]) -> Way:
    def way(base_url: str, root: Path, waits: Timeouts) -> CimisError | None:
        async def main() -> None:
            async with CimisClient(settings_of(base_url), timeout=waits, policy=ONCE) as client:
                await work(client)

        try:
            asyncio.run(main())
        except CimisError as error:
            return error
        return None

    return way


DATA: dict[str, Way] = {
    "streaming": _by_streaming,
    "plain": _by_plain,
    "zip code": _of_a_zip_code,
    "coordinate": _of_a_coordinate,
    "sync": _by_sync,
}
LISTS: dict[str, Way] = {
    "stations": _asked(lambda client: client.stations()),
    "one station": _asked(lambda client: client.station(2)),
    "zip codes": _asked(lambda client: client.zip_codes(Network.WSN)),
    "one zip code": _asked(lambda client: client.zip_codes(Network.WSN, "93624")),
    "spatial zip codes": _asked(lambda client: client.zip_codes(Network.SCS)),
}
WAYS = DATA | LISTS


def files_of(root: Path) -> dict[str, bytes]:
    """Return the chunks of a data directory."""
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*.zst"))}


def taken(way: str, base_url: str, root: Path) -> bool:
    """Ask by a way and tell whether all went well."""
    return WAYS[way](base_url, root, PATIENT) is None


def shows_the_key(text: str) -> bool:
    """Tell whether a text holds the key or 8 of its characters in a row."""
    return any(KEY[at : at + 8] in text for at in range(len(KEY) - 7))


def refused(way: str, base_url: str, root: Path, waits: Timeouts = PATIENT) -> CimisError:
    """Ask by a way and return its error, having checked what must hold for every one.

    The key stands in no word of the error, its traceback or the report, and in no file; what was
    stored is as it was.
    """
    before = files_of(root)
    error = WAYS[way](base_url, root, waits)
    assert error is not None, "it was taken"
    shown = "".join(traceback.format_exception(error))
    facts = json.dumps(error.as_dict(), default=str)
    assert not shows_the_key(f"{shown} {facts} {error!r} {error} {error.hint} {vars(error)}")
    assert error.hint, "what to do next is not said"
    assert files_of(root) == before
    for path in root.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes()
    return error
