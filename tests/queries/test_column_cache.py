"""The column cache answers as the chunks do, follows them, and is never trusted blindly."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cimis.store import Store, open_store
from pipeline.errors import ChunkError, StoreError
from pipeline.items import Scope
from queries.columns import ColumnCache, folder_of
from queries.compact import compact, discard
from queries.timing import QueryTimings
from tests.queries.conftest import put, year_table

QUESTIONS = [
    "SELECT * FROM daily",
    "SELECT station, month(date), round(avg(asce_eto), 6), count(*) FROM daily GROUP BY ALL",
    "SELECT date, asce_eto, asce_eto_qc FROM daily WHERE station = 5 AND date > '2021-12-01'",
    "SELECT * FROM daily WHERE asce_eto > 22 AND asce_eto_qc IS NULL",
    "SELECT count(*), count(precip), count(precip_qc) FROM daily WHERE year(date) = 2021",
    "SELECT * FROM hourly WHERE hour = 24",
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    few = "asce_eto,air_tmp_avg"
    daily = [year_table(Scope.DAILY, s, y) for s in (2, 5, 131) for y in (2020, 2021)]
    put(tmp_path, daily)
    put(tmp_path, [year_table(Scope.DAILY, 5, 2022, items=few)])
    put(tmp_path, [year_table(Scope.DAILY, 2, 2022, items=few)], form="v1")
    put(tmp_path, [year_table(Scope.HOURLY, 2, 2021)])
    return tmp_path


def _answers(store: Store) -> list[list[str]]:
    return [sorted(map(repr, store.sql(question).fetchall())) for question in QUESTIONS]


def _opened(store: Store, text: str = "SELECT sum(asce_eto) FROM daily") -> int:
    timings = QueryTimings()
    store.sql(text, timings=timings).fetchall()
    return timings.files_opened


def test_answers_are_the_same_and_no_chunk_is_opened(root: Path) -> None:
    with open_store(root) as store:
        before = _answers(store)
        frames = store.daily(), store.scan_hourly().collect()
        done = compact(root, Scope.DAILY)
        assert (done.chunks, done.decoded, done.left_out) == (8, 8, 0)
        assert done.rows == frames[0].height
        assert compact(root, Scope.HOURLY).chunks == 1
        assert _answers(store) == before
        assert store.daily().equals(frames[0])
        assert store.scan_hourly().collect().equals(frames[1])
        assert _opened(store) == 0


def test_a_rewritten_chunk_is_read_from_its_file_until_the_next_build(root: Path) -> None:
    compact(root, Scope.DAILY)
    with open_store(root) as store:
        put(root, [year_table(Scope.DAILY, 5, 2021, seed=9)])
        expected = year_table(Scope.DAILY, 5, 2021, seed=9)["asce_eto"].to_pylist()
        got = store.daily(stations=5, start="2021", end="2021")
        assert got["asce_eto"].to_list() == expected
        assert _opened(store) == 1
        done = compact(root, Scope.DAILY)
        assert (done.chunks, done.decoded) == (8, 1)
        assert _opened(store) == 0
        assert store.daily(stations=5, start="2021", end="2021").equals(got)


def test_a_new_build_leaves_one_generation_and_open_readers_go_on(root: Path) -> None:
    compact(root, Scope.DAILY)
    with open_store(root) as store:
        stream = store.query("daily").batches()
        first = next(stream)
        put(root, [year_table(Scope.DAILY, 131, 2021, seed=3)])
        compact(root, Scope.DAILY)
        rest = sum(batch.num_rows for batch in stream)
        assert first.num_rows + rest == store.daily().height
    assert len([p for p in folder_of(root, Scope.DAILY).iterdir() if p.is_dir()]) == 1


def test_values_that_need_wider_integers_or_more_decimals_survive(tmp_path: Path) -> None:
    tables = [year_table(Scope.DAILY, s, 2021, items="asce_eto") for s in (1, 2, 3)]
    for place, value in ((1, 123_456.78), (2, 0.12345)):
        column = tables[place]["asce_eto"].to_pylist()
        column[7] = value
        at = tables[place].schema.get_field_index("asce_eto")
        field = tables[place].schema.field(at)
        tables[place] = tables[place].set_column(at, field, [column])
    put(tmp_path, tables)
    with open_store(tmp_path) as store:
        before = store.daily()
        compact(tmp_path, Scope.DAILY)
        assert store.daily().equals(before)
        assert {123_456.78, 0.12345} <= set(before["asce_eto"].to_list())
        cache = ColumnCache.open(tmp_path, Scope.DAILY)
        assert cache is not None
        assert cache.columns["asce_eto"].type in ("<i4", "<i8")


def test_damage_is_found_before_it_is_an_answer(root: Path) -> None:
    compact(root, Scope.DAILY)
    (folder,) = [p for p in folder_of(root, Scope.DAILY).iterdir() if p.is_dir()]
    file = folder / "asce_eto"
    sound = file.read_bytes()
    for bad in (sound[:-2], sound[:99] + bytes([sound[99] ^ 1]) + sound[100:]):
        file.write_bytes(bad)
        with open_store(root) as store, pytest.raises(StoreError, match="column cache") as caught:
            store.sql("SELECT sum(asce_eto) FROM daily").fetchall()
        assert "compact" in str(caught.value.hint)
    (folder.parent / "current.json").write_text(json.dumps({"version": 99}))
    with open_store(root) as store:
        assert _opened(store) == 8


def test_a_damaged_chunk_stops_a_build_and_leaves_the_former(root: Path) -> None:
    compact(root, Scope.DAILY)
    before = (folder_of(root, Scope.DAILY) / "current.json").read_bytes()
    put(root, [year_table(Scope.DAILY, 5, 2020, seed=4)])
    path = root / "stations" / "005" / "2020_daily.zst"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ChunkError, match="005/2020_daily"):
        compact(root, Scope.DAILY)
    folder = folder_of(root, Scope.DAILY)
    assert (folder / "current.json").read_bytes() == before
    assert len([p for p in folder.iterdir() if p.is_dir()]) == 1


def test_a_chunk_of_doubles_is_left_out_and_still_answers(tmp_path: Path) -> None:
    table = year_table(Scope.DAILY, 1, 2021, items="asce_eto")
    at = table.schema.get_field_index("asce_eto")
    odd = np.random.default_rng(1).normal(5, 1, table.num_rows).tolist()
    put(tmp_path, [table.set_column(at, table.schema.field(at), [odd])])
    put(tmp_path, [year_table(Scope.DAILY, 2, 2021, items="asce_eto")])
    done = compact(tmp_path, Scope.DAILY)
    assert (done.chunks, done.left_out) == (1, 1)
    with open_store(tmp_path) as store:
        assert store.daily(stations=1)["asce_eto"].to_list() == odd
        assert _opened(store) == 1


def test_it_can_be_deleted_at_any_time(root: Path) -> None:
    compact(root, Scope.DAILY)
    with open_store(root) as store:
        before = store.daily()
        assert discard(root) > 0
        assert discard(root) == 0
        assert store.daily().equals(before)
        assert _opened(store) == 8
