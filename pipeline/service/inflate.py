"""Undo a body's content encoding piece by piece, refusing what is damaged or cut short."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator
from typing import Any, Protocol

from cimis.pipeline.errors import DecodeError, NetworkError

__all__ = ["MAX_OUTPUT", "BodyInflater"]

MAX_OUTPUT = 64 << 20
"""Most bytes that one piece may inflate to; the API's JSON shrinks 20 to 40 times."""

_LARGEST_WINDOW = 8 << 20
"""Of zstd over HTTP (RFC 9659): a body may not make its reader keep more."""

_STEP = 1 << 20
_ZSTD_STEP = 256

_GZIP = 16 + zlib.MAX_WBITS


def _damage() -> tuple[type[Exception], ...]:
    """Return the exceptions that mean damage; zstandard is not imported for gzip's sake."""
    module = sys.modules.get("zstandard")
    return (zlib.error, ValueError, *((module.ZstdError,) if module else ()))


class _Codec(Protocol):
    def feed(self, piece: bytes) -> Iterator[bytes]: ...

    def finish(self) -> None: ...


class _Identity:
    def feed(self, piece: bytes) -> Iterator[bytes]:
        yield piece

    def finish(self) -> None:
        return


class _Zlib:
    """gzip (several members may follow each other) and deflate (with or without zlib header)."""

    def __init__(self, wbits: int) -> None:
        self._wbits = wbits
        self._stream = zlib.decompressobj(wbits)
        self._started = False
        self._head = b""

    def feed(self, piece: bytes) -> Iterator[bytes]:
        if self._wbits == zlib.MAX_WBITS and not self._started:
            self._head += piece
            if len(self._head) < 2:
                return
            piece = self._settle()
        while piece:
            if self._stream.eof:
                if self._wbits != _GZIP:
                    raise zlib.error("bytes after the end of the compressed stream")
                self._stream = zlib.decompressobj(self._wbits)
            self._started = True
            data = self._stream.decompress(piece, _STEP)
            piece = self._stream.unconsumed_tail or self._stream.unused_data
            if data:
                yield data
        while not self._stream.eof and (data := self._stream.decompress(b"", _STEP)):
            yield data

    def _settle(self) -> bytes:
        """Choose between zlib and raw deflate, which both go by the name "deflate"."""
        head, self._head = self._head, b""
        if head[0] & 15 != 8 or int.from_bytes(head[:2], "big") % 31:
            self._wbits = -zlib.MAX_WBITS
            self._stream = zlib.decompressobj(self._wbits)
        return head

    def finish(self) -> None:
        if not self._stream.eof:
            raise zlib.error("the compressed stream is cut short")


class _Zstd:
    """zstd, with several frames allowed."""

    def __init__(self) -> None:
        import zstandard

        self._new = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW).decompressobj
        self._stream: Any = self._new()
        self._started = False

    def feed(self, piece: bytes) -> Iterator[bytes]:
        # decompressobj cannot bound its output, but a block of 4 bytes gives at most 128 KB
        for start in range(0, len(piece), _ZSTD_STEP):
            step = piece[start : start + _ZSTD_STEP]
            while step:
                if self._stream.eof:
                    self._stream = self._new()
                self._started = True
                data = self._stream.decompress(step)
                step = self._stream.unused_data
                if data:
                    yield data

    def finish(self) -> None:
        if not (self._started and self._stream.eof):
            raise ValueError("the compressed stream is cut short")


def _codec(encoding: str | None) -> _Codec:
    name = (encoding or "identity").strip().lower()
    if name == "identity":
        return _Identity()
    if name in ("gzip", "x-gzip"):
        return _Zlib(_GZIP)
    if name == "deflate":
        return _Zlib(zlib.MAX_WBITS)
    if name == "zstd":
        return _Zstd()
    raise DecodeError(
        f"the body has the unknown content encoding '{encoding}'",
        hint="ask without compression (--no-gzip)",
    )


class BodyInflater:
    """A body's content encoding undone as its pieces arrive.

    Parameters
    ----------
    encoding : str or None
        The ``Content-Encoding`` header: gzip, zstd, deflate, identity; None is identity.
    most : int, optional
        Most bytes of the whole body, on the wire as well as after.

    Attributes
    ----------
    wire_bytes, decoded_bytes : int
        Bytes taken in and given out so far.

    Raises
    ------
    DecodeError
        For an encoding that is not known.
    """

    def __init__(self, encoding: str | None, *, most: int | None = None) -> None:
        self._most = most
        self.wire_bytes = 0
        self.decoded_bytes = 0
        self._codec = _codec(encoding)
        self._name = (encoding or "identity").strip().lower()

    def feed(self, piece: bytes) -> bytes:
        """Return what a piece of the wire's bytes inflates to, perhaps nothing yet.

        Raises
        ------
        NetworkError
            Of kind ``corrupt_body`` (retryable) for damage, for bytes after the end, and for a
            piece that inflates to more than `MAX_OUTPUT` bytes.
        DecodeError
            When the body is longer than it may be.
        """
        self.wire_bytes += len(piece)
        self._bound(self.wire_bytes)
        if not piece:
            return b""
        parts: list[bytes] = []
        size = 0
        try:
            for part in self._codec.feed(bytes(piece)):
                parts.append(part)
                size += len(part)
                self._bound(self.decoded_bytes + size)
                if size > MAX_OUTPUT:
                    raise ValueError(f"{len(piece)} bytes inflate to more than {MAX_OUTPUT}")
        except Exception as error:
            if isinstance(error, _damage()):
                raise self._damaged(error) from error
            raise
        self.decoded_bytes += size
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def finish(self) -> bytes:
        """Check that the compressed stream came to its end with a right checksum.

        Raises
        ------
        NetworkError
            Of kind ``corrupt_body`` when it did not.
        """
        try:
            self._codec.finish()
        except (zlib.error, ValueError) as error:
            raise self._damaged(error) from error
        return b""

    def _bound(self, size: int) -> None:
        if self._most is not None and size > self._most:
            raise DecodeError(
                f"the answer is longer than {self._most} bytes, which none that is right can be",
                hint="nothing of it is kept; check the base URL",
            )

    def _damaged(self, error: Exception) -> NetworkError:
        return NetworkError(
            f"the {self._name} body is damaged near byte {self.wire_bytes}: {error}",
            kind="corrupt_body",
            hint="the request is tried again; if it stays so, ask without compression",
        )
