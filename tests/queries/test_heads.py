"""Names, units and order of an answer's columns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cimis.pipeline.field.items import Scope, named_items, resolve
from cimis.queries.export.heads import numbered
from cimis.store import Store, open_store
from tests.queries.conftest import put, year_table

ITEMS = "air_tmp_avg,air_tmp_max,wind_run,precip,asce_eto"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A year of one station."""
    root = tmp_path_factory.mktemp("heads")
    put(root, [year_table(Scope.DAILY, 2, 2021, items=ITEMS)])
    with open_store(root) as opened:
        yield opened


@given(st.lists(st.sampled_from(["x", "X", "x_1", "X_2", "x_1_1", "y", ""]), min_size=1))
def test_columns_of_one_name_are_numbered_as_duckdb_does(names: list[str]) -> None:
    """A table that DuckDB makes of the same columns has the same names, and no two are alike."""
    names = [name or "z" for name in names]
    listed = ", ".join(f'1 AS "{name}"' for name in names)
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE made AS SELECT {listed}")
        due = [row[0] for row in connection.execute("DESCRIBE made").fetchall()]
    assert numbered(names) == due
    assert len({name.lower() for name in due}) == len(names)


def test_python_gets_numbered_columns_in_every_form(store: Store) -> None:
    """No form of an answer refuses, hides or joins two columns of one name."""
    answer = store.sql("select 1 as x, 2 as x, 3 as x")
    assert answer.columns == ["x", "x_1", "x_2"]
    assert [batch.to_pylist() for batch in answer.batches()] == [[{"x": 1, "x_1": 2, "x_2": 3}]]
    assert answer.pl().to_dicts() == [{"x": 1, "x_1": 2, "x_2": 3}]
    assert pa.table(answer).schema.names == ["x", "x_1", "x_2"]
    assert answer.fetchall() == [(1, 2, 3)]


def test_a_join_keeps_both_sides(store: Store) -> None:
    """``select *`` over a join has the keys of both sides, each with its own values."""
    found = store.sql(
        "select * from (select station, date from daily limit 1) a "
        "join (select station, date from daily) b on b.date = a.date + 1"
    ).table()
    assert found.schema.names == ["station", "date", "station_1", "date_1"]
    (row,) = found.to_pylist()
    assert (row["date_1"] - row["date"]).days == 1


def test_items_are_answered_in_the_order_asked(store: Store) -> None:
    """Columns come as named, each once and with its flag, in every way of asking."""
    asked = ["precip", "air_tmp_avg", "precip", "asce_eto"]
    due = ["precip", "air_tmp_avg", "asce_eto"]
    with_flags = [name for item in due for name in (item, f"{item}_qc")]
    assert store.daily(items=asked).columns == ["station", "date", *with_flags]
    english = store.query(items=",".join(asked), units="english").table()
    assert english.schema.names[2:] == with_flags
    summed = store.every("year", items=asked).columns
    assert [name for name in summed if name in due] == due
    item = named_items("precip", Scope.DAILY)
    assert store.every("year", items=[*item, "asce_eto"]).columns[3] == "precip"


def test_the_order_asked_changes_no_value(store: Store) -> None:
    """Each column holds the same values and flags wherever it stands."""
    one = store.query(items="precip,air_tmp_avg").table()
    other = store.query(items="air_tmp_avg,precip").table()
    assert one.select(other.schema.names).equals(other)


def test_what_is_fetched_and_stored_keeps_the_registry_order() -> None:
    """Only answers follow the user; requests and chunks stay in one order."""
    names = "precip,air_tmp_avg"
    assert [i.column for i in named_items(names, Scope.DAILY)] == ["precip", "air_tmp_avg"]
    assert [i.column for i in resolve(names, Scope.DAILY)] == ["air_tmp_avg", "precip"]


@pytest.mark.parametrize(
    ("units", "due"),
    [
        ("metric", {"precip": "mm", "air_tmp_avg": "°C", "wind_run": "km"}),
        ("english", {"precip": "in", "air_tmp_avg": "°F", "wind_run": "mi"}),
    ],
)
@pytest.mark.parametrize("every", ["month", None])
def test_files_carry_the_unit_of_each_field(
    store: Store, tmp_path: Path, units: str, due: dict[str, str], every: str | None
) -> None:
    """Parquet and Arrow, of records and of sums, metric and English, say each figure's unit."""
    import pyarrow.parquet as pq

    from cimis.queries.export.sinks import write

    items = ",".join(due)
    rows = (
        store.every(every, items=items, units=units)
        if every
        else store.query(items=items, units=units)
    )
    for name in ("parquet", "arrow"):
        path = tmp_path / f"x.{name}"
        write(rows.batches(), rows.schema, path)
        schema = pq.read_schema(path) if name == "parquet" else pa.ipc.open_file(path).schema
        for item, symbol in due.items():
            metadata = schema.field(item).metadata
            assert metadata[b"symbol"].decode() == symbol
            assert metadata[b"unit"]
            if every:
                statistic = b"sum" if item == "precip" else b"mean"
                assert metadata[b"statistic"] == statistic
