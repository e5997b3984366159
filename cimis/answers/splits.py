"""What is stored, cut into pieces that other processes and machines read."""

from __future__ import annotations

from typing import TYPE_CHECKING, SupportsIndex

from cimis.answers.question import question_of
from cimis.answers.scans import warn_of_strangers
from cimis.arguments import count_of
from cimis.naming.sites import Sites, Stations
from cimis.opened import Opened
from cimis.pipeline.field.items import Scope

if TYPE_CHECKING:
    import pyarrow.compute as pc

    from cimis.pipeline.catalog.rows import ChunkRow
    from cimis.queries.splits.split import Split

__all__ = ["splits", "stored_chunks"]


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
    from cimis.queries.quality import policy
    from cimis.queries.splits.cutting import splits_of

    question = question_of(opened.root, scope, stations)
    sites, chosen = question.sites, policy(qc)
    rows = count_of(target_rows, "target_rows")
    warn_of_strangers(opened, question)
    chunks = stored_chunks(opened, question.scope, sites)
    return splits_of(
        opened.root, question.scope, chunks, filter=filter, qc=chosen, target_rows=rows
    )


def stored_chunks(opened: Opened, scope: Scope, sites: Sites | None = None) -> list[ChunkRow]:
    """Return the chunks of a scope, by site and year: of some sites, None for all of both kinds."""
    from cimis.pipeline.catalog.database import Catalog

    with Catalog(opened.root) as catalog:
        if sites is None:
            return catalog.chunks(scope=scope)
        found = catalog.chunks(scope=scope, stations=None if sites.spatial else sites.stations)
    named = None if sites.named is None else set(sites.named)
    return [row for row in found if row.kind is sites.kind and (named is None or row.site in named)]
