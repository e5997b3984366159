"""The five questions of the query benchmark, and the stores they are asked of."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.query_data import items_of
from cimis.pipeline.field.items import Scope

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


def _cimis_sql(scope: Scope, path: Path) -> tuple[Ask, Callable[[], None]]:
    import cimis

    store = cimis.open(path)
    return (
        lambda question: store.sql(sql(question, scope).format(t=scope.value)).table(),
        store.close,
    )


def _cimis_query(scope: Scope, path: Path) -> tuple[Ask, Callable[[], None]]:
    import cimis

    store = cimis.open(path)
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


def _cimis_polars(scope: Scope, path: Path) -> tuple[Ask, Callable[[], None]]:
    import cimis

    store = cimis.open(path)
    scan = store.scan_daily if scope is Scope.DAILY else store.scan_hourly
    return (lambda question: lazy(question, scope, scan())), store.close


def opened(variant: str, root: Path, scope: Scope) -> tuple[Ask, Callable[[], None]]:
    """Return how to ask a variant, and how to close it."""
    files = root / scope.value
    store = root / "store"
    if variant == "polars big Parquet":
        import polars as pl

        big = files / "big.parquet"
        return (lambda question: lazy(question, scope, pl.scan_parquet(big))), lambda: None
    makers: dict[str, Callable[[], tuple[Ask, Callable[[], None]]]] = {
        "duckdb native table": lambda: _duck(
            scope, "n.obs", f"ATTACH '{files}/native.db' AS n (READ_ONLY)"
        ),
        "duckdb big Parquet": lambda: _duck(scope, f"read_parquet('{files}/big.parquet')"),
        "cimis sql": lambda: _cimis_sql(scope, store),
        "cimis query": lambda: _cimis_query(scope, store),
        "polars cimis": lambda: _cimis_polars(scope, store),
    }
    return makers[variant]()


VARIANTS = (
    "duckdb native table",
    "cimis sql",
    "cimis query",
    "duckdb big Parquet",
    "polars big Parquet",
    "polars cimis",
)
BASE = {"polars cimis": "polars big Parquet", "polars big Parquet": "polars big Parquet"}
"""What a variant is compared with; the others with the native table."""


def answers(variant: str, question: str) -> bool:
    """Tell whether a variant can be asked a question: ``store.query`` gives rows, not sums."""
    return question in ("Q1", "Q2") or not variant.startswith("cimis query")


def timed(ask: Ask, question: str) -> float:
    """Return the seconds of one answer."""
    begin = time.perf_counter()
    ask(question)
    return time.perf_counter() - begin
