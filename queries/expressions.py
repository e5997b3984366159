"""A pyarrow filter expression as a tree of terms.

pyarrow expressions cannot be walked, but one that is pickled is an Arrow IPC file: its schema
metadata are the tree in prefix order (``call``, ``field_ref``, ``literal``, ``options``, ``end``)
and its columns are the constants, with their exact types. What is not as expected gives
:class:`Unknown`, so another layout in another version costs speed, never rows; ``tests/queries``
say when that happens.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
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
    columns_of,
    comparison,
    membership,
)

__all__ = ["columns_in", "term_of"]

_PAIR = re.compile(r"^(call|field_ref|literal|options|end): '(.*)'$", re.MULTILINE)

_COMPARISONS = {
    "equal": "==",
    "not_equal": "!=",
    "less": "<",
    "less_equal": "<=",
    "greater": ">",
    "greater_equal": ">=",
}
_MIRRORED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


class _Unexpected(Exception):
    """The pickled form is not as this module knows it."""


@dataclass(frozen=True, slots=True)
class _Column:
    name: str


@dataclass(frozen=True, slots=True)
class _Constant:
    value: Any


_Part = Term | _Column | _Constant


def term_of(expression: Any) -> Term:
    """Return a pyarrow expression as a tree; :class:`Unknown` for the parts not understood."""
    if expression is None:
        return UNKNOWN
    try:
        tokens, constants = _unpacked(expression)
        part = _parse(tokens, constants)
    except (_Unexpected, KeyError, IndexError, ValueError, pa.ArrowException):
        return UNKNOWN
    return part if isinstance(part, Term) else UNKNOWN


def columns_in(expression: Any, names: list[str]) -> list[str]:
    """Return those of ``names`` that an expression reads, or that its text could mean."""
    try:
        tokens, _ = _unpacked(expression)
    except (_Unexpected, pa.ArrowException):
        words = set(re.findall(r"\w+", str(expression)))
        return [name for name in names if name in words]
    read = {text for kind, text in tokens if kind == "field_ref"}
    return [name for name in names if name in read]


def _unpacked(expression: Any) -> tuple[Iterator[tuple[str, str]], pa.RecordBatch]:
    """Return the prefix tokens and the batch of constants of an expression."""
    _, arguments = expression.__reduce__()
    file = pa.ipc.open_file(arguments[0])
    shown = file.schema.to_string(show_field_metadata=False, truncate_metadata=False)
    _, found, pairs = shown.partition("-- schema metadata --")
    if not found or file.num_record_batches != 1:
        raise _Unexpected
    tokens = [(match[1], match[2]) for match in _PAIR.finditer(pairs)]
    if len(tokens) != len(pairs.strip().splitlines()):
        raise _Unexpected
    return iter(tokens), file.get_batch(0)


def _parse(tokens: Iterator[tuple[str, str]], constants: pa.RecordBatch) -> _Part:
    """Return the tree of all tokens, built bottom-up so that depth costs no recursion."""
    open_calls: list[tuple[str, list[_Part], list[Any]]] = [("", [], [])]
    for kind, text in tokens:
        _, operands, options = open_calls[-1]
        if kind == "field_ref":
            operands.append(_Column(text))
        elif kind == "literal":
            operands.append(_Constant(constants.column(int(text))[0].as_py()))
        elif kind == "options":
            options.append(constants.column(int(text))[0].as_py())
        elif kind == "call":
            open_calls.append((text, [], []))
        else:
            name, done, given = open_calls.pop()
            if name != text:
                raise _Unexpected
            open_calls[-1][1].append(_call(name, done, given))
    if len(open_calls) != 1 or len(open_calls[0][1]) != 1:
        raise _Unexpected
    return open_calls[0][1][0]


def _call(name: str, operands: list[_Part], options: list[Any]) -> Term:
    match name, operands:
        case (("and_kleene" | "and"), [left, right]):
            return And(_as_term(left), _as_term(right))
        case (("or_kleene" | "or"), [left, right]):
            return Or(_as_term(left), _as_term(right))
        case "invert", [inner]:
            return Not(_as_term(inner))
        case "is_valid", [_Column(column)]:
            return Not(Missing(column))
        case "is_null", [_Column(column)]:
            return Missing(column)
        case "is_in", [_Column(column)]:
            # a null row is not in the set, which is false here and not null
            return And(Not(Missing(column)), membership(column, options[0]["value_set"]))
        case "if_else", [Not(Missing()) as valid, inner, _Constant(None)]:
            return And(valid, _as_term(inner))
        case _, [_Column(column), _Constant(value)] if name in _COMPARISONS:
            return comparison(column, _COMPARISONS[name], value)
        case _, [_Constant(value), _Column(column)] if name in _COMPARISONS:
            return comparison(column, _MIRRORED[_COMPARISONS[name]], value)
    return Unknown(tuple(_names(operands)))


def _as_term(part: _Part) -> Term:
    if isinstance(part, _Column):
        return Unknown((part.name,))
    return UNKNOWN if isinstance(part, _Constant) else part


def _names(parts: list[_Part]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, _Column):
            yield part.name
        elif not isinstance(part, _Constant):
            yield from columns_of(part)
