"""Who has rows: a station, known by its number, or a target of the spatial network, by its key.

On their way from the service to a chunk the rows of a run's targets travel under numbers above
every station's, so that planning, retrying and merging know one kind of row. Which numbers these
are, this module alone knows; what each stands for, the run's `cimis.pipeline.field.targets.Naming`
says.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["LARGEST_STATION", "SiteKind", "kind_of_number", "number_of_target", "place_of_target"]

LARGEST_STATION = 0xFFFF
"""The largest number that a station can have."""

_FIRST_TARGET = 100_000


class SiteKind(StrEnum):
    """What rows are of; its value names the column that says whose a row is."""

    STATION = "station"
    TARGET = "target"


def number_of_target(place: int) -> int:
    """Return the number of a run's target, given its place among them from 0."""
    return _FIRST_TARGET + place


def place_of_target(number: int) -> int:
    """Return the place of a target among a run's, given its number."""
    return number - _FIRST_TARGET


def kind_of_number(number: int) -> SiteKind:
    """Return whether a number is a station's or stands for a target."""
    return SiteKind.TARGET if number >= _FIRST_TARGET else SiteKind.STATION
