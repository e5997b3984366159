"""Axes of a cube: which columns of a table make a row unique, and where each row lies on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cimis.pipeline.errors import UsageError
from cimis.pipeline.markup import counted

if TYPE_CHECKING:
    Ints = npt.NDArray[np.int64]

__all__ = ["Axis", "axes_of", "cells_of"]

_AFTER_WHOM = (
    *(("check", "rule", "item"), ("crop", "first"), ("item", "month", "day"), ("item", "month")),
    *(("time",), ("date",), ("period",), ("winter",), ("season",), ("water_year",)),
    *(("year", "month", "day"), ("year", "month"), ("year", "week"), ("year",), ("month",), ()),
)
_KEYS = (
    *((who, *rest) for rest in _AFTER_WHOM for who in ("station", "target")),
    *(rest for rest in _AFTER_WHOM if rest),
)
"""Columns that make the rows of answers unique; the first of which an answer has all."""

_STEPS = {"date": "D", "time": "h"}
"""Columns whose axis has every step from the first to the last, so that holes show."""

_MOST_CELLS = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Axis:
    """One dimension.

    Attributes
    ----------
    column : str
        Of the table.
    values : array
        Along the axis, ascending: integers, texts or datetime64[ns].
    at : array of int
        Of each row of the table its place.
    """

    column: str
    values: npt.NDArray[Any]
    at: Ints

    @property
    def name(self) -> str:
        """Name of the dimension: ``time`` for days, too."""
        return "time" if self.column == "date" else self.column


def axes_of(table: pa.Table, by: Sequence[str] | None, *, whole: bool) -> list[Axis]:
    """Return the axes of a table.

    Parameters
    ----------
    table : pyarrow.Table
    by : sequence of str, optional
        Columns that make a row unique; by default the keys by which answers are ordered.
    whole : bool
        Whether days and hours that no row has get a place too.

    Raises
    ------
    UsageError
        For a column that is not there or lacks a value, columns that do not make a row unique, and
        where none is known to.
    """
    names = _named(table, by) if by is not None else _usual(table)
    return [_axis(table[name].combine_chunks(), name, whole=whole) for name in names]


def cells_of(axes: Sequence[Axis], rows: int) -> Ints:
    """Return the cell of each row in a cube of these axes; `UsageError` where two share one."""
    shape = [len(axis.values) for axis in axes]
    cells = int(np.prod(shape, dtype=object))
    names = ", ".join(axis.column for axis in axes)
    if cells > _MOST_CELLS:
        raise UsageError(
            f"a cube by {names} has {cells:,} cells for {rows:,} rows",
            hint="ask for fewer stations or days, or take the rows as a table",
        )
    flat = np.zeros(rows, np.int64)
    for axis, size in zip(axes, shape, strict=True):
        flat = flat * size + axis.at
    taken = np.zeros(cells, np.bool_)
    taken[flat] = True
    if int(taken.sum()) < rows:
        raise UsageError(
            f"{rows:,} rows have only {int(taken.sum()):,} different places by {names}",
            hint="name the columns that make a row unique, as by=['station', 'date']",
        )
    return flat


def _named(table: pa.Table, by: Sequence[str]) -> list[str]:
    names = [by] if isinstance(by, str) else list(by)
    for name in names:
        if name not in table.schema.names:
            raise UsageError(
                f"the answer has no column '{name}'",
                hint=f"it has {', '.join(table.schema.names)}",
            )
    if len(set(names)) < len(names) or not names:
        raise UsageError("a cube's dimensions are columns, each named once", hint="see by=[…]")
    return names


def _usual(table: pa.Table) -> list[str]:
    held = {
        name
        for name, column in zip(table.schema.names, table.columns, strict=True)
        if not table.num_rows or column.null_count < table.num_rows
    }
    for names in _KEYS:
        if held.issuperset(names):
            return list(names)
    raise UsageError(
        "the answer has neither station nor date to lay its rows out by",
        hint="name the columns that make a row unique, as by=['county', 'month']",
    )


def _axis(column: pa.Array, name: str, *, whole: bool) -> Axis:
    if column.null_count:
        raise UsageError(
            f"{counted(column.null_count, 'row')} without {name} cannot be placed along it",
            hint="leave such rows out, or name other columns with by=[…]",
        )
    step = _STEPS.get(name)
    if pa.types.is_temporal(column.type):
        stamps = column.cast(pa.timestamp("ns")).to_numpy(zero_copy_only=False)
        if whole and step is not None and len(stamps):
            units = stamps.astype(f"datetime64[{step}]").astype(np.int64)
            if bool((units.astype(f"datetime64[{step}]") == stamps).all()):
                first, last = int(units.min()), int(units.max())
                values = np.arange(first, last + 1).astype(f"datetime64[{step}]")
                return Axis(name, values.astype("datetime64[ns]"), units - first)
        values, at = np.unique(stamps, return_inverse=True)
        return Axis(name, values, at.astype(np.int64))
    encoded = column if pa.types.is_dictionary(column.type) else pc.dictionary_encode(column)
    order = np.asarray(pc.array_sort_indices(encoded.dictionary)).astype(np.int64)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    found = encoded.dictionary.take(pa.array(order))
    if pa.types.is_integer(found.type):
        values = found.to_numpy(zero_copy_only=False).astype(np.int32)
    elif pa.types.is_string(found.type) or pa.types.is_large_string(found.type):
        values = np.array(found.to_pylist(), np.str_)
    else:
        values = found.to_numpy(zero_copy_only=False)
    places = np.asarray(encoded.indices.to_numpy(zero_copy_only=False), np.int64)
    return Axis(name, values, rank[places] if len(places) else places)
