"""The registry agrees with the network's list and finds items by every name users give them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import (
    ITEMS,
    QC_FLAGS,
    Rule,
    Scope,
    Standard,
    by_code,
    by_json_key,
    default_items,
    resolve,
    scope_items,
)


def test_the_registry_holds_29_daily_and_14_hourly_items() -> None:
    assert len(ITEMS) == 43
    assert len(scope_items(Scope.DAILY)) == 29
    assert len(scope_items(Scope.HOURLY)) == 14


def test_columns_are_unique_within_a_scope() -> None:
    for scope in Scope:
        columns = [item.column for item in scope_items(scope)]
        assert len(set(columns)) == len(columns)


def test_the_registry_agrees_with_the_list_of_the_network(real: Path) -> None:
    with (real.parent / "items.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["code"] for row in rows] == [item.code for item in ITEMS]
    for row in rows:
        item = by_code(row["code"])
        assert item is not None
        assert item.json_key == row["json_key"]
        assert item.scope == row["scope"]
        assert item.unit_english == row["unit_english"]
        assert not row["unit_metric"] or item.unit_metric == row["unit_metric"]
        assert not row["decimals_metric"] or item.decimals_metric == int(row["decimals_metric"])
        assert item.plausible_min == float(row["min_plausible_metric"])
        assert item.plausible_max == float(row["max_plausible_metric"])


@pytest.mark.parametrize(
    "name", ["air_tmp_avg", "air-tmp-avg", "day-air-tmp-avg", "DayAirTmpAvg", " Air_Tmp_Avg "]
)
def test_an_item_is_found_by_each_of_its_spellings(name: str) -> None:
    assert [item.code for item in resolve(name, Scope.DAILY)] == ["day-air-tmp-avg"]


def test_items_come_back_once_and_in_registry_order() -> None:
    chosen = resolve("wind-run,precip,DayPrecip,air_tmp_avg", Scope.DAILY)
    assert [item.column for item in chosen] == ["air_tmp_avg", "precip", "wind_run"]


def test_no_name_means_the_default_set_and_all_means_all() -> None:
    assert resolve(None, Scope.DAILY) == default_items(Scope.DAILY)
    assert resolve("all", Scope.HOURLY) == scope_items(Scope.HOURLY)
    assert by_json_key("DayAsceEtr") in default_items(Scope.DAILY)


def test_an_unknown_item_names_its_nearest_match() -> None:
    with pytest.raises(UsageError, match="unknown daily item 'air_tmp_av'") as caught:
        resolve("air_tmp_av", Scope.DAILY)
    assert caught.value.hint is not None
    assert "air_tmp_avg" in caught.value.hint


def test_an_item_of_the_other_scope_is_refused() -> None:
    with pytest.raises(UsageError, match="is hourly, not daily"):
        resolve("hly-air-tmp", Scope.DAILY)


def test_an_empty_list_of_items_is_refused() -> None:
    with pytest.raises(UsageError, match="no daily item named"):
        resolve(" , ", Scope.DAILY)


def test_units_read_as_people_write_them() -> None:
    radiation = by_code("day-sol-rad-avg")
    run = by_code("day-wind-run")
    assert radiation is not None
    assert run is not None
    assert radiation.symbol() == "W/m²"
    assert radiation.symbol(Standard.ENGLISH) == "Ly/day"
    assert run.symbol(Standard.ENGLISH) == "mi"


def test_depths_are_added_up_and_extremes_stay_extremes() -> None:
    rules = {item.code: item.rule for item in ITEMS}
    assert {code for code, rule in rules.items() if rule is Rule.SUM} == {
        *("day-eto", "day-asce-eto", "day-asce-etr", "day-precip"),
        *("hly-eto", "hly-asce-eto", "hly-asce-etr", "hly-precip"),
    }
    for rule in (Rule.MAX, Rule.MIN):
        named = {code for code in rules if code.endswith(f"-{rule}")}
        assert {code for code, own in rules.items() if own is rule} == named
    assert [code for code, rule in rules.items() if rule is Rule.DIRECTION] == ["hly-wind-dir"]
    assert rules["day-wind-run"] is rules["hly-air-tmp"] is Rule.MEAN


def test_severe_flags_are_those_of_the_network() -> None:
    assert {f.letter for f in QC_FLAGS if f.severe} == {"I", "M", "S", "N/A"}
