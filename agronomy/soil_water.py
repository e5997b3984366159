"""Soil water balance of a field by the dual crop coefficient of FAO-56, computed by pyfao56.

An adapter: pyfao56 (Thorp 2022, SoftwareX 19:101208; FAO-56, chapters 7 and 8) is an optional part
of the installation, and everything it computes is its own. What it would assume without a word is
refused here, or counted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from cimis.agronomy.arrays import Doubles, doubles
from cimis.agronomy.crop import Dates
from cimis.pipeline.errors import UsageError

__all__ = ["FieldWeather", "Irrigation", "SoilWater", "soil_water"]

_DAY = dt.timedelta(days=1)
_NAMES = {
    "eto": "ETref",
    "rain": "Rain",
    "tmax": "Tmax",
    "tmin": "Tmin",
    "dew_point": "Tdew",
    "humidity_min": "RHmin",
    "wind": "Wndsp",
}
"""Our column to pyfao56's; the others of its table are needed only to compute ETref."""
_OTHERS = ("Srad", "Vapr", "RHmax")
_TEXTS = ("Year", "DOY", "DOW", "Date")


@dataclass(frozen=True, slots=True)
class FieldWeather:
    """Daily weather of a field.

    Parameters
    ----------
    dates : ndarray of datetime64, shape (days,)
        Days, each once.
    eto, rain : ndarray, shape (days,), float64
        Reference ET and rain, mm; every day of a season needs both.
    tmax, tmin, dew_point : ndarray, shape (days,), optional
        °C; they stand in where the minimum humidity is missing.
    humidity_min : ndarray, shape (days,), optional
        Minimum relative humidity, %.
    wind : ndarray, shape (days,), optional
        Mean wind speed, m/s, at ``wind_height_m``.
    wind_height_m : float
        Height of the wind sensor; 2 m at CIMIS stations.
    reference : {"short", "tall"}
        Reference surface of ``eto``.
    """

    dates: Dates
    eto: Doubles
    rain: Doubles
    tmax: Doubles | None = None
    tmin: Doubles | None = None
    dew_point: Doubles | None = None
    humidity_min: Doubles | None = None
    wind: Doubles | None = None
    wind_height_m: float = 2.0
    reference: Literal["short", "tall"] = "short"


@dataclass(frozen=True, slots=True)
class Irrigation:
    """An irrigation: its day, depth in mm, the share of the soil it wets, its efficiency in %."""

    day: dt.date
    depth_mm: float
    wetted: float
    efficiency_pct: float = 100.0


@dataclass(frozen=True, slots=True)
class SoilWater:
    """A season of a field as pyfao56 computed it.

    Parameters
    ----------
    dates : ndarray of datetime64, shape (days,)
    daily : dict of ndarray, shape (days,), float64
        By pyfao56's names: ``ETref``, ``Kcb``, ``Ke``, ``ETc``, ``Ks``, ``ETa``, ``Dr`` and others.
    totals : dict of float
        Sums of the season in mm by pyfao56's names: ``ETref``, ``ETcm``, ``ETc``, ``ETa``, ``E``,
        ``T``, ``DP``, ``Irrig``, ``Rain`` and others.
    assumed : dict of int
        Days whose ``wind`` was missing and taken as 2 m/s, and whose ``humidity_min`` was missing
        and estimated from temperatures, or taken as 45 % without them.
    """

    dates: Dates
    daily: dict[str, Doubles]
    totals: dict[str, float]
    assumed: dict[str, int] = field(default_factory=dict)


def soil_water(
    weather: FieldWeather,
    *,
    parameters: Mapping[str, float],
    start: dt.date,
    end: dt.date,
    irrigations: Sequence[Irrigation] = (),
    runoff: bool = False,
) -> SoilWater:
    """Run pyfao56 over a season.

    Parameters
    ----------
    weather : FieldWeather
        Weather of every day from ``start`` to ``end``.
    parameters : mapping
        Crop and soil by pyfao56's names (``Kcbini``, ``Lini``, ``thetaFC``, ...); those left out
        have its defaults.
    start, end : date
        First and last day.
    irrigations : sequence of Irrigation
        At most one per day.
    runoff : bool
        Whether surface runoff is estimated by curve numbers.

    Raises
    ------
    UsageError
        Without pyfao56; for a parameter it does not have, days or values that lack, two irrigations
        on a day.
    """
    fao = _pyfao56()
    table = _weather(fao, weather, start, end)
    water = fao.Irrigation()
    for one in irrigations:
        year, of_year = one.day.year, one.day.timetuple().tm_yday
        if f"{year:04d}-{of_year:03d}" in water.idata.index:
            raise UsageError(f"two irrigations on {one.day}", hint="add them up")
        water.addevent(year, of_year, one.depth_mm, one.wetted, one.efficiency_pct)
    model = fao.Model(
        f"{start:%Y-%j}",
        f"{end:%Y-%j}",
        _parameters(fao, parameters),
        table,
        irr=water if irrigations else None,
        roff=runoff,
    )
    model.run()
    rows = model.odata.loc[:, [not repeated for repeated in model.odata.columns.duplicated()]]
    daily = {n: rows[n].to_numpy(dtype=np.float64) for n in rows.columns if n not in _TEXTS}
    season = table.wdata.loc[rows.index]
    assumed = {n: int(season[_NAMES[n]].isna().sum()) for n in ("wind", "humidity_min")}
    totals = {name: float(value) for name, value in model.swbdata.items()}
    return SoilWater(_days(start, end), daily, totals, assumed)


def _pyfao56() -> Any:
    try:
        import pyfao56
    except ImportError as error:
        raise UsageError(
            "the soil water balance needs pyfao56, which is not installed",
            hint="install cimis[soil-water], or pyfao56 itself",
        ) from error
    return pyfao56


def _days(start: dt.date, end: dt.date) -> Dates:
    days: Dates = np.arange(np.datetime64(start, "D"), np.datetime64(end + _DAY, "D"))
    return days


def _parameters(fao: Any, given: Mapping[str, float]) -> Any:
    parameters = fao.Parameters()
    known = [name for name in vars(parameters) if name not in ("comment", "tmstmp")]
    for name, value in given.items():
        if name not in known:
            raise UsageError(
                f"pyfao56 has no parameter {name!r}", hint=f"known: {', '.join(known)}"
            )
        setattr(parameters, name, value)
    return parameters


def _weather(fao: Any, weather: FieldWeather, start: dt.date, end: dt.date) -> Any:
    """Return the days of a season as pyfao56's weather, each with reference ET and rain."""
    if end < start:
        raise UsageError(f"the season ends on {end}, before it starts on {start}")
    wanted = _days(start, end)
    dates = weather.dates.astype("datetime64[D]")
    order = np.argsort(dates, kind="stable")
    at = np.minimum(np.searchsorted(dates, wanted, sorter=order), max(len(dates) - 1, 0))
    there = np.zeros(len(wanted), dtype=bool)
    if len(dates):
        there = dates[order[at]] == wanted
    columns: dict[str, Any] = {}
    for ours, theirs in _NAMES.items():
        values = getattr(weather, ours)
        column = np.full(len(wanted), np.nan)
        if values is not None:
            series = doubles(values, ours)
            if series.shape != dates.shape:
                raise UsageError(f"{ours} has {series.shape} values for {dates.shape} days")
            column[there] = series[order[at[there]]]
        columns[theirs] = column
    for ours in ("eto", "rain"):
        lacking = np.isnan(columns[_NAMES[ours]])
        if lacking.any():
            raise UsageError(
                f"{int(lacking.sum())} of {len(wanted)} days lack {ours}, the first "
                f"{wanted[lacking][0]}",
                hint="a balance needs every day; fill them first",
            )
    table = fao.Weather()
    table.rfcrp = "T" if weather.reference == "tall" else "S"
    table.wndht = weather.wind_height_m
    index = [f"{day:%Y-%j}" for day in wanted.tolist()]
    columns |= dict.fromkeys(_OTHERS, np.nan) | {"MorP": "M"}
    table.wdata = type(table.wdata)(columns, index=index)[table.cnames]
    return table
