"""Chill of a store's winters: the same as plain loops over the hours, and as counted by hand."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cimis.pipeline.errors import NoDataError, UsageError
from cimis.season import cold
from cimis.season.winters import Winter, winters_of
from cimis.store import Store, create
from tests.agronomy.winters import portions_by_loop, winter
from tests.queries.made import put_hours

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

TODAY = dt.date(2026, 11, 28)
STATIONS = (5, 80)
DAYS = (dt.date(2024, 2, 29) - dt.date(2023, 9, 1)).days + 1
AUTUMN = (dt.date(2023, 11, 1) - dt.date(2023, 9, 1)).days * 24
HOURS = winter(DAYS * 24, len(STATIONS))
UTAH = ((1.4, 0), (2.4, 0.5), (9.1, 1), (12.4, 0.5), (15.9, 0), (18, -0.5))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The winter of 2024 of two stations, whole."""
    for place, station in enumerate(STATIONS):
        put_hours(tmp_path, station, "2023-09-01", {"air_tmp": HOURS[:, place]})
    monkeypatch.setenv("CIMIS_DATA_DIR", str(tmp_path))
    return tmp_path


def rows(store: Store, *given: Any, **named: Any) -> list[dict[str, Any]]:
    return store.chill(*given, **named).pl().to_dicts()


def test_a_winter_is_what_plain_loops_count(root: Path) -> None:
    with Store(root) as store:
        found = rows(store, 2024)
    assert [row["station"] for row in found] == list(STATIONS)
    for row, hours in zip(found, HOURS.T.tolist(), strict=True):
        cold_ones = hours[AUTUMN:]
        assert row["hours_below_45f"] == sum(1 for t in cold_ones if t * 1.8 + 32 < 45)
        assert row["hours_32f_to_45f"] == sum(1 for t in cold_ones if 32 <= t * 1.8 + 32 < 45)
        utah = sum(next((w for edge, w in UTAH if t <= edge), -1) for t in cold_ones)
        assert row["utah_units"] == pytest.approx(utah)
        assert row["chill_portions"] == pytest.approx(portions_by_loop(hours, 273.0), abs=0.00501)
        assert (row["hours_from"], row["portions_from"], row["until"]) == (
            dt.date(2023, 11, 1),
            dt.date(2023, 9, 1),
            dt.date(2024, 2, 29),
        )
        assert (row["hours"], row["portions_hours"]) == (len(cold_ones), len(hours))


def test_kelvin_is_what_is_said(root: Path) -> None:
    with Store(root) as store:
        (row,) = rows(store, 2024, stations=80, kelvin=273.15)
    due = portions_by_loop(HOURS[:, 1].tolist(), 273.15)
    assert row["chill_portions"] == pytest.approx(due, abs=0.00501)


def test_stations_counted_in_several_blocks_are_the_same(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store(root) as store:
        together = rows(store, 2024)
        monkeypatch.setattr(cold, "_CELLS", 1)
        assert rows(store, 2024) == together


def test_a_span_of_days_is_counted_whole_by_every_count(root: Path, typed: Typed) -> None:
    answer = typed("chill", "--station", "5", "--month", "2023-12", "--json")
    assert answer.code == 0, answer.err
    (row,) = json.loads(answer.out)
    first = (dt.date(2023, 12, 1) - dt.date(2023, 9, 1)).days * 24
    december = HOURS[first : first + 31 * 24, 0].tolist()
    assert row["winter"] is None
    assert (row["hours"], row["portions_hours"]) == (744, 744)
    assert row["hours_below_45f"] == sum(1 for t in december if t * 1.8 + 32 < 45)
    assert row["chill_portions"] == pytest.approx(portions_by_loop(december, 273.0), abs=0.00501)


def test_davis_has_the_hours_counted_by_hand(real: Path, tmp_path: Path, typed: Typed) -> None:
    with create(tmp_path / "data") as store:
        store.import_archive(real / "web/davis_hourly_2019_metric.csv")
    words = ("--data-dir", tmp_path / "data", "--start", "2019-11", "--end", "2019-12", "--json")
    (row,) = json.loads(typed("chill", *words).out)
    assert (row["hours_below_45f"], row["hours_32f_to_45f"]) == (395, 390)
    assert row["hours_missing"] == 0


@pytest.fixture
def lacking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ten days of December at 5 °C; station 5 lacks two hours in a row, station 7 a day."""
    for station, absent in ((5, range(30, 32)), (7, range(48, 72))):
        put_hours(tmp_path, station, "2023-12-01", {"air_tmp": [5.0] * 240}, absent=absent)
    monkeypatch.setenv("CIMIS_DATA_DIR", str(tmp_path))
    return tmp_path


LACKING = ("chill", "--start", "2023-12-01", "--end", "2023-12-10", "--json")


def test_missing_hours_are_said_and_a_sum_that_lacks_too_many_is_refused(
    lacking: Path, typed: Typed
) -> None:
    answer = typed(*LACKING)
    few, many = json.loads(answer.out)
    assert (few["hours_below_45f"], few["hours_missing"]) == (238, 2)
    assert (many["hours_below_45f"], many["hours_missing"]) == (None, 24)
    assert many["utah_units"] is many["chill_portions"] is None
    assert "more than 5 % of their hours lack" in answer.err
    assert "5 has 238 of 240, 7 has 216 of 240" in answer.err


def test_the_share_that_a_sum_may_lack_is_what_is_said(lacking: Path, typed: Typed) -> None:
    few, many = json.loads(typed(*LACKING, "--max-missing", "10").out)
    assert (few["hours_below_45f"], many["hours_below_45f"]) == (238, 216)


def test_gaps_are_filled_only_when_asked_and_only_short_ones(lacking: Path, typed: Typed) -> None:
    few, many = json.loads(typed(*LACKING, "--fill-hours", "2").out)
    assert (few["hours_below_45f"], few["hours_missing"], few["hours_filled"]) == (240, 0, 2)
    assert (many["hours_missing"], many["hours_filled"]) == (24, 0)


def test_impossible_temperatures_count_as_missing(
    tmp_path: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIMIS_DATA_DIR", str(tmp_path))
    put_hours(tmp_path, 5, "2023-12-01", {"air_tmp": [5.0] * 239 + [500.0]})
    answer = typed(*LACKING, "--qc", "keep")
    assert json.loads(answer.out)[0]["hours_missing"] == 1
    assert "temperatures beyond ±90 °C count as missing: 1" in answer.err


def test_several_winters_are_rows_in_order_and_an_absent_one_is_counted_as_lacking(
    root: Path,
) -> None:
    with Store(root) as store:
        found = store.chill("2023-2024", stations=[5, 999])
    assert [(row["station"], row["winter"]) for row in found.pl().to_dicts()] == [(5, 2024)]
    ordinary = (dt.date(2023, 2, 28) - dt.date(2022, 9, 1)).days + 1
    assert found.lacks.without_rows == (999,)
    assert found.lacks.short == ((5, DAYS * 24, (DAYS + ordinary) * 24),)


def test_winters_have_the_year_they_end_in_and_the_last_of_february() -> None:
    assert winters_of("2023-2024", None, None, today=TODAY) == (
        Winter(2023, dt.date(2022, 11, 1), dt.date(2022, 9, 1), dt.date(2023, 2, 28)),
        Winter(2024, dt.date(2023, 11, 1), dt.date(2023, 9, 1), dt.date(2024, 2, 29)),
    )


@pytest.mark.parametrize(
    ("today", "name", "last", "whole"),
    [
        (TODAY, 2027, "2026-11-27", False),
        (dt.date(2026, 10, 15), 2026, "2026-02-28", True),
        (dt.date(2027, 1, 5), 2027, "2027-01-04", False),
    ],
    ids=str,
)
def test_without_a_word_it_is_the_winter_that_runs_or_was_last(
    today: dt.date, name: int, last: str, whole: bool
) -> None:
    (found,) = winters_of(None, None, None, today=today)
    assert (found.name, str(found.last), found.whole) == (name, last, whole)


@pytest.mark.parametrize(
    ("named", "due"),
    [
        ({"winters": 2024, "start": "2023-12-01"}, "winters and days as well"),
        ({"winters": 2090}, "has not begun"),
        ({"winters": 2024, "hours_from": "11-31"}, "'11-31' is no day of a year"),
        ({"winters": 2024, "until": "10-01"}, "before it begins"),
        ({"winters": "x"}, "is not a year"),
        ({"end": "2023-12-01"}, "a day to count from"),
        ({"start": "2023-12-01", "hours_from": "12-01"}, "and plain days as well"),
        ({"winters": 2024, "kelvin": 0}, "are no kelvin"),
        ({"winters": 2024, "max_missing": 5}, "is not from 0 to 1"),
        ({"winters": 2024, "fill_hours": -1}, "gap to fill cannot be -1"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_what_cannot_be_meant_is_refused(root: Path, named: dict[str, Any], due: str) -> None:
    with Store(root) as store, pytest.raises(UsageError, match=due):
        store.chill(**named)


def test_a_winter_without_an_hour_is_an_error_that_tells_what_lacks(root: Path) -> None:
    with Store(root) as store, pytest.raises(NoDataError, match="no hour of these") as caught:
        store.chill(2020, stations=5)
    assert caught.value.report.lacks.without_rows == (5,)
