"""Rows of stations or spatial targets over a range of days: as a frame, or to be streamed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from cimis.answers.question import Question, question_of
from cimis.arguments import Day, Items, count_of
from cimis.lacking import warn_of_damage, warned
from cimis.naming.labels import named_frame
from cimis.naming.sites import Stations
from cimis.opened import Opened
from cimis.pipeline.field.items import Scope

if TYPE_CHECKING:
    import polars as pl

    from cimis.queries.answers.rows import Rows
    from cimis.queries.timing import QueryTimings

__all__ = ["daily", "hourly", "query", "rows_of"]


@overload
def daily(
    opened: Opened,
    stations: Stations | None = None,
    start: Day | None = None,
    end: Day | None = None,
    items: Items | None = None,
    *,
    units: str = "metric",
    qc: str = "keep",
    names: bool = False,
    to: Literal["polars"] = "polars",
) -> pl.DataFrame: ...
@overload
def daily(
    opened: Opened,
    stations: Stations | None = None,
    start: Day | None = None,
    end: Day | None = None,
    items: Items | None = None,
    *,
    units: str = "metric",
    qc: str = "keep",
    names: bool = False,
    to: str,
) -> Any: ...
def daily(
    opened: Opened,
    stations: Stations | None = None,
    start: Day | None = None,
    end: Day | None = None,
    items: Items | None = None,
    *,
    units: str = "metric",
    qc: str = "keep",
    names: bool = False,
    to: str = "polars",
) -> Any:
    """Return daily rows as a data frame, in station and date order.

    Parameters
    ----------
    stations : int, str, Target or iterable of them, optional
        Stations by number, as ``2``, ``[2, 5]`` or ``"2,5-7"``, or by name, as ``"Davis"``: the
        whole name, its beginning or a word of it, whatever the case. Or spatial targets, as
        ``"zip:93624"``, ``"coordinate:34.99,-118.34"``, ``"address:HQ"``, or ``"targets"`` for all
        that are stored. By default all stations that are stored.
    start, end : date or str, optional
        First and last day (``"2024-06-01"``), both inclusive.
    items : str or iterable of str, optional
        Items by short name or API code, in the order of the columns; by default all stored.
    units : {"metric", "english"}
    qc : {"keep", "drop-severe", "strict"}
        What flags do to values: nothing; those flagged severe become missing; all flagged do.
    names : bool
        Give ``station_name`` behind ``station``, from the network's list that the catalog keeps;
        a data set of xarray has the names among its coordinates anyhow.
    to : {"polars", "pandas", "xarray"}
        Whose data frame; the others are extras. They hold the units too, as those of
        :meth:`query`'s ``.df()`` and ``.xr()``, which are the same.

    Returns
    -------
    polars.DataFrame, pandas.DataFrame or xarray.Dataset
        ``station`` (UInt16), of targets ``target`` (String), ``date``, and per item its value
        (Float64, missing is null) and its flag (String, passed is null). Of pandas see
        :func:`cimis.queries.labelled.pandas_frame.pandas_frame`; of xarray, where the dimensions
        are station (or target) and time, :func:`cimis.queries.labelled.cube.cube`.

    Raises
    ------
    UsageError
        For an unknown item, policy, unit, a date that is none, a name that no station or several
        stations have, stations and targets at once, and a library that is not installed.
    StoreError
        When the catalog or a chunk is damaged.

    Warns
    -----
    IncompleteAnswer
        When the answer is less than what was asked; its ``lacks`` tells of what.
    """
    question = question_of(opened.root, Scope.DAILY, stations, start, end, items)
    frame = warned(rows_of(opened, question, units, qc), to)
    return named_frame(opened.root, frame) if names else frame


@overload
def hourly(
    opened: Opened,
    stations: Stations | None = None,
    start: Day | None = None,
    end: Day | None = None,
    items: Items | None = None,
    *,
    units: str = "metric",
    qc: str = "keep",
    names: bool = False,
    to: Literal["polars"] = "polars",
) -> pl.DataFrame: ...
@overload
def hourly(
    opened: Opened,
    stations: Stations | None = None,
    start: Day | None = None,
    end: Day | None = None,
    items: Items | None = None,
    *,
    units: str = "metric",
    qc: str = "keep",
    names: bool = False,
    to: str,
) -> Any: ...
def hourly(
    opened: Opened,
    stations: Stations | None = None,
    start: Day | None = None,
    end: Day | None = None,
    items: Items | None = None,
    *,
    units: str = "metric",
    qc: str = "keep",
    names: bool = False,
    to: str = "polars",
) -> Any:
    """Return hourly rows as a data frame, in station and time order; see :meth:`daily`.

    ``time`` is the end of the hour in Pacific standard time, all year; ``date`` and ``hour``
    (1..24) are the network's own, and ``start`` and ``end`` mean ``date``. Spatial targets have
    none.
    """
    question = question_of(opened.root, Scope.HOURLY, stations, start, end, items)
    frame = warned(rows_of(opened, question, units, qc), to)
    return named_frame(opened.root, frame) if names else frame


def query(
    opened: Opened,
    scope: str | Scope = "daily",
    *,
    stations: Stations | None = None,
    start: Day | None = None,
    end: Day | None = None,
    items: Items | None = None,
    units: str = "metric",
    qc: str = "keep",
    limit: int | None = None,
    timings: QueryTimings | None = None,
) -> Rows:
    """Return the same rows unread: to stream, to write to a file, to time.

    Their ``lacks`` tells what they are short of; only damaged chunks are warned of at once.
    """
    question = question_of(opened.root, scope, stations, start, end, items)
    rows = rows_of(opened, question, units, qc, limit=limit, timings=timings)
    warn_of_damage(rows.damaged)
    return rows


def rows_of(
    opened: Opened,
    question: Question,
    units: str,
    qc: str,
    *,
    limit: int | None = None,
    timings: QueryTimings | None = None,
) -> Rows:
    """Return the rows of a question, without a warning."""
    from cimis.queries.answers.rows import Rows
    from cimis.queries.conversion import standard
    from cimis.queries.quality import policy

    most = None if limit is None else count_of(limit, "a limit")
    wish = question.wish(policy(qc), limit=most)
    tally = question.tally(opened.root, limit=most)
    return Rows(opened.engine, wish, standard(units), timings, tally)
