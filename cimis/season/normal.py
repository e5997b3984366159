"""What is normal for a day or a month at a station, from the years that are stored."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cimis.answers.question import question_of
from cimis.answers.rows import rows_of
from cimis.arguments import Items, Years, count_of, items_of, years_of
from cimis.naming.sites import Stations, station_numbers
from cimis.opened import Opened
from cimis.pipeline.errors import NoDataError, UsageError
from cimis.pipeline.field.items import Item, Rule, Scope, Standard, default_items, resolve
from cimis.season.reckoned import Reckoned, none_stored, reckoned, removed

if TYPE_CHECKING:
    import pyarrow as pa

    from cimis.agronomy.normals import Normals
    from cimis.queries.answers.rows import Rows
    from cimis.season.series import Doubles, Series

__all__ = ["Basis", "basis_of", "converted", "normals", "usual_items"]

_NAMED = 5
MOST_WINDOW = 91


@dataclass(frozen=True, slots=True)
class Basis:
    """What normals rest on.

    Parameters
    ----------
    monthly : bool
        Months instead of days.
    period : tuple of int, optional
        First and last year; None for all that a station has.
    window : int
        Days before and after each day that belong to its sample.
    """

    monthly: bool = False
    period: tuple[int, int] | None = None
    window: int = 7

    @property
    def days(self) -> tuple[dt.date | None, dt.date | None]:
        """First and last day of the period; None where it is open."""
        if self.period is None:
            return None, None
        return dt.date(self.period[0], 1, 1), dt.date(self.period[1], 12, 31)

    def of(self, series: Series, item: Item) -> Normals:
        """Return the normals of a station's item, metric; `NoDataError` below five years."""
        import numpy as np

        from cimis.agronomy.normals import daily_normals, monthly_normals

        dates = series.times.astype("datetime64[D]")
        values = np.asarray(series.values[item.column])
        if self.monthly:
            return monthly_normals(dates, values, how=self.statistic(item), period=self.period)
        return daily_normals(dates, values, half_days=self.window, period=self.period)

    def statistic(self, item: Item) -> str:
        """Return what the figures are of: daily values, or means or sums of months."""
        if not self.monthly:
            return "value"
        return "sum" if item.rule is Rule.SUM else "mean"


def normals(
    opened: Opened,
    items: Items | None = None,
    *,
    stations: Stations | None = None,
    every: str = "day",
    period: Years | None = None,
    window: int = 7,
    units: str = "metric",
    qc: str = "strict",
) -> Reckoned:
    """Return the normals of each day or month: mean, percentiles, extremes with their years.

    By :mod:`cimis.agronomy.normals`, where the rules and their sources stand.

    Parameters
    ----------
    items : str or iterable of str, optional
        Daily items; by default the usual ones that are stored. The network's two reference ETs,
        ``asce_eto`` and ``eto``, are two quantities and have normals of their own.
    stations : int, str or iterable of them, optional
        By number or name, as of :meth:`daily`; by default all that are stored.
    every : {"day", "month"}
        366 calendar days, or 12 months: depths (ETo, rain) added up, all else as means.
    period : int or str, optional
        Calendar years, as ``"1991-2020"``; by default all that a station has.
    window : int
        Days before and after each day that belong to its sample, 0 to 91; not used of months.
    units : {"metric", "english"}
    qc : {"strict", "drop-severe", "keep"}
        Which flagged values count as missing; by default all of them.

    Returns
    -------
    Reckoned
        Per station, item and day or month: ``mean``, ``p5`` to ``p95``, ``lowest`` and ``highest``
        with their years, ``years`` that count, whether they are 80 % of the ``period``
        (``complete``), and the ``unit``. Below five years the figures are null, and a series
        without any day of five years is left out and named in ``notes``. 29 February has a row: its
        sample are the days around it in every year, and itself in leap years.

    Raises
    ------
    UsageError
        For an unknown item, a window or a period that is none.
    NoDataError
        When no value is stored, or nothing has five years.
    """
    from cimis.queries.conversion import standard

    kind = standard(units)
    basis = basis_of(every, period, window)
    numbers = station_numbers(stations, opened.root, "normals")
    chosen = usual_items(opened, numbers, items)
    question = question_of(opened.root, Scope.DAILY, numbers, *basis.days, chosen)
    rows = rows_of(opened, question, "metric", qc)
    parts: list[pa.Table] = []
    refused: list[str] = []
    for series, item, found in _each(rows, chosen, basis):
        if found is None:
            refused.append(f"{item.column} of station {series.station}")
        else:
            parts.append(_table(series.station, item, found, basis, kind))
    if not parts:
        raise none_stored(rows, _schema(), _nothing(refused, basis))
    import pyarrow as pa

    notes = removed(rows.timings.values_removed, qc)
    if refused:
        more = f" and {len(refused) - _NAMED:,} more" if len(refused) > _NAMED else ""
        notes += (f"no normals below five years: {', '.join(refused[:_NAMED])}{more}",)
    return reckoned(opened, pa.concat_tables(parts).combine_chunks(), rows.lacks, notes, qc)


def usual_items(
    opened: Opened, stations: Sequence[int] | None, items: Items | None
) -> tuple[Item, ...]:
    """Return the items of which there can be normals: those named, or the usual ones stored."""
    from cimis.pipeline.rows.schema import item_of

    named = items_of(items, Scope.DAILY)
    if named is not None:
        return named
    schema = rows_of(
        opened, question_of(opened.root, Scope.DAILY, stations), "metric", "keep"
    ).schema
    stored = {item.column for field in schema if (item := item_of(field)) is not None}
    usual = (*default_items(Scope.DAILY), *resolve("eto", Scope.DAILY))
    found = tuple(item for item in usual if item.column in stored)
    if not found:
        raise NoDataError(
            "none of the usual daily items is stored of these stations",
            hint="name the items; 'cimis gaps' tells which are stored",
        )
    return found


def basis_of(every: str, period: Years | None, window: int) -> Basis:
    """Return what a user asks normals to rest on; `UsageError` for what cannot be meant."""
    if every not in ("day", "month"):
        raise UsageError(f"no normals of every {every!r}", hint="choose day or month")
    days = count_of(window, "a window's days to each side", most=MOST_WINDOW)
    return Basis(every == "month", None if period is None else years_of(period), days)


def _each(
    rows: Rows, items: Sequence[Item], basis: Basis
) -> Iterator[tuple[Series, Item, Normals | None]]:
    """Yield the normals of each station and item, None where they are refused."""
    from cimis.season.series import series_of

    for series in series_of(rows, [item.column for item in items]):
        for item in items:
            try:
                found = basis.of(series, item)
            except NoDataError:
                yield series, item, None
            else:
                yield series, item, found


def _nothing(refused: Sequence[str], basis: Basis) -> str:
    if not refused:
        return "no daily record is stored of these stations and years"
    years = "all that is stored" if basis.period is None else "{}-{}".format(*basis.period)
    return f"normals need five years, and of {years} no day or month of {refused[0]} has them" + (
        f", nor of {len(refused) - 1} others" if len(refused) > 1 else ""
    )


def _table(station: int, item: Item, found: Normals, basis: Basis, kind: Standard) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    from cimis.agronomy.normals import PERCENTILES
    from cimis.season.series import nullable

    rows = len(found.mean)
    decimals = item.decimals(kind) + 2

    def same(value: object, type_: pa.DataType) -> pa.Array:
        return pa.repeat(pa.scalar(value, type_), rows)

    def figure(values: Doubles) -> pa.Array:
        return nullable(converted(values, item, kind), decimals)

    def year(values: np.ndarray) -> pa.Array:
        return pa.array(values, pa.int16(), mask=values == 0)

    columns = [
        same(station, pa.uint16()),
        same(item.column, pa.string()),
        same(basis.statistic(item), pa.string()),
        pa.array(found.month, pa.int8()),
        pa.array(found.day, pa.int8(), mask=found.day == 0),
        figure(found.mean),
        *(figure(found.percentiles[:, place]) for place in range(len(PERCENTILES))),
        figure(found.least),
        year(found.least_year),
        figure(found.most),
        year(found.most_year),
        pa.array(found.years, pa.int16()),
        pa.array(found.complete),
        same("{}-{}".format(*found.period), pa.string()),
        same(item.symbol(kind), pa.string()),
    ]
    return pa.Table.from_arrays(columns, schema=_schema())


def converted(values: Doubles, item: Item, kind: Standard) -> Doubles:
    """Return metric figures in a system of units; exact, since both are linear in each other."""
    ratio = item.quantity.ratio
    return values if kind is Standard.METRIC or ratio is None else ratio.english(values)


def _schema() -> pa.Schema:
    import pyarrow as pa

    from cimis.agronomy.normals import PERCENTILES

    number, year, text = pa.float64(), pa.int16(), pa.string()
    fields = [("station", pa.uint16()), ("item", text), ("statistic", text)]
    fields += [("month", pa.int8()), ("day", pa.int8()), ("mean", number)]
    fields += [(f"p{percent}", number) for percent in PERCENTILES]
    fields += [("lowest", number), ("lowest_year", year), ("highest", number)]
    fields += [("highest_year", year), ("years", year), ("complete", pa.bool_())]
    return pa.schema([*fields, ("period", text), ("unit", text)])
