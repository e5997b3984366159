"""One request carried through: bytes as they come, decoded in pieces, proven whole, checked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from cimis.pipeline.decode import PlainDecoder, StreamDecoder, unify
from cimis.pipeline.decode.allocs import Allocations, AllocReport
from cimis.pipeline.decode.records import KeyKind
from cimis.pipeline.errors import CimisError, DecodeError, NetworkError
from cimis.pipeline.fetch.request import FetchRequest
from cimis.pipeline.field.site import SiteKind
from cimis.pipeline.plan.windows import Window
from cimis.pipeline.rows.schema import table_items
from cimis.pipeline.service import BodyInflater, CimisClient, Timings

__all__ = ["LARGEST_BODY", "Fetched", "carried_items", "fetch_window"]

LARGEST_BODY = 32 << 20
"""Most bytes of an answer, inflated or not: one of the most records that may come has 5 MB."""


@dataclass(slots=True)
class Fetched:
    """What one request brought: rows (None for none), its cost, and what was odd about it."""

    window: Window
    table: pa.Table | None
    timings: Timings
    content_encoding: str | None
    wire_bytes: int
    decoded_bytes: int
    unknown_keys: list[str] = field(default_factory=list)
    allocs: AllocReport | None = None

    @property
    def records(self) -> int:
        """Rows that came."""
        return 0 if self.table is None else self.table.num_rows


class _Body:
    """Inflates and decodes a body; its methods run in a thread, one call at a time."""

    def __init__(
        self, window: Window, request: FetchRequest, encoding: str | None, timings: Timings
    ) -> None:
        self.inflater = BodyInflater(encoding, most=LARGEST_BODY)
        kind = PlainDecoder if request.plain else StreamDecoder
        key: KeyKind = "target" if window.kind is SiteKind.TARGET else "station"
        self.decoder: PlainDecoder | StreamDecoder = kind(window.scope, window.items, key=key)
        self.allocations = Allocations().__enter__() if request.allocs else None
        self._window = window
        self._timings = timings
        self._batches: list[pa.RecordBatch] = []

    def feed(self, piece: bytes) -> None:
        with self._timings.measure("decode_ms"):
            self._take(self.decoder.feed(self.inflater.feed(piece)))

    def finish(self) -> pa.Table | None:
        with self._timings.measure("decode_ms"):
            self._take(self.decoder.feed(self.inflater.finish()))
            self._take(self.decoder.finish())
            if self.allocations is not None:
                self.allocations.hold(getattr(self.decoder, "held_bytes", 0))
                self.allocations.__exit__(None, None, None)
            if not any(batch.num_rows for batch in self._batches):
                return None
            self._check_items()
            table = unify(self._batches, stats=self.decoder.stats)
            if self._window.kind is SiteKind.TARGET:
                table = _numbered(table, self._window)
            elif self._window.naming.zips:
                table = _those_asked_for(table, self._window)
            _check_asked_for(table, self._window)
            return table

    def _check_items(self) -> None:
        """Refuse records none of which has any item that was asked for."""
        if not self.decoder.stats.items:
            asked = ", ".join(item.code for item in self._window.items[:4])
            raise DecodeError(f"the answer's records hold no item that was asked for ({asked})")

    def _take(self, batches: list[pa.RecordBatch]) -> None:
        self._batches += batches
        if self.allocations is not None:
            for batch in batches:
                self.allocations.keep(batch)


async def fetch_window(
    client: CimisClient,
    window: Window,
    request: FetchRequest,
    timings: Timings,
    *,
    on_bytes: Callable[[int], None],
) -> Fetched:
    """Make one try of a request and return its rows, which are whole.

    Parameters
    ----------
    client : CimisClient
    window : Window
    request : FetchRequest
        Says by which path, and whether memory is measured.
    timings : Timings
        Gets the times of this try, also where it fails.
    on_bytes : function
        Hears how many bytes came.

    Raises
    ------
    CimisError
        What the client, the inflater or the decoder found, with stations and dates. A body that
        ends too early is a `NetworkError` of kind ``truncated``: it may be whole another time.
    """
    try:
        async with client.data(window, timings=timings) as response:
            body = _Body(window, request, response.content_encoding, response.timings)
            async for piece in response.pieces():
                on_bytes(len(piece))
                await asyncio.to_thread(body.feed, piece)
            table = await asyncio.to_thread(body.finish)
    except (DecodeError, NetworkError) as error:
        raise _located(error, window) from error
    return Fetched(
        window,
        table,
        response.timings,
        response.content_encoding,
        body.inflater.wire_bytes,
        body.inflater.decoded_bytes,
        [client.shown(name) for name in body.decoder.stats.unknown_names],
        None if body.allocations is None else body.allocations.report,
    )


def _located(error: DecodeError | NetworkError, window: Window) -> CimisError:
    """Return an error of a body with its stations and dates."""
    if isinstance(error, DecodeError) and (
        "cut short" in error.reason or error.reason == "the body is empty"
    ):
        return NetworkError(
            str(error),
            kind="truncated",
            hint="try again; if it stays so, ask for fewer days",
            stations=window.names,
            start=window.start,
            end=window.end,
        )
    error.stations, error.start, error.end = window.names, window.start, window.end
    if error.hint is None:
        error.hint = "nothing of this answer is stored; if it stays so, the service has changed"
    return error


def _numbered(table: pa.Table, window: Window) -> pa.Table:
    """Return rows of spatial targets as rows of the numbers that stand for them."""
    coded = table["target"].combine_chunks().dictionary_encode()
    numbers = []
    for text in coded.dictionary.to_pylist():
        number = window.naming.number_of(text, window.stations)
        if number is None:
            raise DecodeError("the answer holds a row that was not asked for", text=text[:60])
        numbers.append(number)
    station = pa.array(numbers, pa.int32()).take(coded.indices)
    return table.set_column(0, pa.field("station", pa.int32(), nullable=False), station)


def _those_asked_for(table: pa.Table, window: Window) -> pa.Table:
    """Return the rows of the stations asked for: a zip code may bring others, asked for apart."""
    wanted = np.isin(table["station"].to_numpy(), window.stations)
    return table if wanted.all() else table.filter(pa.array(wanted))


def _check_asked_for(table: pa.Table, window: Window) -> None:
    """Refuse rows of a station or a day that was not asked for: they hint at a mixed-up answer."""
    stations = table["station"].to_numpy()
    days = table["date"].to_numpy()
    first, last = np.datetime64(window.start, "D"), np.datetime64(window.end, "D")
    strange = ~np.isin(stations, window.stations) | (days < first) | (days > last)
    if strange.any():
        row = int(strange.argmax())
        raise DecodeError(
            "the answer holds a row that was not asked for",
            record=row,
            station=str(window.naming.name(int(stations[row]))),
            date=str(days[row]),
        )


def carried_items(table: pa.Table) -> set[str]:
    """Return the codes of the items of which some row has a value or a flag."""
    rows = table.num_rows
    return {
        item.code
        for item in table_items(table.schema)
        if table[item.column].null_count < rows or table[item.flag_column].null_count < rows
    }
