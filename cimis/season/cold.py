"""Winter chill from stored hours: chill hours, Utah units, chill portions, and what they lack."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, SupportsIndex

from cimis.answers.question import question_of
from cimis.answers.rows import rows_of
from cimis.arguments import Day, count_of
from cimis.naming.sites import Stations, station_numbers
from cimis.opened import Opened
from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.field.time import PER_DAY
from cimis.pipeline.lacks import Lacks, Short
from cimis.season.reckoned import Reckoned, none_stored, reckoned, removed
from cimis.season.winters import HOURS_FROM, PORTIONS_FROM, UNTIL, Winter, winters_of

if TYPE_CHECKING:
    import pyarrow as pa

    from cimis.queries.answers.rows import Rows
    from cimis.season.series import Doubles

__all__ = ["chill"]

_PER_DAY = PER_DAY[Scope.HOURLY]
_ITEM = "air_tmp"
_CELLS = 2_000_000
"""Temperatures that are counted together: stations beside each other, as memory allows."""

_POSSIBLE_C = 90.0


def chill(
    opened: Opened,
    winters: SupportsIndex | str | None = None,
    *,
    stations: Stations | None = None,
    start: Day | None = None,
    end: Day | None = None,
    hours_from: str = HOURS_FROM,
    portions_from: str = PORTIONS_FROM,
    until: str = UNTIL,
    kelvin: float = 273.0,
    fill_hours: int = 0,
    max_missing: float = 0.05,
    qc: str = "drop-severe",
) -> Reckoned:
    """Return the chill of winters per station, from hourly air temperature.

    By :mod:`cimis.agronomy.chill`, where the sources of the counts stand.

    Parameters
    ----------
    winters : int or str, optional
        By the year in which they end: 2024, ``"2015-2024"``; by default the one that runs, or
        ended last.
    stations : int, str or iterable of them, optional
        By number or name, as of :meth:`hourly`; by default all that are stored.
    start, end : date or str, optional
        Instead of winters one span of days, over which everything is counted.
    hours_from, portions_from, until : str
        First day of chill hours and Utah units, first day of portions, last day of all, as
        ``MM-DD``.
    kelvin : float
        What is added to °C in the dynamic model: 273 as chillR and UC, 273.15 as physics.
    fill_hours : int
        Interpolate gaps of at most so many hours; none by default.
    max_missing : float
        Share of hours, 0 to 1, above which there is no sum.
    qc : {"drop-severe", "keep", "strict"}
        Which flagged temperatures count as missing.

    Returns
    -------
    Reckoned
        Per station and winter (null of plain days): the days counted; ``hours_below_45f``,
        ``hours_32f_to_45f``, ``utah_units`` with the hours that they are due, lack and had filled;
        ``chill_portions`` with its own. A sum that lacks too much is null.

    Raises
    ------
    UsageError
        For winters and days at once, a winter that has not begun, a share outside 0 to 1.
    NoDataError
        When no hour of these stations and winters has a temperature.
    """
    from cimis.pipeline.field.time import network_day

    _check(kelvin, max_missing)
    longest = count_of(fill_hours, "the longest gap to fill")
    spans = winters_of(
        winters,
        start,
        end,
        hours_from=hours_from,
        portions_from=portions_from,
        until=until,
        today=network_day(),
    )
    numbers = station_numbers(stations, opened.root, "chill")
    answers, parts = [], []
    present: dict[int, int] = {}
    removals = impossible = 0
    for winter in spans:
        question = question_of(opened.root, Scope.HOURLY, numbers, winter.first, winter.last, _ITEM)
        rows = rows_of(opened, question, "metric", qc)
        for held, temperature, odd in _blocks(rows, winter):
            counts = _Counts(winter, held, temperature)
            parts.append(counts.table(kelvin, longest, max_missing))
            impossible += odd
            for number, hours in counts.present():
                present[number] = present.get(number, 0) + hours
        removals += rows.timings.values_removed
        answers.append(rows)
    if not any(present.values()):
        raise none_stored(
            answers[-1],
            _schema(),
            "no hour of these stations and days has air_tmp to count chill from",
        )
    import pyarrow as pa

    table = pa.concat_tables(parts).sort_by([("station", "ascending"), ("until", "ascending")])
    notes = removed(removals, qc) + _notes(spans, table, max_missing, impossible)
    return reckoned(opened, table, _lacks(answers, spans, present), notes, qc)


def _check(kelvin: float, max_missing: float) -> None:
    if not 270 <= kelvin <= 276:
        raise UsageError(f"°C and {kelvin:g} are no kelvin", hint="take 273 or 273.15")
    if not 0 <= max_missing <= 1:
        raise UsageError(
            f"the share of missing hours {max_missing:g} is not from 0 to 1", hint="0.05 is 5 %"
        )


def _blocks(rows: Rows, winter: Winter) -> Iterator[tuple[list[int], Doubles, int]]:
    """Yield stations beside each other, with their hours of a winter, and impossible values."""
    import numpy as np

    from cimis.pipeline.field.time import day_number, times_between
    from cimis.season.series import series_of

    first, last = times_between(Scope.HOURLY, day_number(winter.first), day_number(winter.last))
    most = max(_CELLS // (last - first + 1), 1)
    held: list[int] = []
    columns: list[Doubles] = []
    odd = 0

    def block() -> tuple[list[int], Doubles, int]:
        return held, np.stack(columns, axis=1), odd

    for series in series_of(rows, [_ITEM]):
        column = series.on_grid(_ITEM, first, last)
        beyond = np.abs(column) > _POSSIBLE_C
        column[beyond] = np.nan
        held.append(series.station)
        columns.append(column)
        odd += int(beyond.sum())
        if len(held) == most:
            yield block()
            held, columns, odd = [], [], 0
    if held:
        yield block()


class _Counts:
    """Stations of one winter, beside each other."""

    def __init__(self, winter: Winter, stations: list[int], temperature: Doubles) -> None:
        self._winter = winter
        self._stations = stations
        self._temperature = temperature

    def present(self) -> Iterator[tuple[int, int]]:
        """Yield each station with the hours that have a temperature."""
        import numpy as np

        there = np.isfinite(self._temperature).sum(axis=0).tolist()
        return zip(self._stations, there, strict=True)

    def table(self, kelvin: float, fill_hours: int, max_missing: float) -> pa.Table:
        """Return a row per station."""
        import numpy as np
        import pyarrow as pa

        from cimis.agronomy.chill import chill_hours, chill_portions, utah_units
        from cimis.season.series import nullable

        winter, stations = self._winter, len(self._stations)
        skipped = [(day - winter.first).days * _PER_DAY for day in winter[1:3]]
        hours, longer = (self._temperature[skip:] for skip in skipped)
        below, between = chill_hours(hours, fill_hours=fill_hours, max_missing=max_missing)
        utah = utah_units(hours, fill_hours=fill_hours, max_missing=max_missing)
        portions = chill_portions(
            longer, kelvin=kelvin, fill_hours=fill_hours, max_missing=max_missing
        )

        def same(value: object, kind: pa.DataType) -> pa.Array:
            return pa.repeat(pa.scalar(value, kind), stations)

        def whole(values: np.ndarray) -> pa.Array:
            return pa.array(np.asarray(values, np.float64), pa.int32(), from_pandas=True)

        columns = [
            pa.array(self._stations, pa.uint16()),
            same(winter.name, pa.int16()),
            *(same(day, pa.date32()) for day in winter[1:4]),
            whole(below.total),
            whole(between.total),
            nullable(utah.total, 1),
            *(whole(part) for part in (np.full(stations, len(hours)), below.missing, below.filled)),
            nullable(portions.total, 2),
            whole(np.full(stations, len(longer))),
            *(whole(part) for part in (portions.missing, portions.filled)),
        ]
        return pa.Table.from_arrays(columns, schema=_schema())


def _schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema(
        [
            pa.field("station", pa.uint16()),
            pa.field("winter", pa.int16()),
            pa.field("hours_from", pa.date32()),
            pa.field("portions_from", pa.date32()),
            pa.field("until", pa.date32()),
            pa.field("hours_below_45f", pa.int32(), metadata={b"symbol": b"h"}),
            pa.field("hours_32f_to_45f", pa.int32(), metadata={b"symbol": b"h"}),
            pa.field("utah_units", pa.float64()),
            pa.field("hours", pa.int32()),
            pa.field("hours_missing", pa.int32()),
            pa.field("hours_filled", pa.int32()),
            pa.field("chill_portions", pa.float64()),
            pa.field("portions_hours", pa.int32()),
            pa.field("portions_hours_missing", pa.int32()),
            pa.field("portions_hours_filled", pa.int32()),
        ]
    )


def _notes(
    spans: tuple[Winter, ...], table: pa.Table, max_missing: float, impossible: int
) -> tuple[str, ...]:
    notes = []
    if impossible:
        notes.append(f"temperatures beyond ±{_POSSIBLE_C:g} °C count as missing: {impossible:,}")
    refused = table["hours_below_45f"].null_count, table["chill_portions"].null_count
    if any(refused):
        notes.append(
            f"no sum of hours for {refused[0]} and none of portions for {refused[1]} of "
            f"{table.num_rows} winters of stations: more than {100 * max_missing:g} % of their "
            "hours lack"
        )
    running = next((winter for winter in spans if not winter.whole), None)
    if running is not None:
        notes.append(f"not over: counted to {running.last}")
    return tuple(notes)


def _lacks(answers: list[Rows], spans: tuple[Winter, ...], present: dict[int, int]) -> Lacks:
    """Return what all winters together lack: who has no row in any, who has too few hours."""
    each = [rows.lacks for rows in answers]
    due = sum(((winter.last - winter.first).days + 1) * _PER_DAY for winter in spans)
    nowhere = set.intersection(*(set(one.without_rows) for one in each))
    damaged = {path: damage for one in each for path, damage in one.damaged}
    return replace(
        each[-1],
        without_rows=tuple(site for site in each[-1].without_rows if site in nowhere),
        short=tuple(Short(n, hours, due) for n, hours in sorted(present.items()) if hours < due),
        damaged=tuple(damaged.items()),
    )
