"""Generated weather as a source: values, gaps and flags, rounded and worded as the API does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from cimis.pipeline.emulator.network import sites
from cimis.pipeline.emulator.source import ItemTexts, RecordSet, SpatialSource
from cimis.pipeline.emulator.spatial import GeneratedSpatial
from cimis.pipeline.emulator.standards import converted
from cimis.pipeline.emulator.troubles.faults import Faults, sensor_faults
from cimis.pipeline.emulator.weather.climate import Doubles, HourlyWeather, weather_of_year
from cimis.pipeline.field.items import Item, Scope, Standard
from cimis.pipeline.field.time import HOURS, by_year, hour_text
from cimis.pipeline.field.units import HOUR_KM

__all__ = ["GeneratedSource"]

_SECTORS = ("nne", "ene", "ese", "sse", "ssw", "wsw", "wnw", "nnw")
_YEARS_KEPT = 96


class GeneratedSource:
    """Coherent weather for an invented network; the same for a day, whatever window is asked."""

    def stations(self) -> Sequence[Mapping[str, object]]:
        """Return every station with the fields that the API's list has."""
        return [site.facts() for site in sites().values()]

    def spatial(self) -> SpatialSource:
        """Return the spatial network."""
        return GeneratedSpatial()

    def records(
        self,
        station: int,
        scope: Scope,
        start: dt.date,
        end: dt.date,
        items: Sequence[Item],
        standard: Standard,
    ) -> RecordSet:
        """Return a station's records from ``start`` to ``end``; none outside its working life."""
        site = sites()[station]
        start, end = max(start, site.connected), min(end, site.disconnected)
        dates: list[str] = []
        hours: list[str] = []
        columns: dict[str, tuple[list[str | None], list[str]]] = {
            i.json_key: ([], []) for i in items
        }
        for year, (first, last) in by_year(start, end) if start <= end else ():
            rows = slice(first.timetuple().tm_yday - 1, last.timetuple().tm_yday)
            days = [
                (first + dt.timedelta(days=n)).isoformat() for n in range(rows.stop - rows.start)
            ]
            if scope is Scope.HOURLY:
                rows = slice(rows.start * len(HOURS), rows.stop * len(HOURS))
                hours += [hour_text(hour) for _ in days for hour in HOURS]
                days = [day for day in days for _ in HOURS]
            dates += days
            for item in items:
                values, flags = _texts(station, year, item, standard)
                columns[item.json_key][0].extend(values[rows])
                columns[item.json_key][1].extend(flags[rows])
        texts = {
            item.json_key: ItemTexts(*columns[item.json_key], item.unit(standard)) for item in items
        }
        zips = ", ".join(site.zip_codes)
        return RecordSet(station, standard, scope, zips, dates, hours, texts)


@lru_cache(maxsize=_YEARS_KEPT)
def _weather(station: int, year: int) -> tuple[HourlyWeather, Faults]:
    site = sites()[station]
    weather = weather_of_year(site, year)
    return weather, sensor_faults(site, year, weather.air_c.shape[0])


@lru_cache(maxsize=_YEARS_KEPT * 40)
def _texts(
    station: int, year: int, item: Item, standard: Standard
) -> tuple[list[str | None], list[str]]:
    """Return the value texts and flags of an item's whole year."""
    weather, faults = _weather(station, year)
    hourly = item.scope is Scope.HOURLY
    metric = _hourly(weather, item) if hourly else _daily(weather, item)
    if metric is None:  # as the service says of a station without the sensor
        rows = weather.air_c.size if hourly else weather.air_c.shape[0]
        return [None] * rows, ["N"] * rows
    missing, flags = faults.of(item)
    places = item.decimals(standard)
    values = np.round(converted(metric, item, standard), places) + 0.0
    texts: list[str | None] = [f"{value:.{places}f}" for value in values.tolist()]
    for row in np.flatnonzero(missing).tolist():
        texts[row] = None
    return texts, flags


def _hourly(weather: HourlyWeather, item: Item) -> Doubles | None:
    """Return an hourly item's values in order; None for one that the weather does not make."""
    hours = {
        "air_tmp": weather.air_c,
        "dew_pnt": weather.dew_c,
        "eto": weather.cimis_eto_mm,
        "net_rad": weather.net_w_m2,
        "asce_eto": weather.asce_eto_mm,
        "asce_etr": weather.asce_etr_mm,
        "precip": weather.rain_mm,
        "rel_hum": weather.humidity,
        "res_wind": weather.resultant_m_s,
        "soil_tmp": weather.soil_c,
        "sol_rad": weather.solar_w_m2,
        "vap_pres": weather.vapour_kpa,
        "wind_dir": weather.direction_deg,
        "wind_spd": weather.wind_m_s,
    }.get(item.column)
    return None if hours is None else hours.ravel()


def _daily(weather: HourlyWeather, item: Item) -> Doubles | None:
    """Return a daily item from the hours: means, extremes and sums as the network forms them.

    None for one that the weather does not make.
    """
    column = item.column
    if column.startswith("wind_") and column[5:] in _SECTORS:
        return _sector_run(weather, column[5:])
    known = {
        "air_tmp_avg": (weather.air_c, "mean"),
        "air_tmp_max": (weather.air_max_c, "max"),
        "air_tmp_min": (weather.air_min_c, "min"),
        "dew_pnt": (weather.dew_c, "mean"),
        "eto": (weather.cimis_eto_mm, "sum"),
        "asce_eto": (weather.asce_eto_mm, "sum"),
        "asce_etr": (weather.asce_etr_mm, "sum"),
        "precip": (weather.rain_mm, "sum"),
        "rel_hum_avg": (weather.humidity, "mean"),
        "rel_hum_max": (weather.humidity, "max"),
        "rel_hum_min": (weather.humidity, "min"),
        "soil_tmp_avg": (weather.soil_c, "mean"),
        "soil_tmp_max": (weather.soil_c, "max"),
        "soil_tmp_min": (weather.soil_c, "min"),
        "sol_rad_avg": (weather.solar_w_m2, "mean"),
        "sol_rad_net": (weather.net_w_m2, "mean"),
        "vap_pres_avg": (weather.vapour_kpa, "mean"),
        "vap_pres_max": (weather.vapour_kpa, "max"),
        "vap_pres_min": (weather.vapour_kpa, "min"),
        "wind_run": (weather.wind_m_s * HOUR_KM, "sum"),
        "wind_spd_avg": (weather.wind_m_s, "mean"),
    }
    if column not in known:
        return None
    hours, how = known[column]
    days: Doubles = getattr(hours, how)(axis=1)
    return days


def _sector_run(weather: HourlyWeather, sector: str) -> Doubles:
    """Return the wind run (km) of the hours whose wind came from one sector of 45°."""
    low = _SECTORS.index(sector) * 45.0
    inside: npt.NDArray[np.bool_] = weather.direction_deg // 45.0 * 45.0 == low
    run: Doubles = (weather.wind_m_s * HOUR_KM * inside).sum(axis=1)
    return run
