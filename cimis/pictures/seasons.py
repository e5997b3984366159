"""Pictures of a season added up, against the same season of other years."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cimis.answers.rows import rows_of
from cimis.arguments import items_of, open_span_of, years_of
from cimis.opened import Opened
from cimis.pictures.gathered import Picture, Wanted, asked, gathered, names_of
from cimis.pictures.over_time import eto_stored
from cimis.pipeline.errors import NoDataError, UsageError
from cimis.pipeline.field.items import Item, Rule, Scope, named_items
from cimis.pipeline.field.time import network_day, water_year_of, water_year_span

if TYPE_CHECKING:
    import polars as pl

__all__ = ["cumulated"]

_MOST_DAYS = 366
_MOST_PANELS = 6
_COLUMNS = ("p10", "median", "p90")


def cumulated(opened: Opened, wanted: Wanted) -> Picture:
    """Return running totals of depths on the band of the same season in other years.

    By :mod:`cimis.agronomy.totals`; values flagged by the network do not count in the band. By
    default reference ET and rain of this water year.

    Raises
    ------
    UsageError
        For items that are not added up, for more than a year, and for too many panels.
    NoDataError
        Where nothing is stored of them.
    """
    from cimis.charts.cumulated import Summed
    from cimis.charts.cumulated import cumulated as built
    from cimis.charts.words import item_word

    wanted, span = _season(wanted)
    named = items_of(wanted.items, Scope.DAILY)
    items = named or named_items("asce_eto,eto,precip", Scope.DAILY)
    wrong = [item.column for item in items if item.rule is not Rule.SUM]
    if wrong or wanted.scope is Scope.HOURLY:
        raise UsageError(
            f"{wrong[0] if wrong else 'an hourly item'} is not added up over a season",
            hint="choose daily asce_eto, asce_etr, eto, precip",
        )
    found = gathered(opened, wanted, items, by_default=named is None)
    if named is None:
        items = (eto_stored(found.rows), items[-1])
    stations: list[int] = found.rows["station"].unique().sort().to_list()
    if len(stations) * len(items) > _MOST_PANELS:
        raise UsageError(
            f"{len(stations)} stations with {len(items)} items are too many for one chart",
            hint=f"{_MOST_PANELS} panels at most: name fewer stations or items",
        )
    totals = _Totals(opened, wanted, span, stations, items)
    parts = [totals.of(station, item, found.rows) for station in stations for item in items]
    import polars as pl

    chart = built(
        pl.concat(parts),
        [Summed(item.column, item_word(item), item.symbol(wanted.standard)) for item in items],
        names_of(opened),
        seasons=totals.seasons,
        span=span,
        notes=(*found.notes, *totals.notes),
    )
    return Picture(chart, found.lacks)


def _season(wanted: Wanted) -> tuple[Wanted, tuple[dt.date, dt.date]]:
    """Return what is wanted with its days, this water year by default, and these."""
    first, last = open_span_of(wanted.start, wanted.end)
    today = network_day()
    if first is None:
        if last is not None:
            raise UsageError("a season begins on some day", hint="give its start too")
        first, last = water_year_span(water_year_of(today))
    last = last or max(today, first)
    if (last - first).days >= _MOST_DAYS:
        raise UsageError(
            f"{first} to {last} is longer than a year, which no season is",
            hint="name a year, a water year, or fewer days",
        )
    return replace(wanted, start=first, end=last), (first, last)


class _Totals:
    """Running totals of each station and item, with those of other years beside them."""

    def __init__(
        self,
        opened: Opened,
        wanted: Wanted,
        span: tuple[dt.date, dt.date],
        stations: Sequence[int],
        items: Sequence[Item],
    ) -> None:
        self._span, self._standard = span, wanted.standard
        self._period = None if wanted.period is None else years_of(wanted.period)
        every = replace(wanted, stations=list(stations), start=None, end=None)
        past = rows_of(opened, asked(opened, every, items), wanted.units, "strict")
        self._past = past.pl()
        self._names = names_of(opened)
        self.seasons: dict[tuple[int, str], tuple[int, ...]] = {}
        self.notes: list[str] = []

    def of(self, station: int, item: Item, rows: pl.DataFrame) -> pl.DataFrame:
        """Return the days of the season, with totals and percentiles."""
        import polars as pl

        from cimis.charts.long import long_rows

        days = long_rows(rows, (item,), {(station, item.column): item.column}, self._span)
        value = pl.col("value")
        total = value.fill_null(0.0).cum_sum().round(6)
        days = days.select(
            *("station", "item", "time", "value", "flag"),
            pl.when(value.is_not_null()).then(total).alias("total"),
        )
        self._tell(station, item, days)
        return days.with_columns(self._band(station, item, days.height))

    def _band(self, station: int, item: Item, days: int) -> list[pl.Series]:
        import numpy as np
        import polars as pl

        from cimis.agronomy.totals import running_totals

        own = self._past.filter(pl.col("station") == station)
        values = own[item.column].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        try:
            found = running_totals(
                own["date"].to_numpy(), values, self._span[0], days, period=self._period
            )
        except NoDataError as error:
            self.notes.append(f"{self._whose(station, item)}: {error}")
            return [pl.Series(name, [None] * days, dtype=pl.Float64) for name in _COLUMNS]
        self.seasons[station, item.column] = found.seasons
        figures = np.round(found.percentiles, item.decimals(self._standard) + 2)
        return [pl.Series(name, figures[:, place]) for place, name in enumerate(_COLUMNS)]

    def _tell(self, station: int, item: Item, days: pl.DataFrame) -> None:
        """Note how many days before the last stored one have no value."""
        last = days["total"].is_not_null().arg_true()
        lacking = int(last[-1]) + 1 - last.len() if last.len() else 0
        if lacking:
            many = f"{lacking:,} day{'s' * (lacking != 1)} without a value add nothing"
            self.notes.append(f"{self._whose(station, item)}: {many}")

    def _whose(self, station: int, item: Item) -> str:
        from cimis.charts.words import item_word, station_word

        return f"{item_word(item)} of {station_word(station, self._names)}"
