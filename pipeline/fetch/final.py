"""Which days may still change, and which need not be asked for again.

Four kinds of days may change: those of the last fortnight; those near the end that have no row, or
not all their hours; those near the end whose value is missing, unless the flag says that the
station does not collect it; those near the end whose test is pending. Everything before the first
of them is final. What was asked for and is final stands in the catalog per chunk, so that days for
which the service has no row are not asked for for ever.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.chunks import ChunkKey
from cimis.pipeline.fetch.request import FetchRequest
from cimis.pipeline.field.items import Item, Scope
from cimis.pipeline.field.time import PER_DAY
from cimis.pipeline.rows.schema import table_items
from cimis.pipeline.storage import storage_of

__all__ = [
    "NEAR_END_DAYS",
    "PROVISIONAL_DAYS",
    "Span",
    "chunk_key",
    "first_provisional",
    "left_over",
    "left_to_ask",
    "merged",
    "note",
]

PROVISIONAL_DAYS = 14
"""Days before today that are provisional whatever they hold."""

NEAR_END_DAYS = 45
"""Days before today in which a missing value may still come and a pending test end."""

Span = tuple[dt.date, dt.date]
_DAY = dt.timedelta(days=1)


def first_provisional(
    table: pa.Table | None, start: dt.date, end: dt.date, today: dt.date
) -> dt.date | None:
    """Return the first day of a span that may still change, None where all is final.

    Parameters
    ----------
    table : pyarrow.Table, optional
        Scaled rows that the service gave for the span; None for none.
    start, end : datetime.date
        The days that were asked for, both inclusive.
    today : datetime.date
        The network's present day.
    """
    recent = today - _DAY * PROVISIONAL_DAYS
    found = [max(start, recent)] if end >= recent else []
    near = max(start, today - _DAY * NEAR_END_DAYS)
    if table is not None and end >= near:
        days = table["date"].to_numpy()
        unsettled = days[(days >= np.datetime64(near, "D")) & _unsettled(table)]
        if unsettled.size:
            found.append(unsettled.min().astype(dt.date))
        if (short := _first_short_day(table, near, end)) is not None:
            found.append(short)
    return min(found, default=None)


def _first_short_day(table: pa.Table, start: dt.date, end: dt.date) -> dt.date | None:
    """Return the first day of a span that has not all its rows, where rows came before or after."""
    first = np.datetime64(start, "D")
    places = (table["date"].to_numpy() - first).astype(np.int64)
    days = (end - start).days + 1
    counts = np.bincount(places[(places >= 0) & (places < days)], minlength=days)
    scope = Scope.HOURLY if "hour" in table.column_names else Scope.DAILY
    short = np.flatnonzero(counts < PER_DAY[scope])
    return start + _DAY * int(short[0]) if short.size else None


def _unsettled(table: pa.Table) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return per row whether any value is missing, unless not collected, or pending a test."""
    rows = np.zeros(table.num_rows, dtype=np.bool_)
    for item in table_items(table.schema):
        flags = table[item.flag_column].cast(pa.string()).fill_null("")
        missing = pc.and_(table[item.column].is_null(), pc.not_equal(flags, "N"))
        rows |= pc.or_(missing, pc.equal(flags, "P")).to_numpy()
    return rows


def left_to_ask(
    catalog: Catalog, root: Path, number: int, request: FetchRequest, span: Span
) -> list[Span]:
    """Return the days of a span that must be asked for: those not both asked for and final.

    Parameters
    ----------
    catalog : Catalog
    root : Path
        The data directory; a chunk whose file is gone is asked for again.
    number : int
        Of a station or target of the request.
    request : FetchRequest
        Days asked for without one of its items, and chunks of another format, are asked for again.
    span : pair of datetime.date
        First and last day, both inclusive.
    """
    years = range(span[0].year, span[1].year + 1)
    paths = [_path(request, number, year) for year in years]
    rows = catalog.chunks(paths=paths)
    storage = storage_of(root)
    lost = {r.path for r in rows if r.format != request.format or not storage.exists(root / r.path)}
    wanted = {item.code for item in request.items_of(number)}
    known = [
        (dt.date.fromisoformat(first), dt.date.fromisoformat(last))
        for path, asked, first, last in catalog.asked(paths)
        if path not in lost and wanted <= set(asked.split(","))
    ]
    return left_over(span, merged(known))


def note(
    catalog: Catalog, key: ChunkKey, items: Sequence[Item], span: Span, provisional: dt.date | None
) -> None:
    """Write into the catalog that a span was asked for, as far as it is final."""
    last = span[1] if provisional is None else min(span[1], provisional - _DAY)
    path = key.relative_path().as_posix()
    codes = ",".join(sorted(item.code for item in items))
    old = [
        (dt.date.fromisoformat(a), dt.date.fromisoformat(b))
        for _, asked, a, b in catalog.asked([path])
        if asked == codes
    ]
    new = merged([*old, (span[0], last)] if last >= span[0] else old)
    if new != old:
        catalog.put_asked(path, codes, [(a.isoformat(), b.isoformat()) for a, b in new])


def chunk_key(request: FetchRequest, number: int, year: int) -> ChunkKey:
    """Return the key of the chunk that a station's or target's year lies in."""
    target = request.naming.target(number)
    if target is None:
        return ChunkKey(request.scope, year, station=number)
    return ChunkKey(request.scope, year, target=target.key)


def _path(request: FetchRequest, number: int, year: int) -> str:
    return chunk_key(request, number, year).relative_path().as_posix()


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return spans in order, those that touch or overlap made one."""
    result: list[Span] = []
    for first, last in sorted(spans):
        if result and first <= result[-1][1] + _DAY:
            result[-1] = (result[-1][0], max(last, result[-1][1]))
        else:
            result.append((first, last))
    return result


def left_over(span: Span, known: Sequence[Span]) -> list[Span]:
    """Return the parts of a span that none of the known ones, in order, covers."""
    left: list[Span] = []
    start, end = span
    for first, last in known:
        if last < start or first > end:
            continue
        if first > start:
            left.append((start, first - _DAY))
        start = last + _DAY
    return [*left, (start, end)] if start <= end else left
