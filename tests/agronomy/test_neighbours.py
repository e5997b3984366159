"""Neighbours: regressions of all days at once equal those done one by one, and refuse clearly."""

from __future__ import annotations

import numpy as np
import pytest

from cimis.agronomy.nearness import Near, inverse_distance, nearest, nearest_value
from cimis.agronomy.neighbours import against_neighbours, regression
from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.places import Place, distance_km

STATIONS = (6, 35, 109, 116, 159, 161)
PLACES = [Place(38.5 + 0.1 * n, -121.7 - 0.05 * n) for n in range(6)]
NEAR = nearest(STATIONS, PLACES)


def _weather(days: int = 200, seed: int = 1) -> np.ndarray:
    """Return six stations that share their weather, each with its own level, gain and noise."""
    chance = np.random.default_rng(seed)
    season = 20 + 8 * np.sin(np.arange(days) / 58)
    shared = season + np.cumsum(chance.normal(0, 0.8, days)) * 0.3
    gains, levels = chance.uniform(0.7, 1.3, 6), chance.uniform(-5, 5, 6)
    noise = chance.normal(0, 1, (days, 6)) * chance.uniform(0.2, 1.2, 6)
    return shared[:, None] * gains + levels + noise


def _by_hand(values: np.ndarray, day: int, column: int, half: int = 30) -> tuple[float, float]:
    """The paper's estimate of one day, with numpy's least squares."""
    found = []
    for other in NEAR.place[column]:
        if other < 0 or np.isnan(values[day, other]):
            continue
        rows = [r for r in range(max(day - half, 0), min(day + half + 1, len(values))) if r != day]
        rows = [r for r in rows if np.isfinite(values[r, [column, other]]).all()]
        if len(rows) < 20:
            continue
        slope, level = np.polyfit(values[rows, other], values[rows, column], 1)
        left = values[rows, column] - level - slope * values[rows, other]
        error = np.sqrt((left**2).sum() / (len(rows) - 2))
        found.append((error, level + slope * values[day, other]))
    best = np.array(sorted(found)[:5])
    weights = best[:, 0] ** -2
    return float(weights @ best[:, 1] / weights.sum()), float(np.sqrt(len(best) / weights.sum()))


@pytest.mark.parametrize("day", [0, 11, 60, 100, 188, 199])
@pytest.mark.parametrize("column", [0, 4])
def test_an_estimate_equals_regressions_done_one_by_one(day: int, column: int) -> None:
    values = _weather()
    values[np.random.default_rng(5).random(values.shape) < 0.15] = np.nan
    got = regression(values, NEAR)
    value, error = _by_hand(values, day, column)
    assert got.value[day, column] == pytest.approx(value, rel=1e-9)
    assert got.error[day, column] == pytest.approx(error, rel=1e-9)


def test_a_long_record_keeps_its_digits() -> None:
    """Running sums over 40 years of large numbers are as good as sums of one window."""
    values = 1e4 + _weather(14600)
    value, error = _by_hand(values, 14500, 0)
    got = regression(values, NEAR, [6])
    assert got.value[14500, 0] == pytest.approx(value, rel=1e-9)
    assert got.error[14500, 0] == pytest.approx(error, rel=1e-6)


def test_an_estimate_never_looks_at_its_own_day() -> None:
    values = _weather()
    changed = values.copy()
    changed[90, 0] += 50
    assert regression(changed, NEAR).value[90, 0] == pytest.approx(
        regression(values, NEAR).value[90, 0], rel=1e-9
    )


def test_missing_days_are_estimated_too() -> None:
    values = _weather()
    hidden = values.copy()
    hidden[100:104, 2] = np.nan
    got = regression(hidden, NEAR)
    assert np.abs(got.value[100:104, 2] - values[100:104, 2]).max() < 4 * got.error[:, 2].max()


def test_what_was_used_is_told() -> None:
    values = _weather()
    values[50, NEAR.place[0][0]] = np.nan
    got = regression(values, NEAR)
    assert not got.used[50, 0, 0]
    assert got.used[50, 0].sum() == 4
    assert got.used[51, 0].sum() == 5


def test_one_neighbour_with_a_value_is_not_enough() -> None:
    values = _weather()
    values[50, NEAR.place[0][1:5]] = np.nan
    got = regression(values, NEAR)
    assert np.isnan(got.value[50, 0])
    assert not got.used[50, 0].any()
    assert np.isfinite(got.value[51, 0])


def test_a_neighbour_that_does_not_vary_says_nothing() -> None:
    values = _weather()
    values[:, 1] = 7.0
    got = regression(values, NEAR)
    place = int(np.flatnonzero(NEAR.place[0] == 1)[0])
    assert not got.used[:, 0, place].any()
    assert np.isnan(got.value[:, 1]).all()


def test_exact_copies_are_met_exactly() -> None:
    values = np.repeat(_weather()[:, :1], 6, axis=1)
    got = regression(values, NEAR)
    np.testing.assert_allclose(got.value, values, rtol=1e-6)


def test_a_wrong_value_is_marked_before_those_whose_estimates_it_spoils() -> None:
    values = _weather(seed=2)
    values[120, 3] += 15
    marks = against_neighbours(values, regression(values, NEAR))
    assert marks.marked[120, 3]
    assert np.argmax(np.abs(marks.figure[120])) == 3
    assert np.delete(marks.marked, 120, axis=0).mean() < 0.02


def test_stations_chosen_give_the_same_as_all() -> None:
    values = _weather()
    np.testing.assert_array_equal(
        regression(values, NEAR, [159, 6]).value, regression(values, NEAR).value[:, [4, 0]]
    )


def test_neighbours_are_in_order_of_distance_and_within_reach() -> None:
    near = nearest(STATIONS, PLACES, within_km=30)
    for column, place in enumerate(PLACES):
        apart = sorted(
            (distance_km(place, other), n) for n, other in enumerate(PLACES) if n != column
        )
        due = [n for km, n in apart if km <= 30]
        assert near.place[column][near.place[column] >= 0].tolist() == due
        assert near.km[column][: len(due)] == pytest.approx([km for km, _ in apart][: len(due)])


def test_a_station_without_coordinates_is_told_and_left_out() -> None:
    near = nearest(STATIONS, [None, *PLACES[1:]])
    got = regression(_weather(), near)
    assert got.lacks == {6: "the coordinates of station 6 are not known"}
    assert np.isnan(got.value[:, 0]).all()
    assert not (near.place == 0).any()
    with pytest.raises(UsageError, match="coordinates of station 6 are not known"):
        regression(_weather(), near, [6])


@pytest.mark.parametrize(
    ("within_km", "words"),
    [(5.0, "no neighbour within 5 km"), (15.0, "one neighbour within 15 km")],
)
def test_fewer_than_two_neighbours_are_refused(within_km: float, words: str) -> None:
    near = nearest(STATIONS, PLACES, within_km=within_km)
    assert words in regression(_weather(), near).lacks[6]
    with pytest.raises(UsageError, match=f"station 6 has {words}; two are needed"):
        regression(_weather(), near, [6])


def test_a_station_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="station 2 is not among"):
        regression(_weather(), NEAR, [2])


def test_values_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UsageError, match="do not fit 6 stations"):
        regression(_weather()[:, :5], NEAR)


def _row() -> tuple[np.ndarray, Near]:
    values = np.array(
        [[np.nan, 1.0, 3.0, 5.0, 7.0, 9.0], [0.0, np.nan, 3.0, np.nan, np.nan, np.nan]]
    )
    return values, NEAR


def test_inverse_distance_weighs_present_neighbours() -> None:
    values, near = _row()
    weights = near.km[0][:5] ** -2.0
    got = inverse_distance(values, near, 6)
    assert got[0] == pytest.approx(weights @ values[0, near.place[0][:5]] / weights.sum())
    assert got[1] == pytest.approx(3.0)


def test_the_nearest_that_has_a_value() -> None:
    values, near = _row()
    assert nearest_value(values, near, 6).tolist() == [1.0, 3.0]
    assert np.isnan(nearest_value(np.full((2, 6), np.nan), near, 6)).all()
