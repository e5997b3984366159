"""Whom a request names: stations by number or zip code, or spatial targets, and through which way.

The service's spatial network (SCS) has daily values for zip codes, coordinates and addresses. Rows
of a target travel through the pipeline under a number (`cimis.pipeline.field.site`), as a
station's rows under its own; what the number stands for, the :class:`Naming` of the run says.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Item, Scope, scope_items
from cimis.pipeline.field.places import parse_place
from cimis.pipeline.field.site import SiteKind, kind_of_number, place_of_target

__all__ = [
    "BY_NUMBER",
    "SPATIAL_DEFAULTS",
    "SPATIAL_FIRST_DAY",
    "SPATIAL_ITEMS",
    "Kind",
    "Naming",
    "Network",
    "Target",
    "address_target",
    "coordinate_target",
    "spatial_items",
    "target_of_key",
    "zip_target",
]

SPATIAL_FIRST_DAY = dt.date(2003, 2, 20)
"""First day of the spatial network."""

_ADDRESS_HINT = "write NAME=STREET, CITY, as 'HQ=1416 9th St, Sacramento, CA'"


class Kind(StrEnum):
    """What a spatial target is."""

    ZIP = "zip"
    COORDINATE = "coordinate"
    ADDRESS = "address"


class Network(StrEnum):
    """Which network answers for a zip code: the weather stations, or the spatial model."""

    WSN = "wsn"
    SCS = "scs"


SPATIAL_ITEMS: dict[Kind, tuple[str, ...]] = {
    Kind.ZIP: ("day-asce-eto", "day-sol-rad-avg", "day-wind-spd-avg"),
    Kind.COORDINATE: ("day-asce-eto", "day-sol-rad-avg"),
    Kind.ADDRESS: ("day-asce-eto", "day-sol-rad-avg"),
}
"""Codes of the items that the spatial network has."""

SPATIAL_DEFAULTS = tuple(i for i in scope_items(Scope.DAILY) if i.code in SPATIAL_ITEMS[Kind.ZIP])


class Target(NamedTuple):
    """A zip code, coordinate or address.

    Parameters
    ----------
    kind : Kind
    name : str
        What chunks and answers call it: ``93624``, ``34.99,-118.34``, ``HQ``.
    sent : str
        What the service is sent: ``93624``, ``lat=34.99,lng=-118.34``,
        ``addr-name=HQ,addr=1416 9th St, Sacramento, CA``.
    """

    kind: Kind
    name: str
    sent: str

    @property
    def key(self) -> str:
        """Kind and name in one: ``zip:93624``."""
        return f"{self.kind}:{self.name}"

    def is_meant_by(self, text: str) -> bool:
        """Tell whether the service's text names this target: the same text, number or point."""
        text = text.strip()
        if self.kind is Kind.ZIP:
            return text == self.name
        if self.kind is Kind.COORDINATE:
            point = _point(text)
            own = _point(self.sent)
            return point is not None and own is not None and _close(point, own)
        return text in (self.name, self.sent.partition(",addr=")[2])


def zip_target(text: str) -> Target:
    """Return the target of a zip code of five digits (or nine, of which five count)."""
    match = re.fullmatch(r"\s*([0-9]{5})(?:-?[0-9]{4})?\s*", text)
    if match is None:
        raise UsageError(f"'{text.strip()}' is no zip code", hint="write five digits, as 93624")
    return Target(Kind.ZIP, match[1], match[1])


def coordinate_target(text: str) -> Target:
    """Return the target of a point, as ``34.99,-118.34``; `UsageError` outside California."""
    place = parse_place(text.replace("lat=", "").replace("lng=", ""))
    latitude, longitude = (f"{degrees:.6f}".rstrip("0").rstrip(".") for degrees in place)
    return Target(Kind.COORDINATE, f"{latitude},{longitude}", f"lat={latitude},lng={longitude}")


def address_target(text: str) -> Target:
    """Return the target of an address, as ``HQ=1416 9th St, Sacramento, CA``; the name may lack."""
    name, equals, address = text.partition("=")
    if not equals:
        name, address = re.sub(r"[,\s]+", " ", text), text
    name, address = name.strip(), address.strip()
    if not name or not address:
        raise UsageError(f"'{text}' is no address with a name", hint=_ADDRESS_HINT)
    odd = re.search(r"[;=\x00-\x1f\x7f]", address) or re.search(r"[;,:/\\\x00-\x1f\x7f]", name)
    if odd or len(name) > 100 or len(address) > 500:
        raise UsageError(
            f"'{text}' has characters that a name or an address cannot have", hint=_ADDRESS_HINT
        )
    return Target(Kind.ADDRESS, name, f"addr-name={name},addr={address}")


def target_of_key(key: str) -> Target:
    """Return the target of ``zip:93624`` or ``coordinate:34.99,-118.34``, or of ``address:HQ``."""
    kind, _, text = key.partition(":")
    match kind.strip().lower():
        case "zip":
            return zip_target(text)
        case "coordinate":
            return coordinate_target(text)
        case "address" if text.strip():
            return Target(Kind.ADDRESS, text.strip(), "")
    raise UsageError(
        f"'{key}' is no spatial target", hint="as zip:93624, coordinate:34.99,-118.34, address:HQ"
    )


def _point(text: str) -> tuple[float, float] | None:
    match = re.fullmatch(r"\s*lat=\s*([-+0-9.]+)\s*,\s*lng=\s*([-+0-9.]+)\s*", text)
    try:
        return None if match is None else (float(match[1]), float(match[2]))
    except ValueError:
        return None


def _close(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return all(abs(a - b) < 1e-6 for a, b in zip(one, other, strict=True))


@dataclass(frozen=True, slots=True)
class Naming:
    """How the numbers of a run's requests are named to the service.

    Parameters
    ----------
    targets : tuple of Target
        Spatial targets, in the order of their numbers.
    zips : tuple of (int, str)
        Stations that are asked for by a zip code that they serve, and that zip code.
    prefer : Network, optional
        Ask the endpoint that serves both networks, which this one goes first in.
    """

    targets: tuple[Target, ...] = ()
    zips: tuple[tuple[int, str], ...] = ()
    prefer: Network | None = None

    def target(self, number: int) -> Target | None:
        """Return the spatial target of a number, None for a station's."""
        if kind_of_number(number) is SiteKind.STATION:
            return None
        return self.targets[place_of_target(number)]

    def name(self, number: int) -> int | str:
        """Return what people call it: a station's number, a target's key."""
        target = self.target(number)
        return number if target is None else target.key

    def names(self, numbers: Iterable[int]) -> tuple[int | str, ...]:
        """Return what people call several."""
        return tuple(map(self.name, numbers))

    def number_of(self, text: str, among: Sequence[int]) -> int | None:
        """Return which of some targets the service's text names, None where none."""
        for number in among:
            target = self.target(number)
            if target is not None and target.is_meant_by(text):
                return number
        return None

    def zip_codes(self, stations: Iterable[int]) -> tuple[str, ...]:
        """Return the zip codes by which stations are asked for, in order; none by number."""
        wanted = set(stations)
        return tuple(sorted({code for station, code in self.zips if station in wanted}))


BY_NUMBER = Naming()
"""Stations by number."""


def spatial_items(target: Target, items: Iterable[Item]) -> tuple[Item, ...]:
    """Return those of some items that the spatial network has for a target."""
    known = SPATIAL_ITEMS[target.kind]
    return tuple(i for i in items if i.scope is Scope.DAILY and i.code in known)
