"""Pictures of two stations against each other."""

from __future__ import annotations

from cimis.arguments import items_of
from cimis.naming.sites import station_numbers
from cimis.opened import Opened
from cimis.pictures.gathered import Picture, Wanted, check_marks, gathered, names_of
from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Scope, named_items

__all__ = ["scatter"]

_USUAL = {Scope.DAILY: "asce_eto", Scope.HOURLY: "air_tmp"}


def scatter(opened: Opened, wanted: Wanted) -> Picture:
    """Return one item of two stations against each other, by default reference ET.

    Raises
    ------
    NoDataError
        Where they have no time with a value of both.
    UsageError
        For other than two stations and one item.
    """
    from cimis.charts.scatter import scatter as built

    numbers = station_numbers(wanted.stations, opened.root, "a plot") or ()
    if len(numbers) != 2:
        raise UsageError("a scatter is of two stations", hint="name two: --stations 2,6")
    items = items_of(wanted.items, wanted.scope)
    if items is not None and len(items) != 1:
        raise UsageError("a scatter is of one item", hint="name one: --items asce_eto")
    (item,) = items or named_items(_USUAL[wanted.scope], wanted.scope)
    found = gathered(opened, wanted, (item,))
    check_marks(found.rows.height)
    chart = built(
        found.rows,
        item,
        (numbers[0], numbers[1]),
        names_of(opened),
        standard=wanted.standard,
        span=found.span,
        notes=found.notes,
    )
    return Picture(chart, found.lacks)
