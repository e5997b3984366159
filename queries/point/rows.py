"""A few stations over a range of days, in plain Python: what a terminal asks, at once.

Only the standard library and zstandard are imported, because importing Arrow costs ten times what
such a question does. Where it cannot answer (V1 chunks, doubles, many rows) it says so before the
first row, and the caller asks :mod:`cimis.queries.answers.rows`, whose answer is the same to the
byte.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cimis.pipeline.catalog.database import Catalog, ChunkRow
from cimis.pipeline.errors import ChunkError
from cimis.pipeline.field.items import QC_FLAGS, Item, Scope, Standard, default_items, scope_items
from cimis.pipeline.field.time import (
    HOUR_S,
    PER_DAY,
    date_of,
    day_number,
    day_of,
    hour_of,
    moment_of,
    times_between,
)
from cimis.pipeline.field.units import english_decimals, to_english
from cimis.pipeline.storage import storage_of
from cimis.queries.point.chunk import Cells, Facts, PointChunk, Runs
from cimis.queries.point.texts import PointRows, Row
from cimis.queries.quality import FlagPolicy, rejected
from cimis.queries.timing import QueryTimings

__all__ = ["MAX_CELLS", "PointRows", "point"]

MAX_CELLS = 20_000
"""Values beyond which the columnar path is the faster one."""

_LETTERS = tuple(flag.letter for flag in QC_FLAGS)


def point(
    root: Path,
    scope: Scope,
    stations: Sequence[int],
    start: dt.date,
    end: dt.date,
    *,
    items: Sequence[Item] | None = None,
    units: Standard = Standard.METRIC,
    policy: FlagPolicy = FlagPolicy.KEEP,
    limit: int | None = None,
    timings: QueryTimings,
) -> PointRows | None:
    """Return the rows of stations over a range of days; None where this path cannot.

    Parameters
    ----------
    root : Path
    scope : Scope
    stations : sequence of int
    start, end : datetime.date
        Both inclusive.
    items : sequence of Item, optional
        By default all that are stored.
    units : Standard
    policy : FlagPolicy
    limit : int, optional
        Greatest number of rows.
    timings : QueryTimings

    Raises
    ------
    ChunkError
        When a chunk that has to be read is damaged or gone.
    """
    records = ((end - start).days + 1) * len(stations) * PER_DAY[scope]
    if records * len(items or default_items(scope)) > MAX_CELLS:
        return None
    with timings.phase("plan"), Catalog(root) as catalog:
        chunks = catalog.chunks(
            scope=scope, stations=stations, first_year=start.year, last_year=end.year
        )
        chosen = items or _stored(catalog, scope)
        stored = catalog.count(scope)
    if any(chunk.format != "v2" for chunk in chunks):
        return None
    bad = None if policy is FlagPolicy.STRICT else rejected(policy, _LETTERS)
    ask = _Ask(scope, start, end, tuple(chosen), units, bad)
    rows: list[Row] = []
    wanted = [chunk for chunk in chunks if ask.meets(chunk)]
    with timings.phase("read"):
        storage_of(root).ahead([root / chunk.path for chunk in wanted], whole=False)
    for chunk in wanted:
        found = ask.of_chunk(root, chunk, timings)
        if found is None:
            return None
        rows += found
    timings.count(chunks_considered=stored, chunks_skipped=stored - len(wanted))
    return PointRows(*ask.columns(), rows[:limit])


def _stored(catalog: Catalog, scope: Scope) -> list[Item]:
    stored = catalog.item_codes(scope)
    return [item for item in scope_items(scope) if item.code in stored]


class _Ask(NamedTuple):
    """One question, put to chunk after chunk."""

    scope: Scope
    start: dt.date
    end: dt.date
    items: tuple[Item, ...]
    units: Standard
    bad: frozenset[str] | None

    def columns(self) -> tuple[tuple[str, ...], tuple[bool, ...]]:
        """Return the columns' names, and which JSON must quote."""
        hourly = self.scope is Scope.HOURLY
        names = ["station", "time", "date", "hour"] if hourly else ["station", "date"]
        quoted = [False, True, True, False] if hourly else [False, True]
        for item in self.items:
            names += [item.column, item.flag_column]
            quoted += [False, True]
        return tuple(names), tuple(quoted)

    def meets(self, chunk: ChunkRow) -> bool:
        """Tell by the catalog whether a chunk has rows of the days asked for."""
        return chunk.first_day <= self.end and chunk.last_day >= self.start

    def of_chunk(self, root: Path, chunk: ChunkRow, timings: QueryTimings) -> list[Row] | None:
        """Return a chunk's rows; None where the chunk holds what is not for this path."""
        try:
            with PointChunk(root, chunk, timings) as opened:
                return self._rows(opened, chunk.station or 0, timings)
        except ChunkError as error:
            hint = error.hint or "'cimis verify --repair' sets a damaged chunk aside"
            path = root / chunk.path
            raise ChunkError(error.reason, path=path, offset=error.offset, hint=hint) from None

    def _rows(self, chunk: PointChunk, station: int, timings: QueryTimings) -> list[Row] | None:
        facts = chunk.facts()
        wanted = [item.code for item in self.items if item.code in facts.columns]
        if any(facts.columns[code][1] for code in wanted):
            return None
        rows: list[Row] = []
        inside = [range(*self._inside(runs)) for runs in facts.blocks]
        asked = [number for number, some in enumerate(inside) if some]
        chunk.ahead(asked)
        for number in asked:
            cells = chunk.cells(number, wanted)
            with timings.phase("decode"):
                runs = facts.blocks[number]
                rows += self._block(facts, runs, cells, station, inside[number], timings)
        blocks = len(facts.blocks)
        timings.count(blocks_considered=blocks, blocks_skipped=blocks - len(asked))
        return rows

    def _inside(self, runs: Runs) -> tuple[int, int]:
        """Return the first row of a block that is asked for, and the one behind the last."""
        first, last = times_between(self.scope, day_number(self.start), day_number(self.end))
        start = stop = 0
        for begin, count in runs:
            start += min(max(first - begin, 0), count)
            stop += min(max(last + 1 - begin, 0), count)
        return start, stop

    def _block(
        self,
        facts: Facts,
        runs: Runs,
        cells: dict[str, Cells],
        station: int,
        rows: range,
        timings: QueryTimings,
    ) -> list[Row]:
        times = [t for first, count in runs for t in range(first, first + count)]
        texts = self._keys(station, times[rows.start : rows.stop])
        for item in self.items:
            if item.code in cells:
                texts += self._item(item, facts, cells[item.code], rows, timings)
            else:
                texts += [[None] * len(rows)] * 2
        return list(zip(*texts, strict=True))

    def _keys(self, station: int, times: list[int]) -> list[list[str | None]]:
        number: list[str | None] = [str(station)] * len(times)
        days: list[str | None] = [date_of(day_of(self.scope, t)).isoformat() for t in times]
        if self.scope is Scope.DAILY:
            return [number, days]
        ends: list[str | None] = [moment_of(t * HOUR_S).isoformat() for t in times]
        return [number, ends, days, [str(hour_of(t)) for t in times]]

    def _item(
        self, item: Item, facts: Facts, cells: Cells, rows: range, timings: QueryTimings
    ) -> list[list[str | None]]:
        """Return the texts of an item's values and of its flags."""
        decimals, _ = facts.columns[item.code]
        english = self.units is Standard.ENGLISH and item.quantity.ratio is not None
        places = english_decimals(item, decimals) if english else decimals
        values, states = cells
        shown: list[str | None] = []
        flags: list[str | None] = []
        removed = 0
        for row in rows:
            gone, flag = facts.states[states[row]] if row in states else (False, None)
            bad = flag is not None and (self.bad is None or flag in self.bad)
            removed += bad and not gone
            gone = gone or bad
            value = values[row]
            if english:
                value = to_english(value, decimals, item, places)
            shown.append(None if gone else _text(value, places))
            flags.append(flag)
        timings.count(values_removed=removed)
        return [shown, flags]


def _text(value: int, decimals: int) -> str:
    """Return a scaled integer as the shortest text of its number."""
    if decimals == 0:
        return str(value)
    whole, part = divmod(abs(value), 10**decimals)
    tail = f"{part:0{decimals}d}".rstrip("0")
    sign = "-" if value < 0 else ""
    return f"{sign}{whole}.{tail}" if tail else f"{sign}{whole}"
