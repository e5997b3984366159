"""Store the rows of one station's year and enter them in the catalog, as one step."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.catalog.entry import chunk_row
from cimis.pipeline.chunks import ChunkInfo, ChunkKey, MergeCounts, Stored, store_rows
from cimis.pipeline.fetch.final import Span, chunk_key, first_provisional, left_over, note
from cimis.pipeline.fetch.report.station_year import StationYear
from cimis.pipeline.fetch.request import FetchRequest
from cimis.pipeline.field.items import Item
from cimis.pipeline.field.time import first_second, network_day

__all__ = ["Keeper"]


class Keeper:
    """Writes the station-years of one run into a data directory.

    Parameters
    ----------
    root : Path
        The data directory.
    catalog : Catalog
        Its catalog, open.
    request : FetchRequest
        Says scope, items and format.
    source : str
        Where the rows come from, for the catalog.
    now : datetime.datetime
        When the run began, with zone.
    """

    def __init__(
        self, root: Path, catalog: Catalog, request: FetchRequest, source: str, now: dt.datetime
    ) -> None:
        self._root = root
        self._catalog = catalog
        self._request = request
        self._form = request.format
        self._source = source
        self._now = now
        self._today = network_day(now)

    def keep(
        self, result: StationYear, table: pa.Table | None, spans: Sequence[Span]
    ) -> Stored | None:
        """Merge rows into their chunk; write size, state and counts into the report's entry.

        Parameters
        ----------
        result : StationYear
            Says whose rows these are.
        table : pyarrow.Table, optional
            Scaled rows; None where the service had none.
        spans : sequence of Span
            The days that were asked for.

        Raises
        ------
        StoreError, ChunkError
            When the chunk or the catalog cannot be written; what was stored is as it was.
        """
        key = chunk_key(self._request, result.station, result.year)
        items = self._request.items_of(result.station)
        with result.timings.measure("write_ms"), result.timings.measure("total_ms"):
            found = [first_provisional(table, *span, self._today) for span in spans]
            provisional = min((day for day in found if day is not None), default=None)
            if table is None:
                self._note(key, items, spans, provisional)
                return None

            def enter(info: ChunkInfo, counts: MergeCounts) -> None:
                day = self._still_provisional(key, spans, provisional)
                row = chunk_row(
                    info,
                    source=self._source,
                    provisional_from_s=None if day is None else first_second(key.scope, day),
                    fetched_at=self._now,
                )
                self._catalog.put_chunks([row])
                if counts.revised or counts.filled:
                    found = counts.added, counts.revised, counts.filled
                    self._catalog.put_change(row.path, row.fetched_at, found)
                self._note(key, items, spans, provisional)
                result.state = row.state

            stored = store_rows(
                self._root, key, table, format=self._form, keep_whole=True, enter=enter
            )
        result.stored += table.num_rows
        result.added += stored.counts.added
        result.revised += stored.counts.revised
        result.filled += stored.counts.filled
        result.bytes_stored = stored.info.file_bytes
        return stored

    def _note(
        self,
        key: ChunkKey,
        items: Sequence[Item],
        spans: Sequence[Span],
        provisional: dt.date | None,
    ) -> None:
        for span in spans:
            note(self._catalog, key, items, span, provisional)

    def _still_provisional(
        self, key: ChunkKey, spans: Sequence[Span], provisional: dt.date | None
    ) -> dt.date | None:
        """Return the chunk's first provisional day: of the new days, or of old ones beside them."""
        days = [] if provisional is None else [provisional]
        for row in self._catalog.chunks(path=key.relative_path().as_posix()):
            since = row.provisional_from
            if since is not None and since <= row.last_day:
                days += [first for first, _ in left_over((since, row.last_day), spans)]
        return min(days, default=None)
