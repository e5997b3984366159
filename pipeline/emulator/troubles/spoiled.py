"""Answers of the emulated service as a fault makes them: refused, broken off, damaged, slow."""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import struct
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from email.utils import format_datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from cimis.pipeline.emulator.source import ABSENT, ItemTexts, RecordSet
from cimis.pipeline.emulator.troubles.refusals import FIREWALL_PAGE
from cimis.pipeline.emulator.troubles.troubles import Troubles

__all__ = ["instead", "spoiled", "with_trouble"]

_PIECES = 40
_PAUSE_S = 0.02
_FINAL = {
    "400": ("Message", "ERR1035-DATA ITEM NOT FOUND"),
    "401": ("message", "Access denied due to invalid subscription key."),
    "403": ("message", "Out of call volume quota."),
    "404": ("Message", "ERR1019-STATION NOT FOUND"),
}


def instead(kind: str, troubles: Troubles) -> Response | None:
    """Return what is answered in the place of data; None for a fault of the data's way."""
    if kind == "firewall":
        return HTMLResponse(FIREWALL_PAGE)
    if kind in _FINAL:
        name, text = _FINAL[kind]
        return JSONResponse({name: text}, status_code=int(kind))
    status = kind[:3]
    if not status.isdigit():
        return None
    headers = {}
    if kind == "429-after":
        headers["Retry-After"] = str(troubles.retry_after_s)
    elif kind == "429-date":
        later = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=troubles.retry_after_s)
        headers["Retry-After"] = format_datetime(later, usegmt=True)
    return JSONResponse({"statusCode": int(status)}, status_code=int(status), headers=headers)


async def spoiled(kind: str, response: Response, request: Request) -> Response:
    """Return an answer as a fault of its way makes it."""
    if kind == "reset":
        _reset(request)
        return Response()
    if not isinstance(response, StreamingResponse) or response.status_code != 200:
        return response
    if kind == "trickle":
        body = b"".join([_bytes(piece) async for piece in response.body_iterator])
        return StreamingResponse(_slowly(body), headers=dict(response.headers))
    if kind not in ("cut", "truncated-gzip", "corrupt-gzip"):
        return response
    body = b"".join([_bytes(piece) async for piece in response.body_iterator])
    headers = {name: v for name, v in response.headers.items() if name != "content-length"}
    if kind == "cut":
        headers["content-length"] = str(len(body))
        return StreamingResponse(_cut(body, request), headers=headers)
    if kind == "truncated-gzip":
        return Response(body[: len(body) * 2 // 3], headers=headers)
    place = len(body) // 2
    return Response(body[:place] + bytes([body[place] ^ 0x55]) + body[place + 1 :], headers=headers)


def _bytes(piece: Any) -> bytes:
    return piece.encode() if isinstance(piece, str) else bytes(piece)


async def _slowly(body: bytes) -> AsyncIterator[bytes]:
    size = max(len(body) // _PIECES, 1)
    for start in range(0, len(body), size):
        yield body[start : start + size]
        await asyncio.sleep(_PAUSE_S)


async def _cut(body: bytes, request: Request) -> AsyncIterator[bytes]:
    yield body[: len(body) // 2]
    await asyncio.sleep(_PAUSE_S)  # so that the half has left before the connection ends
    transport = _transport(request)
    if transport is not None:
        transport.close()
    await asyncio.sleep(_PAUSE_S)


def _reset(request: Request) -> None:
    """End the connection so that the client sees a reset."""
    transport = _transport(request)
    if transport is None:
        return
    open_socket = transport.get_extra_info("socket")
    if open_socket is not None:
        windows = hasattr(socket, "SO_EXCLUSIVEADDRUSE")
        linger = struct.pack("hh" if windows else "ii", 1, 0)
        open_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()


def _transport(request: Request) -> asyncio.Transport | None:
    found = request.scope.get("state", {}).get("transport")
    return found if isinstance(found, asyncio.Transport) else None


def with_trouble(kind: str | None, records: RecordSet) -> RecordSet:
    """Return a station's records as a fault of the data makes them."""
    count = len(records.dates)
    if kind == "duplicates":
        return _taken(records, [*range(count), *range(0, count, 7)])
    if kind == "reordered":
        return _taken(records, [*range(1, count, 2), *range(0, count, 2)])
    if kind == "revised":
        return replace(records, items={k: _revised(t) for k, t in records.items.items()})
    return records


def _taken(records: RecordSet, order: Sequence[int]) -> RecordSet:
    items = {
        key: ItemTexts(
            [texts.values[n] for n in order], [texts.flags[n] for n in order], texts.unit
        )
        for key, texts in records.items.items()
    }
    dates = [records.dates[n] for n in order]
    hours = [records.hours[n] for n in order] if records.hours else records.hours
    return replace(records, dates=dates, hours=hours, items=items)


def _revised(texts: ItemTexts) -> ItemTexts:
    """Return an item's texts with the last digit of every fifth value changed."""
    values = [
        value[:-1] + str((int(value[-1]) + 1) % 10)
        if number % 5 == 0 and value not in (None, ABSENT) and value[-1:].isdecimal()
        else value
        for number, value in enumerate(texts.values)
    ]
    return ItemTexts(values, texts.flags, texts.unit)
