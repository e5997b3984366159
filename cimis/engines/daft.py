"""What is stored as a Daft data frame, which asks for the rows and columns that a plan needs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cimis.engines.splitting import splits_at
from cimis.pipeline.errors import UsageError
from cimis.pipeline.extras import needing
from cimis.pipeline.storage.locations import anywhere

if TYPE_CHECKING:
    import daft
    import pyarrow.compute as pc

    from cimis.naming.sites import Stations

__all__ = ["to_daft"]

_ABSTRACT = {"DataSource": {"name", "schema", "get_tasks"}, "DataSourceTask": {"schema"}}


def to_daft(
    where: str | Path = "data",
    scope: str = "daily",
    *,
    stations: Stations | None = None,
    filter: pc.Expression | None = None,  # noqa: A002
    qc: str = "keep",
    target_rows: int = 100_000,
) -> daft.DataFrame:
    """Return the rows of a scope as a lazy Daft data frame.

    What a plan filters by reaches the chunks unasked as far as it compares columns with values or
    with one another; the rest Daft does itself. Columns not used are not decoded.

    Parameters
    ----------
    where : path
        The data directory, as the workers too must find it.
    scope, stations, filter, qc, target_rows
        As of :meth:`cimis.Store.splits`. A plan reads what is stored when it runs, which may be
        more than when the frame was made.

    Returns
    -------
    daft.DataFrame
        Columns as of :func:`cimis.queries.splits.split.engine_schema`; the rows in no order.

    Raises
    ------
    UsageError
        Where Daft is not installed, or is a version whose interface for sources is another, and as
        of :meth:`cimis.Store.splits`.
    """
    with needing("daft", "daft is not installed ({error})"):
        import_module("daft")
    _check_interface()
    whom = tuple(stations) if isinstance(stations, Iterator) else stations
    ask = partial(splits_at, anywhere(Path(where)), scope, whom, qc=qc)
    _, schema = ask(filter, target_rows=target_rows)
    source: Any = import_module("cimis.engines.daft_source").Source(
        ask, schema, filter, target_rows
    )
    made: daft.DataFrame = source.read()
    return made


def _check_interface() -> None:
    """Refuse a Daft whose sources are written in another way, before it fails in the middle."""
    try:
        found: Any = import_module("daft.io.source")
        for name, due in _ABSTRACT.items():
            if getattr(found, name).__abstractmethods__ != due:
                raise ImportError(f"{name} asks for other methods")
        import_module("cimis.engines.daft_source")
    except (ImportError, AttributeError) as error:
        version = getattr(import_module("daft"), "__version__", "?")
        raise UsageError(
            f"daft {version} has another interface for sources ({error})",
            hint="versions 0.7.20 to 0.7.26 work: pip install 'daft>=0.7.20,<=0.7.26'",
        ) from error
