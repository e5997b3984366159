"""Gaps of daily values filled: which values lack, and which source is asked for them in turn."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from cimis.answers.question import question_of
from cimis.arguments import Day, Items, items_of
from cimis.lacking import warn_of_damage
from cimis.naming.sites import Stations, sites_of
from cimis.opened import Opened
from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Item, Scope, named_items
from cimis.pipeline.field.units import TEMPERATURE
from cimis.soundness.filled import SOURCES, Cells, Filled
from cimis.soundness.grids import (
    Seen,
    Span,
    around,
    grid_of,
    known_stations,
    nothing_stored,
    spans_of,
    within,
)
from cimis.soundness.sources import ESTIMATES, Asking

__all__ = ["FILLABLE", "filled_cells"]

Doubles = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]

FILLABLE = (
    *("asce_eto", "asce_etr", "eto", "air_tmp_avg", "air_tmp_max", "air_tmp_min", "dew_pnt"),
    *("rel_hum_avg", "rel_hum_max", "rel_hum_min", "soil_tmp_avg", "sol_rad_avg", "vap_pres_avg"),
    *("wind_spd_avg", "wind_run"),
)
"""Daily items that neighbours and normals foretell; rain is not among them."""

_AROUND = dt.timedelta(days=30)
_PERCENT = 100.0


def filled_cells(
    opened: Opened,
    stations: Stations | None,
    span: tuple[Day | None, Day | None],
    items: Items | None,
    sources: str | Sequence[str] | None,
    units: str,
    qc: str,
) -> Filled:
    """Return values with their gaps filled; see `cimis.soundness.filling.filled`."""
    from cimis.queries.conversion import standard
    from cimis.queries.quality import policy

    order = _sources(sources)
    rule, unit = policy(qc).value, standard(units)
    chosen = _items(opened, items)
    sites_of(stations, opened.root).only_stations("filling")
    asked = question_of(opened.root, Scope.DAILY, stations, *span, chosen)
    spans = spans_of(opened, Scope.DAILY, asked.sites.stations)
    met = {number: part for number, span in spans.items() if (part := within(span, asked))}
    seen = Seen()
    if not met:
        raise nothing_stored(Scope.DAILY)
    first, last = around(met.values())
    grid = grid_of(opened, Scope.DAILY, list(met), (first, last), chosen, qc=rule)
    for number in met:
        seen.take(grid, number, slice(None))
    lacks = seen.lacks(opened, asked)
    known, wide = known_stations(opened), (first - _AROUND, last + _AROUND)
    alone = "neighbours" in order and set(order) <= {"network", "neighbours"}
    cells = []
    for item in chosen:
        one = _network(item, grid.items[item.column], list(met), order)
        for source in order:
            if source != "network":
                base = Asking(opened, item, met, grid.times, wide, known, alone)
                _fill(one, source, base, spans)
        cells.append(one)
    warn_of_damage(lacks.damaged)
    # absent days are what is filled
    told = replace(lacks, short=())
    return Filled(grid.times, met, tuple(cells), unit, rule, told, opened.root)


def _sources(names: str | Sequence[str] | None) -> tuple[str, ...]:
    if names is None:
        return SOURCES
    parts = names.split(",") if isinstance(names, str) else [str(one) for one in names]
    wanted = [part.strip().lower() for part in parts if part.strip()]
    for name in wanted:
        if name not in SOURCES:
            raise UsageError(f"no source '{name}'", hint=f"there are {', '.join(SOURCES)}")
    if not wanted:
        raise UsageError("no source named", hint=f"there are {', '.join(SOURCES)}")
    return tuple(name for name in SOURCES if name in wanted)


def _items(opened: Opened, items: Items | None) -> tuple[Item, ...]:
    from cimis.pipeline.catalog.database import Catalog

    chosen = items_of(items, Scope.DAILY)
    if chosen is None:
        pair = named_items("asce_eto,eto", Scope.DAILY)
        with Catalog(opened.root) as catalog:
            codes = catalog.item_codes(Scope.DAILY)
        return next(((item,) for item in pair if item.code in codes), pair[:1])
    for item in chosen:
        if item.column not in FILLABLE:
            raise UsageError(
                f"{item.column} cannot be filled: neighbours and normals do not foretell it",
                hint=f"there are {', '.join(FILLABLE)}",
            )
    return chosen


def _network(item: Item, value: Doubles, numbers: list[int], order: Sequence[str]) -> Cells:
    """Return cells with the network's own values, or none where these are not wanted."""
    shape = value.shape
    given = np.isfinite(value) if "network" in order else np.zeros(shape, np.bool_)
    who = np.where(given, np.arange(len(numbers), dtype=np.int32), np.int32(-1))
    return Cells(
        item,
        np.where(given, value, np.nan),
        np.full(shape, np.nan),
        np.where(given, 0, -1).astype(np.int8),
        who,
        {str(number): place for place, number in enumerate(numbers)},
    )


def _fill(cells: Cells, source: str, base: Asking, spans: Mapping[int, Span]) -> None:
    """Fill what cells still lack from one source."""
    numbers = list(base.met)
    lacking: dict[int, npt.NDArray[np.bool_]] = {}
    for column, number in enumerate(numbers):
        first, last = (np.datetime64(day, "D") for day in base.met[number])
        none = (cells.source[:, column] < 0) & (base.days >= first) & (base.days <= last)
        if none.any():
            lacking[number] = none
    if not lacking:
        return
    asking = replace(base, met={number: base.met[number] for number in lacking})
    for number, made in ESTIMATES[source](spans)(asking).items():
        column = numbers.index(number)
        value = _possible(np.round(made.value, cells.item.decimals_metric) + 0.0, cells.item)
        take = lacking[number] & np.isfinite(value)
        codes = [cells.whose.setdefault(text, len(cells.whose)) for text in made.whose]
        cells.value[take, column] = value[take]
        cells.error[take, column] = made.error[take]
        cells.source[take, column] = SOURCES.index(source)
        cells.who[take, column] = np.array(codes, np.int32)[made.who[take]]


def _possible(value: Doubles, item: Item) -> Doubles:
    """Return estimates within what the quantity can be: only temperatures lie below 0."""
    if item.quantity is TEMPERATURE:
        return value
    most = _PERCENT if item.column.startswith("rel_hum") else np.inf
    return np.clip(value, 0.0, most)
