"""Pictures by kind: what ``cimis plot`` and :meth:`cimis.Store.plot` can draw."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from cimis.arguments import Day, Items, Years, scope_of
from cimis.lacking import warn_of
from cimis.naming.sites import Stations
from cimis.opened import Opened
from cimis.pictures import calendars, over_time, pairs, seasons, winds
from cimis.pictures.gathered import Picture, Wanted
from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Scope

if TYPE_CHECKING:
    from cimis.charts.chart import Chart

__all__ = ["KINDS", "pictured", "plot"]

KINDS: Mapping[str, Callable[[Opened, Wanted], Picture]] = {
    "series": over_time.series,
    "eto-rain": over_time.eto_rain,
    "cumulated": seasons.cumulated,
    "gaps": calendars.gaps,
    "rose": winds.rose,
    "scatter": pairs.scatter,
}


def plot(
    opened: Opened,
    kind: str = "series",
    stations: Stations | None = None,
    start: Day | None = None,
    end: Day | None = None,
    items: Items | None = None,
    *,
    scope: str | Scope = "daily",
    units: str = "metric",
    qc: str = "keep",
    period: Years | None = None,
) -> Chart:
    """Return a chart of what is stored; notebooks show it, and ``save`` writes it.

    Parameters
    ----------
    kind : str
        ``series``: items over time. ``eto-rain``: reference ET against rain. ``cumulated``: a
        season added up, against the same season of other years. ``gaps``: a calendar of what is
        stored. ``rose``: a wind rose, from hourly records. ``scatter``: an item of two stations.
    stations, start, end, items, units, qc
        As of :meth:`daily`. Each kind has items by default; of ``cumulated`` the days are this
        water year.
    scope : {"daily", "hourly"}
        Of ``series``, ``gaps`` and ``scatter``.
    period : int or str, optional
        Of ``cumulated``: years in which the other seasons begin, as ``"1991-2020"``.

    Returns
    -------
    Chart
        Its ``rows`` are a data frame of what is drawn, its ``notes`` say what was left out.

    Raises
    ------
    UsageError
        For an unknown kind, and for what a kind cannot show.
    NoDataError
        Where there is nothing to plot.

    Warns
    -----
    IncompleteAnswer
        When the rows are less than what was asked; its ``lacks`` tells of what.
    """
    picture = pictured(
        opened, kind, Wanted(stations, start, end, items, scope_of(scope), units, qc, period)
    )
    warn_of(picture.lacks)
    return picture.chart


def pictured(opened: Opened, kind: str, wanted: Wanted) -> Picture:
    """Return a picture of some kind, with what it lacks, which nobody is warned of."""
    drawing = KINDS.get(kind)
    if drawing is None:
        raise UsageError(f"there is no plot called '{kind}'", hint=f"choose {', '.join(KINDS)}")
    if wanted.period is not None and kind != "cumulated":
        raise UsageError(
            f"a plot of {kind} has no period", hint="'cumulated' compares with other years"
        )
    return drawing(opened, wanted)
