"""Transforms between a block's column of integers and the bytes that its zstd frame holds.

A column is turned into non-negative residuals, and these into byte planes: all lowest bytes, then
all second bytes, and so on; or into one plane of their upper bits, and the low bits packed. All
arithmetic is modulo 2**64, so every int64 column has its encoding.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from cimis.pipeline.chunks.kinds import Encoding, Kind, Predictor, Step

from cimis.pipeline.chunks import psychro

__all__ = [
    "count_steps",
    "decode_columns",
    "join_planes",
    "predicted",
    "split_low",
    "split_planes",
    "undo_steps",
    "width_of",
]

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]


def zigzag(values: Ints) -> Words:
    """Map signed to unsigned so that small magnitudes are small."""
    return ((values << 1) ^ (values >> 63)).view(np.uint64)


def unzigzag(words: Words) -> Ints:
    """Undo `zigzag`."""
    return ((words >> np.uint64(1)) ^ (~(words & np.uint64(1)) + np.uint64(1))).view(np.int64)


def linear(predictor: Predictor, inputs: list[Ints]) -> Ints:
    """Return the linear prediction, floor of the sum over 65,536, modulo 2**64."""
    total = np.full(inputs[0].shape, predictor.offset, dtype=np.int64)
    for coefficient, values in zip(predictor.coefficients, inputs, strict=True):
        total += np.int64(coefficient) * values
    return total >> 16


def predicted(
    kind: Kind, predictor: Predictor, inputs: list[Ints], decimals: list[int], out_decimals: int
) -> Ints:
    """Return what a predictor foretells from its columns' values."""
    if kind is Kind.LINEAR:
        return linear(predictor, inputs)
    formula = psychro.Formula(predictor.formula)
    return psychro.predict(formula, inputs, decimals, out_decimals)


def decode_columns(
    words: Words, encodings: Mapping[int, Encoding], decimals: Mapping[int, int]
) -> Ints:
    """Return the values that residuals stand for; missing rows hold what the encoder filled in.

    Parameters
    ----------
    words : uint64 array, columns x rows
        Residuals, in the order of ``encodings``; the array is used for the values.
    encodings : mapping of int to Encoding
        By column number; those that a column is predicted from are among them.
    decimals : mapping of int to int
        Of the same columns.
    """
    values = words.view(np.int64)
    places: dict[Kind, list[int]] = {}
    for place, encoding in enumerate(encodings.values()):
        places.setdefault(encoding.kind, []).append(place)
    plain = (Kind.REFERENCE, Kind.DOUBLE)
    signed = [place for kind, found in places.items() if kind not in plain for place in found]
    values[signed] = unzigzag(words[signed])
    twice = places.get(Kind.DELTA2, [])
    for sums in (twice, twice + places.get(Kind.DELTA, [])):
        values[sums] = np.cumsum(values[sums], axis=1)
    bases = np.array([encoding.base for encoding in encodings.values()], np.int64)
    values += bases[:, None]
    rows = dict(zip(encodings, values, strict=True))
    late = [number for number, encoding in encodings.items() if encoding.predictor is not None]
    for number in [*(encodings.keys() - late), *late]:
        encoding, row = encodings[number], rows[number]
        if encoding.predictor is not None:
            inputs = [rows[other] for other in encoding.predictor.columns]
            scales = [decimals[other] for other in encoding.predictor.columns]
            predictor = encoding.predictor
            row += predicted(encoding.kind, predictor, inputs, scales, decimals[number])
        if encoding.step is not None:
            row[:] = undo_steps(row, encoding.step)
    return values


def count_steps(values: Ints, step: Step) -> Ints:
    """Return how many steps are nearest to each value; values are of at most 2**40."""
    numerator, denominator = step
    counts: Ints = (2 * values * denominator + numerator) // (2 * numerator)
    return counts


def undo_steps(counts: Ints, step: Step) -> Ints:
    """Return counts of steps as values: times the step, rounded, halves up."""
    numerator, denominator = step
    values: Ints = (2 * numerator * counts + denominator) // (2 * denominator)
    return values


def width_of(words: Words) -> int:
    """Return the bytes that the largest residual needs: 0 where all are zero."""
    top = int(words.max()) if words.size else 0
    return (top.bit_length() + 7) // 8


def split_planes(words: Words, width: int) -> tuple[bytes, ...]:
    """Return the byte planes of residuals, lowest bytes first."""
    octets = words.astype("<u8", copy=False).view(np.uint8).reshape(-1, 8)
    return tuple(plane.tobytes() for plane in np.ascontiguousarray(octets[:, :width].T))


def split_low(words: Words, low: int) -> tuple[bytes, ...]:
    """Return a plane of the residuals' upper bits (below 2**8), and their ``low`` bits, packed."""
    octets = words.astype("<u8", copy=False).view(np.uint8).reshape(-1, 8)
    bits = np.unpackbits(octets[:, :1], axis=1, bitorder="little")[:, :low]
    packed = np.packbits(bits.ravel(), bitorder="little")
    return (words >> np.uint64(low)).astype(np.uint8).tobytes(), packed.tobytes()


def join_planes(data: bytes, encoding: Encoding, words: Words) -> None:
    """Put the residuals of a frame's bytes into ``words``, as many zeros."""
    rows, low = words.size, encoding.low
    octets = np.frombuffer(data, dtype=np.uint8)
    words[:] = octets[:rows]
    if low:
        bits = np.unpackbits(octets[rows:], count=low * rows, bitorder="little")
        words <<= np.uint64(low)
        words |= np.packbits(bits.reshape(rows, low), axis=1, bitorder="little")[:, 0]
    for number in range(1, encoding.width):
        plane = octets[number * rows : (number + 1) * rows]
        words |= plane.astype(np.uint64) << np.uint64(8 * number)
