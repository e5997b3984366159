"""A filter as a small tree of terms, and which ranges of values can satisfy it.

The tree serves pruning only: rows are filtered exactly by the engine's own expression. So a term
that is not understood becomes :class:`Unknown`, which every row may satisfy, and nothing is lost.

Values are compared in a column's own count: days for dates, seconds for times, numbers as they are.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

__all__ = [
    "UNKNOWN",
    "And",
    "Bounds",
    "Compare",
    "In",
    "Missing",
    "Not",
    "Or",
    "Outcome",
    "Range",
    "Term",
    "Unknown",
    "columns_of",
    "comparison",
    "evaluate",
    "membership",
    "ordinal",
]

Bools = npt.NDArray[np.bool_]
Number = int | float | str
"""What a column counts in; the names of spatial targets are texts, and have an order too."""
_Values = npt.NDArray[Any]

_EPOCH = dt.date(1970, 1, 1)
_EPOCH_TIME = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - the store's times carry no zone


@dataclass(frozen=True, slots=True)
class Unknown:
    """A term that says nothing about ranges; ``columns`` are the ones it reads, if known."""

    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Compare:
    """``column op value`` with op one of ``== != < <= > >=``."""

    column: str
    op: str
    value: Number


@dataclass(frozen=True, slots=True)
class In:
    """Column equal to one of sorted values."""

    column: str
    values: tuple[Number, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """Column is null."""

    column: str


@dataclass(frozen=True, slots=True)
class Not:
    """Negation; null stays null."""

    term: Term


@dataclass(frozen=True, slots=True)
class And:
    """Both."""

    left: Term
    right: Term


@dataclass(frozen=True, slots=True)
class Or:
    """Either."""

    left: Term
    right: Term


Term = Unknown | Compare | In | Missing | Not | And | Or
UNKNOWN = Unknown()


class Range(NamedTuple):
    """Per block: least and greatest present value, whether some value is present, whether some is
    missing. Without a present value, least and greatest mean nothing."""

    low: _Values
    high: _Values
    present: Bools
    missing: Bools


class Bounds(Protocol):
    """Ranges of columns over a number of blocks (or chunks)."""

    @property
    def size(self) -> int:
        """Number of blocks."""

    def of(self, column: str) -> Range | None:
        """Return a column's ranges, or None where they are not known."""


class Outcome(NamedTuple):
    """Per block, whether some row may make a term true, false, or null."""

    true: Bools
    false: Bools
    null: Bools

    @property
    def every(self) -> Bools:
        """Blocks of which every row surely satisfies the term."""
        return ~(self.false | self.null)


def ordinal(value: object) -> tuple[Number, bool] | None:
    """Return a constant as a column counts it, and whether it lies on the count; None if neither.

    A time between two seconds gives the second before and False.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, dt.datetime):
        if value.tzinfo is not None:
            return None
        since = value - _EPOCH_TIME
        return since.days * 86_400 + since.seconds, since.microseconds == 0
    if isinstance(value, dt.date):
        return (value - _EPOCH).days, True
    if isinstance(value, int):
        return value, True
    if isinstance(value, float):
        return None if math.isnan(value) else (value, True)
    return None


def comparison(column: str, op: str, value: object) -> Term:
    """Return the term of ``column op value``; :class:`Unknown` for a constant without an order."""
    counted = _counted(column, value)
    if counted is None or op not in _COMPARISONS:
        return Unknown((column,))
    number, exact = counted
    if exact:
        return Compare(column, op, number)
    if op in ("<", "<="):
        return Compare(column, "<=", number)
    if op in (">", ">="):
        return Compare(column, ">", number)
    return In(column, ()) if op == "==" else Not(In(column, ()))


def membership(column: str, values: Iterable[object]) -> Term:
    """Return the term of ``column IN values``; :class:`Unknown` if one has no order (null too)."""
    numbers: set[Number] = set()
    for value in values:
        counted = _counted(column, value)
        if counted is None:
            return Unknown((column,))
        if counted[1]:
            numbers.add(counted[0])
    return In(column, tuple(sorted(numbers)))


def _counted(column: str, value: object) -> tuple[Number, bool] | None:
    if column == "target":
        return (value, True) if isinstance(value, str) else None
    return ordinal(value)


def columns_of(term: Term) -> Iterator[str]:
    """Yield the columns that a tree reads, some of them perhaps twice."""
    pending = [term]
    while pending:
        match pending.pop():
            case And(left, right) | Or(left, right):
                pending += [left, right]
            case Not(inner):
                pending.append(inner)
            case Unknown(columns):
                yield from columns
            case Compare(column) | In(column) | Missing(column):
                yield column


def evaluate(term: Term, bounds: Bounds) -> Outcome:
    """Return what rows of each block may make of a term, from ranges alone, all at once."""
    match term:
        case And(left, right):
            a, b = evaluate(left, bounds), evaluate(right, bounds)
            return Outcome(a.true & b.true, a.false | b.false, a.null | b.null)
        case Or(left, right):
            a, b = evaluate(left, bounds), evaluate(right, bounds)
            return Outcome(a.true | b.true, a.false & b.false, a.null | b.null)
        case Not(inner):
            a = evaluate(inner, bounds)
            return Outcome(a.false, a.true, a.null)
        case Unknown():
            return _anything(bounds.size)
        case Compare(column) | In(column) | Missing(column):
            known = bounds.of(column)
            return _anything(bounds.size) if known is None else _leaf(term, known)


def _anything(size: int) -> Outcome:
    yes = np.ones(size, np.bool_)
    return Outcome(yes, yes, yes)


def _leaf(term: Compare | In | Missing, known: Range) -> Outcome:
    low, high, present, missing = known
    if isinstance(term, Missing):
        return Outcome(missing, present, np.zeros(len(missing), np.bool_))
    if isinstance(term, In):
        true, false = _in_range(low, high, term.values)
    else:
        true, false = _COMPARISONS[term.op](low, high, term.value)
    return Outcome(true & present, false & present, missing)


def _in_range(low: _Values, high: _Values, values: Sequence[Number]) -> tuple[Bools, Bools]:
    if not values:
        nothing = np.zeros(len(low), np.bool_)
        return nothing, ~nothing
    ordered = np.asarray(values)
    first = np.searchsorted(ordered, low, side="left")
    after = np.searchsorted(ordered, high, side="right")
    true: Bools = after > first
    false: Bools = ~(true & (low == high))
    return true, false


def _equal(low: _Values, high: _Values, value: Number) -> tuple[Bools, Bools]:
    true: Bools = (low <= value) & (high >= value)
    false: Bools = (low != value) | (high != value)
    return true, false


def _below(low: _Values, high: _Values, value: Number) -> tuple[Bools, Bools]:
    true: Bools = low < value
    false: Bools = high >= value
    return true, false


def _at_most(low: _Values, high: _Values, value: Number) -> tuple[Bools, Bools]:
    true: Bools = low <= value
    false: Bools = high > value
    return true, false


_COMPARISONS: dict[str, Callable[[_Values, _Values, Number], tuple[Bools, Bools]]] = {
    "==": _equal,
    "!=": lambda low, high, value: _equal(low, high, value)[::-1],
    "<": _below,
    "<=": _at_most,
    ">": lambda low, high, value: _at_most(low, high, value)[::-1],
    ">=": lambda low, high, value: _below(low, high, value)[::-1],
}
