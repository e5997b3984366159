"""The mirror keeps itself: never stale, torn or short, and of no matter when it is gone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.chunks import ChunkKey, read_chunk
from cimis.pipeline.field.items import Scope
from cimis.queries.mirror import fill
from cimis.queries.native import straight
from cimis.queries.timing import QueryTimings
from cimis.store import Store, open_store
from tests.queries.conftest import put, year_table

YEARS = (2018, 2019, 2020, 2021, 2022)
SUM = "SELECT count(*), round(sum(asce_eto), 4), round(sum(precip), 4) FROM daily"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three stations, five years each, and some hours."""
    put(tmp_path / "d", [year_table(Scope.DAILY, s, y) for s in (2, 5, 80) for y in YEARS])
    put(tmp_path / "d", [year_table(Scope.HOURLY, 2, 2022)])
    return tmp_path / "d"


def _truth(root: Path) -> tuple[Any, ...]:
    """Return what `SUM` asks, by reading every chunk whole."""
    tables = [read_chunk(path) for path in root.glob("stations/*/*_daily.zst")]
    sums = [
        round(sum(v for t in tables if name in t.schema.names for v in t[name].to_pylist() if v), 4)
        for name in ("asce_eto", "precip")
    ]
    return (sum(t.num_rows for t in tables), *sums)


def _mirrors(root: Path, scope: str = "daily") -> list[Path]:
    return sorted((root / ".cache").glob(f"{scope}-*.duckdb"))


def _asked(root: Path, text: str = SUM, **how: Any) -> tuple[Any, ...]:
    with open_store(root, **how) as store:
        (row,) = store.sql(text).fetchall()
        return tuple(row)


def test_the_first_question_makes_the_mirror_of_the_scope_that_it_names(root: Path) -> None:
    assert _asked(root) == _truth(root)
    assert len(_mirrors(root)) == 1
    assert not _mirrors(root, "hourly")


def test_a_change_of_the_other_scope_makes_nothing_anew(root: Path) -> None:
    _asked(root)
    before = _mirrors(root)
    put(root, [year_table(Scope.HOURLY, 5, 2022)])
    assert _asked(root) == _truth(root)
    assert _mirrors(root) == before


def test_an_open_store_sees_what_is_stored_later(root: Path) -> None:
    with open_store(root) as store:
        assert store.sql(SUM).fetchall() == [_truth(root)]
        put(root, [year_table(Scope.DAILY, 7, 2021), year_table(Scope.DAILY, 2, 2021, seed=1)])
        assert store.sql(SUM).fetchall() == [_truth(root)]
        expected = year_table(Scope.DAILY, 2, 2021, seed=1)["asce_eto"].to_pylist()
        assert store.daily(stations=2, start="2021", end="2021")["asce_eto"].to_list() == expected
    assert len(_mirrors(root)) == 1


def test_a_change_reads_the_changed_chunks_only(root: Path) -> None:
    with open_store(root) as store:
        store.refresh()
        put(root, [year_table(Scope.DAILY, 2, 2022, seed=3)])
        daily = store.refresh()[0]
        assert (daily.decoded, daily.chunks, daily.anew) == (1, 15, False)
        assert store.sql(SUM).fetchall() == [_truth(root)]


def test_a_chunk_that_is_gone_takes_its_rows_with_it(root: Path) -> None:
    with open_store(root) as store:
        store.refresh()
        path = ChunkKey(Scope.DAILY, 2021, station=5)
        path.path(root).unlink()
        with Catalog(root) as catalog:
            catalog.remove_chunks([str(path.relative_path())])
        assert store.sql(SUM).fetchall() == [_truth(root)]


def test_it_is_written_anew_once_replacing_has_worn_it(root: Path) -> None:
    with open_store(root) as store:
        store.refresh()
        anew = []
        for seed in range(1, 8):
            put(root, [year_table(Scope.DAILY, 2, 2020, seed=seed)])
            anew.append(store.refresh()[0].anew)
            assert store.sql(SUM).fetchall() == [_truth(root)]
    assert 1 <= sum(anew) < len(anew)


def test_the_open_year_may_be_replaced_every_night_without_wear(root: Path) -> None:
    """Its rows lie at the end, and are there again: neither is it made anew nor does it grow."""
    with open_store(root) as store:
        store.refresh()
        sizes = []
        for seed in range(1, 13):
            put(root, [year_table(Scope.DAILY, 2, YEARS[-1], seed=seed)])
            done = store.refresh()[0]
            assert (done.anew, done.decoded) == (False, 1)
            sizes.append(done.bytes)
            assert store.sql(SUM).fetchall() == [_truth(root)]
    assert sizes[-1] <= 1.2 * sizes[1]


def test_a_new_year_lies_behind_the_one_that_was_open(root: Path) -> None:
    """Which is out of order then, and counts as wear."""
    with open_store(root) as store:
        store.refresh()
        anew = []
        for year in range(YEARS[-1] + 1, YEARS[-1] + 5):
            put(root, [year_table(Scope.DAILY, 2, year)])
            anew.append(store.refresh()[0].anew)
            assert store.sql(SUM).fetchall() == [_truth(root)]
    assert any(anew)


def _lie(root: Path) -> list[tuple[int, int]]:
    """Return station and year of the daily mirror's rows, as they lie in its file."""
    with duckdb.connect(_mirrors(root)[0], read_only=True) as mirror:
        text = "SELECT DISTINCT ON (station, y) station, year(date) AS y, rowid FROM daily"
        return mirror.sql(f"SELECT station, y FROM ({text}) ORDER BY rowid").fetchall()


def test_rows_lie_by_station_and_what_may_change_behind_them(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where pieces are inserted at once."""
    monkeypatch.setattr(fill, "_ROW_GROUP", 500)
    _asked(root)
    closed = [(station, year) for station in (2, 5, 80) for year in YEARS[:-1]]
    assert _lie(root) == closed + [(station, YEARS[-1]) for station in (2, 5, 80)]


def test_closed_years_and_the_open_one_share_no_row_group(tmp_path: Path) -> None:
    """A question of one of them reads nothing of the other; small stores have one row group."""
    years = range(2013, 2023)
    put(tmp_path, [year_table(Scope.HOURLY, s, y) for s in (2, 5) for y in years])
    _asked(tmp_path, "SELECT count(*) FROM hourly")
    with duckdb.connect(_mirrors(tmp_path, "hourly")[0], read_only=True) as mirror:
        *_, last = mirror.sql(
            "SELECT row_group_id, sum(count) FROM pragma_storage_info('hourly') "
            "WHERE column_name = 'date' AND segment_type = 'DATE' GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        late = mirror.sql(f"SELECT count(*) FROM hourly WHERE year(date) = {years[-1]}").fetchall()
    assert last[1] == late[0][0]


def test_it_may_be_deleted_while_a_store_is_open(root: Path) -> None:
    with open_store(root) as store:
        expected = store.sql(SUM).fetchall()
        shutil.rmtree(root / ".cache")
        assert store.sql(SUM).fetchall() == expected
        assert store.scan_daily().collect().height == expected[0][0]
        assert store.clear_cache() > 0
        assert store.sql(SUM).fetchall() == expected
        assert store.dataset().count_rows() == expected[0][0]


@pytest.mark.parametrize("kept", [0, 1, 100, 4096, 5000, 12_288, 0.5, 0.99])
def test_a_cut_mirror_is_made_again(kept: float, root: Path) -> None:
    expected = _asked(root)
    (mirror,) = _mirrors(root)
    data = mirror.read_bytes()
    mirror.write_bytes(data[: int(kept if kept >= 1 or not kept else kept * len(data))])
    assert _asked(root) == expected
    assert _asked(root, "SELECT count(*) FROM daily")[0] == expected[0]


@pytest.mark.parametrize("seed", range(24))
def test_a_damaged_mirror_gives_no_wrong_answer(seed: int, root: Path) -> None:
    import random

    text = (
        "SELECT count(*), round(sum(asce_eto), 4), round(sum(precip), 4), "
        "round(sum(air_tmp_avg), 3), count(asce_eto_qc), max(date) FROM daily"
    )
    expected = _asked(root, text)
    (mirror,) = _mirrors(root)
    rng = random.Random(seed)
    data = bytearray(mirror.read_bytes())
    for _ in range(rng.choice([1, 3, 200])):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    mirror.write_bytes(data)
    assert _asked(root, text) == expected


def test_a_bound_of_nothing_keeps_nothing(root: Path) -> None:
    timings = QueryTimings()
    with open_store(root, cache=0) as store:
        assert store.sql(SUM, timings=timings).fetchall() == [_truth(root)]
        assert store.query(stations=2, start="2021", end="2021").table().num_rows > 300
        assert store.scan_daily().collect().height == _truth(root)[0]
    assert timings.chunks_read == 15
    assert not (root / ".cache").exists()


def test_a_bound_that_is_too_small_keeps_nothing(root: Path) -> None:
    assert _asked(root, cache="1kB") == _truth(root)
    assert not _mirrors(root)


def test_a_question_that_names_few_chunks_reads_those_without_a_mirror(root: Path) -> None:
    with open_store(root, cache=0) as store:
        rows = store.query(stations=2, start="2021-06-01", end="2021-06-07", items="asce_eto")
        assert rows.table().num_rows == 7
        assert (rows.timings.chunks_read, rows.timings.chunks_skipped) == (1, 14)


def test_it_lies_elsewhere_where_that_is_asked(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIMIS_CACHE_DIR", str(tmp_path / "elsewhere"))
    assert _asked(root) == _truth(root)
    assert list((tmp_path / "elsewhere").glob("*/daily-*.duckdb"))
    assert not (root / ".cache").exists()


@pytest.fixture
def damaged(root: Path) -> tuple[Path, bytes]:
    """One chunk of which a bit is flipped, and its sound bytes."""
    path = ChunkKey(Scope.DAILY, 2021, station=5).path(root)
    sound = path.read_bytes()
    bad = bytearray(sound)
    bad[len(bad) // 3] ^= 1
    path.write_bytes(bad)
    return path, sound


def test_a_damaged_chunk_stops_nothing_and_is_named_by_the_answers_that_lack_it(
    root: Path, damaged: tuple[Path, bytes]
) -> None:
    with open_store(root) as store, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        answer = store.sql(SUM)
        ((rows, *_),) = answer.fetchall()
        assert [left.path for left in answer.damaged] == ["stations/005/2021_daily.zst"]
        assert rows == sum(
            year_table(Scope.DAILY, s, y).num_rows
            for s in (2, 5, 80)
            for y in YEARS
            if (s, y) != (5, 2021)
        )
        mine = store.query(stations=5)
        assert mine.table().num_rows > 0
        assert len(mine.damaged) == 1
        other = store.query(stations=[2, 80])
        assert other.table().num_rows > 0
        assert other.damaged == []


def test_a_damaged_chunk_that_is_put_right_is_read_by_the_next_question(
    root: Path, damaged: tuple[Path, bytes]
) -> None:
    path, sound = damaged
    with open_store(root) as store, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = store.sql(SUM).fetchall()
        path.write_bytes(sound)
        os.utime(path, ns=(1, 1))
        answer = store.sql(SUM)
        assert answer.fetchall() == [_truth(root)] != before
        assert answer.damaged == []


def test_leftovers_of_a_killed_refresh_are_swept(root: Path) -> None:
    (root / ".cache").mkdir()
    for name in ("daily.draft", "daily.draft.wal"):
        (root / ".cache" / name).write_bytes(b"half")
    assert _asked(root) == _truth(root)
    names = sorted(path.name.partition("-")[0] for path in (root / ".cache").iterdir())
    assert names == ["daily", "daily.lock"]


def test_an_older_mirror_that_a_killed_refresh_left_goes_with_the_next_question(root: Path) -> None:
    """Killed when the new one had its name, and the one before it was still there."""
    _asked(root)
    (older,) = _mirrors(root)
    kept = older.read_bytes()
    put(root, [year_table(Scope.DAILY, 5, 2022, seed=7)])
    _asked(root)
    older.write_bytes(kept)
    os.utime(older, ns=(0, 0))
    assert len(_mirrors(root)) == 2
    assert _asked(root) == _truth(root)
    assert older not in _mirrors(root)
    assert len(_mirrors(root)) == 1


def test_a_store_whose_folder_cannot_be_written_still_answers(root: Path) -> None:
    (root / ".cache").write_text("a file where the folder should be")
    assert _asked(root) == _truth(root)


def test_a_question_in_a_new_process_imports_nothing_that_it_does_not_use(root: Path) -> None:
    _asked(root)
    code = (
        "import sys, cimis\n"
        f"store = cimis.open({str(root)!r})\n"
        f"rows = store.sql({SUM!r}).fetchall()\n"
        "heavy = ('numpy', 'pyarrow', 'pandas', 'polars', 'duckdb', 'httpx', 'filelock', 'rich')\n"
        "print(rows, [m for m in heavy if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"[{_truth(root)!r}] []\n"


def test_duckdbs_package_serves_where_its_module_is_not_as_known(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import cimis.queries.native as native

    monkeypatch.setattr(native, "_USED_OF_CONNECTION", ("a_method_of_another_version",))
    native.native.cache_clear()
    try:
        import duckdb

        assert native.native() is duckdb
        assert _asked(root) == _truth(root)
    finally:
        native.native.cache_clear()


@pytest.mark.parametrize(
    "text",
    [
        "SELECT station, date, asce_eto, asce_eto_qc FROM daily ORDER BY 1, 2 LIMIT 9;",
        "SELECT 1 AS a, 2 AS a -- twice",
        "FROM daily SELECT count(*) WHERE false",
        "EXPLAIN SELECT 1",
        "PIVOT (SELECT 1 AS a, 2 AS b) ON a USING sum(b)",
    ],
)
def test_a_relation_gives_what_the_short_way_to_arrow_does(
    text: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_store(root) as store:
        due, batches = store.sql(text).table(), list(store.sql(text).batches())
        monkeypatch.setattr("cimis.queries.engines.run.straight", lambda *_: None)
        assert store.sql(text).table().equals(due, check_metadata=True)
        assert list(store.sql(text).batches()) == batches


class _Otherwise:
    def _submit(self, text: str) -> None:
        raise AssertionError("no call of ours fits")


@pytest.mark.parametrize("connection", [object(), _Otherwise()])
def test_another_version_of_duckdb_may_lack_the_short_way(connection: object) -> None:
    assert straight(connection, "SELECT 1", "arrow", 9) is None


def test_a_child_that_was_forked_is_refused_what_would_hang(root: Path) -> None:
    code = (
        "import os, sys, cimis\n"
        f"store = cimis.open({str(root)!r})\n"
        "store.daily(stations=2)\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    said = []\n"
        f"    fresh = cimis.open({str(root)!r})\n"
        "    asks = (lambda: store.daily(stations=2), lambda: store.sql('select 1'),\n"
        "            lambda: fresh.daily(stations=2), lambda: fresh.scan_daily())\n"
        "    for ask in asks:\n"
        "        try:\n"
        "            ask()\n"
        "        except cimis.StoreError as error:\n"
        "            said.append('forked' in str(error))\n"
        "    rows = len(fresh.sql('select station from daily where station = 2').fetchall())\n"
        "    print(said, rows > 300, flush=True)\n"
        "    os._exit(0)\n"
        "os.waitpid(child, 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout == "[True, True, True, True] True\n"


def test_cursors_of_a_connection_see_what_it_sees(store: Store) -> None:
    import polars as pl

    connection = store.connect()
    try:
        expected = store.sql("SELECT count(*) FROM daily").fetchall()
        assert connection.cursor().execute("SELECT count(*) FROM daily").fetchall() == expected
        frame = pl.read_database("SELECT station, count(*) AS n FROM daily GROUP BY 1", connection)
        assert frame["n"].sum() == expected[0][0]
        for name in ("daily", "hourly", "spatial_daily", "stations", "chunks"):
            connection.cursor().cursor().execute(f"SELECT * FROM {name} LIMIT 1").fetchall()
    finally:
        connection.close()


def test_pandas_reads_sql_by_a_connection(store: Store) -> None:
    import pandas as pd

    connection = store.connect()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pandas knows SQLAlchemy only, and says so
            found = pd.read_sql("SELECT station, count(*) AS n FROM daily GROUP BY 1", connection)
        assert found["n"].sum() == store.sql("SELECT count(*) FROM daily").fetchall()[0][0]
    finally:
        connection.close()


def test_ibis_asks_by_a_connection(store: Store) -> None:
    import duckdb
    import ibis

    try:
        plain = ibis.duckdb.from_connection(duckdb.connect())
        plain.list_tables()
    except AttributeError as error:
        pytest.skip(f"this ibis does not work with this DuckDB at all: {error}")
    connection = store.connect()
    try:
        backend = ibis.duckdb.from_connection(connection)
        assert {"daily", "hourly", "stations"} <= set(backend.list_tables())
        rows = backend.table("daily").count().execute()
        assert rows == store.sql("SELECT count(*) FROM daily").fetchall()[0][0]
    finally:
        connection.close()


def test_a_sum_over_periods_warns_of_damage_once(root: Path, damaged: tuple[Path, bytes]) -> None:
    with open_store(root) as store, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        answer = store.every("month", stations=[2, 5], start="2021", end="2021", items="precip")
        assert answer.table().num_rows == 12
        assert [path for path, _ in answer.lacks.damaged] == ["stations/005/2021_daily.zst"]
        other = store.every("month", stations=2, start="2021", end="2021", items="precip")
        assert not other.damaged
    assert [(w.category.__name__, w.filename) for w in caught] == [("IncompleteAnswer", __file__)]


def test_a_named_question_is_short_of_the_chunks_that_it_names_only(
    root: Path, damaged: tuple[Path, bytes]
) -> None:
    with open_store(root) as store, warnings.catch_warnings():
        warnings.simplefilter("error")
        assert store.named("rain-days", stations=[2, 80]).table().num_rows > 0
        with pytest.warns(UserWarning, match="005/2021_daily"):
            store.named("rain-days", stations=[2, 5])


def test_timings_tell_what_served(root: Path) -> None:
    first, second = QueryTimings(), QueryTimings()
    with open_store(root) as store:
        store.sql(SUM, timings=first).fetchall()
        store.sql(SUM, timings=second).fetchall()
    told = [(t.mirror_chunks, t.chunks_refreshed, t.chunks_read) for t in (first, second)]
    assert told == [(15, 15, 0), (15, 0, 0)]
    assert first.mirror_rows == _truth(root)[0]
    assert f"15 chunks, {first.mirror_rows:,} rows held" in first.as_text()
