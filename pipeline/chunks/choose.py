"""Choose the encoding of each block's column by a cheap estimate of every candidate's size."""

from __future__ import annotations

from functools import cache

import numpy as np

from pipeline.chunks.encodings import (
    Ints,
    Words,
    magnitude,
    residuals,
    split_planes,
    width_of,
)
from pipeline.chunks.kinds import Encoding, Kind, Predictor
from pipeline.chunks.parse import MAX_BLOCK_ROWS
from pipeline.chunks.psychro import Formula

__all__ = ["Column", "choose"]

# target item -> sets of predictor items; found by trial on real years, most telling first
_LINEAR: dict[str, tuple[tuple[str, ...], ...]] = {
    "day-wind-spd-avg": (("day-wind-run",),),
    "day-air-tmp-max": (("day-air-tmp-avg", "day-air-tmp-min"), ("day-air-tmp-avg",)),
    "day-soil-tmp-max": (("day-soil-tmp-avg", "day-soil-tmp-min"), ("day-soil-tmp-avg",)),
    "day-asce-eto": (("day-sol-rad-avg", "day-air-tmp-avg", "day-wind-run"),),
    "day-eto": (("day-sol-rad-avg", "day-air-tmp-avg", "day-wind-run"),),
    "day-asce-etr": (("day-sol-rad-avg", "day-air-tmp-avg", "day-wind-run"),),
    "day-sol-rad-net": (("day-sol-rad-avg",),),
    "day-rel-hum-max": (("day-rel-hum-min",),),
    "hly-res-wind": (("hly-wind-spd",),),
    "hly-asce-eto": (("hly-sol-rad", "hly-air-tmp", "hly-wind-spd"), ("hly-sol-rad",)),
    "hly-asce-etr": (("hly-sol-rad", "hly-air-tmp", "hly-wind-spd"), ("hly-sol-rad",)),
    "hly-eto": (("hly-sol-rad", "hly-air-tmp", "hly-wind-spd"), ("hly-sol-rad",)),
    "hly-net-rad": (("hly-sol-rad",),),
}
_PSYCHRO: dict[str, tuple[tuple[Formula, tuple[str, ...]], ...]] = {
    "day-dew-pnt": ((Formula.DEW_FROM_PRESSURE, ("day-vap-pres-avg",)),),
    "day-rel-hum-avg": (
        (
            Formula.HUMIDITY_FROM_PRESSURE_AND_TEMPERATURE,
            ("day-vap-pres-avg", "day-air-tmp-avg"),
        ),
    ),
    "hly-dew-pnt": ((Formula.DEW_FROM_HUMIDITY_AND_TEMPERATURE, ("hly-rel-hum", "hly-air-tmp")),),
    "hly-vap-pres": (
        (Formula.PRESSURE_FROM_HUMIDITY_AND_TEMPERATURE, ("hly-rel-hum", "hly-air-tmp")),
    ),
}
_SAFE = 1 << 40
_MAX_PREDICTOR_DECIMALS = 4


class Column:
    """One block of one column while it is being encoded: values with missing rows filled."""

    __slots__ = ("code", "decimals", "missing", "number", "values")

    def __init__(
        self, number: int, code: str, decimals: int, values: Ints, missing: np.ndarray | None
    ) -> None:
        self.number = number
        self.code = code
        self.decimals = decimals
        self.missing = missing
        self.values = values if missing is None else _filled(values, missing)

    @property
    def may_be_predicted(self) -> bool:
        """Whether other columns are known to tell something of this one."""
        return self.code in _LINEAR or self.code in _PSYCHRO


def _filled(values: Ints, missing: np.ndarray) -> Ints:
    """Return values with each missing row holding the value before it, or the first present one."""
    present = np.flatnonzero(~missing)
    if present.size == 0:
        return np.zeros_like(values)
    last = np.maximum.accumulate(np.where(missing, -1, np.arange(values.size)))
    filled: Ints = values[np.where(last < 0, present[0], last)]
    return filled


@cache
def _log_table() -> Ints:
    """Return c log2(c) × 65,536, rounded, for counts up to a block's rows."""
    counts = np.arange(1, MAX_BLOCK_ROWS + 1)
    return np.concatenate([[0], np.rint(counts * np.log2(counts) * 65_536)]).astype(np.int64)


def estimate(words: Words, width: int) -> float:
    """Return about how many bytes zstd will need for the planes of residuals.

    Order-0 entropy per plane plus 0.45 byte for each distinct byte, in integers so that the choice
    does not depend on the machine.
    """
    table = _log_table()
    bits = distinct = 0
    octets = words.view(np.uint8).reshape(-1, 8)
    for number in range(width):
        counts = np.bincount(octets[:, number])
        bits += int(table[words.size] - table[counts].sum())
        used = int(np.count_nonzero(counts))
        distinct += used if used > 1 else 0
    return bits / (65_536 * 8) + 0.45 * distinct


def choose(column: Column, others: dict[str, Column], *, predict: bool) -> tuple[Encoding, bytes]:
    """Return the encoding that is estimated smallest, and its planes.

    Parameters
    ----------
    column : Column
    others : dict of str to Column
        Columns that may serve as predictors, by item code: those not predicted themselves.
    predict : bool
        Whether predictions may be tried.

    Returns
    -------
    tuple of Encoding, bytes
        The bytes are what the column's zstd frame is made from.
    """
    best: tuple[float, Encoding, Words] | None = None
    for encoding, words in _candidates(column, others, predict=predict):
        width = width_of(words)
        size = estimate(words, width) + _parameter_bytes(encoding)
        if best is None or size < best[0]:
            sized = Encoding(encoding.kind, width, encoding.base, encoding.predictor)
            best = (size, sized, words)
    assert best is not None
    _, encoding, words = best
    return encoding, split_planes(words, encoding.width)


def _parameter_bytes(encoding: Encoding) -> float:
    if encoding.predictor is None:
        return 2.0
    return 3.0 + 4.0 * len(encoding.predictor.coefficients)


def _candidates(
    column: Column, others: dict[str, Column], *, predict: bool
) -> list[tuple[Encoding, Words]]:
    values = column.values
    low, high = int(values.min()), int(values.max())
    reference = Encoding(Kind.REFERENCE, 0, low)
    found = [(reference, residuals(values, reference, [], [], 0))]
    if low == high:
        return found
    if high - low < _SAFE and abs(low) < _SAFE:
        first = int(values[0])
        for kind in (Kind.DELTA, Kind.DELTA2):
            encoding = Encoding(kind, 0, first)
            found.append((encoding, residuals(values, encoding, [], [], 0)))
        if predict:
            found.extend(_predicted(column, others))
    return found


def _predicted(column: Column, others: dict[str, Column]) -> list[tuple[Encoding, Words]]:
    found = []
    for formula, codes in _PSYCHRO.get(column.code, ()):
        sources = _sources(codes, others)
        if sources and column.decimals <= _MAX_PREDICTOR_DECIMALS:
            predictor = Predictor(tuple(s.number for s in sources), formula=int(formula))
            found.append(_with(column, Encoding(Kind.PSYCHRO, 0, 0, predictor), sources))
    for codes in _LINEAR.get(column.code, ()):
        sources = _sources(codes, others)
        if sources:
            fitted = _fit(column, sources)
            if fitted is not None:
                found.append(_with(column, Encoding(Kind.LINEAR, 0, 0, fitted), sources))
    return found


def _with(column: Column, encoding: Encoding, sources: list[Column]) -> tuple[Encoding, Words]:
    words = residuals(
        column.values,
        encoding,
        [s.values for s in sources],
        [s.decimals for s in sources],
        column.decimals,
    )
    if column.missing is not None:
        words = np.where(column.missing, np.uint64(0), words)
    return encoding, words


def _sources(codes: tuple[str, ...], others: dict[str, Column]) -> list[Column]:
    sources = [others[code] for code in codes if code in others]
    if len(sources) < len(codes):
        return []
    for source in sources:
        if source.decimals > _MAX_PREDICTOR_DECIMALS or magnitude(source.values) >= 1 << 24:
            return []
    return sources


def _fit(column: Column, sources: list[Column]) -> Predictor | None:
    """Return integer coefficients (times 65,536) of the least-squares fit over present rows.

    The sums are exact integers and the small system is solved in plain double arithmetic in a fixed
    order, so the coefficients do not depend on the machine.
    """
    rows = slice(None) if column.missing is None else ~column.missing
    data = [s.values[rows] for s in sources] + [np.ones_like(column.values[rows])]
    target = column.values[rows]
    if target.size < 2 * len(data) or magnitude(target) >= 1 << 24:
        return None
    size = len(data)
    system = [[float(int(a @ b)) for b in data] + [float(int(a @ target))] for a in data]
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
