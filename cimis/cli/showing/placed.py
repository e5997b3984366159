"""Stations named on the command line, and what is told of those that a point chose."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cimis.cli.showing.output import Output

if TYPE_CHECKING:
    from cimis.naming.sites import Sites
    from cimis.naming.where import Where
    from cimis.pipeline.field.places import Place
    from cimis.pipeline.field.targets import Target

__all__ = ["named_sites", "stations_asked", "telling_near"]

_NAMED = 5
"""Stations near a point that are told one by one."""


def named_sites(stations: str | None, targets: tuple[Target, ...] = ()) -> Sites:
    """Return whom options name: of stations none, all or those of a list, and targets."""
    from cimis.naming.sites import Sites
    from cimis.parsing import parse_stations, single_stations

    if stations is None:
        return Sites((), targets)
    return Sites(parse_stations(stations), targets, frozenset(single_stations(stations)))


def stations_asked(
    root: Path,
    stations: str | None,
    where: Where,
    span: tuple[dt.date | None, dt.date | None],
    out: Output,
) -> Sequence[int] | None:
    """Return the stations that a list, a county or a point name, None for all; tell of a point's.

    ``span`` are the first and last day asked for, in which stations near a point worked. The list
    may hold names, as that of an argument does; those of an option are numbers by now.
    """
    from cimis.cli.calling import in_numbers
    from cimis.naming.choice import placed
    from cimis.parsing import parse_stations

    if stations is not None and any(map(str.isalpha, stations)):
        stations = in_numbers(stations, data_dir=str(root), out=out)
    return placed(root, parse_stations(stations), where, span, on_near=telling_near(out))


def telling_near(out: Output) -> Callable[[Place, Sequence[dict[str, Any]]], None]:
    """Return what says which stations a point chose: number, name, how far, since when, until."""

    def tell(place: Place, chosen: Sequence[dict[str, Any]]) -> None:
        named = [
            {
                "station": facts["number"],
                **{k: facts.get(k) for k in ("name", "distance_km", "connected", "disconnected")},
            }
            for facts in chosen
        ]
        shown = [_in_words(facts) for facts in named[:_NAMED]]
        more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
        where = f"{place.latitude:g},{place.longitude:g}"
        out.aside("near", named, f"near {where}: {'; '.join(shown)}{more}")

    return tell


def _in_words(facts: dict[str, Any]) -> str:
    until = f" until {facts['disconnected']}" if facts["disconnected"] else ""
    since = f", since {facts['connected']}" if facts["connected"] else ""
    name = f" {facts['name']}" if facts["name"] else ""
    return f"station {facts['station']}{name}, {facts['distance_km']:g} km{since}{until}"
