"""Days beside their normals: the same as plain loops over all years, and refused without them."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cimis.store import Store
from tests.queries.made import put_days

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

FIRST, LAST = 2013, 2020
DAYS = (dt.date(LAST + 1, 1, 1) - dt.date(FIRST, 1, 1)).days
HOT = np.round(
    25 + 10 * np.sin((np.arange(DAYS) - 100) / 58.1) + np.random.default_rng(7).normal(0, 3, DAYS),
    1,
)
FLAGGED = set(range(20, DAYS, 40))
WORDS = ("query", "--items", "air_tmp_max", "--compare", "normal")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Eight years of station 5 with some flags; of station 80 the last year alone."""
    flags = {"air_tmp_max": dict.fromkeys(FLAGGED, "Y")}
    put_days(tmp_path, 5, f"{FIRST}-01-01", {"air_tmp_max": HOT}, flags=flags)
    put_days(tmp_path, 80, f"{LAST}-01-01", {"air_tmp_max": [20.0] * 366})
    monkeypatch.setenv("CIMIS_DATA_DIR", str(tmp_path))
    return tmp_path


def sample(month: int, day: int, first: int = FIRST) -> list[float]:
    """Return the unflagged values of the 15 days around a day that is not near a year's ends."""
    found = []
    for year in range(first, LAST + 1):
        middle = (dt.date(year, month, day) - dt.date(FIRST, 1, 1)).days
        found += [HOT[n] for n in range(middle - 7, middle + 8) if n not in FLAGGED]
    return found


@pytest.mark.parametrize(("words", "first"), [((), FIRST), (("--period", "2016-2020"), 2016)])
def test_anomaly_percentile_and_rank_are_those_of_plain_loops(
    words: tuple[str, ...], first: int, root: Path, typed: Typed
) -> None:
    answer = typed(*WORDS, "--station", "5", "--month", "2020-07", *words, "--json")
    assert answer.code == 0, answer.err
    rows = json.loads(answer.out)
    assert len(rows) == 31
    for row in rows:
        day = dt.date.fromisoformat(row["date"])
        past, value = sample(7, day.day, first), row["air_tmp_max"]
        assert value == HOT[(day - dt.date(FIRST, 1, 1)).days]
        assert row["air_tmp_max_normal"] == pytest.approx(np.mean(past), abs=0.000501)
        assert row["air_tmp_max_anomaly"] == pytest.approx(value - np.mean(past), abs=0.000501)
        below = sum(one < value for one in past) + sum(one == value for one in past) / 2
        assert row["air_tmp_max_percentile"] == pytest.approx(100 * below / len(past), abs=0.0501)
        assert row["air_tmp_max_rank"] == 1 + sum(one > value for one in past)
        assert row["air_tmp_max_rank_of"] == len(past)
        assert row["air_tmp_max_years"] == LAST - first + 1


def test_29_february_has_a_normal(root: Path, typed: Typed) -> None:
    words = ("--station", "5", "--start", "2020-02-29", "--end", "2020-02-29", "--json")
    (row,) = json.loads(typed(*WORDS, *words).out)
    assert row["air_tmp_max_years"] == LAST - FIRST + 1


def test_english_anomalies_are_fahrenheit_degrees(root: Path) -> None:
    with Store(root) as store:
        metric, english = (
            store.compare("normal", 5, "2020-07", "2020-07", "air_tmp_max", units=units).pl()
            for units in ("metric", "english")
        )
    anomaly = metric["air_tmp_max_anomaly"] * 1.8
    np.testing.assert_allclose(english["air_tmp_max_anomaly"], anomaly, atol=0.002)
    warm = metric["air_tmp_max"] * 1.8 + 32
    np.testing.assert_allclose(english["air_tmp_max"], warm, atol=0.0501)
    normal = metric["air_tmp_max_normal"] * 1.8 + 32
    np.testing.assert_allclose(english["air_tmp_max_normal"], normal, atol=0.002)


def test_a_series_below_five_years_has_its_values_alone_and_is_named(
    root: Path, typed: Typed
) -> None:
    answer = typed(*WORDS, "--month", "2020-07", "--json")
    rows = [row for row in json.loads(answer.out) if row["station"] == 80]
    assert {row["air_tmp_max"] for row in rows} == {20}
    assert all(row[f"air_tmp_max_{of}"] is None for row in rows for of in ("normal", "rank_of"))
    assert "no normals below five years: air_tmp_max of station 80" in answer.err


def test_without_any_normal_it_is_refused_unless_the_values_will_do(
    root: Path, typed: Typed
) -> None:
    words = (*WORDS, "--station", "80", "--month", "2020-07", "--format", "csv")
    answer = typed(*words)
    assert (answer.code, answer.out) == (3, "")
    assert "normals need five years, and no day of air_tmp_max of station 80" in answer.err
    allowed = typed(*words, "--allow-empty")
    assert (allowed.code, allowed.out.count("\n")) == (0, 32)


def test_flagged_values_are_held_against_normals_without_them(root: Path, typed: Typed) -> None:
    day = dt.date(FIRST, 1, 1) + dt.timedelta(days=max(FLAGGED))
    words = ("--station", "5", "--start", str(day), "--end", str(day), "--json")
    (kept,) = json.loads(typed(*WORDS, *words).out)
    assert kept["air_tmp_max_qc"] == "Y"
    assert kept["air_tmp_max_rank"] is not None
    (strict,) = json.loads(typed(*WORDS, *words, "--qc", "strict").out)
    assert strict["air_tmp_max"] is strict["air_tmp_max_rank"] is None
    assert strict["air_tmp_max_normal"] == kept["air_tmp_max_normal"]


@pytest.mark.parametrize(
    ("words", "due"),
    [
        (("--hourly",), "what can be compared are the days of stations"),
        (("--zip", "93624"), "what can be compared are the days of stations"),
        (("--perf",), "what can be compared are the days of stations"),
        (("--period", "2020-1991"), "runs backwards"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_what_has_no_normal_is_refused(
    words: tuple[str, ...], due: str, root: Path, typed: Typed
) -> None:
    answer = typed(*WORDS, *words)
    assert (answer.code, answer.out) == (2, "")
    assert due in answer.err


def test_a_period_without_normals_is_refused(root: Path, typed: Typed) -> None:
    answer = typed("query", "--station", "5", "--period", "1991-2020")
    assert answer.code == 2
    assert "add --compare normal" in answer.err


def test_days_without_a_record_are_said(root: Path, typed: Typed) -> None:
    answer = typed(*WORDS, "--station", "5", "--start", "2020-12-30", "--end", "2021-01-02")
    assert "station 5 has 2 of 4 days" in answer.err
    assert typed(*WORDS, "--station", "5", "--year", "2022").code == 3
