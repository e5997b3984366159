"""What a store answers of the spatial network: zip codes, coordinates and addresses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cimis.arguments import Day, day_of
from cimis.reading import Reading
from pipeline.items import Item, Scope, named_items

if TYPE_CHECKING:
    import polars as pl
    import pyarrow.dataset as ds

    from queries.rows import Rows
    from queries.timing import QueryTimings

__all__ = ["SpatialReading", "Targets", "target_keys"]

Targets = str | Iterable[str]


class SpatialReading(Reading):
    """The half of a :class:`cimis.Store` that reads rows of spatial targets, which are daily."""

    def spatial(
        self,
        targets: Targets | None = None,
        start: Day | None = None,
        end: Day | None = None,
        items: str | Iterable[str | Item] | None = None,
        *,
        units: str = "metric",
        qc: str = "keep",
    ) -> pl.DataFrame:
        """Return daily rows of spatial targets as a data frame, in target and date order.

        Parameters
        ----------
        targets : str or iterable of str, optional
            ``"zip:93624"``, ``"coordinate:34.99,-118.34"``, ``"address:HQ"``; by default all that
            are stored.
        start, end, items, units, qc
            As of :meth:`cimis.Store.daily`.

        Returns
        -------
        polars.DataFrame
            ``target`` (String), ``date``, and per item its value (Float64, missing is null) and
            its flag (String, passed is null).

        Raises
        ------
        UsageError
            For what is no target, an unknown item, policy, unit, or a date that is none.
        StoreError
            When the catalog or a chunk is damaged.
        """
        return self.query_spatial(
            targets, start=start, end=end, items=items, units=units, qc=qc
        ).pl()

    def query_spatial(
        self,
        targets: Targets | None = None,
        *,
        start: Day | None = None,
        end: Day | None = None,
        items: str | Iterable[str | Item] | None = None,
        units: str = "metric",
        qc: str = "keep",
        timings: QueryTimings | None = None,
    ) -> Rows:
        """Return the same rows unread: to stream in batches, to write to a file, to time."""
        from queries.conversion import standard
        from queries.quality import policy
        from queries.rows import select

        return select(
            self._engine,
            "spatial_daily",
            targets=target_keys(targets),
            start=day_of(start, end=False),
            end=day_of(end, end=True),
            items=None if items is None else named_items(items, Scope.DAILY),
            units=standard(units),
            policy=policy(qc),
            timings=timings,
        )

    def scan_spatial(self, *, qc: str = "keep") -> pl.LazyFrame:
        """Return a lazy frame of all spatial rows; see :meth:`cimis.Store.scan_daily`."""
        return self._scan("spatial_daily", qc)

    def spatial_dataset(self, *, qc: str = "keep") -> ds.Dataset:
        """Return the spatial rows as a dataset; see :meth:`cimis.Store.dataset`."""
        return self._dataset("spatial_daily", qc)


def target_keys(targets: Targets | None) -> tuple[str, ...] | None:
    """Return the keys of targets as a user may give them, in the form that chunks name them."""
    from pipeline.targets import target_of_key

    if targets is None:
        return None
    listed = [targets] if isinstance(targets, str) else targets
    return tuple(target_of_key(key).key for key in listed)
