"""The emulated service as an ASGI application: routes, the key, errors, streamed answers."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import re
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import iterate_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from pipeline.emulator.refusals import FIREWALL_PAGE, Question, Refusal, ask
from pipeline.emulator.source import Source, render
from pipeline.emulator.spoiled import instead, spoiled, with_trouble
from pipeline.emulator.today import pacific_now, with_placeholders
from pipeline.emulator.troubles import Troubles

__all__ = ["KEY_HEADER", "TRAFFIC_PATH", "Service", "Traffic", "application"]

TRAFFIC_PATH = "/emulator/traffic"
"""Where the server tells what it has seen; asking is not counted and needs no key."""

KEY_HEADER = "Ocp-Apim-Subscription-Key"
_HEAD = b'{"Data":{"Providers":[{"Name":"cimis","Type":"station","Owner":"water.ca.gov","Records":['
_TAIL = b"]}]}}"


@dataclass(slots=True)
class Traffic:
    """What the server has seen: requests by path, statuses, queries, bytes of data sent."""

    requests: int = 0
    by_path: dict[str, int] = field(default_factory=dict)
    statuses: dict[int, int] = field(default_factory=dict)
    queries: list[str] = field(default_factory=list)
    bytes_sent: int = 0


@dataclass(slots=True)
class Service:
    """One emulated service: its source, its key, its clock and its slowness."""

    source: Source
    app_key: str
    latency_s: float = 0.0
    gzip: bool = True
    now: Callable[[], dt.datetime] = pacific_now
    troubles: Troubles = field(default_factory=Troubles)
    traffic: Traffic = field(default_factory=Traffic)

    def station_numbers(self) -> dict[int, Any]:
        """Return the known stations by number."""
        return {int(str(s["StationNbr"])): s for s in self.source.stations()}


def application(service: Service) -> Starlette:
    """Return the ASGI application of a service."""
    routes = [
        Route("/StationWeb/GetDataByStationNumber", _guarded(service, _data)),
        Route("/StationWeb/GetAllStations", _guarded(service, _all_stations)),
        Route("/StationWeb/GetStationByStationNumber", _guarded(service, _one_station)),
        Route(TRAFFIC_PATH, lambda _: JSONResponse(_told(service))),
        Route("/{path:path}", _guarded(service, _nothing)),
    ]
    return Starlette(routes=routes)


_Answer = Callable[[Service, Request], Response]


def _guarded(service: Service, answer: _Answer) -> Callable[[Request], Any]:
    """Return an endpoint that waits, counts, and lets only well-formed requests with the key in."""

    async def endpoint(request: Request) -> Response:
        traffic = service.traffic
        traffic.requests += 1
        path = request.url.path
        traffic.by_path[path] = traffic.by_path.get(path, 0) + 1
        traffic.queries.append(request.url.query)
        if service.latency_s:
            await asyncio.sleep(service.latency_s)
        kind = service.troubles.draw(f"{path}?{request.url.query}") if answer is _data else None
        request.state.trouble = kind
        response = await _answered(service, request, answer, kind)
        traffic.statuses[response.status_code] = traffic.statuses.get(response.status_code, 0) + 1
        return response

    return endpoint


async def _answered(
    service: Service, request: Request, answer: _Answer, kind: str | None
) -> Response:
    """Return the answer, as the fault that the request meets makes it."""
    if kind is None:
        return await asyncio.to_thread(_checked, service, request, answer)
    if kind in ("slow", "latency"):
        troubles = service.troubles
        await asyncio.sleep(troubles.slow_s if kind == "slow" else troubles.latency_s)
    refused = instead(kind, service.troubles)
    if refused is not None:
        return refused
    response = await asyncio.to_thread(_checked, service, request, answer)
    return await spoiled(kind, response, request)


def _told(service: Service) -> dict[str, Any]:
    traffic = service.traffic
    return {
        "requests": traffic.requests,
        "by_path": traffic.by_path,
        "statuses": traffic.statuses,
        "bytes_sent": traffic.bytes_sent,
        "faults": service.troubles.counts,
    }


def _checked(service: Service, request: Request, answer: _Answer) -> Response:
    if any(name.lower() == "appkey" for name in request.query_params):
        return HTMLResponse(FIREWALL_PAGE)
    if request.headers.get(KEY_HEADER) != service.app_key:
        missing = "missing" if KEY_HEADER not in request.headers else "invalid"
        message = f"Access denied due to {missing} subscription key."
        return JSONResponse({"statusCode": 401, "message": message}, status_code=401)
    try:
        return answer(service, request)
    except Refusal as refusal:
        return JSONResponse({"Message": refusal.message}, status_code=refusal.status)


def _nothing(_: Service, request: Request) -> Response:
    message = f"Resource not found: {request.url.path}"
    return JSONResponse({"statusCode": 404, "message": message}, status_code=404)


def _data(service: Service, request: Request) -> Response:
    known = service.station_numbers()
    question = ask(dict(request.query_params), known, service.now().date())
    return _streamed(service, request, _body(service, question, request.state.trouble))


def _body(service: Service, question: Question, trouble: str | None) -> Iterator[bytes]:
    """Yield the JSON body of the records asked for, station by station."""
    yield _HEAD
    before = False
    for station in question.stations:
        records = service.source.records(
            station,
            question.scope,
            question.start,
            question.end,
            question.items,
            question.standard,
        )
        shown = with_trouble(trouble, with_placeholders(records, service.now()))
        for number, piece in enumerate(render(shown)):
            yield b"," + piece if before and number == 0 else piece
        before = before or bool(records.dates)
    yield _TAIL


def _all_stations(service: Service, request: Request) -> Response:
    body = json.dumps({"Stations": list(service.source.stations())}, ensure_ascii=False)
    return _streamed(service, request, iter([body.encode()]))


def _one_station(service: Service, request: Request) -> Response:
    text = request.query_params.get("stationNbr", "")
    known = re.fullmatch(r"[0-9]{1,5}", text)
    station = service.station_numbers().get(int(text) if known else -1)
    if station is None:
        raise Refusal(404, "ERR1019", f"STATION NOT FOUND: {text[:20]}")
    body = json.dumps({"Stations": [station]}, ensure_ascii=False)
    return _streamed(service, request, iter([body.encode()]))


def _streamed(service: Service, request: Request, body: Iterator[bytes]) -> Response:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    if service.gzip and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        body = _gzipped(body)
    return StreamingResponse(_counted(service, body), headers=headers)


def _gzipped(body: Iterator[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(6, wbits=31)
    for piece in body:
        packed = packer.compress(piece)
        if packed:
            yield packed
    yield packer.flush()


async def _counted(service: Service, body: Iterator[bytes]) -> AsyncIterator[bytes]:
    async for piece in iterate_in_threadpool(body):
        service.traffic.bytes_sent += len(piece)
        yield piece
