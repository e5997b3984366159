"""What the catalog says of one chunk."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from cimis.pipeline.field.items import Scope
from cimis.pipeline.field.site import SiteKind
from cimis.pipeline.field.time import day_of_second

__all__ = ["ChunkRow"]


class ChunkRow(NamedTuple):
    """What the catalog says of one chunk.

    Times are seconds since 1970-01-01 in PST; ``items`` are item codes in column order;
    ``provisional_from_s`` is the first time that may still change (None = all final);
    ``statistics`` is the form of `BlockStatistics.to_bytes`.
    """

    path: str
    scope: Scope
    station: int | None
    target: str | None
    year: int
    format: str
    rows: int
    first_s: int
    last_s: int
    file_bytes: int
    checksum: str
    items: tuple[str, ...]
    provisional_from_s: int | None
    fetched_at: str
    source: str
    statistics: bytes

    @property
    def kind(self) -> SiteKind:
        """Whether it is a station's or a target's."""
        return SiteKind.TARGET if self.station is None else SiteKind.STATION

    @property
    def site(self) -> int | str:
        """The station's number, or the target's key."""
        return self.target or "" if self.station is None else self.station

    @property
    def state(self) -> str:
        """``final``, or ``provisional`` where some rows may still change."""
        return "final" if self.provisional_from_s is None else "provisional"

    @property
    def first_day(self) -> dt.date:
        """The network's day of the first row."""
        return self._day(self.first_s)

    @property
    def last_day(self) -> dt.date:
        """The network's day of the last row."""
        return self._day(self.last_s)

    @property
    def provisional_from(self) -> dt.date | None:
        """The first day that may still change; None where all are final."""
        return None if self.provisional_from_s is None else self._day(self.provisional_from_s)

    def _day(self, seconds: int) -> dt.date:
        """Return the day of a time; that of an hourly one is the end of its hour."""
        return day_of_second(self.scope, seconds)
