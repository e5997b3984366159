"""What was saved is served again as it was, odd texts and all, in either system of units."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cimis.pipeline.emulator import ReplaySource
from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Scope, Standard, resolve

DAY = dt.date(2016, 6, 1)
VALUE_FIRST = [
    "eto",
    "precip",
    "sol-rad-avg",
    "vap-pres-avg",
    "air-tmp-max",
    "air-tmp-min",
    "air-tmp-avg",
    "rel-hum-max",
    "rel-hum-min",
    "rel-hum-avg",
    "dew-pnt",
    "wind-spd-avg",
    "wind-run",
    "soil-tmp-avg",
]
FLAG_FIRST = [
    "sol-rad-avg",
    "soil-tmp-avg",
    "air-tmp-max",
    "air-tmp-min",
    "air-tmp-avg",
    "vap-pres-avg",
    "wind-spd-avg",
    "precip",
    "rel-hum-max",
    "rel-hum-min",
    "eto",
    "rel-hum-avg",
    "dew-pnt",
    "wind-run",
]


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


@pytest.mark.parametrize("archive", ["dailyStns2022jul.zip", "dailyStns2013.zip"])
def test_an_english_file_asked_in_english_is_answered_with_its_own_numbers(
    real: Path, tmp_path: Path, archive: str
) -> None:
    (tmp_path / archive).symlink_to(real / "ftp" / archive)
    source = ReplaySource(tmp_path)
    flag_first = "2013" in archive
    names = FLAG_FIRST if flag_first else VALUE_FIRST
    items = resolve(names, Scope.DAILY)
    compared = 0
    for station in sorted(int(str(entry["StationNbr"])) for entry in source.stations())[:40]:
        span = dt.date(2013, 1, 1), dt.date(2022, 12, 31)
        found = source.records(station, Scope.DAILY, *span, items, Standard.ENGLISH)
        rows = _file(real / "ftp" / archive, station)
        for place, name in enumerate(names):
            texts = found.items["Day" + "".join(p.capitalize() for p in name.split("-"))].values
            own = [row[3 + 2 * place + flag_first].strip() for row in rows]
            due = [None if text == "--" else Decimal(text) for text in own]
            assert [None if t is None else Decimal(t) for t in texts] == due, (station, name)
            compared += len(due)
    assert compared > 10_000


def _file(path: Path, station: int) -> list[list[str]]:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(f"daily{station:03d}.csv"):
                lines = csv.reader(io.StringIO(archive.read(name).decode("latin1")))
                rows = [line for line in lines if line and line[0].strip()]
                return sorted(rows, key=lambda row: int(row[2]))  # the day of the year
    return []
