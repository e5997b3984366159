"""What every engine begins with: the splits asked for, and the schema that all of them have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.compute as pc

    from cimis.naming.sites import Stations
    from cimis.queries.splits.split import Split

__all__ = ["splits_at"]


def splits_at(
    where: str | Path,
    scope: str,
    stations: Stations | None,
    filter: pc.Expression | None,  # noqa: A002
    qc: str,
    target_rows: int,
) -> tuple[list[Split], pa.Schema]:
    """Return splits of a data directory, and the schema that all of them have."""
    from cimis.naming.sites import sites_of
    from cimis.pipeline.field.items import Scope
    from cimis.queries.splits.split import engine_schema
    from cimis.store import open_store

    whom = tuple(stations) if isinstance(stations, Iterator) else stations
    with open_store(where) as store:
        found = store.splits(scope, stations=whom, filter=filter, qc=qc, target_rows=target_rows)
        kind = sites_of(whom, store.root).kind
    return found, engine_schema(Scope(scope), kind)
