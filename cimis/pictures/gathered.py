"""What a picture is asked to show, and the stored rows that it is drawn from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from cimis.answers.question import Question, question_of
from cimis.answers.rows import rows_of
from cimis.arguments import Day, Items, Years
from cimis.naming.lists import known_stations
from cimis.naming.sites import Stations, station_numbers
from cimis.opened import Opened
from cimis.pipeline.errors import NoDataError, UsageError
from cimis.pipeline.field.items import Item, Scope, Standard
from cimis.pipeline.field.time import network_day
from cimis.pipeline.lacks import Lacks
from cimis.season.reckoned import removed

if TYPE_CHECKING:
    import polars as pl

    from cimis.charts.chart import Chart

__all__ = ["Gathered", "Picture", "Wanted", "bounded", "check_marks", "gathered", "names_of"]

MOST_MARKS = 100_000
"""Values that a chart may have: more take long to draw, and cannot be told apart."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a picture is asked to show; as of :meth:`cimis.Store.daily`.

    Attributes
    ----------
    stations, start, end, items, units, qc
        As a user may give them.
    scope : Scope
    period : int or str, optional
        Years in which the seasons of a normal begin.
    """

    stations: Stations | None = None
    start: Day | None = None
    end: Day | None = None
    items: Items | None = None
    scope: Scope = Scope.DAILY
    units: str = "metric"
    qc: str = "keep"
    period: Years | None = None

    @property
    def standard(self) -> Standard:
        """The system of units; `UsageError` for one that is none."""
        from cimis.queries.conversion import standard

        return standard(self.units)


class Picture(NamedTuple):
    """A chart, and what the rows that it shows are short of."""

    chart: Chart
    lacks: Lacks


class Gathered(NamedTuple):
    """Rows of a picture, in the units asked for, with what is told of them.

    ``span`` has the first and last day to be shown.
    """

    rows: pl.DataFrame
    span: tuple[dt.date, dt.date]
    lacks: Lacks
    notes: tuple[str, ...]


def gathered(
    opened: Opened, wanted: Wanted, items: Sequence[Item], *, by_default: bool = False
) -> Gathered:
    """Return the stored rows of a picture.

    Parameters
    ----------
    items : sequence of Item
        Of the scope wanted.
    by_default : bool
        Whether nobody named them: that nothing stored holds one is then no lack.

    Raises
    ------
    NoDataError
        Where no record is stored of these stations and days; it says so before anything else.
    """
    from cimis.lacking import stop_at_damage

    question = asked(opened, wanted, items)
    rows = rows_of(opened, question, wanted.units, wanted.qc)
    frame = rows.pl()
    lacks = rows.lacks
    if frame.is_empty():
        stop_at_damage(lacks.damaged)
        raise NoDataError(
            f"there is nothing to plot: no {wanted.scope} record is stored of these stations "
            "and days",
            hint="see what is stored with 'cimis stats' and 'cimis gaps'",
        )
    if by_default:
        lacks = replace(lacks, items=(), items_of=())
    return Gathered(
        frame,
        bounded(question, frame),
        lacks,
        removed(rows.timings.values_removed, wanted.qc),
    )


def asked(opened: Opened, wanted: Wanted, items: Sequence[Item]) -> Question:
    """Return what is wanted as a question; `UsageError` for spatial targets."""
    station_numbers(wanted.stations, opened.root, "a plot")
    return question_of(
        opened.root, wanted.scope, wanted.stations, wanted.start, wanted.end, tuple(items)
    )


def bounded(question: Question, rows: pl.DataFrame) -> tuple[dt.date, dt.date]:
    """Return the days to be shown: those asked for up to today, else those that are stored."""
    from cimis.charts.long import span_of

    first, last = span_of(rows)
    until = last if question.last is None else max(last, min(question.last, network_day()))
    return question.first or first, until


def names_of(opened: Opened) -> dict[int, str]:
    """Return the names of the stations that the catalog knows."""
    return {
        int(facts["number"]): str(facts["name"])
        for facts in known_stations(opened.root)
        if facts.get("name")
    }


def check_marks(count: int) -> None:
    """Raise `UsageError` where a chart would have more values than can be drawn."""
    if count > MOST_MARKS:
        raise UsageError(
            f"{count:,} values are too many for one chart",
            hint=f"name fewer days, stations or items; {MOST_MARKS:,} values at most",
        )
