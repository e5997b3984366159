"""Checks of single values mark what is out of bounds, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cimis.agronomy.evidence import Marks, Verdict, evidence_of
from cimis.agronomy.sensors import DAILY_BOUNDS, consistency, monthly_outliers, out_of_range
from cimis.agronomy.stuck import steps, stuck
from cimis.pipeline.errors import UsageError

HOURS = np.arange("2019-01-01T01", "2019-01-06T01", dtype="datetime64[h]")
DAYS = np.arange("2019-01-01", "2019-01-06", dtype="datetime64[D]")


def _still(item: str, values: np.ndarray, check: str) -> list[int]:
    (found,) = [m for m in stuck(item, HOURS[: values.size], values) if m.check == check]
    return np.flatnonzero(found.marked).tolist()


@pytest.mark.parametrize("item", DAILY_BOUNDS)
def test_bounds_themselves_are_possible(item: str) -> None:
    low, high = DAILY_BOUNDS[item]
    got = out_of_range(item, np.array([low - 0.1, low, high, high + 0.1, np.nan]))
    assert got.marked.tolist() == [True, False, False, True, False]


def test_an_item_without_bounds_is_refused() -> None:
    with pytest.raises(UsageError, match="no bounds for 'precip'"):
        out_of_range("precip", np.zeros(3))


def test_outliers_by_the_modified_score() -> None:
    """Median 10, deviations 0 to 4: the middle one is 1, so 6.2 away scores 4.2."""
    values = np.array([8.0, 9, 9, 10, 10, 10, 11, 11, 14, 16.2])
    got = monthly_outliers(np.full(10, 7), values)
    assert got.figure[-1] == pytest.approx(0.6745 * 6.2 / 1.0)
    assert np.flatnonzero(got.marked).tolist() == [9]


def test_each_month_has_its_own_middle() -> None:
    months = np.repeat([1, 7], 50)
    values = np.concatenate([np.linspace(0, 10, 50), np.linspace(25, 35, 50)])
    assert not monthly_outliers(months, values).marked.any()


def test_a_month_without_spread_cannot_be_judged() -> None:
    got = monthly_outliers(np.full(9, 7), np.array([0.0] * 8 + [12.0]))
    assert np.isnan(got.figure).all()
    assert not got.marked.any()


@given(st.permutations(range(30)))
def test_outliers_do_not_depend_on_order(order: list[int]) -> None:
    values = np.append(np.linspace(0, 5, 29), 40.0)
    months = np.full(30, 3)
    marked = monthly_outliers(months, values).marked
    assert (monthly_outliers(months, values[order]).marked == marked[order]).all()


def test_temperatures_that_contradict_each_other() -> None:
    least = np.array([5.0, 11.0, 5.0, 5.0, np.nan])
    mean = np.array([10.0, 10.0, 16.0, 10.0, 10.0])
    most = np.array([15.0, 15.0, 15.0, 15.0, 15.0])
    dew = np.array([9.0, 9.0, 9.0, 12.0, 10.1])
    got = {
        name: np.flatnonzero(m.marked).tolist()
        for name, m in consistency(least, mean, most, dew).items()
    }
    assert got == {
        "minimum above mean": [1],
        "mean above maximum": [2],
        "minimum above maximum": [],
        "dew point above mean": [3],
    }


def test_wind_that_does_not_change_for_three_hours() -> None:
    values = np.array([1.0, 2.0, 2.1, 2.0, 3.0, 3.1, 4.0])
    assert _still("wind_spd", values, "stuck 3 h") == [1, 2, 3]


def test_a_missing_hour_ends_a_run() -> None:
    values = np.array([2.0, 2.0, np.nan, 2.0, 2.0])
    assert _still("wind_spd", values, "stuck 3 h") == []


def test_directions_turn_past_north() -> None:
    values = np.array([359.6, 0.0, 0.4, 90.0, 180.0])
    assert _still("wind_dir", values, "stuck 3 h") == [0, 1, 2]


def test_a_day_of_one_temperature() -> None:
    values = np.concatenate([np.arange(30.0), np.full(24, 7.0), np.arange(30.0)])
    assert _still("air_tmp", values, "stuck 24 h") == list(range(30, 54))


def test_fewer_hours_than_a_run_are_not_judged() -> None:
    assert all(not m.marked.any() for m in stuck("air_tmp", HOURS[:5], np.zeros(5)))


def test_absent_hours_are_named() -> None:
    with pytest.raises(UsageError, match="after 2019-01-01T03"):
        stuck("air_tmp", np.delete(HOURS, 3), np.zeros(HOURS.size - 1))


def test_an_item_that_has_no_rule_is_refused() -> None:
    with pytest.raises(UsageError, match="no rule when 'precip' is stuck"):
        stuck("precip", HOURS, np.zeros(HOURS.size))


def test_steps_up_and_down() -> None:
    values = np.array([10.0, 15.0, 20.1, 20.0, np.nan, 3.0, 14.0, 2.0])
    five, ten = steps(HOURS[:8], values)
    assert np.flatnonzero(five.marked).tolist() == [2, 6, 7]
    assert np.flatnonzero(ten.marked).tolist() == [6, 7]


def test_checks_leave_their_input_alone() -> None:
    values = np.array([1.0, 900.0, np.nan, 3.0, 3.0])
    before = values.copy()
    out_of_range("sol_rad_avg", values)
    monthly_outliers(np.full(5, 1), values)
    stuck("wind_spd", HOURS[:5], values)
    np.testing.assert_array_equal(values, before)


def test_evidence_names_the_worst_and_its_day() -> None:
    marks = out_of_range("sol_rad_avg", np.array([200.0, 800.0, np.nan, 900.0, 2.0]))
    got = evidence_of(marks, DAYS)
    assert (got.verdict, got.judged, got.marked) == (Verdict.SUSPECT, 4, 3)
    assert (got.worst, got.worst_at) == (900.0, DAYS[3])
    assert (got.first, got.last) == (DAYS[1], DAYS[4])


def test_a_share_that_sound_sensors_have_too_condemns_nothing() -> None:
    figure = np.array([1.0, 2.0, 9.0, 1.0])
    for tolerated, verdict in ((0.25, Verdict.SOUND), (0.24, Verdict.SUSPECT)):
        marks = Marks("x", figure, figure > 5, -np.inf, 5.0, tolerated)
        assert evidence_of(marks, DAYS[:4]).verdict is verdict


def test_nothing_to_judge_is_no_evidence() -> None:
    got = evidence_of(out_of_range("dew_pnt", np.full(5, np.nan)), DAYS)
    assert got.verdict is Verdict.NO_EVIDENCE
    assert np.isnat(got.first)
