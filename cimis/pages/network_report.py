"""The report of a county or the whole network: of which days and stations, and its page."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from cimis.arguments import Day, Years, span_of
from cimis.naming.choice import placed
from cimis.naming.sites import Stations, station_numbers
from cimis.naming.where import Where
from cimis.opened import Opened
from cimis.pipeline.field.time import network_day, network_now
from cimis.version import __version__

if TYPE_CHECKING:
    from cimis.pages.report import Report

__all__ = ["network_report"]


def network_report(
    opened: Opened,
    start: Day | None = None,
    end: Day | None = None,
    *,
    year: Years | None = None,
    county: str | None = None,
    stations: Stations | None = None,
    reference: str | None = None,
    period: Years | None = None,
    units: str = "metric",
    qc: str = "drop-severe",
    made_at: str | None = None,
) -> Report:
    """Return a page of a county or the whole network, as ``cimis report --overview`` saves it.

    Maps by reference ET, by its anomaly, by the soundness of sensors and by the last stored day;
    the course by month or day, a ranking of the stations, the longest gaps, the worst sensors, from
    where it all comes, and the commands that make it again.

    Parameters
    ----------
    start, end : date or str
        First and last day, both inclusive; without an end yesterday.
    year : int or str, optional
        Instead of them a calendar year, or a range of years.
    county : str, optional
        Only stations whose county's name holds this text, or one of several by commas.
    stations : int, str or iterable of them, optional
        Only these, as of :meth:`daily`; by default all that are stored.
    reference : {"asce_eto", "eto"}, optional
        Which reference ET; by default the one with more values in these days.
    period : int or str, optional
        Years that normals are of; by default all that a station has.
    units : {"metric", "english"}
    qc : {"keep", "drop-severe", "strict"}
        Which flagged values of ET and rain do not count.
    made_at : str, optional
        When the page was made, as it is to say; by default now. All else follows from the store.

    Returns
    -------
    Report
        Its ``html()`` is the page, ``save("network.html")`` writes it; ``lacks`` tells what it is
        short of.

    Raises
    ------
    UsageError
        For an unknown county, station, unit or day.
    NoDataError
        When no record of these days is stored, or no station there worked in them.
    """
    from cimis.pages.network_facts import network_facts
    from cimis.pages.network_page import network_page
    from cimis.pages.report import Report

    yesterday = network_day() - dt.timedelta(days=1)
    first, last = span_of(year, start, end)
    last = max(min(last, yesterday), first)
    named = station_numbers(stations, opened.root, "a network report")
    whom = placed(opened.root, named, Where(county), (first, last))
    asked = [] if named is None else ["--stations", ",".join(map(str, named))]
    asked += [] if county is None else ["--county", county]
    for name, value, usual in (("--units", units, "metric"), ("--qc", qc, "drop-severe")):
        asked += [name, value] if value != usual else []
    facts = network_facts(
        opened,
        first,
        last,
        stations=None if whom is None else tuple(whom),
        reference=reference,
        period=period,
        units=units,
        qc=qc,
    )
    page = network_page(
        facts,
        today=network_day(),
        made=f"Made {made_at or _now()} by cimis {__version__}.",
        asked=asked,
        county=county,
    )
    shown = tuple(facts.stations["station"].to_list())
    return Report(page, facts.lacks, facts.span.notes, stations=shown)


def _now() -> str:
    return f"{network_now():%Y-%m-%d %H:%M} PST"
