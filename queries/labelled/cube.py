"""Answers as xarray data sets: station × time, a variable for each item and for its flags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cimis.pipeline.field.cf import cell_method, standard_name, udunits
from cimis.pipeline.field.items import QC_FLAGS, Item, by_code
from cimis.pipeline.rows.schema import item_of
from cimis.queries.export.heads import unit_symbol
from cimis.queries.labelled.axes import axes_of, cells_of
from cimis.queries.labelled.coordinates import coordinates_of
from cimis.queries.labelled.facts import Places, needed

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["cube"]

_FLAGS = "_qc"


def cube(
    table: pa.Table,
    facts: Mapping[str, str],
    *,
    by: Sequence[str] | None = None,
    places: Places | None = None,
    whole: bool = True,
) -> xr.Dataset:
    """Return a table as a :class:`xarray.Dataset`.

    Parameters
    ----------
    table : pyarrow.Table
        Columns ending in ``_qc`` are flags.
    facts : mapping of str to str
        Go into the data set's attributes.
    by : sequence of str, optional
        Columns that make a row unique; each is a dimension, ``date`` under the name ``time``.
    places : callable, optional
        Gives the stations whose names and places become coordinates.
    whole : bool
        Whether ``time`` has every day or hour from the first to the last.

    Returns
    -------
    xarray.Dataset
        Numbers are float64, NaN where missing or where there is no row (whole numbers without a
        hole stay integers); flags and other texts are fixed-width, blank where there is none.

    Raises
    ------
    UsageError
        Where xarray is not installed, or the rows cannot be laid out: see
        :func:`cimis.queries.labelled.axes.axes_of`.
    """
    xarray = needed("xarray")
    axes = axes_of(table, by, whole=whole)
    cells = cells_of(axes, table.num_rows)
    shape = tuple(len(axis.values) for axis in axes)
    dimensions = [axis.name for axis in axes]
    coordinates, used = coordinates_of(table, axes, places)
    variables = {}
    for field, column in zip(table.schema, table.columns, strict=True):
        if field.name in used:
            continue
        values = _laid_out(column.combine_chunks(), cells, shape)
        variables[field.name] = (dimensions, values, _attributes(field, column, table))
    named = {"Conventions": "CF-1.11", **facts}
    made: xr.Dataset = xarray.Dataset(variables, coordinates, named)
    return made


def _laid_out(column: pa.Array, cells: npt.NDArray[Any], shape: tuple[int, ...]) -> Any:
    """Return a column in a cube's form, with nothing where there is no row."""
    kind, size = column.type, int(np.prod(shape))
    full = size == len(column) and not column.null_count
    if pa.types.is_temporal(kind):
        grid: npt.NDArray[Any] = np.full(size, np.datetime64("NaT", "ns"), "datetime64[ns]")
        grid[cells] = column.cast(pa.timestamp("ns")).to_numpy(zero_copy_only=False)
    elif full and (pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        plain = column.to_numpy(zero_copy_only=False)
        grid = np.empty(size, plain.dtype)
        grid[cells] = plain
    elif (
        pa.types.is_floating(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
    ):
        grid = np.full(size, np.nan)
        grid[cells] = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    else:
        grid = _texts(column, cells, size)
    return grid.reshape(shape)


def _texts(column: pa.Array, cells: npt.NDArray[Any], size: int) -> npt.NDArray[np.str_]:
    if not pa.types.is_dictionary(column.type):
        plain = column if pa.types.is_string(column.type) else column.cast(pa.string())
        column = pc.dictionary_encode(plain)
    words = np.array(["", *column.dictionary.to_pylist()], np.str_)
    codes = np.zeros(size, np.int32)
    codes[cells] = np.asarray(column.indices.fill_null(-1)).astype(np.int32) + 1
    found: npt.NDArray[np.str_] = words[codes]
    return found


def _attributes(field: pa.Field, column: pa.ChunkedArray, table: pa.Table) -> dict[str, str]:
    """Return what CF says of a variable: what it is, its unit, its standard name, its flags."""
    if field.name.endswith(_FLAGS):
        return _of_flags(field.name, column)
    known = field.metadata or {}
    item, unit = item_of(field), unit_symbol(field)
    summed = by_code(known[b"of"].decode()) if b"of" in known else None
    told: dict[str, str] = {}
    if unit:
        told["units"] = udunits(unit)
    if item is not None:
        told |= _of_item(item)
    elif summed is not None:
        told["long_name"] = f"{known[b'statistic'].decode()} of: {summed.description}"
    else:
        told["long_name"] = field.name.replace("_", " ")
    if field.name + _FLAGS in table.schema.names:
        told["ancillary_variables"] = field.name + _FLAGS
    return told


def _of_item(item: Item) -> dict[str, str]:
    told = {"long_name": item.description, "cell_methods": cell_method(item.rule)}
    named = standard_name(item)
    return told | ({"standard_name": named} if named else {})


def _of_flags(name: str, column: pa.ChunkedArray) -> dict[str, str]:
    there = set(pc.unique(column).to_pylist())
    meanings = [f"{flag.letter}: {flag.meaning}" for flag in QC_FLAGS if flag.letter in there]
    return {
        "long_name": f"quality control flag of {name.removesuffix(_FLAGS)}",
        "standard_name": "quality_flag",
        "comment": "; ".join(["blank: passed, or no record", *meanings]),
    }
