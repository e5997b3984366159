"""Pictures of gaps: which days of which stations are stored, and how far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cimis.answers import completeness
from cimis.arguments import items_of
from cimis.opened import Opened
from cimis.pictures.gathered import Picture, Wanted, names_of
from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.time import day_number

if TYPE_CHECKING:
    import polars as pl

    from cimis.queries.answers.gaps import StationGaps

__all__ = ["gaps"]

MOST_LINES = 80
"""Years of stations that one calendar may have."""


def gaps(opened: Opened, wanted: Wanted) -> Picture:
    """Return the calendar of what is stored of stations, of some items or of all.

    Raises
    ------
    NoDataError
        When no record, or no such item, is stored of these stations and days.
    UsageError
        For spatial targets, and for more years of stations than one calendar shows.
    """
    import polars as pl

    from cimis.charts.gaps import gaps as built
    from cimis.charts.words import item_word
    from cimis.naming.sites import station_numbers

    numbers = station_numbers(wanted.stations, opened.root, "a plot")
    found = completeness.gaps(
        opened, numbers, wanted.start, wanted.end, wanted.items, scope=wanted.scope
    )
    days = pl.concat([_days(station) for station in found.stations])
    lines = days.select(pl.struct("station", pl.col("date").dt.year()).n_unique()).item()
    if lines > MOST_LINES:
        raise UsageError(
            f"a calendar of {lines:,} years of stations cannot be read",
            hint=f"name fewer stations or years; {MOST_LINES} at most",
        )
    named = items_of(wanted.items, wanted.scope) or ()
    chart = built(days, names_of(opened), what=[item_word(item) for item in named])
    return Picture(chart, found.lacks)


def _days(station: StationGaps) -> pl.DataFrame:
    import numpy as np
    import polars as pl

    numbers = day_number(station.first) + np.arange(station.shares.size, dtype=np.int32)
    return pl.DataFrame(
        {
            "date": pl.Series(numbers, dtype=pl.Int32).cast(pl.Date),
            "share": pl.Series(station.shares).fill_nan(None),
        }
    ).select(pl.lit(station.station, pl.UInt16).alias("station"), "date", "share")
