"""The years of a store as arrays, for the measurements of sensor checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

import cimis
from cimis.pipeline.archive.web import read_web_report
from cimis.pipeline.decode import decode, unify
from cimis.pipeline.field.items import Scope
from cimis.pipeline.field.places import Place
from cimis.pipeline.rows.values import to_physical
from cimis.pipeline.service.stations import Station, parse_stations

__all__ = ["NetworkYear", "network_years", "place_of", "placed", "real_hours"]

Doubles = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]


@dataclass(frozen=True, slots=True)
class NetworkYear:
    """A year of all stations of a store; unflagged values as days × stations, by item."""

    year: int
    dates: Days
    stations: tuple[int, ...]
    items: Mapping[str, Doubles]


def placed(path: Path) -> dict[int, Station]:
    """Return the network's stations that have coordinates, from a saved list."""
    listed = parse_stations(path.read_bytes())
    return {s.number: s for s in listed if s.latitude is not None and s.elevation_m is not None}


def place_of(station: Station) -> Place | None:
    """Return where a station lies."""
    if station.latitude is None or station.longitude is None:
        return None
    return Place(station.latitude, station.longitude)


def network_years(root: Path, items: tuple[str, ...]) -> Iterator[NetworkYear]:
    """Yield the years of a store that have more than a month of days."""
    with cimis.open(root) as store:
        frame = store.scan_daily(qc="strict").select("station", "date", *items).collect()
    years = frame["date"].dt.year().unique().sort().to_list()
    for year in years:
        rows = frame.filter(pl.col("date").dt.year() == year)
        dates = np.arange(f"{year}-01-01", f"{year + 1}-01-01", dtype="datetime64[D]")
        stations = rows["station"].unique().sort().to_list()
        if rows["date"].n_unique() <= 31:
            continue
        day = (rows["date"].dt.ordinal_day() - 1).to_numpy().astype(np.int64)
        column = np.searchsorted(stations, rows["station"].to_numpy())
        grids = {}
        for item in items:
            grid = np.full((dates.size, len(stations)), np.nan)
            grid[day, column] = rows[item].cast(pl.Float64).fill_null(np.nan).to_numpy()
            grids[item] = grid
        yield NetworkYear(year, dates, tuple(stations), grids)


def real_hours(real: Path) -> Iterator[tuple[str, Days, Mapping[str, Doubles]]]:
    """Yield name, every hour and unflagged hourly items of each station's saved hours."""
    report = real / "web/davis_hourly_2019_metric.csv"
    tables = {report.stem: read_web_report(report)}
    for path in sorted((real / "api/hourly").glob("wy*.json")):
        tables[path.stem] = unify(decode([path.read_bytes()], scope=Scope.HOURLY))
    for name, table in tables.items():
        frame = pl.DataFrame(pl.from_arrow(to_physical(table.combine_chunks())))
        times = frame["time"].to_numpy().astype("datetime64[h]")
        every = np.arange(times.min(), times.max() + 1)
        items = {}
        for item in ("air_tmp", "wind_spd", "wind_dir"):
            kept = pl.when(pl.col(f"{item}_qc").is_null()).then(pl.col(item)).fill_null(np.nan)
            items[item] = np.full(every.size, np.nan)
            items[item][(times - every[0]).astype(np.int64)] = frame.select(kept).to_series()
        yield name, every, items
