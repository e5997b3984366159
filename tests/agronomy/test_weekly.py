"""Weekly sums of crop water use count the days that lack, and no day outside the season."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cimis.agronomy.crops_file import parse_crops
from cimis.agronomy.weekly import Span, water_use, weeks_back
from cimis.pipeline.errors import UsageError

MAY = dt.date(2021, 5, 1)
NAN = float("nan")


def day(number: int) -> dt.date:
    return MAY + dt.timedelta(days=number)


def test_sums_are_of_the_days_that_have_a_value() -> None:
    kc = np.array([NAN, 0.5, 0.5, 1.0])
    eto = np.array([[9.0, NAN], [4.0, NAN], [NAN, NAN], [6.0, NAN]])
    rain = np.array([[7.0, 1.0], [0.0, 1.0], [2.0, NAN], [0.5, 1.0]])
    use = water_use(MAY, kc, eto, rain, [Span(day(2), day(3), day(0))])
    assert (use.days.tolist(), use.total_days.tolist()) == ([2], [3])
    assert use.kc.tolist() == [0.75]
    assert (use.etc[0, 0], use.total[0, 0], use.eto[0, 0]) == (6.0, 8.0, 6.0)
    assert (use.rain[0].tolist(), use.total_rain[0].tolist()) == ([2.5, 1.0], [2.5, 2.0])
    assert (use.lacking.tolist(), use.total_lacking.tolist()) == ([[1, 2]], [[1, 3]])
    assert (use.rain_lacking.tolist(), use.total_rain_lacking.tolist()) == ([[0, 1]], [[0, 1]])
    assert np.isnan([use.etc[0, 1], use.total[0, 1], use.eto[0, 1]]).all()


def test_days_beyond_those_given_are_refused() -> None:
    with pytest.raises(UsageError, match="days are given from 2021-05-01 on only"):
        water_use(MAY, np.ones(2), np.ones((2, 1)), np.ones((2, 1)), [Span(day(0), day(2), day(0))])


@given(st.integers(0, 400))
def test_weeks_cover_every_day_once_and_the_last_is_whole(length: int) -> None:
    weeks = weeks_back(MAY, day(length))
    covered = [
        first + dt.timedelta(days=n)
        for first, last in weeks
        for n in range((last - first).days + 1)
    ]
    assert covered == [day(n) for n in range(length + 1)]
    assert {(last - first).days for first, last in weeks[1:]} <= {6}


def test_weeks_that_run_backwards_are_refused() -> None:
    with pytest.raises(UsageError, match="run backwards"):
        weeks_back(day(1), day(0))


@pytest.mark.parametrize(
    ("asked", "begun"),
    [((2021, 10, 31), None), ((2021, 11, 1), 2021), ((2022, 2, 1), 2021), ((2022, 3, 1), None)],
)
def test_a_season_over_the_new_year_is_found_from_both(
    asked: tuple[int, int, int], begun: int | None
) -> None:
    text = """\
[crop.winter-wheat]
source = "S"
start = "11-01"
initial = { days = 30, kc = 0.4 }
development = { days = 30 }
mid = { days = 30, kc = 1.1 }
late = { days = 30, kc = 0.3 }
"""
    season = parse_crops(text)["winter-wheat"].season_on(dt.date(*asked))
    assert (None if season is None else season.starts[0].year) == begun
