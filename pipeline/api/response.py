"""An open answer: its raw pieces as they come, and a look at its beginning without using it up."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx

from pipeline.api.failures import SOCKET_FAILURES, socket_failure
from pipeline.api.timings import Timings
from pipeline.errors import DecodeError, NetworkError

__all__ = ["Response"]

_OPENING = 512


class Response:
    """An open answer whose body is still to be read.

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
        self, answer: httpx.Response, timings: Timings, *, host: str, where: Mapping[str, Any]
    ) -> None:
        self.status = answer.status_code
        self.headers = answer.headers
        self.content_encoding: str | None = answer.headers.get("content-encoding")
        self.timings = timings
        self.http_version = answer.http_version
        self._raw = answer.aiter_raw()
        self._held: list[bytes] = []
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
                return await anext(self._raw, None)
        except SOCKET_FAILURES as error:
            raise socket_failure(error, host=self._host, where=self._where) from error

    async def opening(self) -> bytes:
        """Return the decompressed beginning of the body, which stays to be read.

        Damage in it is left for the body's reader to find.
        """
        inflater = _Inflater(self.content_encoding)
        seen = b""
        try:
            while not seen.strip() and len(seen) < _OPENING:
                piece = await self._next()
                if piece is None:
                    break
                self._held.append(piece)
                seen += inflater.feed(piece, _OPENING)
        except zlib.error:
            pass
        return seen[:_OPENING]

    async def whole(self, limit: int) -> bytes:
        """Return the whole body, decompressed.

        Raises
        ------
        NetworkError
            When it is damaged or stops before its end.
        DecodeError
            When it has more than `limit` bytes.
        """
        inflater = _Inflater(self.content_encoding)
        parts, size = [], 0
        try:
            async for piece in self.pieces():
                parts.append(inflater.feed(piece, limit + 1 - size))
                size += len(parts[-1])
                if size > limit:
                    raise DecodeError(f"the answer is longer than {limit} bytes", **self._where)
            inflater.finish()
        except zlib.error as error:
            raise NetworkError(
                f"{self._host}: the compressed answer is damaged",
                kind="corrupt_body",
                hint="try again; if it stays so, ask without compression (--no-gzip)",
                **self._where,
            ) from error
        return b"".join(parts)


class _Inflater:
    """Inflates a bounded part of a body; whatever damage it meets is a ``zlib.error``."""

    def __init__(self, encoding: str | None) -> None:
        name = (encoding or "identity").strip().lower()
        self._zlib: Any = None
        self._zstd: Any = None
        if name in ("gzip", "x-gzip", "deflate"):
            self._zlib = zlib.decompressobj(zlib.MAX_WBITS | 32)
        elif name == "zstd":
            import zstandard

            self._zstd = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()

    def feed(self, piece: bytes, most: int) -> bytes:
        """Return what a piece inflates to, not much more than `most` bytes."""
        if self._zlib is not None:
            data: bytes = self._zlib.decompress(self._zlib.unconsumed_tail + piece, most)
            return data
        if self._zstd is None:
            return piece
        parts: list[bytes] = []
        # a small step bounds what one call can give
        for start in range(0, len(piece), 256):
            if sum(map(len, parts)) > most:
                break
            try:
                parts.append(self._zstd.decompress(piece[start : start + 256]))
            except Exception as error:
                raise zlib.error(str(error)) from error
        return b"".join(parts)

    def finish(self) -> None:
        """Check that the compressed stream has come to its end."""
        stream = self._zlib if self._zlib is not None else self._zstd
        if stream is not None and not stream.eof:
            raise zlib.error("the compressed stream is cut short")
