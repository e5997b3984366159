"""What a span of days amounted to at many stations at once, and how the network went through it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cimis.answers.question import question_of
from cimis.answers.rows import rows_of
from cimis.arguments import Years, items_of
from cimis.naming.sites import Stations, station_numbers
from cimis.opened import Opened
from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Item, Scope, Standard
from cimis.pipeline.lacks import Lacks
from cimis.season.normal import Basis, basis_of, converted
from cimis.season.reckoned import none_stored, removed

if TYPE_CHECKING:
    import polars as pl

    from cimis.queries.answers.rows import Rows

__all__ = ["ENOUGH", "NetworkSpan", "network_span"]

ENOUGH = 0.9
"""The share of a span's days that must have a value where stations are compared by their sums."""

_BY_DAY = 62
"""Spans of at most so many days are told day by day, longer ones month by month."""

_REFERENCES = ("asce_eto", "eto")


@dataclass(frozen=True, slots=True)
class NetworkSpan:
    """What the days from ``first`` to ``last`` amounted to.

    Attributes
    ----------
    first, last : datetime.date
    days : int
        How many these are.
    reference : Item
        The reference ET that the figures are of.
    units : Standard
        Depths are in mm or inches.
    by : str
        ``day`` or ``month``: what a row of ``course`` is of.
    stations : polars.DataFrame
        A row a station with a record of these days: ``station``; ``eto`` and ``rain`` (sums of the
        days that have values), ``eto_days`` and ``rain_days`` (how many these are), ``normal`` (the
        sum of the normals of the days that have ETo), ``anomaly`` (ETo of those days less it) and
        ``percent`` (the anomaly in per cent of the normal); null where there is no value, and of
        normals where less than `ENOUGH` of the days have both. ``enough`` tells whether that share
        of the days has ETo.
    course : polars.DataFrame
        A row a day or month, ``begin``: over the stations the ``median``, ``p10`` and ``p90`` of
        ETo per day, the median of its ``normal``, the mean of ``rain`` over the stations, and how
        many ``stations`` have ETo.
    lacks : Lacks
    notes : tuple of str
        How flags were taken, and which stations have no normals.
    """

    first: dt.date
    last: dt.date
    days: int
    reference: Item
    units: Standard
    by: str
    stations: pl.DataFrame
    course: pl.DataFrame
    lacks: Lacks
    notes: tuple[str, ...]


def network_span(
    opened: Opened,
    first: dt.date,
    last: dt.date,
    *,
    stations: Stations | None = None,
    reference: str | None = None,
    period: Years | None = None,
    units: str = "metric",
    qc: str = "drop-severe",
) -> NetworkSpan:
    """Return what a span of days amounted to at every station, beside what is normal.

    Parameters
    ----------
    first, last : datetime.date
    stations : int, str or iterable of them, optional
        As of :meth:`daily`; by default all that are stored.
    reference : {"asce_eto", "eto"}, optional
        Which reference ET; by default the one with more values in these days.
    period : int or str, optional
        Years that the normals are of; by default all that a station has. Normals are by
        :func:`cimis.agronomy.normals.daily_normals`, of unflagged values.
    units : {"metric", "english"}
    qc : {"keep", "drop-severe", "strict"}
        Which flagged values do not count.

    Raises
    ------
    UsageError
        For days out of order, or an unknown reference ET.
    NoDataError
        When no record is stored of these stations and days.
    """
    import polars as pl

    from cimis.queries.conversion import standard
    from cimis.queries.frames import whole

    if first > last:
        raise UsageError(f"the first day, {first}, is after the last, {last}", hint="swap them")
    if reference not in (None, *_REFERENCES):
        raise UsageError(f"no reference ET '{reference}'", hint="take asce_eto or eto")
    kind, basis = standard(units), basis_of("day", period, 7)
    numbers = station_numbers(stations, opened.root, "a network report")
    asked = items_of([*([reference] if reference else _REFERENCES), "precip"], Scope.DAILY) or ()
    rows = rows_of(
        opened, question_of(opened.root, Scope.DAILY, numbers, first, last, asked), "metric", qc
    )
    table = rows.table()
    if table.num_rows == 0:
        raise none_stored(rows, table.schema, f"no daily record is stored from {first} to {last}")
    found = whole(table)
    chosen, lacks, notes = _chosen(found, asked[:-1], rows.lacks)
    held = found["station"].unique().sort()
    normal = _normals(opened, held.to_list(), chosen, basis)
    rain = "precip" if "precip" in found.columns else None
    joined = (
        found.select(
            "station",
            "date",
            pl.col(chosen.column).alias("eto"),
            (pl.lit(None, pl.Float64) if rain is None else pl.col(rain)).alias("rain"),
        )
        .with_columns(place=_place(found))
        .join(normal, on=["station", "place"], how="left")
    )
    count = (last - first).days + 1
    by = "day" if count <= _BY_DAY else "month"
    stations_ = _each_station(joined, count)
    without = stations_["normal"].null_count()
    if without:
        many = f"{without} of {held.len()} stations have"
        notes += (f"{many} no anomaly: ETo or its normal of five years lacks on too many days",)
    course = _course(joined, by)
    if kind is Standard.ENGLISH:
        stations_ = _english(stations_, ("eto", "rain", "normal", "anomaly"), chosen)
        course = _english(course, ("median", "p10", "p90", "normal", "rain"), chosen)
    told = (*removed(rows.timings.values_removed, qc), *notes)
    return NetworkSpan(first, last, count, chosen, kind, by, stations_, course, lacks, told)


def _chosen(
    found: pl.DataFrame, items: tuple[Item, ...], lacks: Lacks
) -> tuple[Item, Lacks, tuple[str, ...]]:
    """Return the reference ET that has more values, and what is said of the other."""
    from dataclasses import replace

    counts = {
        item: found[item.column].count() if item.column in found.columns else 0 for item in items
    }
    chosen = max(items, key=lambda item: counts[item])
    others = [item for item in items if item is not chosen]
    spared = {item.column for item in others}
    # what the report is not about does not lack
    lacks = replace(
        lacks,
        items=tuple(name for name in lacks.items if name not in spared),
        items_of=tuple(pair for pair in lacks.items_of if pair[1] not in spared),
    )
    notes = tuple(
        f"ETo is {chosen.column}; {counts[item]:,} values of {item.column} are stored too"
        for item in others
        if counts[item]
    )
    return chosen, lacks, notes


def _place(found: pl.DataFrame) -> pl.Series:
    """Return each row's place among the 366 days of the calendar."""
    import polars as pl

    from cimis.agronomy.normals import calendar_place

    dates = found["date"].to_numpy().astype("datetime64[D]")
    return pl.Series("place", calendar_place(dates), pl.Int64)


def _normals(opened: Opened, stations: list[int], item: Item, basis: Basis) -> pl.DataFrame:
    """Return the mean of each station's calendar days; stations below five years have none."""
    import numpy as np
    import polars as pl

    from cimis.pipeline.errors import NoDataError
    from cimis.season.series import series_of

    past: Rows = rows_of(
        opened,
        question_of(opened.root, Scope.DAILY, stations, *basis.days, [item.column]),
        "metric",
        "strict",
    )
    numbers, means = [], []
    for series in series_of(past, [item.column]):
        try:
            means.append(basis.of(series, item).mean)
        except NoDataError:
            continue
        numbers.append(series.station)
    places = len(means[0]) if means else 0
    return pl.DataFrame(
        {
            "station": np.repeat(np.array(numbers, np.uint16), places),
            "place": np.tile(np.arange(places, dtype=np.int64), len(numbers)),
            "normal": np.concatenate(means) if means else np.empty(0),
        }
    ).with_columns(pl.col("normal").fill_nan(None))


def _each_station(joined: pl.DataFrame, days: int) -> pl.DataFrame:
    import polars as pl

    eto, normal = pl.col("eto"), pl.col("normal")
    both = eto.is_not_null() & normal.is_not_null()

    def total(name: str) -> pl.Expr:
        column = pl.col(name)
        return pl.when(column.count() > 0).then(column.sum())

    def where_both(values: pl.Expr) -> pl.Expr:
        return pl.when(both.sum() >= ENOUGH * days).then(values.filter(both).sum())

    return (
        joined.group_by("station")
        .agg(
            eto=total("eto"),
            eto_days=eto.count().cast(pl.Int64),
            rain=total("rain"),
            rain_days=pl.col("rain").count().cast(pl.Int64),
            normal=where_both(normal),
            anomaly=where_both(eto - normal),
        )
        .with_columns(
            percent=pl.when(pl.col("normal") > 0).then(
                pl.col("anomaly") / pl.col("normal") * _PERCENT
            ),
            enough=pl.col("eto_days") >= ENOUGH * days,
        )
        .sort("station")
    )


_PERCENT = 100


def _course(joined: pl.DataFrame, by: str) -> pl.DataFrame:
    """Return what the stations had in the middle and at both ends, by day or month."""
    import polars as pl

    eto = pl.col("eto")
    there = eto.is_not_null()
    return (
        joined.with_columns(begin=pl.col("date").dt.truncate("1d" if by == "day" else "1mo"))
        .group_by("station", "begin")
        .agg(
            eto=eto.mean(),
            normal=pl.col("normal").filter(there).mean(),
            rain=pl.when(pl.col("rain").count() > 0).then(pl.col("rain").sum()),
        )
        .group_by("begin")
        .agg(
            median=eto.median(),
            p10=eto.quantile(0.1, "linear"),
            p90=eto.quantile(0.9, "linear"),
            normal=pl.col("normal").median(),
            rain=pl.col("rain").mean(),
            stations=eto.count().cast(pl.Int64),
        )
        .sort("begin")
    )


def _english(frame: pl.DataFrame, names: tuple[str, ...], item: Item) -> pl.DataFrame:
    """Return depths in inches; all else as it is."""
    import numpy as np
    import polars as pl

    def inches(name: str) -> Any:
        values = frame[name].fill_null(np.nan).to_numpy()
        return pl.Series(name, converted(values, item, Standard.ENGLISH)).fill_nan(None)

    return frame.with_columns(inches(name) for name in names)
