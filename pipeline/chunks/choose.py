"""Choose the encoding of a block's columns by a cheap estimate of every candidate's size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from pipeline.chunks.encodings import (
    Ints,
    Words,
    count_steps,
    split_low,
    split_planes,
    undo_steps,
    zigzag,
)
from pipeline.chunks.kinds import MAX_LOW_BITS, Encoding, Kind, Predictor, Step
from pipeline.chunks.parse import MAX_BLOCK_ROWS
from pipeline.chunks.predictions import Column, predictions
from pipeline.units import DEPTH, RADIATION, RUN, SPEED, TEMPERATURE

__all__ = ["Chosen", "choose"]

_SAFE = 1 << 40
_BIT = 65_536  # one bit in the units of the estimate
_FULL_BITS = 4  # a plane above so many bits a value is better coded apart from the next
_PART_BYTES = 3.0  # what it costs to begin another zstd block
_STEPS: dict[int, tuple[Step, ...]] = {
    1: (RADIATION.step(0, 1), RUN.step(1, 1)),
    2: (DEPTH.step(2, 2), TEMPERATURE.step(1, 2), SPEED.step(1, 2)),
    3: (DEPTH.step(2, 3), SPEED.step(1, 3), SPEED.step(2, 3)),
}
"""By decimals of a column, the widths of the English units that archives are converted from."""


_Candidate = tuple[int, Kind, int, Predictor | None]
"""Position of the column, kind, base, what it is predicted from."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A column's encoding and the pieces of its frame, and whether each needs a code of its own."""

    encoding: Encoding
    pieces: tuple[bytes, ...]
    apart: bool


@cache
def _log_table() -> Ints:
    """Return c log2(c) in units of the estimate, rounded, for counts up to a block's rows."""
    counts = np.arange(1, MAX_BLOCK_ROWS + 1)
    return np.concatenate([[0], np.rint(counts * np.log2(counts) * _BIT)]).astype(np.int64)


def choose(columns: Sequence[Column]) -> list[Chosen]:
    """Return for each column of integers the encoding that is estimated smallest.

    All candidates of all columns are made and estimated together: one by one, their fixed costs
    would be most of the time that a small block takes.

    Parameters
    ----------
    columns : sequence of Column
        Columns of one block, with distinct codes.
    """
    if not columns:
        return []
    candidates, words = _candidates(columns)
    widths, sizes, fullest = _estimates(words)
    sizes += [
        2.0 if predictor is None else 3.0 + 4.0 * len(predictor.coefficients)
        for _, _, _, predictor in candidates
    ]
    best: dict[int, int] = {}
    costs = sizes.tolist()
    for row, (owner, *_) in enumerate(candidates):
        if owner not in best or costs[row] < costs[best[owner]]:
            best[owner] = row
    rows = [best[owner] for owner in range(len(columns))]
    lows = _low_bits(words[rows], sizes[rows])
    full = (fullest[rows] > _FULL_BITS * _BIT * words.shape[1]).tolist()
    chosen = []
    for row, low, is_full in zip(rows, lows, full, strict=True):
        owner, kind, base, predictor = candidates[row]
        width = 1 if low else int(widths[row])
        step = None if kind is Kind.PSYCHRO else columns[owner].step
        encoding = Encoding(kind, width, base, predictor, low, step)
        pieces = split_low(words[row], low) if low else split_planes(words[row], width)
        chosen.append(Chosen(encoding, pieces, apart=len(pieces) > 1 and (low > 0 or is_full)))
    return chosen


def _low_bits(words: Words, sizes: npt.NDArray[np.float64]) -> list[int]:
    """Return for each row of residuals how many low bits are better packed apart, 0 to 7.

    Parameters
    ----------
    words : uint64 array, columns x rows
    sizes : float64 array
        Estimated sizes without that.
    """
    table, (count, rows) = _log_table(), words.shape
    tops = words.max(axis=1)
    least = np.array([max(top.bit_length() - 8, 0) for top in tops.tolist()], np.int64)
    shifted = np.minimum(words >> least.astype(np.uint64)[:, None], np.uint64(255))
    cells = shifted.astype(np.int64) + np.arange(count)[:, None] * 256
    counts = np.bincount(cells.ravel(), minlength=count * 256).reshape(count, 256)
    folded = [counts]  # what the counts are with one more low bit taken off, and one more
    for _ in range(MAX_LOW_BITS):
        folded.append(folded[-1][:, ::2] + folded[-1][:, 1::2])
    edges = np.cumsum([0, *(part.shape[1] for part in folded[:-1])])
    every = np.concatenate(folded, axis=1)
    bits = table[rows] - np.add.reduceat(table[every], edges, axis=1)
    kinds = np.add.reduceat((every > 0).astype(np.int64), edges, axis=1)
    low = least[:, None] + np.arange(MAX_LOW_BITS + 1)
    whole = bits / (_BIT * 8) + 0.45 * np.where(kinds > 1, kinds, 0)
    whole += (low * rows + 7 >> 3) + _PART_BYTES
    whole[(low == 0) | (low > MAX_LOW_BITS)] = np.inf
    best = whole.argmin(axis=1)
    better = np.take_along_axis(whole, best[:, None], axis=1)[:, 0] < sizes
    found: list[int] = np.where(better, least + best, 0).tolist()
    return found


def _candidates(columns: Sequence[Column]) -> tuple[list[_Candidate], Words]:
    """Return every candidate, and a row of residuals of each.

    In the order in which ties are decided: without prediction before predicted.
    """
    values = np.stack([column.values for column in columns])
    low, high = values.min(axis=1), values.max(axis=1)
    tame = np.flatnonzero((low > -_SAFE) & (high < _SAFE) & (high > low))
    for column, top in zip(columns, np.maximum(high, -(low + 1)).tolist(), strict=True):
        column.top = top
    _find_steps(columns, values, tame)
    low, first = values.min(axis=1), values[:, 0]
    steps = _steps(values[tame], first[tame])
    seconds = _steps(steps, np.zeros(tame.size, np.int64))
    found: list[_Candidate] = [(n, Kind.REFERENCE, b, None) for n, b in enumerate(low.tolist())]
    for kind in (Kind.DELTA, Kind.DELTA2):
        bases = zip(tame.tolist(), first[tame].tolist(), strict=True)
        found += [(owner, kind, base, None) for owner, base in bases]
    words = [(values - low[:, None]).view(np.uint64), zigzag(steps), zigzag(seconds)]
    places = {column.code: place for place, column in enumerate(columns)}
    varied = {columns[n].number for n in tame.tolist()}
    for column, kind, predictor, row in predictions({column.code: column for column in columns}):
        if column.number in varied:
            found.append((places[column.code], kind, 0, predictor))
            words.append(row[None, :])
    return found, np.concatenate(words)


def _find_steps(columns: Sequence[Column], values: Ints, tame: Ints) -> None:
    """Put counts of steps in the place of values, in rows that are multiples of one, rounded."""
    by_decimals: dict[int, list[int]] = {}
    for number in tame.tolist():
        by_decimals.setdefault(columns[number].decimals, []).append(number)
    for decimals, steps in _STEPS.items():
        numbers = np.array(by_decimals.get(decimals, ()), np.int64)
        some = values[numbers, : 1 << 5]  # most columns differ from any step within few rows
        for step in steps if numbers.size else ():
            like = undo_steps(count_steps(some, step), step) == some
            for number in numbers[np.all(like, axis=1)].tolist():
                counts = count_steps(columns[number].values, step)
                same = undo_steps(counts, step) == columns[number].values
                if columns[number].step is None and bool(same.all()):
                    columns[number].step, columns[number].counts = step, counts
                    values[number] = counts


def _steps(values: Ints, before: Ints) -> Ints:
    """Return each value less the one before it in its row, the first less ``before``."""
    steps = np.empty_like(values)
    np.subtract(values[:, 0], before, out=steps[:, 0])
    np.subtract(values[:, 1:], values[:, :-1], out=steps[:, 1:])
    return steps


def _octets(words: Words) -> npt.NDArray[np.uint8]:
    return words.astype("<u8", copy=False).view(np.uint8).reshape(*words.shape, 8)


def _estimates(words: Words) -> tuple[Ints, npt.NDArray[np.float64], Ints]:
    """Return of each row of residuals its width, about how many bytes zstd needs, and its fullness.

    Order-0 entropy per plane plus 0.45 byte for each distinct byte, counted in integers so that the
    choice does not depend on the machine. Fullness is the entropy of the lowest plane.
    """
    table, (count, rows) = _log_table(), words.shape
    octets = _octets(words)
    tops = words.max(axis=1)
    widths = np.zeros(count, np.int64)
    bits, distinct = np.zeros(count, np.int64), np.zeros(count, np.int64)
    fullest = bits
    for plane in range(8):
        used = np.flatnonzero(tops >> np.uint64(8 * plane))
        if used.size == 0:
            break
        widths[used] = plane + 1
        cells = octets[used, :, plane] + np.arange(used.size)[:, None] * 256
        counts = np.bincount(cells.ravel(), minlength=used.size * 256).reshape(-1, 256)
        kinds = np.count_nonzero(counts, axis=1)
        bits[used] += table[rows] - table[counts].sum(axis=1)
        distinct[used] += np.where(kinds > 1, kinds, 0)
        if plane == 0:
            fullest = bits.copy()
    return widths, bits / (_BIT * 8) + 0.45 * distinct, fullest
