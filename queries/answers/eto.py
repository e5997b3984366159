"""Reference ET computed from stored weather, beside what the network computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cimis.pipeline.errors import NoDataError, UsageError
from cimis.pipeline.field import eto
from cimis.pipeline.field.items import Item, Scope, resolve
from cimis.pipeline.field.time import BEHIND_UTC_H
from cimis.pipeline.field.units import DAY_KM, WATT_DAY_MJ, WATT_HOUR_MJ
from cimis.pipeline.rows.schema import FLAG_TYPE, KEY_FIELDS, item_metadata

__all__ = ["SURFACES", "Agreement", "agreement", "computed", "needed_items", "weather_items"]

Doubles = npt.NDArray[np.float64]

SURFACES = {"short": (eto.SHORT, "asce_eto"), "tall": (eto.TALL, "asce_etr")}
"""Reference surfaces, each with the column of the network's own figure."""

_NEEDED = {
    Scope.DAILY: ("air_tmp_max", "air_tmp_min", "sol_rad_avg"),
    Scope.HOURLY: ("air_tmp", "sol_rad", "wind_spd"),
}
_VAPOUR = {
    Scope.DAILY: ("dew_pnt", "vap_pres_avg"),
    Scope.HOURLY: ("dew_pnt", "vap_pres"),
}
_WIND = ("wind_spd_avg", "wind_run")


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far computed and network's figures of one station agree, where neither is missing.

    ``within_001`` and ``within_002`` are shares of records that differ by at most 0.01 and 0.02 mm;
    ``bias_mm`` is the mean of computed less network's; flagged records do not count.
    """

    station: int
    records: int
    within_001: float
    within_002: float
    bias_mm: float
    largest_mm: float


def weather_items(scope: Scope, surface: str) -> tuple[Item, ...]:
    """Return the items that computing takes, and the network's own figure."""
    names = [*_NEEDED[scope], *_VAPOUR[scope], SURFACES[_known(surface)][1]]
    if scope is Scope.DAILY:
        names += _WIND
    return resolve(",".join(names), scope)


def needed_items(scope: Scope, surface: str) -> tuple[Item, ...]:
    """Return those of them that nothing can take the place of."""
    return resolve(",".join([*_NEEDED[scope], SURFACES[_known(surface)][1]]), scope)


def computed(
    rows: pa.Table,
    scope: Scope,
    stations: Mapping[int, Mapping[str, Any]],
    *,
    surface: str = "short",
    fill: bool = False,
) -> pa.Table:
    """Return per record the network's reference ET, the one computed by ASCE-EWRI 2005, and both.

    Parameters
    ----------
    rows : pyarrow.Table
        Physical rows, metric, in station and time order, with `weather_items`.
    scope : Scope
        Hourly or daily equation.
    stations : mapping of int to mapping
        ``latitude``, ``longitude`` (degrees) and ``elevation_m`` by number.
    surface : {"short", "tall"}
    fill : bool
        Give one figure, the network's where there is one, and tell its ``source``.

    Returns
    -------
    pyarrow.Table
        Keys; the network's figure and its flag; then ``computed`` and ``difference`` (mm, null
        where the weather or the network's figure is missing), or with `fill` the figure filled and
        ``source``, ``network`` or ``computed``.

    Raises
    ------
    UsageError
        For an unknown surface.
    NoDataError
        When no weather is stored that ET could be computed from, or a station's place is unknown.
    """
    kind, name = SURFACES[_known(surface)]
    for needed in _NEEDED[scope]:
        if rows[needed].null_count == rows.num_rows:
            raise NoDataError(
                f"ET cannot be computed: no {needed} is stored of these records",
                hint=f"fetch {', '.join(i.column for i in weather_items(scope, surface))}",
            )
    equation = _hourly if scope is Scope.HOURLY else _daily
    values = np.empty(rows.num_rows)
    for number, start, stop in _runs(rows):
        place = _place(stations, number)
        values[start:stop] = equation(rows.slice(start, stop - start), place, kind)
    (item,) = resolve(name, scope)
    figure = np.asarray(np.round(values, item.decimals_metric) + 0.0, np.float64)
    own = rows[name].combine_chunks()
    network = _doubles(rows, name)
    keys = [rows[field.name] for field in KEY_FIELDS[scope]]
    unit = item_metadata(item, decimals=item.decimals_metric, unit=item.unit_metric)
    fields = [*KEY_FIELDS[scope], pa.field(name, pa.float64(), metadata=unit)]
    if fill:
        lacking = np.isnan(network)
        filled = np.array(network, np.float64)
        filled[lacking] = figure[lacking]
        source = np.where(lacking, np.where(np.isnan(figure), 2, 1), 0).astype(np.int8)
        words = pa.DictionaryArray.from_arrays(
            pa.array(source, mask=source == 2), pa.array(["network", "computed"])
        )
        arrays = [*keys, _array(filled), rows[f"{name}_qc"], words]
        fields += [pa.field(f"{name}_qc", FLAG_TYPE), pa.field("source", words.type)]
    else:
        off: Doubles = np.round(figure - network, item.decimals_metric) + 0.0
        arrays = [*keys, own, rows[f"{name}_qc"], _array(figure), _array(off)]
        fields += [
            pa.field(f"{name}_qc", FLAG_TYPE),
            pa.field("computed", pa.float64(), metadata=unit),
            pa.field("difference", pa.float64(), metadata=unit),
        ]
    return pa.table(arrays, schema=pa.schema(fields))


def agreement(table: pa.Table, surface: str = "short") -> list[Agreement]:
    """Return per station how far the figures of `computed` agree."""
    name = SURFACES[_known(surface)][1]
    difference = _doubles(table, "difference")
    whole = ~np.isnan(difference) & np.asarray(table[f"{name}_qc"].is_null())
    found = []
    for number, start, stop in _runs(table):
        off = np.round(difference[start:stop][whole[start:stop]], 6)
        if not off.size:
            continue
        far = np.abs(off)
        found.append(
            Agreement(
                number,
                off.size,
                float((far <= 0.01).mean()),
                float((far <= 0.02).mean()),
                float(off.mean()),
                float(far.max()),
            )
        )
    return found


def _known(surface: str) -> str:
    if surface not in SURFACES:
        raise UsageError(f"no reference surface '{surface}'", hint="choose short or tall")
    return surface


def _runs(rows: pa.Table) -> Iterator[tuple[int, int, int]]:
    """Yield each station with its first row and the row behind its last."""
    numbers = rows["station"].to_numpy()
    edges = [0, *(np.flatnonzero(np.diff(numbers.astype(np.int64))) + 1).tolist(), len(numbers)]
    for start, stop in pairwise(edges):
        if stop > start:
            yield int(numbers[start]), start, stop


def _place(stations: Mapping[int, Mapping[str, Any]], number: int) -> tuple[float, float, float]:
    facts = stations.get(number, {})
    place = [facts.get(name) for name in ("latitude", "longitude", "elevation_m")]
    if any(value is None for value in place):
        raise NoDataError(
            f"where station {number} lies is not known, and ET depends on it",
            hint="fetch the list of stations: cimis stations --refresh",
        )
    return float(place[0] or 0.0), float(place[1] or 0.0), float(place[2] or 0.0)


def _doubles(rows: pa.Table, name: str) -> Doubles:
    if name not in rows.schema.names:
        return np.full(rows.num_rows, np.nan)
    return np.asarray(rows[name].cast(pa.float64()).fill_null(np.nan).to_numpy())


def _array(values: Doubles) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))


def _vapour_kpa(rows: pa.Table, scope: Scope) -> Doubles:
    """Return vapour pressure from the dew point, which has more digits, else as it is stored."""
    dew, stored = _VAPOUR[scope]
    from_dew = eto.saturation_pressure_kpa(_doubles(rows, dew))
    return np.where(np.isnan(from_dew), _doubles(rows, stored), from_dew)


def _day_of_year(rows: pa.Table) -> Doubles:
    days = rows["date"].to_numpy().astype("datetime64[D]")
    since = (days - days.astype("datetime64[Y]")).astype(np.int64)
    number: Doubles = (since + 1).astype(np.float64)
    return number


def _hourly(rows: pa.Table, place: tuple[float, float, float], surface: eto.Surface) -> Doubles:
    latitude, longitude, elevation = place
    # an hour is named by its end
    middle_utc_h = rows["hour"].to_numpy().astype(np.float64) - 0.5 + BEHIND_UTC_H
    return eto.asce_hourly_mm(
        _doubles(rows, "air_tmp"),
        _vapour_kpa(rows, Scope.HOURLY),
        _doubles(rows, "sol_rad") * WATT_HOUR_MJ,
        _doubles(rows, "wind_spd"),
        _day_of_year(rows),
        middle_utc_h,
        latitude_deg=latitude,
        longitude_deg=longitude,
        elevation_m=elevation,
        surface=surface,
    )


def _daily(rows: pa.Table, place: tuple[float, float, float], surface: eto.Surface) -> Doubles:
    latitude, _, elevation = place
    speed, run_km = (_doubles(rows, name) for name in _WIND)
    return eto.asce_daily_mm(
        _doubles(rows, "air_tmp_max"),
        _doubles(rows, "air_tmp_min"),
        _vapour_kpa(rows, Scope.DAILY),
        _doubles(rows, "sol_rad_avg") * WATT_DAY_MJ,
        np.where(np.isnan(speed), run_km / DAY_KM, speed),
        _day_of_year(rows),
        latitude_deg=latitude,
        elevation_m=elevation,
        surface=surface,
    )
