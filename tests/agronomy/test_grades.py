"""The last word on a check: bad only where it is suspect by far."""

from __future__ import annotations

import numpy as np
import pytest

from cimis.agronomy.drift import Ceilings, Periods
from cimis.agronomy.evidence import Marks, Verdict, evidence_of
from cimis.agronomy.grades import ceiling_marks, drift_marks, grade, spike_marks

DAYS = np.arange("2020-01-01", "2020-04-10", dtype="datetime64[D]")


def _grade(marks: Marks) -> Verdict:
    return grade(marks, evidence_of(marks, DAYS[: marks.figure.size]))


@pytest.mark.parametrize(
    ("marked", "tolerated", "due"),
    [
        (0, 0.0, "sound"),
        (1, 0.0, "suspect"),
        (5, 0.0, "suspect"),
        (6, 0.0, "bad"),
        (2, 0.02, "sound"),
        (3, 0.02, "suspect"),
        (10, 0.02, "suspect"),
        (11, 0.02, "bad"),
    ],
)
def test_days_are_bad_beyond_five_times_what_is_tolerated(
    marked: int, tolerated: float, due: str
) -> None:
    figure = np.where(np.arange(100) < marked, 2.0, 0.0)
    assert _grade(Marks("range", figure, figure > 1, -1.0, 1.0, tolerated)) == due


def test_nothing_judged_is_no_evidence() -> None:
    figure = np.full(5, np.nan)
    assert _grade(Marks("range", figure, figure > 1, -1.0, 1.0)) is Verdict.NO_EVIDENCE


def _periods(factors: list[float], spikes: int = 0) -> Periods:
    factor = np.array(factors)
    sound = (factor >= 0.97) & (factor <= 1.03)
    telling = (factor >= 0.5) & (factor <= 1.5)
    words = np.where(telling, np.where(sound, "sound", "suspect"), "no evidence")
    days, counts = DAYS[: factor.size], np.full(factor.size, 60)
    six = np.repeat(days[:, None], 6, axis=1)
    return Periods(days, days, counts, np.full(factor.size, spikes), factor, six, words)


@pytest.mark.parametrize(
    ("factors", "due"),
    [
        ([1.0, 0.98, 1.02], "sound"),
        ([1.0] * 10 + [1.08], "sound"),
        ([1.0, 1.0, 1.05], "sound"),
        ([1.0, 1.06, 1.05], "suspect"),
        ([1.09, 1.05, 1.2], "suspect"),
        ([1.12, 0.88, 1.0], "bad"),
        ([1.6, 1.0, 1.0], "sound"),
        ([1.6, np.nan, 0.4], "no evidence"),
    ],
)
def test_drift_is_bad_where_more_than_half_is_off_by_a_tenth(
    factors: list[float], due: str
) -> None:
    assert _grade(drift_marks(_periods(factors))) == due


def test_days_left_out_as_spikes_make_a_sensor_suspect() -> None:
    assert _grade(spike_marks(_periods([1.0, 1.0]))) == "sound"
    assert _grade(spike_marks(_periods([1.0, 1.0], spikes=1))) in ("suspect", "bad")


@pytest.mark.parametrize(
    ("percent", "due"),
    [([99.0, 96.0], "sound"), ([99.0, 94.0], "suspect"), ([89.0, 88.0, 97.0], "bad")],
)
def test_a_ceiling_is_bad_where_more_than_half_of_the_years_stay_below_90(
    percent: list[float], due: str
) -> None:
    reached, counts = np.array(percent), np.full(len(percent), 365)
    words = np.where(reached < 95, "suspect", "sound")
    years = np.arange(2020, 2020 + reached.size)
    assert _grade(ceiling_marks(Ceilings(years, counts, counts // 100, reached, words))) == due
