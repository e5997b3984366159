"""Choose the encoding of a block's columns by a cheap estimate of every candidate's size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from cimis.pipeline.chunks.encodings import DOUBLE, KINDS, Encoding, Kind, Predictor
from cimis.pipeline.chunks.encodings.shapes import MAX_LOW_BITS, split_low, split_planes, width_of
from cimis.pipeline.chunks.encodings.trial import Column, Trial
from cimis.pipeline.chunks.v2.parse import MAX_BLOCK_ROWS
from cimis.pipeline.rows.numbers import Ints, Words

__all__ = ["Chosen", "choose", "choose_doubles"]

_BIT = 65_536  # one bit in the units of the estimate
_FULL_BITS = 4  # a plane above so many bits a value is better coded apart from the next
_PART_BYTES = 3.0  # what it costs to begin another zstd block

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
        step = columns[owner].step if kind.steps else None
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
    """Return every candidate, and a row of residuals of each, in the order that decides ties."""
    trial = Trial(columns, KINDS)
    found: list[_Candidate] = []
    words = []
    for kind in KINDS:
        for ways, rows in kind.candidates(trial):
            found += [(place, kind, base, predictor) for place, base, predictor in ways]
            words.append(rows)
    return found, np.concatenate(words)


def choose_doubles(column: Column) -> Chosen:
    """Return the encoding of a column of doubles: their bits, as they are."""
    words = DOUBLE.residuals(column.values)
    width = width_of(words)
    return Chosen(Encoding(DOUBLE, width), split_planes(words, width), apart=False)


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
