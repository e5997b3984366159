"""The report of stations: one page of what their days amounted to, and what to think of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cimis.arguments import Day, Years, span_of
from cimis.charts.words import called, span_words
from cimis.lacking import stop_at_damage, warn_of_damage
from cimis.naming.lists import known_stations
from cimis.naming.sites import Stations, station_numbers
from cimis.opened import Opened
from cimis.pages.noted import noted
from cimis.pages.page import Page, Section, Tiles
from cimis.pages.report import Report
from cimis.pages.station.card import card
from cimis.pages.station.cold import cold_of, cold_section
from cimis.pages.station.days_table import days_table
from cimis.pages.station.gaps_section import flags, gaps
from cimis.pages.station.heat import heat_of, heat_section
from cimis.pages.station.provenance import provenance
from cimis.pages.station.recipes import recipes
from cimis.pages.station.season import added_up, running_of, season
from cimis.pages.station.sensors import judge, sensors
from cimis.pages.station.subject import Subject, subject_of
from cimis.pages.station.summary import tiles
from cimis.pipeline.errors import NoDataError, UsageError
from cimis.pipeline.field.items import Standard
from cimis.version import __version__

if TYPE_CHECKING:
    from cimis.pipeline.lacks import Lacks

__all__ = ["MOST_STATION_DAYS", "report_of"]

MOST_STATION_DAYS = 1_100
"""Days of all stations together, three years, so that the page can be mailed."""

_MOST_STATIONS = 4
_DAILY = 740
"""Days of all stations together up to which each has a line in a table; above, each month."""


def report_of(
    opened: Opened,
    stations: Stations,
    days: tuple[Years | None, Day | None, Day | None],
    *,
    units: str,
    low: str | None,
    high: str | None,
    made_at: str | None,
) -> Report:
    """Return the report; see :func:`cimis.pages.reporting.report`. ``days`` is year, start, end."""
    from cimis.queries.conversion import standard

    kind = standard(units)
    numbers = station_numbers(stations, opened.root, "a report")
    span = _span(*days)
    count = (span[1] - span[0]).days + 1
    if numbers is None:
        raise UsageError("a report is of stations that are named", hint="name some, as 80,2")
    if len(numbers) > _MOST_STATIONS:
        raise UsageError(
            f"{len(numbers)} stations are more than one page can hold",
            hint=f"name at most {_MOST_STATIONS}",
        )
    if len(numbers) * count > MOST_STATION_DAYS:
        raise UsageError(
            f"{count:,} days of {len(numbers)} station{'s' * (len(numbers) > 1)} are more than one "
            "page can hold",
            hint=f"name fewer: stations times days are at most {MOST_STATION_DAYS:,}",
        )
    known = known_stations(opened.root)
    read = [subject_of(opened, number, span, kind, known) for number in numbers]
    subjects = [subject for subject, _ in read if subject is not None]
    lacks = _lacks([lacks for _, lacks in read])
    if not subjects:
        stop_at_damage(lacks.damaged)
        raise NoDataError(
            "no daily record is stored of these stations and days",
            hint="see what is stored with 'cimis stats' and 'cimis gaps'",
        )
    warn_of_damage(lacks.damaged)
    asked = _asked(numbers, span, kind, low, high)
    sections: list[Section] = []
    summary = noted(lacks, ())
    for subject in subjects:
        own, figures = _of_station(
            subject,
            asked,
            (low, high),
            daily=len(subjects) * count <= _DAILY,
            several=len(subjects) > 1,
        )
        summary.append(figures)
        sections += own
    names = {number: name for one in subjects for number, name in one.names.items()}
    title = called([one.station for one in subjects], names)
    page = Page(
        title,
        f"{span_words(*span)}, from stored CIMIS records",
        sections,
        summary,
        f"Made {made_at or _now()} by cimis {__version__}.",
    )
    return Report(page, lacks, stations=tuple(one.station for one in subjects))


def _span(year: Years | None, start: Day | None, end: Day | None) -> tuple[dt.date, dt.date]:
    """Return the days, none of them later than yesterday where an earlier one is asked for."""
    from cimis.pipeline.field.time import network_day

    yesterday = network_day() - dt.timedelta(days=1)
    first, last = span_of(year, start, end)
    return first, max(min(last, yesterday), first)


def _of_station(
    subject: Subject,
    asked: str,
    thresholds: tuple[str | None, str | None],
    *,
    daily: bool,
    several: bool,
) -> tuple[list[Section], Tiles]:
    """Return the sections of a station, and its figures in large type."""
    totals = running_of(subject)
    heat, cold, quality = heat_of(subject, *thresholds), cold_of(subject), judge(subject)

    def named(key: str, words: str) -> tuple[str, str]:
        own = f"{subject.word}: {words[0].lower()}{words[1:]}" if several else words
        return f"{key}-{subject.station}", own

    sections = [
        card(subject, *named("station", "Station and place")),
        season(subject, *named("season", "The season beside its normals")),
        added_up(subject, totals, *named("water", "Reference ET and rain")),
        heat_section(subject, heat, *named("heat", "Degree days")),
        cold_section(subject, cold, *named("chill", "Winter chill")),
        sensors(subject, quality, *named("sensors", "Are the sensors sound?")),
        gaps(subject, *named("gaps", "What is not there")),
        flags(subject, *named("flags", "Flags of the network")),
        days_table(subject, daily, *named("days", "Day by day" if daily else "Month by month")),
        provenance(subject, *named("provenance", "Where the figures come from")),
        recipes(subject, heat, cold, asked, *named("commands", "Commands that make them again")),
    ]
    if several:  # one way to each station, as eleven to each would be a page of their own
        first, *others = sections
        sections = [replace(first, label=subject.word)]
        sections += [replace(section, listed=False) for section in others]
    figures = tiles(subject, totals, heat, cold, quality)
    return sections, Tiles(figures, subject.word if several else "")


def _lacks(each: Sequence[Lacks]) -> Lacks:
    """Return together what the stations' rows are short of."""
    return replace(
        each[0],
        without_rows=tuple(site for one in each for site in one.without_rows),
        short=tuple(part for one in each for part in one.short),
        items_of=tuple(part for one in each for part in one.items_of),
        damaged=tuple(dict(part for one in each for part in one.damaged).items()),
    )


def _asked(
    numbers: Sequence[int],
    span: tuple[dt.date, dt.date],
    standard: Standard,
    low: str | None,
    high: str | None,
) -> str:
    """Return the command line that makes the page."""
    words = [
        "cimis report --stations",
        ",".join(map(str, numbers)),
        f"--start {span[0]} --end {span[1]}",
    ]
    if standard is Standard.ENGLISH:
        words.append("--units english")
    words += [f"--{name} {value}" for name, value in (("low", low), ("high", high)) if value]
    return " ".join([*words, "-o report.html"])


def _now() -> str:
    from cimis.pipeline.field.time import network_now

    return f"{network_now():%Y-%m-%d %H:%M} PST"
