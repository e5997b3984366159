"""A chunk's rows as plain arrays, column by column, and what is asked of all columns at once.

A year has few rows and many columns, so that a call per column costs more than the work: these
functions take the columns as the rows of one array.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cimis.pipeline.chunks.footer import ColumnInfo
from cimis.pipeline.rows.numbers import Bools, Ints

__all__ = [
    "Bools",
    "FlagColumn",
    "Parts",
    "Statistics",
    "ValueColumn",
    "filled",
    "flag_columns",
    "missing_rows",
    "same_rows",
    "statistics",
]

Statistics = tuple[int | float | None, int | float | None, int]
_LEAST, _MOST = np.iinfo(np.int64).min, np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class ValueColumn:
    """A column's values as int64 (doubles: their bits) with its missing rows, if any."""

    info: ColumnInfo
    numbers: Ints
    missing: Bools | None


@dataclass(frozen=True, slots=True)
class FlagColumn:
    """A column's flags: distinct texts, and per row 0 (passed) or 1 + the text's number."""

    texts: tuple[str, ...]
    numbers: Ints


@dataclass(frozen=True, slots=True)
class Parts:
    """A chunk's rows as plain arrays: times in days or hours since 1970, values, flags."""

    times: Ints
    values: list[ValueColumn]
    flags: list[FlagColumn]


def missing_rows(values: Sequence[ValueColumn], rows: int) -> Bools:
    """Return which values are missing, columns x rows."""
    missing = np.zeros((len(values), rows), np.bool_)
    for place, value in enumerate(values):
        if value.missing is not None:
            missing[place] = value.missing
    return missing


def statistics(infos: Sequence[ColumnInfo], values: Ints, missing: Bools) -> list[Statistics]:
    """Return of each column minimum, maximum and missing count; None where all are missing.

    Parameters
    ----------
    infos : sequence of ColumnInfo
    values, missing : int64 and bool arrays, columns x rows
        Of doubles the bits.
    """
    if not infos:
        return []
    gone = np.count_nonzero(missing, axis=1).tolist()
    some = any(gone)
    low = (np.where(missing, _MOST, values) if some else values).min(axis=1).tolist()
    high = (np.where(missing, _LEAST, values) if some else values).max(axis=1).tolist()
    rows = values.shape[1]
    found: list[Statistics] = []
    for place, info in enumerate(infos):
        if gone[place] == rows:
            found.append((None, None, rows))
        elif info.is_double:
            present = values[place].view(np.float64)[~missing[place]]
            found.append((present.min().item(), present.max().item(), gone[place]))
        else:
            found.append((low[place], high[place], gone[place]))
    return found


def filled(values: Ints, missing: Bools) -> Ints:
    """Return values with each missing one as that before it in its column, or the first present.

    A column without any present value is all 0.
    """
    holes = np.flatnonzero(missing.any(axis=1))
    if holes.size == 0:
        return values
    gone = missing[holes]
    first = np.argmin(gone, axis=1)
    last = np.maximum.accumulate(np.where(gone, 0, np.arange(gone.shape[1])), axis=1)
    near = np.take_along_axis(values[holes], np.maximum(last, first[:, None]), axis=1)
    near[gone.all(axis=1)] = 0
    made = values.copy()
    made[holes] = near
    return made


def flag_columns(texts: Sequence[str], numbers: Ints) -> list[FlagColumn]:
    """Return of each column its flags with only the texts that it uses.

    Parameters
    ----------
    texts : sequence of str
        Sorted, distinct, none empty.
    numbers : int64 array, columns x rows
        0 (passed) or 1 + the text's number.
    """
    count, columns = len(texts) + 1, len(numbers)
    if count == 1 or columns == 0:
        return [FlagColumn((), row) for row in numbers]
    spread = numbers + np.arange(columns)[:, None] * count
    used = np.bincount(spread.ravel(), minlength=columns * count).reshape(columns, count) > 0
    used[:, 0] = False
    kept = [
        tuple(text for text, is_used in zip(texts, row[1:], strict=True) if is_used)
        for row in used.tolist()
    ]
    if any(0 < len(row) < len(texts) for row in kept):
        numbers = np.cumsum(used, axis=1).ravel()[spread]
    return [FlagColumn(*pair) for pair in zip(kept, numbers, strict=True)]


def same_rows(found: Parts, due: Parts) -> bool:
    """Tell whether two parts hold the same times, columns, values, missing marks and flags."""
    if len(found.values) != len(due.values) or not np.array_equal(found.times, due.times):
        return False
    if any(a.info != b.info for a, b in zip(found.values, due.values, strict=True)):
        return False
    if any(a.texts != b.texts for a, b in zip(found.flags, due.flags, strict=True)):
        return False
    if not due.values:
        return True
    rows = due.times.size
    missing = missing_rows(due.values, rows)
    if bool((missing_rows(found.values, rows) != missing).any()):
        return False
    one, two = (np.stack([flag.numbers for flag in parts.flags]) for parts in (found, due))
    if bool((one != two).any()):
        return False
    one, two = (np.stack([value.numbers for value in parts.values]) for parts in (found, due))
    return not bool(((one != two) & ~missing).any())
