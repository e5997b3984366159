"""Requests cover what is asked exactly, stay under the caps, and are as few as can be."""

from __future__ import annotations

import datetime as dt
import functools
import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Scope, default_items
from cimis.pipeline.field.time import FIRST_DAY
from cimis.pipeline.plan.windows import (
    MAX_RECORDS,
    Window,
    halve,
    plan_windows,
    split_stations,
    without_station,
)

TODAY = dt.date(2026, 10, 5)
DAY = dt.timedelta(days=1)
HOURS = {Scope.DAILY: 1, Scope.HOURLY: 24}


def plan(
    stations: range | list[int],
    start: str,
    end: str,
    *,
    scope: Scope = Scope.DAILY,
    cap: int | None = None,
) -> list[Window]:
    first, last = dt.date.fromisoformat(start), dt.date.fromisoformat(end)
    items = default_items(scope)
    return plan_windows(stations, scope, first, last, items, max_records=cap, today=TODAY)


def covered(windows: list[Window]) -> Counter[tuple[int, dt.date]]:
    """Count how often each station's day is asked for."""
    return Counter(
        (station, window.start + DAY * day)
        for window in windows
        for station in window.stations
        for day in range(window.days)
    )


@given(
    stations=st.sets(st.integers(1, 400), min_size=1, max_size=40),
    start=st.dates(FIRST_DAY, TODAY),
    days=st.integers(1, 800),
    cap=st.integers(24, 6000),
    scope=st.sampled_from(Scope),
)
def test_windows_cover_what_is_asked_once_and_stay_under_the_cap(
    stations: set[int], start: dt.date, days: int, cap: int, scope: Scope
) -> None:
    """Every station's day is in exactly one window, and no window is over its cap."""
    end = min(start + DAY * (days - 1), TODAY)
    if cap < 200:  # keeps the number of windows, not their logic, within bounds
        end = min(end, start + DAY * 60)
    windows = plan_windows(
        stations, scope, start, end, default_items(scope), max_records=cap, today=TODAY
    )
    counted = covered(windows)
    assert set(counted.values()) == {1}
    assert len(counted) == len(stations) * ((end - start).days + 1)
    assert max(w.records for w in windows) <= cap
    assert min(d for _, d in counted) == start
    assert max(d for _, d in counted) == end


@functools.cache
def fewest(stations: int, days: int, cap: int) -> int:
    """Return the fewest rectangles, by trying every way of cutting straight through."""
    if stations * days <= cap:
        return 1
    ways = [fewest(stations, d, cap) + fewest(stations, days - d, cap) for d in range(1, days)]
    ways += [fewest(s, days, cap) + fewest(stations - s, days, cap) for s in range(1, stations)]
    return min(ways)


@pytest.mark.parametrize("cap", range(1, 14))
def test_no_way_of_cutting_needs_fewer_requests(cap: int) -> None:
    """Small questions are planned as well as by trying everything."""
    for stations in range(1, 9):
        for days in range(1, 13):
            end = (dt.date(2024, 1, 1) + DAY * (days - 1)).isoformat()
            windows = plan(range(1, stations + 1), "2024-01-01", end, cap=cap)
            assert len(windows) == fewest(stations, days, cap), (stations, days)


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("stations", [1, 3, 20, 137])
@pytest.mark.parametrize("end", ["2024-01-31", "2024-12-31", "2026-01-01"])
def test_real_questions_come_near_the_bound_of_arithmetic(
    scope: Scope, stations: int, end: str
) -> None:
    """A plan needs at most one request in fifty, and one, more than records ÷ cap."""
    windows = plan(range(1, stations + 1), "2024-01-01", end, scope=scope)
    bound = math.ceil(sum(w.records for w in windows) / MAX_RECORDS[scope])
    assert len(windows) <= bound * 1.02 + 1


def test_four_stations_share_a_request_for_a_year() -> None:
    windows = plan(range(1, 21), "2024-01-01", "2024-12-31")
    assert [len(w.stations) for w in windows] == [4] * 5
    assert all(w.days == 366 for w in windows)


def test_forty_years_of_the_network_are_planned() -> None:
    """A plan for 250 stations over 41 years is near its bound and made without delay."""
    windows = plan(range(1, 251), "1985-01-01", "2025-12-31")
    station_days = 250 * ((dt.date(2025, 12, 31) - dt.date(1985, 1, 1)).days + 1)
    assert sum(w.records for w in windows) == station_days
    assert len(windows) <= math.ceil(station_days / 1750) * 1.01


def test_an_hourly_year_is_cut_at_the_new_year_where_that_is_free() -> None:
    """Two windows over a new year meet there, so that no year has a piece too many."""
    windows = plan([2], "2023-10-01", "2024-03-31", scope=Scope.HOURLY, cap=24 * 100)
    assert [(w.start, w.end) for w in windows] == [
        (dt.date(2023, 10, 1), dt.date(2023, 12, 31)),
        (dt.date(2024, 1, 1), dt.date(2024, 3, 31)),
    ]


def test_an_hourly_year_takes_two_requests() -> None:
    windows = plan([2], "2024-01-01", "2024-12-31", scope=Scope.HOURLY)
    assert [w.days for w in windows] == [183, 183]
    assert all(w.records <= 5020 for w in windows)


def test_stations_named_twice_are_asked_for_once() -> None:
    assert plan([5, 2, 5], "2024-01-01", "2024-01-01")[0].stations == (2, 5)


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("1982-06-06", "1990-01-01", "before the network's first day"),
        ("2024-02-01", "2024-01-31", "before the start"),
        ("2026-10-05", "2026-10-06", "in the future"),
    ],
)
def test_impossible_days_are_refused_with_advice(start: str, end: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        plan([2], start, end)
    assert caught.value.hint


def test_today_may_be_asked_for() -> None:
    assert plan([2], "2026-10-05", "2026-10-05")[0].records == 1


def test_no_station_and_a_cap_below_a_day_are_refused() -> None:
    with pytest.raises(UsageError, match="no station"):
        plan([], "2024-01-01", "2024-01-02")
    with pytest.raises(UsageError, match="23 records"):
        plan([2], "2024-01-01", "2024-01-02", scope=Scope.HOURLY, cap=23)


@given(stations=st.integers(1, 6), days=st.integers(1, 30))
def test_halving_loses_and_doubles_nothing(stations: int, days: int) -> None:
    """Halves of halves down to single station-days cover the window exactly once."""
    items = default_items(Scope.DAILY)
    start = dt.date(2024, 2, 20)
    end = start + DAY * (days - 1)
    whole = Window(tuple(range(1, stations + 1)), Scope.DAILY, start, end, items)
    pending, atoms = [whole], []
    while pending:
        window = pending.pop()
        if window.records == 1:
            atoms.append(window)
        else:
            pending += halve(window)
    assert covered(atoms) == covered([whole])


def test_what_cannot_be_cut_is_refused() -> None:
    one = Window((2,), Scope.DAILY, TODAY, TODAY, default_items(Scope.DAILY))
    with pytest.raises(UsageError, match="station 2"):
        halve(one)
    with pytest.raises(UsageError, match="cannot be cut"):
        split_stations(one)


def test_stations_split_in_two() -> None:
    items = default_items(Scope.DAILY)
    window = Window((2, 5, 7), Scope.DAILY, TODAY - DAY, TODAY, items)
    left, right = split_stations(window)
    assert (left.stations, right.stations) == ((2,), (5, 7))
    assert (left.start, left.end) == (right.start, right.end) == (window.start, window.end)


def test_one_station_is_set_apart() -> None:
    window = Window((2, 5, 7), Scope.DAILY, TODAY - DAY, TODAY, default_items(Scope.DAILY))
    others, alone = without_station(window, 5)
    assert (others.stations, alone.stations) == ((2, 7), (5,))
    assert covered([others, alone]) == covered([window])
