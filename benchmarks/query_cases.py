"""The five questions of the query benchmark, and the stores they are asked of."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.query_data import items_of
from pipeline.items import Scope

Ask = Callable[[str], Any]

QUESTIONS = ("Q1", "Q2", "Q3", "Q4", "Q5")


def _names(scope: Scope) -> tuple[list[str], str, str, float]:
    """Return the value columns, the ETo and temperature columns and Q5's threshold."""
    values = [item.column for item in items_of(scope)]
    if scope is Scope.DAILY:
        return values, "asce_eto", "air_tmp_avg", 13.5
    return values, "asce_eto", "air_tmp", 1.3


def sql(question: str, scope: Scope) -> str:
    """Return a question as SQL over a relation called ``{t}``."""
    values, eto, warm, high = _names(scope)
    texts = {
        "Q1": f"SELECT date, {eto}, {warm} FROM {{t}} WHERE station = 21"
        " AND date BETWEEN DATE '2021-06-01' AND DATE '2021-06-07'",
        "Q2": f"SELECT station, date, {eto}, {warm}, precip FROM {{t}}"
        " WHERE station IN (3, 11, 17, 21, 24)"
        " AND date BETWEEN DATE '2020-01-01' AND DATE '2022-12-31'",
        "Q3": f"SELECT station, month(date) AS m, avg({eto}) FROM {{t}} GROUP BY ALL",
        "Q4": f"SELECT station, {', '.join(f'avg({v})' for v in values)} FROM {{t}} GROUP BY ALL",
        "Q5": f"SELECT station, date, {eto} FROM {{t}} WHERE {eto} > {high} AND {eto}_qc IS NULL",
    }
    return texts[question]


def lazy(question: str, scope: Scope, frame: Any) -> Any:
    """Return the same question over a Polars lazy frame, collected."""
    import datetime as dt

    import polars as pl

    values, eto, warm, high = _names(scope)
    c = pl.col
    if question == "Q1":
        week = c("date").is_between(dt.date(2021, 6, 1), dt.date(2021, 6, 7))
        plan = frame.filter((c("station") == 21) & week).select("date", eto, warm)
    elif question == "Q2":
        span = c("date").is_between(dt.date(2020, 1, 1), dt.date(2022, 12, 31))
        few = c("station").is_in([3, 11, 17, 21, 24])
        plan = frame.filter(few & span).select("station", "date", eto, warm, "precip")
    elif question == "Q3":
        plan = frame.group_by("station", c("date").dt.month().alias("m")).agg(c(eto).mean())
    elif question == "Q4":
        plan = frame.group_by("station").agg(c(v).mean() for v in values)
    else:
        hot = (c(eto) > high) & c(eto + "_qc").is_null()
        plan = frame.filter(hot).select("station", "date", eto)
    return plan.collect()


def _duck(scope: Scope, relation: str, setup: str = "") -> tuple[Ask, Callable[[], None]]:
    import duckdb

    connection = duckdb.connect()
    if setup:
        connection.execute(setup)
    return (
        lambda question: connection.sql(sql(question, scope).format(t=relation)).to_arrow_table(),
        connection.close,
    )


def _duck_ipc(scope: Scope, path: Path) -> tuple[Ask, Callable[[], None]]:
    import duckdb
    import pyarrow.dataset as ds

    connection = duckdb.connect()
    connection.register("t", ds.dataset(path, format="ipc"))
    return (
        lambda question: connection.sql(sql(question, scope).format(t="t")).to_arrow_table(),
        connection.close,
    )


def _cimis_sql(scope: Scope, path: Path, cache: int) -> tuple[Ask, Callable[[], None]]:
    import cimis

    store = cimis.open(path, cache=cache)
    return (
        lambda question: store.sql(sql(question, scope).format(t=scope.value)).table(),
        store.close,
    )


def _cimis_query(scope: Scope, path: Path, cache: int) -> tuple[Ask, Callable[[], None]]:
    import cimis

    store = cimis.open(path, cache=cache)
    _, eto, warm, _ = _names(scope)
    asked: dict[str, dict[str, Any]] = {
        "Q1": {
            "stations": 21,
            "start": "2021-06-01",
            "end": "2021-06-07",
            "items": [eto, warm],
        },
        "Q2": {
            "stations": [3, 11, 17, 21, 24],
            "start": "2020-01-01",
            "end": "2022-12-31",
            "items": [eto, warm, "precip"],
        },
    }
    return (lambda question: store.query(scope, **asked[question]).table()), store.close


def _cimis_polars(scope: Scope, path: Path, cache: int) -> tuple[Ask, Callable[[], None]]:
    import cimis

    store = cimis.open(path, cache=cache)
    scan = store.scan_daily if scope is Scope.DAILY else store.scan_hourly
    return (lambda question: lazy(question, scope, scan())), store.close


def opened(variant: str, root: Path, scope: Scope) -> tuple[Ask, Callable[[], None]]:
    """Return how to ask a variant, and how to close it."""
    files = root / scope.value
    big = f"read_parquet('{files}/big.parquet')"
    hive = f"read_parquet('{files}/hive/*/*.parquet', hive_partitioning = true)"
    store = root / "store"
    packed = root / "packed"
    if variant.startswith("polars"):
        import polars as pl

        frames: dict[str, Callable[[], Any]] = {
            "polars big Parquet": lambda: pl.scan_parquet(files / "big.parquet"),
            "polars hive Parquet": lambda: pl.scan_parquet(files / "hive", hive_partitioning=True),
            "polars Arrow IPC": lambda: pl.scan_ipc(files / "big.arrow"),
        }
        if variant in frames:
            return (lambda question: lazy(question, scope, frames[variant]())), lambda: None
    makers: dict[str, Callable[[], tuple[Ask, Callable[[], None]]]] = {
        "duckdb big Parquet": lambda: _duck(scope, big),
        "duckdb hive Parquet": lambda: _duck(scope, hive),
        "duckdb native table": lambda: _duck(
            scope, "n.obs", f"ATTACH '{files}/native.db' AS n (READ_ONLY)"
        ),
        "duckdb Arrow IPC": lambda: _duck_ipc(scope, files / "big.arrow"),
        "cimis sql": lambda: _cimis_sql(scope, store, 0),
        "cimis sql, compacted": lambda: _cimis_sql(scope, packed, 0),
        "cimis sql, cache": lambda: _cimis_sql(scope, packed, 2_000_000_000),
        "cimis query": lambda: _cimis_query(scope, store, 0),
        "cimis query, compacted": lambda: _cimis_query(scope, packed, 0),
        "cimis query, cache": lambda: _cimis_query(scope, store, 2_000_000_000),
        "polars cimis": lambda: _cimis_polars(scope, store, 0),
        "polars cimis, compacted": lambda: _cimis_polars(scope, packed, 0),
        "polars cimis, cache": lambda: _cimis_polars(scope, packed, 2_000_000_000),
    }
    return makers[variant]()


VARIANTS = (
    "duckdb big Parquet",
    "duckdb hive Parquet",
    "duckdb native table",
    "duckdb Arrow IPC",
    "cimis sql",
    "cimis sql, compacted",
    "cimis sql, cache",
    "cimis query",
    "cimis query, compacted",
    "cimis query, cache",
    "polars big Parquet",
    "polars hive Parquet",
    "polars Arrow IPC",
    "polars cimis",
    "polars cimis, compacted",
    "polars cimis, cache",
)


def answers(variant: str, question: str) -> bool:
    """Tell whether a variant can be asked a question: ``store.query`` gives rows, not sums."""
    return question in ("Q1", "Q2") or not variant.startswith("cimis query")


def timed(ask: Ask, question: str) -> float:
    """Return the seconds of one answer."""
    begin = time.perf_counter()
    ask(question)
    return time.perf_counter() - begin
