"""The generated spatial network: weather of any point of California, by zip code or address too."""

from __future__ import annotations

import datetime as dt
import re
import zlib
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache

import numpy as np

from cimis.pipeline.emulator.network import PLACES, StationSite, sites
from cimis.pipeline.emulator.source import ItemTexts, RecordSet, SpatialPlace
from cimis.pipeline.emulator.standards import converted
from cimis.pipeline.emulator.weather.climate import HourlyWeather, weather_of_year
from cimis.pipeline.field.items import Item, Scope, Standard
from cimis.pipeline.field.site import number_of_target
from cimis.pipeline.field.targets import SPATIAL_FIRST_DAY

__all__ = ["GeneratedSpatial"]

# latitude and longitude of the state's corners, clockwise from the north-west
_CALIFORNIA = (
    *((42.0, -124.45), (42.0, -120.0), (39.0, -120.0), (35.0, -114.63), (34.3, -114.13)),
    *((32.72, -114.52), (32.53, -117.14), (33.3, -117.7), (33.7, -118.5), (34.0, -119.3)),
    *((34.4, -120.65), (35.2, -121.0), (36.3, -122.0), (37.2, -122.55), (38.0, -123.1)),
    *((39.0, -123.85), (40.4, -124.5), (41.0, -124.25)),
)


class GeneratedSpatial:
    """Daily weather for points, zip codes and addresses; the same for a day, whatever is asked."""

    def zip_codes(self) -> Sequence[str]:
        """Return the zip codes that are known, in order."""
        return sorted(_zip_points())

    def at_zip(self, code: str) -> SpatialPlace | None:
        """Return the place of a zip code, None for one that is not known."""
        point = _zip_points().get(code)
        return None if point is None else SpatialPlace(*point, zip_codes=code)

    def at_point(self, latitude: float, longitude: float, text: str) -> SpatialPlace | None:
        """Return the place of a point, None outside California."""
        if not _inside(latitude, longitude):
            return None
        return SpatialPlace(latitude, longitude, coordinate=text)

    def at_address(self, name: str, address: str) -> SpatialPlace | None:
        """Return the place of an address that tells a known zip code or city; else None."""
        for code in re.findall(r"\b[0-9]{5}\b", address):
            if code in _zip_points():
                return SpatialPlace(*_zip_points()[code], address=name)
        for place in PLACES:
            if place.name.lower() in address.lower():
                return SpatialPlace(place.latitude, place.longitude, address=name)
        return None

    def records(
        self,
        place: SpatialPlace,
        start: dt.date,
        end: dt.date,
        items: Sequence[Item],
        standard: Standard,
    ) -> RecordSet:
        """Return the daily records of a place, none before the network's first day."""
        first = max(start, SPATIAL_FIRST_DAY)
        days = [first + dt.timedelta(days=n) for n in range((end - first).days + 1)]
        texts: Mapping[str, ItemTexts] = {
            item.json_key: ItemTexts(
                _values(place, days, item, standard), [" "] * len(days), item.unit(standard)
            )
            for item in items
        }
        dates = [day.isoformat() for day in days]
        return RecordSet(0, standard, Scope.DAILY, place.zip_codes, dates, items=texts, place=place)


def _values(
    place: SpatialPlace, days: Sequence[dt.date], item: Item, standard: Standard
) -> list[str | None]:
    texts: list[str | None] = []
    places = item.decimals(standard)
    for year in sorted({day.year for day in days}):
        rows = [day.timetuple().tm_yday - 1 for day in days if day.year == year]
        metric = _daily(_weather(place, year), item)[rows]
        rounded = np.round(converted(metric, item, standard), places) + 0.0
        texts += [f"{value:.{places}f}" for value in rounded.tolist()]
    return texts


def _daily(weather: HourlyWeather, item: Item) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    values, how = {
        "asce_eto": (weather.asce_eto_mm, "sum"),
        "sol_rad_avg": (weather.solar_w_m2, "mean"),
        "wind_spd_avg": (weather.wind_m_s, "mean"),
    }[item.column]
    found: np.ndarray[tuple[int], np.dtype[np.float64]] = getattr(values, how)(axis=1)
    return found


@lru_cache(maxsize=96)
def _weather(place: SpatialPlace, year: int) -> HourlyWeather:
    latitude, longitude = place.latitude, place.longitude
    near = min(
        PLACES,
        key=lambda p: (p.latitude - latitude) ** 2 + (0.8 * (p.longitude - longitude)) ** 2,
    )
    site = StationSite(
        number=number_of_target(zlib.crc32(f"{latitude:.4f},{longitude:.4f}".encode())),
        name=near.name,
        county=near.county,
        office=near.office,
        latitude=latitude,
        longitude=longitude,
        elevation_ft=near.elevation_ft,
        inland=near.inland,
        wetness=near.wetness,
        connected=SPATIAL_FIRST_DAY,
        disconnected=dt.date(2030, 12, 31),
        active=True,
        zip_codes=(),
    )
    return weather_of_year(site, year)


@cache
def _zip_points() -> dict[str, tuple[float, float]]:
    """Return the zip codes around the network's places, and a point of each."""
    points = {}
    for place in PLACES:
        for step in range(6):
            shift = 0.03 * step
            points[str(place.zip_code + step)] = (
                round(place.latitude + shift, 4),
                round(place.longitude + shift, 4),
            )
    for site in sites().values():
        for code in site.zip_codes:
            points.setdefault(code, (site.latitude, site.longitude))
    return points


def _inside(latitude: float, longitude: float) -> bool:
    """Tell whether a point lies in California's outline (even-odd rule)."""
    inside = False
    for one, other in zip(_CALIFORNIA, (*_CALIFORNIA[1:], _CALIFORNIA[0]), strict=True):
        if (one[0] > latitude) != (other[0] > latitude):
            share = (latitude - one[0]) / (other[0] - one[0])
            inside ^= longitude < one[1] + share * (other[1] - one[1])
    return inside
