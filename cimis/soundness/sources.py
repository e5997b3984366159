"""Where a missing daily value can come from, each time with the error that is to be expected."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cimis.answers.rows import query
from cimis.opened import Opened
from cimis.pipeline.errors import NoDataError
from cimis.pipeline.field.items import Item, Scope
from cimis.pipeline.field.places import distance_km
from cimis.soundness.grids import Span, around, grid_of, near_of, place_of

__all__ = ["ESTIMATES", "Asking", "Estimate"]

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Days = npt.NDArray[np.datetime64]

_LEAST_DAYS = 20
"""Days on which an estimate must stand beside the network's value to know how far it is off."""

_ABSOLUTE = 0.7
"""Mean absolute error of an estimate by neighbours as a share of its standard error.

0.6 to 0.7 by item, see `cimis.agronomy.neighbours.Estimates`.
"""

_SPATIAL_KM = 10.0
_SURFACES = {"asce_eto": "short", "asce_etr": "tall"}
_GROUP = 20


class Estimate(NamedTuple):
    """What one source says of one station's days: value, expected absolute error, and from whom.

    ``whose`` are the texts of who it rests on, ``who`` the place of each day's among them.
    """

    value: Doubles
    error: Doubles
    whose: Sequence[str]
    who: Ints


@dataclass(frozen=True, slots=True)
class Asking:
    """What is to be estimated: an item of some stations on the days of a span.

    Parameters
    ----------
    opened : Opened
    item : Item
    met : mapping of int to pair of datetime.date
        The stations that lack values, and the first and last day of each.
    days : datetime64[D] array
        Every day of the answer; estimates are of its length.
    wide : pair of datetime.date
        These days with those around them that estimates may rest on.
    known : mapping of int to mapping
        Facts of the network's list.
    alone : bool
        Whether nothing but neighbours is asked, so that it is an error where there are none.
    """

    opened: Opened
    item: Item
    met: Mapping[int, Span]
    days: Days
    wide: Span
    known: Mapping[int, Mapping[str, Any]]
    alone: bool = False

    def own(self, times: Days) -> Ints:
        """Return where the days of the answer are among those of a grid that holds them."""
        place: Ints = (self.days - times[0]).astype(np.int64)
        return place


def _alone(value: Doubles, error: Doubles | float, whose: str) -> Estimate:
    return Estimate(
        value, np.broadcast_to(error, value.shape), (whose,), np.zeros(value.shape, np.int64)
    )


def _beside(estimate: Doubles, own: Doubles) -> float:
    """Return the mean absolute error of an estimate where the network's value is beside it."""
    off = np.abs(estimate - own)
    off = off[np.isfinite(off)]
    return float(off.mean()) if off.size >= _LEAST_DAYS else np.nan


def by_computing(asking: Asking) -> dict[int, Estimate]:
    """Return reference ET by the ASCE equation from the weather stored of the station's day."""
    from cimis.queries.answers.eto import computed, weather_items

    surface = _SURFACES.get(asking.item.column)
    if surface is None:
        return {}
    found = {}
    for station in asking.met:
        rows = query(
            asking.opened,
            stations=station,
            start=asking.wide[0],
            end=asking.wide[1],
            items=weather_items(Scope.DAILY, surface),
            qc="strict",
        ).table()
        try:
            table = computed(rows, Scope.DAILY, asking.known, surface=surface)
        except NoDataError:  # no weather, or nobody knows where the station is
            continue
        place = (table["date"].to_numpy().astype("datetime64[D]") - asking.days[0]).astype(np.int64)
        figure, off = (
            table[name].to_numpy(zero_copy_only=False) for name in ("computed", "difference")
        )
        inside = (place >= 0) & (place < asking.days.size)
        value = np.full(asking.days.size, np.nan)
        value[place[inside]] = figure[inside]
        found[station] = _alone(value, _beside(off, np.zeros(off.shape)), str(station))
    return found


def by_neighbours(asking: Asking) -> dict[int, Estimate]:
    """Return estimates by regression on the unflagged values that neighbours have of the day."""
    from cimis.agronomy.neighbours import regression

    near = near_of(asking.opened, list(asking.met), asking.wide, asking.known)
    fit = [n for n in asking.met if near.lack(near.stations.index(n)) is None]
    if not fit and asking.alone:
        near.column(min(asking.met))  # says what it lacks
    if not fit:
        return {}
    grid = grid_of(asking.opened, Scope.DAILY, near.stations, asking.wide, [asking.item])
    made = regression(grid.items[asking.item.column], near, fit)
    rows = asking.own(grid.times)
    found = {}
    for place, station in enumerate(fit):
        neighbours = near.place[near.stations.index(station)]
        patterns, who = np.unique(made.used[rows, place], axis=0, return_inverse=True)
        whose = [
            ",".join(str(near.stations[c]) for c in sorted(neighbours[those].tolist()))
            for those in patterns
        ]
        error = _ABSOLUTE * made.error[rows, place]
        found[station] = Estimate(made.value[rows, place], error, whose, who.reshape(-1))
    return found


def by_spatial_targets(asking: Asking) -> dict[int, Estimate]:
    """Return what the spatial network says of the nearest stored coordinate within 10 km.

    Only where both stand beside each other on enough days to know how far it is off.
    """
    points = _points(asking)
    if not points:
        return {}
    grid = grid_of(asking.opened, Scope.DAILY, list(asking.met), asking.wide, [asking.item])
    rows, found = asking.own(grid.times), {}
    for column, station in enumerate(grid.stations):
        here = place_of(asking.known.get(station))
        if here is None:
            continue
        apart = {key: distance_km(here, there) for key, there in points.items()}
        key = min(apart, key=lambda one: apart[one])
        if apart[key] > _SPATIAL_KM:
            continue
        value = _of_target(asking, key, grid.times)
        error = _beside(value, grid.items[asking.item.column][:, column])
        if np.isfinite(error):
            found[station] = _alone(value[rows], error, key)
    return found


def _points(asking: Asking) -> dict[str, Any]:
    """Return where the stored coordinates lie that hold the item."""
    from cimis.pipeline.catalog.database import Catalog
    from cimis.pipeline.field.places import parse_place
    from cimis.pipeline.field.site import SiteKind

    with Catalog(asking.opened.root) as catalog:
        held = catalog.holdings(Scope.DAILY, kind=SiteKind.TARGET)
    keys = {key for key, _, _, items in held if asking.item.code in items.split(",")}
    kind = "coordinate:"
    return {key: parse_place(key.removeprefix(kind)) for key in keys if key.startswith(kind)}


def _of_target(asking: Asking, key: str, days: Days) -> Doubles:
    rows = query(
        asking.opened,
        stations=key,
        start=asking.wide[0],
        end=asking.wide[1],
        items=[asking.item],
        qc="strict",
    ).table()
    value = np.full(days.size, np.nan)
    place = (rows["date"].to_numpy().astype("datetime64[D]") - days[0]).astype(np.int64)
    value[place] = rows[asking.item.column].to_numpy(zero_copy_only=False)
    return value


def by_normals(spans: Mapping[int, Span]) -> Callable[[Asking], dict[int, Estimate]]:
    """Return what gives the mean of the calendar day, over all years stored of the station."""

    def normals(asking: Asking) -> dict[int, Estimate]:
        found: dict[int, Estimate] = {}
        numbers = list(asking.met)
        for first in range(0, len(numbers), _GROUP):
            group = numbers[first : first + _GROUP]
            whole = around(spans[number] for number in group)
            grid = grid_of(asking.opened, Scope.DAILY, group, whole, [asking.item])
            for column, station in enumerate(grid.stations):
                values = grid.items[asking.item.column][:, column]
                one = _normal(grid.times, values, asking.days, station)
                found |= {} if one is None else {station: one}
        return found

    return normals


def _normal(times: Days, values: Doubles, days: Days, station: int) -> Estimate | None:
    from cimis.agronomy.normals import calendar_place, daily_normals

    try:
        made = daily_normals(times, values)
    except NoDataError:  # fewer than five years
        return None
    away = np.abs(made.sample - made.mean[:, None])
    count = np.isfinite(away).sum(axis=1)
    spread = np.where(np.isfinite(away), away, 0.0).sum(axis=1) / np.maximum(count, 1)
    place = calendar_place(days)
    value = made.mean[place]
    return _alone(value, np.where(np.isfinite(value), spread[place], np.nan), str(station))


ESTIMATES: Mapping[str, Callable[[Mapping[int, Span]], Callable[[Asking], dict[int, Estimate]]]] = {
    "computed": lambda _: by_computing,
    "neighbours": lambda _: by_neighbours,
    "spatial": lambda _: by_spatial_targets,
    "normal": by_normals,
}
"""By the names that users give, in the order in which they are asked; made for stored spans."""
