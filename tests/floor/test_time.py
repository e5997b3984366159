"""Days, hours and years of the network: hour 24, Pacific standard time, water years, periods."""

from __future__ import annotations

import ast
import datetime as dt
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cimis.pipeline.field import time as field
from cimis.pipeline.field.items import Scope
from tests.modules import MODULES, ROOT

DAY = dt.timedelta(days=1)
SCOPES = st.sampled_from(list(Scope))
DATES = st.dates(dt.date(2, 1, 1), dt.date(9998, 12, 31))
HOURS = st.integers(1, 24)


def _end(date: dt.date, hour: int) -> dt.datetime:
    """Return the end of an hour by the calendar of the standard library."""
    return dt.datetime.combine(date, dt.time()) + dt.timedelta(hours=hour)


@given(SCOPES, DATES, HOURS)
def test_a_time_tells_its_date_and_hour_again(scope: Scope, date: dt.date, hour: int) -> None:
    time = field.time_of(scope, field.day_number(date), hour)
    assert field.date_of(field.day_of(scope, time)) == date
    assert scope is Scope.DAILY or field.hour_of(time) == hour
    assert field.year_of(scope, time) == date.year


@given(SCOPES, st.lists(st.tuples(DATES, HOURS), min_size=1))
def test_whole_arrays_are_reckoned_as_single_times(
    scope: Scope, rows: list[tuple[dt.date, int]]
) -> None:
    days = [field.day_number(date) for date, _ in rows]
    hours = [hour for _, hour in rows]
    times = field.time_of(scope, np.array(days, np.int64), np.array(hours, np.int64))
    each = [field.time_of(scope, *row) for row in zip(days, hours, strict=True)]
    assert times.tolist() == each
    assert field.day_of(scope, times).tolist() == days
    assert field.hour_of(times).tolist() == [field.hour_of(time) for time in each]
    assert field.years_of(field.day_of(scope, times)).tolist() == [d.year for d, _ in rows]


@given(DATES, HOURS)
def test_an_hour_is_named_by_its_end(date: dt.date, hour: int) -> None:
    time = field.time_of(Scope.HOURLY, field.day_number(date), hour)
    assert field.moment_of(time * field.HOUR_S) == _end(date, hour)


def test_hour_24_of_new_years_eve_ends_in_the_next_year_and_belongs_to_the_old_one() -> None:
    time = field.time_of(Scope.HOURLY, field.day_number(dt.date(2023, 12, 31)), 24)
    seconds = time * field.HOUR_S
    assert field.moment_of(seconds).isoformat() == "2024-01-01T00:00:00"
    assert field.year_of(Scope.HOURLY, time) == 2023
    assert field.day_of_second(Scope.HOURLY, seconds) == dt.date(2023, 12, 31)
    assert field.day_of_second(Scope.DAILY, seconds) == dt.date(2024, 1, 1)
    assert field.named_time(Scope.HOURLY, time) == "2023-12-31 hour 24"
    assert field.times_of_year(Scope.HOURLY, 2023)[1] == time
    assert field.times_of_year(Scope.HOURLY, 2024)[0] == time + 1


@given(SCOPES, DATES, DATES)
def test_a_span_of_days_has_all_their_records_and_no_others(
    scope: Scope, one: dt.date, other: dt.date
) -> None:
    start, end = min(one, other), max(one, other)
    first, last = field.times_between(scope, field.day_number(start), field.day_number(end))
    assert last - first + 1 == ((end - start).days + 1) * field.PER_DAY[scope]
    assert field.date_of(field.day_of(scope, first)) == start
    assert field.date_of(field.day_of(scope, last)) == end
    assert field.date_of(field.day_of(scope, first - 1)) == start - DAY
    assert field.date_of(field.day_of(scope, last + 1)) == end + DAY


@given(SCOPES, DATES)
def test_the_first_second_of_a_date_is_that_of_its_first_record(
    scope: Scope, date: dt.date
) -> None:
    seconds = field.first_second(scope, date)
    assert field.day_of_second(scope, seconds) == date
    assert field.day_of_second(scope, seconds - field.UNIT_S[scope]) == date - DAY


@pytest.mark.parametrize(
    ("scope", "width", "due"),
    [
        (Scope.DAILY, 1, "2024-02-29"),
        (Scope.HOURLY, 1, "2024-02-29 hour 7"),
        (Scope.HOURLY, 2, "2024-02-29 hour 07"),
    ],
)
def test_times_have_names_for_people(scope: Scope, width: int, due: str) -> None:
    time = field.time_of(scope, field.day_number(dt.date(2024, 2, 29)), 7)
    assert field.named_time(scope, time, width=width) == due


def test_just_the_numbers_1_to_24_name_an_hour() -> None:
    numbers = [-1, 0, 1, 12, 24, 25]
    due = [False, False, True, True, True, False]
    assert [field.is_hour(number) for number in numbers] == due
    assert field.is_hour(np.array(numbers)).tolist() == due
    assert [field.hour_text(hour) for hour in field.HOURS][::23] == ["0100", "2400"]


def test_the_networks_day_is_that_of_pacific_standard_time() -> None:
    """Between midnight of summer time and that of standard time it is still yesterday."""
    half_past_midnight_pdt = dt.datetime(2026, 7, 2, 7, 30, tzinfo=dt.UTC)
    assert field.network_day(half_past_midnight_pdt) == dt.date(2026, 7, 1)
    midnight = dt.datetime(2026, 7, 2, 0, 0, tzinfo=field.PACIFIC)
    assert field.network_day(midnight) == dt.date(2026, 7, 2)
    assert midnight.astimezone(dt.UTC).hour == field.BEHIND_UTC_H


@given(DATES, DATES)
def test_the_years_of_a_span_cover_it_once_and_in_order(one: dt.date, other: dt.date) -> None:
    start, end = min(one, other), max(one, other)
    end = min(end, start + 4000 * DAY)
    parts = list(field.by_year(start, end))
    assert parts[0][1][0] == start
    assert parts[-1][1][1] == end
    for (year, (first, last)), (after, (begin, _)) in pairwise(parts):
        assert first.year == last.year == year
        assert (after, begin) == (year + 1, last + DAY)


@given(DATES)
def test_a_date_lies_in_its_water_year(date: dt.date) -> None:
    first, last = field.water_year_span(field.water_year_of(date))
    assert first <= date <= last
    assert (first.month, first.day, last.month, last.day) == (10, 1, 9, 30)
    assert last.year == first.year + 1 == field.water_year_of(date)


@settings(deadline=None)
@given(st.dates(dt.date(1982, 6, 7), dt.date(2100, 12, 31)))
def test_periods_in_sql_begin_and_end_as_the_calendar_says(date: dt.date) -> None:
    months = {"month": date.replace(day=1), "year": date.replace(month=1, day=1)}
    due = {
        "day": (date, date),
        "week": (date - date.weekday() * DAY, date + (6 - date.weekday()) * DAY),
        "month": (months["month"], (months["month"] + 31 * DAY).replace(day=1) - DAY),
        "year": field.year_span(date.year),
        "water-year": field.water_year_span(field.water_year_of(date)),
    }
    parts = []
    for period, start in field.PERIOD_STARTS.items():
        after = f"({start} + INTERVAL {field.PERIOD_LENGTHS[period]})::date"
        parts += [f"{start}::date", f"{after} - 1"]
    row = duckdb.execute(
        f"SELECT {', '.join(parts)} FROM (SELECT DATE '{date}' AS date)"
    ).fetchall()[0]
    assert dict(zip(due, zip(row[::2], row[1::2], strict=True), strict=True)) == due


def test_the_module_needs_no_numpy() -> None:
    code = "import sys, cimis.pipeline.field.time; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0


_OWN = {24, 23, 86_400, 3_600, 1970, 719_163}
_MINE = "pipeline/field/time.py"
_COURSE_OF_A_DAY = {"pipeline/field/eto.py", "pipeline/emulator/weather/climate.py"}
"""Formulas of the sun and the weather over a day, which know no record."""

_ELSEWHERE = {
    ("cimis/cli/showing/layout.py", 24),  # characters of a column
    ("pipeline/archive/foreign.py", 24),  # characters of a heading
    ("cimis/cli/commands/doctor.py", 24),  # characters of a column
    ("pipeline/service/inflate.py", 23),  # bits
    ("agronomy/stuck.py", 24),  # the length of a rule
    ("pipeline/decode/fast/batch.py", 23),  # bits
    ("pipeline/chunks/v1/records.py", 23),  # bits
    ("pipeline/emulator/network.py", 3_600),  # seconds of a degree
    ("queries/mirror/place.py", 86_400),  # a week's grace, by the clock of files
}


def _numbers() -> Iterator[tuple[str, int]]:
    for path in MODULES:
        name = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and type(node.value) is int:
                yield name, node.value


def test_no_other_module_knows_a_days_hours_or_where_time_begins() -> None:
    found = {(name, number) for name, number in _numbers() if number in _OWN}
    found = {pair for pair in found if pair[0] not in {_MINE, *_COURSE_OF_A_DAY}}
    assert found - _ELSEWHERE == set()
