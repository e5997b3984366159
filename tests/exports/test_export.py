"""An export is read back by its own library, equal; a second one writes only what changed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
import pytest

from cimis.exports.plan import STATE_FILE
from cimis.pipeline.errors import NoDataError, UsageError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.lacks import IncompleteAnswer
from cimis.store import Store, open_store
from tests.queries.conftest import Network, put, year_table

KEYS = {"daily": ["station", "date"], "hourly": ["station", "time"]}


def _parquet(folder: Path, table: str) -> pl.DataFrame:
    return pl.read_parquet(folder / table / "**/*.parquet", hive_partitioning=True)


def _duckdb(folder: Path, table: str) -> pl.DataFrame:
    with duckdb.connect(str(folder / "cimis.duckdb"), read_only=True) as connection:
        made: pl.DataFrame = connection.sql(f"SELECT *, year(date) AS year FROM {table}").pl()
    return made


def _delta(folder: Path, table: str) -> pl.DataFrame:
    deltalake = pytest.importorskip("deltalake")
    made = pl.from_arrow(deltalake.DeltaTable(str(folder / table)).to_pyarrow_table())
    assert isinstance(made, pl.DataFrame)
    return made


def _iceberg(folder: Path, table: str) -> pl.DataFrame:
    sql = pytest.importorskip("pyiceberg.catalog.sql")
    catalog = sql.SqlCatalog("cimis", uri=f"sqlite:///{folder / 'catalog.sqlite'}")
    made = pl.from_arrow(catalog.load_table(f"cimis.{table}").scan().to_arrow())
    catalog.close()
    assert isinstance(made, pl.DataFrame)
    return made


READERS: dict[str, Callable[[Path, str], pl.DataFrame]] = {
    "parquet": _parquet,
    "duckdb": _duckdb,
    "delta": _delta,
    "iceberg": _iceberg,
}
PACKAGES = {"delta": "deltalake", "iceberg": "pyiceberg.catalog.sql"}


@pytest.fixture(params=list(READERS))
def form(request: pytest.FixtureRequest) -> str:
    """Every form whose package is there."""
    name = str(request.param)
    if name in PACKAGES:
        pytest.importorskip(PACKAGES[name])
    return name


@pytest.fixture
def small(tmp_path: Path) -> Store:
    """A store of its own: two stations, two daily years each."""
    root = tmp_path / "store"
    put(root, [year_table(Scope.DAILY, s, y) for s in (2, 5) for y in (2020, 2021)])
    return open_store(root)


def _asked(store: Store, table: str, qc: str = "keep") -> pl.DataFrame:
    text = f"SELECT * EXCLUDE (reference_eto, reference_eto_source) FROM {table}"
    found: pl.DataFrame = store.sql(text, qc=qc).pl()
    return found


def _alike(got: pl.DataFrame, due: pl.DataFrame, table: str) -> bool:
    keys = KEYS[table]
    held = got.select(due.columns).cast(due.schema).sort(keys)
    return held.equals(due.sort(keys))


@pytest.mark.parametrize("table", ["daily", "hourly"])
def test_its_own_library_reads_every_row(
    network: Network, tmp_path: Path, form: str, table: str
) -> None:
    with open_store(network.root) as store:
        done = store.export(tmp_path / "out", format=form)
        due = _asked(store, table)
        every = due.height + _asked(store, {"daily": "hourly", "hourly": "daily"}[table]).height
    assert done.rows == every
    got = READERS[form](tmp_path / "out", table)
    assert _alike(got, due, table)
    assert (got["year"] == got["date"].dt.year()).all()


def test_rows_under_a_policy_lack_what_it_rejects(small: Store, tmp_path: Path, form: str) -> None:
    small.export(tmp_path / "out", format=form, qc="strict")
    assert _alike(
        READERS[form](tmp_path / "out", "daily"), _asked(small, "daily", "strict"), "daily"
    )


def test_a_second_export_writes_only_what_changed(small: Store, tmp_path: Path, form: str) -> None:
    out = tmp_path / "out"
    small.export(out, format=form)
    again = small.export(out, format=form)
    assert (again.written, again.rows) == ((), 0)
    put(small.root, [year_table(Scope.DAILY, 5, 2021, seed=9)])
    third = small.export(out, format=form)
    assert third.written == ("daily/year=2021",)
    assert third.kept == ("daily/year=2020",)
    assert _alike(READERS[form](out, "daily"), _asked(small, "daily"), "daily")


def test_files_of_years_that_stand_are_not_touched(small: Store, tmp_path: Path) -> None:
    out = tmp_path / "out"
    small.export(out)
    before = (out / "daily/year=2020/rows.parquet").stat()
    put(small.root, [year_table(Scope.DAILY, 5, 2021, seed=9)])
    small.export(out)
    after = (out / "daily/year=2020/rows.parquet").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_year_that_is_stored_no_more_goes(small: Store, tmp_path: Path, form: str) -> None:
    from cimis.pipeline.catalog.database import Catalog

    out = tmp_path / "out"
    small.export(out, format=form)
    gone = [f"stations/{number:03d}/2020_daily.zst" for number in (2, 5)]
    with Catalog(small.root) as catalog:
        catalog.remove_chunks(gone)
    done = small.export(out, format=form)
    assert done.removed == ("daily/year=2020",)
    assert set(READERS[form](out, "daily")["date"].dt.year()) == {2021}


def test_a_damaged_chunk_leaves_its_year_as_it_was(small: Store, tmp_path: Path, form: str) -> None:
    out = tmp_path / "out"
    small.export(out, format=form)
    before = READERS[form](out, "daily").sort("station", "date")
    put(small.root, [year_table(Scope.DAILY, 5, 2021, seed=9)])
    path = small.root / "stations/005/2021_daily.zst"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.warns(IncompleteAnswer):
        done = small.export(out, format=form)
    assert done.written == ()
    assert [where for where, _ in done.lacks.damaged] == ["stations/005/2021_daily.zst"]
    assert READERS[form](out, "daily").sort("station", "date").equals(before)
    put(small.root, [year_table(Scope.DAILY, 5, 2021, seed=9)])
    assert small.export(out, format=form).written == ("daily/year=2021",)


def test_a_dry_run_tells_and_writes_nothing(small: Store, tmp_path: Path) -> None:
    told = small.export(tmp_path / "out", dry_run=True)
    assert told.written == ("daily/year=2020", "daily/year=2021")
    assert told.rows == small.sql("SELECT count(*) AS n FROM daily").pl()["n"][0]
    assert not (tmp_path / "out").exists()


def test_stations_are_written_beside_the_rows(network: Network, tmp_path: Path) -> None:
    with open_store(network.root) as store:
        store.export(tmp_path / "out", scope="daily")
    names = pl.read_parquet(tmp_path / "out/stations.parquet")["name"].to_list()
    assert names == network.stations["name"].to_pylist()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"format": "orc"}, "no export is written as 'orc'"),
        ({"format": "duckdb"}, "holds an export as parquet"),
        ({"qc": "strict"}, "holds an export as parquet"),
        ({"stations": 2}, "holds an export as parquet"),
    ],
)
def test_another_export_into_the_same_folder_is_refused(
    small: Store, tmp_path: Path, asked: dict[str, object], told: str
) -> None:
    small.export(tmp_path / "out")
    before = (tmp_path / "out" / STATE_FILE).read_bytes()
    with pytest.raises(UsageError, match=told):
        small.export(tmp_path / "out", **asked)  # type: ignore[arg-type]
    assert (tmp_path / "out" / STATE_FILE).read_bytes() == before


def test_a_folder_with_other_things_is_refused(small: Store, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters/one.txt").write_text("dear")
    with pytest.raises(UsageError, match="no export of cimis"):
        small.export(tmp_path / "letters")
    assert [path.name for path in (tmp_path / "letters").iterdir()] == ["one.txt"]


def test_a_cut_state_file_is_refused(small: Store, tmp_path: Path) -> None:
    small.export(tmp_path / "out")
    (tmp_path / "out" / STATE_FILE).write_text(json.dumps({"version": 1})[:9])
    with pytest.raises(UsageError, match="cannot be read"):
        small.export(tmp_path / "out")


def test_nothing_stored_is_said(small: Store, tmp_path: Path) -> None:
    with pytest.raises(NoDataError):
        small.export(tmp_path / "out", scope="hourly")
    assert not (tmp_path / "out").exists()


def test_an_export_that_was_stopped_goes_on(
    small: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cimis.exports.forms import Parquet

    put_year, years = Parquet.put, list[object]()

    def stopped(self: Parquet, year: object, rows: object) -> None:
        if years:
            raise KeyboardInterrupt
        years.append(year)
        put_year(self, year, rows)  # type: ignore[arg-type]

    monkeypatch.setattr(Parquet, "put", stopped)
    with pytest.raises(KeyboardInterrupt):
        small.export(tmp_path / "out")
    monkeypatch.setattr(Parquet, "put", put_year)
    assert small.export(tmp_path / "out").written == ("daily/year=2021",)
    shutil.rmtree(tmp_path / "out")
