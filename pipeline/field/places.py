"""Places on the globe: points in California, and how far and in which direction stations lie."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from cimis.pipeline.errors import UsageError

__all__ = ["Place", "bearing_deg", "distance_km", "parse_place"]

_EARTH_KM = 6371.0088
"""Mean radius of the earth (IUGG)."""

_SOUTH, _NORTH, _WEST, _EAST = 32.4, 42.1, -124.6, -114.0
"""A box around California."""

_HINT = "write latitude and longitude in degrees, west negative, as 38.54,-121.78"


class Place(NamedTuple):
    """A point in decimal degrees, north and east positive."""

    latitude: float
    longitude: float


def parse_place(text: str) -> Place:
    """Return the point that a text names, as ``38.54,-121.78``.

    Raises
    ------
    UsageError
        For what is no point, or one outside California.
    """
    number = r"[+-]?\d+(?:\.\d+)?"
    match = re.fullmatch(rf"\s*({number})\s*[, ]\s*({number})\s*", text)
    if match is None:
        raise UsageError(f"'{text}' is no point", hint=_HINT)
    place = Place(float(match[1]), float(match[2]))
    if not (_SOUTH <= place.latitude <= _NORTH and _WEST <= place.longitude <= _EAST):
        turned = _SOUTH <= place.longitude <= _NORTH or place.longitude > 0
        raise UsageError(
            f"{place.latitude:g}, {place.longitude:g} lies outside California",
            hint=_HINT if turned else "the network's stations are all in California",
        )
    return place


def distance_km(one: Place, other: Place) -> float:
    """Return the great-circle distance between two points (haversine formula), in km."""
    a, b = math.radians(one.latitude), math.radians(other.latitude)
    east = math.radians(other.longitude - one.longitude)
    half = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(east / 2) ** 2
    return 2 * _EARTH_KM * math.asin(math.sqrt(min(half, 1.0)))


def bearing_deg(one: Place, other: Place) -> float:
    """Return in which direction another point lies, in degrees from north through east."""
    a, b = math.radians(one.latitude), math.radians(other.latitude)
    east = math.radians(other.longitude - one.longitude)
    x = math.sin(east) * math.cos(b)
    y = math.cos(a) * math.sin(b) - math.sin(a) * math.cos(b) * math.cos(east)
    return math.degrees(math.atan2(x, y)) % 360
