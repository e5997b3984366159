"""Stores of a few days or hours whose values a test itself names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tests.queries.conftest import put

Doubles = npt.NDArray[np.float64]


def put_days(
    root: Path,
    station: int,
    first: str,
    columns: Mapping[str, Doubles | Sequence[float | None]],
    *,
    flags: Mapping[str, Mapping[int, str]] | None = None,
    absent: Sequence[int] = (),
) -> None:
    """Store consecutive days of a station, in a chunk per year; ``absent`` have no record.

    ``flags`` gives letters by column and place.
    """
    days = len(next(iter(columns.values())))
    dates = [dt.date.fromisoformat(first) + dt.timedelta(days=n) for n in range(days)]
    keys = {"station": pa.array([station] * days, pa.uint16()), "date": pa.array(dates)}
    _put(root, keys, columns, flags or {}, absent)


def put_hours(
    root: Path,
    station: int,
    first: str,
    columns: Mapping[str, Doubles | Sequence[float | None]],
    *,
    absent: Sequence[int] = (),
) -> None:
    """Store consecutive hours of a station, from the first of a day; likewise."""
    hours = len(next(iter(columns.values())))
    start = dt.date.fromisoformat(first)
    dates = [start + dt.timedelta(days=n // 24) for n in range(hours)]
    begin = dt.datetime.combine(start, dt.time())
    times = [begin + dt.timedelta(hours=n + 1) for n in range(hours)]
    keys = {
        "station": pa.array([station] * hours, pa.uint16()),
        "time": pa.array(times, pa.timestamp("s")),
        "date": pa.array(dates),
        "hour": pa.array([n % 24 + 1 for n in range(hours)], pa.uint8()),
    }
    _put(root, keys, columns, {}, absent)


def _put(
    root: Path,
    keys: Mapping[str, pa.Array],
    columns: Mapping[str, Doubles | Sequence[float | None]],
    flags: Mapping[str, Mapping[int, str]],
    absent: Sequence[int],
) -> None:
    made = dict(keys)
    for name, values in columns.items():
        made[name] = pa.array(values, pa.float64(), from_pandas=True)
        letters = flags.get(name, {})
        made[f"{name}_qc"] = pa.array([letters.get(n) for n in range(len(values))], pa.string())
    whole = pa.table(made)
    whole = whole.filter(pa.array([n not in {*absent} for n in range(len(whole))]))
    years = pc.year(whole["date"])
    put(root, [whole.filter(pc.equal(years, year)) for year in pc.unique(years).to_pylist()])
