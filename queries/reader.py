"""Rows of the chunks that can answer a question, in batches, filtered exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pyarrow as pa

from queries.exact import narrowed
from queries.index import ScopeIndex
from queries.prune import Selection, prune
from queries.quality import FlagPolicy
from queries.ruling import FLAG_OF, flags_needed, ruled
from queries.source import ChunkSource
from queries.terms import UNKNOWN, Term, columns_of
from queries.timing import QueryTimings
from queries.values import Part, assembled

__all__ = ["Question", "answer"]

_RAMP_ROWS = (1_024, 8_192, 32_768)
"""Rows of the first batches, so that a question that stops early has not paid for many."""


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
    held: list[Part] = []
    rows, ramp = 0, list(_RAMP_ROWS)
    for first, after, every in _stretches(selection.every):
        for part in source.parts(index, selection.chunks[first:after], question, timings):
            for whole in _cut(part, (ramp or [question.batch_rows])[0]):
                piece = _wanted(whole, question, timings, every=every)
                if not piece.rows:
                    continue
                held.append(piece)
                rows += piece.rows
                if rows >= (ramp or [question.batch_rows])[0]:
                    ramp = ramp[1:]
                    yield _built(held, question, timings), every
                    held, rows = [], 0
        if held:
            yield _built(held, question, timings), every
            held, rows = [], 0


def _stretches(every: np.ndarray) -> Iterator[tuple[int, int, bool]]:
    """Yield runs of chunks that are alike in whether all their rows belong."""
    if not len(every):
        return
    edges = [0, *(np.flatnonzero(every[1:] != every[:-1]) + 1).tolist(), len(every)]
    for first, after in pairwise(edges):
        yield first, after, bool(every[first])


def _cut(part: Part, size: int) -> Iterator[Part]:
    """Yield a part whole, or in pieces of ``size`` rows where it is far longer."""
    if part.rows <= 2 * size:
        yield part
        return
    for start in range(0, part.rows, size):
        yield part.sliced(start, min(start + size, part.rows))


def _built(parts: list[Part], question: Question, timings: QueryTimings) -> pa.RecordBatch:
    with timings.phase("decode"):
        return assembled(parts, question.read_schema)


def _wanted(part: Part, question: Question, timings: QueryTimings, *, every: bool) -> Part:
    """Return a part under the flag policy, and of an exact question its rows that belong."""
    if question.policy is FlagPolicy.KEEP and (every or not question.exact):
        return part
    with timings.phase("decode"):
        under = ruled(part, question.policy)
        return narrowed(under, question.term) if question.exact and not every else under
