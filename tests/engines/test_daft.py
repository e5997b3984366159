"""A Daft data frame of what is stored answers as SQL does, and reads what a plan needs, unasked."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest

from cimis.pipeline.errors import StoreError, UsageError
from cimis.store import open_store
from tests.engines.questions import (
    QUESTIONS,
    WHERE,
    check,
    check_flags,
    check_hours,
    check_targets,
    counted,
)
from tests.queries.conftest import Network

daft: Any = pytest.importorskip("daft", reason="Daft is not installed: 'just test-engines'")

from cimis.engines.daft import to_daft  # noqa: E402

F, C = pc.field, daft.col


def _pairs(frame: Any, by: str, value: str) -> list[tuple[Any, Any]]:
    found = frame.to_pydict()
    return list(zip(found[by], found[value], strict=True))


@pytest.mark.parametrize(("column", "figure", "by"), QUESTIONS)
@pytest.mark.parametrize("where", [where for _, where in WHERE])
def test_questions_are_answered_as_by_sql(
    network: Network, column: str, figure: str, by: str, where: str
) -> None:
    rows = to_daft(network.root, "daily", target_rows=500).where(where)
    got = rows.where(C(by).not_null()).groupby(by).agg(getattr(C(column), figure)().alias("v"))
    check(network, _pairs(got, by, "v"), (column, figure, by), where)


@pytest.mark.parametrize(
    ("where", "chunks"),
    [
        (C("station") == 5, 3),
        (C("date") >= dt.date(2022, 1, 1), 5),
        ((C("station") == 5) & (C("date") >= "2022-01-01"), 1),
        (C("station").is_in([2, 131]) & C("date").between("2021-05-01", "2021-06-01"), 2),
        ((C("station") == 5) | (C("station") == 7), 6),
        (~(C("station") >= 5), 3),
        (C("precip").not_null(), 9),
        ((C("station") == 5) & (C("asce_eto") * 2 > 30), 3),
        ((C("station") == 5) & (C("date").month() == 6), 3),
        (~((C("station") == 5) & (C("asce_eto") * 2 > 30)), 15),
        (C("asce_eto_qc").upper() == "R", 15),
        (C("station") > 4.5, 15),
        (C("station") == 4000, 0),
    ],
    ids=str,
)  # fmt: skip
def test_filters_reach_the_chunks_unasked_or_are_left_to_the_engine(
    network: Network, monkeypatch: pytest.MonkeyPatch, where: Any, chunks: int
) -> None:
    due = to_daft(network.root).collect().where(where).select("station", "date", "asce_eto")
    reads = counted(monkeypatch)
    got = to_daft(network.root).where(where).select("station", "date", "asce_eto")
    by = ["station", "date"]
    assert got.sort(by).to_pydict() == due.sort(by).to_pydict()
    assert reads.chunks == chunks


def test_only_the_columns_of_a_plan_and_its_filter_are_decoded(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = counted(monkeypatch)
    rows = to_daft(network.root).where(C("precip") > 15).groupby("station")
    assert rows.agg(C("asce_eto").mean()).to_pydict()["station"]
    assert reads.columns == {("asce_eto", "precip")}


def test_the_first_rows_come_from_one_chunk(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = counted(monkeypatch)
    assert len(to_daft(network.root).limit(5).to_pydict()["station"]) == 5
    assert reads.chunks == 1


def test_a_filter_given_holds_with_the_plans(network: Network) -> None:
    rows = to_daft(network.root, filter=F("station") == 5).where(C("date") >= dt.date(2022, 1, 1))
    with open_store(network.root) as store:
        text = "SELECT count(*) FROM daily WHERE station = 5 AND date >= '2022-01-01'"
        assert rows.count_rows() == store.sql(text).pl().item()


@pytest.mark.parametrize("qc", ["strict", "drop-severe"])
def test_flagged_values_are_null_by_the_policy(network: Network, qc: str) -> None:
    got = to_daft(network.root, qc=qc).groupby("station").agg(C("precip").count())
    check_flags(network, _pairs(got, "station", "precip"), qc)


def test_targets_have_a_frame(places: Path) -> None:
    rows = to_daft(places, stations="targets").where(C("date") >= dt.date(2022, 1, 1))
    got = rows.groupby("target").agg(C("asce_eto").mean())
    check_targets(places, _pairs(got, "target", "asce_eto"))


def test_hourly_rows_are_answered_as_by_sql(network: Network) -> None:
    first, last = dt.datetime(2022, 6, 1), dt.datetime(2022, 9, 1)  # noqa: DTZ001
    rows = to_daft(network.root, "hourly", stations=iter([80]))
    some = rows.where((C("time") > first) & (C("time") <= last))
    check_hours(network, _pairs(some.groupby("hour").agg(C("air_tmp").mean()), "hour", "air_tmp"))


def test_columns_that_no_chunk_has_are_null(network: Network) -> None:
    found = to_daft(network.root).agg(C("soil_tmp_avg").count(), C("station").count()).to_pydict()
    assert found["soil_tmp_avg"] == [0]
    assert found["station"][0] > 0


def test_a_damaged_chunk_ends_the_answer(network: Network, tmp_path: Path) -> None:
    from shutil import copytree

    copytree(network.root, tmp_path / "store")
    chunk = next((tmp_path / "store").glob("stations/*/*2021*_daily.zst"))
    chunk.write_bytes(chunk.read_bytes()[:-40])
    with pytest.raises(daft.exceptions.DaftCoreException, match=chunk.name):
        to_daft(tmp_path / "store").groupby("station").agg(C("precip").sum()).collect()


def test_no_store_and_an_unknown_scope_are_refused_at_once(
    network: Network, tmp_path: Path
) -> None:
    with pytest.raises(StoreError, match="no data directory"):
        to_daft(tmp_path)
    with pytest.raises(UsageError, match="unknown scope"):
        to_daft(network.root, "weekly")


def test_a_daft_with_another_interface_is_told(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    from daft.io import source

    changed = {"name", "schema", "get_tasks", "get_capabilities"}
    monkeypatch.setattr(source.DataSource, "__abstractmethods__", frozenset(changed))
    with pytest.raises(UsageError, match="another interface for sources") as caught:
        to_daft(network.root)
    assert "0.7.20 to 0.7.26" in str(caught.value.hint)
