"""Which stations lie near each other; the plain estimates by nearest and inverse distance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.places import Place, distance_km

__all__ = ["Near", "inverse_distance", "nearest", "nearest_value"]

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_LEAST = 2


@dataclass(frozen=True, slots=True)
class Near:
    """The stations near each station, the nearest first.

    Attributes
    ----------
    stations : tuple of int
        Numbers, in the order of the columns of all arrays of values.
    place : int64 array, stations × most
        Columns of the neighbours; -1 where there are no more.
    km : float64 array, stations × most
        Their great-circle distances; NaN where there are no more.
    placed : tuple of bool
        Whether the coordinates of a station are known.
    within_km : float
        How far a neighbour may be.
    """

    stations: tuple[int, ...]
    place: Ints
    km: Doubles
    placed: tuple[bool, ...]
    within_km: float

    def lack(self, column: int) -> str | None:
        """Return why a station cannot be held against neighbours, or None where it can."""
        if not self.placed[column]:
            return f"the coordinates of station {self.stations[column]} are not known"
        count = int((self.place[column] >= 0).sum())
        if count < _LEAST:
            few = "no neighbour" if count == 0 else "one neighbour"
            return f"station {self.stations[column]} has {few} within {self.within_km:g} km"
        return None

    def column(self, station: int) -> int:
        """Return the column of a station that has two neighbours or more.

        Raises
        ------
        UsageError
            For one that is not among the stations, has no coordinates or too few neighbours.
        """
        if station not in self.stations:
            raise UsageError(f"station {station} is not among those given")
        column = self.stations.index(station)
        lack = self.lack(column)
        if lack is not None:
            known = self.placed[column]
            raise UsageError(
                f"{lack}; two are needed" if known else lack,
                hint="take neighbours from farther away" if known else "fetch the station list",
            )
        return column


def nearest(
    stations: Sequence[int],
    places: Sequence[Place | None],
    *,
    within_km: float = 100.0,
    most: int = 10,
) -> Near:
    """Return for each station the others within a distance, the nearest first.

    Parameters
    ----------
    stations : sequence of int
    places : sequence of Place or None
        Of each station; None where its coordinates are not known: it has no neighbours then, and
        is none.
    within_km : float
        Great-circle distance, see `cimis.pipeline.field.places.distance_km`.
    most : int
        How many of them to keep.
    """
    count = len(stations)
    apart = np.full((count, count), np.inf)
    for row, one in enumerate(places):
        for column, other in enumerate(places[:row]):
            if one is not None and other is not None:
                apart[row, column] = apart[column, row] = distance_km(one, other)
    order = np.argsort(apart, axis=1, kind="stable")[:, :most]
    km = np.take_along_axis(apart, order, axis=1)
    near = km <= within_km
    return Near(
        tuple(stations),
        np.where(near, order, -1),
        np.where(near, km, np.nan),
        tuple(place is not None for place in places),
        within_km,
    )


def inverse_distance(
    values: Doubles, near: Near, station: int, *, power: float = 2.0, most: int = 5
) -> Doubles:
    """Return a station's values as the mean of its nearest present neighbours by 1/distance².

    For comparison with `cimis.agronomy.neighbours.regression`: it knows neither height nor sea.

    Parameters
    ----------
    values : float64 array, days × stations
    near : Near
    station : int
        Number of the station to estimate; its own values are not looked at.
    power, most
        Of the distance, and how many neighbours.

    Returns
    -------
    float64 array of days
        NaN where no neighbour has a value.
    """
    others, present = _others(values, near, station)
    used = present & (np.cumsum(present, axis=1) <= most)
    km = near.km[near.column(station)][: others.shape[1]]
    weights = np.where(used, np.maximum(km, 1e-3) ** -power, 0.0)
    total = weights.sum(axis=1)
    sums = (weights * np.where(used, others, 0.0)).sum(axis=1)
    mean: Doubles = np.divide(sums, total, out=np.full(total.shape, np.nan), where=total > 0)
    return mean


def nearest_value(values: Doubles, near: Near, station: int) -> Doubles:
    """Return the values of the nearest neighbour that has one; as `inverse_distance`, for one."""
    others, present = _others(values, near, station)
    first = others[np.arange(len(others)), np.argmax(present, axis=1)]
    return np.where(present.any(axis=1), first, np.nan)


def _others(values: Doubles, near: Near, station: int) -> tuple[Doubles, npt.NDArray[np.bool_]]:
    """Return the neighbours' values in order of distance, and where there are any."""
    columns = near.place[near.column(station)]
    others = values[:, columns[columns >= 0]]
    return others, np.isfinite(others)
