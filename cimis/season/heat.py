"""Degree days from stored temperatures: each day's, and their running total from a biofix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cimis.answers.question import question_of
from cimis.answers.rows import query, rows_of
from cimis.arguments import Day, open_span_of, scope_of
from cimis.naming.sites import Stations, station_numbers
from cimis.opened import Opened
from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.field.time import day_of, times_between
from cimis.season.reckoned import Reckoned, none_stored, reckoned, removed

if TYPE_CHECKING:
    import datetime as dt

    from cimis.agronomy.thresholds import TemperatureUnit, Threshold
    from cimis.season.series import Doubles, Series

__all__ = ["degree_days"]

_ITEMS = {Scope.DAILY: ("air_tmp_min", "air_tmp_max"), Scope.HOURLY: ("air_tmp",)}
_UNITS: dict[str, TemperatureUnit] = {"metric": "C", "english": "F"}


def degree_days(
    opened: Opened,
    low: str | Threshold,
    high: str | Threshold | None = None,
    *,
    stations: Stations | None = None,
    start: Day | None = None,
    end: Day | None = None,
    total_from: Day | None = None,
    method: str | None = None,
    cutoff: str = "horizontal",
    scope: str | Scope = "daily",
    units: str | None = None,
    qc: str = "drop-severe",
) -> Reckoned:
    """Return degree days per station and day, and their running total.

    By :func:`cimis.agronomy.degree_days.degree_days`, where the methods and their sources stand.

    Parameters
    ----------
    low, high : str
        Lower and upper threshold with their unit, as ``"50F"`` or ``"10C"``; without the upper one
        nothing is cut off.
    stations : int, str or iterable of them, optional
        By number or name, as of :meth:`daily`; by default all that are stored.
    start, end : date or str, optional
        First and last day to show, both inclusive; by default each station's own.
    total_from : date or str, optional
        First day of the total, the biofix, not after ``start``; by default the first day shown.
    method : str, optional
        ``single-sine`` (the default), ``double-sine``, ``single-triangle``, ``double-triangle`` or
        ``average``; the double ones take the next day's minimum, the last stored day its own.
    cutoff : {"horizontal", "vertical", "intermediate"}
    scope : {"daily", "hourly"}
        From the extremes of each day, or from its 24 hours, which know no method; a day that lacks
        an hour then has no figure.
    units : {"metric", "english"}, optional
        °C or °F days; by default those of ``low``.
    qc : {"drop-severe", "keep", "strict"}
        Which flagged temperatures count as missing.

    Returns
    -------
    Reckoned
        ``station``, ``date``, ``degree_days`` (null where a temperature it needs is missing),
        ``degree_days_total``, ``days_missing`` (days the total lacks so far). Days without a record
        are there too.

    Raises
    ------
    UsageError
        For a threshold without its unit, thresholds reversed, an unknown method, cutoff or policy,
        a biofix after the first day.
    NoDataError
        When no day of these stations has the temperatures.
    """
    import numpy as np
    import pyarrow as pa

    from cimis.pipeline.field.time import day_number, network_day
    from cimis.season.series import nullable, series_of

    kind = scope_of(scope)
    rule = _Rule(low, high, method, cutoff, kind, units)
    numbers = station_numbers(stations, opened.root, "degree days")
    first, last = open_span_of(start, end)
    since = _since(total_from, first, last)
    question = question_of(opened.root, kind, numbers, since, last, ",".join(_ITEMS[kind]))
    rows = rows_of(opened, question, "metric", qc)
    following = rule.next_minima(opened, question.sites.stations, last, qc)
    yesterday = day_number(network_day()) - 1
    whose, days, daily, totals, lacking = [], [], [], [], []
    reversed_days = 0
    for series in series_of(rows, _ITEMS[kind]):
        stored = day_of(kind, series.times)
        begin = int(stored[0]) if since is None else day_number(since)
        final = int(stored[-1])
        if last is not None:
            final = min(day_number(last), max(yesterday, final))
        figures, odd = rule.of(series, begin, final, following.get(series.station, np.nan))
        reversed_days += odd
        total, missing = rule.running(figures)
        shown = slice(max(day_number(first) - begin, 0) if first else 0, None)
        whose.append(np.full(len(figures[shown]), series.station, np.uint16))
        days.append(np.arange(begin, final + 1, dtype=np.int32)[shown])
        daily.append(figures[shown])
        totals.append(total[shown])
        lacking.append(missing[shown].astype(np.int32))
    schema = pa.schema(
        [
            pa.field("station", pa.uint16()),
            pa.field("date", pa.date32()),
            pa.field("degree_days", pa.float64(), metadata=rule.metadata),
            pa.field("degree_days_total", pa.float64(), metadata=rule.metadata),
            pa.field("days_missing", pa.int32()),
        ]
    )
    if not daily or all(bool(np.isnan(part).all()) for part in daily):
        needed = " and ".join(_ITEMS[kind])
        what = f"no day of these stations has {needed} to count degree days from"
        raise none_stored(rows, schema, what)
    columns = [
        pa.array(np.concatenate(whose)),
        pa.array(np.concatenate(days)).view(pa.date32()),
        nullable(np.concatenate(daily), 2),
        nullable(np.concatenate(totals), 2),
        pa.array(np.concatenate(lacking)),
    ]
    notes = removed(rows.timings.values_removed, qc)
    if reversed_days:
        several = reversed_days > 1
        which = f"{reversed_days:,} day{'s' * several} left out"
        whose_own = "their" if several else "its"
        notes += (f"{which}: {whose_own} minimum is above {whose_own} maximum",)
    return reckoned(opened, pa.Table.from_arrays(columns, schema=schema), rows.lacks, notes, qc)


class _Rule:
    """How degree days are to be counted; refuses what cannot be meant."""

    def __init__(
        self,
        low: str | Threshold,
        high: str | Threshold | None,
        method: str | None,
        cutoff: str,
        scope: Scope,
        units: str | None,
    ) -> None:
        from cimis.agronomy.degree_days import running
        from cimis.agronomy.thresholds import Threshold, threshold
        from cimis.queries.conversion import standard

        lower, upper = (
            one if one is None or isinstance(one, Threshold) else threshold(str(one))
            for one in (low, high)
        )
        if lower is None:
            raise UsageError("no lower threshold", hint="write it as 50F or as 10C")
        self.unit = lower.unit if units is None else _UNITS[standard(units).value]
        if scope is Scope.HOURLY and method is not None:
            raise UsageError(
                "hours know no method: it draws a day between its extremes",
                hint="leave out the method, or count from daily records",
            )
        self._low = lower.to(self.unit)
        self._high = None if upper is None else upper.to(self.unit)
        self._method = method or "single-sine"
        self._cutoff = cutoff
        self._scope = scope
        self.running = running
        self.metadata = {b"symbol": f"°{self.unit} d".encode()}
        self._count([], [])

    def next_minima(
        self, opened: Opened, stations: tuple[int, ...] | None, last: dt.date | None, qc: str
    ) -> dict[int, float]:
        """Return each station's minimum of the day after the last, where a method takes it."""
        import datetime as dt

        from cimis.pipeline.field.time import network_day

        if last is None or last >= network_day() or not self._method.startswith("double"):
            return {}
        after = last + dt.timedelta(days=1)
        found = query(
            opened, stations=stations, start=after, end=after, items="air_tmp_min", qc=qc
        ).table()
        pairs = zip(found["station"].to_pylist(), found["air_tmp_min"].to_pylist(), strict=True)
        return {number: value for number, value in pairs if value is not None}

    def of(self, series: Series, first: int, last: int, following: float) -> tuple[Doubles, int]:
        """Return a station's degree days of each day, and how many days have reversed extremes."""
        import numpy as np

        if self._scope is Scope.HOURLY:
            begin, end = times_between(Scope.HOURLY, first, last)
            return self._count(self._converted(series.on_grid("air_tmp", begin, end)), []), 0
        lowest, highest = (
            self._converted(series.on_grid(name, first, last)) for name in _ITEMS[Scope.DAILY]
        )
        odd = lowest > highest
        lowest[odd] = highest[odd] = np.nan
        after = self._converted(np.array([following]))
        if np.isnan(after).any():
            return self._count(lowest, highest), int(odd.sum())
        longer = np.concatenate([lowest, after]), np.concatenate([highest, after])
        return self._count(*longer)[:-1], int(odd.sum())

    def _converted(self, celsius: Doubles) -> Doubles:
        from cimis.pipeline.field.units import TEMPERATURE

        ratio = TEMPERATURE.ratio
        assert ratio is not None
        return ratio.english(celsius) if self.unit == "F" else celsius

    def _count(self, lowest: Doubles | list[float], highest: Doubles | list[float]) -> Doubles:
        from typing import Any

        from cimis.agronomy import degree_days as counting

        bounds: Any = {"low": self._low, "high": self._high, "cutoff": self._cutoff}
        if self._scope is Scope.HOURLY:
            return counting.hourly_degree_days(lowest, **bounds)
        method: Any = self._method
        return counting.degree_days(lowest, highest, method=method, **bounds)


def _since(total_from: Day | None, first: dt.date | None, last: dt.date | None) -> dt.date | None:
    """Return the day from which the total runs; None for each station's first."""
    if total_from is None:
        return first
    since, _ = open_span_of(total_from, last)
    if first is not None and since is not None and since > first:
        raise UsageError(
            f"the total is to run from {since}, after the first day {first}",
            hint="show the days from then on, or let it run from an earlier day",
        )
    return since
