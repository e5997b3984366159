"""Filters of Daft as Arrow's, as far as both certainly mean the same; imported where Daft is there.

Daft looks again at each row that comes, so a filter may let through too many, but none too few.
"""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Callable
from functools import partialmethod, reduce
from typing import Any, NoReturn

import pyarrow as pa
import pyarrow.compute as pc
from daft import Expression
from daft.expressions.visitor import PredicateVisitor

__all__ = ["as_arrow"]

_LITERALS: dict[pa.DataType, tuple[type, ...]] = {
    pa.int32(): (int,),
    pa.float64(): (int, float),
    pa.string(): (str,),
    pa.date32(): (dt.date, str),
    pa.timestamp("us"): (dt.datetime,),
}


class _CannotTurn(Exception):
    """A part of a filter that is left to Daft."""


def as_arrow(meets: Expression, schema: pa.Schema) -> pc.Expression | None:
    """Return what of a filter Arrow can ask of rows of a schema; None where that is nothing."""
    try:
        found: pc.Expression = _Turned(schema).visit(meets)
        schema.empty_table().filter(found)
    except (_CannotTurn, pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
        return None
    return found


class _Turned(PredicateVisitor):  # type: ignore[misc]
    """Expressions of Arrow's; ``_CannotTurn`` for what has none, or not surely the same."""

    def __init__(self, schema: pa.Schema, *, exact: bool = False) -> None:
        self._schema, self._exact = schema, exact

    def visit_and(self, left: Expression, right: Expression) -> pc.Expression:
        """Return both, or the one that can be turned, unless fewer rows might come of that."""
        found = []
        for side in (left, right):
            try:
                found.append(self.visit(side))
            except _CannotTurn:
                if self._exact:
                    raise
        if not found:
            raise _CannotTurn
        return reduce(operator.and_, found)

    def visit_or(self, left: Expression, right: Expression) -> pc.Expression:
        return self.visit(left) | self.visit(right)

    def visit_not(self, expr: Expression) -> pc.Expression:
        return ~_Turned(self._schema, exact=True).visit(expr)

    def visit_is_null(self, expr: Expression) -> pc.Expression:
        return self._field(expr).is_null()

    def visit_not_null(self, expr: Expression) -> pc.Expression:
        return self._field(expr).is_valid()

    def visit_is_in(self, expr: Expression, items: list[Expression]) -> pc.Expression:
        return self._field(expr).isin([self._literal(one, expr) for one in items])

    def visit_between(
        self, expr: Expression, lower: Expression, upper: Expression
    ) -> pc.Expression:
        least = self._compared(expr, lower, how=operator.ge)
        return least & self._compared(expr, upper, how=operator.le)

    def _compared(
        self, left: Expression, right: Expression, *, how: Callable[[Any, Any], Any]
    ) -> pc.Expression:
        if right.is_column() and not left.is_column():
            return how(self._value(left, right), self._field(right))
        return how(self._field(left), self._value(right, left))

    visit_equal = partialmethod(_compared, how=operator.eq)
    visit_not_equal = partialmethod(_compared, how=operator.ne)
    visit_less_than = partialmethod(_compared, how=operator.lt)
    visit_less_than_or_equal = partialmethod(_compared, how=operator.le)
    visit_greater_than = partialmethod(_compared, how=operator.gt)
    visit_greater_than_or_equal = partialmethod(_compared, how=operator.ge)

    def _field(self, expr: Expression) -> pc.Expression:
        if not expr.is_column():
            raise _CannotTurn
        return pc.field(expr.column_name())

    def _value(self, expr: Expression, other: Expression) -> pc.Expression:
        """Return a column, or a literal, of the type of the column that it is compared with."""
        if not expr.is_column():
            return pc.scalar(self._literal(expr, other))
        kinds = {self._schema.field(one.column_name()).type for one in (expr, other)}
        if len(kinds) > 1:
            raise _CannotTurn
        return self._field(expr)

    def _literal(self, expr: Expression, other: Expression) -> pa.Scalar:
        kind = self._schema.field(other.column_name()).type
        value = expr.as_py() if expr.is_literal() else None
        zoned = getattr(value, "tzinfo", None) is not None
        if type(value) not in _LITERALS[kind] or value != value or zoned:
            raise _CannotTurn
        try:
            return pa.scalar(value).cast(kind)
        except pa.ArrowInvalid as error:
            raise _CannotTurn from error

    def _left(self, *_: object) -> NoReturn:
        raise _CannotTurn

    visit_col = visit_lit = visit_alias = visit_cast = visit_try_cast = _left
    visit_function = visit_coalesce = visit_list = _left
