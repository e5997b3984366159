"""What requests for data ask of the emulated service, checked as the live one does."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cimis.pipeline.emulator.source import Source, SpatialPlace, SpatialSource
from cimis.pipeline.emulator.troubles.refusals import FIRST_DATE, MAX_RECORDS, Refusal
from cimis.pipeline.field.items import Item, Scope, Standard, by_code, default_items
from cimis.pipeline.field.time import PER_DAY

__all__ = ["ENDPOINTS", "SPATIAL_ZIP_ITEMS", "Question", "ask", "station_zips"]

_MOST_SPATIAL_DAYS = 366
_POINT_ITEMS = ("day-asce-eto", "day-sol-rad-avg")
SPATIAL_ZIP_ITEMS = (*_POINT_ITEMS, "day-wind-spd-avg")
"""Codes of the items that the spatial network has for zip codes."""

ENDPOINTS = {
    "/StationWeb/GetDataByStationNumber": "stations",
    "/StationWeb/GetDataByStationZipCodes": "station-zips",
    "/SpatialWeb/GetDataBySpatialZipCodes": "zips",
    "/SpatialWeb/GetDataBySpatialCoordinates": "coordinates",
    "/SpatialWeb/GetDataByAddresses": "addresses",
    "/GeoStationWeb/GetDataByGeoStationZipCodes": "either-zips",
}
"""Paths of the requests for data, and by what they name whom they ask for."""


@dataclass(frozen=True, slots=True)
class Question:
    """A request for data that has passed every check: of stations, of places, or of both."""

    stations: tuple[int, ...]
    places: tuple[SpatialPlace, ...]
    scope: Scope
    start: dt.date
    end: dt.date
    items: tuple[Item, ...]
    standard: Standard


def ask(path: str, parameters: Mapping[str, str], source: Source, today: dt.date) -> Question:
    """Return what a request asks for, or raise the `Refusal` that the API gives."""
    kind = ENDPOINTS[path]
    scope = Scope.HOURLY if parameters.get("isHourly", "false") == "true" else Scope.DAILY
    stations, places = _whom(kind, parameters, source, scope)
    start, end = _span(parameters, today)
    unit = parameters.get("unitOfMeasure", "E")
    if unit not in ("E", "M"):
        raise Refusal(400, "ERR1032", "INVALID UNIT OF MEASURE")
    spatial = bool(places) and not stations
    items = _items(parameters.get("dataItems"), scope, kind if spatial else "stations")
    days = (end - start).days + 1
    asked = (len(stations) + len(places)) * days * PER_DAY[scope]
    if asked > MAX_RECORDS[scope] or (spatial and days > _MOST_SPATIAL_DAYS):
        raise Refusal(
            400,
            "ERR2112",
            f"DATA VOLUME VIOLATION: {asked} RECORDS EXCEED THE MAXIMUM DATA LIMIT "
            f"OF {MAX_RECORDS[scope]}",
        )
    standard = Standard.METRIC if unit == "M" else Standard.ENGLISH
    return Question(tuple(sorted(stations)), tuple(places), scope, start, end, items, standard)


def station_zips(source: Source) -> dict[str, list[Mapping[str, object]]]:
    """Return the stations that serve each zip code, as the list of stations says."""
    found: dict[str, list[Mapping[str, object]]] = {}
    for station in source.stations():
        codes = station.get("ZipCodes")
        for code in codes if isinstance(codes, list) else ():
            found.setdefault(str(code), []).append(station)
    return found


def _whom(
    kind: str, parameters: Mapping[str, str], source: Source, scope: Scope
) -> tuple[Sequence[int], Sequence[SpatialPlace]]:
    spatial = source.spatial()
    if kind == "stations":
        known = {int(str(s["StationNbr"])) for s in source.stations()}
        return _stations(parameters.get("stationNbrs"), known), ()
    if scope is Scope.HOURLY and kind in ("coordinates", "addresses", "zips"):
        raise Refusal(400, "ERR2007", "HOURLY DATA ITEMS ARE NOT AVAILABLE FOR COORDINATES")
    if kind == "coordinates":
        return (), _points(parameters.get("coordinates"), spatial)
    if kind == "addresses":
        return (), _addresses(parameters.get("addresses"), spatial)
    codes = _zips(parameters.get("zipCodes"))
    serving = station_zips(source)
    prefer = {"station-zips": "WSN", "zips": "SCS"}.get(kind, parameters.get("prefer", "SCS"))
    if prefer not in ("WSN", "SCS"):
        raise Refusal(400, "ERR2006", "INVALID PREFERENCE")
    stations: list[int] = []
    places: list[SpatialPlace] = []
    for code in codes:
        own = [int(str(s["StationNbr"])) for s in serving.get(code, ()) if kind != "zips"]
        place = spatial.at_zip(code) if spatial is not None and kind != "station-zips" else None
        if place is not None and scope is Scope.DAILY and (prefer == "SCS" or not own):
            places.append(place)
        elif own:
            stations += own
        else:
            raise Refusal(404, "ERR1031", f"UNSUPPORTED ZIP CODE: {code}")
    return tuple(dict.fromkeys(stations)), places


def _stations(text: str | None, known: set[int]) -> tuple[int, ...]:
    parts = (text or "").split(",")
    if not all(re.fullmatch(r" *[0-9]{1,5} *", part) for part in parts):
        raise Refusal(400, "ERR2006", "INVALID OR MIXED TARGETS")
    numbers = tuple(dict.fromkeys(int(part) for part in parts))
    unknown = [number for number in numbers if number not in known]
    if unknown:
        raise Refusal(404, "ERR1019", f"STATION NOT FOUND: {unknown[0]}")
    return numbers


def _zips(text: str | None) -> list[str]:
    parts = [part.strip() for part in (text or "").split(",")]
    if not all(re.fullmatch(r"[0-9]{5}", part) for part in parts):
        raise Refusal(400, "ERR2006", "INVALID OR MIXED TARGETS")
    return list(dict.fromkeys(parts))


def _points(text: str | None, spatial: SpatialSource | None) -> list[SpatialPlace]:
    places = []
    for part in (text or "").split(";"):
        match = re.fullmatch(r"\s*lat=(-?[0-9]+\.?[0-9]*)\s*,\s*lng=(-?[0-9]+\.?[0-9]*)\s*", part)
        if match is None:
            raise Refusal(400, "ERR1025", f"INVALID COORDINATE: {part[:60]}")
        found = spatial and spatial.at_point(float(match[1]), float(match[2]), part.strip())
        if not found:
            raise Refusal(404, "ERR1034", f"COORDINATE NOT IN CALIFORNIA: {part[:60]}")
        places.append(found)
    return places


def _addresses(text: str | None, spatial: SpatialSource | None) -> list[SpatialPlace]:
    places = []
    for part in (text or "").split(";"):
        match = re.fullmatch(r"\s*addr-name=([^,;=]+),\s*addr=([^;=]+)", part)
        if match is None:
            raise Refusal(400, "ERR2006", "INVALID OR MIXED TARGETS")
        found = spatial and spatial.at_address(match[1].strip(), match[2].strip())
        if not found:
            raise Refusal(404, "ERR1034", f"ADDRESS NOT FOUND IN CALIFORNIA: {match[2][:60]}")
        places.append(found)
    return places


def _span(parameters: Mapping[str, str], today: dt.date) -> tuple[dt.date, dt.date]:
    start = _date(parameters.get("startDate"), "startDate")
    end = _date(parameters.get("endDate"), "endDate")
    if start > today or end > today:
        raise Refusal(400, "ERR1010", "DATE IN THE FUTURE")
    if start < FIRST_DATE or end < FIRST_DATE:
        raise Refusal(400, "ERR1011", "DATE BEFORE 1982-06-07")
    if start > end:
        raise Refusal(400, "ERR1012", "START DATE AFTER END DATE")
    return start, end


def _date(text: str | None, name: str) -> dt.date:
    try:
        if text is None or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise ValueError
        return dt.date.fromisoformat(text)
    except ValueError:
        raise Refusal(400, "ERR1009", f"INVALID DATE FORMAT IN {name}, USE YYYY-MM-DD") from None


def _items(text: str | None, scope: Scope, kind: str) -> tuple[Item, ...]:
    """Return the items asked for; the spatial network has few of them."""
    had = None if kind == "stations" else SPATIAL_ZIP_ITEMS if "zip" in kind else _POINT_ITEMS
    if text is None or text in ("", "default"):
        return tuple(i for i in default_items(scope) if had is None or i.code in had)
    found = []
    for code in text.split(","):
        item = by_code(code)
        if item is None or item.scope is not scope:
            raise Refusal(404, "ERR1035", f"DATA ITEM NOT FOUND: {code[:60]}")
        if had is not None and code not in had:
            name = "ERR2115" if kind == "addresses" else "ERR2114"
            raise Refusal(400, name, f"DATA ITEM NOT VALID FOR {kind.upper()}: {code}")
        if item not in found:
            found.append(item)
    return tuple(found)
