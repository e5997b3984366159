"""Outlines of California's counties, small enough to go into a page, and which county each is."""

from __future__ import annotations

import json
from collections.abc import Collection
from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["COUNTIES_LAYER", "county_names", "origin", "outlines"]

COUNTIES_LAYER = "counties"
"""The object of the topology that holds the counties."""


def outlines(counties: Collection[str] | None = None) -> dict[str, Any]:
    """Return the outlines as TopoJSON, in degrees.

    Parameters
    ----------
    counties : collection of str, optional
        Names of the only counties to return; by default all 58. Names that are no county of
        California's are passed over; where none is left, all are returned.

    Returns
    -------
    dict
        A topology whose object `COUNTIES_LAYER` has a geometry a county, each with ``id`` (the
        Census Bureau's number, as ``06113``) and ``properties.name``. From where they come stands
        in its ``origin``; ``scripts/make_outlines.py`` makes them.
    """
    whole = _whole()
    every = whole["objects"][COUNTIES_LAYER]["geometries"]
    kept = every if counties is None else [one for one in every if _name(one) in counties]
    numbers: dict[int, int] = {}
    geometries = [one | {"arcs": _renumbered(one["arcs"], numbers)} for one in kept or every]
    return {
        "type": whole["type"],
        "transform": whole["transform"],
        "objects": {COUNTIES_LAYER: {"type": "GeometryCollection", "geometries": geometries}},
        "arcs": [whole["arcs"][number] for number in numbers],
    }


def county_names() -> tuple[str, ...]:
    """Return the names of California's counties, by the Census Bureau's numbers (alphabetical)."""
    return tuple(_name(one) for one in _whole()["objects"][COUNTIES_LAYER]["geometries"])


def origin() -> str:
    """Return from where the outlines come, and under which terms."""
    return str(_whole()["origin"])


@cache
def _whole() -> dict[str, Any]:
    text = files("cimis.charts").joinpath("california.topojson").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def _name(geometry: dict[str, Any]) -> str:
    return str(geometry["properties"]["name"])


def _renumbered(arcs: Any, numbers: dict[int, int]) -> Any:
    """Return a geometry's arcs under numbers of their own; one walked backwards has ``~number``."""
    if isinstance(arcs, list):
        return [_renumbered(one, numbers) for one in arcs]
    number = numbers.setdefault(~arcs if arcs < 0 else arcs, len(numbers))
    return ~number if arcs < 0 else number
