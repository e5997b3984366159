"""Which chunks and blocks can hold an answer, by what catalog and footer know of their values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.chunks.footer import Footer
from pipeline.items import Scope
from queries.index import ScopeIndex
from queries.quality import FlagPolicy
from queries.terms import And, Bools, Compare, In, Range, Term, Unknown, columns_of, evaluate

__all__ = ["Selection", "blocks_that_may", "prune"]


@dataclass(frozen=True, slots=True)
class Selection:
    """Chunks to read, by their place in the index, in station and time order.

    ``every`` tells of each chunk whether all its rows surely satisfy the term, so that none needs
    to be filtered.
    """

    chunks: npt.NDArray[np.intp]
    every: Bools
    considered: int


def prune(index: ScopeIndex, term: Term, policy: FlagPolicy = FlagPolicy.KEEP) -> Selection:
    """Return the chunks of which some row may satisfy a term; no file is opened.

    Of terms joined by AND each is put to the chunks that are left, those on stations first.
    """
    places, every = np.arange(len(index)), np.ones(len(index), np.bool_)
    narrowed = False
    for part in sorted(_conjuncts(term), key=_on_stations):
        stations = _stations(part)
        if stations is not None and not narrowed:
            places = index.of_stations(stations)
            every = np.ones(len(places), np.bool_)
        else:
            outcome = evaluate(part, _ChunkBounds(index, policy, places if narrowed else None))
            kept = np.flatnonzero(outcome.true)
            every = every[kept] & outcome.every[kept]
            places = places[kept]
        narrowed = True
    return Selection(places, every, len(index))


def _on_stations(term: Term) -> int:
    """Return the place of a term in the order of evaluation: those that a look-up answers first."""
    if _stations(term) is not None:
        return 0
    return 1 if "station" in columns_of(term) else 2


def _stations(term: Term) -> tuple[float, ...] | None:
    """Return the stations that a term names; None for a term that does not."""
    match term:
        case Compare("station", "==", value):
            return (float(value),)
        case In("station", values):
            return tuple(map(float, values))
    return None


def _conjuncts(term: Term) -> list[Term]:
    """Return the terms that AND joins, a single one for any other term."""
    found: list[Term] = []
    pending = [term]
    while pending:
        match pending.pop():
            case And(left, right):
                pending += [right, left]
            case other:
                found.append(other)
    return found


def blocks_that_may(footer: Footer, term: Term, policy: FlagPolicy) -> Sequence[int]:
    """Return the numbers of a chunk's blocks of which some row may satisfy a term."""
    if len(footer.blocks) == 1 or isinstance(term, Unknown):
        return range(len(footer.blocks))
    numbers: list[int] = np.flatnonzero(evaluate(term, _BlockBounds(footer, policy)).true).tolist()
    return numbers


def _under_policy(known: Range | None, policy: FlagPolicy) -> Range | None:
    """Return ranges of values as a policy leaves them: it may make any of them missing."""
    if known is None or policy is FlagPolicy.KEEP:
        return known
    return known._replace(missing=np.ones(len(known.missing), np.bool_))


class _ChunkBounds:
    """Ranges of columns over the chunks of an index, or over some of them."""

    def __init__(
        self, index: ScopeIndex, policy: FlagPolicy, some: npt.NDArray[np.intp] | None
    ) -> None:
        self._index = index
        self._policy = policy
        self._some = some

    @property
    def size(self) -> int:
        return len(self._index) if self._some is None else len(self._some)

    def of(self, column: str) -> Range | None:
        known = self._index.key_range(column)
        if known is None:
            known = _under_policy(self._index.values.get(column), self._policy)
        if known is None or self._some is None:
            return known
        return Range(*(values[self._some] for values in known))


class _BlockBounds:
    """Ranges of columns over the blocks of one chunk."""

    def __init__(self, footer: Footer, policy: FlagPolicy) -> None:
        self._footer = footer
        self._policy = policy
        self._columns = {info.item.column: n for n, info in enumerate(footer.columns)}

    @property
    def size(self) -> int:
        return len(self._footer.blocks)

    def of(self, column: str) -> Range | None:
        blocks = self._footer.blocks
        if column in self._columns:
            return _under_policy(self._values(self._columns[column]), self._policy)
        first = np.array([block.first for block in blocks], np.int64)
        last = np.array([block.last for block in blocks], np.int64)
        daily = self._footer.key.scope is Scope.DAILY
        if column == "station" and self._footer.key.station is not None:
            first = last = np.full(self.size, self._footer.key.station, np.int64)
        elif column == "time" and not daily:
            first, last = first * 3_600, last * 3_600
        elif column == "date":
            first, last = (first, last) if daily else ((first - 1) // 24, (last - 1) // 24)
        else:
            return None
        yes = np.ones(self.size, np.bool_)
        return Range(first, last, yes, ~yes)

    def _values(self, number: int) -> Range:
        info = self._footer.columns[number]
        cells = [block.cells[number] for block in self._footer.blocks]
        scale = 1.0 if info.is_double else 10.0**info.decimals
        return Range(
            np.array([cell.minimum or 0 for cell in cells], np.float64) / scale,
            np.array([cell.maximum or 0 for cell in cells], np.float64) / scale,
            np.array([cell.minimum is not None for cell in cells], np.bool_),
            np.array([cell.missing > 0 for cell in cells], np.bool_),
        )
