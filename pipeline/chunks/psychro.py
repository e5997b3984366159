"""Predict humidity columns from each other by one fixed integer table of vapour pressure.

The table holds the saturation vapour pressure e(T) = 0.6108 exp(17.27 T / (T + 237.3)) kPa (the
equation that the network itself uses) in steps of 0.05 °C from -60 °C to 70 °C, in units of
1e-5 kPa, rounded to integers. No entry lies near a rounding tie, so every correct ``exp`` gives the
same table; its checksum is part of the format. All the rest is integer arithmetic.
"""

from __future__ import annotations

import math
import zlib
from enum import IntEnum
from functools import cache

import numpy as np
import numpy.typing as npt

__all__ = ["Formula", "predict", "pressure_table"]

Ints = npt.NDArray[np.int64]

LOW_TWENTIETHS = -1200
HIGH_TWENTIETHS = 1400
TABLE_CRC32 = 0x9D343989


class Formula(IntEnum):
    """What is predicted, from which columns in order."""

    DEW_FROM_PRESSURE = 0
    HUMIDITY_FROM_PRESSURE_AND_TEMPERATURE = 1
    PRESSURE_FROM_HUMIDITY_AND_TEMPERATURE = 2
    DEW_FROM_HUMIDITY_AND_TEMPERATURE = 3


@cache
def pressure_table() -> tuple[int, ...]:
    """Return saturation vapour pressure in 1e-5 kPa per 0.05 °C, from -60 °C to 70 °C."""
    steps = range(LOW_TWENTIETHS, HIGH_TWENTIETHS + 1)
    table = tuple(
        math.floor(61080.0 * math.exp(17.27 * (t / 20) / (t / 20 + 237.3)) + 0.5) for t in steps
    )
    crc = zlib.crc32(b"".join(e.to_bytes(4, "little") for e in table))
    if crc != TABLE_CRC32:
        raise ArithmeticError(f"vapour pressure table has checksum {crc:#010x}")
    return table


@cache
def _table_array() -> Ints:
    return np.array(pressure_table(), dtype=np.int64)


def _within(values: Ints, low: int, high: int) -> Ints:
    limited: Ints = np.minimum(np.maximum(values, low), high)
    return limited


def _saturation(temperature: Ints, decimals: int) -> Ints:
    index = _within(temperature, -(10**6), 10**6) * 20 // 10**decimals - LOW_TWENTIETHS
    found: Ints = _table_array()[_within(index, 0, HIGH_TWENTIETHS - LOW_TWENTIETHS)]
    return found


def _dew(pressure: Ints, decimals: int) -> Ints:
    twentieths = np.searchsorted(_table_array(), pressure, side="right") - 1 + LOW_TWENTIETHS
    dew: Ints = (twentieths * 10**decimals + 10) // 20
    return dew


def predict(formula: Formula, inputs: list[Ints], decimals: list[int], out_decimals: int) -> Ints:
    """Return the predicted scaled values of a column.

    Parameters
    ----------
    formula : Formula
    inputs : list of int64 arrays
        The scaled predictor columns in the formula's order (kPa, %, °C), missing rows filled.
    decimals : list of int
        Decimals of each predictor, 0..4.
    out_decimals : int
        Decimals of the predicted column, 0..4.

    Returns
    -------
    int64 array
        Exact integers: the same on every machine.
    """
    if formula is Formula.DEW_FROM_PRESSURE:
        pressure = _within(inputs[0], 0, 10**8) * 10 ** (5 - decimals[0])
        return _dew(pressure, out_decimals)
    saturation = _saturation(inputs[1], decimals[1])
    if formula is Formula.HUMIDITY_FROM_PRESSURE_AND_TEMPERATURE:
        pressure = _within(inputs[0], 0, 10**8) * 10 ** (5 - decimals[0])
        humidity: Ints = (pressure * 100 * 10**out_decimals + saturation // 2) // saturation
        return humidity
    pressure = _within(inputs[0], 0, 10**8) * saturation // (100 * 10 ** decimals[0])
    if formula is Formula.PRESSURE_FROM_HUMIDITY_AND_TEMPERATURE:
        unit = 10 ** (5 - out_decimals)
        rounded: Ints = (pressure + unit // 2) // unit
        return rounded
    return _dew(pressure, out_decimals)
