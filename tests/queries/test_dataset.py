"""The dataset is one of pyarrow's own: it scans, filters, joins, unites and pickles like any."""

from __future__ import annotations

import datetime as dt
import pickle
import subprocess
import sys
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.acero as acero
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pytest

from cimis.pipeline.field.items import Scope, scope_items
from cimis.store import Store, open_store
from tests.queries.conftest import Network, put, year_table

F = pc.field


def _sorted(table: pa.Table, scope: str) -> pl.DataFrame:
    made = pl.from_arrow(table)
    assert isinstance(made, pl.DataFrame)
    return made.sort("station", "date" if scope == "daily" else "time")


@pytest.mark.parametrize("cache", [None, 0])
def test_all_rows_come_with_a_column_for_every_item(network: Network, cache: int | None) -> None:
    with open_store(network.root, cache=cache) as store:
        for scope, frame in network.wide.items():
            got = _sorted(store.dataset(scope).to_table(), scope)
            due = frame.drop("reference_eto", "reference_eto_source")
            assert got.select(due.columns).equals(due)
            assert len(got.columns) >= 2 * len(scope_items(Scope(scope)))


def test_units_and_decimals_stand_in_the_metadata(store: Store) -> None:
    field = store.dataset("daily").schema.field("asce_eto")
    assert field.metadata == {b"item": b"day-asce-eto", b"decimals": b"2", b"unit": b"(mm)"}
    assert store.dataset("hourly").schema.metadata[b"time_base"].startswith(b"PST")
    assert store.dataset("hourly").schema.field("time").type == pa.timestamp("s")


FILTERS = [
    None,
    F("station") == 5,
    F("station").isin([2, 80]) & (F("date") > dt.date(2021, 12, 30)),
    (F("station") == 7) | ((F("station") == 131) & (F("date") < dt.date(2020, 1, 3))),
    F("asce_eto") > 20,
    F("precip").is_null(),
    ~F("precip").is_null() & (F("precip_qc") == "R"),
    F("air_tmp_avg_qc").is_valid(),
    pc.month(F("date")) == 2,
    F("station") > 1000,
    F("eto").is_valid(),
]


@pytest.mark.parametrize("number", range(len(FILTERS)))
def test_filters_are_exact_and_may_read_columns_that_are_not_returned(
    number: int, store: Store, network: Network
) -> None:
    whole = ds.dataset(network.wide["daily"].to_arrow())
    data = store.dataset()
    columns = ["station", "rel_hum_avg", "date"]
    expected = whole.to_table(columns=columns, filter=FILTERS[number])
    got = data.to_table(columns=columns, filter=FILTERS[number])
    assert _sorted(got, "daily").equals(_sorted(expected, "daily"))
    assert data.count_rows(filter=FILTERS[number]) == expected.num_rows


def test_a_scanner_of_pyarrows_own_reads_it(network: Network) -> None:
    """In a process of its own: a dataset that is none ends the interpreter here."""
    code = (
        "import cimis, pyarrow.dataset as ds\n"
        f"store = cimis.open({str(network.root)!r})\n"
        "rows = ds.Scanner.from_dataset(store.dataset()).count_rows()\n"
        "both = ds.UnionDataset(store.dataset().schema, [store.dataset(), store.dataset()])\n"
        "print(rows, ds.Scanner.from_dataset(both).count_rows())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    rows = network.tables["daily"].num_rows
    assert done.stdout == f"{rows} {2 * rows}\n"


def test_an_acero_plan_scans_it(store: Store) -> None:
    data = store.dataset()
    plan = acero.Declaration.from_sequence(
        [
            acero.Declaration("scan", acero.ScanNodeOptions(data, filter=F("station") == 5)),
            acero.Declaration("filter", acero.FilterNodeOptions(F("station") == 5)),
            acero.Declaration("project", acero.ProjectNodeOptions([F("station")], ["station"])),
        ]
    )
    assert plan.to_table().num_rows == data.count_rows(filter=F("station") == 5)


def test_it_pickles_and_joins(store: Store) -> None:
    data = pickle.loads(pickle.dumps(store.dataset("daily")))
    some = data.filter(F("station") == 5).filter(F("date") < dt.date(2020, 2, 1))
    assert some.count_rows() == 31
    right = ds.dataset(pa.table({"station": pa.array([5], pa.uint16()), "name": ["Shafter"]}))
    assert some.join(right, "station").to_table().column("name").to_pylist() == ["Shafter"] * 31
    assert some.sort_by([("date", "descending")]).head(1).column("date").to_pylist() == [
        dt.date(2020, 1, 31)
    ]
    assert len(list(data.get_fragments())) == 2


def test_duckdb_and_polars_scan_it(store: Store, network: Network) -> None:
    data = store.dataset("daily")
    rows = network.tables["daily"].num_rows
    with duckdb.connect() as connection:
        connection.register("d", data)
        assert connection.execute("select count(*) from d").fetchall() == [(rows,)]
    assert pl.scan_pyarrow_dataset(data).select(pl.len()).collect().item() == rows


def test_a_policy_has_files_of_its_own(store: Store) -> None:
    data = store.dataset("daily", qc="strict")
    assert data.count_rows(filter=F("asce_eto").is_valid() & F("asce_eto_qc").is_valid()) == 0
    kept = store.dataset("daily")
    assert kept.count_rows(filter=F("asce_eto").is_valid() & F("asce_eto_qc").is_valid()) > 0


def test_the_nightly_change_writes_the_open_year_only(tmp_path: Path) -> None:
    put(tmp_path, [year_table(Scope.DAILY, 2, year) for year in (2020, 2021, 2022)])
    with open_store(tmp_path) as store:
        before = set(store.dataset().files)
        put(tmp_path, [year_table(Scope.DAILY, 2, 2022, seed=1)])
        after = store.dataset()
        assert [Path(f).name.startswith("daily-closed") for f in sorted(before)] == [True, False]
        assert len(before & set(after.files)) == 1
        expected = year_table(Scope.DAILY, 2, 2022, seed=1)["precip"].to_pylist()
        found = after.to_table(filter=pc.year(F("date")) == 2022)["precip"].to_pylist()
        assert found == expected


def test_what_was_made_before_a_change_can_still_be_read(tmp_path: Path) -> None:
    put(tmp_path, [year_table(Scope.DAILY, 2, 2022)])
    with open_store(tmp_path) as store:
        lazy, data = store.scan_daily(), store.dataset()
        put(tmp_path, [year_table(Scope.DAILY, 5, 2022)])
        assert store.scan_daily().collect()["station"].n_unique() == 2
        assert lazy.collect()["station"].unique().to_list() == [2]
        assert data.to_table()["station"].unique().to_pylist() == [2]


def test_a_lazy_frame_outlives_the_read_cache(tmp_path: Path) -> None:
    put(tmp_path, [year_table(Scope.DAILY, 2, 2022)])
    with open_store(tmp_path) as store:
        lazy = store.scan_daily()
        store.clear_cache()
        assert lazy.collect()["station"].unique().to_list() == [2]
        assert store.scan_daily().collect().height == lazy.collect().height


def test_an_empty_store_answers_with_its_schema(tmp_path: Path) -> None:
    put(tmp_path, [])
    with open_store(tmp_path) as store:
        assert store.sql("SELECT asce_eto, precip_qc FROM daily").columns == [
            "asce_eto",
            "precip_qc",
        ]
        assert store.daily().height == store.hourly().height == 0
        assert "air_tmp_avg" in store.scan_daily().collect().columns
        assert store.dataset("hourly").to_table().num_rows == 0
        assert store.sql("SELECT count(*) FROM stations").fetchall() == [(0,)]
        assert store.sql("SELECT count(*) FROM chunks").fetchall() == [(0,)]
        assert store.chunks().height == store.stations().height == 0
