"""The charts of a network page: maps by ETo, anomaly, sensors and freshness, and the course."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cimis.charts.chart import Chart
from cimis.charts.course import course
from cimis.charts.map import Shade, station_map
from cimis.pages.network_facts import FRESHNESS, VERDICTS, NetworkFacts

if TYPE_CHECKING:
    import polars as pl

__all__ = ["anomaly_map", "course_chart", "eto_map", "freshness_map", "sensor_map"]

_PLACE = ("station", "name", "county", "latitude", "longitude")


def _rows(facts: NetworkFacts, *columns: str) -> pl.DataFrame:
    """Return what a map reads, so that a page carries nothing else of it."""
    return facts.stations.select(*_PLACE, *columns).with_columns(
        # a metre, and the page is shorter
        *(facts.stations[name].round(4) for name in ("latitude", "longitude"))
    )


def eto_map(facts: NetworkFacts, counties: Sequence[str] | None, subtitle: str) -> Chart:
    """Return the map by ETo of the span; stations that lack too many days are rings."""
    symbol = facts.span.reference.symbol(facts.span.units)
    decimals = _decimals(symbol)
    return station_map(
        _rows(facts, "eto_mapped", "eto_days").with_columns(
            facts.stations["eto_mapped"].round(decimals)
        ),
        Shade("eto_mapped", f"ETo ({symbol})", decimals=decimals),
        title="Reference ET",
        subtitle=subtitle,
        counties=counties,
        others={"eto_days": "Days with ETo"},
    )


def anomaly_map(facts: NetworkFacts, counties: Sequence[str] | None, subtitle: str) -> Chart:
    """Return the map by the anomaly of ETo in per cent of the normal."""
    return station_map(
        _rows(facts, "percent").with_columns(facts.stations["percent"].round(1)),
        Shade("percent", "Against normal (%)", diverging=True),
        title="Reference ET against normal",
        subtitle=subtitle,
        counties=counties,
    )


def sensor_map(facts: NetworkFacts, counties: Sequence[str] | None, subtitle: str) -> Chart:
    """Return the map by the worst verdict on a station's sensors."""
    return station_map(
        _rows(facts, "verdict", "why"),
        Shade("verdict", "Worst verdict", words=VERDICTS),
        title="Sensors",
        subtitle=subtitle,
        counties=counties,
        others={"why": "Check"},
    )


def freshness_map(facts: NetworkFacts, counties: Sequence[str] | None) -> Chart:
    """Return the map by how far the last stored day lies behind the newest."""
    last = facts.stations["last_day"].dt.strftime("%Y-%m-%d").alias("last")
    return station_map(
        _rows(facts, "freshness").with_columns(last),
        Shade("freshness", "Last stored day", words=FRESHNESS),
        title="Freshness",
        subtitle=f"Behind {facts.newest}, the newest day that is stored",
        counties=counties,
        others={"last": "Last stored day"},
    )


def course_chart(facts: NetworkFacts, subtitle: str) -> Chart:
    """Return the course of the network through the span."""
    span = facts.span
    return course(
        span.course,
        by=span.by,
        symbol=span.reference.symbol(span.units),
        title=f"The stations {span.by} by {span.by}",
        subtitle=subtitle,
    )


def _decimals(symbol: str) -> int:
    """Return the decimals of a sum of depths that people read."""
    return 1 if symbol == "in" else 0
