"""Columns in their compact form, as chunks and caches give them and filters read them.

A value column is integers scaled by its decimals, the least integer of the type meaning
missing; a flag column is one byte per row, 0 meaning none, else 1 + the flag's place in a list of
letters. Keys are plain integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = [
    "Column",
    "Doubles",
    "Flags",
    "Keys",
    "Part",
    "Scaled",
    "Texts",
    "as_doubles",
    "joined",
    "missing_mark",
    "rescaled",
]

Ints = npt.NDArray[Any]
Bools = npt.NDArray[np.bool_]


class Scaled(NamedTuple):
    """Values as integers, the least of their type meaning missing."""

    values: Ints
    decimals: int


class Doubles(NamedTuple):
    """Values that no decimals describe, and which of them are there."""

    values: npt.NDArray[np.float64]
    present: Bools


class Flags(NamedTuple):
    """Flags as codes, 0 meaning none, and the letters that codes from 1 stand for."""

    codes: npt.NDArray[np.uint8]
    letters: tuple[str, ...]


class Keys(NamedTuple):
    """A key column's integers: stations, days, seconds or hours."""

    values: Ints


class Texts(NamedTuple):
    """A key column of texts: names of spatial targets, by their place in a list."""

    codes: npt.NDArray[np.int32]
    names: tuple[str, ...]


Column = Scaled | Doubles | Flags | Keys | Texts


class Part(NamedTuple):
    """Consecutive rows: how many, and their columns by name, of those that there are.

    ``origin`` names rows that are known by where they lie, for good: a build of the column cache
    and the first row in it.
    """

    rows: int
    columns: dict[str, Column]
    origin: tuple[str, int] | None = None

    def sliced(self, start: int, stop: int) -> Part:
        """Return some of the rows, without a copy."""
        if start == 0 and stop >= self.rows:
            return self
        columns = {name: _sliced(c, start, stop) for name, c in self.columns.items()}
        origin = None if self.origin is None else (self.origin[0], self.origin[1] + start)
        return Part(stop - start, columns, origin)

    def taken(self, places: npt.NDArray[np.intp]) -> Part:
        """Return the rows at some places."""
        columns = {name: _taken(c, places) for name, c in self.columns.items()}
        return Part(len(places), columns)


def _taken(column: Column, places: npt.NDArray[np.intp]) -> Column:
    match column:
        case Scaled(values, decimals):
            return Scaled(values[places], decimals)
        case Flags(codes, letters):
            return Flags(codes[places], letters)
        case Doubles(doubles, present):
            return Doubles(doubles[places], present[places])
        case Keys(numbers):
            return Keys(numbers[places])
        case Texts(codes, names):
            return Texts(codes[places], names)


def _sliced(column: Column, start: int, stop: int) -> Column:
    match column:
        case Scaled(values, decimals):
            return Scaled(values[start:stop], decimals)
        case Flags(codes, letters):
            return Flags(codes[start:stop], letters)
        case Doubles(doubles, present):
            return Doubles(doubles[start:stop], present[start:stop])
        case Keys(numbers):
            return Keys(numbers[start:stop])
        case Texts(codes, names):
            return Texts(codes[start:stop], names)


def joined(parts: Sequence[Column]) -> Column:
    """Return columns of one kind one after another."""
    if len(parts) == 1:
        return parts[0]
    first = parts[0]
    if isinstance(first, Keys):
        return Keys(np.concatenate([part[0] for part in parts]))
    if isinstance(first, Texts):
        return _joined_texts([part for part in parts if isinstance(part, Texts)])
    if isinstance(first, Flags):
        return _joined_flags([part for part in parts if isinstance(part, Flags)])
    scaled = [part for part in parts if isinstance(part, Scaled)]
    if len(scaled) < len(parts):
        halves = [as_doubles(part) for part in parts if isinstance(part, Scaled | Doubles)]
        values, present = zip(*halves, strict=True)
        return Doubles(np.concatenate(values), np.concatenate(present))
    decimals = max(part.decimals for part in scaled)
    kinds = {part.values.dtype for part in scaled}
    if len(kinds) > 1 or any(part.decimals != decimals for part in scaled):
        return Scaled(np.concatenate([rescaled(part, decimals) for part in scaled]), decimals)
    return Scaled(np.concatenate([part.values for part in scaled]), decimals)


def _joined_flags(parts: list[Flags]) -> Flags:
    letters = parts[0].letters
    if all(part.letters == letters for part in parts):
        return Flags(np.concatenate([part.codes for part in parts]), letters)
    union = tuple(dict.fromkeys(letter for part in parts for letter in part.letters))
    codes = []
    for part in parts:
        table = np.zeros(len(part.letters) + 1, np.uint8)
        table[1:] = [union.index(letter) + 1 for letter in part.letters]
        codes.append(table[part.codes])
    return Flags(np.concatenate(codes), union)


def _joined_texts(parts: list[Texts]) -> Texts:
    union = {
        name: place for place, name in enumerate(dict.fromkeys(n for p in parts for n in p.names))
    }
    codes = [np.array([union[name] for name in part.names], np.int32)[part.codes] for part in parts]
    return Texts(np.concatenate(codes), tuple(union))


def missing_mark(kind: np.dtype[Any]) -> int:
    """Return the integer that means missing in values of a type: its least."""
    return int(np.iinfo(kind).min)


def rescaled(column: Scaled, decimals: int) -> Ints:
    """Return values in int64 with at least as many decimals, missing marks kept."""
    values = column.values
    wide = values.astype(np.int64)
    if decimals != column.decimals:
        wide *= 10 ** (decimals - column.decimals)
    if values.dtype.itemsize < 8 or decimals != column.decimals:
        wide[values == missing_mark(values.dtype)] = missing_mark(wide.dtype)
    return wide


def as_doubles(column: Scaled | Doubles) -> Doubles:
    """Return values as the doubles nearest to their decimal texts."""
    if isinstance(column, Doubles):
        return column
    values, decimals = column
    # division gives the nearest double, multiplication by the reciprocal does not
    divided = np.divide(values, 10.0**decimals, dtype=np.float64)
    return Doubles(divided, values != values.dtype.type(missing_mark(values.dtype)))
