"""A piece of what is stored that another process or machine reads without the catalog."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from cimis.pipeline.chunks.bulk import ChunkFile, Damaged, read_many
from cimis.pipeline.chunks.key import ChunkKey
from cimis.pipeline.errors import StoreError, UsageError
from cimis.pipeline.field.items import Item, Scope, scope_items
from cimis.pipeline.field.site import SiteKind
from cimis.pipeline.storage import storage_of
from cimis.queries.quality import FlagPolicy, severe_flags

__all__ = ["Part", "Split", "engine_schema", "names_in"]

_NAME = re.compile(r"\w+")


class Part(NamedTuple):
    """One chunk of a split: where it lies below the data directory, and what it is known by.

    ``lies`` finds it in a published store without the catalog.
    """

    path: str
    station: int | None
    target: str | None
    year: int
    rows: int
    bytes: int
    checksum: str
    lies: tuple[Any, ...] | None = None


def engine_schema(scope: Scope, kind: SiteKind = SiteKind.STATION) -> pa.Schema:
    """Return the schema of rows for engines: signed integers, doubles, texts, nothing encoded.

    ``station`` is int32 (or ``target`` a text), ``date`` date32; hourly rows have ``time``
    (timestamp[us] without a zone: PST, the hour's end) and ``hour`` (int32, 1 to 24). Each item of
    the scope has a float64 column in metric units, and a text column of its flag.
    """
    who = pa.field(kind.value, pa.int32() if kind is SiteKind.STATION else pa.string())
    fields = [who, pa.field("date", pa.date32())]
    if scope is Scope.HOURLY:
        fields.insert(1, pa.field("time", pa.timestamp("us")))
        fields.append(pa.field("hour", pa.int32()))
    for item in scope_items(scope):
        fields.append(pa.field(item.column, pa.float64()))
        fields.append(pa.field(item.flag_column, pa.string()))
    return pa.schema(fields)


@dataclass(frozen=True, slots=True, repr=False)
class Split:
    """Some chunks that lie together, and what is asked of their rows; small, and it pickles.

    Attributes
    ----------
    root : str
        The data directory, as the process that reads must find it.
    scope : Scope
    qc : FlagPolicy
        Which flagged values are null.
    filter : pyarrow.compute.Expression, optional
        What rows must meet.
    parts : tuple of Part
        By station (or target) and year.
    """

    root: str
    scope: Scope
    qc: FlagPolicy
    filter: pc.Expression | None
    parts: tuple[Part, ...]

    def __repr__(self) -> str:
        first, last = self.years
        years = str(first) if first == last else f"{first}-{last}"
        return f"<Split: {self.rows:,} {self.scope} rows of {len(self.parts):,} chunks, {years}>"

    @property
    def stations(self) -> tuple[int | str, ...]:
        """Numbers of stations, or keys of targets, each once."""
        found = (part.target if part.station is None else part.station for part in self.parts)
        return tuple(dict.fromkeys(one for one in found if one is not None))

    @property
    def years(self) -> tuple[int, int]:
        """First and last calendar year."""
        years = [part.year for part in self.parts]
        return min(years), max(years)

    @property
    def days(self) -> tuple[dt.date, dt.date]:
        """First and last day that there can be rows of."""
        first, last = self.years
        return dt.date(first, 1, 1), dt.date(last, 12, 31)

    @property
    def rows(self) -> int:
        """Rows of the chunks, before the filter."""
        return sum(part.rows for part in self.parts)

    @property
    def bytes(self) -> int:
        """Bytes of the chunks' files."""
        return sum(part.bytes for part in self.parts)

    @property
    def schema(self) -> pa.Schema:
        """All columns; see :func:`engine_schema`."""
        return engine_schema(self.scope, self._kind)

    @property
    def _kind(self) -> SiteKind:
        return SiteKind.TARGET if self.parts[0].station is None else SiteKind.STATION

    def batches(
        self,
        columns: Sequence[str] | None = None,
        filter: pc.Expression | None = None,  # noqa: A002
    ) -> Iterator[pa.RecordBatch]:
        """Read the chunks, and yield the rows that meet the split's filter, and one more.

        Parameters
        ----------
        columns : sequence of str, optional
            Columns wanted, in order; None for all. Only their bytes are decoded, and those of the
            filter's.
        filter : pyarrow.compute.Expression, optional

        Yields
        ------
        pyarrow.RecordBatch
            Of the columns wanted; see :func:`engine_schema`. By station and time.

        Raises
        ------
        UsageError
            For a column that there is not.
        ChunkError
            For a chunk that is damaged.
        StoreError
            For a chunk that was written anew since the split was made, and where none of them is
            to be found: what would be read is not what the other splits were made of.
        """
        schema = self.schema
        wanted = list(schema.names if columns is None else columns)
        _check_known(wanted, schema)
        meets = _both(self.filter, filter)
        needed = _needed(wanted, meets, schema)
        chosen = pa.schema([field for field in schema if field.name in needed])
        for table in self._tables(chosen):
            rows = table if meets is None else table.filter(meets)
            yield from rows.select(wanted).to_batches()

    def table(
        self,
        columns: Sequence[str] | None = None,
        filter: pc.Expression | None = None,  # noqa: A002
    ) -> pa.Table:
        """Return all rows of :meth:`batches` at once."""
        found = list(self.batches(columns, filter))
        schema = self.schema
        names = list(schema.names if columns is None else columns)
        return pa.Table.from_batches(found, pa.schema([schema.field(name) for name in names]))

    def _tables(self, chosen: pa.Schema) -> Iterator[pa.Table]:
        """Yield the rows of chunks, checked, with some columns of the engines' schema."""
        items = {item.column: item for item in scope_items(self.scope)}
        read = set[str]()
        for name in chosen.names:
            plain = name.removesuffix("_qc")
            if plain in items:
                item = items[plain]
                ruled = self.qc is not FlagPolicy.KEEP and name == item.column
                read |= {item.column, item.flag_column} if ruled else {name}
        files = [self._file(part) for part in self.parts]
        root = Path(self.root)
        storage_of(root).learn(root, {part.path: part.lies for part in self.parts if part.lies})
        for found in read_many(files, columns=sorted(read)):
            if isinstance(found, Damaged):
                raise found.error
            for place, checksum in zip(found.places, found.checksums, strict=True):
                if checksum != self.parts[place].checksum:
                    raise StoreError(
                        f"{files[place].path} was written anew since the splits were made",
                        hint="make the splits again, so that all are of one moment",
                    )
            yield self._plain(found.table, chosen, items)

    def _file(self, part: Part) -> ChunkFile:
        key = ChunkKey(self.scope, part.year, station=part.station, target=part.target)
        return ChunkFile(Path(self.root) / part.path, key)

    def _plain(self, table: pa.Table, chosen: pa.Schema, items: dict[str, Item]) -> pa.Table:
        """Return rows as engines take them, under the policy for flags."""
        columns = []
        for field in chosen:
            column = table[field.name]
            if field.name in items and self.qc is not FlagPolicy.KEEP:
                flags = table[items[field.name].flag_column].cast(pa.string())
                column = pc.if_else(_fine(flags, self.qc), column, pa.scalar(None, field.type))
            columns.append(column.cast(field.type))
        return pa.table(columns, schema=chosen)


def _fine(flags: pa.ChunkedArray, policy: FlagPolicy) -> pa.ChunkedArray:
    """Tell which values a policy lets through."""
    if policy is FlagPolicy.STRICT:
        return flags.is_null()
    return pc.invert(pc.is_in(flags, value_set=pa.array(sorted(severe_flags()))))


def _check_known(names: Sequence[str], schema: pa.Schema) -> None:
    for name in names:
        if name not in schema.names:
            raise UsageError(f"there is no column '{name}'", hint="see 'cimis items'")


def _both(one: pc.Expression | None, other: pc.Expression | None) -> pc.Expression | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _needed(wanted: Sequence[str], meets: pc.Expression | None, schema: pa.Schema) -> set[str]:
    """Return the columns to read: those wanted, and those whose names a filter's text has."""
    mentioned = set() if meets is None else names_in(meets)
    return set(wanted) | (mentioned & set(schema.names))


def names_in(meets: pc.Expression) -> set[str]:
    """Return the words of a filter's text, the names of its columns among them."""
    return set(_NAME.findall(str(meets)))
