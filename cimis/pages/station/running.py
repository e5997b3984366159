"""A season's running total beside those of other stored seasons."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

from cimis.pipeline.errors import NoDataError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Running", "running"]

_COLUMNS = ("p10", "median", "p90")
_LONGEST = 366


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

    By :mod:`cimis.agronomy.totals`.

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

    from cimis.agronomy.totals import running_totals

    value = pl.col("value")
    total = value.fill_null(0.0).cum_sum().round(6)
    own = season.select(
        "time", "value", "flag", pl.when(value.is_not_null()).then(total).alias("total")
    )
    try:
        if own.height > _LONGEST:
            raise NoDataError("no season is longer than a year")
        values = history["value"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        found = running_totals(history["time"].to_numpy(), values, span[0], own.height)
    except NoDataError:
        none = [pl.lit(None, pl.Float64).alias(name) for name in _COLUMNS]
        return Running(own.with_columns(none), ())
    band = [pl.Series(name, found.percentiles[:, place]) for place, name in enumerate(_COLUMNS)]
    return Running(own.with_columns(band), found.seasons)
