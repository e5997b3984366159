"""Bodies as the service sends them, to be bent one fact at a time."""

from __future__ import annotations

import json
from typing import Any

from cimis.pipeline.field.items import ITEMS, Scope, default_items
from tests.ingest.service import body_of

LISTED = {
    "StationNbr": "2",
    "Name": "FivePoints",
    "City": "Five Points",
    "RegionalOffice": "South Central Region Office",
    "County": "Fresno",
    "ConnectDate": "6/7/1982",
    "DisconnectDate": "12/31/2050",
    "IsActive": "True",
    "IsEtoStation": "True",
    "Elevation": "285",
    "GroundCover": "Grass",
    "HmsLatitude": "36º20'10N / 36.336222",
    "HmsLongitude": "-120º6'46W / -120.11291",
    "ZipCodes": ["93624"],
    "SitingDesc": "",
}
"""A station as it is listed."""

ZIP = {"StationNbr": 2, "ZipCode": "93624", "ConnectDate": "6/7/1982", "IsActive": "True"}
"""A zip code as it is listed."""

_OF_SCOPE = {scope: default_items(scope) for scope in Scope}
_UNITS = {item.json_key: item.unit_metric for item in ITEMS}


def item(name: str, value: Any = "1.0") -> dict[str, Any]:
    return {"Value": value, "Qc": " ", "Unit": _UNITS[name]}


def record(scope: Scope = Scope.DAILY, /, **changes: Any) -> dict[str, Any]:
    """Return a record of station 2 on the first day of 2024; a change to ``...`` leaves it out."""
    found = {
        "Date": "2024-01-01",
        "Julian": "1",
        **({"Hour": "0100"} if scope is Scope.HOURLY else {}),
        "Station": "2",
        "Standard": "metric",
        "ZipCodes": "93624",
        "Scope": str(scope),
        **{i.json_key: item(i.json_key) for i in _OF_SCOPE[scope]},
        **changes,
    }
    return {key: value for key, value in found.items() if value is not ...}


def spatial(**changes: Any) -> dict[str, Any]:
    """Return a record of zip code 93624 on the first day of 2024."""
    found = {
        "Date": "2024-01-01",
        "Julian": "1",
        "Standard": "metric",
        "ZipCodes": "93624",
        "Scope": "daily",
        **{name: item(name) for name in ("DayAsceEto", "DaySolRadAvg", "DayWindSpdAvg")},
        **changes,
    }
    return {key: value for key, value in found.items() if value is not ...}


def right(way: str) -> bytes:
    """Return a body that is right for a way in."""
    if way == "zip code":
        return body_of([spatial()])
    if way == "coordinate":
        place = {"Coordinate": "lat=36.8,lng=-119.7", "DayWindSpdAvg": ...}
        return body_of([spatial(**place)])
    if way == "sync":
        return body_of([record(Date="2026-10-01", Julian="274")])
    if "zip" in way:
        return json.dumps({"ZipCodes": [ZIP]}).encode()
    if "station" in way:
        return json.dumps({"Stations": [LISTED]}).encode()
    return body_of([record()])
