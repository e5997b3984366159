"""Stored days beside those of another year, or beside what is normal: by day, or added up."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, SupportsIndex

from cimis.answers.question import question_of
from cimis.answers.rows import rows_of
from cimis.arguments import Day, Items, Years, open_span_of
from cimis.naming.sites import Stations, station_numbers
from cimis.opened import Opened
from cimis.pipeline.errors import NoDataError, UsageError
from cimis.pipeline.field.items import Item, Scope, Standard
from cimis.pipeline.field.time import network_day
from cimis.season.against import against_normal
from cimis.season.normal import usual_items
from cimis.season.reckoned import Reckoned, none_stored, reckoned, removed

if TYPE_CHECKING:
    import pyarrow as pa

    from cimis.queries.answers.rows import Rows
    from cimis.season.paired import Paired

__all__ = ["compare"]

_HINT = "compare with last-year, a year as 2020, or normal"
_DAY = dt.timedelta(days=1)


def compare(
    opened: Opened,
    to: str | SupportsIndex,
    stations: Stations | None = None,
    start: Day | None = None,
    end: Day | None = None,
    items: Items | None = None,
    *,
    every: str | None = None,
    period: Years | None = None,
    window: int = 7,
    units: str = "metric",
    qc: str = "keep",
) -> Reckoned:
    """Return daily values beside those of another year, or beside the normal of their day.

    Each day has the same month and day of the other year beside it. 29 February has no counterpart
    in a year without it: it stands alone, and counts in no total; the other year's is left out.

    Parameters
    ----------
    to : {"last-year", "normal"} or int
        What to compare with: one year earlier; a year, in which the last day then lies; or what is
        normal.
    stations, start, end, units, qc
        As of :meth:`daily`; another year needs ``start``, and ``end`` is at most yesterday.
    items : str or iterable of str, optional
        Daily items; by default the usual ones that are stored.
    every : {"week", "month", "year", "water-year"}, optional
        Totals of periods instead of days, of the days that have both values: depths (ETo, rain) are
        added up, maxima and minima stay extremes, the rest are means. Against normals, which are
        means, maxima and minima are means too.
    period, window
        With ``normal``: as of :meth:`normals`, always of unflagged values. Where the period has the
        value's own year, it is one of those that it is ranked among.

    Returns
    -------
    Reckoned
        ``station``, ``date``; with another year ``date_compared``, and per item its value and flag,
        ``NAME_compared`` and its flag, ``NAME_difference`` (the value less that). With ``normal``
        ``NAME_normal`` (the mean), ``NAME_anomaly``, ``NAME_percentile`` (share of the sample below
        the value, those equal counted half), ``NAME_rank`` of ``NAME_rank_of`` values (1: none is
        higher) and ``NAME_years``.
        With ``every`` ``station``, ``period`` (first day), ``days`` of it that are asked for, and
        per item two totals, their difference and ``NAME_days``, of how many days they are.
        Null where either value is not there; ``notes`` tell what the other year lacks.

    Raises
    ------
    UsageError
        For what cannot be compared with, an unknown item or period, or days that are not named.
    NoDataError
        When no record is stored of these days, or nothing to compare with; in that case the values
        alone are in the error's ``report``.
    """
    from cimis.queries.conversion import standard
    from cimis.season.paired import Paired, other_year_of
    from cimis.season.totals import check_period

    kind = standard(units)
    if every is not None:
        check_period(every)
    if str(to).strip().lower() == "normal":
        how = {"period": period, "window": window, "qc": qc}
        if every is None:
            return against_normal(opened, stations, start, end, items, units=units, **how)  # type: ignore[arg-type]
        return _normal_totals(opened, stations, start, end, items, every, kind, how)
    if period is not None:
        raise UsageError("a period says what normals are of", hint="compare with normal")
    first, last = _days(start, end)
    years = last.year - _year(to, last)
    if years == 0:
        raise UsageError(f"{to} is the year of these days itself", hint=_HINT)
    numbers = station_numbers(stations, opened.root, "a comparison")
    chosen = usual_items(opened, numbers, items)
    rows = rows_of(
        opened, question_of(opened.root, Scope.DAILY, numbers, first, last, chosen), "metric", qc
    )
    found = rows.table()
    then = (other_year_of(first, years), other_year_of(last, years))
    if found.num_rows == 0:
        paired = Paired(found, found, years, chosen, (first, last))
        raise none_stored(rows, _given(paired, every, kind, (first, last)).schema, _NONE)
    whose = numbers if numbers is not None else found["station"].unique().to_pylist()
    beside = _beside(opened, whose, then, chosen, qc)
    others = beside.table()
    paired = Paired(found, others, years, chosen, (first, last))
    table = _given(paired, every, kind, (first, last))
    notes = removed(rows.timings.values_removed + beside.timings.values_removed, qc)
    if paired.alone:
        notes += ("29 February has no counterpart in the other year; it counts in no total",)
    if short := replace(beside.lacks, damaged=()):
        notes += (f"in {then[0]} to {then[1]}: {short.text()}",)
    damaged = dict.fromkeys((*rows.lacks.damaged, *beside.lacks.damaged))
    lacks = replace(rows.lacks, damaged=tuple(damaged))
    answer = reckoned(opened, table, lacks, notes, qc)
    if others.num_rows == 0 and not damaged:
        error = NoDataError(
            f"nothing to compare with: no daily record is stored of {then[0]} to {then[1]}",
            hint="fetch or import those days; without --compare the values themselves are given",
        )
        error.report = answer
        raise error
    return answer


_NONE = "no daily record is stored of these stations and days"


def _days(start: Day | None, end: Day | None) -> tuple[dt.date, dt.date]:
    """Return the first and last day to compare, the last of them over."""
    first, last = open_span_of(start, end)
    if first is None:
        raise UsageError(
            "another year needs the days that are compared", hint="name them, as --month this"
        )
    over = network_day() - _DAY
    return first, max(first, over if last is None else min(last, over))


def _year(to: str | SupportsIndex, last: dt.date) -> int:
    """Return the year in which the last day lies that is compared with."""
    text = str(to).strip().lower()
    if text == "last-year":
        return last.year - 1
    if re.fullmatch(r"[12]\d{3}", text) is None:
        raise UsageError(f"'{to}' is nothing to compare with", hint=_HINT)
    return int(text)


def _beside(
    opened: Opened,
    stations: Sequence[int],
    days: tuple[dt.date, dt.date],
    items: tuple[Item, ...],
    qc: str,
) -> Rows:
    question = question_of(opened.root, Scope.DAILY, tuple(stations), *days, items)
    return rows_of(opened, question, "metric", qc)


def _given(
    paired: Paired, every: str | None, kind: Standard, span: tuple[dt.date, dt.date]
) -> pa.Table:
    """Return the days, or their totals, in a system of units."""
    import pyarrow as pa

    from cimis.season.paired import other_year
    from cimis.season.totals import totals

    if every is None:
        return paired.table(kind)
    values = {item: paired.values(item) for item in paired.items}
    table = totals(paired.stations, paired.dates, values, every, span, kind)
    begun = table["period"].to_numpy().astype("datetime64[D]")
    then = pa.array(other_year(begun, paired.years), pa.date32())
    return table.add_column(2, pa.field("period_compared", pa.date32()), then)


def _normal_totals(
    opened: Opened,
    stations: Stations | None,
    start: Day | None,
    end: Day | None,
    items: Items | None,
    every: str,
    kind: Standard,
    how: Mapping[str, object],
) -> Reckoned:
    """Return totals of days that have a value and a normal, and of their normals."""
    import numpy as np
    import pyarrow as pa

    from cimis.season.totals import totals

    numbers = station_numbers(stations, opened.root, "a comparison")
    chosen = usual_items(opened, numbers, items)
    span = open_span_of(start, end)

    def added_up(days: Reckoned) -> Reckoned:
        table = days.table
        values = {
            item: tuple(
                np.asarray(table[name].cast(pa.float64()).fill_null(np.nan).to_numpy())
                for name in (item.column, f"{item.column}_normal")
            )
            for item in chosen
        }
        dates = table["date"].to_numpy().astype("datetime64[D]")
        whose = np.asarray(table["station"].to_numpy(), np.int64)
        made = totals(whose, dates, values, every, span, kind, normal=True)  # type: ignore[arg-type]
        return replace(days, table=made)

    try:
        return added_up(against_normal(opened, numbers, start, end, chosen, **how))  # type: ignore[arg-type]
    except NoDataError as error:
        if isinstance(error.report, Reckoned):
            error.report = added_up(error.report)
        raise
