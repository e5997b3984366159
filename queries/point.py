"""A few stations over a range of days, in plain Python: what a terminal asks, at once.

Only the standard library and zstandard are imported, because importing Arrow costs ten times what
such a question does. Where it cannot answer (V1 chunks, doubles, many rows) it says so before the
first row, and the caller asks :mod:`queries.rows`, whose answer is the same to the byte.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pipeline.catalog import Catalog, ChunkRow
from pipeline.chunks.container import parse_footer
from pipeline.chunks.footer import Block, Footer
from pipeline.errors import ChunkError, StoreError
from pipeline.items import QC_FLAGS, Item, Scope, Standard, default_items, scope_items
from queries.conversion import Conversion, conversion_of
from queries.plain_blocks import BlockColumns
from queries.quality import FlagPolicy, rejected
from queries.timing import QueryTimings

__all__ = ["MAX_CELLS", "PointRows", "point"]

MAX_CELLS = 20_000
"""Values beyond which the columnar path is the faster one."""

_TAIL_BYTES = 1 << 14
_EPOCH = dt.date(1970, 1, 1).toordinal()
_MOST_DECIMALS = 6
_EXACT = 10**15
_LETTERS = tuple(flag.letter for flag in QC_FLAGS)

Row = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class PointRows:
    """Rows as texts: column names, which of them JSON must quote, and the rows; null is None."""

    names: tuple[str, ...]
    quoted: tuple[bool, ...]
    rows: list[Row]


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
    records = ((end - start).days + 1) * len(stations) * (24 if scope is Scope.HOURLY else 1)
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
    for chunk in chunks:
        found = ask.of_chunk(root, chunk, timings)
        if found is None:
            return None
        rows += found
    timings.count(chunks_considered=stored, chunks_skipped=stored - timings.chunks_read)
    return PointRows(*ask.columns(), rows[:limit])


def _stored(catalog: Catalog, scope: Scope) -> list[Item]:
    stored = catalog.item_codes(scope)
    return [item for item in scope_items(scope) if item.code in stored]


@dataclass(frozen=True, slots=True)
class _Ask:
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

    def of_chunk(self, root: Path, chunk: ChunkRow, timings: QueryTimings) -> list[Row] | None:
        """Return a chunk's rows; None where the chunk holds what is not for this path."""
        early = 1 if self.scope is Scope.HOURLY else 0
        first_day = (chunk.first_s - early) // 86_400 + _EPOCH
        last_day = (chunk.last_s - early) // 86_400 + _EPOCH
        if first_day > self.end.toordinal() or last_day < self.start.toordinal():
            return []
        path = root / chunk.path
        try:
            with _File(path, timings) as file:
                with timings.phase("plan"):
                    footer = parse_footer(file.tail, file.size)
                with timings.phase("decode"):
                    return self._rows(file, footer, timings)
        except ChunkError as error:
            hint = error.hint or "'cimis verify --repair' sets a damaged chunk aside"
            raise ChunkError(error.reason, path=path, offset=error.offset, hint=hint) from None

    def _rows(self, file: _File, footer: Footer, timings: QueryTimings) -> list[Row] | None:
        wanted = {item.code for item in self.items}
        if any(_unusual(footer, n) for n, c in enumerate(footer.columns) if c.code in wanted):
            return None
        rows: list[Row] = []
        read = 0
        for block in footer.blocks:
            start, stop = self._inside(block)
            if start < stop:
                rows += self._block(file, footer, block, start, stop, timings)
                read += 1
        timings.count(
            blocks_considered=len(footer.blocks),
            blocks_read=read,
            blocks_skipped=len(footer.blocks) - read,
            bytes_read=file.read,
        )
        return rows

    def _inside(self, block: Block) -> tuple[int, int]:
        """Return the first row of a block that is asked for, and the one behind the last."""
        first, after = self.start.toordinal() - _EPOCH, self.end.toordinal() - _EPOCH + 1
        if self.scope is Scope.HOURLY:
            first, after = first * 24 + 1, after * 24 + 1
        start = stop = 0
        for begin, count in block.runs:
            start += min(max(first - begin, 0), count)
            stop += min(max(after - begin, 0), count)
        return start, stop

    def _block(
        self,
        file: _File,
        footer: Footer,
        block: Block,
        start: int,
        stop: int,
        timings: QueryTimings,
    ) -> list[Row]:
        columns = BlockColumns(file, footer, block)
        texts = self._keys(footer.key.station or 0, columns.times()[start:stop])
        places = {info.code: number for number, info in enumerate(footer.columns)}
        for item in self.items:
            number = places.get(item.code)
            if number is None:
                texts += [[None] * (stop - start)] * 2
            else:
                texts += self._item(item, columns, footer, number, range(start, stop))
                timings.count(columns_read=2)
        timings.count(rows_decoded=block.rows)
        return list(zip(*texts, strict=True))

    def _keys(self, station: int, times: list[int]) -> list[list[str | None]]:
        number: list[str | None] = [str(station)] * len(times)
        if self.scope is Scope.DAILY:
            return [number, [_day(day) for day in times]]
        ends: list[str | None] = [f"{_day(t // 24)}T{t % 24:02d}:00:00" for t in times]
        days: list[str | None] = [_day((t - 1) // 24) for t in times]
        return [number, ends, days, [str((t - 1) % 24 + 1) for t in times]]

    def _item(
        self, item: Item, columns: BlockColumns, footer: Footer, number: int, rows: range
    ) -> list[list[str | None]]:
        """Return the texts of an item's values and of its flags."""
        decimals = footer.columns[number].decimals
        change = conversion_of(item, decimals) if self.units is Standard.ENGLISH else None
        values = columns.values(number)
        states = columns.states(number, rows.start, rows.stop)
        shown: list[str | None] = []
        flags: list[str | None] = []
        for row in rows:
            state = footer.states[states[row]] if row in states else None
            flag = None if state is None else state.flag
            gone = state is not None and state.missing
            gone = gone or (flag is not None and (self.bad is None or flag in self.bad))
            shown.append(None if gone else _text(values[row], decimals, change))
            flags.append(flag)
        return [shown, flags]


class _File:
    """An open chunk whose end has been read; a daily one is whole in it."""

    def __init__(self, path: Path, timings: QueryTimings) -> None:
        with timings.phase("read"):
            try:
                self._handle = os.open(path, os.O_RDONLY)
            except FileNotFoundError:
                raise ChunkError(
                    "is in the catalog but not on disk", hint="run 'cimis verify --repair'"
                ) from None
            except OSError as error:
                raise StoreError(f"cannot read {path}: {error.strerror}") from error
            self.size = os.fstat(self._handle).st_size
            size = min(self.size, _TAIL_BYTES)
            self.tail = memoryview(os.pread(self._handle, size, self.size - size))
        self.read = size
        timings.count(files_opened=1, chunks_read=1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._handle)

    def __getitem__(self, place: slice) -> memoryview:
        begin = self.size - len(self.tail)
        if place.start >= begin:
            return self.tail[place.start - begin : place.stop - begin]
        data = os.pread(self._handle, place.stop - place.start, place.start)
        self.read += len(data)
        return memoryview(data)


def _unusual(footer: Footer, number: int) -> bool:
    """Tell whether a column's numbers print otherwise than by their digits."""
    info = footer.columns[number]
    bounds = [
        b
        for block in footer.blocks
        for b in (block.cells[number].minimum, block.cells[number].maximum)
    ]
    large = any(bound is not None and abs(bound) >= _EXACT for bound in bounds)
    return info.is_double or info.decimals > _MOST_DECIMALS or large


def _day(days: int) -> str:
    return dt.date.fromordinal(days + _EPOCH).isoformat()


def _text(value: int, decimals: int, change: Conversion | None) -> str:
    """Return a scaled integer as the shortest text of its number."""
    if change is not None:
        scale = 10.0**change.decimals
        metric = value / 10.0**decimals
        number = round((metric * change.factor + change.shift) * scale) / scale
        fixed = f"{number:.{change.decimals}f}"
        return fixed.rstrip("0").rstrip(".") if change.decimals else fixed
    if decimals == 0:
        return str(value)
    whole, part = divmod(abs(value), 10**decimals)
    tail = f"{part:0{decimals}d}".rstrip("0")
    sign = "-" if value < 0 else ""
    return f"{sign}{whole}.{tail}" if tail else f"{sign}{whole}"
