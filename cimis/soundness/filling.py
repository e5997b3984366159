"""Gaps of daily values filled, as users ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cimis.arguments import Day, Items
from cimis.naming.sites import Stations
from cimis.opened import Opened

if TYPE_CHECKING:
    from cimis.soundness.filled import Filled

__all__ = ["filled"]


def filled(
    opened: Opened,
    stations: Stations | None = None,
    start: Day | None = None,
    end: Day | None = None,
    items: Items | None = None,
    *,
    sources: str | Sequence[str] | None = None,
    units: str = "metric",
    qc: str = "drop-severe",
) -> Filled:
    """Return daily values with their gaps filled, of each where it is from; nothing is stored.

    Parameters
    ----------
    stations, start, end
        As of :meth:`daily`. Of each station the days from its first stored one to its last count.
    items : str or iterable of str, optional
        Some of `cimis.soundness.cells.FILLABLE`; by default the reference ETo, ASCE's where any
        is stored.
    sources : str or iterable of str, optional
        Which of ``network``, ``computed`` (ASCE reference ET from the day's stored weather),
        ``neighbours`` (regression on up to five), ``spatial`` (the nearest stored coordinate
        within 10 km) and ``normal`` (of the day, from five years or more) are asked, always in
        this order; by default all.
    units : {"metric", "english"}
    qc : {"keep", "drop-severe", "strict"}
        Which flagged values are filled as if they were missing. Estimates rest on unflagged
        stored values alone, never on a filled one.

    Returns
    -------
    Filled
        Its ``lacks`` tells what was asked for and is not there.

    Raises
    ------
    UsageError
        For an item that cannot be filled, an unknown source, and as of :meth:`daily`; where none
        but neighbours are to fill and no station has two with coordinates.
    NoDataError
        When no record is stored of these stations and days.
    """
    from cimis.soundness.cells import filled_cells

    return filled_cells(opened, stations, (start, end), items, sources, units, qc)
