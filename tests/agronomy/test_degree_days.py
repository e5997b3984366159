"""Degree days agree with UC IPM, with their integrals, and with what they mean."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cimis.agronomy.arrays import Doubles
from cimis.agronomy.degree_days import Cutoff, Method, degree_days, hourly_degree_days, running
from cimis.pipeline.errors import UsageError

CURVES: list[Method] = ["single-sine", "double-sine", "single-triangle", "double-triangle"]
CUTOFFS: list[Cutoff] = ["horizontal", "vertical", "intermediate"]
TWELVE = list(itertools.product(CURVES, CUTOFFS))
temperatures = st.floats(-20, 120, allow_nan=False).map(lambda t: round(t, 1))
days = st.lists(st.tuples(temperatures, temperatures).map(sorted), min_size=1, max_size=8).map(
    lambda pairs: np.array(pairs).T
)
thresholds = st.tuples(st.floats(20, 60), st.floats(0.5, 60)).map(lambda t: (t[0], t[0] + t[1]))


def crossing(curve: Callable[[Doubles], Doubles], x: float) -> float:
    """Return the phase from 0 to 1 at which a rising curve reaches x, by halving."""
    below, above = 0.0, 1.0
    for _ in range(60):
        middle = (below + above) / 2
        below, above = (middle, above) if curve(np.array(middle)) < x else (below, middle)
    return above


def integrated(
    tmin: Doubles, tmax: Doubles, low: float, high: float, method: Method, cutoff: Cutoff
) -> Doubles:
    """Return degree days by quadrature of each half day's curve, straight from the definitions."""
    nodes, weights = np.polynomial.legendre.leggauss(40)
    ends = [tmin, np.append(tmin[1:], tmin[-1])] if method.startswith("double") else [tmin, tmin]
    of_days = []
    for top, *minima in zip(tmax, *ends, strict=True):
        sums = np.zeros(3)
        for least in minima:

            def curve(phase: Doubles, least: float = least, top: float = top) -> Doubles:
                share = (1 - np.cos(np.pi * phase)) / 2 if method.endswith("sine") else phase
                return np.asarray(least + (top - least) * share)

            marks = [0.0, crossing(curve, low), crossing(curve, high), 1.0]
            for start, end in itertools.pairwise(marks):
                t = curve(start + (end - start) * (nodes + 1) / 2)
                given_ones = np.clip(t, low, high) - low
                kinds = (given_ones, np.where(t >= high, 0, given_ones), np.maximum(t - high, 0))
                sums += [(end - start) * (weights @ kind) / 4 for kind in kinds]
        horizontal, vertical, above = sums
        cut = {"horizontal": horizontal, "vertical": vertical}
        of_days.append(cut | {"intermediate": max(horizontal - above, vertical)})
    return np.array([day[cutoff] for day in of_days])


@pytest.fixture(scope="module")
def esparto(real: Path) -> dict[str, Doubles]:
    with (real / "degree-days" / "ucipm_low50_high70_part.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {n: np.array([float(r[n]) for r in rows]) for n in rows[0] if n != "date"}


@pytest.mark.parametrize(
    ("column", "method", "cutoff"),
    [
        ("sngsine_horiz", "single-sine", "horizontal"),
        ("sngsine_intrmd", "single-sine", "intermediate"),
        ("sngtri_horiz", "single-triangle", "horizontal"),
        ("sngtri_vert", "single-triangle", "vertical"),
        ("dbltri_horiz", "double-triangle", "horizontal"),
    ],
)
def test_every_day_of_a_year_is_as_uc_ipm_gives_it(
    esparto: dict[str, Doubles], column: str, method: Method, cutoff: Cutoff
) -> None:
    got = degree_days(
        esparto["tmin"], esparto["tmax"], low=50, high=70, method=method, cutoff=cutoff
    )
    assert len(got) == 366
    np.testing.assert_allclose(got, esparto[column], rtol=0, atol=0.0051)


@pytest.mark.parametrize(("method", "cutoff"), TWELVE)
def test_each_combination_is_the_integral_of_its_curve(method: Method, cutoff: Cutoff) -> None:
    # below, across the lower, between, across both, across the upper, above, hot, no range, limits
    tmin = np.array([30.0, 38, 52, 41, 60, 71, 68, 50, 70, 55, 50, 62, 90])
    tmax = np.array([45.0, 66, 69, 88, 93, 103, 107, 70, 96, 55, 50, 130, 125])
    got = degree_days(tmin, tmax, low=50, high=70, method=method, cutoff=cutoff)
    due = integrated(tmin, tmax, 50, 70, method, cutoff)
    np.testing.assert_allclose(got, due, rtol=0, atol=1e-6)


@given(days, thresholds, st.sampled_from(TWELVE))
def test_a_day_never_has_less_than_nothing_nor_more_than_the_thresholds_span(
    pair: Doubles, limits: tuple[float, float], kind: tuple[Method, Cutoff]
) -> None:
    low, high = limits
    got = degree_days(*pair, low=low, high=high, method=kind[0], cutoff=kind[1])
    assert (got >= 0).all()
    assert (got <= (high - low) * (1 + 1e-12)).all()


@given(days, thresholds, st.sampled_from(CURVES))
def test_cutoffs_are_ordered(pair: Doubles, limits: tuple[float, float], method: Method) -> None:
    low, high = limits
    whole = degree_days(*pair, low=low, method=method)
    horizontal, vertical, intermediate = (
        degree_days(*pair, low=low, high=high, method=method, cutoff=cutoff) for cutoff in CUTOFFS
    )
    assert (vertical <= intermediate + 1e-9).all()
    assert (intermediate <= horizontal + 1e-9).all()
    assert (horizontal <= whole + 1e-9).all()


@given(days, thresholds, st.floats(0.05, 0.95), st.sampled_from(CURVES))
def test_bands_of_temperature_add_up(
    pair: Doubles, limits: tuple[float, float], share: float, method: Method
) -> None:
    low, high = limits
    between = low + (high - low) * share
    parts = [
        degree_days(*pair, low=a, high=b, method=method)
        for a, b in ((low, between), (between, high))
    ]
    whole = degree_days(*pair, low=low, high=high, method=method)
    np.testing.assert_allclose(parts[0] + parts[1], whole, atol=1e-9)


@given(days, thresholds, st.floats(0, 30), st.sampled_from(CURVES))
def test_warmer_days_give_no_fewer(
    pair: Doubles, limits: tuple[float, float], warmer: float, method: Method
) -> None:
    low, high = limits
    cool = degree_days(*pair, low=low, high=high, method=method)
    warm = degree_days(*(pair + warmer), low=low, high=high, method=method)
    assert (warm >= cool - 1e-9).all()


@given(days, thresholds, st.sampled_from(TWELVE))
def test_units_only_scale(
    pair: Doubles, limits: tuple[float, float], kind: tuple[Method, Cutoff]
) -> None:
    low, high = limits
    assume(not np.isclose(pair, high).any())  # a level day there may fall to either side
    fahrenheit = degree_days(*pair, low=low, high=high, method=kind[0], cutoff=kind[1])
    celsius = degree_days(
        *((pair - 32) / 1.8),
        low=(low - 32) / 1.8,
        high=(high - 32) / 1.8,
        method=kind[0],
        cutoff=kind[1],
    )
    np.testing.assert_allclose(celsius * 1.8, fahrenheit, rtol=0, atol=1e-5)


def test_the_average_is_the_rule_of_the_named_question() -> None:
    got = degree_days([5, 12, 8, 32], [9, 20, 40, 41], low=10, high=30, method="average")
    assert got.tolist() == [0, 6, 10, 20]


@pytest.mark.parametrize("method", get_args(Method))
def test_stations_side_by_side_are_as_each_alone(method: Method) -> None:
    rng = np.random.default_rng(7)
    tmin = rng.uniform(30, 70, (30, 4)).round()
    tmax = tmin + rng.integers(0, 40, tmin.shape)
    tmin[3, 1] = np.nan
    together = degree_days(tmin, tmax, low=50, high=70, method=method)
    alone = [degree_days(tmin[:, n], tmax[:, n], low=50, high=70, method=method) for n in range(4)]
    np.testing.assert_array_equal(together, np.stack(alone, axis=1))


def test_a_missing_temperature_leaves_what_needs_it_missing() -> None:
    tmin, tmax = [50.0, np.nan, 52, 53], [70.0, 71, 72, np.nan]
    single = degree_days(tmin, tmax, low=50)
    double = degree_days(tmin, tmax, low=50, method="double-sine")
    assert np.isnan(single).tolist() == [False, True, False, True]
    assert np.isnan(double).tolist() == [True, True, False, True]


def test_the_last_day_falls_to_the_minimum_that_is_given_for_after_it() -> None:
    own = degree_days([50, 60], [80, 90], low=50, method="double-sine")
    given_one = degree_days([50, 60], [80, 90], low=50, method="double-sine", next_tmin=[60, 40])
    assert own[0] == given_one[0]
    assert own[1] == degree_days([60], [90], low=50)[0]
    assert given_one[1] < own[1]


def test_a_next_minimum_above_the_maximum_is_a_rise() -> None:
    got = degree_days([40], [50], low=45, method="double-triangle", next_tmin=[60])
    assert got[0] == pytest.approx((1.25 + 10) / 2)


def test_hours_count_by_the_mean_of_what_each_gives() -> None:
    hours = np.full(48, 60.0)
    hours[24:36], hours[36:] = 40.0, 80.0
    cut = {c: hourly_degree_days(hours, low=50, high=70, cutoff=c).tolist() for c in CUTOFFS}
    assert cut == {"horizontal": [10, 10], "vertical": [10, 0], "intermediate": [10, 5]}


@pytest.mark.parametrize("cutoff", CUTOFFS)
def test_hours_of_a_sine_come_near_the_sine(cutoff: Cutoff) -> None:
    hours = 68 - 19 * np.cos(2 * np.pi * (np.arange(24) + 0.5) / 24)
    got = hourly_degree_days(hours, low=50, high=70, cutoff=cutoff)
    due = degree_days([49], [87], low=50, high=70, cutoff=cutoff)
    # an hour at a vertical cutoff counts wholly or not: (high - low) / 24
    assert got[0] == pytest.approx(due[0], abs=20 / 24 if cutoff == "vertical" else 0.05)


def test_a_day_that_lacks_hours_is_missing_unless_allowed() -> None:
    hours = np.tile([55.0, 65.0], (24, 1)).reshape(-1)[:48].reshape(24, 2)
    hours[[2, 9], 1] = np.nan
    assert np.isnan(hourly_degree_days(hours, low=50)).tolist() == [[False, True]]
    allowed = hourly_degree_days(hours, low=50, max_missing=2)
    np.testing.assert_allclose(allowed, [[5, 15]])


def test_a_running_total_says_what_it_lacks() -> None:
    total, missing = running([1.5, np.nan, 2, np.nan])
    assert total.tolist() == [1.5, 1.5, 3.5, 3.5]
    assert missing.tolist() == [0, 1, 1, 2]


def test_reversed_thresholds_are_refused() -> None:
    with pytest.raises(UsageError, match="upper threshold 50 is not above the lower 70"):
        degree_days([40], [80], low=70, high=50)


def test_a_minimum_above_its_maximum_is_named_by_its_day() -> None:
    with pytest.raises(UsageError, match="61, is above its maximum, 60, at day index 2, column 1"):
        degree_days(
            np.array([[1, 1], [1, np.nan], [1, 61]]),
            [[2, 2], [2, 2], [2, 60]],
            low=50,
            method="average",
        )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"low": 50, "method": "sine"}, "no method 'sine'"),
        ({"low": 50, "high": 70, "cutoff": "flat"}, "no cutoff 'flat'"),
        ({"low": 50, "high": 70, "cutoff": "vertical", "method": "average"}, "no vertical cutoff"),
        ({"low": 50, "cutoff": "vertical"}, "vertical cutoff needs an upper threshold"),
        ({"low": float("nan")}, "not a number"),
        ({"low": 50, "method": "double-sine", "next_tmin": [1, 2]}, "next day's minimum"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        degree_days([40], [80], **arguments)  # type: ignore[arg-type] # wrong on purpose


def test_shapes_infinities_and_words_are_refused() -> None:
    with pytest.raises(UsageError, match="shape"):
        degree_days([40, 41], [80], low=50)
    with pytest.raises(UsageError, match="infinite at index 1"):
        degree_days([40, -np.inf], [80, 80], low=50)
    with pytest.raises(UsageError, match="not numbers"):
        degree_days(["cold"], [80], low=50)
    with pytest.raises(UsageError, match="one number"):
        degree_days(40, 80, low=50)
    with pytest.raises(UsageError, match="not whole days"):
        hourly_degree_days(np.zeros(25), low=50)
    with pytest.raises(UsageError, match="cannot lack 24"):
        hourly_degree_days(np.zeros(24), low=50, max_missing=24)


def test_masked_values_are_missing() -> None:
    tmin = np.ma.MaskedArray([40, 41], mask=[False, True])
    assert np.isnan(degree_days(tmin, [80, 80], low=50)).tolist() == [False, True]
