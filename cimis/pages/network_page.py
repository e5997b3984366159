"""The page of a county or the whole network: maps, ranking, gaps, sensors, and where it is from."""

from __future__ import annotations

import datetime as dt
import shlex
from collections.abc import Sequence

from cimis.charts.words import listed
from cimis.pages import network_charts as charts
from cimis.pages import network_tables as tables
from cimis.pages.network_facts import NetworkFacts
from cimis.pages.noted import noted
from cimis.pages.page import (
    Beside,
    Block,
    Column,
    Commands,
    Fact,
    Facts,
    Figure,
    Page,
    Section,
    Table,
    Text,
    Tile,
    Tiles,
)

__all__ = ["network_page"]

_MAP_HEIGHT, _MAP_WIDTH = 430, 440
_COURSE_HEIGHT = 360


def network_page(
    facts: NetworkFacts, *, today: dt.date, made: str, asked: Sequence[str], county: str | None
) -> Page:
    """Return the page.

    Parameters
    ----------
    facts : NetworkFacts
    today : datetime.date
        The network's own day, against which the newest stored day is old.
    made : str
        When and by what the page was made.
    asked : sequence of str
        The options that choose stations, units, flags and years, as they were typed.
    county : str, optional
        What was asked for; without it the page is of the network, or of the stations named.
    """
    span = facts.span
    subtitle = f"{span.first} to {span.last}" if span.first != span.last else f"{span.first}"
    counties = _counties(facts) if county else None
    count = facts.stations.height
    who = f"{count:,} station{'' if count == 1 else 's'}"
    where = who if "--stations" in asked else "The CIMIS network"
    if counties:
        names = listed(counties)
        where = f"{names} County" if len(counties) == 1 else f"The counties {names}"
    return Page(
        title=f"{where}: reference ET, gaps and sensors",
        subtitle=f"{subtitle} · {who}",
        summary=[_tiles(facts, today), *noted(facts.lacks, facts.span.notes)],
        sections=[
            Section("maps", "Maps", _maps(facts, counties, subtitle)),
            Section(
                "course",
                f"{span.by.capitalize()} by {span.by}",
                [
                    Figure(charts.course_chart(facts, subtitle), _COURSE_HEIGHT),
                    tables.course(facts),
                ],
            ),
            Section("ranking", "Ranking of the stations", tables.ranking(facts)),
            Section("gaps", "The worst gaps", tables.gaps(facts)),
            Section("sensors", "Sensors", tables.sensors(facts)),
            Section("provenance", "Where the numbers come from", _provenance(facts)),
            Section("again", "Make it again", [_commands(facts, asked)]),
        ],
        made=made,
    )


def _counties(facts: NetworkFacts) -> list[str] | None:
    return sorted(facts.stations["county"].drop_nulls().unique().to_list()) or None


def _tiles(facts: NetworkFacts, today: dt.date) -> Tiles:
    """Return the figures that matter most."""
    span, stations = facts.span, facts.stations
    symbol = span.reference.symbol(span.units)
    digits = 1 if symbol == "in" else 0
    compared = stations.drop_nulls("eto_mapped").sort("eto_mapped")
    middle, off = compared["eto_mapped"].median(), stations["percent"].median()
    due = span.days * stations.height
    there = int(stations["eto_days"].sum())
    bad = stations.filter(stations["verdict"] == "bad").height
    ends = ""
    if compared.height:
        low, high = compared.row(0, named=True), compared.row(-1, named=True)
        ends = (
            f"{low['eto_mapped']:,.{digits}f} at {low['name']} to "
            f"{high['eto_mapped']:,.{digits}f} at {high['name']}"
        )
    age = (today - facts.newest).days
    return Tiles(
        [
            _tile("ETo, median of the stations", middle, digits, symbol, ends, "eto-median"),
            _tile(
                "Against normal, median",
                off,
                1,
                "%",
                f"of {stations['percent'].count()} stations with a normal",
                "anomaly-median",
                signed=True,
            ),
            _tile(
                "Days with ETo", 100 * there / due, 1, "%", f"{there:,} of {due:,}", "completeness"
            ),
            _tile(
                "Stations with a bad sensor", bad, 0, f"of {stations.height}", "", "bad-stations"
            ),
            Tile("Newest stored day", f"{facts.newest}", note=f"{age:,} days ago", key="newest"),
        ]
    )


def _tile(
    label: str,
    value: object,
    digits: int,
    unit: str,
    note: str,
    key: str,
    *,
    signed: bool = False,
) -> Tile:
    if not isinstance(value, int | float):
        return Tile(label, "–", note="no station has enough days", key=key)
    text = f"{value:{'+' if signed else ''},.{digits}f}".replace("-", "\N{MINUS SIGN}")
    return Tile(label, text, unit, note, key, float(value))


def _maps(facts: NetworkFacts, counties: list[str] | None, subtitle: str) -> list[Block]:
    if facts.stations["latitude"].count() == 0:
        why = (
            "There are no maps: the list of stations knows the place of none of these. Fetch it "
            "with 'cimis stations --refresh'."
        )
        return [Text([why])]
    made = (
        charts.eto_map(facts, counties, subtitle),
        charts.anomaly_map(facts, counties, subtitle),
        charts.sensor_map(facts, counties, subtitle),
        charts.freshness_map(facts, counties),
    )
    figures = [Figure(chart, _MAP_HEIGHT, _MAP_WIDTH) for chart in made]
    if facts.stations["percent"].count():
        return [Beside(figures[:2]), Beside(figures[2:])]
    figures.pop(1)
    why = "There is no map against normal: no station has a normal of five years on enough days."
    return [Beside(figures), Text([why])]


def _provenance(facts: NetworkFacts) -> list[Block]:
    from cimis.charts.outlines import origin

    columns = [
        Column("source", "Came by"),
        Column("chunks", "Station-years"),
        Column("rows", "Records"),
        Column("first", "First stored"),
        Column("last", "Last stored"),
    ]
    known = Facts(
        [
            Fact("Network", "California Irrigation Management Information System (CIMIS)"),
            Fact("ETo", f"{facts.span.reference.column}: {facts.span.reference.description}"),
            Fact("Outlines", origin()),
        ]
    )
    return [known, Table("Chunks of the years of this page", facts.sources, columns, key="sources")]


def _commands(facts: NetworkFacts, asked: Sequence[str]) -> Commands:
    span, item = facts.span, facts.span.reference.column
    days = f"--start {span.first} --end {span.last}"
    options = shlex.join(asked)
    typed = f"{days} {options}".strip()
    where = shlex.join(_placing(asked))
    placed = f"{days} {where}".strip()
    sums = (
        f"SELECT station, sum({item}) AS eto FROM daily WHERE date BETWEEN '{span.first}' AND "
        f"'{span.last}' GROUP BY station ORDER BY eto DESC"
    )
    return Commands(
        [
            (f"cimis report --overview {typed} -o network.html", "This page"),
            (f'cimis sql --qc drop-severe "{sums}"', "ETo of each station, in mm"),
            (f"cimis query {placed} --items {item} --compare normal", "Each day against normal"),
            (f"cimis gaps {placed} --items {item} --runs", "Every gap"),
            (f"cimis qc {placed}", "Every check of every sensor"),
        ]
    )


def _placing(asked: Sequence[str]) -> list[str]:
    """Return the options that choose stations."""
    kept: list[str] = []
    for place, word in enumerate(asked):
        if word in ("--county", "--stations", "--near", "--within"):
            kept += asked[place : place + 2]
    return kept
