"""The key, the service and the clock, as settings and one small request show them."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cimis.health.finding import Finding, Mark, problem_of
from cimis.pipeline.errors import AuthError, CimisError, FirewallPage, NetworkError, RateLimited
from cimis.pipeline.field.time import network_day

if TYPE_CHECKING:
    from cimis.pipeline.service.probe import Probe
    from cimis.pipeline.service.settings import Settings

__all__ = ["clock_lines", "key_lines", "probed", "service_lines"]

_KEY = re.compile(r"[0-9a-fA-F]{32}")
_OLD_KEY = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_GET_ONE = "get one from your account page at cimis.water.ca.gov, and set CIMIS_APP_KEY"
_OTHERS_READ = 0o044
_SLOW_S = 5.0
_NEAR_S = 5.0
"""So far two clocks may lie apart: the header has seconds, and the answer takes its way."""

_FAR_S = 120.0

_KINDS: tuple[tuple[type[CimisError], str], ...] = (
    (AuthError, "key refused"),
    (RateLimited, "too many requests"),
    (FirewallPage, "a firewall answers"),
)
_WAYS = {
    "dns": "no such host",
    "tls": "no TLS",
    "refused": "refused",
    "unreachable": "unreachable",
    "connect_timeout": "no answer",
    "read_timeout": "no answer",
    "proxy": "the proxy fails",
}
"""Kind of a failure on the way → its name among the lines."""


def key_lines(settings: Settings, *, reads_only: bool = False) -> Iterator[Finding]:
    """Tell where the key was found and whether it looks like one; never the key.

    Who ``reads_only`` what others publish needs none.
    """
    from cimis.pipeline.service.settings import DEFAULT_BASE_URL, AppKey

    if not isinstance(settings.app_key, AppKey):
        told = "no API key is set"
        if reads_only:
            yield Finding("key", "found", Mark.SKIPPED, f"{told}, and none is needed to read")
        else:
            yield Finding("key", "found", Mark.PROBLEM, told, _GET_ONE)
        return
    source = settings.app_key_source
    yield Finding("key", "found", Mark.OK, f"found: {source}", facts={"source": source})
    text = settings.app_key.reveal()
    live = settings.base_url == DEFAULT_BASE_URL
    facts = {"signs": len(text), "live_service": live}
    if _KEY.fullmatch(text) or (not live and not _OLD_KEY.fullmatch(text)):
        yield Finding("key", "form", Mark.OK, f"{len(text)} signs, as a key may have", facts=facts)
    elif _OLD_KEY.fullmatch(text):
        told = "it has the form of the keys of the API that ended in 2026"
        yield Finding("key", "form", Mark.WARNING, told, _GET_ONE, facts)
    else:
        told = f"{len(text)} signs; keys of the service are 32 hexadecimal digits"
        yield Finding("key", "form", Mark.WARNING, told, "copy it again, whole", facts)
    yield from _file_lines(source)


def _file_lines(source: str) -> Iterator[Finding]:
    """Warn of a configuration file with the key that others can read."""
    if not source.startswith("file ") or os.name != "posix":
        return
    path = source.removeprefix("file ")
    mode = Path(path).stat().st_mode
    if mode & _OTHERS_READ:
        told = f"others on this machine can read it in {path}"
        yield Finding("key", "rights", Mark.WARNING, told, f"chmod 600 '{path}'")


def probed(settings: Settings) -> Probe:
    """Make the one request."""
    from cimis.pipeline.service.client import CimisClient
    from cimis.pipeline.service.loop import waited_for
    from cimis.pipeline.service.waits import Timeouts

    async def ask() -> Probe:
        async with CimisClient(settings, timeout=Timeouts.of(_FAR_S / 4)) as client:
            return await client.probe()

    return waited_for(ask())


def service_lines(settings: Settings, probe: Probe) -> Iterator[Finding]:
    """Tell whether the service answers, or what is in the way."""
    where = f"{settings.base_url} ({settings.base_url_source})"
    facts = {"base_url": settings.base_url, "source": settings.base_url_source}
    error = probe.error
    if error is None:
        took_s = probe.timings.total_ms / 1000
        told = f"{where} answers by {probe.http_version} in {took_s:.2f} s"
        facts |= {"http_version": str(probe.http_version)}
        slow = took_s > _SLOW_S
        do = "expect a slow fetch; try later, or fewer requests at once" if slow else None
        mark = Mark.WARNING if slow else Mark.OK
        yield Finding("service", "answer", mark, told, do, facts | probe.timings.as_dict())
        return
    name = next((name for kind, name in _KINDS if isinstance(error, kind)), "failure")
    if isinstance(error, NetworkError):
        name = _WAYS.get(error.kind, "broken connection")
    line = problem_of("service", "answer", error)
    yield Finding(
        *("service", "answer", Mark.PROBLEM, f"{where}, {name}: {line.says}", line.do),
        {**line.facts, **facts, "kind": name},
    )


def clock_lines(probe: Probe) -> Iterator[Finding]:
    """Tell how far this machine's clock lies from the service's, and which day it is there."""
    if probe.said_at is None or probe.heard_at is None:
        told = "the service did not say its time"
        yield Finding("clock", "offset", Mark.SKIPPED, told)
    else:
        yield _offset(probe.said_at, probe.heard_at)
    yield day_line()


def _offset(said: dt.datetime, heard: dt.datetime) -> Finding:
    ahead_s = (heard - said).total_seconds()
    day, theirs = network_day(heard), network_day(said)
    facts = {"ahead_s": round(ahead_s, 1), "day": str(day), "service_day": str(theirs)}
    do = "set this machine's clock, by NTP for one"
    side = "ahead of" if ahead_s > 0 else "behind"
    told = f"{abs(ahead_s):,.0f} s {side} the service's"
    if abs(ahead_s) <= _NEAR_S:
        return Finding("clock", "offset", Mark.OK, "as the service's, to the second", facts=facts)
    if abs(ahead_s) <= _FAR_S:
        return Finding("clock", "offset", Mark.WARNING, told, do, facts)
    told += "" if day == theirs else f": {day} here, {theirs} there"
    return Finding("clock", "offset", Mark.PROBLEM, told, do, facts)


def day_line() -> Finding:
    """Tell the network's day, which is by PST all year."""
    day = network_day()
    told = f"the network's day is {day}; its last whole one is {day - dt.timedelta(days=1)}"
    return Finding("clock", "day", Mark.OK, told, facts={"day": str(day)})
