"""The generated network: invented stations around real places of California, with their climate."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache

import numpy as np

from cimis.pipeline.field.units import FOOT_M

__all__ = ["PLACES", "Place", "StationSite", "sites"]


@dataclass(frozen=True, slots=True)
class Place:
    """A real place of California and the weather that it has."""

    name: str
    county: str
    office: str
    zip_code: int
    latitude: float
    longitude: float
    elevation_ft: int
    inland: float
    wetness: float


_NORTH, _NORTH_CENTRAL = "Northern Region Office", "North Central Region Office"
_SOUTH_CENTRAL, _SOUTH = "South Central Region Office", "Southern Region Office"

# place, county, office, zip, latitude, longitude, feet, 0 coast .. 1 interior, rain relative to 1
PLACES = (
    Place("Five Points", "Fresno", _SOUTH_CENTRAL, 93624, 36.336, -120.113, 285, 0.9, 0.5),
    Place("Shafter", "Kern", _SOUTH_CENTRAL, 93263, 35.533, -119.282, 360, 0.95, 0.4),
    Place("Davis", "Yolo", _NORTH_CENTRAL, 95616, 38.536, -121.776, 60, 0.75, 1.0),
    Place("Firebaugh", "Fresno", _SOUTH_CENTRAL, 93622, 36.851, -120.590, 185, 0.9, 0.5),
    Place("Gerber", "Tehama", _NORTH, 96035, 40.045, -122.165, 250, 0.85, 1.3),
    Place("Durham", "Butte", _NORTH, 95938, 39.609, -121.824, 130, 0.8, 1.3),
    Place("Camino", "El Dorado", _NORTH_CENTRAL, 95709, 38.753, -120.733, 2780, 0.8, 2.2),
    Place("Stratford", "Kings", _SOUTH_CENTRAL, 93266, 36.158, -119.851, 193, 0.95, 0.4),
    Place("Castroville", "Monterey", _SOUTH_CENTRAL, 95012, 36.768, -121.774, 9, 0.05, 0.9),
    Place("Santa Rosa", "Sonoma", _NORTH_CENTRAL, 95407, 38.401, -122.799, 80, 0.35, 1.7),
    Place("Modesto", "Stanislaus", _SOUTH_CENTRAL, 95358, 37.645, -121.188, 35, 0.8, 0.7),
    Place("Irvine", "Orange", _SOUTH, 92618, 33.689, -117.721, 410, 0.25, 0.7),
    Place("Temecula", "Riverside", _SOUTH, 92590, 33.490, -117.222, 1420, 0.55, 0.7),
    Place("Seeley", "Imperial", _SOUTH, 92273, 32.760, -115.732, -40, 1.0, 0.15),
    Place("Blythe", "Riverside", _SOUTH, 92225, 33.557, -114.666, 270, 1.0, 0.2),
    Place("Bishop", "Inyo", _SOUTH_CENTRAL, 93514, 37.358, -118.405, 4170, 1.0, 0.3),
    Place("Alturas", "Modoc", _NORTH, 96101, 41.438, -120.480, 4405, 1.0, 0.7),
    Place("Santa Maria", "Santa Barbara", _SOUTH_CENTRAL, 93454, 34.949, -120.430, 254, 0.1, 0.8),
    Place("Oakville", "Napa", _NORTH_CENTRAL, 94562, 38.429, -122.410, 190, 0.45, 1.8),
    Place("Merced", "Merced", _SOUTH_CENTRAL, 95341, 37.314, -120.387, 200, 0.85, 0.7),
    Place("Colusa", "Colusa", _NORTH, 95932, 39.226, -122.024, 55, 0.8, 0.9),
    Place("Hopland", "Mendocino", _NORTH, 95449, 39.007, -123.080, 1160, 0.6, 2.2),
    Place("Smith River", "Del Norte", _NORTH, 95567, 41.930, -124.170, 50, 0.0, 3.5),
    Place("Escondido", "San Diego", _SOUTH, 92027, 33.081, -116.976, 390, 0.35, 0.8),
)


@dataclass(frozen=True, slots=True)
class StationSite:
    """One generated station: where it is, when it works, and what its climate is like."""

    number: int
    name: str
    county: str
    office: str
    latitude: float
    longitude: float
    elevation_ft: int
    inland: float
    wetness: float
    connected: dt.date
    disconnected: dt.date
    active: bool
    zip_codes: tuple[str, ...]

    @property
    def elevation_m(self) -> float:
        """Elevation in metres."""
        return self.elevation_ft * FOOT_M

    def facts(self) -> dict[str, object]:
        """Return the fields that the API's list of stations has."""
        return {
            "StationNbr": str(self.number),
            "Name": self.name.replace(" ", ""),
            "City": self.name,
            "RegionalOffice": self.office,
            "County": self.county,
            "ConnectDate": _american(self.connected),
            "DisconnectDate": _american(self.disconnected),
            "IsActive": str(self.active),
            "IsEtoStation": "True",
            "Elevation": str(self.elevation_ft),
            "GroundCover": "Grass",
            "HmsLatitude": f"{_sexagesimal(self.latitude)}N / {self.latitude:.6f}",
            "HmsLongitude": f"-{_sexagesimal(-self.longitude)}W / {self.longitude:.5f}",
            "ZipCodes": list(self.zip_codes),
            "SitingDesc": "",
        }


def _american(day: dt.date) -> str:
    return f"{day.month}/{day.day}/{day.year}"


def _sexagesimal(degrees: float) -> str:
    seconds = round(degrees * 3600)
    return f"{seconds // 3600}º{seconds // 60 % 60}'{seconds % 60}"


@cache
def sites() -> dict[int, StationSite]:
    """Return the generated network by number: 259 stations, some closed, numbers with gaps."""
    chance = np.random.default_rng(1982)
    network = {}
    for number in range(1, 278):
        spread = chance.uniform(-1, 1, 3)
        draws = chance.random(4)
        if number == 274 or (number > 130 and draws[0] < 0.12):
            continue
        place = PLACES[(number - 2) % len(PLACES)]
        # the oldest numbers are the oldest stations
        opened = dt.date(1982, 6, 7) + dt.timedelta(days=int(max(0, number - 12) * 57))
        closed_after = dt.timedelta(days=int(365 * (4 + 25 * draws[2])))
        closes = number > 12 and number != 80 and draws[1] < 0.38
        closes = closes and opened + closed_after < dt.date(2023, 6, 1)
        network[number] = StationSite(
            number=number,
            name=place.name if number < 26 else f"{place.name} {number // len(PLACES)}",
            county=place.county,
            office=place.office,
            latitude=round(place.latitude + 0.12 * spread[0], 6),
            longitude=round(place.longitude + 0.12 * spread[1], 5),
            elevation_ft=place.elevation_ft + int(40 * spread[2]),
            inland=place.inland,
            wetness=place.wetness,
            connected=opened,
            disconnected=opened + closed_after if closes else dt.date(2050, 12, 31),
            active=not closes,
            zip_codes=tuple(str(place.zip_code + n) for n in range(1 + int(3 * draws[3]))),
        )
    return network
