"""Which columns foretell which, and the predictions fitted to a block's rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from pipeline.chunks.encodings import Ints, Words, predicted, zigzag
from pipeline.chunks.kinds import Kind, Predictor, Step
from pipeline.chunks.psychro import Formula

__all__ = ["Column", "predictions"]

_SUN_AIR_WIND = ("day-sol-rad-avg", "day-air-tmp-avg", "day-wind-run")
_HOURLY_ETO = (("hly-sol-rad", "hly-air-tmp", "hly-wind-spd"), ("hly-sol-rad",))
_HUMIDITY = Formula.HUMIDITY_FROM_PRESSURE_AND_TEMPERATURE

# target item -> sets of source items; found by trial on real years, most telling first
_LINEAR: dict[str, tuple[tuple[str, ...], ...]] = {
    "day-wind-spd-avg": (("day-wind-run",),),
    "day-air-tmp-min": (("day-air-tmp-avg", "day-air-tmp-max"), ("day-air-tmp-avg",)),
    "day-soil-tmp-max": (("day-soil-tmp-avg", "day-soil-tmp-min"), ("day-soil-tmp-avg",)),
    "day-asce-eto": (_SUN_AIR_WIND,),
    "day-eto": (_SUN_AIR_WIND,),
    "day-asce-etr": (_SUN_AIR_WIND,),
    "day-sol-rad-net": (("day-sol-rad-avg",),),
    "day-rel-hum-max": (("day-vap-pres-avg", "day-air-tmp-avg"), ("day-rel-hum-min",)),
    "hly-res-wind": (("hly-wind-spd",),),
    "hly-asce-eto": _HOURLY_ETO,
    "hly-asce-etr": _HOURLY_ETO,
    "hly-eto": _HOURLY_ETO,
    "hly-net-rad": (("hly-sol-rad",),),
}
_PSYCHRO: dict[str, tuple[Formula, tuple[str, ...]]] = {
    "day-dew-pnt": (Formula.DEW_FROM_PRESSURE, ("day-vap-pres-avg",)),
    "day-rel-hum-avg": (_HUMIDITY, ("day-vap-pres-avg", "day-air-tmp-avg")),
    "day-rel-hum-min": (_HUMIDITY, ("day-vap-pres-avg", "day-air-tmp-max")),
    "hly-dew-pnt": (Formula.DEW_FROM_HUMIDITY_AND_TEMPERATURE, ("hly-rel-hum", "hly-air-tmp")),
    "hly-vap-pres": (
        Formula.PRESSURE_FROM_HUMIDITY_AND_TEMPERATURE,
        ("hly-rel-hum", "hly-air-tmp"),
    ),
}
_MAX_DECIMALS = 4
_MAX_SOURCE = 1 << 24


class Column:
    """One block of one column while it is being encoded: values with missing rows filled.

    ``counts`` is what is encoded: the values, or how many steps they are. ``top`` is their largest
    absolute value, or (of negative ones) that less 1; whoever makes predictions sets it.
    """

    __slots__ = ("code", "counts", "decimals", "missing", "number", "step", "top", "values")

    def __init__(
        self, number: int, code: str, decimals: int, values: Ints, missing: np.ndarray | None
    ) -> None:
        self.number = number
        self.code = code
        self.decimals = decimals
        self.missing = missing
        self.values = values
        self.counts = self.values
        self.step: Step | None = None
        self.top = 0


def predictions(columns: Mapping[str, Column]) -> Iterator[tuple[Column, Kind, Predictor, Words]]:
    """Yield every prediction that can be made among a block's columns, and its residuals.

    A column is predicted only from such as have no prediction themselves, so that no reader has to
    follow a chain.

    Parameters
    ----------
    columns : mapping of str to Column
        The block's columns of integers by item code.
    """
    sets = {code: found for code in columns if (found := _sets(code, columns))}
    usable = {
        code
        for code, column in columns.items()
        if code not in sets and column.decimals <= _MAX_DECIMALS and column.top < _MAX_SOURCE
    }
    for code, found in sets.items():
        column = columns[code]
        for formula, codes in found:
            if not usable.issuperset(codes):
                continue
            sources = [columns[c] for c in codes]
            predictor = _predictor(column, sources, formula)
            if predictor is not None:
                kind = Kind.LINEAR if formula is None else Kind.PSYCHRO
                yield column, kind, predictor, _residuals(column, kind, predictor, sources)


def _sets(code: str, columns: Mapping[str, Column]) -> list[tuple[Formula | None, tuple[str, ...]]]:
    """Return the formula (None: linear) and sources of each prediction whose sources are there."""
    found: list[tuple[Formula | None, tuple[str, ...]]] = []
    if code in _PSYCHRO:
        found.append(_PSYCHRO[code])
    found += [(None, codes) for codes in _LINEAR.get(code, ())]
    return [(formula, codes) for formula, codes in found if all(c in columns for c in codes)]


def _predictor(column: Column, sources: list[Column], formula: Formula | None) -> Predictor | None:
    if formula is None:
        return _fit(column, sources)
    if column.decimals > _MAX_DECIMALS:
        return None
    return Predictor(tuple(s.number for s in sources), formula=int(formula))


def _residuals(column: Column, kind: Kind, predictor: Predictor, sources: list[Column]) -> Words:
    inputs, decimals = [s.values for s in sources], [s.decimals for s in sources]
    foretold = predicted(kind, predictor, inputs, decimals, column.decimals)
    own = column.values if kind is Kind.PSYCHRO else column.counts  # formulas give no steps
    words = zigzag(own - foretold)
    if column.missing is not None:
        words = np.where(column.missing, np.uint64(0), words)
    return words


def _fit(column: Column, sources: list[Column]) -> Predictor | None:
    """Return integer coefficients (times 65,536) of the least-squares fit over present rows.

    The sums are exact integers and the small system is solved in plain double arithmetic in a fixed
    order, so the coefficients do not depend on the machine.
    """
    size = len(sources) + 1
    data = np.ones((size + 1, column.values.size), np.int64)
    for place, source in enumerate(sources):
        data[place] = source.values
    data[size] = column.counts
    if column.missing is not None:
        data = data[:, ~column.missing]
    if data.shape[1] < 2 * size or column.top >= _MAX_SOURCE:
        return None
    system = (data[:size] @ data.T).astype(np.float64).tolist()
    for pivot in range(size):
        if abs(system[pivot][pivot]) < 1e-9:
            return None
        for row in range(size):
            if row != pivot:
                factor = system[row][pivot] / system[pivot][pivot]
                for place in range(pivot, size + 1):
                    system[row][place] -= factor * system[pivot][place]
    solved = [system[i][size] / system[i][i] for i in range(size)]
    if any(not abs(x) < 1 << 20 for x in solved):
        return None
    scaled = [round(x * 65536) for x in solved]
    return Predictor(
        tuple(s.number for s in sources), tuple(scaled[:-1]), offset=scaled[-1] + 32768
    )
