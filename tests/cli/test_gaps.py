"""What is not there: counts, runs and shares agree with the same reckoned in Polars."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from cimis.pipeline.field.items import Scope
from cimis.store import open_store
from tests.queries.conftest import put, year_table

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

C = pl.col
ITEMS = ["air_tmp_avg", "precip"]


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two stations' daily year with gaps, one of them hourly too, which the environment names."""
    put(tmp_path, [year_table(Scope.DAILY, s, 2021, items=",".join(ITEMS)) for s in (5, 80)])
    put(tmp_path, [year_table(Scope.HOURLY, 80, 2021, items="air_tmp")])
    monkeypatch.setenv("CIMIS_DATA_DIR", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("span", [("2021-01-01", "2021-12-31"), ("2020-12-15", "2021-05-20")])
def test_counts_runs_and_shares(span: tuple[str, str], typed: Typed, root: Path) -> None:
    answer = typed("gaps", "--start", span[0], "--end", span[1], "--json")
    assert answer.code == 0, answer.err
    found = json.loads(answer.out)
    assert [(f["station"], f["item"]) for f in found] == [(s, i) for s in (5, 80) for i in ITEMS]
    with open_store(root) as store:
        frame = store.daily(start=span[0], end=span[1])
    first, last = map(dt.date.fromisoformat, span)
    days = pl.DataFrame({"date": pl.date_range(first, last, eager=True)})
    for facts in found:
        part = frame.filter(C("station") == facts["station"])
        joined = days.join(part, on="date", how="left").sort("date")
        lacks = (
            pl.when(C("station").is_null())
            .then(pl.lit("absent"))
            .when(C(facts["item"]).is_null())
            .then(pl.lit("missing"))
        )
        told = joined.select("date", lacks.alias("kind"))
        assert facts["expected"] == told.height
        for kind in ("absent", "missing"):
            assert facts[kind] == int((told["kind"] == kind).sum())
        assert facts["share"] == pytest.approx(told["kind"].null_count() / told.height, abs=1e-6)
        runs = (
            told.with_columns(C("kind").rle_id().alias("run"))
            .drop_nulls("kind")
            .group_by("run", "kind", maintain_order=True)
            .agg(C("date").min().alias("first"), C("date").max().alias("last"), pl.len())
        )
        assert [(r["kind"], r["first"], r["last"], r["length"]) for r in facts["runs"]] == [
            (r["kind"], str(r["first"]), str(r["last"]), r["len"]) for r in runs.to_dicts()
        ]
        assert facts["absent"] > 0
        assert facts["missing"] > 0


def test_without_days_a_stations_own_first_and_last_count(typed: Typed) -> None:
    found = json.loads(typed("gaps", "--stations", "5", "--json").out)
    assert {f["expected"] for f in found} == {365}


def test_hours_are_named_by_day_and_hour(typed: Typed, root: Path) -> None:
    (facts,) = json.loads(typed("gaps", "--hourly", "--year", "2021", "--json").out)
    with open_store(root) as store:
        hours = store.hourly(items="air_tmp")
    assert facts["expected"] == 8760
    assert facts["absent"] == 8760 - hours.height
    assert facts["missing"] == hours["air_tmp"].null_count()
    absent = [run for run in facts["runs"] if run["kind"] == "absent"]
    assert absent[0]["first"].endswith("hour 01")
    assert absent[0]["last"].endswith("hour 24")


def test_the_table_tells_the_longest_gap(typed: Typed) -> None:
    rows = list(csv.DictReader(io.StringIO(typed("gaps", "--year", "2021").out)))
    runs = list(csv.DictReader(io.StringIO(typed("gaps", "--year", "2021", "--runs").out)))
    for row in rows:
        own = [r for r in runs if (r["station"], r["item"]) == (row["station"], row["item"])]
        assert int(row["longest"]) == max(int(r["length"]) for r in own)
        assert sum(int(r["length"]) for r in own) == int(row["absent"]) + int(row["missing"])


def test_the_calendar_has_a_sign_for_every_day(typed: Typed) -> None:
    lines = typed("gaps", "--stations", "5", "--year", "2021", "--calendar").out.splitlines()
    assert lines[0] == "station 5"
    assert [line.split()[0] for line in lines[1:]] == [f"2021-{m:02d}" for m in range(1, 13)]
    signs = "".join(line[10:] for line in lines[1:])
    assert len(signs) == 365
    assert signs.count("·") == 5  # the fixture leaves out as many days
    assert set(signs) <= set("█▓▒░·")


def test_a_share_can_be_demanded(typed: Typed) -> None:
    assert typed("gaps", "--year", "2021", "--fail-under", "50").code == 0
    answer = typed("gaps", "--year", "2021", "--fail-under", "99.9")
    assert answer.code == 8
    assert "less than 99.9 % complete" in answer.err


def test_a_station_without_any_record_lacks_everything(typed: Typed) -> None:
    found = json.loads(typed("gaps", "--stations", "5,7", "--year", "2021", "--json").out)
    lacking = [f for f in found if f["station"] == 7]
    assert [(f["expected"], f["absent"], f["share"]) for f in lacking] == [(365, 365, 0.0)] * 2


def test_nothing_stored_is_told(typed: Typed) -> None:
    assert typed("gaps", "--stations", "7", "--year", "2021").code == 3
    assert typed("gaps", "--year", "soon").code == 2


def _without(table: pa.Table, names: list[str], rows: slice) -> pa.Table:
    """Return a table whose values and flags of some columns are null in some rows."""
    for name in (part for n in names for part in (n, f"{n}_qc")):
        place = table.schema.get_field_index(name)
        keep = np.ones(table.num_rows, np.bool_)
        keep[rows] = False
        kept = pc.if_else(pa.array(keep), table[name].cast("string"), None)
        column = kept.cast(table.schema.field(name).type.value_type if "_qc" in name else "double")
        column = column.combine_chunks()
        if "_qc" in name:
            column = column.dictionary_encode().cast(table.schema.field(name).type)
        table = table.set_column(place, table.schema.field(place), column)
    return table


def test_an_item_is_not_missed_where_its_source_never_carries_it(typed: Typed, root: Path) -> None:
    """Station 2 has an imported year and a fetched one, station 7 a year of both."""
    put(root, [year_table(Scope.DAILY, 2, 2018, items="eto,precip")])
    put(root, [year_table(Scope.DAILY, 2, 2019, items="asce_eto,precip")])
    both = year_table(Scope.DAILY, 7, 2018, items="eto,asce_eto,precip")
    imported = _without(both, ["asce_eto"], slice(0, 300))
    put(root, [_without(imported, ["eto"], slice(300, None))])
    words = ("--stations", "2,7", "--start", "2018", "--end", "2019", "--json")
    asked = ("gaps", "--items", "eto,asce_eto,precip", *words)
    found = {(f["station"], f["item"]): f for f in json.loads(typed(*asked).out)}
    with open_store(root) as store:
        frame = store.daily([2, 7], items="eto,asce_eto,precip")
    own = {station: part for (station,), part in frame.group_by("station")}
    assert found[2, "precip"]["expected"] == 730
    for item, year in (("eto", 2018), ("asce_eto", 2019)):
        facts = found[2, item]
        rows = own[2].filter(C("date").dt.year() == year)
        assert (facts["expected"], facts["missing"]) == (365, rows[item].null_count())
    first, rest = own[7].head(300), own[7].tail(-300)
    # a record without either ET does not tell its source: at most these are missed of both
    unknown = rest.filter(C("asce_eto").is_null() & C("asce_eto_qc").is_null()).height
    lacks = first["eto"].null_count()
    assert lacks <= found[7, "eto"]["missing"] <= lacks + unknown
    assert found[7, "asce_eto"]["missing"] <= rest["asce_eto"].null_count()
    alone = json.loads(typed("gaps", "--station", "2", "--year", "2018", "--json").out)
    assert "asce_eto" not in {f["item"] for f in alone}


def test_gaps_of_an_item_that_nothing_carries_is_told(typed: Typed) -> None:
    answer = typed("gaps", "--stations", "5", "--items", "eto")
    assert answer.code == 3
    assert "eto" in answer.err
