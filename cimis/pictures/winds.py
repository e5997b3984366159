"""Pictures of the wind: from where it blew, how often and how strongly."""

from __future__ import annotations

from dataclasses import replace

from cimis.opened import Opened
from cimis.pictures.gathered import Picture, Wanted, gathered, names_of
from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Scope, named_items

__all__ = ["rose"]


def rose(opened: Opened, wanted: Wanted) -> Picture:
    """Return wind roses from the hourly records of up to four stations.

    Raises
    ------
    NoDataError
        Where no hour has direction and speed.
    UsageError
        For items, and for more stations.
    """
    import polars as pl

    from cimis.charts.rose import rose as built

    if wanted.items is not None:
        raise UsageError(
            "a wind rose is of hourly wind_dir and wind_spd", hint="leave out the items"
        )
    direction, speed = named_items("wind_dir,wind_spd", Scope.HOURLY)
    found = gathered(opened, replace(wanted, scope=Scope.HOURLY), (direction, speed))
    hours = found.rows.select(
        "station",
        pl.col(direction.column).cast(pl.Float64).alias("direction"),
        pl.col(speed.column).cast(pl.Float64).alias("speed"),
    )
    chart = built(
        hours,
        names_of(opened),
        standard=wanted.standard,
        span=found.span,
        symbol=speed.symbol(wanted.standard),
        notes=found.notes,
    )
    return Picture(chart, found.lacks)
