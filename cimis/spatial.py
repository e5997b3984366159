"""What a store answers of the spatial network: zip codes, coordinates and addresses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cimis.arguments import Day, Items, items_of, open_span_of
from cimis.lacking import tally_of, warned
from cimis.reading import Reading
from pipeline.errors import UsageError
from pipeline.items import Scope

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
        items: Items | None = None,
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

        Warns
        -----
        IncompleteAnswer
            As of :meth:`cimis.Store.daily`.
        """
        rows = self.query_spatial(targets, start=start, end=end, items=items, units=units, qc=qc)
        return warned(rows)

    def query_spatial(
        self,
        targets: Targets | None = None,
        *,
        start: Day | None = None,
        end: Day | None = None,
        items: Items | None = None,
        units: str = "metric",
        qc: str = "keep",
        timings: QueryTimings | None = None,
    ) -> Rows:
        """Return the same rows unread: to stream, to write, to time; ``lacks`` as of `query`."""
        from queries.conversion import standard
        from queries.quality import policy
        from queries.rows import select

        keys = target_keys(targets)
        first, last = open_span_of(start, end)
        wanted = items_of(items, Scope.DAILY)
        return select(
            self._engine,
            "spatial_daily",
            targets=keys,
            start=first,
            end=last,
            items=wanted,
            units=standard(units),
            policy=policy(qc),
            timings=timings,
            tally=tally_of(self.root, Scope.DAILY, keys, first, last, wanted, spatial=True),
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
    hint = "give keys, as 'zip:93624' or ['zip:93624', 'address:HQ']"
    try:
        listed = [targets] if isinstance(targets, str) else list(targets)
    except TypeError:
        raise UsageError(f"{targets!r} names no targets", hint=hint) from None
    wrong = next((key for key in listed if not isinstance(key, str)), None)
    if wrong is not None or not listed:
        what = "no target named" if not listed else f"{wrong!r} is no target"
        raise UsageError(what, hint=hint)
    return tuple(dict.fromkeys(target_of_key(key).key for key in listed))
