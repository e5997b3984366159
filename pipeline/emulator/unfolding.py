"""A source as its days come in: late, incomplete at first, pending a test, and revised."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from cimis.pipeline.emulator.source import ItemTexts, RecordSet, Source, SpatialSource
from cimis.pipeline.field.items import Item, Scope, Standard

__all__ = ["UnfoldingSource"]

LATE_SHARE, LATE_DAYS = 0.05, 6
"""Days of a station that come so many days late at most."""

LACKING_SHARE, LACKING_DAYS = 0.03, 40
"""Values that come so many days late at most, in a record that is there."""

PENDING_SHARE, PENDING_DAYS = 0.03, 35
"""Values that are flagged P and may be another so many days at most."""

REVISED_SHARE, REVISED_DAYS = 0.03, 12
"""Values without a flag that are another so many days at most."""


class UnfoldingSource:
    """Gives another source's records as they are known at a moment; in the end just those.

    What is late, lacking, pending or revised, and until when, depends on station, day and item
    alone.

    Parameters
    ----------
    source : Source
    now : callable
        Returns the present moment in PST without zone.
    """

    def __init__(self, source: Source, now: Callable[[], dt.datetime]) -> None:
        self._source = source
        self._now = now

    def stations(self) -> Sequence[Mapping[str, object]]:
        """Return the source's stations."""
        return self._source.stations()

    def spatial(self) -> SpatialSource | None:
        """Return the source's spatial network, which is final at once."""
        return self._source.spatial()

    def records(
        self,
        station: int,
        scope: Scope,
        start: dt.date,
        end: dt.date,
        items: Sequence[Item],
        standard: Standard,
    ) -> RecordSet:
        """Return the records that have come, as they are known now."""
        whole = self._source.records(station, scope, start, end, items, standard)
        if not whole.dates:
            return whole
        days = np.array(whole.dates, "datetime64[D]")
        age = (np.datetime64(self._now().date(), "D") - days).astype(np.int64)
        draws = _draws(days, f"{station} {scope}")
        here = ~((draws[0] < LATE_SHARE) & (age <= 1 + draws[1] * (LATE_DAYS - 1)))
        rows = np.flatnonzero(here).tolist()
        texts = {
            key: _known(cells, rows, age, _draws(days, f"{station} {scope} {key}"))
            for key, cells in whole.items.items()
        }
        hours = [whole.hours[row] for row in rows] if whole.hours else whole.hours
        return replace(whole, dates=[whole.dates[r] for r in rows], hours=hours, items=texts)


def _known(
    cells: ItemTexts,
    rows: Sequence[int],
    age: np.ndarray[tuple[int], np.dtype[np.int64]],
    draws: np.ndarray[tuple[int, int], np.dtype[np.float64]],
) -> ItemTexts:
    """Return an item's texts of some rows as they are known at their days' age."""
    kind, until = draws
    lacking = (kind < LACKING_SHARE) & (age <= until * LACKING_DAYS)
    edge = LACKING_SHARE + PENDING_SHARE
    pending = (kind >= LACKING_SHARE) & (kind < edge) & (age <= until * PENDING_DAYS)
    revised = (kind >= edge) & (kind < edge + REVISED_SHARE) & (age <= until * REVISED_DAYS)
    values, flags = [], []
    for row in rows:
        value, flag = cells.values[row], cells.flags[row]
        if lacking[row]:
            value, flag = None, "M"
        elif pending[row]:
            value, flag = _other(value), "P"
        elif revised[row]:
            value = _other(value)
        values.append(value)
        flags.append(flag)
    return ItemTexts(values, flags, cells.unit)


def _other(value: str | None) -> str | None:
    """Return a value with another last digit."""
    if value is None or not value[-1:].isdigit():
        return value
    return value[:-1] + str((int(value[-1]) + 3) % 10)


def _draws(
    days: np.ndarray[tuple[int], np.dtype[np.datetime64]], of: str
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return two numbers from 0 to 1 per day, the same for all rows of one day."""
    numbers = days.astype(np.int64).astype(np.uint64)
    mixed = np.stack([numbers, numbers + np.uint64(1 << 40)])
    mixed = mixed * np.uint64(0x9E3779B97F4A7C15) + np.uint64(zlib.crc32(of.encode()) << 16)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    found: np.ndarray[tuple[int, int], np.dtype[np.float64]] = (
        (mixed ^ (mixed >> np.uint64(31))) >> np.uint64(11)
    ) / 2.0**53
    return found
