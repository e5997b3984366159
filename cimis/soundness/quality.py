"""Whether the sensors of stations are sound, as users ask it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cimis.arguments import Day
from cimis.naming.sites import Stations
from cimis.opened import Opened
from cimis.pipeline.field.items import Scope

if TYPE_CHECKING:
    from cimis.soundness.judging import Quality

__all__ = ["qc"]


def qc(
    opened: Opened,
    scope: str | Scope = "daily",
    *,
    stations: Stations | None = None,
    start: Day | None = None,
    end: Day | None = None,
    checks: str | Sequence[str] | None = None,
    qc: str = "strict",
) -> Quality:
    """Judge the sensors of stations by what is stored of them; nothing stored is changed.

    Parameters
    ----------
    scope : {"daily", "hourly"}
        Which records to judge; each check is about one of them.
    stations : int, str or iterable of them, optional
        As of :meth:`daily`; by default all that are stored.
    start, end : date or str, optional
        First and last day, both inclusive; by default all that is stored.
    checks : str or iterable of str, optional
        Of daily records ``range``, ``outlier``, ``consistency``, ``drift``, ``ceiling`` and
        ``neighbours``, of hourly ones ``stuck`` and ``step``; by default all.
    qc : {"keep", "drop-severe", "strict"}
        Which flagged values are not judged; by default no flagged one is.

    Returns
    -------
    Quality
        Its ``lacks`` tells what was asked for and is not there.

    Raises
    ------
    UsageError
        For an unknown check or one of the other scope, and as of :meth:`daily`; where
        neighbours alone are asked for and no station has two with coordinates.
    NoDataError
        When no record is stored of these stations and days.
    """
    from cimis.soundness.judging import judged

    return judged(opened, scope, stations, start, end, checks, qc)
