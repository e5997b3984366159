"""The card of a station: what the network says of it, and a map of its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cimis.charts.map import station_map
from cimis.charts.words import item_word, listed, sentence
from cimis.pages.page import Beside, Block, Fact, Facts, Figure, Note, Section
from cimis.pages.station.subject import Subject
from cimis.pipeline.field.items import Standard
from cimis.pipeline.field.units import FOOT_M

__all__ = ["card"]


def card(subject: Subject, key: str, heading: str) -> Section:
    """Return the section of a station's facts and place."""
    facts = subject.facts
    if not facts:
        told = (
            f"The network's list of stations is not stored, so nothing is known of station "
            f"{subject.station} but its records: 'cimis stations --refresh' fetches it."
        )
        return Section(key, heading, [Note([told]), Facts([Fact("Items stored", _items(subject))])])
    blocks: list[Block] = [Facts(list(_facts(subject, facts)))]
    if facts.get("latitude") is not None and facts.get("longitude") is not None:
        blocks.append(Figure(_place(subject), height=330, narrow=340))
    return Section(key, heading, [Beside(blocks)])


def _facts(subject: Subject, facts: Mapping[str, Any]) -> list[Fact]:
    told = [
        ("Number", str(subject.station)),
        ("Name", facts.get("name")),
        ("Near", facts.get("city")),
        ("County", facts.get("county")),
        ("Regional office", facts.get("regional_office")),
        ("Place", _coordinates(facts)),
        ("Elevation", _elevation(facts, subject.standard)),
        ("Ground cover", facts.get("ground_cover")),
        ("Siting", facts.get("siting")),
        ("At work since", facts.get("connected")),
        ("Closed", facts.get("disconnected")),
        ("Made for ETo", {True: "yes", False: "no"}.get(facts.get("eto", None))),
        ("Zip codes", ", ".join(facts.get("zip_codes") or ())),
        ("Items stored", _items(subject)),
    ]
    return [Fact(name, str(value)) for name, value in told if value]


def _coordinates(facts: Mapping[str, Any]) -> str | None:
    latitude, longitude = facts.get("latitude"), facts.get("longitude")
    if latitude is None or longitude is None:
        return None
    north = f"{abs(latitude):.4f}° {'N' if latitude >= 0 else 'S'}"
    return f"{north}, {abs(longitude):.4f}° {'E' if longitude >= 0 else 'W'}"


def _elevation(facts: Mapping[str, Any], standard: Standard) -> str | None:
    metres = facts.get("elevation_m")
    if metres is None:
        return None
    if standard is Standard.ENGLISH:
        return f"{metres / FOOT_M:,.0f} ft"
    return f"{metres:,.0f} m"


def _items(subject: Subject) -> str:
    return listed(sentence([item_word(item) for item in subject.items]))


def _place(subject: Subject) -> Any:
    import polars as pl

    facts = subject.facts
    row = {
        "station": subject.station,
        **{name: facts.get(name) for name in ("name", "county", "latitude", "longitude")},
    }
    rows = pl.DataFrame([row]).with_columns(pl.col("name").fill_null(str(subject.station)))
    return station_map(rows, title=f"Where {subject.word} lies", subtitle="California's counties")
