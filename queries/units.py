"""Metric values to English ones on the way out, with decimals enough to come back exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.errors import UsageError
from pipeline.items import Item, Standard
from pipeline.schema import decimals_of, item_metadata, item_of

__all__ = ["Conversion", "conversion_of", "english", "english_schema", "standard"]

_FACTORS: dict[tuple[str, str], tuple[float, float]] = {
    ("(C)", "(F)"): (1.8, 32.0),
    ("(mm)", "(in)"): (1 / 25.4, 0.0),
    ("(W./sq.m)", "(Ly/day)"): (86_400 / 41_868, 0.0),
    ("(kPa)", "(mBars)"): (10.0, 0.0),
    ("(m/s)", "(MPH)"): (3_600 / 1_609.344, 0.0),
    ("(km)", "(MPH)"): (1 / 1.609344, 0.0),  # the label says MPH, the number is miles per day
}


@dataclass(frozen=True, slots=True)
class Conversion:
    """``metric × factor + shift``, rounded to ``decimals``."""

    factor: float
    shift: float
    decimals: int


def standard(name: str | Standard) -> Standard:
    """Return the system of units of a name.

    Raises
    ------
    UsageError
        For a name that is neither metric nor english.
    """
    try:
        return Standard(str(name).strip().lower())
    except ValueError:
        raise UsageError(f"unknown units '{name}'", hint="choose metric or english") from None


def conversion_of(item: Item, decimals: int) -> Conversion | None:
    """Return how an item's metric values, of so many decimals, become English; None if they are.

    The decimals are the fewest whose step is not wider than one of the metric value, so that
    rounding back gives the metric value again.
    """
    pair = _FACTORS.get((item.unit_metric, item.unit_english))
    if pair is None:
        return None
    step = pair[0] * 10.0**-decimals
    return Conversion(*pair, max(math.ceil(-math.log10(step)), 0))


def english_schema(schema: pa.Schema) -> pa.Schema:
    """Return a physical schema with the English units in its value columns' metadata."""
    fields = []
    for field in schema:
        item = item_of(field)
        if item is None:
            fields.append(field)
            continue
        change = conversion_of(item, decimals_of(field))
        decimals = change.decimals if change else decimals_of(field)
        fields.append(
            field.with_metadata(item_metadata(item, decimals=decimals, unit=item.unit_english))
        )
    return pa.schema(fields, metadata=schema.metadata)


def english(batch: pa.RecordBatch, target: pa.Schema) -> pa.RecordBatch:
    """Return a physical batch with its values in English units, of the schema ``target``."""
    columns = []
    for field, column in zip(batch.schema, batch.columns, strict=True):
        item = item_of(field)
        change = None if item is None else conversion_of(item, decimals_of(field))
        columns.append(column if change is None else _converted(column, change))
    return pa.RecordBatch.from_arrays(columns, schema=target)


def _converted(column: pa.Array, change: Conversion) -> pa.Array:
    """Return a float64 column converted, its missing values kept."""
    validity, data = column.buffers()
    stop = column.offset + len(column)
    values: npt.NDArray[np.float64] = (
        np.frombuffer(data, np.float64, count=stop) if data else np.zeros(stop)
    )
    scale = 10.0**change.decimals
    made = np.rint((values * change.factor + change.shift) * scale) / scale
    return pa.Array.from_buffers(
        pa.float64(), len(column), [validity, pa.py_buffer(made)], offset=column.offset
    )
