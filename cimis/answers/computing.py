"""What is computed from stored weather: reference ET."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cimis.answers.rows import query
from cimis.arguments import Day, scope_of
from cimis.lacking import stop_at_damage, warn_of
from cimis.naming.sites import Stations, station_numbers
from cimis.opened import Opened
from cimis.pipeline.errors import NoDataError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.lacks import Lacks

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

__all__ = ["computed_eto", "eto", "eto_table"]


def eto(
    opened: Opened,
    scope: str | Scope = "daily",
    *,
    stations: Stations | None = None,
    start: Day | None = None,
    end: Day | None = None,
    surface: str = "short",
    fill: bool = False,
) -> pl.DataFrame:
    """Return reference ET computed from the stored weather beside the network's own.

    By the ASCE-EWRI 2005 standardized equation; see :func:`cimis.queries.answers.eto.computed`.

    Parameters
    ----------
    scope : {"daily", "hourly"}
    stations : int, str or iterable of them, optional
        By number or name, as of :meth:`daily`; of spatial targets no weather is stored.
    start, end : date or str, optional
        First and last day, both inclusive.
    surface : {"short", "tall"}
        Short (ETo, clipped grass) or tall (ETr, alfalfa).
    fill : bool
        One figure, the network's where there is one, with its ``source``.

    Raises
    ------
    NoDataError
        When the weather it takes, or the station's place, is not there.

    Warns
    -----
    IncompleteAnswer
        When stations, days or items that were asked for are not there.
    """
    from cimis.queries.frames import whole

    return whole(
        eto_table(
            opened, scope, stations=stations, start=start, end=end, surface=surface, fill=fill
        )
    )


def eto_table(
    opened: Opened,
    scope: str | Scope = "daily",
    *,
    stations: Stations | None = None,
    start: Day | None = None,
    end: Day | None = None,
    surface: str = "short",
    fill: bool = False,
) -> pa.Table:
    """Return the same as an Arrow table."""
    found, lacks = computed_eto(
        opened, scope, stations=stations, start=start, end=end, surface=surface, fill=fill
    )
    warn_of(lacks)
    return found


def computed_eto(
    opened: Opened,
    scope: str | Scope = "daily",
    *,
    stations: Stations | None = None,
    start: Day | None = None,
    end: Day | None = None,
    surface: str = "short",
    fill: bool = False,
) -> tuple[pa.Table, Lacks]:
    """Return the same table and what it is short of, without a warning."""
    from cimis.pipeline.catalog.database import Catalog
    from cimis.queries.answers.eto import computed, needed_items, weather_items

    kind = scope_of(scope)
    numbers = station_numbers(stations, opened.root, "reference ET")
    asked = query(
        opened, kind, stations=numbers, start=start, end=end, items=weather_items(kind, surface)
    )
    rows = asked.table()
    if rows.num_rows == 0:
        stop_at_damage(asked.damaged)
        raise NoDataError(
            f"no {kind} record is stored of these stations and days",
            hint="see what is stored with 'cimis stats'",
        )
    with Catalog(opened.root) as catalog:
        places = {facts["number"]: facts for facts in catalog.stations()}
    # of dew point and vapour pressure, of wind speed and run, one of each does
    needed = {item.column for item in needed_items(kind, surface)}
    lacks = asked.lacks
    short = replace(
        lacks,
        items=tuple(name for name in lacks.items if name in needed),
        items_of=tuple(one for one in lacks.items_of if one[1] in needed),
    )
    return computed(rows, kind, places, surface=surface, fill=fill), short
