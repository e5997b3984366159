"""Stations by where they lie, as frames: those of a county, and those around a point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cimis.answers import sql as asking
from cimis.arguments import Day, open_span_of
from cimis.lacking import warn
from cimis.naming.choice import by_distance, in_county, listed
from cimis.opened import Opened
from cimis.pipeline.errors import NoDataError
from cimis.pipeline.field.serving import served

if TYPE_CHECKING:
    import polars as pl

__all__ = ["county", "near"]


def near(
    opened: Opened,
    point: str | Sequence[float],
    *,
    within_km: float | None = None,
    start: Day | None = None,
    end: Day | None = None,
) -> pl.DataFrame:
    """Return the stations around a point, the nearest first, as ``cimis stations --near`` does.

    Parameters
    ----------
    point : str or pair of float
        Latitude and longitude in degrees, west negative, as ``"38.54,-121.78"``.
    within_km : float, optional
        Only so far from the point.
    start, end : date or str, optional
        Only stations that worked on some of these days, both inclusive.

    Returns
    -------
    polars.DataFrame
        As of :meth:`stations`, with ``distance_km`` and ``bearing_deg``, the direction in which a
        station lies, in degrees from north through east. Its ``station`` can be given as
        ``stations`` to any method.

    Raises
    ------
    UsageError
        For what is no point, or one outside California.
    NoDataError
        When no station lies there, or the catalog has no list.

    Warns
    -----
    UserWarning
        When stations have no coordinates, and are left out.
    """
    import polars as pl

    from cimis.pipeline.field.places import parse_place

    place = parse_place(point if isinstance(point, str) else ",".join(map(str, point)))
    known = _served(listed(opened.root), start, end)
    if unplaced := len(known) - len(by_distance(known, place, None)):
        what = "1 station" if unplaced == 1 else f"{unplaced} stations"
        warn(f"{what} without coordinates left out")
    found = by_distance(known, place, within_km)
    ways = pl.DataFrame(
        [(facts["number"], facts["distance_km"], facts["bearing_deg"]) for facts in found],
        {"station": pl.UInt16, "distance_km": pl.Float64, "bearing_deg": pl.Float64},
        orient="row",
    )
    return _frame(opened, found).join(ways, on="station", maintain_order="left")


def county(
    opened: Opened, name: str, *, start: Day | None = None, end: Day | None = None
) -> pl.DataFrame:
    """Return the stations of a county, by number, as ``cimis stations --county`` does.

    Parameters
    ----------
    name : str
        A part of the county's name, or several by commas.
    start, end : date or str, optional
        Only stations that worked on some of these days, both inclusive.

    Returns
    -------
    polars.DataFrame
        As of :meth:`stations`.

    Raises
    ------
    UsageError
        Where there is no such county.
    NoDataError
        When no station there worked in these days, or the catalog has no list.
    """
    return _frame(opened, _served(in_county(listed(opened.root), name), start, end))


def _served(
    stations: Sequence[dict[str, Any]], start: Day | None, end: Day | None
) -> list[dict[str, Any]]:
    """Return those of some stations that worked on some day of a span, all where none is named."""
    first, last = open_span_of(start, end)
    if first is None and last is None:
        return list(stations)
    return [facts for facts in stations if served(facts, first, last)]


def _frame(opened: Opened, found: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """Return the rows of some stations, in their order."""
    import polars as pl

    if not found:
        raise NoDataError("no station matches", hint="ask for a wider circle, or other days")
    order = pl.DataFrame({"station": [facts["number"] for facts in found]}, {"station": pl.UInt16})
    return order.join(asking.stations(opened), on="station", maintain_order="left")
