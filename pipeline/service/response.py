"""An open answer: its raw pieces as they come, and a look at its beginning without using it up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, NoReturn

import httpx

from cimis.pipeline.errors import DecodeError, NetworkError
from cimis.pipeline.service.failures import SOCKET_FAILURES
from cimis.pipeline.service.inflate import BodyInflater
from cimis.pipeline.service.timings import Timings
from cimis.pipeline.service.waits import Deadline

__all__ = ["Response"]

_OPENING = 512
_OPENING_WIRE = 4096
_STEP = 512


class Response:
    """An open answer whose body is still to be read.

    Parameters
    ----------
    answer : httpx.Response
    timings : Timings
    deadline : Deadline
        By which the whole body must have come.
    fail : callable
        Raises what a failure on the way is in the tree of errors.
    host : str
    where : mapping
        Stations, start and end of the request, for errors.

    Attributes
    ----------
    status : int
        HTTP status.
    content_encoding : str or None
        How the pieces are compressed.
    timings : Timings
        Times so far; complete when the body has been read.
    http_version : str
        ``HTTP/1.1`` or ``HTTP/2``.
    """

    def __init__(
        self,
        answer: httpx.Response,
        timings: Timings,
        deadline: Deadline,
        fail: Callable[[Exception], NoReturn],
        *,
        host: str,
        where: Mapping[str, Any],
    ) -> None:
        self.status = answer.status_code
        self.headers = answer.headers
        self.content_encoding: str | None = answer.headers.get("content-encoding")
        self.timings = timings
        self.http_version = answer.http_version
        self._raw = answer.aiter_raw()
        self._held: list[bytes] = []
        self._deadline = deadline
        self._fail = fail
        self._host = host
        self._where = where

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body's bytes as they lie on the wire, still compressed.

        Raises
        ------
        NetworkError
            When the body stops before its end.
        """
        while self._held:
            yield self._held.pop(0)
        while (piece := await self._next()) is not None:
            yield piece

    async def _next(self) -> bytes | None:
        try:
            with self.timings.measure("read_ms"):
                async with self._deadline.kept():
                    return await anext(self._raw, None)
        except SOCKET_FAILURES as error:
            self._fail(error)

    async def opening(self) -> bytes:
        """Return the decompressed beginning of the body, which stays to be read.

        Damage in it is left for the body's reader to find.
        """
        seen = b""
        try:
            inflater = BodyInflater(self.content_encoding)
            while (
                not seen.strip()
                and len(seen) < _OPENING
                and inflater.wire_bytes < _OPENING_WIRE  # which may inflate to nothing for ever
            ):
                piece = await self._next()
                if piece is None:
                    break
                self._held.append(piece)
                for part in _inflated(inflater, piece):
                    seen += part
                    if seen.strip() or len(seen) >= _OPENING:
                        break
        except DecodeError:
            pass
        except NetworkError as error:
            if error.kind != "corrupt_body":
                raise
        return seen[:_OPENING]

    async def whole(self, limit: int) -> bytes:
        """Return the whole body, decompressed.

        Raises
        ------
        NetworkError
            When it is damaged or stops before its end.
        DecodeError
            When it has more than `limit` bytes, or an encoding that is not known.
        """
        inflater = BodyInflater(self.content_encoding, most=limit)
        parts: list[bytes] = []
        try:
            async for piece in self.pieces():
                parts += _inflated(inflater, piece)
            inflater.finish()
        except NetworkError as error:
            if error.kind != "corrupt_body":
                raise
            raise NetworkError(
                f"{self._host}: the compressed answer is damaged",
                kind="corrupt_body",
                hint="try again; if it stays so, ask without compression (--no-gzip)",
                **self._where,
            ) from error
        return b"".join(parts)


def _inflated(inflater: BodyInflater, piece: bytes) -> Iterator[bytes]:
    """Yield what a piece inflates to, in parts that stay small whatever it holds."""
    for start in range(0, len(piece), _STEP):
        yield inflater.feed(piece[start : start + _STEP])
