"""A season's running total beside those of other stored seasons."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import polars as pl

__all__ = ["LEAST_SEASONS", "Running", "running"]

LEAST_SEASONS = 5
"""So many other seasons make a band, as so many years make a normal."""

_COMPLETE = 0.95
"""The share of its days that another season must have."""

_LONGEST = 366
_LEAP = 2000


class Running(NamedTuple):
    """A season's totals.

    Attributes
    ----------
    rows : polars.DataFrame
        A row a day: ``time``, ``value``, ``flag``, ``total`` (up to and with the day, null where
        the value is missing, which adds nothing), and ``p10``, ``median``, ``p90`` of the totals of
        other seasons, null where fewer than five have one.
    seasons : tuple of int
        Years in which those began.
    """

    rows: pl.DataFrame
    seasons: tuple[int, ...]

    @property
    def total(self) -> float | None:
        """The total of all days that have a value; None where none has."""
        found = self.rows["total"].drop_nulls()
        return None if found.is_empty() else float(found[-1])

    @property
    def normal(self) -> float | None:
        """The median of the other seasons' totals at the last day that has a value."""
        known = self.rows.drop_nulls("total")
        return None if known.is_empty() else known["median"][-1]


def running(season: pl.DataFrame, history: pl.DataFrame, span: tuple[dt.date, dt.date]) -> Running:
    """Add up a season, and every other one that is stored of the same days of the year.

    Parameters
    ----------
    season : polars.DataFrame
        ``time``, ``value`` and ``flag`` of every day of the span.
    history : polars.DataFrame
        ``time`` and ``value`` of all that is stored, in order of time.
    span : tuple of date
        First and last day. One longer than a year has no other seasons.
    """
    import polars as pl

    value = pl.col("value")
    own = season.select("time", "value", "flag").with_columns(
        total=pl.when(value.is_not_null()).then(value.fill_null(0).cum_sum())
    )
    others = _others(history, span)
    if others is None:
        none = [pl.lit(None, pl.Float64).alias(name) for name in ("p10", "median", "p90")]
        return Running(own.with_columns(none), ())
    totals, seasons = others
    total = pl.col("total")
    band = totals.group_by("place").agg(
        p10=total.quantile(0.1, "linear"), median=total.median(), p90=total.quantile(0.9, "linear")
    )
    rows = (
        own.with_columns(_place(span[0]))
        .join(band, on="place", how="left", maintain_order="left")
        .drop("place")
    )
    return Running(rows, seasons)


def _others(
    history: pl.DataFrame, span: tuple[dt.date, dt.date]
) -> tuple[pl.DataFrame, tuple[int, ...]] | None:
    """Return the running totals of other seasons by place in the season, and their years."""
    import polars as pl

    first, last = span
    length = (last - first).days + 1
    if length > _LONGEST or history.is_empty():
        return None
    begin_year = (
        pl.col("time").dt.year()
        - (
            pl.col("time").dt.month() * 100 + pl.col("time").dt.day()
            < first.month * 100 + first.day
        ).cast(pl.Int32)
    ).alias("season")
    end = pl.DataFrame({"time": [last]}).select(_place(first)).item()
    seasons = (
        history.select("time", "value", begin_year, _place(first))
        .filter((pl.col("season") != first.year) & (pl.col("place") <= end))
        .drop_nulls("value")
    )
    enough = (
        seasons.group_by("season")
        .agg(pl.len().alias("days"))
        .filter(pl.col("days") >= _COMPLETE * (length - 1))["season"]
        .sort()
    )
    if enough.len() < LEAST_SEASONS:
        return None
    grid = enough.to_frame().join(
        pl.select(pl.int_range(0, end + 1, dtype=pl.Int32).alias("place")), how="cross"
    )
    totals = (
        grid.join(seasons, on=["season", "place"], how="left", maintain_order="left")
        .with_columns(pl.col("value").fill_null(0).cum_sum().over("season").alias("total"))
        .select("season", "place", "total")
    )
    return totals, tuple(enough.to_list())


def _place(first: dt.date) -> pl.Expr:
    """Return a day's place in a season that begins on a day of the year, 29 February always one."""
    import polars as pl

    place = pl.date(_LEAP, pl.col("time").dt.month(), pl.col("time").dt.day()).dt.ordinal_day()
    begin = dt.date(_LEAP, first.month, first.day).timetuple().tm_yday
    return ((place.cast(pl.Int32) - begin) % _LONGEST).cast(pl.Int32).alias("place")
