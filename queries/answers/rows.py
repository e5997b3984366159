"""Rows of some stations or targets over a range of days: what ``cimis query`` asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cimis.pipeline.field.items import Item, Standard, default_items, scope_items
from cimis.pipeline.field.targets import SPATIAL_DEFAULTS
from cimis.pipeline.lacks import Lacks
from cimis.pipeline.markup import FIRST, Card
from cimis.queries.answers.periods import count_sql
from cimis.queries.answers.wish import Wish, among
from cimis.queries.engines.answer import Answer
from cimis.queries.engines.damage import left_out
from cimis.queries.engines.engine import Engine
from cimis.queries.engines.forks import check_polars
from cimis.queries.labelled.facts import facts_of
from cimis.queries.labelled.first_rows import first_rows
from cimis.queries.labelled.labelled import Labelled, Sense
from cimis.queries.mirror.layout import (
    arrow_schema,
    keys_of,
    ruled,
    scope_of_table,
    selected,
)
from cimis.queries.quality import FlagPolicy
from cimis.queries.timing import QueryTimings
from cimis.queries.units import english, english_schema

if TYPE_CHECKING:
    import polars as pl

    from cimis.queries.answers.tally import Tally

__all__ = ["Rows"]

_STREAMED_ROWS = 1_000_000
"""Rows beyond which an answer is asked for station by station, so that sorting stays small."""

_FEW_VALUES = 2_000
"""Cells up to which rows come as Python values, which so few are sooner than as Arrow."""


class Rows(Labelled):
    """Rows that can be read as often as wanted: in batches, as an Arrow table or a data frame.

    Attributes
    ----------
    schema : pyarrow.Schema
        With item, decimals and unit in each value column's metadata.
    timings : QueryTimings
        What reading them took.
    damaged : list of LeftOut
        Chunks that are named and damaged, whose rows are left out.
    tally : Tally, optional
        Counts them while they go by.
    """

    def __init__(
        self,
        engine: Engine,
        wish: Wish,
        units: Standard,
        timings: QueryTimings | None,
        tally: Tally | None,
    ) -> None:
        self._engine = engine
        self._wish = wish
        self._english = units is Standard.ENGLISH
        self.timings = timings or QueryTimings()
        self.tally = tally
        with self.timings.phase("plan"):
            self._named = wish.named()
            stored, self._seen = engine.stored(wish.table, self._named, self.timings)
            self.damaged = left_out(self._seen, [wish.table], self._named)
            self._items = _items(wish, stored)
            self._metric = arrow_schema(wish.table, self._items, stored)
        self.schema = english_schema(self._metric) if self._english else self._metric

    @property
    def lacks(self) -> Lacks:
        """What the rows are less than what was asked; reads them unless that has been done."""
        if self.tally is None:
            return Lacks(damaged=tuple(self.damaged))
        if not self.tally.counted:
            for _ in self.batches():
                pass
        return replace(self.tally.lacks(), damaged=tuple(self.damaged))

    def _ask(self, text: str) -> Answer:
        return Answer(self._engine, text, named=self._named, timings=self.timings)

    def _text(self, where: str, limit: int | None, *, ordered: bool = True) -> str:
        who, when, *_ = keys_of(self._wish.table)
        columns = selected(self._wish.table, self._items, self._wish.policy)
        text = f"SELECT {columns} FROM {self._wish.table} WHERE {where}"
        text = f"{text} ORDER BY {who}, {when}" if ordered else text
        return text if limit is None else f"{text} LIMIT {limit}"

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows in record batches, in station and time order."""
        found = self._batches()
        return found if self.tally is None else self.tally.over(found)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        self.damaged = []
        left = self._wish.limit
        for where in self._portions():
            answer = self._ask(self._text(where, left))
            for batch in answer.batches():
                if left is not None:
                    left -= batch.num_rows
                made = pa.RecordBatch.from_arrays(batch.columns, schema=self._metric)
                yield english(made, self.schema) if self._english else made
            self._note(answer)
            if left is not None and left <= 0:
                break
        self._count_removed()

    def _portions(self) -> Iterator[str]:
        """Yield conditions that together name all rows, in order: one where they are not many."""
        wish = self._wish
        if wish.limit is not None and wish.limit <= _STREAMED_ROWS:
            yield wish.where()
            return
        who, *_ = keys_of(wish.table)
        inventory = self._engine.inventory(scope_of_table(wish.table))
        found = inventory.counts(wish.table, self._named)
        if sum(rows for _, rows in found) <= _STREAMED_ROWS:
            yield wish.where()
            return
        group: list[Any] = []
        size = 0
        for number, (name, rows) in enumerate(found):
            group.append(name)
            size += rows
            if size >= _STREAMED_ROWS or number == len(found) - 1:
                yield f"{among(who, group)} AND {wish.where()}"
                group, size = [], 0

    def _note(self, answer: Answer) -> None:
        self.damaged += [left for left in answer.damaged if left not in self.damaged]

    def _count_removed(self) -> None:
        """Count the values that the flag policy made missing."""
        wish = self._wish
        if wish.policy is FlagPolicy.KEEP or not self._items or wish.limit is not None:
            return
        counts = [
            f"count({item.column}) - count({ruled(item, wish.policy)})" for item in self._items
        ]
        text = f"SELECT {' + '.join(counts)} FROM {wish.table} WHERE {wish.where()}"
        self.timings.count(values_removed=int(self._ask(text).fetchall()[0][0]))

    def table(self) -> pa.Table:
        """Return all rows as a :class:`pyarrow.Table`."""
        if self._english or self._wish.policy is not FlagPolicy.KEEP:
            return pa.Table.from_batches(list(self.batches()), schema=self.schema)
        most = self._wish.most_rows()
        few = most is not None and most * len(self.schema) <= _FEW_VALUES
        portions = [self._wish.where()] if few else list(self._portions())
        if len(portions) > 1:
            return pa.Table.from_batches(list(self.batches()), schema=self.schema)
        whole = self._wish.limit is None
        answer = self._ask(self._text(portions[0], self._wish.limit, ordered=not whole))
        columns = _columns(answer.fetchall(), self.schema) if few else answer.table().columns
        found = pa.Table.from_arrays(columns, schema=self.schema)
        if whole:
            found = _in_order(found, alone=self._wish.alone)
        self.damaged = list(answer.damaged)
        if self.tally is not None:
            self.tally.of_table(found)
        return found

    def pl(self) -> pl.DataFrame:
        """Return all rows as a :class:`polars.DataFrame`; flags are strings."""
        check_polars()
        from cimis.queries.frames import whole

        return whole(self.table())

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table().__arrow_c_stream__(requested_schema)

    def _sense(self) -> Sense:
        table = self.table()
        facts = facts_of(table.schema, qc=self._wish.policy.value, lacks=self.lacks)
        return Sense(table, facts, self._engine.root)

    def _card(self) -> Card:
        """Return the first rows, how many there are, and what they lack; the rest stays unread."""
        wish = self._wish
        counts = dict(self._ask(count_sql(wish)).fetchall())
        total, most = sum(counts.values()), wish.limit
        if self.tally is not None and not self.tally.counted:
            self.tally.of_counts(counts)
        few = replace(wish, limit=FIRST if most is None else min(FIRST, most))
        standard = Standard.ENGLISH if self._english else Standard.METRIC
        head = Rows(self._engine, few, standard, None, None).table()
        sheet = first_rows(head, total if most is None else min(total, most))
        notes = [text] if (text := self.lacks.text()) else []
        if wish.policy is not FlagPolicy.KEEP:
            notes.append(f"flagged values were made missing by qc {wish.policy.value}")
        return Card("Rows", self._title(), sheets=(sheet,), notes=notes)

    def _title(self) -> str:
        scope = scope_of_table(self._wish.table).value.capitalize()
        return f"{scope} rows" + (" of spatial targets" if self._wish.targets is not None else "")

    def __repr__(self) -> str:
        return f"<Rows: {self._title()}, {', '.join(self.schema.names)}>"


def _columns(rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> list[pa.Array]:
    """Return the columns of a few rows."""
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    return [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]


def _in_order(rows: pa.Table, *, alone: bool) -> pa.Table:
    """Return rows in order of station (or target) and time; ``alone``: they are all of one.

    A mirror mostly has them so, and looking is cheaper than sorting.
    """
    who, when = rows.column_names[:2]
    time = _comparable(rows[when])
    later = time[1:] > time[:-1]
    if not alone:
        whose = _comparable(rows[who])
        later = (later & (whose[1:] == whose[:-1])) | (whose[1:] > whose[:-1])
    if later.all():
        return rows
    return rows.sort_by([(who, "ascending"), (when, "ascending")])


def _comparable(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """Return keys as numbers or texts that compare like them."""
    whole, kind = column.combine_chunks(), column.type
    if pa.types.is_string(kind):
        return np.array(whole.to_pylist(), np.str_)
    plain = pa.int64() if pa.types.is_timestamp(kind) else pa.int32()
    return np.asarray(whole.view(plain) if not pa.types.is_integer(kind) else whole)


def _items(wish: Wish, stored: dict[str, tuple[int, str]]) -> tuple[Item, ...]:
    """Return the items of an answer: those asked for, else all stored, else the usual ones."""
    if wish.items is not None:
        return wish.items
    scope = scope_of_table(wish.table)
    items = tuple(item for item in scope_items(scope) if item.code in stored)
    usual = SPATIAL_DEFAULTS if wish.table == "spatial_daily" else default_items(scope)
    return items or tuple(usual)
