"""Rows of stations as a chart takes them: a row a value, every day or hour of the span there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cimis.pipeline.errors import NoDataError
from cimis.pipeline.field.items import Item, Scope

if TYPE_CHECKING:
    import polars as pl

__all__ = ["check_some", "long_rows", "span_of"]


def long_rows(
    rows: pl.DataFrame,
    items: Sequence[Item],
    labels: Mapping[tuple[int, str], str],
    span: tuple[dt.date, dt.date] | None = None,
) -> pl.DataFrame:
    """Return a row per station, item and time, null where nothing is stored.

    Parameters
    ----------
    rows : polars.DataFrame
        As :meth:`cimis.Store.daily` or :meth:`cimis.Store.hourly` give them.
    items : sequence of Item
        Of one scope.
    labels : mapping
        What the legend calls an item of a station.
    span : tuple of date, optional
        First and last day; by default those of the rows.

    Returns
    -------
    polars.DataFrame
        ``station``, ``item``, ``label``, ``time`` (Date, or Datetime of the end of the hour, PST),
        ``value``, ``flag``, and ``alone``: whether the values before and after it are missing, so
        that no line shows it.
    """
    import polars as pl

    time = _times(items[0].scope, span or span_of(rows))
    parts = []
    for (station, name), label in labels.items():
        key = "time" if items[0].scope is Scope.HOURLY else "date"
        own = rows.filter(pl.col("station") == station).select(
            pl.col(key).cast(time.dtype).alias("time"),
            pl.col(name).cast(pl.Float64).fill_nan(None).alias("value"),
            pl.col(f"{name}_qc").cast(pl.String).alias("flag"),
        )
        parts.append(
            time.to_frame()
            .join(own, on="time", how="left", maintain_order="left")
            .select(
                pl.lit(station, pl.UInt16).alias("station"),
                pl.lit(name).alias("item"),
                pl.lit(label).alias("label"),
                "time",
                "value",
                "flag",
                (
                    pl.col("value").is_not_null()
                    & pl.col("value").shift(1).is_null()
                    & pl.col("value").shift(-1).is_null()
                ).alias("alone"),
            )
        )
    return pl.concat(parts)


def span_of(rows: pl.DataFrame) -> tuple[dt.date, dt.date]:
    """Return the first and the last day of rows; `NoDataError` where there are none."""
    first, last = rows["date"].min(), rows["date"].max()
    if not isinstance(first, dt.date) or not isinstance(last, dt.date):
        raise NoDataError(
            "there is nothing to plot: no record is stored of these stations and days",
            hint="see what is stored with 'cimis stats' and 'cimis gaps'",
        )
    return first, last


def check_some(values: pl.Series, what: str) -> None:
    """Raise `NoDataError` where no value is there to be drawn."""
    if values.drop_nulls().is_empty():
        raise NoDataError(
            f"there is nothing to plot: no value of {what} is stored of these days",
            hint="see what is stored with 'cimis gaps'",
        )


def _times(scope: Scope, span: tuple[dt.date, dt.date]) -> pl.Series:
    """Return every day of a span, or the end of every hour."""
    import polars as pl

    first, last = span
    if scope is Scope.DAILY:
        return pl.date_range(first, last, "1d", eager=True).alias("time")
    midnight = dt.time()
    end = dt.datetime.combine(last + dt.timedelta(days=1), midnight)
    begin = dt.datetime.combine(first, midnight)
    hours = pl.datetime_range(begin, end, "1h", time_unit="ms", eager=True, closed="right")
    return hours.alias("time")
