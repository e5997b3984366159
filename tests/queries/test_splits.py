"""Splits hold what is stored once, read by themselves in other processes, and never mix moments."""

from __future__ import annotations

import datetime as dt
import pickle
import subprocess
import sys
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import cimis
from cimis.pipeline.errors import ChunkError, StoreError, UsageError
from cimis.pipeline.field.items import Scope
from cimis.queries.splits.split import Split
from cimis.store import Store, open_store
from tests.queries.conftest import Network, put, year_table

F = pc.field


def _all(splits: list[Split], columns: list[str] | None = None) -> pl.DataFrame:
    made = pl.from_arrow(pa.concat_tables(split.table(columns) for split in splits))
    assert isinstance(made, pl.DataFrame)
    return made


def _parts(splits: list[Split]) -> int:
    return sum(len(split.parts) for split in splits)


def _asked(store: Store, where: str, qc: str) -> pl.DataFrame:
    names = "station, date, asce_eto, precip, precip_qc"
    text = f"SELECT {names} FROM daily WHERE {where} ORDER BY station, date"
    found: pl.DataFrame = store.sql(text, qc=qc).pl()
    return found


@pytest.mark.parametrize("scope", ["daily", "hourly"])
def test_splits_hold_every_row_once_and_in_order(network: Network, scope: str) -> None:
    due = network.wide[scope].drop("reference_eto", "reference_eto_source")
    with open_store(network.root) as store:
        splits = store.splits(scope, target_rows=1000)
        got = _all(splits)
    assert len(splits) > 3
    assert got.select(due.columns).cast(due.schema).equals(due)


@pytest.mark.parametrize("qc", ["keep", "drop-severe", "strict"])
@pytest.mark.parametrize(
    ("meets", "where"),
    [
        (F("station") == 5, "station = 5"),
        (F("station").isin([2, 80]) & (F("date") > dt.date(2021, 12, 30)),
         "station IN (2, 80) AND date > '2021-12-30'"),
        (F("asce_eto") > 24, "asce_eto > 24"),
        (F("precip").is_null(), "precip IS NULL"),
        (F("precip_qc") == "R", "precip_qc = 'R'"),
        (~F("asce_eto").is_null() & (F("asce_eto") <= 0), "asce_eto <= 0"),
        ((F("station") == 7) | (F("asce_eto") > 24), "station = 7 OR asce_eto > 24"),
        (F("eto") > 1, "eto > 1"),
        (pc.month(F("date")) == 2, "month(date) = 2"),
    ],
    ids=str,
)  # fmt: skip
def test_a_filter_gives_the_rows_that_sql_gives(
    store: Store, meets: pc.Expression, where: str, qc: str
) -> None:
    due = _asked(store, where, qc)
    splits = store.splits("daily", filter=meets, qc=qc, target_rows=700)
    if not splits:
        assert due.is_empty()
        return
    got = _all(splits, due.columns)
    assert got.equals(due.cast(got.schema))


def test_a_filter_leaves_out_the_chunks_that_cannot_meet_it(store: Store) -> None:
    whole = _parts(store.splits("daily"))
    one = store.splits("daily", filter=(F("station") == 5) & (F("date") < dt.date(2020, 2, 1)))
    assert 0 < _parts(one) < whole
    assert all(part.station == 5 and part.year <= 2020 for split in one for part in split.parts)
    assert store.splits("daily", filter=F("eto") > 1) == []
    assert store.splits("daily", filter=F("station") == 4000) == []


def test_bounds_of_values_rule_chunks_out(tmp_path: Path) -> None:
    tables = []
    for number, most in ((1, 5.0), (2, 9.0)):
        year = year_table(Scope.DAILY, number, 2023, items="asce_eto")
        values = pa.array([most] + [1.0] * (year.num_rows - 1))
        place = year.schema.get_field_index("asce_eto")
        tables.append(year.set_column(place, year.schema.field(place), values))
    put(tmp_path, tables)
    with open_store(tmp_path) as store:
        found = store.splits("daily", filter=F("asce_eto") > 6)
        assert [split.stations for split in found] == [(2,)]
        # a value that a policy takes away is null, which no bound tells
        assert _parts(store.splits("daily", filter=F("asce_eto").is_null(), qc="strict")) == 2


def test_a_split_is_small_pickles_and_tells_what_it_holds(store: Store) -> None:
    splits = store.splits("hourly", target_rows=20_000)
    for split in splits:
        data = pickle.dumps(split)
        assert len(data) < 20_000
        again = pickle.loads(data)
        assert again.parts == split.parts
        table = split.table(["station", "date"])
        assert split.rows == table.num_rows
        assert set(table["station"].to_pylist()) == set(split.stations)
        first, last = split.days
        assert first <= min(table["date"].to_pylist()) <= max(table["date"].to_pylist()) <= last
        assert split.bytes > 0
        told = f"<Split: {split.rows:,} hourly rows of {len(split.parts):,} chunks, "
        assert repr(split).startswith(told)


def test_another_process_reads_it_without_the_catalog(network: Network, tmp_path: Path) -> None:
    import shutil

    root = tmp_path / "store"
    shutil.copytree(network.root, root, ignore=shutil.ignore_patterns(".cache"))
    with open_store(root) as store:
        split = store.splits("daily", filter=F("station") == 5)[0]
        due = split.table(["date", "asce_eto"])
    (root / "metadata.sqlite3").unlink()
    (tmp_path / "split").write_bytes(pickle.dumps(split))
    code = (
        "import pickle, sys; split = pickle.load(open(sys.argv[1], 'rb')); "
        "table = split.table(['date', 'asce_eto']); "
        "import pyarrow.parquet as pq; pq.write_table(table, sys.argv[2])"
    )
    subprocess.run(
        [sys.executable, "-c", code, tmp_path / "split", tmp_path / "rows.parquet"],
        check=True,
        cwd=Path(cimis.__file__).parents[1],
    )
    import pyarrow.parquet as pq

    assert pq.read_table(tmp_path / "rows.parquet").equals(due)


def test_rows_have_plain_types(store: Store) -> None:
    for scope in ("daily", "hourly"):
        schema = store.splits(scope)[0].table().schema
        allowed = (pa.int32(), pa.float64(), pa.string(), pa.date32(), pa.timestamp("us"))
        assert {field.type for field in schema} <= set(allowed)


def test_only_columns_asked_for_come_in_the_order_asked_for(store: Store) -> None:
    split = store.splits("daily", filter=F("air_tmp_avg") > 10)[0]
    table = split.table(["asce_eto", "station"])
    assert table.column_names == ["asce_eto", "station"]
    assert split.table([]).num_columns == 0


def test_a_chunk_written_anew_ends_the_split_that_was_made_before(tmp_path: Path) -> None:
    put(tmp_path, [year_table(Scope.DAILY, 5, 2023)])
    with open_store(tmp_path) as store:
        split = store.splits("daily")[0]
        put(tmp_path, [year_table(Scope.DAILY, 5, 2023, seed=1)])
        with pytest.raises(StoreError, match=r"005/2023_daily\.zst was written anew"):
            split.table()
        assert store.splits("daily")[0].table().num_rows > 0


def test_a_damaged_chunk_is_named(tmp_path: Path) -> None:
    put(tmp_path, [year_table(Scope.DAILY, 5, 2023), year_table(Scope.DAILY, 6, 2023)])
    path = tmp_path / "stations/006/2023_daily.zst"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with open_store(tmp_path) as store, pytest.raises(ChunkError, match="006"):
        store.splits("daily")[0].table()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"filter": F("rain") > 1}, "filter cannot be asked"),
        ({"filter": F("date") == "2020-01-01"}, "filter cannot be asked"),
        ({"target_rows": 0}, "splits of 0 rows"),
        ({"qc": "loose"}, "unknown flag policy"),
        ({"scope": "weekly"}, "unknown scope"),
    ],
)
def test_what_cannot_be_meant_is_refused(store: Store, asked: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        store.splits(**asked)  # type: ignore[arg-type]


def test_an_unknown_column_is_refused(store: Store) -> None:
    with pytest.raises(UsageError, match="no column 'rain'"):
        store.splits("daily")[0].table(["rain"])
