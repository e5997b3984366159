"""The decoder itself: bytes in pieces of any size to RecordBatches, memory bounded by a window."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import TypeVar

import pyarrow as pa

from cimis.pipeline.decode.batches import BatchBuilder
from cimis.pipeline.decode.elements import MAX_RECORD
from cimis.pipeline.decode.envelope import Envelope, Event
from cimis.pipeline.decode.findings import DecodeStats, Findings
from cimis.pipeline.decode.records import KeyKind, RecordReader
from cimis.pipeline.decode.walk import RecordWalk
from cimis.pipeline.errors import DecodeError, UsageError
from cimis.pipeline.field.items import Item, Scope, Standard, resolve

__all__ = ["WINDOW", "StreamDecoder", "adecode", "decode"]

WINDOW = 768 * 1024
"""Bytes that are looked at together."""

_MOST_PIECES = 4096
_BOM = b"\xef\xbb\xbf"
E = TypeVar("E", Scope, Standard)


class StreamDecoder:
    """Decodes one body as its pieces arrive.

    Parameters
    ----------
    scope : Scope or str
        What the records are; others are an error.
    items : str or iterable of str or Item, optional
        Items to read, and so the columns, in registry order whatever the body holds. None takes
        the items found: each batch has those met so far, and :func:`unify` makes them one.
    standard : Standard or str
        The system of units that the records must be in.
    key : {"station", "target"}
        Whether rows are keyed by station, or (spatial data) by address, coordinate or zip code.

    fast : bool
        Whether records that share a layout are read together; the result is the same without.

    Attributes
    ----------
    stats : DecodeStats

    Notes
    -----
    Batches come before the body is proven whole: keep nothing until :meth:`finish` has returned.
    After an error the decoder is of no more use. One decoder serves one thread.
    """

    def __init__(
        self,
        scope: Scope | str,
        items: str | Iterable[str | Item] | None = None,
        *,
        standard: Standard | str = Standard.METRIC,
        key: KeyKind = "station",
        fast: bool = True,
    ) -> None:
        self._scope = _member(Scope, scope)
        if key not in ("station", "target"):
            raise UsageError(f"key '{key}' is neither 'station' nor 'target'")
        wanted = None if items is None else resolve(items, self._scope)
        self._findings = Findings(_member(Standard, standard))
        reader = RecordReader(self._scope, wanted, key, self._findings)
        self._builder = BatchBuilder(self._scope, wanted, key, self._findings)
        self._envelope = Envelope()
        self._walk = RecordWalk(reader, self._findings, fast=fast)
        self._held: list[bytes] = []
        self._size = 0
        self._base = 0
        self._in_records = False
        self._closed = False

    @property
    def stats(self) -> DecodeStats:
        """Counts so far."""
        stats = self._findings.stats
        stats.records = self._walk.elements.count
        stats.providers = self._envelope.providers
        return stats

    def feed(self, piece: bytes | bytearray | memoryview) -> list[pa.RecordBatch]:
        """Take a piece and return the batches that it completes, mostly none.

        Raises
        ------
        DecodeError
            When the body is not what the API sends.
        """
        return list(self._take(piece))

    def finish(self) -> list[pa.RecordBatch]:
        """End the body: return the last batch, if any.

        Raises
        ------
        DecodeError
            When the body is cut short, or wrong in its last bytes.
        """
        return list(self._end())

    def _take(self, piece: bytes | bytearray | memoryview) -> Iterator[pa.RecordBatch]:
        if self._closed:
            raise UsageError("the decoder has ended; use a new one for each body")
        self._findings.stats.bytes += len(piece)
        whole = bytes(piece)  # no copy of bytes; what may change later is copied
        for start in range(0, len(whole), WINDOW):
            part = whole[start : start + WINDOW]
            self._held.append(part)
            self._size += len(part)
            if len(self._held) > _MOST_PIECES:
                self._held = [b"".join(self._held)]
            if self._size >= WINDOW:
                yield from self._window(final=False)

    def _end(self) -> Iterator[pa.RecordBatch]:
        if self._closed:
            raise UsageError("the decoder has ended; use a new one for each body")
        yield from self._window(final=True)
        self._closed = True
        self._envelope.check_whole(self._base)
        yield from self._builder.flush()

    def _window(self, *, final: bool) -> Iterator[pa.RecordBatch]:
        """Read as much of what is held as is whole, and keep the rest."""
        data = b"".join(self._held)
        position = len(_BOM) if self._base == 0 and data.startswith(_BOM) else 0
        try:
            while True:
                if not self._in_records:
                    position, event = self._envelope.walk(data, position, self._base)
                    if event is Event.MORE:
                        break
                    self._in_records = True
                    self._walk.elements.opened()
                for block in self._walk.blocks(data, position, self._base, final=final):
                    yield from self._builder.add(block)
                position = self._walk.position
                if not self._walk.ended:
                    break
                self._in_records = False
                self._envelope.records_ended()
        except DecodeError:
            self._closed = True
            raise
        self._keep(data, position, final=final)

    def _keep(self, data: bytes, position: int, *, final: bool) -> None:
        rest = data[position:]
        if final or len(rest) >= MAX_RECORD:
            if self._in_records:
                raise DecodeError(
                    "the body is cut short among the records",
                    offset=self._base + len(data),
                    record=self._walk.elements.count,
                )
            if rest:
                raise self._envelope.stuck(data, position, self._base)
        self._base += position
        self._held = [rest] if rest else []
        self._size = len(rest)


def decode(
    pieces: Iterable[bytes],
    *,
    scope: Scope | str,
    items: str | Iterable[str | Item] | None = None,
    standard: Standard | str = Standard.METRIC,
    key: KeyKind = "station",
) -> Iterator[pa.RecordBatch]:
    """Decode a body of the API, given in pieces of any size, to scaled RecordBatches.

    Parameters
    ----------
    pieces : iterable of bytes
        The body's JSON, already decompressed.
    scope : Scope or str
        ``"daily"`` or ``"hourly"``.
    items : str or iterable of str or Item, optional
        The columns; None takes the items found in the body.
    standard : Standard or str
        The system of units that the records must be in.
    key : {"station", "target"}
        ``"target"`` for spatial data: a text column ``target`` takes the place of ``station``.

    Yields
    ------
    pyarrow.RecordBatch
        Up to 16,384 records each, in the body's order, scaled (see ``cimis.pipeline.rows``). Width
        and decimals of a column may differ from batch to batch; :func:`unify` makes them one table.
        Batches come before the body is proven whole.

    Raises
    ------
    DecodeError
        When the body is not what the API sends; the message says where and what.

    Examples
    --------
    >>> body = b'{"Data":{"Providers":[{"Name":"cimis","Type":"station","Records":[]}]}}'
    >>> list(decode([body], scope="daily"))
    []
    """
    decoder = StreamDecoder(scope, items, standard=standard, key=key)
    for piece in pieces:
        yield from decoder._take(piece)
    yield from decoder._end()


async def adecode(
    pieces: AsyncIterable[bytes],
    *,
    scope: Scope | str,
    items: str | Iterable[str | Item] | None = None,
    standard: Standard | str = Standard.METRIC,
    key: KeyKind = "station",
) -> AsyncIterator[pa.RecordBatch]:
    """Decode a body whose pieces come asynchronously; otherwise as :func:`decode`."""
    decoder = StreamDecoder(scope, items, standard=standard, key=key)
    async for piece in pieces:
        for batch in decoder.feed(piece):
            yield batch
    for batch in decoder.finish():
        yield batch


def _member(kind: type[E], value: E | str) -> E:
    try:
        return kind(str(value).lower())
    except ValueError:
        names = ", ".join(str(member) for member in kind)
        raise UsageError(f"'{value}' is none of {names}") from None
