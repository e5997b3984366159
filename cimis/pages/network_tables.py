"""The tables of a network page: its course, the ranking of its stations, gaps and sensors."""

from __future__ import annotations

from cimis.pages.network_facts import VERDICTS, NetworkFacts
from cimis.pages.page import Block, Column, Table, Text
from cimis.season.network import ENOUGH

__all__ = ["course", "gaps", "ranking", "sensors"]

_MOST = 40
"""Rows of gaps and of findings that a page lists; it tells how many more there are."""

_WHO = (Column("name", "Station"), Column("station", "Number"))
_WHERE = (*_WHO, Column("county", "County"))


def course(facts: NetworkFacts) -> Table:
    """Return what the stations had by day or month."""
    span = facts.span
    symbol = span.reference.symbol(span.units)
    form = "%Y-%m" if span.by == "month" else "%Y-%m-%d"
    rows = span.course.with_columns(begin=span.course["begin"].dt.strftime(form))
    day, digits = f"{symbol}/day", 3 if symbol == "in" else 2
    return Table(
        f"The stations {span.by} by {span.by}",
        rows,
        [
            Column("begin", span.by.capitalize()),
            Column("median", "ETo, median", day, digits),
            Column("normal", "Normal, median", day, digits),
            Column("p10", "Lowest tenth below", day, digits),
            Column("p90", "Highest tenth above", day, digits),
            Column("rain", "Rain, mean", symbol, digits - 1),
            Column("stations", "Stations with ETo"),
        ],
        key="course",
        tall=rows.height > _MOST,
    )


def ranking(facts: NetworkFacts) -> list[Block]:
    """Return the stations by ETo, by their anomaly, and the rules of both."""
    span, stations = facts.span, facts.stations
    symbol = span.reference.symbol(span.units)
    digits = 2 if symbol == "in" else 1
    rule = (
        f"Sums are of the days that have a value. Stations with ETo on less than {ENOUGH:.0%} of "
        f"the {span.days:,} days are not ranked, but listed with what they have."
    )
    eto, days = Column("eto", "ETo", symbol, digits), Column("eto_days", "Days with ETo")
    tall = stations.height > _MOST
    blocks: list[Block] = [
        Text([rule]),
        Table(
            "Stations by ETo, the highest first",
            stations.sort("eto_rank", "station", nulls_last=True),
            [
                *_WHERE,
                Column("eto_rank", "Rank"),
                eto,
                days,
                Column("rain", "Rain", symbol, digits),
                Column("verdict", "Sensors"),
                Column("last_day", "Last stored day"),
            ],
            key="ranking",
            tall=tall,
        ),
    ]
    compared = stations.filter(stations["percent"].is_not_null()).sort("percent_rank", "station")
    if compared.is_empty():
        return blocks
    meaning = (
        "The anomaly is ETo less the normal of the same days: the mean of the calendar day and of "
        "seven days to each side, over the stored years. Stations without five years have none."
    )
    by_anomaly = Table(
        "Stations by anomaly, the farthest above normal first",
        compared,
        [
            *_WHERE,
            Column("percent_rank", "Rank"),
            Column("percent", "Anomaly", "%", 1),
            Column("anomaly", "Anomaly", symbol, digits),
            eto,
            Column("normal", "Normal", symbol, digits),
            days,
        ],
        key="anomalies",
        tall=tall,
    )
    return [*blocks, Text([meaning]), by_anomaly]


def gaps(facts: NetworkFacts) -> list[Block]:
    """Return the longest runs of days without ETo."""
    item, found = facts.span.reference.column, facts.gaps
    if found.is_empty():
        return [Text([f"No station lacks {item} on any day."])]
    shown = found.head(_MOST)
    which = f", the longest {shown.height} of {found.height:,}" if found.height > _MOST else ""
    meaning = (
        f"Runs of days without {item}{which}. Absent days have no record at all; of missing ones "
        "only the value is not there."
    )
    table = Table(
        "The longest gaps",
        shown,
        [
            *_WHERE,
            Column("kind", "Kind"),
            Column("first", "First day"),
            Column("last", "Last day"),
            Column("length", "Days"),
        ],
        key="gaps",
    )
    return [Text([meaning]), table]


def sensors(facts: NetworkFacts) -> list[Block]:
    """Return how many stations have which verdict, and the worst findings."""
    counts = dict(facts.stations["verdict"].value_counts().iter_rows())
    said = ", ".join(f"{counts.get(one, 0)} {one}" for one in VERDICTS)
    text = Text([f"Stations by their worst verdict: {said}. Flagged values are not judged."])
    found = facts.findings
    if found.is_empty():
        return [text]
    shown = found.head(_MOST)
    which = f", {shown.height} of {found.height:,}" if found.height > _MOST else ""
    table = Table(
        f"Suspect and bad sensors, the worst first{which}",
        shown,
        [
            *_WHO,
            Column("verdict", "Verdict"),
            Column("check", "Check"),
            Column("item", "Item"),
            Column("marked", "Beyond the bounds"),
            Column("judged", "Judged"),
            Column("worst", "Worst figure", decimals=2),
            Column("worst_at", "On"),
        ],
        key="sensors",
    )
    return [text, table]
