"""The emulated service as an ASGI application: routes, the key, errors, streamed answers."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import re
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import iterate_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from cimis.pipeline.emulator.questions import (
    ENDPOINTS,
    SPATIAL_ZIP_ITEMS,
    Question,
    ask,
    station_zips,
)
from cimis.pipeline.emulator.source import RecordSet, Source, render
from cimis.pipeline.emulator.today import with_placeholders
from cimis.pipeline.emulator.troubles.refusals import FIREWALL_PAGE, Refusal
from cimis.pipeline.emulator.troubles.spoiled import instead, spoiled, with_trouble
from cimis.pipeline.emulator.troubles.troubles import Troubles
from cimis.pipeline.field.time import network_now

__all__ = ["KEY_HEADER", "TRAFFIC_PATH", "Service", "Traffic", "application"]

TRAFFIC_PATH = "/emulator/traffic"
"""Where the server tells what it has seen; asking is not counted and needs no key."""

KEY_HEADER = "Ocp-Apim-Subscription-Key"
_HEAD = b'{"Data":{"Providers":['
_PROVIDER = b'{"Name":"cimis","Type":"%s","Owner":"water.ca.gov","Records":['
_TAIL = b"]}}"


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
    now: Callable[[], dt.datetime] = network_now
    troubles: Troubles = field(default_factory=Troubles)
    traffic: Traffic = field(default_factory=Traffic)

    def station_numbers(self) -> dict[int, Any]:
        """Return the known stations by number."""
        return {int(str(s["StationNbr"])): s for s in self.source.stations()}


def application(service: Service) -> Starlette:
    """Return the ASGI application of a service."""
    routes = [
        *(Route(path, _guarded(service, _data)) for path in ENDPOINTS),
        Route("/StationWeb/GetAllStations", _guarded(service, _all_stations)),
        Route("/StationWeb/GetStationByStationNumber", _guarded(service, _one_station)),
        Route("/StationWeb/GetAllStationsZipCodes", _guarded(service, _station_zips)),
        Route("/StationWeb/GetStationZipCodeInfoByZipCode", _guarded(service, _station_zip)),
        Route("/SpatialWeb/GetAllSpatialZipCodes", _guarded(service, _spatial_zips)),
        Route("/SpatialWeb/GetSpatialZipCodeInfoByZipCode", _guarded(service, _spatial_zip)),
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
    parameters = dict(request.query_params)
    question = ask(request.url.path, parameters, service.source, service.now().date())
    return _streamed(service, request, _body(service, question, request.state.trouble))


def _body(service: Service, question: Question, trouble: str | None) -> Iterator[bytes]:
    """Yield the JSON body of the records asked for, a provider for each network that has some."""
    yield _HEAD
    window = question.start, question.end, question.items, question.standard
    if question.stations or not question.places:
        stations = (
            service.source.records(station, question.scope, *window)
            for station in question.stations
        )
        yield from _provider(service, b"station", stations, trouble)
    spatial = service.source.spatial()
    if question.places and spatial is not None:
        if question.stations:
            yield b","
            known = [item for item in question.items if item.code in SPATIAL_ZIP_ITEMS]
            window = question.start, question.end, tuple(known), question.standard
        places = (spatial.records(place, *window) for place in question.places)
        yield from _provider(service, b"spatial", places, trouble)
    yield _TAIL


def _provider(
    service: Service, kind: bytes, sets: Iterable[RecordSet], trouble: str | None
) -> Iterator[bytes]:
    yield _PROVIDER % kind
    before = False
    for records in sets:
        shown = with_trouble(trouble, with_placeholders(records, service.now()))
        for number, piece in enumerate(render(shown)):
            yield b"," + piece if before and number == 0 else piece
        before = before or bool(records.dates)
    yield b"]}"


def _listed(service: Service, request: Request, entries: list[dict[str, object]]) -> Response:
    body = json.dumps({"ZipCodes": entries}, ensure_ascii=False)
    return _streamed(service, request, iter([body.encode()]))


def _of_one(request: Request, entries: list[dict[str, object]]) -> list[dict[str, object]]:
    code = request.query_params.get("zipCode", "")
    found = [entry for entry in entries if entry["ZipCode"] == code]
    if not found:
        raise Refusal(404, "ERR1031", f"UNSUPPORTED ZIP CODE: {code[:20]}")
    return found


def _zips_of_stations(service: Service) -> list[dict[str, object]]:
    same = ("ConnectDate", "DisconnectDate", "IsActive")
    return [
        {
            "StationNbr": int(str(station["StationNbr"])),
            "ZipCode": code,
            **{name: station.get(name, "") for name in same},
        }
        for code, stations in sorted(station_zips(service.source).items())
        for station in stations
    ]


def _zips_of_places(service: Service) -> list[dict[str, object]]:
    spatial = service.source.spatial()
    dates = {"ConnectDate": "2/20/2003", "DisconnectDate": "12/31/2030", "IsActive": "True"}
    return [] if spatial is None else [{"ZipCode": z, **dates} for z in spatial.zip_codes()]


def _station_zips(service: Service, request: Request) -> Response:
    return _listed(service, request, _zips_of_stations(service))


def _station_zip(service: Service, request: Request) -> Response:
    return _listed(service, request, _of_one(request, _zips_of_stations(service)))


def _spatial_zips(service: Service, request: Request) -> Response:
    return _listed(service, request, _zips_of_places(service))


def _spatial_zip(service: Service, request: Request) -> Response:
    return _listed(service, request, _of_one(request, _zips_of_places(service)))


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
