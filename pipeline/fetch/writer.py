"""The one thread that writes: station-years from the shelf into chunks, none begun left undone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pyarrow as pa

from cimis.pipeline.errors import ChunkError, FetchInterrupted, StoreError
from cimis.pipeline.fetch.final import Span
from cimis.pipeline.fetch.keep import Keeper
from cimis.pipeline.fetch.report.progress import Progress
from cimis.pipeline.fetch.report.run_report import RunReport
from cimis.pipeline.fetch.report.station_year import StationYear
from cimis.pipeline.fetch.shelf import Key, Shelf

__all__ = ["Writer"]


class Writer:
    """Stores what the shelf holds, one station-year after another.

    Parameters
    ----------
    shelf : Shelf
    keeper : Keeper
        Writes one station-year.
    report : RunReport
        Gets warnings of what a format could not hold, and of chunks that stay V2 for it.
    progress : Progress
        Hears of each station-year's end.

    Attributes
    ----------
    refused : StoreError or None
        Why the data directory takes no more; nothing is written after it.
    """

    def __init__(self, shelf: Shelf, keeper: Keeper, report: RunReport, progress: Progress) -> None:
        self.refused: StoreError | None = None
        self._shelf = shelf
        self._keeper = keeper
        self._report = report
        self._progress = progress
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="cimis-store")

    async def store(self, key: Key, *, ended: bool) -> None:
        """Store what is in hand of a station's year; a cancelled wait leaves it being stored."""
        writing = self._begin(key)
        if writing is not None:
            await asyncio.shield(asyncio.wrap_future(writing))
        if ended:
            self._end(self._shelf.places[key].result)

    def finish(self, *, interrupted: bool) -> None:
        """Store all that is in hand and wait for it; blocks.

        Parameters
        ----------
        interrupted : bool
            Whether station-years that are not complete are to say that the run was stopped.
        """
        writing = [self._begin(key) for key in self._shelf.unstored()]
        self._thread.shutdown()
        for future in writing:
            if future is not None:
                future.result()
        for place in self._shelf.places.values():
            if place.pending == 0 and not place.result.done:
                self._end(place.result)
            elif interrupted and not place.result.done and place.result.error is None:
                place.result.error = FetchInterrupted(
                    "the run was stopped before this year was complete",
                    hint="run the same command again to continue",
                )

    def _begin(self, key: Key) -> Future[None] | None:
        table, spans = self._shelf.take(key)
        if not spans:
            return None
        return self._thread.submit(self._write, key, table, spans)

    def _write(self, key: Key, table: pa.Table | None, spans: Sequence[Span]) -> None:
        result = self._shelf.places[key].result
        if self.refused is not None:
            result.error = self.refused
            return
        try:
            stored = self._keeper.keep(result, table, spans)
        except StoreError as error:
            result.error = error
            if not isinstance(error, ChunkError):
                self.refused = error
            return
        if stored is not None:
            self._report.note_form(key, stored.info)

    def _end(self, result: StationYear) -> None:
        result.done = True
        self._progress.on_station_done(result)
