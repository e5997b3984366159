"""What is stored as a Dask data frame, a split a partition."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cimis.engines.splitting import splits_at
from cimis.pipeline.extras import needing

if TYPE_CHECKING:
    from collections.abc import Sequence

    import dask.dataframe as dd
    import pandas as pd
    import pyarrow.compute as pc

    from cimis.naming.sites import Stations
    from cimis.queries.splits.split import Split

__all__ = ["to_dask"]


def to_dask(
    where: str | Path = "data",
    scope: str = "daily",
    *,
    stations: Stations | None = None,
    filter: pc.Expression | None = None,  # noqa: A002
    qc: str = "keep",
    target_rows: int = 100_000,
) -> dd.DataFrame:
    """Return the rows of a scope as a lazy Dask data frame; columns not used are not decoded.

    Parameters
    ----------
    where : path
        The data directory, as the workers too must find it.
    scope, stations, filter, qc, target_rows
        As of :meth:`cimis.Store.splits`. Dask tells nobody which rows a plan needs, so give
        ``filter`` what the plan filters by: chunks without such rows are not read then.

    Returns
    -------
    dask.dataframe.DataFrame
        Columns as of :func:`cimis.queries.splits.split.engine_schema`; by station and time.

    Raises
    ------
    UsageError
        Where Dask is not installed, and as of :meth:`cimis.Store.splits`.
    """
    with needing("dask", "dask is not installed ({error})"):
        frames: Any = import_module("dask.dataframe")
    found, schema = splits_at(where, scope, stations, filter, qc, target_rows)
    empty = schema.empty_table().to_pandas(date_as_object=False)
    made: dd.DataFrame
    if not found:
        made = frames.from_pandas(empty, npartitions=1)
    else:
        made = frames.from_map(_frame, found, meta=empty, enforce_metadata=False)
    return made


def _frame(split: Split, columns: Sequence[str] | None = None) -> pd.DataFrame:
    return split.table(columns).to_pandas(date_as_object=False)
