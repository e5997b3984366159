"""Pictures of rows over time: any items, and reference ET against rain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cimis.arguments import items_of
from cimis.opened import Opened
from cimis.pictures.gathered import Gathered, Picture, Wanted, check_marks, gathered, names_of
from cimis.pipeline.errors import NoDataError, UsageError
from cimis.pipeline.field.items import Item, Scope, named_items
from cimis.pipeline.field.time import PER_DAY

if TYPE_CHECKING:
    import polars as pl

__all__ = ["eto_rain", "eto_stored", "series", "stored_items"]

_USUAL = {
    Scope.DAILY: "asce_eto,eto,precip,air_tmp_max,air_tmp_min",
    Scope.HOURLY: "air_tmp,asce_eto,wind_spd",
}
_USUAL_OF_SEVERAL = {Scope.DAILY: "asce_eto,eto", Scope.HOURLY: "air_tmp"}


def series(opened: Opened, wanted: Wanted) -> Picture:
    """Return items of stations over time; by default the usual ones that are stored.

    Raises
    ------
    NoDataError
        Where nothing is stored of them.
    UsageError
        Where more is asked for than one chart can show.
    """
    from cimis.charts.series import series as built

    named = items_of(wanted.items, wanted.scope)
    items = named or named_items(_USUAL[wanted.scope], wanted.scope)
    found = gathered(opened, wanted, items, by_default=named is None)
    if named is None:
        items = stored_items(found.rows, items)
        if found.rows["station"].n_unique() > 1:
            few = named_items(_USUAL_OF_SEVERAL[wanted.scope], wanted.scope)
            items = tuple(item for item in items if item in few) or items[:1]
    _check_size(found, items)
    chart = built(
        found.rows,
        items,
        names_of(opened),
        standard=wanted.standard,
        span=found.span,
        notes=found.notes,
    )
    return Picture(chart, found.lacks)


def eto_rain(opened: Opened, wanted: Wanted) -> Picture:
    """Return reference ET against rain, daily and added up.

    The ASCE figure, or the network's older one where no other is stored.
    """
    from cimis.charts.eto_rain import eto_rain as built

    if wanted.scope is Scope.HOURLY or wanted.items is not None:
        raise UsageError(
            "ET against rain is of daily asce_eto (or eto) and precip",
            hint="leave out items and hourly; 'cimis plot series' takes any",
        )
    items = named_items("asce_eto,eto,precip", Scope.DAILY)
    found = gathered(opened, wanted, items, by_default=True)
    eto, rain = eto_stored(found.rows), items[-1]
    _check_size(found, (eto, rain))
    chart = built(
        found.rows,
        eto,
        rain,
        names_of(opened),
        standard=wanted.standard,
        span=found.span,
        notes=found.notes,
    )
    return Picture(chart, found.lacks)


def stored_items(rows: pl.DataFrame, items: tuple[Item, ...]) -> tuple[Item, ...]:
    """Return those of the usual items that have a value; of the two reference ETs the ASCE one."""
    found = [item for item in items if rows[item.column].null_count() < rows.height]
    if any(item.column == "asce_eto" for item in found):
        found = [item for item in found if item.column != "eto"]
    if not found:
        raise NoDataError(
            "there is nothing to plot: none of the usual items has a value in these days",
            hint="name the items; 'cimis gaps' tells which are stored",
        )
    return tuple(found)


def eto_stored(rows: pl.DataFrame) -> Item:
    """Return the reference ET that rows hold: the ASCE one, where no value has it the other."""
    asce, older = named_items("asce_eto,eto", Scope.DAILY)
    no_asce = rows[asce.column].null_count() == rows.height
    return older if no_asce and rows[older.column].null_count() < rows.height else asce


def _check_size(found: Gathered, items: tuple[Item, ...]) -> None:
    first, last = found.span
    days = (last - first).days + 1
    per_day = PER_DAY[items[0].scope]
    check_marks(days * per_day * len(items) * found.rows["station"].n_unique())
