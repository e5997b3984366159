"""Degree days of a store: the same as of the arrays, as the named question, and as UC IPM."""

from __future__ import annotations

import csv
import datetime as dt
import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np
import polars as pl
import pytest

from cimis.agronomy.degree_days import Cutoff, Method, degree_days
from cimis.pipeline.errors import UsageError
from cimis.store import Store, create
from tests.queries.made import put_days, put_hours

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

DAYS = 366
RNG = np.random.default_rng(16)
LOWEST = np.round(8 + 8 * np.sin((np.arange(DAYS) - 100) / 58.1) + RNG.normal(0, 3, DAYS), 1)
HIGHEST = np.round(LOWEST + RNG.uniform(2, 20, DAYS), 1)
MISSING, ABSENT = 40, (70, 71)
CURVES = [one for one in get_args(Method) if one != "average"]


def gaps(values: np.ndarray) -> np.ndarray:
    """Return values with the missing and the absent days as NaN."""
    whole = np.array(values, np.float64)
    whole[[MISSING, *ABSENT]] = np.nan
    return whole


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A leap year of station 5, a day without its maximum, two days without a record."""
    highest = HIGHEST.copy()
    highest[MISSING] = np.nan
    put_days(
        tmp_path,
        5,
        "2020-01-01",
        {"air_tmp_min": LOWEST, "air_tmp_max": highest},
        absent=ABSENT,
    )
    monkeypatch.setenv("CIMIS_DATA_DIR", str(tmp_path))
    return tmp_path


def daily(frame: pl.DataFrame) -> np.ndarray:
    """Return the degree days of each day, NaN where there are none."""
    return frame["degree_days"].cast(pl.Float64).fill_null(np.nan).to_numpy()


@pytest.mark.parametrize(
    ("method", "cutoff"), list(itertools.product(CURVES, get_args(Cutoff))), ids="-".join
)
def test_each_combination_is_that_of_the_arrays(root: Path, method: Method, cutoff: Cutoff) -> None:
    lowest = gaps(LOWEST)
    lowest[MISSING] = LOWEST[MISSING]  # its minimum is there, and the day before falls to it
    due = degree_days(lowest, gaps(HIGHEST), low=10, high=25, method=method, cutoff=cutoff)
    with Store(root) as store:
        frame = store.degree_days("10C", "25C", method=method, cutoff=cutoff).pl()
    assert frame.height == DAYS
    np.testing.assert_allclose(daily(frame), due, atol=0.00501)


def test_the_average_is_the_rule_of_the_named_question(root: Path) -> None:
    with Store(root) as store:
        asked = store.named("growing-degree-days", base="10", upper="25").pl()
        found = store.degree_days("10C", "25C", method="average").pl().drop_nulls("degree_days")
    assert found["date"].to_list() == asked["date"].to_list()
    for column in ("degree_days", "degree_days_total"):
        np.testing.assert_allclose(found[column], asked[column], atol=1e-9)
    assert found["days_missing"].to_list() == asked["days_missing"].to_list()


def test_a_year_at_esparto_is_that_of_uc_ipm(real: Path, tmp_path: Path) -> None:
    with (real / "degree-days/ucipm_low50_high70_part.csv").open() as file:
        rows = list(csv.DictReader(file))
    celsius = {
        f"air_tmp_{end}": np.array([(float(row[f"t{end}"]) - 32) / 1.8 for row in rows])
        for end in ("min", "max")
    }
    put_days(tmp_path, 196, "2020-01-01", celsius)
    curves = {"sngsine": "single-sine", "sngtri": "single-triangle", "dbltri": "double-triangle"}
    cutoffs = {"horiz": "horizontal", "vert": "vertical", "intrmd": "intermediate"}
    with Store(tmp_path) as store:
        for column in list(rows[0])[3:]:
            curve, cutoff = column.split("_")
            how = {"method": curves[curve], "cutoff": cutoffs[cutoff]}
            found = store.degree_days("50F", "70F", **how).pl()
            due = np.array([float(row[column]) for row in rows])
            assert np.abs(daily(found) - due).max() <= 0.01 + 1e-9, column


def test_the_total_runs_from_the_biofix_and_counts_what_it_lacks(root: Path, typed: Typed) -> None:
    answer = typed(
        *("degree-days", "--station", "5", "--month", "2020-04", "--total-from", "2020-02-01"),
        *("--low", "10C", "--json"),
    )
    assert answer.code == 0, answer.err
    rows = json.loads(answer.out)
    due = degree_days(gaps(LOWEST), gaps(HIGHEST), low=10)
    assert (rows[0]["date"], len(rows)) == ("2020-04-01", 30)
    assert rows[-1]["degree_days_total"] == pytest.approx(np.nansum(due[31:121]), abs=0.006)
    assert rows[-1]["days_missing"] == 3


def test_the_last_day_falls_to_the_minimum_of_a_day_stored_beyond_it(root: Path) -> None:
    with Store(root) as store:
        found = store.degree_days("10C", end="2020-07-31", method="double-sine").pl()
    due = degree_days(gaps(LOWEST), gaps(HIGHEST), low=10, method="double-sine")
    alone = degree_days(gaps(LOWEST)[:213], gaps(HIGHEST)[:213], low=10, method="double-sine")
    assert abs(due[212] - alone[212]) > 0.02
    assert found["degree_days"][-1] == pytest.approx(due[212], abs=0.00501)


def test_fahrenheit_thresholds_give_fahrenheit_days_unless_units_say_else(
    root: Path, typed: Typed
) -> None:
    words = ("degree-days", "--station", "5", "--year", "2020", "--low", "50F", "--high", "77F")
    totals = []
    for more in ((), ("--units", "metric")):
        answer = typed(*words, *more, "--format", "json", "--header", "units")
        told = json.loads(answer.out)
        totals.append((told["units"]["degree_days"], told["rows"][-1]["degree_days_total"]))
    (fahrenheit, first), (celsius, second) = totals
    assert (fahrenheit, celsius) == ("°F d", "°C d")
    assert first == pytest.approx(second * 1.8, abs=0.02)


def test_from_hours_a_day_is_their_mean_and_one_that_lacks_an_hour_has_none(
    tmp_path: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIMIS_DATA_DIR", str(tmp_path))
    hours = np.round(RNG.uniform(0, 40, 24 * 3), 1)
    put_hours(tmp_path, 5, "2024-07-01", {"air_tmp": hours}, absent=[30])
    answer = typed(
        *("degree-days", "--station", "5", "--low", "10C", "--high", "30C", "--hourly", "--json"),
    )
    assert answer.code == 0, answer.err
    due = (np.clip(hours, 10, 30) - 10).reshape(3, 24).mean(axis=1)
    found = [row["degree_days"] for row in json.loads(answer.out)]
    assert found[1] is None
    assert [found[0], found[2]] == pytest.approx([due[0], due[2]], abs=0.00501)


def test_days_without_order_are_left_out_and_said(
    tmp_path: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIMIS_DATA_DIR", str(tmp_path))
    put_days(tmp_path, 5, "2024-07-01", {"air_tmp_min": [10, 21, 10], "air_tmp_max": [20, 20, 20]})
    answer = typed("degree-days", "--low", "10C", "--json")
    assert [row["degree_days"] for row in json.loads(answer.out)] == [5, None, 5]
    assert "1 day left out: its minimum is above its maximum" in answer.err


def test_severely_flagged_temperatures_do_not_count_unless_asked(
    tmp_path: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIMIS_DATA_DIR", str(tmp_path))
    put_days(
        tmp_path,
        5,
        "2024-07-01",
        {"air_tmp_min": [10, 10], "air_tmp_max": [20, 90]},
        flags={"air_tmp_max": {1: "S"}},
    )
    answer = typed("degree-days", "--low", "10C", "--json")
    assert [row["degree_days"] for row in json.loads(answer.out)] == [5, None]
    assert "1 flagged value made missing by qc drop-severe" in answer.err
    kept = typed("degree-days", "--low", "10C", "--json", "--qc", "keep")
    assert [row["degree_days"] for row in json.loads(kept.out)] == [5, 40]


@pytest.mark.parametrize(
    ("words", "code", "due"),
    [
        (("--low", "50"), 2, "has no unit"),
        (("--low", "77F", "--high", "50F"), 2, "is not above the lower"),
        (("--low", "50F", "--cutoff", "vertical"), 2, "needs an upper threshold"),
        (("--low", "50F", "--high", "77F", "--method", "average", "--cutoff", "vertical"), 2, "no"),
        (("--low", "50F", "--hourly", "--method", "single-sine"), 2, "hours know no method"),
        (
            ("--low", "50F", "--total-from", "2020-03-01", "--start", "2020-02-01"),
            2,
            "is to run from",
        ),
        (("--low", "50F", "--station", "999"), 3, "to count degree days from"),
        (("--low", "50F", "--hourly"), 3, "has air_tmp to count"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_counted_is_refused(
    words: tuple[str, ...], code: int, due: str, root: Path, typed: Typed
) -> None:
    answer = typed("degree-days", *words)
    assert (answer.code, answer.out) == (code, "")
    assert due in answer.err


def test_where_an_empty_answer_is_allowed_it_is_the_head_alone(root: Path, typed: Typed) -> None:
    words = ("degree-days", "--low", "50F", "--station", "999", "--format", "csv", "--allow-empty")
    answer = typed(*words)
    assert (answer.code, answer.out.count("\n")) == (0, 1)
    assert answer.out.startswith("station,date,degree_days")
    assert "stations with no row: 999" in answer.err


def test_an_unknown_method_is_refused_in_python(root: Path) -> None:
    with Store(root) as store, pytest.raises(UsageError, match="no method 'triple'"):
        store.degree_days("10C", method="triple")


def test_a_bare_number_is_refused_in_python_too(root: Path) -> None:
    with Store(root) as store, pytest.raises(UsageError, match="'50' has no unit"):
        store.degree_days(50)  # type: ignore[arg-type]


def test_days_after_the_last_record_are_there_without_a_figure(tmp_path: Path) -> None:
    put_days(tmp_path, 5, "2024-07-01", {"air_tmp_min": [10], "air_tmp_max": [20]})
    with create(tmp_path) as store:
        found = store.degree_days("10C", start="2024-06-30", end="2024-07-02")
    assert found.pl().rows() == [
        (5, dt.date(2024, 6, 30), None, 0, 1),
        (5, dt.date(2024, 7, 1), 5, 5, 1),
        (5, dt.date(2024, 7, 2), None, 5, 2),
    ]
    assert "station 5 has 1 of 3 days" in found.lacks.text()
