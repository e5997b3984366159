"""Chunks as a source that DuckDB reads without an expression in between, where it can.

DuckDB's Python package reads every Arrow object through a source of its own, and takes a foreign
one through a private hook. A source is offered each condition as a small tree, so that conditions
on float columns reach the chunks' statistics, and tells how many rows there are, so that joins
build on the smaller side. Where the hook is missing or another, :func:`register` falls back to
the public dataset: slower, with the same answers; ``tests/queries`` run both.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import duckdb
import pyarrow as pa

from queries.dataset import ChunkDataset
from queries.terms import And, Missing, Not, Or, Term, Unknown, comparison, membership

__all__ = ["available", "register", "term_of_node"]

_Base: Any = object
_nodes: Any = None
try:
    _nodes = import_module("duckdb._sources.nodes")
    _Base = import_module("duckdb._sources").ArrowScanSource
except (ImportError, AttributeError):  # pragma: no cover - another version of DuckDB
    _nodes = None

_OPERATORS = {"=": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


def available() -> bool:
    """Tell whether this DuckDB has the hook, in the form known here."""
    return _nodes is not None and hasattr(duckdb.DuckDBPyConnection, "_register_arrow_source")


def register(
    connection: duckdb.DuckDBPyConnection, name: str, dataset: Any, *, direct: bool = True
) -> None:
    """Make a dataset a view of a connection, through the hook if it is there."""
    if direct and available() and isinstance(dataset, ChunkDataset):
        hook: Any = connection._register_arrow_source
        hook(name, _ChunkScan(dataset))
    else:
        connection.register(name, dataset)


class _ChunkScan(_Base):  # type: ignore[misc]  # a class that may not be there
    """A dataset as DuckDB's scan sees it."""

    pull_under_gil = False
    one_shot = False
    schema_is_stable = True

    def __init__(self, dataset: ChunkDataset) -> None:
        self.obj: ChunkDataset = dataset
        self._schema: pa.Schema = dataset.schema

    def rows(self) -> int:
        """Return how many rows there are."""
        return self.obj.count_rows()

    def __arrow_c_schema__(self) -> object:
        return self._schema.__arrow_c_schema__()

    def accepts(self, predicate: Any) -> bool:
        """Tell whether a condition will be applied exactly."""
        return term_of_node(predicate, self._schema) is not None

    def stream(self, columns: Sequence[int] | None, filters: Sequence[Any]) -> tuple[object, bool]:
        """Return the rows that satisfy all conditions, as a stream of the columns."""
        names = self._schema.names
        chosen = names if columns is None else [names[place] for place in columns]
        term: Term | None = None
        for predicate in filters:
            more = term_of_node(predicate, self._schema)
            if more is None:
                raise TypeError(f"a condition that was not accepted: {predicate}")
            term = more if term is None else And(term, more)
        reader = self.obj.reader_of(chosen, term)
        return reader.__arrow_c_stream__(), columns is not None


def term_of_node(node: Any, schema: pa.Schema) -> Term | None:
    """Return a condition of DuckDB's as an exact tree of terms; None for what it cannot say."""
    if _nodes is None:
        return None
    try:
        return _term(node, schema)
    except RecursionError:
        return None


def _term(node: Any, schema: pa.Schema) -> Term | None:
    match node:
        case _nodes.Binary(op="AND" | "OR" as op, left=left, right=right):
            a, b = _term(left, schema), _term(right, schema)
            if a is None or b is None:
                return None
            return And(a, b) if op == "AND" else Or(a, b)
        case _nodes.Unary(op="NOT", operand=operand):
            inner = _term(operand, schema)
            return None if inner is None else Not(inner)
        case _nodes.Postfix(op="IS NULL", operand=_nodes.Col(parts=(str(name),))):
            return Missing(name)
        case _nodes.Postfix(op="IS NOT NULL", operand=_nodes.Col(parts=(str(name),))):
            return Not(Missing(name))
        case _nodes.Binary(op=op, left=_nodes.Col(parts=(str(name),)), right=_nodes.Lit() as lit):
            return _exact(comparison(name, _OPERATORS.get(op, ""), lit.value), name, schema)
        case _nodes.In(operand=_nodes.Col(parts=(str(name),)), values=values):
            if all(isinstance(value, _nodes.Lit) for value in values):
                return _exact(membership(name, [v.value for v in values]), name, schema)
    return None


def _exact(term: Term, name: str, schema: pa.Schema) -> Term | None:
    """Return a term on a column with an order; flags have none here."""
    if isinstance(term, Unknown) or pa.types.is_dictionary(schema.field(name).type):
        return None
    return term
