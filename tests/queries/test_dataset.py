"""The dataset behaves as pyarrow's own do, and opens no file that cannot hold an answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pytest

from cimis.store import Store, open_store
from pipeline.errors import ChunkError, UsageError
from pipeline.items import Scope
from queries.timing import QueryTimings
from tests.queries.conftest import Network, put, year_table

F = pc.field


def test_all_rows_and_schema_come_in_station_and_time_order(store: Store, network: Network) -> None:
    for scope, table in network.tables.items():
        got = store.dataset(scope).to_table()
        assert got.schema.names == table.schema.names
        assert got.schema.field("station").type == pa.uint16()
        assert got.to_pylist() == table.to_pylist()
        got.validate(full=True)


def test_units_and_decimals_stand_in_the_metadata(store: Store) -> None:
    field = store.dataset("daily").schema.field("asce_eto")
    assert field.metadata == {b"item": b"day-asce-eto", b"decimals": b"2", b"unit": b"(mm)"}
    assert store.dataset("hourly").schema.metadata[b"time_base"].startswith(b"PST")


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
]


@pytest.mark.parametrize("number", range(len(FILTERS)))
def test_filters_are_exact_and_may_read_columns_that_are_not_returned(
    number: int, store: Store, network: Network
) -> None:
    whole = ds.dataset(network.tables["daily"])
    data = store.dataset()
    expected = whole.to_table(columns=["rel_hum_avg", "date"], filter=FILTERS[number])
    got = data.to_table(columns=["rel_hum_avg", "date"], filter=FILTERS[number])
    assert got.to_pylist() == expected.to_pylist()
    assert data.count_rows(filter=FILTERS[number]) == expected.num_rows


def test_a_dataset_can_be_read_again_and_again(store: Store) -> None:
    data = store.dataset("daily")
    scanner = data.scanner(columns=["date"])
    assert scanner.to_table() == scanner.to_table() == data.to_table(columns=["date"])
    assert scanner.to_reader().read_all().num_rows == data.count_rows()


def test_the_other_methods_of_a_dataset_work(store: Store) -> None:
    data = store.dataset("daily")
    some = data.filter(F("station") == 5).filter(F("date") < dt.date(2020, 2, 1))
    assert some.count_rows() == 31
    assert some.head(3).num_rows == 3
    assert some.take([30, 0]).column("date").to_pylist() == [
        dt.date(2020, 1, 31),
        dt.date(2020, 1, 1),
    ]
    assert some.sort_by([("date", "descending")]).head(1).column("date").to_pylist() == [
        dt.date(2020, 1, 31)
    ]
    right = ds.dataset(pa.table({"station": pa.array([5], pa.uint16()), "name": ["Shafter"]}))
    assert some.join(right, "station").to_table().column("name").to_pylist() == ["Shafter"] * 31
    computed = some.to_table(columns={"twice": F("asce_eto") * 2})
    assert computed.schema.names == ["twice"]
    assert sum(b.num_rows for b in some.to_batches(batch_size=10)) == 31
    with pytest.raises(UsageError, match="no column 'nope'"):
        data.to_table(columns=["nope"])
    refused: list[Callable[[], Any]] = [
        data.get_fragments,
        lambda: data.replace_schema(pa.schema([])),
        data.__reduce__,
    ]
    for call in refused:
        with pytest.raises(UsageError):
            call()


def test_the_first_batch_is_small_so_that_a_limit_reads_little(store: Store) -> None:
    timings = QueryTimings()
    data = store.dataset("daily", timings=timings)
    assert data.head(1, columns=["asce_eto"]).num_rows == 1
    assert timings.chunks_read < len(store.chunks()) / 2


def _asked(store: Store, text: str) -> QueryTimings:
    timings = QueryTimings()
    store.sql(text, timings=timings).fetchall()
    return timings


def test_a_week_of_a_station_opens_one_file_and_decodes_two_columns(store: Store) -> None:
    got = _asked(
        store,
        "SELECT asce_eto, air_tmp_avg FROM daily WHERE station = 80 "
        "AND date BETWEEN '2021-06-01' AND '2021-06-07'",
    )
    assert (got.files_opened, got.chunks_read, got.blocks_read) == (1, 1, 1)
    assert got.chunks_skipped == got.chunks_considered - 1
    assert got.columns_read == 2


def test_a_day_of_an_hourly_year_reads_one_block(store: Store) -> None:
    got = _asked(store, "SELECT air_tmp FROM hourly WHERE station = 80 AND date = '2021-06-01'")
    assert (got.files_opened, got.blocks_read) == (1, 1)
    assert got.blocks_skipped > 2
    size = (store.root / "stations/080/2021_hourly.zst").stat().st_size
    assert got.bytes_read < size


@pytest.mark.parametrize(
    "where",
    [
        "date > '2031-01-01'",
        "station = 9",
        "year(date) = 1999",
        "asce_eto < -500",
        "asce_eto = 1000",
        "station = 2 AND date < '2020-01-01'",
        "asce_eto IN (900, 901)",
    ],
)
def test_a_question_outside_what_is_stored_opens_no_file(where: str, store: Store) -> None:
    got = _asked(store, f"SELECT * FROM daily WHERE {where}")
    assert (got.files_opened, got.chunks_read, got.rows_decoded) == (0, 0, 0)
    assert got.chunks_skipped == got.chunks_considered > 0


def test_counting_all_rows_opens_no_file(store: Store, network: Network) -> None:
    timings = QueryTimings()
    data = store.dataset("daily", timings=timings)
    assert data.count_rows() == network.tables["daily"].num_rows
    assert timings.files_opened == 0


def test_a_damaged_chunk_is_named_and_other_questions_go_on(tmp_path: Path) -> None:
    put(tmp_path, [year_table(Scope.DAILY, s, 2021) for s in (2, 5)])
    path = tmp_path / "stations" / "005" / "2021_daily.zst"
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)
    with open_store(tmp_path) as store:
        asks: list[Callable[[], Any]] = [
            lambda: store.sql("SELECT * FROM daily").fetchall(),
            lambda: store.scan_daily().collect(),
            lambda: store.daily(stations=5),
            lambda: store.dataset().to_table(),
        ]
        for ask in asks:
            with pytest.raises(ChunkError, match=r"005/2021_daily\.zst") as caught:
                ask()
            assert caught.value.path == str(path)
        assert store.daily(stations=2).height > 300
        path.unlink()
        with pytest.raises(ChunkError, match="not on disk"):
            store.sql("SELECT sum(asce_eto) FROM daily").fetchall()


def test_an_open_store_sees_what_is_stored_later(tmp_path: Path) -> None:
    put(tmp_path, [year_table(Scope.DAILY, 2, 2021)])
    with open_store(tmp_path) as store:
        assert store.sql("SELECT count(DISTINCT station) FROM daily").fetchall() == [(1,)]
        put(tmp_path, [year_table(Scope.DAILY, 5, 2021), year_table(Scope.DAILY, 2, 2021, seed=1)])
        assert store.sql("SELECT count(DISTINCT station) FROM daily").fetchall() == [(2,)]
        expected = year_table(Scope.DAILY, 2, 2021, seed=1)["asce_eto"].to_pylist()
        assert store.daily(stations=2)["asce_eto"].to_list() == expected


def test_an_empty_store_answers_with_its_schema(tmp_path: Path) -> None:
    put(tmp_path, [])
    with open_store(tmp_path) as store:
        assert store.sql("SELECT asce_eto, precip_qc FROM daily").columns == [
            "asce_eto",
            "precip_qc",
        ]
        assert store.daily().height == store.hourly().height == 0
        assert "air_tmp_avg" in store.scan_daily().collect().columns
        assert store.sql("SELECT count(*) FROM stations").fetchall() == [(0,)]
        assert store.sql("SELECT count(*) FROM chunks").fetchall() == [(0,)]
        assert store.chunks().height == store.stations().height == 0
