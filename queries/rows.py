"""Rows of some stations over a range of days, without an engine: what ``cimis query`` asks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from pipeline.items import Item, Scope, Standard
from pipeline.lacks import NOTHING, Lacks
from pipeline.schema import TARGET_FIELD, physical_schema, time_zone_metadata
from queries.quality import FlagPolicy
from queries.reader import Question, answer
from queries.source import ChunkSource
from queries.tally import Tally
from queries.terms import UNKNOWN, And, Compare, In, Term, Unknown
from queries.timing import QueryTimings
from queries.units import english, english_schema

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Rows", "select"]

_EPOCH = dt.date(1970, 1, 1)


class Rows:
    """Rows that can be read as often as wanted: in batches, as an Arrow table or a data frame.

    Attributes
    ----------
    schema : pyarrow.Schema
        With item, decimals and unit in each value column's metadata.
    timings : QueryTimings
        What reading them took.
    tally : Tally, optional
        Counts them while they go by.
    """

    def __init__(
        self,
        source: ChunkSource,
        question: Question,
        *,
        units: Standard = Standard.METRIC,
        timings: QueryTimings | None = None,
        tally: Tally | None = None,
    ) -> None:
        self._source = source
        self._question = question
        self._english = units is Standard.ENGLISH
        self.schema = english_schema(question.schema) if self._english else question.schema
        self.timings = timings or QueryTimings()
        self.tally = tally

    @property
    def lacks(self) -> Lacks:
        """What the rows are less than what was asked; reads them unless that has been done."""
        if self.tally is None:
            return NOTHING
        if not self.tally.counted:
            for _ in self.batches():
                pass
        return self.tally.lacks()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows in record batches, in station and time order."""
        found = self._batches()
        return found if self.tally is None else self.tally.over(found)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        for batch in answer(self._source, self._question, self.timings):
            yield english(batch, self.schema) if self._english else batch

    def table(self) -> pa.Table:
        """Return all rows as a :class:`pyarrow.Table`."""
        return pa.Table.from_batches(list(self.batches()), schema=self.schema)

    def pl(self) -> pl.DataFrame:
        """Return all rows as a :class:`polars.DataFrame`; flags are strings."""
        from queries.frames import frame

        return frame(list(self.batches()), self.schema)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table().__arrow_c_stream__(requested_schema)


def select(
    source: ChunkSource,
    *,
    stations: Sequence[int] | None = None,
    targets: Sequence[str] | None = None,
    start: dt.date | None = None,
    end: dt.date | None = None,
    items: Sequence[Item] | None = None,
    units: Standard = Standard.METRIC,
    policy: FlagPolicy = FlagPolicy.KEEP,
    limit: int | None = None,
    timings: QueryTimings | None = None,
    tally: Tally | None = None,
) -> Rows:
    """Return the rows of stations over a range of days.

    Parameters
    ----------
    source : ChunkSource
    stations : sequence of int, optional
        By default all.
    targets : sequence of str, optional
        Of a source of spatial targets, as ``zip:93624``; by default all.
    start, end : datetime.date, optional
        First and last day, both inclusive; the network's days, also for hourly rows.
    items : sequence of Item, optional
        By default all that are stored; one that is not stored is a column of nulls.
    units : Standard
    policy : FlagPolicy
    limit : int, optional
        Greatest number of rows.
    timings : QueryTimings, optional
    tally : Tally, optional
        Counts the rows, and knows what was asked.
    """
    term = _term(stations, targets, _number(start), _number(end))
    question = Question(
        schema=_schema(source, items),
        term=term,
        exact=not isinstance(term, Unknown),
        limit=limit,
        policy=policy,
    )
    return Rows(source, question, units=units, timings=timings, tally=tally)


def _schema(source: ChunkSource, items: Sequence[Item] | None) -> pa.Schema:
    """Return the answer's schema: the keys, and the items with the units and decimals stored."""
    stored = source.schema
    if items is None:
        return stored
    scope: Scope = source.scope
    usual = physical_schema(scope, items)
    fields = [stored.field(f.name) if stored.get_field_index(f.name) >= 0 else f for f in usual]
    if source.spatial:
        fields[0] = TARGET_FIELD
    return pa.schema(fields, metadata=time_zone_metadata(scope))


def _number(day: dt.date | None) -> int | None:
    return None if day is None else (day - _EPOCH).days


def _term(
    stations: Sequence[int] | None,
    targets: Sequence[str] | None,
    start: int | None,
    end: int | None,
) -> Term:
    term: Term = UNKNOWN
    parts: list[Term] = []
    if stations is not None:
        parts.append(In("station", tuple(sorted(set(stations)))))
    if targets is not None:
        parts.append(In("target", tuple(sorted(set(targets)))))
    if start is not None:
        parts.append(Compare("date", ">=", start))
    if end is not None:
        parts.append(Compare("date", "<=", end))
    for number, part in enumerate(parts):
        term = part if number == 0 else And(term, part)
    return term
