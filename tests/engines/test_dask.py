"""A Dask data frame of what is stored answers as SQL does, and reads what a question needs."""

from __future__ import annotations

import datetime as dt
import math
import pickle
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.compute as pc
import pytest

from cimis.pipeline.errors import StoreError, UsageError
from cimis.store import open_store
from tests.queries.conftest import Network

dd = pytest.importorskip("dask.dataframe")

F = pc.field

QUESTIONS = [
    ("asce_eto", "mean", "station"),
    ("precip", "sum", "station"),
    ("air_tmp_avg", "max", "station"),
    ("air_tmp_avg", "min", "station"),
    ("precip", "count", "station"),
    ("asce_eto", "count", "asce_eto_qc"),
]
WHERE = [
    (None, "true"),
    (F("station") == 5, "station = 5"),
    (F("date") >= dt.date(2022, 1, 1), "date >= '2022-01-01'"),
    (F("station").isin([2, 131]) & (F("asce_eto") > 15), "station IN (2, 131) AND asce_eto > 15"),
    (F("precip_qc").is_null(), "precip_qc IS NULL"),
]


@pytest.mark.parametrize(("column", "figure", "by"), QUESTIONS)
@pytest.mark.parametrize(("meets", "where"), WHERE, ids=str)
def test_questions_are_answered_as_by_sql(
    network: Network, column: str, figure: str, by: str, meets: pc.Expression, where: str
) -> None:
    from cimis.engines.dask import to_dask

    rows = to_dask(network.root, "daily", filter=meets, target_rows=500)
    # SQL's sum of nothing is null, that of pandas 0
    how = {"min_count": 1} if figure == "sum" else {}
    got = getattr(rows.groupby(by)[column], figure)(**how).compute(scheduler="synchronous")
    word = {"mean": "avg"}.get(figure, figure)
    text = (
        f"SELECT {by} AS k, {word}({column}) AS v FROM daily "
        f"WHERE {where} AND {by} IS NOT NULL GROUP BY 1 ORDER BY 1"
    )
    with open_store(network.root) as store:
        due = store.sql(text).pl()
    made = pl.DataFrame({"k": got.index.to_list(), "v": got.to_list()}).sort("k")
    assert made["k"].to_list() == due["k"].to_list()
    numbers = [frame["v"].cast(pl.Float64).fill_null(math.nan).to_list() for frame in (made, due)]
    assert numbers[0] == pytest.approx(numbers[1], nan_ok=True)


def test_a_plan_decodes_only_the_columns_that_it_uses(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cimis.engines.dask import to_dask
    from cimis.pipeline.chunks import bulk
    from cimis.queries.splits import split

    asked: list[list[str]] = []
    read = bulk.read_many

    def counted(*given: object, columns: list[str]) -> object:
        asked.append(columns)
        return read(*given, columns=columns)  # type: ignore[arg-type]

    monkeypatch.setattr(split, "read_many", counted)
    frame = to_dask(network.root)
    frame.groupby("station").asce_eto.mean().compute(scheduler="synchronous")
    assert {tuple(columns) for columns in asked} == {("asce_eto",)}


def test_a_filter_makes_fewer_partitions(network: Network) -> None:
    from cimis.engines.dask import to_dask

    whole = to_dask(network.root, target_rows=300)
    some = to_dask(network.root, target_rows=300, filter=F("station") == 5)
    assert 0 < some.npartitions < whole.npartitions
    none: Any = to_dask(network.root, filter=F("station") == 4000)
    assert len(none.compute(scheduler="synchronous")) == 0


def test_the_frame_goes_to_workers(network: Network) -> None:
    from cimis.engines.dask import to_dask

    frame = pickle.loads(pickle.dumps(to_dask(network.root, "hourly", stations=2)))
    with open_store(network.root) as store:
        due = store.sql("SELECT count(*) AS n FROM hourly WHERE station = 2").pl()["n"][0]
    assert len(frame) == due


def test_no_store_is_said(tmp_path: Path) -> None:
    from cimis.engines.dask import to_dask

    with pytest.raises(StoreError, match="no data directory"):
        to_dask(tmp_path)


def test_an_unknown_scope_is_refused(network: Network) -> None:
    from cimis.engines.dask import to_dask

    with pytest.raises(UsageError, match="unknown scope"):
        to_dask(network.root, "weekly")
