"""Rows as a store gives them, of values that a test itself names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import polars as pl

from cimis.pipeline.field.items import Item, Scope, named_items

NAMES = {2: "Five Points", 6: "Davis", 80: "Fresno State"}

Values = Sequence[float | None]


def daily(*names: str) -> tuple[Item, ...]:
    """Return daily items by name."""
    return named_items(",".join(names), Scope.DAILY)


def days(
    station: int,
    first: str,
    columns: Mapping[str, Values],
    *,
    flags: Mapping[str, Mapping[int, str]] | None = None,
    absent: Sequence[int] = (),
) -> pl.DataFrame:
    """Return consecutive days of a station; ``absent`` have no row, ``flags`` are by place."""
    count = len(next(iter(columns.values())))
    start = dt.date.fromisoformat(first)
    parts: dict[str, object] = {
        "station": pl.Series([station] * count, dtype=pl.UInt16),
        "date": [start + dt.timedelta(days=n) for n in range(count)],
    }
    for name, values in columns.items():
        own = (flags or {}).get(name, {})
        parts[name] = pl.Series(values, dtype=pl.Float64, strict=False)
        parts[f"{name}_qc"] = pl.Series([own.get(n) for n in range(count)], dtype=pl.String)
    rows = pl.DataFrame(parts).with_row_index("place")
    return rows.filter(~pl.col("place").is_in(list(absent))).drop("place")
