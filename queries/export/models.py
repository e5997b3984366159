"""Weather as the files that crop and chill models read: pyfao56, DSSAT, chillR."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cimis.pipeline.errors import CheckFailed
from cimis.pipeline.field.items import Scope
from cimis.pipeline.field.time import PACIFIC, PER_DAY, years_of
from cimis.pipeline.field.units import DAY_KM, WATT_DAY_MJ

__all__ = ["MODELS", "Model", "Site", "model_text"]

Doubles = npt.NDArray[np.float64]
Columns = Mapping[str, Doubles]
Texts = npt.NDArray[np.str_]

_WIND_M = 2.0
_AIR_M = 1.5
_MISSING_DSSAT = -99.0
_HOURS = PER_DAY[Scope.HOURLY]
_PLACES = 6


@dataclass(frozen=True, slots=True)
class Site:
    """Where the weather is from.

    Parameters
    ----------
    number : int
    name : str
    latitude, longitude : float
        Degrees, east and north positive.
    elevation_m : float
    mean_c, amplitude_c : float
        Mean of the twelve months' mean temperatures, and half the range of them; NaN = unknown.
    """

    number: int
    name: str
    latitude: float
    longitude: float
    elevation_m: float
    mean_c: float = float("nan")
    amplitude_c: float = float("nan")


@dataclass(frozen=True, slots=True)
class Model:
    """What a model's file is made of.

    Parameters
    ----------
    daily, hourly : tuple of str
        Columns of weather that it takes; no hourly ones where there is no such file.
    missing : str
        How a missing value is written.
    """

    daily: tuple[str, ...]
    hourly: tuple[str, ...]
    missing: str


MODELS = {
    "pyfao56": Model(
        (
            *("sol_rad_avg", "air_tmp_max", "air_tmp_min", "vap_pres_avg", "dew_pnt"),
            *("rel_hum_max", "rel_hum_min", "wind_spd_avg", "precip", "asce_eto"),
        ),
        (),
        "NaN",
    ),
    "dssat": Model(
        (
            *("sol_rad_avg", "air_tmp_max", "air_tmp_min", "precip", "dew_pnt"),
            *("wind_spd_avg", "rel_hum_max"),
        ),
        (),
        "-99",
    ),
    "chillr": Model(("air_tmp_min", "air_tmp_max", "air_tmp_avg", "precip"), ("air_tmp",), "NA"),
}
"""Model → what it takes, in the order of its columns."""


def model_text(
    model: str, site: Site, first: dt.date, columns: Columns, *, hourly: bool = False
) -> str:
    """Return the text of a model's weather file.

    Parameters
    ----------
    model : str
        One of `MODELS`.
    site : Site
    first : date
        Day of the first value; days, or of hourly values all 24 hours of each, follow without gap.
    columns : mapping of str to float64 array
        The model's columns in metric units as stored (radiation W/m², wind m/s), NaN = missing.
    hourly : bool
        Hours instead of days.

    Raises
    ------
    CheckFailed
        For a value that DSSAT's columns do not hold.

    Notes
    -----
    pyfao56: `Weather.loadfile` of its version 1.4.3; wind is measured at 2 m, `ETref` is the
    network's ASCE figure for the short reference. DSSAT: `IPWTH` of its weather module; radiation
    MJ/m², `WIND` km/day, `RHUM` the maximum, since it is that at the minimum temperature. chillR:
    columns of its `handle_cimis`; of hours those of `stack_hourly_temps`, `Hour` 0 to 23 is the
    beginning of the network's hour, whose mean `Temp` is.
    """
    count = len(next(iter(columns.values())))
    steps = count // _HOURS if hourly else count
    days = np.datetime64(first, "D") + np.arange(steps)
    if hourly:
        return _chillr_hours(days, columns)
    writers: dict[str, Callable[[Site, npt.NDArray[np.datetime64], Columns], str]] = {
        "pyfao56": _pyfao56,
        "dssat": _dssat,
        "chillr": _chillr,
    }
    return writers[model](site, days, columns)


def _pyfao56(site: Site, days: npt.NDArray[np.datetime64], columns: Columns) -> str:
    rule = "*" * 72
    now = dt.datetime.now(PACIFIC)
    names = (
        *("Srad", "Tmax", "Tmin", "Vapr", "Tdew", "RHmax", "RHmin", "Wndsp", "Rain", "ETref"),
        "MorP",
    )
    head = [
        *(rule, "pyfao56: FAO-56 Evapotranspiration in Python", "Weather Data"),
        f"Timestamp: {now:%m/%d/%Y %H:%M:%S}",
        *(rule, f"Comments: CIMIS station {site.number} {site.name}", rule),
        f"{'S':>12s} Reference crop - Short ('S') or Tall ('T')",
        f"{site.elevation_m:12.7f} Weather station elevation (z) (m)",
        f"{site.latitude:12.7f} Weather station latitude (decimal degrees)",
        f"{_WIND_M:12.7f} Wind speed measurement height (m)",
        "",
        "Daily weather data:",
        "Year-DOY" + "".join(f"{name:>7s}" for name in names),
    ]
    year, number = _year_and_day(days)
    values = dict(columns)
    values["sol_rad_avg"] = values["sol_rad_avg"] * WATT_DAY_MJ
    weather = [
        np.where(np.isnan(values[name]), "    NaN", np.char.mod(" %6.2f", values[name]))
        for name in MODELS["pyfao56"].daily
    ]
    key = [np.char.mod("%04d", year), np.char.mod("-%03d", number)]
    return _lines(head, [*key, *weather, np.full(len(days), "      M")])


def _dssat(site: Site, days: npt.NDArray[np.datetime64], columns: Columns) -> str:
    mean, amplitude = np.nan_to_num([site.mean_c, site.amplitude_c], nan=_MISSING_DSSAT)
    place = (
        f"  C{site.number:03d}{site.latitude:9.3f}{site.longitude:9.3f}{site.elevation_m:6.0f}"
        f"{mean:6.1f}{amplitude:6.1f}{_AIR_M:6.1f}{_WIND_M:6.1f}"
    )
    head = [
        f"*WEATHER DATA : CIMIS {site.number} {site.name}",
        "",
        "@ INSI      LAT     LONG  ELEV   TAV   AMP REFHT WNDHT",
        place,
        "@DATE  SRAD  TMAX  TMIN  RAIN  DEWP  WIND  RHUM",
    ]
    year, number = _year_and_day(days)
    values = dict(columns)
    values["sol_rad_avg"] = values["sol_rad_avg"] * WATT_DAY_MJ
    values["wind_spd_avg"] = values["wind_spd_avg"] * DAY_KM
    key = [np.char.mod("%02d", year % 100), np.char.mod("%03d", number)]
    weather = [_six_places(name, values[name], days) for name in MODELS["dssat"].daily]
    return _lines(head, [*key, *weather])


def _six_places(name: str, values: Doubles, days: npt.NDArray[np.datetime64]) -> Texts:
    """Return values as DSSAT's columns hold them; a longer one would end in its neighbour's."""
    texts = np.char.mod("%6.1f", np.nan_to_num(values, nan=_MISSING_DSSAT))
    long = np.flatnonzero(np.char.str_len(texts) > _PLACES)
    if long.size:
        first = long[0]
        raise CheckFailed(
            f"{name} of {days[first]} comes to {texts[first]} in DSSAT's unit, which its six "
            "places do not hold",
            hint="--qc strict leaves flagged values out; see the day with 'cimis query'",
        )
    return texts


def _chillr(_site: Site, days: npt.NDArray[np.datetime64], columns: Columns) -> str:
    values = [columns[name] for name in MODELS["chillr"].daily]
    return _comma("Year,Month,Day,Tmin,Tmax,Tmean,Prec", [*_calendar(days), *values])


def _chillr_hours(days: npt.NDArray[np.datetime64], columns: Columns) -> str:
    year, month, day = (np.repeat(part, _HOURS) for part in _calendar(days))
    number = np.repeat(_year_and_day(days)[1], _HOURS)
    hour = np.tile(np.arange(_HOURS), len(days))
    values = [year, month, day, number, hour, columns["air_tmp"]]
    return _comma("Year,Month,Day,JDay,Hour,Temp", values)


def _comma(head: str, values: Sequence[npt.NDArray[Any]]) -> str:
    parts: list[Texts] = []
    for number, column in enumerate(values):
        texts = np.where(np.isnan(column), "NA", np.char.mod("%.10g", column))
        parts.append(texts if number == 0 else np.char.add(",", texts))
    return _lines([head], parts)


def _lines(head: Sequence[str], parts: Sequence[Texts]) -> str:
    """Return the head, and a line of all parts for each of their elements."""
    whole = parts[0]
    for part in parts[1:]:
        whole = np.char.add(whole, part)
    return "\n".join([*head, *whole.tolist(), ""])


def _year_and_day(
    days: npt.NDArray[np.datetime64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    years = days.astype("datetime64[Y]")
    number: npt.NDArray[np.int64] = (days - years).astype("timedelta64[D]").astype(np.int64) + 1
    return years_of(days), number


def _calendar(days: npt.NDArray[np.datetime64]) -> list[npt.NDArray[np.int64]]:
    months = days.astype("datetime64[M]")
    year, _ = _year_and_day(days)
    return [year, months.astype(np.int64) % 12 + 1, (days - months).astype(np.int64) + 1]
