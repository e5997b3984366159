"""PSYCHRO: humidity columns foretold from each other by one fixed integer table of vapour pressure.

The table holds the saturation vapour pressure e(T) = 0.6108 exp(17.27 T / (T + 237.3)) kPa (the
equation that the network itself uses) in steps of 0.05 °C from -60 °C to 70 °C, in units of
1e-5 kPa, rounded to integers. No entry lies near a rounding tie, so every correct ``exp`` gives the
same table; its checksum is part of the format. All the rest is integer arithmetic.
"""

from __future__ import annotations

import math
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum
from functools import cache
from itertools import repeat
from typing import TYPE_CHECKING, Any, ClassVar

from cimis.pipeline.chunks.encodings.kind import Encoding, Predictor
from cimis.pipeline.chunks.encodings.predicted import Predicted, Terms
from cimis.pipeline.chunks.encodings.signed import wrap
from cimis.pipeline.chunks.octets import Reader, Writer

if TYPE_CHECKING:
    from cimis.pipeline.chunks.bulk.cells import Cells
    from cimis.pipeline.chunks.bulk.varints import InStep
    from cimis.pipeline.chunks.encodings.trial import Column
    from cimis.pipeline.rows.numbers import Ints

__all__ = ["Formula", "Psychro", "pressure_table"]

_LOW, _HIGH = -1200, 1400  # twentieths of °C
_TABLE_CRC32 = 0x9D343989
_MOST_FIRST, _MOST_TEMPERATURE = 10**8, 10**6


class Formula(IntEnum):
    """What is predicted, from which columns in order."""

    DEW_FROM_PRESSURE = 0
    HUMIDITY_FROM_PRESSURE_AND_TEMPERATURE = 1
    PRESSURE_FROM_HUMIDITY_AND_TEMPERATURE = 2
    DEW_FROM_HUMIDITY_AND_TEMPERATURE = 3


_INPUTS = (1, 2, 2, 2)
_HUMIDITY = Formula.HUMIDITY_FROM_PRESSURE_AND_TEMPERATURE
_HOURLY = ("hly-rel-hum", "hly-air-tmp")
_SETS: dict[str, tuple[Formula, tuple[str, ...]]] = {
    "day-dew-pnt": (Formula.DEW_FROM_PRESSURE, ("day-vap-pres-avg",)),
    "day-rel-hum-avg": (_HUMIDITY, ("day-vap-pres-avg", "day-air-tmp-avg")),
    "day-rel-hum-min": (_HUMIDITY, ("day-vap-pres-avg", "day-air-tmp-max")),
    "hly-dew-pnt": (Formula.DEW_FROM_HUMIDITY_AND_TEMPERATURE, _HOURLY),
    "hly-vap-pres": (Formula.PRESSURE_FROM_HUMIDITY_AND_TEMPERATURE, _HOURLY),
}


class Psychro(Predicted):
    """``formula(columns)[i]``, and what is left."""

    number: ClassVar[int] = 4
    name: ClassVar[str] = "PSYCHRO"
    steps: ClassVar[bool] = False
    what: ClassVar[str] = "a humidity formula"
    most_decimals: ClassVar[int] = 4

    def write(self, out: Writer, encoding: Encoding) -> None:
        """Append formula and columns."""
        assert encoding.predictor is not None
        out.unsigned(encoding.predictor.formula)
        self._write_columns(out, encoding.predictor)

    def read(self, source: Reader, columns: int, number: int) -> tuple[int, Predictor]:
        """Return what `write` wrote."""
        formula = source.unsigned(len(_INPUTS) - 1)
        numbers = self._read_columns(source, columns, number, _INPUTS[formula])
        return 0, Predictor(numbers, formula=formula)

    def read_many(
        self, source: InStep, who: Ints, cells: Cells, place: tuple[int, int], columns: Ints
    ) -> None:
        """Read, in step, what `read` reads."""
        formula = source.unsigned(who, len(_INPUTS) - 1)
        used = self._read_many_columns(source, who, cells, place, columns)
        for number, inputs in enumerate(_INPUTS):
            source.refuse(who, (formula == number) & (used != inputs))
        cells.formula[who, *place] = formula

    def sets(self, code: str) -> tuple[tuple[str, ...], ...]:
        """Return the items that an item's formula takes."""
        return (_SETS[code][1],) if code in _SETS else ()

    def fitted(self, column: Column, sources: Sequence[Column]) -> Predictor | None:
        """Return an item's formula."""
        if column.decimals > self.most_decimals:
            return None
        return Predictor(tuple(s.number for s in sources), formula=int(_SETS[column.code][0]))

    def foretold(
        self, terms: Terms, inputs: Sequence[Ints], decimals: Sequence[int], out: int
    ) -> Ints:
        """Return the formula's values."""
        first = inputs[0].clip(0, _MOST_FIRST)
        full = _saturation(inputs[1], decimals[1]) if len(inputs) > 1 else first
        found: Ints = _FORMULAS[terms.formula](first, full, decimals[0], out, _dew)
        return found

    def plain_foretold(
        self,
        predictor: Predictor,
        inputs: Sequence[Sequence[int]],
        decimals: Sequence[int],
        out: int,
    ) -> Iterator[int]:
        """Yield the same."""
        formula, own = _FORMULAS[predictor.formula], decimals[0]
        first = (min(max(value, 0), _MOST_FIRST) for value in inputs[0])
        full = (_plain_saturation(t, decimals[1]) for t in inputs[1]) if inputs[1:] else repeat(0)
        return (formula(p, s, own, out, _plain_dew) for p, s in zip(first, full, strict=False))


Number = Any
"""An int, or an int64 array: the formulas are the same for both."""
Dew = Callable[[Number, int], Number]


def _dew_from_pressure(pressure: Number, _: Number, own: int, out: int, dew: Dew) -> Number:
    return dew(pressure * 10 ** (5 - own), out)


def _humidity(pressure: Number, full: Number, own: int, out: int, _: Dew) -> Number:
    share = pressure * 10 ** (5 - own) * (100 * 10**out) + full // 2
    return (wrap(share) if isinstance(share, int) else share) // full


def _pressure(humidity: Number, full: Number, own: int, out: int, _: Dew) -> Number:
    unit = 10 ** (5 - out)
    return (humidity * full // (100 * 10**own) + unit // 2) // unit


def _dew_from_humidity(humidity: Number, full: Number, own: int, out: int, dew: Dew) -> Number:
    return dew(humidity * full // (100 * 10**own), out)


_FORMULAS = (_dew_from_pressure, _humidity, _pressure, _dew_from_humidity)
"""By number: of the first input, limited; the saturation pressure at the second one, a temperature;
decimals of the first input and of the predicted column; and how dew points are found."""


@cache
def pressure_table() -> tuple[int, ...]:
    """Return saturation vapour pressure in 1e-5 kPa per 0.05 °C, from -60 °C to 70 °C."""
    table = tuple(
        math.floor(61080.0 * math.exp(17.27 * (t / 20) / (t / 20 + 237.3)) + 0.5)
        for t in range(_LOW, _HIGH + 1)
    )
    crc = zlib.crc32(b"".join(e.to_bytes(4, "little") for e in table))
    if crc != _TABLE_CRC32:
        raise ArithmeticError(f"vapour pressure table has checksum {crc:#010x}")
    return table


@cache
def _table_array() -> Ints:
    import numpy as np

    return np.array(pressure_table(), dtype=np.int64)


def _saturation(temperature: Ints, decimals: int) -> Ints:
    limited = temperature.clip(-_MOST_TEMPERATURE, _MOST_TEMPERATURE)
    index = limited * 20 // 10**decimals - _LOW
    found: Ints = _table_array()[index.clip(0, _HIGH - _LOW)]
    return found


def _plain_saturation(temperature: int, decimals: int) -> int:
    limited = min(max(temperature, -_MOST_TEMPERATURE), _MOST_TEMPERATURE)
    index = limited * 20 // int(10**decimals) - _LOW
    return pressure_table()[min(max(index, 0), _HIGH - _LOW)]


def _dew(pressure: Ints, decimals: int) -> Ints:
    twentieths = _table_array().searchsorted(pressure, side="right") - 1 + _LOW
    dew: Ints = (twentieths * 10**decimals + 10) // 20
    return dew


def _plain_dew(pressure: int, decimals: int) -> int:
    twentieths = bisect_right(pressure_table(), pressure) - 1 + _LOW
    return (twentieths * int(10**decimals) + 10) // 20
