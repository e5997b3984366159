"""Blocks of a V2 chunk decoded without numpy: for the few rows of a point question.

Importing numpy costs more than decoding a year of a few columns in plain Python. The numbers are
those of :mod:`pipeline.chunks`; the tests hold both readers to the same values on every chunk.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import accumulate
from math import exp, floor
from typing import Protocol

from pipeline.chunks.footer import Block, Cell, Footer
from pipeline.chunks.frames import unpack_frame
from pipeline.chunks.kinds import Encoding, Kind
from pipeline.errors import ChunkError

__all__ = ["BlockColumns", "FileSlices"]

_LOW, _HIGH = -1200, 1400
_DEW_PRESSURE, _HUMIDITY, _PRESSURE, _DEW_HUMIDITY = range(4)
_HALF, _WHOLE = 1 << 63, (1 << 64) - 1


class FileSlices(Protocol):
    """Byte ranges of a file."""

    def __getitem__(self, place: slice) -> memoryview:
        """Return a range."""


class BlockColumns:
    """The columns of one block; each is decoded when it is first needed.

    Parameters
    ----------
    file : FileSlices
    footer : Footer
    block : Block
    """

    def __init__(self, file: FileSlices, footer: Footer, block: Block) -> None:
        self._file = file
        self._footer = footer
        self._block = block
        self._known: dict[int, list[int]] = {}
        self._marks: tuple[bytes, Sequence[int]] | None = None

    def times(self) -> list[int]:
        """Return the rows' times in days or hours since 1970."""
        return [t for first, count in self._block.runs for t in range(first, first + count)]

    def values(self, number: int) -> list[int]:
        """Return a column's scaled integers; missing rows hold what the writer filled in."""
        known = self._known.get(number)
        if known is None:
            cell = self._block.cells[number]
            words = self._words(cell)
            known = self._known[number] = [_signed(v) for v in self._decoded(number, words)]
        return known

    def checked(self, number: int) -> tuple[list[int], dict[int, int]]:
        """Return a column's values and states, after checking them by what the footer says."""
        cell, known = self._block.cells[number], self._footer.states
        states = self.states(number)
        gone = {row for row, state in states.items() if known[state].missing}
        present = [v for row, v in enumerate(self.values(number)) if row not in gone]
        found = (min(present, default=None), max(present, default=None), len(gone))
        if found != (cell.minimum, cell.maximum, cell.missing):
            raise ChunkError(
                f"column '{self._footer.columns[number].code}' has minimum, maximum and missing "
                f"count {found}, not {(cell.minimum, cell.maximum, cell.missing)}",
                offset=cell.offset,
            )
        return self.values(number), states

    def states(self, number: int) -> dict[int, int]:
        """Return the numbers of the states that rows of a column have, by row."""
        if self._marks is None:
            self._marks = self._read_marks()
        patterns, rows = self._marks
        count = len(patterns) // max(len(self._footer.columns), 1)
        states = patterns[number * count : (number + 1) * count]
        if not any(states):
            return {}
        return {row: states[pattern] - 1 for row, pattern in enumerate(rows) if states[pattern]}

    def _decoded(self, number: int, words: Sequence[int]) -> Iterator[int]:
        encoding = self._block.cells[number].encoding
        counts = self._counts(number, encoding, words)
        if encoding.step is None:
            return counts
        up, down = encoding.step
        return (_signed(2 * up * count + down) // (2 * down) for count in counts)

    def _counts(self, number: int, encoding: Encoding, words: Sequence[int]) -> Iterator[int]:
        base = encoding.base
        if encoding.kind in (Kind.REFERENCE, Kind.DOUBLE):
            return (word + base for word in words)
        steps = [(word >> 1) ^ -(word & 1) for word in words]
        if encoding.kind is Kind.DELTA:
            return (base + total for total in accumulate(steps))
        if encoding.kind is Kind.DELTA2:
            return (base + total for total in accumulate(accumulate(steps)))
        return (s + p for s, p in zip(steps, self._predicted(number, encoding), strict=True))

    def _predicted(self, number: int, encoding: Encoding) -> Iterator[int]:
        predictor = encoding.predictor
        assert predictor is not None
        inputs = [self.values(other) for other in predictor.columns]
        if encoding.kind is Kind.LINEAR:
            rows = zip(*inputs, strict=True)
            sums = (
                sum(c * v for c, v in zip(predictor.coefficients, row, strict=True)) for row in rows
            )
            return (_signed(predictor.offset + total) >> 16 for total in sums)
        decimals = [self._footer.columns[other].decimals for other in predictor.columns]
        out = self._footer.columns[number].decimals
        return _humidity(predictor.formula, inputs, decimals, out)

    def _words(self, cell: Cell) -> Sequence[int]:
        width, low, rows = cell.encoding.width, cell.encoding.low, self._block.rows
        size = cell.encoding.frame_bytes(rows)
        data = self._frame(cell.offset, cell.length, size, cell.crc32) if cell.length else b""
        if len(data) != size:
            raise ChunkError(f"a column of {rows} rows holds {len(data)} bytes, not {size}")
        if low:
            return [
                high << low | rest
                for high, rest in zip(data[:rows], _low_bits(data[rows:], low), strict=False)
            ]
        if width <= 1:
            return data if width else bytes(rows)
        planes = [data[plane * rows : (plane + 1) * rows] for plane in range(width)]
        return [int.from_bytes(octets, "little") for octets in zip(*planes, strict=True)]

    def _read_marks(self) -> tuple[bytes, Sequence[int]]:
        """Return the states of all columns' patterns, and the number of each row's pattern."""
        block, columns = self._block, len(self._footer.columns)
        if not block.marks_length:
            return b"", ()
        data = self._frame(
            block.marks_offset, block.marks_length, block.marks_size, block.marks_crc32
        )
        count = int.from_bytes(data[:2], "little")
        end = 2 + columns * count
        patterns, low, high = data[2:end], data[end : end + block.rows], data[end + block.rows :]
        rows: Sequence[int] = low
        if count > 256:
            rows = [a | b << 8 for a, b in zip(low, high, strict=False)]
        if len(rows) != block.rows or len(high) != (block.rows if count > 256 else 0):
            raise ChunkError(f"marks of {count} patterns hold {len(data)} bytes")
        if max(rows) >= count or max(patterns, default=0) > len(self._footer.states):
            raise ChunkError("marks name a pattern or a state that there is not")
        return patterns, rows

    def _frame(self, offset: int, length: int, size: int, crc32: int) -> bytes:
        return unpack_frame(self._file[offset : offset + length], offset, size, crc32)


def _low_bits(data: bytes, low: int) -> Iterator[int]:
    """Yield the numbers of ``low`` bits each that lie packed, eight in ``low`` bytes."""
    mask = (1 << low) - 1
    for start in range(0, len(data), low):
        group = int.from_bytes(data[start : start + low], "little")
        for shift in range(0, 8 * low, low):
            yield group >> shift & mask


def _signed(value: int) -> int:
    """Return an integer modulo 2**64 as a signed one."""
    if -_HALF <= value < _HALF:
        return value
    return ((value + _HALF) & _WHOLE) - _HALF


@cache
def _pressures() -> tuple[int, ...]:
    """Return saturation vapour pressure in 1e-5 kPa per 0.05 °C, as the format fixes it."""
    return tuple(
        floor(61080.0 * exp(17.27 * (t / 20) / (t / 20 + 237.3)) + 0.5)
        for t in range(_LOW, _HIGH + 1)
    )


def _saturation(temperature: int, decimals: int) -> int:
    index = min(max(temperature, -(10**6)), 10**6) * 20 // int(10**decimals) - _LOW
    return _pressures()[min(max(index, 0), _HIGH - _LOW)]


def _dew(pressure: int, decimals: int) -> int:
    twentieths = bisect_right(_pressures(), pressure) - 1 + _LOW
    return (twentieths * int(10**decimals) + 10) // 20


def _humidity(
    formula: int, inputs: list[list[int]], decimals: list[int], out: int
) -> Iterator[int]:
    """Yield a humidity column predicted from others; see :mod:`pipeline.chunks.psychro`."""
    first = (min(max(value, 0), 10**8) for value in inputs[0])
    if formula == _DEW_PRESSURE:
        return (_dew(value * 10 ** (5 - decimals[0]), out) for value in first)
    saturated = (_saturation(value, decimals[1]) for value in inputs[1])
    pairs = zip(first, saturated, strict=True)
    if formula == _HUMIDITY:
        scale, times = 10 ** (5 - decimals[0]), 100 * 10**out
        return ((value * scale * times + full // 2) // full for value, full in pairs)
    pressures = (value * full // (100 * 10 ** decimals[0]) for value, full in pairs)
    if formula == _PRESSURE:
        unit = 10 ** (5 - out)
        return ((pressure + unit // 2) // unit for pressure in pressures)
    if formula == _DEW_HUMIDITY:
        return (_dew(pressure, out) for pressure in pressures)
    raise ChunkError(f"unknown formula {formula}")
