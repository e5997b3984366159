"""Which rows of decoded columns satisfy a tree of terms, exactly and in SQL's three values."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from queries.terms import And, Compare, In, Missing, Not, Or, Term, Unknown
from queries.values import Column, Doubles, Flags, Keys, Part, Scaled, Texts, missing_mark

__all__ = ["is_exact", "narrowed"]

Bools = npt.NDArray[np.bool_]

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class _Truth(NamedTuple):
    """Per row whether a term is true, and whether it is null; false is neither."""

    true: Bools
    null: Bools


def is_exact(term: Term) -> bool:
    """Tell whether a tree says all of a filter: it holds no term that was not understood."""
    pending = [term]
    while pending:
        match pending.pop():
            case And(left, right) | Or(left, right):
                pending += [left, right]
            case Not(inner):
                pending.append(inner)
            case Unknown():
                return False
    return True


def narrowed(part: Part, term: Term) -> Part:
    """Return the rows of a part for which a term is true; its columns must all be there or absent.

    Where these rows are one run, as they mostly are, nothing is copied.
    """
    keep = _truth(term, part).true
    places = np.flatnonzero(keep)
    if len(places) == part.rows:
        return part
    if not len(places):
        return part.sliced(0, 0)
    first, last = int(places[0]), int(places[-1])
    if last - first + 1 == len(places):
        return part.sliced(first, last + 1)
    return part.taken(places)


def _truth(term: Term, part: Part) -> _Truth:
    match term:
        case And(left, right):
            a, b = _truth(left, part), _truth(right, part)
            false = ~(a.true | a.null) | ~(b.true | b.null)
            return _Truth(a.true & b.true, (a.null | b.null) & ~false)
        case Or(left, right):
            a, b = _truth(left, part), _truth(right, part)
            true = a.true | b.true
            return _Truth(true, (a.null | b.null) & ~true)
        case Not(inner):
            a = _truth(inner, part)
            return _Truth(~(a.true | a.null), a.null)
        case Missing(column):
            _, absent = _numbers(part.columns.get(column), part.rows)
            return _Truth(absent, np.zeros(part.rows, np.bool_))
        case Compare(column, op, value):
            numbers, absent = _numbers(part.columns.get(column), part.rows)
            return _Truth(_OPERATORS[op](numbers, value) & ~absent, absent)
        case In(column, values):
            numbers, absent = _numbers(part.columns.get(column), part.rows)
            return _Truth(np.isin(numbers, np.array(values)) & ~absent, absent)
    raise TypeError("a term that is not understood has no exact rows")


def _numbers(column: Column | None, rows: int) -> tuple[npt.NDArray[Any], Bools]:
    """Return a column's physical numbers, and which are missing."""
    match column:
        case None:
            return np.zeros(rows), np.ones(rows, np.bool_)
        case Keys(values):
            return values.astype(np.int64), np.zeros(rows, np.bool_)
        case Scaled(values, decimals):
            absent = values == values.dtype.type(missing_mark(values.dtype))
            return np.divide(values, 10.0**decimals, dtype=np.float64), absent
        case Doubles(values, present):
            return values, ~present
        case Flags(codes):
            return codes, codes == 0
        case Texts(places, names):
            return np.array(names)[places], np.zeros(rows, np.bool_)
