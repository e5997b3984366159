"""The form of crop water use as a table: order of rows, units, decimals, nulls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cimis.agronomy.crop import landscape_water
from cimis.pipeline.field.items import Standard
from cimis.pipeline.field.units import MILLIMETRE

__all__ = ["crop_table"]

_ORDER = (
    *("station", "crop", "first", "last", "basis", "etc", "total", "rain", "gallons"),
    *("total_gallons", "lacking", "since", "kc", "eto", "days", "years", "total_days"),
    *("total_lacking", "rain_lacking", "total_rain", "total_rain_lacking"),
)
"""Columns from what is asked first to what is read last: a terminal shows those that fit."""
_DEPTHS = ("eto", "etc", "total", "rain", "total_rain")


def crop_table(pieces: Sequence[dict[str, Any]], units: Standard) -> pa.Table:
    """Return the sums of crops as rows by station, crop in the file's order, and week.

    Parameters
    ----------
    pieces : sequence of dict
        By crop: columns by name, arrays of weeks × stations, depths in mm, NaN, NaT and negative
        counts where nothing can be told; ``rank`` is the crop's place, ``area`` square feet.
    units : Standard
        Depths in mm or inches; gallons are US gallons in both.
    """
    flat = {name: np.concatenate([piece[name].ravel() for piece in pieces]) for name in pieces[0]}
    order = np.lexsort((flat["first"], flat.pop("rank"), flat["station"]))
    flat = {name: values[order] for name, values in flat.items()}
    area = flat.pop("area")
    if not np.isnan(area).all():
        for name, depth in (("gallons", "etc"), ("total_gallons", "total")):
            # the depth is ETo times the landscape's factor already
            water = landscape_water(flat[depth], factor=1.0, area_sqft=np.nan_to_num(area))
            gallons = water.gallons
            flat[name] = np.where(np.isnan(area), np.nan, gallons)
    inch = units is Standard.ENGLISH
    columns, fields = [], []
    names = [name for name in _ORDER if name in flat]
    for name in names:
        values = flat[name]
        unit = ("in" if inch else "mm") if name in _DEPTHS else ""
        unit = "gal" if name.endswith("gallons") else unit
        columns.append(_column(name, values / MILLIMETRE.metric(1.0) if unit == "in" else values))
        metadata = {b"unit": f"({unit})".encode()} if unit else None
        fields.append(pa.field(name, columns[-1].type, metadata=metadata))
    assert len(names) == len(flat)
    return pa.table(columns, schema=pa.schema(fields))


def _column(name: str, values: npt.NDArray[Any]) -> pa.Array:
    """Return a column as users get it: null where nothing can be told, two decimals of a depth."""
    if name == "station":
        return pa.array(values, pa.uint16())
    if name in ("crop", "basis"):
        return pa.array(values.tolist(), pa.string())
    if values.dtype.kind == "M":
        return pa.array(values, pa.date32(), mask=np.isnat(values))
    if values.dtype.kind == "i":
        return pa.array(values, pa.int32(), mask=values < (1 if name == "years" else 0))
    decimals = 3 if name == "kc" else 0 if name.endswith("gallons") else 2
    return pa.array(np.round(values, decimals) + 0.0, mask=np.isnan(values))
