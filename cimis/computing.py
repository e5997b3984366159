"""What a store computes from its weather: reference ET."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cimis.arguments import Day, Stations, scope_of
from cimis.spatial import SpatialReading
from pipeline.errors import NoDataError
from pipeline.items import Scope

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

__all__ = ["Computing"]


class Computing(SpatialReading):
    """The half of a :class:`cimis.Store` that computes."""

    def eto(
        self,
        scope: str | Scope = "daily",
        *,
        stations: Stations | None = None,
        start: Day | None = None,
        end: Day | None = None,
        surface: str = "short",
        fill: bool = False,
    ) -> pl.DataFrame:
        """Return reference ET computed from the stored weather beside the network's own.

        By the ASCE-EWRI 2005 standardized equation; see :func:`queries.eto.computed`.

        Parameters
        ----------
        scope : {"daily", "hourly"}
        stations : int, str or iterable of int, optional
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
        """
        from queries.frames import whole

        found = self.eto_table(
            scope, stations=stations, start=start, end=end, surface=surface, fill=fill
        )
        return whole(found)

    def eto_table(
        self,
        scope: str | Scope = "daily",
        *,
        stations: Stations | None = None,
        start: Day | None = None,
        end: Day | None = None,
        surface: str = "short",
        fill: bool = False,
    ) -> pa.Table:
        """Return the same as an Arrow table."""
        from queries.eto import computed, weather_items

        kind = scope_of(scope)
        rows = self.query(
            kind, stations=stations, start=start, end=end, items=weather_items(kind, surface)
        ).table()
        if rows.num_rows == 0:
            raise NoDataError(
                f"no {kind} record is stored of these stations and days",
                hint="see what is stored with 'cimis stats'",
            )
        places = {facts["number"]: facts for facts in self.stations().to_dicts()}
        return computed(rows, kind, places, surface=surface, fill=fill)
