"""Rows as series: one station at a time, its values on a grid of consecutive days or hours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cimis.pipeline.field.items import Scope
from cimis.pipeline.field.time import time_of

if TYPE_CHECKING:
    from cimis.queries.answers.rows import Rows

__all__ = ["Series", "days_of", "nullable", "series_of", "times_of_rows"]

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Series:
    """Stored values of one station.

    Attributes
    ----------
    station : int
    times : int64 array, ascending
        Days since 1970, or hours (the end of each), in PST; absent ones are not there.
    values : dict of str to float64 array
        By column; NaN = missing.
    """

    station: int
    times: Ints
    values: dict[str, Doubles]

    def on_grid(self, name: str, first: int, last: int) -> Doubles:
        """Return a column's values at each time from ``first`` to ``last``, NaN where absent."""
        grid = np.full(max(last - first + 1, 0), np.nan)
        inside = (self.times >= first) & (self.times <= last)
        grid[self.times[inside] - first] = self.values[name][inside]
        return grid


def series_of(rows: Rows, names: Sequence[str]) -> Iterator[Series]:
    """Yield the stations of an answer one after the other; only one is held at a time.

    Parameters
    ----------
    rows : Rows
        Metric rows of stations, which come in station and time order.
    names : sequence of str
        Columns to take.
    """
    held: list[pa.RecordBatch] = []
    for batch in rows.batches():
        numbers = batch["station"].to_numpy()
        edges = np.flatnonzero(numbers[1:] != numbers[:-1]) + 1
        start = 0
        for stop in (*edges.tolist(), len(numbers)):
            if held and stop > start and held[0]["station"][0].as_py() != numbers[start]:
                yield _series(held, names)
                held = []
            if stop > start:
                held.append(batch.slice(start, stop - start))
            start = stop
    if held:
        yield _series(held, names)


def times_of_rows(rows: pa.Table | pa.RecordBatch) -> Ints:
    """Return rows' times: days since 1970, or hours where they are hourly."""
    days = days_of(rows)
    if "hour" not in rows.schema.names:
        return days
    hours = np.asarray(rows["hour"].to_numpy(zero_copy_only=False), np.int64)
    return np.asarray(time_of(Scope.HOURLY, days, hours))


def days_of(rows: pa.Table | pa.RecordBatch) -> Ints:
    """Return rows' dates as days since 1970."""
    return np.asarray(rows["date"].cast(pa.int32()).to_numpy(zero_copy_only=False), np.int64)


def nullable(values: Doubles, decimals: int) -> pa.Array:
    """Return values rounded, null where they are NaN."""
    return pa.array(np.round(values, decimals) + 0.0, from_pandas=True)


def _series(parts: list[pa.RecordBatch], names: Sequence[str]) -> Series:
    whole = pa.Table.from_batches(parts)
    values = {
        name: np.asarray(
            whole[name].cast(pa.float64()).fill_null(np.nan).to_numpy(), dtype=np.float64
        )
        for name in names
    }
    return Series(whole["station"][0].as_py(), times_of_rows(whole), values)
