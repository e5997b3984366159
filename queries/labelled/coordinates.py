"""Coordinates of a cube: its axes, the network's day and hour, names and places of stations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cimis.pipeline.field.items import Scope
from cimis.pipeline.field.time import day_of, hour_of
from cimis.queries.labelled.axes import Axis
from cimis.queries.labelled.facts import Places

__all__ = ["coordinates_of"]

Coordinates = dict[str, Any]

_ATTRIBUTES: dict[str, dict[str, str]] = {
    "station": {"long_name": "number of the station", "cf_role": "timeseries_id"},
    "target": {"long_name": "spatial target", "cf_role": "timeseries_id"},
    "date": {"long_name": "day, Pacific standard time", "standard_name": "time"},
    "time": {"long_name": "end of the hour, Pacific standard time", "standard_name": "time"},
}
_OF_PLACES: dict[str, tuple[str, dict[str, str]]] = {
    "lat": (
        "latitude",
        {"units": "degrees_north", "standard_name": "latitude", "long_name": "latitude"},
    ),
    "lon": (
        "longitude",
        {"units": "degrees_east", "standard_name": "longitude", "long_name": "longitude"},
    ),
    "elevation": (
        "elevation_m",
        {"units": "m", "standard_name": "surface_altitude", "long_name": "elevation"},
    ),
}


def coordinates_of(
    table: pa.Table, axes: Sequence[Axis], places: Places | None
) -> tuple[Coordinates, set[str]]:
    """Return a cube's coordinates, and the table's columns that are among them.

    Those of hours have the network's ``date`` and ``hour`` (1 to 24) beside; stations their
    ``station_name``, ``lat``, ``lon`` and ``elevation``, as far as they are known.
    """
    found: Coordinates = {}
    used = {axis.column for axis in axes}
    for axis in axes:
        told = _ATTRIBUTES.get(axis.column, {"long_name": axis.column.replace("_", " ")})
        found[axis.name] = ([axis.name], axis.values, told)
        if axis.column == "time" and {"date", "hour"} <= set(table.schema.names):
            beside = _network_hours(axis, table)
            found |= beside
            used |= beside.keys()
        if axis.column == "station" and places is not None:
            found |= _whereabouts(axis, {facts["number"]: facts for facts in places()})
    return found, used


def _network_hours(axis: Axis, table: pa.Table) -> Coordinates:
    """Return the day and hour of each time; nothing where the table's are others."""
    hours = axis.values.astype("datetime64[h]").astype(np.int64)
    days = np.asarray(day_of(Scope.HOURLY, hours)).astype("datetime64[D]")
    numbers = np.asarray(hour_of(hours)).astype(np.int8)
    if table["date"].null_count or table["hour"].null_count:
        return {}
    if not pa.types.is_date(table["date"].type) or not pa.types.is_integer(table["hour"].type):
        return {}
    same = bool((table["date"].to_numpy().astype("datetime64[D]") == days[axis.at]).all())
    if not same or not bool((table["hour"].to_numpy() == numbers[axis.at]).all()):
        return {}
    return {
        "date": (["time"], days.astype("datetime64[ns]"), {"long_name": "the network's day"}),
        "hour": (["time"], numbers, {"long_name": "hour of the network's day, 1 to 24"}),
    }


def _whereabouts(axis: Axis, known: Mapping[Any, Mapping[str, Any]]) -> Coordinates:
    each = [known.get(number, {}) for number in axis.values.tolist()]
    found: Coordinates = {}
    names = [str(facts.get("name") or "") for facts in each]
    if any(names):
        told = {"long_name": "name of the station"}
        found["station_name"] = ([axis.name], np.array(names, np.str_), told)
    for name, (fact, told) in _OF_PLACES.items():
        values: npt.NDArray[np.float64] = np.array([facts.get(fact) for facts in each], np.float64)
        if bool(np.isfinite(values).any()):
            found[name] = ([axis.name], values, told)
    return found
