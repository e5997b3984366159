"""What is stored, cut into pieces that other processes and machines read."""

from __future__ import annotations

from typing import TYPE_CHECKING, SupportsIndex

from cimis.answers.question import question_of
from cimis.answers.scans import warn_of_strangers
from cimis.arguments import count_of
from cimis.naming.sites import Stations
from cimis.opened import Opened
from cimis.pipeline.field.items import Scope
from cimis.pipeline.field.site import SiteKind

if TYPE_CHECKING:
    import pyarrow.compute as pc

    from cimis.queries.splits.split import Split

__all__ = ["splits"]


def splits(
    opened: Opened,
    scope: str | Scope = "daily",
    *,
    stations: Stations | None = None,
    filter: pc.Expression | None = None,  # noqa: A002
    qc: str = "keep",
    target_rows: SupportsIndex = 100_000,
) -> list[Split]:
    """Return the rows of a scope as splits: small, they pickle, and each is read by itself.

    For engines that work in several processes or machines; each split tells its stations, days,
    rows and bytes, and reads its chunks, checked, without the catalog.

    Parameters
    ----------
    scope : {"daily", "hourly"}
    stations : int, str, Target or iterable of them, optional
        As of :meth:`daily`; ``"targets"`` for all rows of spatial targets.
    filter : pyarrow.compute.Expression, optional
        What rows must meet, over columns in metric units, as
        ``(pc.field("station") == 80) & (pc.field("asce_eto") > 8)``. Chunks that cannot have such
        a row are in no split.
    qc : {"keep", "drop-severe", "strict"}
        Which flagged values are null, also to the filter.
    target_rows : int
        About how many rows a split has, before the filter; many small splits cost more than few.

    Returns
    -------
    list of Split
        See :class:`cimis.queries.splits.split.Split`; by station (or target) and year. Empty where
        nothing can meet the filter.

    Raises
    ------
    UsageError
        As of :meth:`daily`, and for a filter that cannot be asked of these rows.

    Warns
    -----
    IncompleteAnswer
        When nothing is stored of some that are named.
    """
    from cimis.pipeline.catalog.database import Catalog
    from cimis.queries.quality import policy
    from cimis.queries.splits.cutting import splits_of

    question = question_of(opened.root, scope, stations)
    sites, chosen = question.sites, policy(qc)
    rows = count_of(target_rows, "target_rows")
    with Catalog(opened.root) as catalog:
        if sites.kind is SiteKind.STATION:
            found = catalog.chunks(scope=question.scope, stations=sites.stations)
        else:
            found = catalog.chunks(scope=question.scope)
            named = None if sites.named is None else set(sites.named)
            found = [row for row in found if named is None or row.target in named]
    warn_of_strangers(opened, question)
    listed = [row for row in found if (row.station is None) is sites.spatial]
    return splits_of(
        opened.root.absolute(), question.scope, listed, filter=filter, qc=chosen, target_rows=rows
    )
