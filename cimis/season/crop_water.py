"""What crops and landscapes used by week: coefficients of the user's on stored reference ET."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING, TypeAlias

from cimis.answers.rows import query
from cimis.arguments import Day, day_of, items_of, path_of
from cimis.lacking import stop_at_damage
from cimis.naming.sites import Stations, station_numbers
from cimis.opened import Opened
from cimis.pipeline.errors import NoDataError, UsageError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.field.time import network_day
from cimis.season.reckoned import Reckoned

if TYPE_CHECKING:
    from cimis.agronomy.crops_file import Crop
    from cimis.season.crop_weeks import Planting

Crops: TypeAlias = "str | PathLike[str] | Mapping[str, Crop]"

__all__ = ["REFERENCES", "Crops", "crop_et", "read_crops"]

REFERENCES = ("asce_eto", "eto")
"""Reference ET to take: by ASCE-EWRI 2005, or the network's older Penman figure; never both."""

_WEEK = dt.timedelta(days=7)
_DAY = dt.timedelta(days=1)


def crop_et(
    opened: Opened,
    crops: Crops | None = None,
    *,
    stations: Stations | None = None,
    start: Day | None = None,
    end: Day | None = None,
    total_from: Day | None = None,
    landscape: tuple[float, float] | None = None,
    reference: str = "asce_eto",
    period: tuple[int, int] | None = None,
    units: str = "metric",
    qc: str = "drop-severe",
) -> Reckoned:
    """Return crop evapotranspiration by week, ETo · Kc, the total since a date, and rain.

    Weeks are counted back from the last day; after it one row tells of the week to come at the
    average of the stored years (:func:`cimis.agronomy.normals.daily_normals`, of unflagged values).

    Parameters
    ----------
    crops : path or mapping, optional
        A file of crops (:mod:`cimis.agronomy.crops_file`), or what was read from one.
    stations : int, str or iterable of them, optional
        As of :meth:`daily`.
    start, end : date or str, optional
        First and last day; by default the seven days up to the last, and yesterday.
    total_from : date or str, optional
        First day of the total; by default that of the crop's season, of a landscape 1 January.
    landscape : tuple of float, optional
        Area in square feet, and the share of ETo that it may use or needs (23 CCR § 492.4).
    reference : {"asce_eto", "eto"}
    period : tuple of int, optional
        First and last year of the average; by default all that are stored.
    units : {"metric", "english"}
    qc : {"keep", "drop-severe", "strict"}
        Which flagged values of ETo and rain do not count, but lack.

    Returns
    -------
    Reckoned
        ``station``, ``crop``, ``first``, ``last`` (the week's days in the crop's season), ``basis``
        (``stored``, or ``historical average`` of the week to come), ``etc``, ``total``, ``rain``;
        with a landscape ``gallons`` and ``total_gallons``; ``lacking`` (days of the week without
        reference ET), ``since``, ``kc`` (mean), ``eto``, ``days``, ``years`` (that the average is
        of), ``total_days``, ``total_lacking``, ``rain_lacking``, ``total_rain``,
        ``total_rain_lacking``. Depths in mm or inches; a sum is of the days that do not lack.
        Notes tell of days that lack, of averages of too few years, and of flags.

    Raises
    ------
    UsageError
        For a crops file that cannot be read or meant (its line is named), neither crops nor a
        landscape, impossible days, area or factor.
    NoDataError
        When nothing is stored of these days, or no crop is in season then.
    ChunkError
        When all that is stored of them is damaged.
    """
    from cimis.agronomy.weekly import weeks_back
    from cimis.queries.conversion import standard
    from cimis.season.crop_weeks import report, scheduled

    system = standard(units)
    if reference not in REFERENCES:
        raise UsageError(f"no reference ET '{reference}'", hint="take asce_eto or eto")
    numbers = station_numbers(stations, opened.root, "crop water use")
    last = day_of(end, end=True) or network_day() - _DAY
    counted = day_of(total_from, end=False)
    week = last - _WEEK + _DAY
    first = day_of(start, end=False) or (week if counted is None else max(week, counted))
    if counted is not None and counted > first:
        raise UsageError(
            f"the total since {counted} begins after the first day, {first}",
            hint="let the weeks begin with it, or count from an earlier day",
        )
    plantings = _plantings(crops, landscape, counted)
    weeks = weeks_back(first, last)
    found = scheduled(plantings, weeks, (last + _DAY, last + _WEEK))
    if not found:
        names = ", ".join(one.name for one in plantings)
        raise NoDataError(
            f"no crop of the file is in season from {first} to {last + _WEEK}: {names}",
            hint="give the days of a season with --start and --end",
        )
    begin = min([first, *(span.since for one in found for span in one.spans)])
    items = items_of([reference, "precip"], Scope.DAILY)
    rows = query(opened, stations=numbers, start=begin, end=last, items=items, qc=qc)
    table = rows.table()
    if table.num_rows == 0:
        stop_at_damage(rows.damaged)
        raise NoDataError(
            f"no daily record is stored of these stations from {begin} to {last}",
            hint="see what is stored with 'cimis stats'; --end gives another last day",
        )
    held = tuple(table["station"].unique().to_pylist())
    past = query(
        opened,
        stations=held,
        start=None if period is None else dt.date(period[0], 1, 1),
        end=None if period is None else dt.date(period[1], 12, 31),
        items=items_of([reference], Scope.DAILY),
        qc="strict",
    )
    answer, notes = report(found, table, past.table(), (begin, last), reference, period, system)
    resting = [one.name for one in plantings if one.name not in {entry.name for entry in found}]
    if resting:
        notes = (*notes, f"not in season from {first} to {last + _WEEK}: {', '.join(resting)}")
    if qc != "keep":
        which = "severely flagged" if qc == "drop-severe" else "flagged"
        notes = (*notes, f"{which} values of {reference} and precip count as lacking (qc {qc})")
    if reference in rows.lacks.items:
        other = next(name for name in REFERENCES if name != reference)
        notes = (*notes, f"where {other} is stored, --reference {other} takes it")
    damaged = dict.fromkeys((*rows.damaged, *past.damaged))
    lacks = replace(rows.lacks, damaged=tuple(damaged))
    return Reckoned(answer, lacks, notes, opened.root, qc)


def _plantings(
    crops: Crops | None, landscape: tuple[float, float] | None, since: dt.date | None
) -> Sequence[Planting]:
    """Return what water use is asked of."""
    import numpy as np

    from cimis.agronomy.crop import landscape_water
    from cimis.season.crop_weeks import Planting

    if crops is None and landscape is None:
        raise UsageError(
            "neither crops nor a landscape are given", hint="give --crops FILE.toml or --landscape"
        )
    plantings = [_planting(crop, since) for crop in read_crops(crops).values()]
    if landscape is not None:
        area, factor = landscape
        landscape_water(0.0, factor=factor, area_sqft=area)  # refuses what is no area or factor
        plantings.append(
            Planting(
                "landscape",
                lambda dates: np.full(dates.shape, factor),
                lambda day: since or day.replace(month=1, day=1),
                area,
            )
        )
    return plantings


def _planting(crop: Crop, since: dt.date | None) -> Planting:
    from cimis.season.crop_weeks import Planting

    def begun(day: dt.date) -> dt.date:
        season = crop.season_on(day)
        return since or (day if season is None else season.starts[0])

    return Planting(crop.name, crop.kc_on, begun)


def read_crops(crops: Crops | None) -> Mapping[str, Crop]:
    """Return the crops of a file, or those given; none where there is neither."""
    from cimis.agronomy.crops_file import parse_crops

    if crops is None or isinstance(crops, Mapping):
        return crops or {}
    path = path_of(crops)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise UsageError(
            f"the crops file {path} cannot be read: {why}", hint="docs/agronomy.md shows its form"
        ) from None
    return parse_crops(text, name=str(path))
