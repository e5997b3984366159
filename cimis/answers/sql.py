"""SQL over what is stored: an answer, a connection, and the tables of stations and chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cimis.lacking import warn_of_damage
from cimis.opened import Opened
from cimis.pipeline.errors import UsageError

if TYPE_CHECKING:
    import duckdb
    import polars as pl

    from cimis.queries.answers.tally import Tally
    from cimis.queries.engines.answer import Answer, Heads
    from cimis.queries.engines.inventory import Named
    from cimis.queries.engines.seat import Parameters
    from cimis.queries.timing import QueryTimings

__all__ = ["answered", "chunks", "connect", "sql", "stations"]


def sql(
    opened: Opened,
    text: str,
    params: Parameters | None = None,
    *,
    qc: str = "keep",
    units: str = "metric",
    unsafe: bool = False,
    timings: QueryTimings | None = None,
) -> Answer:
    """Return the answer to SQL over daily, hourly, spatial_daily, stations and chunks.

    Parameters
    ----------
    text : str
        One statement that reads, in DuckDB's dialect.
    params : sequence or mapping, optional
        Values for ``?`` or ``$name``.
    qc : {"keep", "drop-severe", "strict"}
    units : {"metric", "english"}
        Of the views, so of what is computed and of thresholds too: see ``docs/answers.md``.
    unsafe : bool
        Lift the sandbox: files, network, extensions, configuration, writing statements.

    Raises
    ------
    UsageError
        For SQL that is wrong or not allowed.
    """
    return answered(opened, text, params, qc=qc, units=units, unsafe=unsafe, timings=timings)


def answered(
    opened: Opened,
    text: str,
    params: Parameters | None = None,
    *,
    qc: str = "keep",
    units: str = "metric",
    unsafe: bool = False,
    timings: QueryTimings | None = None,
    tally: Tally | None = None,
    heads: Heads | None = None,
    named: Named | None = None,
) -> Answer:
    """Return the same with what it is short of, its heads, and the chunks that it names."""
    from cimis.queries.conversion import standard
    from cimis.queries.engines.answer import Answer
    from cimis.queries.mirror.sight import Sight
    from cimis.queries.quality import policy

    if not isinstance(text, str):
        raise UsageError(f"{text!r} is no SQL", hint="give a text")
    answer = Answer(
        opened.engine,
        text,
        params,
        sight=Sight(policy(qc), standard(units)),
        unsafe=unsafe,
        timings=timings,
        tally=tally,
        heads=heads,
        named=named,
    )
    warn_of_damage(answer.damaged)
    return answer


def connect(
    opened: Opened, *, qc: str = "keep", units: str = "metric", unsafe: bool = False
) -> duckdb.DuckDBPyConnection:
    """Return a sandboxed DuckDB connection to what is stored now; close it after use."""
    from cimis.queries.conversion import standard
    from cimis.queries.mirror.sight import Sight
    from cimis.queries.native import with_arrow
    from cimis.queries.quality import policy

    with_arrow()
    sight = Sight(policy(qc), standard(units))
    made: duckdb.DuckDBPyConnection = opened.engine.connection(sight, unsafe=unsafe)
    return made


def stations(opened: Opened) -> pl.DataFrame:
    """Return the stations that the catalog knows, as the service lists them, by ``station``."""
    from cimis.queries.frames import whole

    return whole(sql(opened, "SELECT * FROM stations ORDER BY station").table())


def chunks(opened: Opened) -> pl.DataFrame:
    """Return one row per stored chunk: path, station, year, scope, rows, times, state."""
    from cimis.queries.frames import whole

    return whole(sql(opened, "SELECT * FROM chunks").table())
