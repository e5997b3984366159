"""Columns of metric values to English ones, on the way out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cimis.pipeline.field.items import Item
from cimis.pipeline.field.units import Ratio, english_decimals, to_english
from cimis.pipeline.rows.schema import decimals_of, item_metadata, item_of

__all__ = ["english", "english_schema"]

_MOST = 1 << 53


def english_schema(schema: pa.Schema) -> pa.Schema:
    """Return a physical schema with the English units in its value columns' metadata."""
    fields = []
    for field in schema:
        item = item_of(field)
        if item is None:
            fields.append(field)
            continue
        decimals = decimals_of(field)
        if item.quantity.ratio is not None:
            decimals = english_decimals(item, decimals)
        fields.append(
            field.with_metadata(item_metadata(item, decimals=decimals, unit=item.unit_english))
        )
    return pa.schema(fields, metadata=schema.metadata)


def english(batch: pa.RecordBatch, target: pa.Schema) -> pa.RecordBatch:
    """Return a physical batch with its values in English units, of the schema ``target``."""
    columns = []
    for field, column in zip(batch.schema, batch.columns, strict=True):
        item = item_of(field)
        ratio = None if item is None else item.quantity.ratio
        if item is None or ratio is None:
            columns.append(column)
        else:
            columns.append(_converted(column, item, decimals_of(field), ratio))
    return pa.RecordBatch.from_arrays(columns, schema=target)


def _converted(column: pa.Array, item: Item, decimals: int, ratio: Ratio) -> pa.Array:
    """Return a float64 column converted, its missing values kept.

    Values of so many decimals are converted as the integers that they are, exactly and with ties
    away from zero; others as doubles.
    """
    validity, data = column.buffers()
    stop = column.offset + len(column)
    values: npt.NDArray[np.float64] = (
        np.nan_to_num(np.frombuffer(data, np.float64, count=stop)) if data else np.zeros(stop)
    )
    places = english_decimals(item, decimals)
    scale = 10.0**places
    scaled = np.rint(values * 10.0**decimals)
    whole = (np.abs(scaled) < _MOST) & (scaled / 10.0**decimals == values)
    numbers = np.where(whole, scaled, 0).astype(np.int64)
    made = to_english(numbers, decimals, item, places) / scale
    if not whole.all():
        rough = np.rint(ratio.english(values) * scale) / scale
        made = np.where(whole, made, rough)
    return pa.Array.from_buffers(
        pa.float64(), len(column), [validity, pa.py_buffer(made)], offset=column.offset
    )
