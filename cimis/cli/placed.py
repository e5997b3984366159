"""Stations chosen by place, from the list that the catalog keeps: a county, or around a point."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cimis.cli.output import Output
from pipeline.errors import NoDataError, UsageError
from pipeline.serving import served

if TYPE_CHECKING:
    from pipeline.places import Place

__all__ = ["by_distance", "check_within", "holds", "in_county", "listed", "placed"]

_NAMED = 5
"""Stations near a point that are told one by one."""


def listed(root: Path) -> list[dict[str, Any]]:
    """Return the facts of every station that the catalog knows.

    Raises
    ------
    NoDataError
        When it has no list.
    """
    from pipeline.catalog import Catalog

    with Catalog(root) as catalog:
        known = catalog.stations()
    if not known:
        raise NoDataError(
            "the catalog has no list of stations", hint="fetch it: cimis stations --refresh"
        )
    return known


def holds(text: Any, part: str) -> bool:
    """Tell whether a text holds another, whatever the case."""
    return part.strip().lower() in str(text or "").lower()


def in_county(stations: Sequence[dict[str, Any]], county: str) -> list[dict[str, Any]]:
    """Return the stations of the counties whose name holds a text, or one of a list by commas.

    Raises
    ------
    UsageError
        Where there is no such county.
    """
    parts = [part.strip() for part in county.split(",")]
    for part in parts:
        if not part or not any(holds(facts.get("county"), part) for facts in stations):
            counties = sorted({str(facts["county"]) for facts in stations if facts.get("county")})
            raise UsageError(f"no county '{part}'", hint=f"there are {', '.join(counties)}")
    return [facts for facts in stations if any(holds(facts.get("county"), p) for p in parts)]


def by_distance(
    stations: Sequence[dict[str, Any]], place: Place, within_km: float | None
) -> list[dict[str, Any]]:
    """Return stations with ``distance_km`` and ``bearing_deg`` from a point, the nearest first."""
    from pipeline.places import Place, bearing_deg, distance_km

    found = []
    for facts in stations:
        if facts.get("latitude") is None or facts.get("longitude") is None:
            continue
        there = Place(facts["latitude"], facts["longitude"])
        far = distance_km(place, there)
        if within_km is None or far <= within_km:
            way = {"distance_km": round(far, 2), "bearing_deg": round(bearing_deg(place, there), 1)}
            found.append((far, facts | way))
    return [facts for _, facts in sorted(found, key=lambda pair: pair[0])]


def check_within(near: str | None, within_km: float | None) -> None:
    """Refuse a distance without the point that it is measured from."""
    if within_km is not None and near is None:
        raise UsageError("--within says how far, but not from where", hint="add --near LAT,LON")


def placed(
    root: Path,
    numbers: Sequence[int] | None,
    *,
    county: str | None,
    near: str | None,
    within_km: float | None,
    span: tuple[dt.date | None, dt.date | None],
    out: Output,
) -> Sequence[int] | None:
    """Return the stations that a question means: those named, of a county, and near a point.

    Parameters
    ----------
    root : pathlib.Path
        The data directory, whose catalog keeps the network's list.
    numbers : sequence of int, optional
        Those named; None for all.
    county : str, optional
    near : str, optional
        A point, as ``38.54,-121.78``.
    within_km : float, optional
        How far from it; without that the one nearest station.
    span : pair of datetime.date or None
        First and last day asked for: a place means the stations there that worked in them.
    out : Output
        Hears which stations lie near the point.

    Raises
    ------
    UsageError
        For a county or a point that is none.
    NoDataError
        When no station lies there, or the catalog has no list.
    """
    check_within(near, within_km)
    if county is None and near is None:
        return numbers
    from pipeline.places import parse_place

    place = None if near is None else parse_place(near)
    chosen = listed(root)
    if numbers is not None:
        chosen = [facts for facts in chosen if facts["number"] in numbers]
    if county is not None:
        chosen = in_county(chosen, county)
    if numbers is None or place is not None:
        chosen = [facts for facts in chosen if served(facts, *span)]
    if place is not None:
        chosen = by_distance(chosen, place, within_km)
        chosen = chosen if within_km is not None else chosen[:1]
        if chosen:
            _tell(place, chosen, out)
    if not chosen:
        raise NoDataError(
            "no station there worked in these days", hint="see 'cimis stations --near LAT,LON'"
        )
    return tuple(sorted(facts["number"] for facts in chosen))


def _tell(place: Place, chosen: Sequence[dict[str, Any]], out: Output) -> None:
    """Say which stations a point chose: number, name, how far, since when and until when."""
    named = [
        {
            "station": facts["number"],
            **{key: facts.get(key) for key in ("name", "distance_km", "connected", "disconnected")},
        }
        for facts in chosen
    ]
    shown = [_in_words(facts) for facts in named[:_NAMED]]
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    where = f"{place.latitude:g},{place.longitude:g}"
    out.aside("near", named, f"near {where}: {'; '.join(shown)}{more}")


def _in_words(facts: dict[str, Any]) -> str:
    until = f" until {facts['disconnected']}" if facts["disconnected"] else ""
    since = f", since {facts['connected']}" if facts["connected"] else ""
    name = f" {facts['name']}" if facts["name"] else ""
    return f"station {facts['station']}{name}, {facts['distance_km']:g} km{since}{until}"
