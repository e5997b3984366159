"""A Dask data frame of what is stored answers as SQL does, and reads what a question needs."""

from __future__ import annotations

import datetime as dt
import pickle
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest

from cimis.pipeline.errors import StoreError, UsageError
from cimis.store import open_store
from tests.engines.questions import (
    QUESTIONS,
    SUMMER,
    WHERE,
    check,
    check_flags,
    check_hours,
    check_targets,
    counted,
)
from tests.queries.conftest import Network

dd = pytest.importorskip("dask.dataframe")

F = pc.field


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
    found = zip(got.index.to_list(), got.to_list(), strict=True)
    check(network, found, (column, figure, by), where)


def test_a_plan_decodes_only_the_columns_that_it_uses(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cimis.engines.dask import to_dask

    reads = counted(monkeypatch)
    frame = to_dask(network.root)
    frame.groupby("station").asce_eto.mean().compute(scheduler="synchronous")
    assert reads.columns == {("asce_eto",)}


def test_chunks_that_a_filter_rules_out_are_not_read(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cimis.engines.dask import to_dask

    reads = counted(monkeypatch)
    meets = (F("station") == 5) & (F("date") >= dt.date(2022, 1, 1))
    to_dask(network.root, filter=meets)[["precip"]].compute(scheduler="synchronous")
    assert reads.chunks == 1


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


@pytest.mark.parametrize("qc", ["strict", "drop-severe"])
def test_flagged_values_are_null_by_the_policy(network: Network, qc: str) -> None:
    from cimis.engines.dask import to_dask

    rows = to_dask(network.root, qc=qc)
    got = rows.groupby("station").precip.count().compute(scheduler="synchronous")
    check_flags(network, got.items(), qc)


def test_targets_have_a_frame(places: Path) -> None:
    from cimis.engines.dask import to_dask

    rows = to_dask(places, stations="targets", filter=F("date") >= dt.date(2022, 1, 1))
    got = rows.groupby("target").asce_eto.mean().compute(scheduler="synchronous")
    check_targets(places, got.items())


def test_no_store_is_said(tmp_path: Path) -> None:
    from cimis.engines.dask import to_dask

    with pytest.raises(StoreError, match="no data directory"):
        to_dask(tmp_path)


def test_an_unknown_scope_is_refused(network: Network) -> None:
    from cimis.engines.dask import to_dask

    with pytest.raises(UsageError, match="unknown scope"):
        to_dask(network.root, "weekly")


def test_hourly_rows_are_answered_as_by_sql(network: Network) -> None:
    from cimis.engines.dask import to_dask

    rows = to_dask(network.root, "hourly", stations=80, filter=SUMMER)
    got = rows.groupby("hour").air_tmp.mean().compute(scheduler="synchronous")
    check_hours(network, got.items())


def test_an_optimized_plan_has_one_task_for_a_partition(network: Network) -> None:
    """What docs/scale.md advises for processes: rows do not leave the one that read them."""
    from cimis.engines.dask import to_dask

    rows = to_dask(network.root, target_rows=500)
    plan = rows.groupby("station").asce_eto.mean().optimize()
    assert rows.npartitions > 4
    joined = rows.npartitions // 2  # of partial means
    assert len(plan.__dask_graph__()) <= rows.npartitions + joined
