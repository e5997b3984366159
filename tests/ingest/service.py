"""A small service of daily and hourly records whose every answer a test can bend."""

from __future__ import annotations

import asyncio
import datetime as dt
import gzip
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cimis.pipeline.fetch import FetchRequest, Progress, RunReport, fetch_async
from cimis.pipeline.field.items import Scope, resolve
from cimis.pipeline.service import RetryPolicy, Settings
from tests.api.raw_server import listening

KEY = "k3y-that-must-stay-hidden"
NOW = dt.datetime(2026, 10, 5, 12, 0, tzinfo=dt.timezone(dt.timedelta(hours=-8)))
DAY = dt.timedelta(days=1)

Record = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """One request as it came: its number from 0, stations and days."""

    number: int
    stations: tuple[int, ...]
    start: dt.date
    end: dt.date
    hourly: bool
    items: tuple[str, ...]

    @property
    def records(self) -> int:
        return len(self.stations) * ((self.end - self.start).days + 1) * (24 if self.hourly else 1)


Bend = Callable[[Asked, list[Record]], "bytes | list[Record] | None"]


@dataclass
class Service:
    """Answers every station with values that follow from station and day.

    ``bend`` may return other records, or the raw bytes of a whole HTTP answer; ``before`` is
    awaited first; stations in ``unknown`` are refused; ``cap`` is the most records per request.
    """

    bend: Bend = lambda asked, records: records
    before: Callable[[Asked], Awaitable[None]] | None = None
    unknown: frozenset[int] = frozenset()
    cap: int = 5020
    plain: bool = False
    base_url: str = ""
    asked: list[Asked] = field(default_factory=list)

    async def answer(self, head: str) -> bytes:
        query = {k: v[0] for k, v in parse_qs(urlsplit(head.split()[1]).query).items()}
        asked = Asked(
            len(self.asked),
            tuple(int(n) for n in query["stationNbrs"].split(",")),
            dt.date.fromisoformat(query["startDate"]),
            dt.date.fromisoformat(query["endDate"]),
            query["isHourly"] == "true",
            tuple(query["dataItems"].split(",")),
        )
        self.asked.append(asked)
        if self.before is not None:
            await self.before(asked)
        if f"Ocp-Apim-Subscription-Key: {KEY}" not in head:
            return whole(b'{"statusCode":401}', status="401 Access Denied")
        if asked.records > self.cap:
            return whole(b"ERR2112-DATA VOLUME VIOLATION", status="400 Bad Request")
        if self.unknown & set(asked.stations):
            return whole(b"ERR1019-STATION NOT FOUND", status="404 Not Found")
        made = self.bend(asked, list(_records(asked)))
        if isinstance(made, bytes):
            return made
        return whole(body_of(made or []), packed=not self.plain)


def _records(asked: Asked) -> list[Record]:
    items = resolve(list(asked.items), Scope.HOURLY if asked.hourly else Scope.DAILY)
    days = [asked.start + DAY * n for n in range((asked.end - asked.start).days + 1)]
    return [
        {
            "Date": day.isoformat(),
            "Julian": str(day.timetuple().tm_yday),
            **({"Hour": f"{hour:02}00"} if hour else {}),
            "Station": str(station),
            "Standard": "metric",
            "ZipCodes": "93624",
            "Scope": "hourly" if hour else "daily",
            **{
                item.json_key: {
                    "Value": f"{(station * 31 + day.toordinal() * 7 + hour) % 97 / 10:.1f}",
                    "Qc": " ",
                    "Unit": item.unit_metric,
                }
                for item in items
            },
        }
        for station in asked.stations
        for day in days
        for hour in (range(1, 25) if asked.hourly else [0])
    ]


def body_of(records: Sequence[Record]) -> bytes:
    provider = {
        "Name": "cimis",
        "Type": "station",
        "Owner": "water.ca.gov",
        "Records": list(records),
    }
    return json.dumps({"Data": {"Providers": [provider]}}, separators=(",", ":")).encode()


def whole(body: bytes, *, status: str = "200 OK", packed: bool = False, extra: str = "") -> bytes:
    """Return a whole HTTP answer."""
    body = gzip.compress(body, 1, mtime=0) if packed else body
    encoding = "Content-Encoding: gzip\r\n" if packed else ""
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nContent-Type: application/json\r\n"
    return f"{head}{encoding}{extra}\r\n".encode() + body


@asynccontextmanager
async def running(service: Service) -> AsyncIterator[Service]:
    """Serve on loopback."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                answer = await service.answer(head)
                writer.write(answer)
                await writer.drain()
                length = re.search(rb"Content-Length: (\d+)", answer)
                body = answer.partition(b"\r\n\r\n")[2]
                if length is None or int(length[1]) != len(body):
                    break
        except (asyncio.IncompleteReadError, OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async with listening(serve) as port:
        service.base_url = f"http://127.0.0.1:{port}"
        yield service


async def no_sleep(_: float) -> None:
    """Wait for nothing, so that retries follow at once."""


def wants(stations: Sequence[int], start: str, end: str, **options: Any) -> FetchRequest:
    """Return a request that retries without waiting."""
    options.setdefault("policy", RetryPolicy(tries=options.get("retries", 3) + 1, sleep=no_sleep))
    first, last = dt.date.fromisoformat(start), dt.date.fromisoformat(end)
    return FetchRequest(tuple(stations), first, last, **options)


def run(
    root: Path,
    service: Service,
    request: FetchRequest,
    *,
    key: str = KEY,
    progress: Progress | None = None,
    now: dt.datetime = NOW,
) -> RunReport:
    """Fetch from a service that runs for that long."""

    async def main() -> RunReport:
        async with running(service):
            settings = Settings(service.base_url, key)
            return await fetch_async(root, request, settings, progress=progress, clock=lambda: now)

    return asyncio.run(main())
