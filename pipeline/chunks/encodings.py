"""Transforms between a block's column of integers and the bytes that its zstd frame holds.

A column is turned into non-negative residuals, and these into byte planes: all lowest bytes, then
all second bytes, and so on; or into one plane of their upper bits, and the low bits packed. All
arithmetic is modulo 2**64, so every int64 column has its encoding.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.chunks import psychro
from pipeline.chunks.kinds import Encoding, Kind, Predictor, Step
from pipeline.errors import ChunkError

__all__ = [
    "count_steps",
    "decode_column",
    "join_planes",
    "magnitude",
    "residuals",
    "split_low",
    "split_planes",
    "undo_steps",
    "width_of",
]

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]


def magnitude(values: Ints) -> int:
    """Return the largest absolute value, 0 where there is none; exact for -2**63 too."""
    return max(int(values.max()), -int(values.min())) if values.size else 0


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


def _steps(values: Ints, base: int) -> Ints:
    steps = np.empty_like(values)
    steps[0] = values[0] - np.int64(base)
    np.subtract(values[1:], values[:-1], out=steps[1:])
    return steps


def residuals(
    values: Ints, encoding: Encoding, inputs: list[Ints], decimals: list[int], out_decimals: int
) -> Words:
    """Return the non-negative residuals of values under an encoding (its width aside)."""
    if encoding.kind is Kind.REFERENCE or encoding.kind is Kind.DOUBLE:
        return (values - np.int64(encoding.base)).view(np.uint64)
    if encoding.kind is Kind.DELTA:
        return zigzag(_steps(values, encoding.base))
    if encoding.kind is Kind.DELTA2:
        return zigzag(_steps(_steps(values, encoding.base), 0))
    return zigzag(values - _prediction(encoding, inputs, decimals, out_decimals))


def _prediction(
    encoding: Encoding, inputs: list[Ints], decimals: list[int], out_decimals: int
) -> Ints:
    predictor = encoding.predictor
    assert predictor is not None
    if encoding.kind is Kind.LINEAR:
        return linear(predictor, inputs)
    formula = psychro.Formula(predictor.formula)
    return psychro.predict(formula, inputs, decimals, out_decimals)


def decode_column(
    words: Words, encoding: Encoding, inputs: list[Ints], decimals: list[int], out_decimals: int
) -> Ints:
    """Return the values that residuals stand for; missing rows hold what the encoder filled in."""
    numbers = _decode_numbers(words, encoding, inputs, decimals, out_decimals)
    return numbers if encoding.step is None else undo_steps(numbers, encoding.step)


def _decode_numbers(
    words: Words, encoding: Encoding, inputs: list[Ints], decimals: list[int], out_decimals: int
) -> Ints:
    if encoding.kind is Kind.REFERENCE or encoding.kind is Kind.DOUBLE:
        return words.view(np.int64) + np.int64(encoding.base)
    if encoding.kind is Kind.DELTA:
        return np.cumsum(unzigzag(words), dtype=np.int64) + np.int64(encoding.base)
    if encoding.kind is Kind.DELTA2:
        first = np.cumsum(unzigzag(words), dtype=np.int64)
        return np.cumsum(first, dtype=np.int64) + np.int64(encoding.base)
    return unzigzag(words) + _prediction(encoding, inputs, decimals, out_decimals)


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


def join_planes(data: bytes | memoryview, encoding: Encoding, rows: int) -> Words:
    """Return the residuals of a frame's bytes, which must be exactly as many as they need."""
    size = encoding.frame_bytes(rows)
    if len(data) != size:
        raise ChunkError(f"a column of {rows} rows holds {len(data)} bytes, not {size}")
    width, low = encoding.width, encoding.low
    if width == 0:
        return np.zeros(rows, dtype=np.uint64)
    octets = np.frombuffer(data, dtype=np.uint8)
    words: Words = octets[:rows].astype(np.uint64)
    if low:
        bits = np.unpackbits(octets[rows:], count=low * rows, bitorder="little")
        rest = np.packbits(bits.reshape(rows, low), axis=1, bitorder="little")[:, 0]
        return words << np.uint64(low) | rest
    for number in range(1, width):
        plane = octets[number * rows : (number + 1) * rows]
        words |= plane.astype(np.uint64) << np.uint64(8 * number)
    return words
