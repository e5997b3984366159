"""A store gives rows, frames and tables as its methods promise."""

from __future__ import annotations

import datetime as dt
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import cimis
from cimis.pipeline.errors import StoreError, UsageError
from cimis.queries.export.sinks import write
from cimis.queries.timing import QueryTimings
from cimis.store import Store, create
from tests.queries.conftest import Network

C = pl.col


def test_daily_rows_of_a_range_hold_both_ends(store: Store, network: Network) -> None:
    got = store.daily(stations=[5, 2], start="2021-12-30", end="2022-01-02", items=["asce_eto"])
    first, last = dt.date(2021, 12, 30), dt.date(2022, 1, 2)
    expected = (
        network.frames["daily"]
        .filter(C("station").is_in([2, 5]) & C("date").is_between(first, last))
        .select("station", "date", "asce_eto", "asce_eto_qc")
    )
    assert got.equals(expected)
    assert got.height == 8


def test_hourly_days_are_the_networks_own(store: Store, network: Network) -> None:
    got = store.hourly(stations="80", start="2021-12-31", end="2021-12-31")
    assert got["hour"].to_list() == list(range(1, 25))
    assert got["time"].to_list()[-1] == dt.datetime(2022, 1, 1)  # noqa: DTZ001
    assert got.equals(
        network.frames["hourly"].filter((C("station") == 80) & (C("date") == dt.date(2021, 12, 31)))
    )


@pytest.mark.parametrize(
    ("stations", "count"),
    [
        *[(None, 5), (5, 1), ("2,5-7", 3), ([7, 2, 2], 2), (range(100), 4), ("all", 5)],
        *[("Fresno", 1), ("shafter, 2", 2), (["FIREBAUGH", 2, "80"], 3), (["5-7", "fresno"], 3)],
    ],
)
def test_stations_are_given_in_many_ways(stations: Any, count: int, store: Store) -> None:
    assert store.daily(stations=stations, items="precip")["station"].n_unique() == count


def test_months_and_years_mean_their_whole(store: Store) -> None:
    june = store.daily(stations=2, start="2021-06", end="2021-06", items="precip")
    assert (june["date"].min(), june["date"].max()) == (dt.date(2021, 6, 1), dt.date(2021, 6, 30))
    assert store.daily(stations=2, start="2021", end="2021", items="precip").height > 350


def test_an_item_that_is_not_stored_is_a_column_of_nulls(store: Store) -> None:
    got = store.daily(stations=2, items="eto,asce_eto")
    assert got.columns == ["station", "date", "eto", "eto_qc", "asce_eto", "asce_eto_qc"]
    assert got["eto"].null_count() == got["eto_qc"].null_count() == got.height


def test_nothing_matching_is_an_empty_frame_with_its_schema(store: Store) -> None:
    got = store.daily(stations=999, items="asce_eto")
    assert got.height == 0
    assert got.schema == store.daily(stations=2, items="asce_eto").schema


@pytest.mark.parametrize(
    "wrong",
    [
        {"items": "nonsense"},
        {"items": "hly-air-tmp"},
        {"start": "2021-02-30"},
        {"start": "yesterdaze"},
        {"stations": "x"},
        {"stations": ["2", "x"]},
        {"stations": [2, "zip:93624"]},
        {"stations": 2.0},
        {"stations": "zip:9362"},
        {"qc": "loose"},
        {"units": "si"},
    ],
)
def test_wrong_use_is_told(wrong: dict[str, Any], store: Store) -> None:
    with pytest.raises(UsageError) as caught:
        store.daily(**wrong)
    assert "\n" not in str(caught.value)


POLICIES: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "keep": lambda _: pl.lit(value=False),
    "drop-severe": lambda flag: flag.is_in(["M", "I"]),
    "strict": lambda flag: flag.is_not_null(),
}


@pytest.mark.parametrize("qc", POLICIES)
def test_a_policy_makes_the_same_values_missing_on_every_way(
    qc: str, store: Store, network: Network
) -> None:
    whole = network.frames["daily"]
    names = [n for n in whole.columns if n + "_qc" in whole.columns]
    expected = whole.with_columns(
        pl.when(POLICIES[qc](C(n + "_qc"))).then(None).otherwise(C(n)).alias(n) for n in names
    )
    assert store.daily(qc=qc).equals(expected)
    lazily = store.scan_daily(qc=qc).sort("station", "date").collect()
    assert lazily.select(whole.columns).equals(expected)
    told = store.sql("SELECT * FROM daily", qc=qc).pl().sort("station", "date")
    assert told.select(whole.columns).equals(expected)
    nulls = store.sql("SELECT count(*) FROM daily WHERE precip IS NULL", qc=qc).fetchall()
    assert nulls == [(expected["precip"].null_count(),)]
    lazy = store.scan_daily(qc=qc).filter(C("asce_eto").is_null() & (C("station") == 2)).collect()
    assert lazy.height == expected.filter((C("station") == 2) & C("asce_eto").is_null()).height


def test_english_units_are_told_in_the_schema(store: Store) -> None:
    rows = store.query("daily", stations=2, items="air_tmp_avg,precip", units="english")
    units = {f.name: (f.metadata or {}).get(b"unit") for f in rows.schema}
    assert (units["air_tmp_avg"], units["precip"]) == (b"(F)", b"(in)")
    metric = store.daily(stations=2, items="air_tmp_avg")["air_tmp_avg"]
    fahrenheit = rows.pl()["air_tmp_avg"]
    assert ((fahrenheit - 32) / 1.8).round(1).equals(metric)


@pytest.mark.parametrize("scope", ["daily", "hourly"])
@pytest.mark.parametrize("last", ["2021-06-02", "2021-08-30"])
def test_a_table_is_what_its_batches_are(scope: str, last: str, store: Store) -> None:
    """Few rows and many take different ways out of the engine."""
    rows = store.query(scope, stations=[5, 80], start="2021-06-01", end=last)
    streamed = pa.Table.from_batches(list(rows.batches()), schema=rows.schema)
    assert streamed.num_rows > 0
    assert rows.table().equals(streamed, check_metadata=True)


def test_rows_stream_to_a_file_with_their_timings(store: Store, tmp_path: Path) -> None:
    timings = QueryTimings()
    rows = store.query("daily", stations=[2, 5], limit=400, timings=timings)
    written = write(rows.batches(), rows.schema, tmp_path / "x.parquet", timings=timings)
    assert written.rows == 400
    assert pl.read_parquet(tmp_path / "x.parquet").equals(store.daily(stations=[2, 5]).head(400))
    facts = timings.stop().as_dict()
    assert facts["rows"] == 400
    assert facts["mirror_chunks"] == 15
    assert facts["total_ms"] > 0


def test_lazy_frames_narrowed_hold_what_whole_ones_do(store: Store, network: Network) -> None:
    whole = network.wide["daily"]
    week = (C("station") == 80) & C("date").is_between(dt.date(2021, 6, 1), dt.date(2021, 6, 7))
    got = store.scan_daily().filter(week).select("asce_eto").collect()
    assert got.equals(whole.filter(week).select("asce_eto"))
    assert got.height == 7
    assert store.scan_daily().head(5).collect().equals(whole.head(5))
    warm = C("asce_eto") > float(whole["asce_eto"].median() or 0)  # type: ignore[arg-type]
    got = store.scan_daily().filter(warm).sort("station", "date").collect()
    assert got.equals(whole.filter(warm))
    assert store.scan_daily().filter(C("asce_eto") > 900).collect().height == 0


def test_answers_are_read_in_every_form_and_again(store: Store) -> None:
    answer = store.sql(
        "SELECT station, count(*) AS n, sum(asce_eto > 10) AS hot FROM daily GROUP BY 1"
    )
    rows = sorted(answer.fetchall())
    assert [row[0] for row in rows] == [2, 5, 7, 80, 131]
    assert all(isinstance(row[2], int) for row in rows)
    assert answer.columns == ["station", "n", "hot"]
    assert answer.table().num_rows == len(answer) == answer.pl().height == 5
    assert pl.DataFrame(answer).height == 5
    assert "station uint16" in repr(answer)
    streamed = store.sql("SELECT station FROM daily WHERE station = $s", {"s": 5})
    first = sum(batch.num_rows for batch in streamed.batches())
    assert first == sum(batch.num_rows for batch in streamed.batches()) > 900


def test_parameters_take_the_place_of_question_marks(store: Store) -> None:
    text = "SELECT count(*) FROM daily WHERE station = ? AND date = ?"
    assert store.sql(text, [5, dt.date(2021, 6, 1)]).fetchall() == [(1,)]
    assert store.sql(text, [5, "2021-06-01"]).fetchall() == [(1,)]


def test_answers_may_be_open_side_by_side(store: Store) -> None:
    one = store.sql("SELECT daily.* FROM daily, range(30)").batches()
    other = store.sql("SELECT hourly.* FROM hourly, range(3)").batches()
    assert next(one).num_rows
    assert next(other).num_rows
    assert next(one).num_rows


def test_stations_and_chunks_are_views_too(store: Store, network: Network) -> None:
    assert store.stations()["name"].to_list() == network.stations["name"].to_pylist()
    assert store.stations()["station"].to_list() == network.stations["station"].to_pylist()
    assert "number" not in store.stations().columns
    chunks = store.chunks()
    assert chunks.height == 19
    assert set(chunks["format"]) == {"v1", "v2"}
    named = "SELECT s.name, sum(rows) FROM chunks c JOIN stations s USING (station) GROUP BY 1"
    assert len(store.sql(named)) == 4


def test_a_missing_place_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "absent", tmp_path / "file", tmp_path):
        with pytest.raises(StoreError) as caught:
            cimis.open(path)
        assert caught.value.hint
    with pytest.raises(StoreError, match="file"):
        create(tmp_path / "file")
    with create(tmp_path / "new" / "data") as made:
        assert made.daily().height == 0
    with create(tmp_path / "new" / "data"):
        pass


def test_the_face_is_sorted_complete_and_cheap() -> None:
    assert sorted(cimis.__all__) == cimis.__all__
    assert all(getattr(cimis, name) is not None for name in cimis.__all__)
    with pytest.raises(AttributeError):
        _ = cimis.nonsense
    heavy = ("numpy", "pyarrow", "polars", "duckdb", "httpx", "click")
    code = f"import cimis, sys; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_store_itself_is_cheap() -> None:
    heavy = ("numpy", "pyarrow", "polars", "duckdb", "httpx", "click")
    code = f"import cimis.store, sys; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_csv_of_the_store_prints_the_services_decimals(store: Store) -> None:
    rows = store.query("daily", stations=2, start="2021-06-01", end="2021-06-05", items="asce_eto")
    stream = io.BytesIO()
    write(rows.batches(), rows.schema, stream, "csv")
    values = [line.split(",")[2] for line in stream.getvalue().decode().splitlines()[1:]]
    expected = pc.cast(rows.table()["asce_eto"], "string").to_pylist()
    assert values == [v or "" for v in expected]
    assert all(len(v.partition(".")[2]) <= 2 for v in values)


def test_a_store_fetches_and_checks_what_it_then_answers(tmp_path: Path) -> None:
    from cimis.pipeline.emulator import Emulator, GeneratedSource

    with Emulator(GeneratedSource()) as server, create(tmp_path) as made:
        report = made.fetch(
            [2, 5], year=2023, items="asce_eto", app_key=server.app_key, base_url=server.base_url
        )
        assert report.exit_code == 0
        assert made.daily(stations=[2, 5]).height == 730
        assert made.daily().columns == ["station", "date", "asce_eto", "asce_eto_qc"]
        assert made.verify().findings == []
        for wrong in ({"year": 1850}, {}, {"year": 2023, "start": "2023-01-01"}):
            with pytest.raises(UsageError):
                made.fetch([2], app_key=server.app_key, base_url=server.base_url, **wrong)
