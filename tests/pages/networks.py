"""A small network on disk: six stations, seven years, a list that knows most of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.field.items import Scope
from tests.queries.conftest import put, year_table

__all__ = ["EVIL", "ITEMS", "YEARS", "make_network"]

YEARS = range(2015, 2022)
ITEMS = "asce_eto,precip,air_tmp_max,air_tmp_avg,air_tmp_min,rel_hum_max,sol_rad_avg"
EVIL = "<script>alert(1)</script>"

_LIST: list[dict[str, Any]] = [
    {"number": 5, "name": "Shafter", "county": "Kern", "at": (35.53, -119.28)},
    {"number": 6, "name": "Davis", "county": "Yolo", "at": (38.54, -121.78)},
    {"number": 8, "name": EVIL, "county": "Yolo", "at": (38.40, -121.70)},
    {"number": 15, "name": "Stratford", "county": "Kings", "at": None},
    {"number": 80, "name": "Fresno State", "county": "Fresno", "at": (36.82, -119.74)},
]


def make_network(root: Path) -> Path:
    """Make the store: station 9 is in no list, 80 has two years, 15 ends in March 2021."""
    tables = []
    for station in (5, 6, 8, 9, 15, 80):
        for year in YEARS:
            if station == 80 and year < 2020:
                continue
            table = year_table(Scope.DAILY, station, year, items=ITEMS)
            if station == 15 and year == 2021:
                table = _until(table, "2021-03-31")
            tables.append(table)
    put(root, tables)
    with Catalog(root) as catalog:
        catalog.put_stations((one["number"], one["name"], _facts(one)) for one in _LIST)
    return root


def _until(table: pa.Table, last: str) -> pa.Table:
    return table.filter(pc.less_equal(table["date"], pa.scalar(last).cast(pa.date32())))


def _facts(one: dict[str, Any]) -> dict[str, Any]:
    latitude, longitude = one["at"] or (None, None)
    return {
        "number": one["number"],
        "name": one["name"],
        "county": one["county"],
        "latitude": latitude,
        "longitude": longitude,
        "elevation_m": 50.0,
        "connected": "1982-06-01",
        "disconnected": None,
        "active": True,
    }
