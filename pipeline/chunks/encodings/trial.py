"""One block's columns while encodings are tried: what the kinds' candidates are made from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from cimis.pipeline.chunks.encodings.kind import Kind, Step, Way
from cimis.pipeline.chunks.encodings.predicted import Predicted
from cimis.pipeline.chunks.encodings.steps import STEPS, count_steps, undo_steps
from cimis.pipeline.rows.numbers import Bools, Ints

__all__ = ["Column", "Trial"]

_SAFE = 1 << 40  # differences of differences of less stay within 64 bits
_MAX_DECIMALS = 4
_MAX_SOURCE = 0x100_0000


class Column:
    """One block of one column: values with missing rows filled.

    ``counts`` is what is encoded: the values, or how many steps they are. ``top`` is their largest
    absolute value, or (of negative ones) that less 1; `Trial` sets both.
    """

    __slots__ = ("code", "counts", "decimals", "missing", "number", "step", "top", "values")

    def __init__(
        self, number: int, code: str, decimals: int, values: Ints, missing: Bools | None
    ) -> None:
        self.number = number
        self.code = code
        self.decimals = decimals
        self.missing = missing
        self.values = values
        self.counts = self.values
        self.step: Step | None = None
        self.top = 0

    @property
    def is_large(self) -> bool:
        """Whether its values are too large for exact sums of their products."""
        return self.top >= _MAX_SOURCE


class Trial:
    """Columns of integers of one block, with distinct codes.

    Attributes
    ----------
    columns : sequence of Column
    counts : int64 array, columns x rows
        What is encoded of each.
    least : int64 array
        The least count of each column.
    varied : int64 array
        Places of columns that vary, within bounds whose differences are safe.
    sources : dict of str to Column
        Those that others may be predicted from, as they are never predicted themselves.
    """

    def __init__(self, columns: Sequence[Column], kinds: Iterable[Kind]) -> None:
        self.columns = columns
        values = np.stack([column.values for column in columns])
        low, high = values.min(axis=1), values.max(axis=1)
        self.varied = np.flatnonzero((low > -_SAFE) & (high < _SAFE) & (high > low))
        for column, top in zip(columns, np.maximum(high, -(low + 1)).tolist(), strict=True):
            column.top = top
        _find_steps(columns, values, self.varied)
        self.counts = values
        self.least = values.min(axis=1)
        self._differences = [values[self.varied]]
        codes = {column.code for column in columns}
        sets = [kind.sets for kind in kinds if isinstance(kind, Predicted)]
        self.sources = {
            column.code: column
            for column in columns
            if column.decimals <= _MAX_DECIMALS
            and not column.is_large
            and not any(codes >= {*some} for of in sets for some in of(column.code))
        }

    def differences(self, times: int) -> Ints:
        """Return the varied columns' counts less those before them, so many times over.

        The first of a column is less the column's first count, and 0 the second time.
        """
        while len(self._differences) <= times:
            before = self._differences[-1]
            made = np.empty_like(before)
            made[:, 0] = 0
            np.subtract(before[:, 1:], before[:, :-1], out=made[:, 1:])
            self._differences.append(made)
        return self._differences[times]

    def from_first(self) -> list[Way]:
        """Return the varied columns' ways, whose base is the first count."""
        firsts = self.counts[self.varied, 0].tolist()
        return [
            (place, first, None) for place, first in zip(self.varied.tolist(), firsts, strict=True)
        ]


def _find_steps(columns: Sequence[Column], values: Ints, varied: Ints) -> None:
    """Put counts of steps in the place of values, in rows that are multiples of one, rounded."""
    by_decimals: dict[int, list[int]] = {}
    for number in varied.tolist():
        by_decimals.setdefault(columns[number].decimals, []).append(number)
    for decimals, steps in STEPS.items():
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
