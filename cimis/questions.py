"""What a store answers by name, by period, and of itself: its library, sums, what it lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cimis.arguments import Day, Items, Stations, items_of, open_span_of, scope_of, station_numbers
from cimis.lacking import tally_of
from cimis.spatial import SpatialReading, Targets, target_keys
from pipeline.errors import UsageError
from pipeline.items import Item, Scope
from pipeline.lacks import Site

if TYPE_CHECKING:
    import polars as pl

    from queries.engines.answer import Answer
    from queries.timing import QueryTimings

__all__ = ["Questions"]


class Questions(SpatialReading):
    """The half of a :class:`cimis.Store` that knows questions."""

    def named(
        self,
        name: str,
        *,
        stations: Stations | None = None,
        qc: str = "keep",
        unsafe: bool = False,
        timings: QueryTimings | None = None,
        parameters: Mapping[str, object] | None = None,
        **more: object,
    ) -> Answer:
        """Return the answer to a question of the library; ``cimis sql --list`` shows them all.

        Parameters
        ----------
        name : str
            Such as ``"frost-nights"``.
        stations : int, str or iterable of int, optional
            By default all that are stored.
        qc : {"keep", "drop-severe", "strict"}
        unsafe : bool
            As of :meth:`cimis.Store.sql`.
        timings : QueryTimings, optional
        parameters : mapping, optional
        **more
            Values of the question's own parameters, in the place of its defaults.

        Returns
        -------
        Answer
            Its ``lacks`` tells which stations have no row.

        Raises
        ------
        UsageError
            For an unknown name or parameter, a value that cannot be what is asked for, or where
            nothing stored holds an item that the question is about.
        """
        from queries.engines.inventory import Named
        from queries.named import named_query

        query = named_query(name)
        values = query.values(
            {key: str(value) for key, value in {**(parameters or {}), **more}.items()}
        )
        numbers = station_numbers(stations)
        scope = Scope.HOURLY if query.hourly else Scope.DAILY
        stored = self._stored_items(scope, spatial=False)
        absent = [i.column for i in query.items(scope) if stored and i not in stored]
        if absent:
            raise UsageError(
                f"nothing stored holds {', '.join(absent)}, which '{name}' asks for",
                hint="fetch or import it; 'cimis stats' tells what is stored",
            )
        return self._answer(
            query.text(numbers),
            values,
            qc=qc,
            unsafe=unsafe,
            timings=timings,
            tally=None if numbers is None else tally_of(self.root, scope, numbers),
            named=None if numbers is None else Named(frozenset(numbers)),
        )

    def every(
        self,
        period: str,
        *,
        scope: str | Scope = Scope.DAILY,
        stations: Stations | None = None,
        targets: Targets | None = None,
        start: Day | None = None,
        end: Day | None = None,
        items: Items | None = None,
        units: str = "metric",
        qc: str = "keep",
    ) -> Answer:
        """Return records summed up per station and week, month, year or water year.

        Depths (ETo, rain) are added up, maxima and minima stay extremes, the rest are means; beside
        each figure stands of how many records it is made. See :func:`queries.periods.period_sql`.

        Parameters
        ----------
        period : {"week", "month", "year", "water-year"}
            Of hourly records also ``day``.
        scope : {"daily", "hourly"}
        stations : int, str or iterable of int, optional
        targets : str or iterable of str, optional
            Spatial targets, as ``"zip:93624"``, in the place of stations.
        start, end : date or str, optional
            First and last day, both inclusive.
        items : str or iterable of str, optional
            By default all that are stored.
        units : {"metric", "english"}
        qc : {"keep", "drop-severe", "strict"}

        Returns
        -------
        Answer
            Its ``lacks`` tells what the periods are short of: stations, days, items.

        Raises
        ------
        UsageError
            For an unknown period, item, unit or policy.
        """
        from queries.conversion import standard
        from queries.engines.answer import Answer
        from queries.periods import count_sql, period_heads, period_sql
        from queries.quality import policy
        from queries.wish import Wish

        kind, keys = scope_of(scope), target_keys(targets)
        spatial = keys is not None
        numbers = None if spatial else station_numbers(stations)
        first, last = open_span_of(start, end)
        named = items_of(items, kind)
        chosen = named or self._stored_items(kind, spatial=spatial)
        wish = Wish(
            "spatial_daily" if spatial else kind.value,
            None if numbers is None else tuple(numbers),
            None if keys is None else tuple(keys),
            first,
            last,
            tuple(chosen),
            policy(qc),
            None,
        )

        def count() -> dict[Site, int]:
            asked = Answer(self._engine, count_sql(wish), named=wish.named())
            return dict(asked.fetchall())

        sites: Sequence[Site] | None = keys if spatial else numbers
        tally = tally_of(self.root, kind, sites, first, last, named, spatial=spatial, count=count)
        text = period_sql(wish, period, standard(units))
        heads = period_heads(chosen, standard(units))
        return self._answer(text, qc=qc, tally=tally, heads=heads, named=wish.named())

    def _stored_items(self, scope: Scope, *, spatial: bool) -> tuple[Item, ...]:
        """Return the items that are stored."""
        from pipeline.catalog import Catalog
        from pipeline.field.site import SiteKind
        from pipeline.items import scope_items

        kind = SiteKind.TARGET if spatial else SiteKind.STATION
        with Catalog(self.root) as catalog:
            stored = catalog.item_codes(scope, kind=kind)
        return tuple(item for item in scope_items(scope) if item.code in stored)

    def stations(self) -> pl.DataFrame:
        """Return the stations that the catalog knows, as the service lists them."""
        from queries.frames import whole

        return whole(self.sql("SELECT * FROM stations ORDER BY number").table())

    def chunks(self) -> pl.DataFrame:
        """Return one row per stored chunk: path, station, year, scope, rows, times, state."""
        from queries.frames import whole

        return whole(self.sql("SELECT * FROM chunks").table())
