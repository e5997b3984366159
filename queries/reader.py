"""Rows of the chunks that can answer a question, in batches, filtered exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, pairwise, repeat

import numpy as np
import pyarrow as pa

from queries.arrays import assembled
from queries.exact import narrowed
from queries.index import ScopeIndex
from queries.prune import Selection, prune
from queries.quality import FlagPolicy
from queries.ruling import FLAG_OF, counted, flags_needed, ruled
from queries.source import ChunkSource
from queries.terms import UNKNOWN, Term, columns_of
from queries.timing import QueryTimings
from queries.values import Part

__all__ = ["EARLY_ROWS", "Question", "answer"]

EARLY_ROWS = 1_024
"""Rows of the first batch."""

_RAMP_ROWS = (EARLY_ROWS, 8_192, 32_768)
"""Rows of the first batches, so that a question that stops early has not paid for many."""

_FEW_ROWS = 8_192
"""So many rows, by the catalog, come in one batch where a filter chose them."""


@dataclass(frozen=True, slots=True)
class Question:
    """What to read: the schema of the answer, and which rows.

    Attributes
    ----------
    schema : pyarrow.Schema
        Columns of the answer, in order; one that a chunk lacks is null.
    term : Term
        Every row of the answer satisfies it.
    exact : bool
        Whether every row that satisfies the term belongs to the answer; if not, ``keep`` says.
    keep : function, optional
        From a batch to its rows that belong to the answer, exactly. It is not called for chunks of
        which ``term`` says that every row belongs.
    keep_fields : tuple of pyarrow.Field
        Columns that ``keep`` reads besides.
    limit : int, optional
        Greatest number of rows.
    policy : FlagPolicy
    batch_rows : int
        Rows of a full batch.
    """

    schema: pa.Schema
    term: Term = UNKNOWN
    exact: bool = False
    keep: Callable[[pa.RecordBatch], pa.RecordBatch] | None = None
    keep_fields: tuple[pa.Field, ...] = ()
    limit: int | None = None
    policy: FlagPolicy = FlagPolicy.KEEP
    batch_rows: int = 131_072
    read_schema: pa.Schema = field(init=False, repr=False)
    names: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        more = [f for f in self.keep_fields if self.schema.get_field_index(f.name) < 0]
        read = pa.schema([*self.schema, *more], metadata=self.schema.metadata)
        flags = flags_needed(read, self.policy)
        asked = list(columns_of(self.term)) if self.exact else []
        flags += [
            FLAG_OF[name]
            for name in asked
            if self.policy is not FlagPolicy.KEEP and name in FLAG_OF
        ]
        object.__setattr__(self, "read_schema", read)
        object.__setattr__(self, "names", tuple(dict.fromkeys([*read.names, *asked, *flags])))


def answer(
    source: ChunkSource, question: Question, timings: QueryTimings
) -> Iterator[pa.RecordBatch]:
    """Yield the rows that answer a question, in station and time order.

    Raises
    ------
    ChunkError
        When a chunk that has to be read is damaged or gone.
    """
    with timings.phase("plan"):
        index = source.index()
    with timings.phase("prune"):
        selection = prune(index, question.term, question.policy)
    timings.count(
        chunks_considered=selection.considered,
        chunks_skipped=selection.considered - len(selection.chunks),
    )
    left = question.limit
    if left is not None and left <= 0:
        return
    for batch, every in _batches(source, index, selection, question, timings):
        kept = _kept(batch, question, timings, every=every)
        if left is not None:
            kept = kept.slice(0, left)
            left -= kept.num_rows
        if kept.num_rows:
            yield kept
        if left is not None and left <= 0:
            return


def _kept(
    batch: pa.RecordBatch, question: Question, timings: QueryTimings, *, every: bool
) -> pa.RecordBatch:
    """Return a batch's rows that belong to the answer, in the answer's columns."""
    if question.keep is not None and not every:
        with timings.phase("decode"):
            batch = question.keep(batch)
    width = len(question.schema)
    return batch if batch.num_columns == width else batch.select(list(range(width)))


def _batches(
    source: ChunkSource,
    index: ScopeIndex,
    selection: Selection,
    question: Question,
    timings: QueryTimings,
) -> Iterator[tuple[pa.RecordBatch, bool]]:
    """Yield decoded batches, the first ones small, and whether all of a batch's rows belong."""
    if question.exact and int(index.rows_of[selection.chunks].sum()) <= _FEW_ROWS:
        yield from _whole(source, index, selection, question, timings)
        return
    held: list[Part] = []
    rows, sizes = 0, chain(_RAMP_ROWS, repeat(question.batch_rows))
    size = next(sizes)
    for first, after, every in _stretches(selection.every):
        for part in source.parts(index, selection.chunks[first:after], question, timings):
            start = 0
            while start < part.rows:
                # a part that fits is taken whole, and so is a rest too small for a batch
                left = part.rows - start
                stop = part.rows if left <= 2 * size else start + size
                piece = _wanted(part.sliced(start, stop), question, timings, every=every)
                start = stop
                if piece.rows:
                    held.append(piece)
                    rows += piece.rows
                if rows >= size:
                    yield _built(source, held, question, timings), every
                    held, rows, size = [], 0, next(sizes)
        if held:
            yield _built(source, held, question, timings), every
            held, rows = [], 0


def _whole(
    source: ChunkSource,
    index: ScopeIndex,
    selection: Selection,
    question: Question,
    timings: QueryTimings,
) -> Iterator[tuple[pa.RecordBatch, bool]]:
    """Yield the rows of few chunks as one batch."""
    every = bool(selection.every.all())
    found = [
        piece
        for part in source.parts(index, selection.chunks, question, timings)
        if (piece := _wanted(part, question, timings, every=every)).rows
    ]
    if found:
        yield _built(source, found, question, timings), every


def _stretches(every: np.ndarray) -> Iterator[tuple[int, int, bool]]:
    """Yield runs of chunks that are alike in whether all their rows belong."""
    if not len(every):
        return
    edges = [0, *(np.flatnonzero(every[1:] != every[:-1]) + 1).tolist(), len(every)]
    for first, after in pairwise(edges):
        yield first, after, bool(every[first])


def _built(
    source: ChunkSource, parts: list[Part], question: Question, timings: QueryTimings
) -> pa.RecordBatch:
    with timings.phase("decode"):
        keep = source.keeper(timings) if question.policy is FlagPolicy.KEEP else None
        return assembled(parts, question.read_schema, keep)


def _wanted(part: Part, question: Question, timings: QueryTimings, *, every: bool) -> Part:
    """Return a part under the flag policy, and of an exact question its rows that belong."""
    if question.policy is FlagPolicy.KEEP and (every or not question.exact):
        return part
    with timings.phase("decode"):
        under = ruled(part, question.policy)
        exactly = question.exact and not every
        return counted(narrowed(under, question.term) if exactly else under, timings)
