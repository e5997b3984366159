"""Which stations are meant: those named, checked against the network's list, of a county, near."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cimis.naming.called import like, slug
from cimis.naming.lists import NetworkLists, left_out
from cimis.naming.sites import Sites
from cimis.naming.where import Where
from cimis.pipeline.errors import NoDataError, UsageError
from cimis.pipeline.field.serving import served

if TYPE_CHECKING:
    from cimis.pipeline.errors import DecodeError
    from cimis.pipeline.field.places import Place

__all__ = ["Near", "by_distance", "chosen_stations", "in_county", "listed", "matches", "placed"]

Facts = dict[str, Any]
Near = Callable[["Place", Sequence[Facts]], None]
"""Hears which stations a point chose."""


def listed(root: Path) -> list[Facts]:
    """Return the facts of every station that the catalog knows.

    Raises
    ------
    NoDataError
        When it has no list.
    StoreError
        When there is no catalog.
    """
    from cimis.pipeline.catalog.database import Catalog

    with Catalog(root) as catalog:
        known = catalog.stations()
    if not known:
        raise NoDataError(
            "the catalog has no list of stations", hint="fetch it: cimis stations --refresh"
        )
    return known


def matches(text: Any, part: str) -> bool:
    """Tell whether a text holds another, whatever the case."""
    return part.strip().lower() in str(text or "").lower()


def in_county(stations: Sequence[Facts], county: str) -> list[Facts]:
    """Return the stations of the counties whose name holds a text, or one of a list by commas.

    Raises
    ------
    UsageError
        Where there is no such county.
    """
    parts = [part.strip() for part in county.split(",")]
    for part in parts:
        if not slug(part) or not any(_in(facts, part) for facts in stations):
            counties = sorted({str(facts["county"]) for facts in stations if facts.get("county")})
            near = like(part, counties)
            raise UsageError(f"no county '{part}'{near}", hint=f"there are {', '.join(counties)}")
    return [facts for facts in stations if any(_in(facts, part) for part in parts)]


def _in(facts: Facts, county: str) -> bool:
    return slug(county) in slug(str(facts.get("county") or ""))


def by_distance(stations: Sequence[Facts], place: Place, within_km: float | None) -> list[Facts]:
    """Return stations with ``distance_km`` and ``bearing_deg`` from a point, the nearest first."""
    from cimis.pipeline.field.places import Place, bearing_deg, distance_km

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


def placed(
    root: Path,
    numbers: Sequence[int] | None,
    where: Where,
    span: tuple[dt.date | None, dt.date | None],
    *,
    on_near: Near | None = None,
) -> Sequence[int] | None:
    """Return the stations that a question means: those named, of a county, and near a point.

    Parameters
    ----------
    root : pathlib.Path
        The data directory, whose catalog keeps the network's list.
    numbers : sequence of int, optional
        Those named; None for all.
    where : Where
    span : pair of datetime.date or None
        First and last day asked for: a place means the stations there that worked in them.
    on_near : callable, optional
        Hears the point and which stations it chose.

    Raises
    ------
    UsageError
        For a county or a point that is none.
    NoDataError
        When no station lies there, or the catalog has no list.
    """
    if not where:
        return numbers
    from cimis.pipeline.field.places import parse_place

    place = None if where.near is None else parse_place(where.near)
    chosen = listed(root)
    if numbers is not None:
        chosen = [facts for facts in chosen if facts["number"] in numbers]
    if where.county is not None:
        chosen = in_county(chosen, where.county)
    if numbers is None or place is not None:
        chosen = [facts for facts in chosen if served(facts, *span)]
    if place is not None:
        chosen = by_distance(chosen, place, where.within_km)
        chosen = chosen if where.within_km is not None else chosen[:1]
        if chosen and on_near is not None:
            on_near(place, chosen)
    if not chosen:
        raise NoDataError(
            "no station there worked in these days", hint="see 'cimis stations --near LAT,LON'"
        )
    return tuple(sorted(facts["number"] for facts in chosen))


def chosen_stations(
    sites: Sites, lists: NetworkLists, span: tuple[dt.date, dt.date]
) -> tuple[int, ...]:
    """Return the numbers of the stations that are meant, as the network's list has them.

    Parameters
    ----------
    sites : Sites
        All stations mean every one that worked during the span.
    lists : NetworkLists
        Says which numbers of a range do not exist, and warns of odd entries of the list.
    span : pair of datetime.date
        First and last day.

    Raises
    ------
    UsageError
        For a station named by its own number that the network does not have.
    """
    numbers, known = sites.stations, lists.known()
    odd = set[str]()

    def told(error: DecodeError) -> None:
        odd.add(error.station or "")
        lists.warn(left_out(error))

    if lists.ask and not set(numbers or [-1]) <= known.keys():
        known = {facts["number"]: facts for facts in lists.refreshed(on_odd=told)}
    if numbers is None:
        return _working(known.values(), span)
    if not known:
        return numbers
    # a station whose entry cannot be read is there all the same
    unknown = [n for n in numbers if n not in known and str(n) not in odd]
    named = sorted(set(unknown) & sites.singly)
    if named or (unknown and len(unknown) == len(numbers)):
        raise UsageError(
            f"the network has no station {', '.join(map(str, named or unknown))}",
            hint="see 'cimis stations'",
        )
    if unknown:
        lists.say(f"left out of the ranges, as the network has no such stations: {unknown}")
    return tuple(number for number in numbers if number not in unknown)


def _working(known: Iterable[Mapping[str, Any]], span: tuple[dt.date, dt.date]) -> tuple[int, ...]:
    """Return the stations that were connected on some day of a span."""
    found = tuple(facts["number"] for facts in known if served(facts, *span))
    if not found:
        raise UsageError(
            "no station is known that worked in these days",
            hint="fetch the list: cimis stations --refresh",
        )
    return found
