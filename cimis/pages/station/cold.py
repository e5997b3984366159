"""The chill of a winter, day by day, beside that of other stored winters."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, NamedTuple

from cimis.answers.question import question_of
from cimis.answers.rows import rows_of
from cimis.charts.cumulated import Summed, cumulated
from cimis.pages.page import Block, Column, Figure, Note, Section, Table
from cimis.pages.station.running import Running, running
from cimis.pages.station.subject import Subject
from cimis.pipeline.errors import NoDataError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.field.time import (
    PER_DAY,
    date_of,
    day_number,
    day_of,
    network_day,
    times_between,
)
from cimis.season.cold import chill
from cimis.season.winters import Winter, winters_of

if TYPE_CHECKING:
    import polars as pl

    from cimis.season.series import Series

__all__ = ["Cold", "cold_of", "cold_section", "winter_of"]

_COUNTS = (
    ("Hours below 45 °F", "hours_below_45f", "hours_from", "hours"),
    ("Hours of 32 to 45 °F", "hours_32f_to_45f", "hours_from", "hours"),
    ("Utah chill units", "utah_units", "hours_from", "hours"),
    ("Chill portions", "chill_portions", "portions_from", "portions_hours"),
)
_DRAWN = {
    "chill_portions": Summed("chill_portions", "Chill portions", ""),
    "hours_below_45f": Summed("hours_below_45f", "Hours below 45 °F", "h"),
}


class Cold(NamedTuple):
    """The chill of a winter: the row of ``store.chill``, running totals by count, and notes."""

    winter: int
    row: dict[str, Any]
    totals: dict[str, Running]
    notes: tuple[str, ...]


def winter_of(first: dt.date, last: dt.date, today: dt.date | None = None) -> int:
    """Return the winter that a span of days is about, by the year in which it ends.

    The last that ends within the span; else the one in which its last day lies, or the one before.
    """
    ends = [year for year in range(first.year, last.year + 1) if first <= _end(year) <= last]
    if ends:
        return ends[-1]
    begun = dt.date(last.year, 11, 1) < (today or network_day())  # both counts run from then on
    return last.year + 1 if last >= dt.date(last.year, 9, 1) and begun else last.year


def _end(year: int) -> dt.date:
    return dt.date(year, 3, 1) - dt.timedelta(days=1)


def cold_of(subject: Subject) -> Cold | None:
    """Return the chill of the winter that the days are about; None where no hour is stored."""
    winter = winter_of(*subject.span)
    try:
        found = chill(subject.opened, winter, stations=subject.station)
    except NoDataError:
        return None
    row = found.pl().row(0, named=True)
    return Cold(winter, row, _totals(subject, winter), found.notes)


def _totals(subject: Subject, winter: int) -> dict[str, Running]:
    """Return by count the winter's running total beside those of other winters."""
    import polars as pl

    from cimis.season.series import series_of

    question = question_of(subject.opened.root, Scope.HOURLY, subject.station, items=("air_tmp",))
    (series,) = series_of(rows_of(subject.opened, question, "metric", "drop-severe"), ["air_tmp"])
    ends = (day_of(Scope.HOURLY, int(series.times[place])) for place in (0, -1))
    first, last = map(date_of, ends)
    whole = winters_of(
        f"{min(first.year, winter)}-{max(winter_of(last, last), winter)}",
        None,
        None,
        today=network_day(),
    )
    found = {}
    for count in _DRAWN:
        parts = [_by_day(series, one, count) for one in whole]
        own = next(part for part, one in zip(parts, whole, strict=True) if one.name == winter)
        history = pl.concat(parts).filter(pl.col("value").is_not_null())
        span = own["time"][0], own["time"][-1]
        found[count] = running(own.with_columns(flag=pl.lit(None, pl.String)), history, span)
    return found


def _by_day(series: Series, winter: Winter, count: str) -> pl.DataFrame:
    """Return what each day of a winter adds to a count; null where all its hours lack."""
    import numpy as np
    import polars as pl

    from cimis.agronomy.chill import chill_hours, chill_portions

    begin = winter.portions_from if count == "chill_portions" else winter.hours_from
    days = day_number(begin), day_number(winter.last)
    hours = series.on_grid("air_tmp", *times_between(Scope.HOURLY, *days))
    if count == "chill_portions":
        hourly = chill_portions(hours, max_missing=1.0).hourly
    else:
        hourly = chill_hours(hours, max_missing=1.0).below_45f.hourly
    each = hourly.reshape(-1, PER_DAY[Scope.HOURLY]).sum(axis=1)
    lacking = np.isnan(hours).reshape(-1, PER_DAY[Scope.HOURLY]).all(axis=1)
    return pl.DataFrame(
        {
            "time": pl.date_range(begin, winter.last, "1d", eager=True),
            "value": np.where(lacking, np.nan, each),
        }
    ).with_columns(pl.col("value").fill_nan(None))


def cold_section(subject: Subject, cold: Cold | None, key: str, heading: str) -> Section:
    """Return the section of winter chill."""
    import polars as pl

    winter = winter_of(*subject.span)
    if cold is None:
        none = (
            f"No hourly temperature of the winter that ends in {winter} is stored, and chill is "
            "counted from hours. A command at the end of this page fetches them."
        )
        return Section(key, heading, [Note([none])])
    row = cold.row
    counts = [
        {
            "what": what,
            "sum": None if row[name] is None else float(row[name]),
            "first": row[begin],
            "last": row["until"],
            "due": row[due],
            "missing": row[f"{due}_missing"],
        }
        for what, name, begin, due in _COUNTS
    ]
    table = Table(
        f"Chill of the winter that ends in {cold.winter}",
        pl.DataFrame(counts, infer_schema_length=None).with_columns(pl.col("sum").cast(pl.Float64)),
        (
            Column("what", "Count"),
            Column("sum", "Sum"),
            Column("first", "From"),
            Column("last", "To"),
            Column("due", "Hours"),
            Column("missing", "Missing", "hours"),
        ),
        key="chill",
    )
    blocks: list[Block] = [Figure(_chart(subject, cold), height=330), table]
    if cold.notes:
        blocks.append(Note(list(cold.notes)))
    return Section(key, heading, blocks)


def _chart(subject: Subject, cold: Cold) -> Any:
    import polars as pl

    span = cold.row["portions_from"], cold.row["until"]
    days = pl.date_range(*span, "1d", eager=True).alias("time").to_frame()
    # both counts on one axis of time, though they begin on different days
    rows = pl.concat(
        days.join(made.rows, on="time", how="left", maintain_order="left").select(
            pl.lit(subject.station, pl.UInt16).alias("station"),
            pl.lit(count).alias("item"),
            pl.all(),
        )
        for count, made in cold.totals.items()
    )
    return cumulated(
        rows,
        list(_DRAWN.values()),
        subject.names,
        seasons={(subject.station, count): made.seasons for count, made in cold.totals.items()},
        span=span,
    )
