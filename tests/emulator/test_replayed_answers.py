"""What was saved is served again as it was, odd texts and all, in either system of units."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.emulator import ReplaySource
from pipeline.errors import UsageError
from pipeline.items import Scope, Standard, resolve

DAY = dt.date(2016, 6, 1)


def _saved(folder: Path, **more: Any) -> ReplaySource:
    record = {
        "Date": "2016-06-01",
        "Julian": "153",
        "Station": "2",
        "Standard": "english",
        "ZipCodes": "93624",
        "Scope": "daily",
        "DayAirTmpAvg": {"Value": "68.0", "Qc": "R", "Unit": "(F)"},
        **more,
    }
    body = {"Data": {"Providers": [{"Name": "cimis", "Records": [record]}]}}
    (folder / "answer.json").write_text(json.dumps(body))
    return ReplaySource(folder)


def _cell(source: ReplaySource, standard: Standard) -> tuple[str | None, str, str]:
    items = resolve("day-air-tmp-avg", Scope.DAILY)
    found = source.records(2, Scope.DAILY, DAY, DAY, items, standard)
    assert list(found.dates) == ["2016-06-01"]
    texts = found.items["DayAirTmpAvg"]
    return texts.values[0], texts.flags[0], texts.unit


def test_a_saved_value_is_served_as_it_was(tmp_path: Path) -> None:
    assert _cell(_saved(tmp_path), Standard.ENGLISH) == ("68.0", "R", "(F)")


def test_a_saved_value_is_converted_where_the_other_system_is_asked_for(tmp_path: Path) -> None:
    value, flag, unit = _cell(_saved(tmp_path), Standard.METRIC)
    assert (float(value or "nan"), flag, unit) == (20.0, "R", "(C)")


@pytest.mark.parametrize("text", ["", "--", "n/a", "1e1", "²"])
def test_a_text_that_is_no_number_is_served_as_it_is(text: str, tmp_path: Path) -> None:
    cell = {"Value": text, "Qc": "M", "Unit": "(F)"}
    source = _saved(tmp_path, DayAirTmpAvg=cell)
    assert _cell(source, Standard.METRIC)[:2] == (text, "M")


def test_a_cell_without_flag_or_unit_is_served(tmp_path: Path) -> None:
    source = _saved(tmp_path, DayAirTmpAvg={"Value": "50"})
    assert _cell(source, Standard.ENGLISH)[:2] == ("50", " ")


def test_a_record_without_its_keys_is_left_out(tmp_path: Path) -> None:
    source = _saved(tmp_path)
    body = json.loads((tmp_path / "answer.json").read_text())
    body["Data"]["Providers"][0]["Records"].append({"Station": "5", "Scope": "daily"})
    (tmp_path / "answer.json").write_text(json.dumps(body))
    again = ReplaySource(tmp_path)
    assert _cell(again, Standard.ENGLISH) == _cell(source, Standard.ENGLISH)


@pytest.mark.parametrize("odd", [{"Station": "two"}, {"Scope": "weekly"}, {"Standard": None}])
def test_a_record_that_cannot_be_served_is_named_by_its_file(
    odd: dict[str, object], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"answer\.json holds a record"):
        _saved(tmp_path, **odd)


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "answer.json").write_text('{"Data":')
    with pytest.raises(UsageError, match=r"answer\.json"):
        ReplaySource(tmp_path)
