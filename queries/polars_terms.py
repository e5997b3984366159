"""A Polars predicate as a tree of terms, from its JSON form.

The JSON of an expression is not a stable interface, so a node that is not as expected becomes
:class:`Unknown`: another version of Polars may cost speed, never rows.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from queries.terms import (
    UNKNOWN,
    And,
    Missing,
    Not,
    Or,
    Term,
    Unknown,
    comparison,
    membership,
)

__all__ = ["term_of_json"]

_COMPARISONS = {"Eq": "==", "NotEq": "!=", "Lt": "<", "LtEq": "<=", "Gt": ">", "GtEq": ">="}
_MIRRORED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_PER_SECOND = {"Milliseconds": 1_000, "Microseconds": 1_000_000, "Nanoseconds": 1_000_000_000}
_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - the store's times carry no zone


class _Unexpected(Exception):
    """A node is not as this module knows it."""


def term_of_json(text: str) -> Term:
    """Return the tree of a predicate serialized as JSON."""
    try:
        return _term(json.loads(text))
    except (_Unexpected, RecursionError, ValueError, KeyError, TypeError):
        return UNKNOWN


def _term(node: Any) -> Term:
    try:
        return _known(node)
    except (_Unexpected, ValueError, KeyError, TypeError, OverflowError, pa.ArrowException):
        return UNKNOWN


def _known(node: Any) -> Term:
    match node:
        case {"BinaryExpr": {"left": left, "op": "And" | "LogicalAnd", "right": right}}:
            return And(_term(left), _term(right))
        case {"BinaryExpr": {"left": left, "op": "Or" | "LogicalOr", "right": right}}:
            return Or(_term(left), _term(right))
        case {"BinaryExpr": {"left": left, "op": op, "right": right}} if op in _COMPARISONS:
            return _compared(left, _COMPARISONS[op], right)
        case {"Function": {"input": [{"Column": str(name)}, *rest], "function": {"Boolean": kind}}}:
            return _boolean(name, kind, rest)
        case {"Function": {"input": [inner], "function": {"Boolean": "Not"}}}:
            return Not(_term(inner))
    raise _Unexpected


def _compared(left: Any, op: str, right: Any) -> Term:
    match left, right:
        case {"Column": str(name)}, {"Literal": literal}:
            return comparison(name, op, _constant(literal))
        case {"Literal": literal}, {"Column": str(name)}:
            return comparison(name, _MIRRORED[op], _constant(literal))
        case {
            "Function": {"input": [{"Column": str(name)}], "function": {"TemporalExpr": "Year"}}
        }, {"Literal": literal}:
            return _year(name, op, int(_constant(literal)))
    raise _Unexpected


def _year(name: str, op: str, year: int) -> Term:
    """Return the span of dates that a comparison of a column's year means."""
    if name not in ("date", "time"):
        return Unknown((name,))
    make: Callable[..., dt.date] = dt.date if name == "date" else dt.datetime
    first, after = make(year, 1, 1), make(year + 1, 1, 1)
    inside = And(comparison(name, ">=", first), comparison(name, "<", after))
    spans: dict[str, Term] = {
        "==": inside,
        "!=": Not(inside),
        "<": comparison(name, "<", first),
        "<=": comparison(name, "<", after),
        ">": comparison(name, ">=", after),
        ">=": comparison(name, ">=", first),
    }
    return spans[op]


def _boolean(name: str, kind: Any, rest: list[Any]) -> Term:
    match kind, rest:
        case "IsNull", []:
            return Missing(name)
        case "IsNotNull", []:
            return Not(Missing(name))
        case {"IsIn": {"nulls_equal": False}}, [{"Literal": {"Scalar": {"List": packed}}}]:
            reader = pa.ipc.open_stream(bytes(packed))
            return membership(name, reader.read_all().column(0).to_pylist())
        case {"IsBetween": {"closed": closed}}, [{"Literal": low}, {"Literal": high}]:
            at_low = ">=" if closed in ("Both", "Left") else ">"
            at_high = "<=" if closed in ("Both", "Right") else "<"
            return And(
                comparison(name, at_low, _constant(low)), comparison(name, at_high, _constant(high))
            )
    return Unknown((name,))


def _constant(literal: Any) -> Any:
    """Return a literal's value as Python knows it."""
    match literal:
        case {"Dyn": {"Int": value}} | {"Dyn": {"Float": value}}:
            return value
        case {"Scalar": {"Date": int(days)}}:
            return _EPOCH.date() + dt.timedelta(days=days)
        case {"Scalar": {"Datetime": [int(count), str(unit), None]}}:
            seconds, rest = divmod(count, _PER_SECOND[unit])
            # less than a microsecond still lies beside the second, which is all that counts
            fraction = min(max(rest * 1_000_000 // _PER_SECOND[unit], int(rest > 0)), 999_999)
            return _EPOCH + dt.timedelta(seconds=seconds, microseconds=fraction)
        case {"Scalar": {**scalar}}:
            ((kind, value),) = scalar.items()
            if str(kind).startswith(("Int", "UInt", "Float")) and isinstance(value, int | float):
                return value
            if kind == "String" and isinstance(value, str):
                return value
    raise _Unexpected
