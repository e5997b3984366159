"""Questions that every engine is asked, thirty and some: in words of Arrow and SQL; the answers."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest

from cimis.store import open_store
from tests.queries.conftest import Network

__all__ = [
    "QUESTIONS",
    "WHERE",
    "Reads",
    "check",
    "check_flags",
    "check_hours",
    "check_targets",
    "counted",
]

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
SUMMER = (F("time") > dt.datetime(2022, 6, 1)) & (F("time") <= dt.datetime(2022, 9, 1))  # noqa: DTZ001


def check(
    network: Network, made: Iterable[tuple[Any, Any]], asked: tuple[str, str, str], where: str
) -> None:
    """Compare keys and figures that an engine gave with those of SQL."""
    column, figure, by = asked
    word = {"mean": "avg"}.get(figure, figure)
    text = (
        f"SELECT {by} AS k, {word}({column}) AS v FROM daily "
        f"WHERE {where} AND {by} IS NOT NULL GROUP BY 1"
    )
    _same(network.root, text, made)


def check_flags(network: Network, made: Iterable[tuple[Any, Any]], qc: str) -> None:
    """Compare how many values of rain a policy for flags leaves to each station."""
    _same(network.root, "SELECT station, count(precip) FROM daily GROUP BY 1", made, qc=qc)


def check_targets(places: Path, made: Iterable[tuple[Any, Any]]) -> None:
    """Compare what spatial targets' reference ET was on average in 2022."""
    text = "SELECT target, avg(asce_eto) FROM spatial_daily WHERE date >= '2022-01-01' GROUP BY 1"
    _same(places, text, made)


def check_hours(network: Network, made: Iterable[tuple[Any, Any]]) -> None:
    """Compare the mean temperature of each hour of one station's summer days."""
    when = "time > '2022-06-01' AND time <= '2022-09-01'"
    text = f"SELECT hour, avg(air_tmp) FROM hourly WHERE station = 80 AND {when} GROUP BY 1"
    _same(network.root, text, made)


def _same(root: Path, text: str, made: Iterable[tuple[Any, Any]], *, qc: str = "keep") -> None:
    with open_store(root) as store:
        due = sorted(store.sql(text, qc=qc).pl().rows())
    got = sorted(made)
    assert due
    assert [key for key, _ in got] == [key for key, _ in due]
    assert _numbers(got) == pytest.approx(_numbers(due), nan_ok=True)


def _numbers(rows: list[tuple[Any, Any]]) -> list[float]:
    return [math.nan if value is None else float(value) for _, value in rows]


class Reads:
    """What splits read: the columns of each reading, and how many chunks in all."""

    def __init__(self) -> None:
        self.columns: set[tuple[str, ...]] = set()
        self.chunks = 0


def counted(monkeypatch: pytest.MonkeyPatch) -> Reads:
    """Count what splits read in this process from now on."""
    from cimis.pipeline.chunks import bulk
    from cimis.queries.splits import split

    reads, read = Reads(), bulk.read_many

    def noted(files: Any, *, columns: list[str]) -> object:
        reads.columns.add(tuple(columns))
        reads.chunks += len(files)
        return read(files, columns=columns)

    monkeypatch.setattr(split, "read_many", noted)
    return reads
