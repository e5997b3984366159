"""Reports as users ask for them; what they are reckoned by is imported when one is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cimis.arguments import Day, Years
from cimis.naming.sites import Stations
from cimis.opened import Opened

if TYPE_CHECKING:
    from cimis.pages.report import Report

__all__ = ["report"]


def report(
    opened: Opened,
    stations: Stations,
    start: Day | None = None,
    end: Day | None = None,
    *,
    year: Years | None = None,
    units: str = "metric",
    low: str | None = None,
    high: str | None = None,
    made_at: str | None = None,
) -> Report:
    """Return a page that shows what the days of stations amounted to, as ``cimis report`` saves it.

    Per station: its card and place, days on the band of their normals, reference ET and rain added
    up beside other seasons, degree days, chill, checks of the sensors, gaps, flags, the table of
    days, where all of it comes from, and the commands that make it again.

    Parameters
    ----------
    stations : int, str or iterable of them
        By number or name, as of :meth:`daily`.
    start, end : date or str
        First and last day, both inclusive; without an end yesterday.
    year : int or str, optional
        Instead of them a calendar year, or a range of years.
    units : {"metric", "english"}
        Of everything on the page.
    low, high : str, optional
        Thresholds of degree days with their unit, as of :meth:`degree_days`; by default 10C and
        30C, in English units 50F and 86F.
    made_at : str, optional
        When the page was made, as it is to say; by default now. All else follows from the store.

    Returns
    -------
    Report
        Its ``html()`` is the page, ``save("report.html")`` writes it; ``lacks`` tells what it is
        short of.

    Raises
    ------
    UsageError
        For an unknown station or day, or more days of stations than a page can hold.
    NoDataError
        When no record of these stations and days is stored.
    """
    from cimis.pages.stations import report_of

    return report_of(
        opened, stations, (year, start, end), units=units, low=low, high=high, made_at=made_at
    )
