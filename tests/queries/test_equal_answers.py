"""Questions drawn over the schema get the same rows as from a table of the engine's own.

Whether the mirror is there, is that of an older store (and is brought up to date by the question),
or none is kept, so that the chunks are read.
"""

# ruff: noqa: ISC004
from __future__ import annotations

import datetime as dt
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import duckdb
import polars as pl
import pytest

from cimis.pipeline.chunks import ChunkKey, read_chunk
from cimis.pipeline.field.items import Scope
from cimis.store import Store, open_store
from tests.queries.conftest import Network, put, year_table

Opener = Callable[[str], Store]
SEED = 20_240_601
QUESTIONS = 240


@pytest.fixture(scope="module")
def native(network: Network) -> Iterator[duckdb.DuckDBPyConnection]:
    """The same rows as tables of DuckDB's own."""
    with duckdb.connect() as connection:
        connection.execute("SET python_enable_replacements = false")
        for scope, frame in network.wide.items():
            connection.register("source", frame.to_arrow())
            connection.execute(f"CREATE TABLE {scope} AS SELECT * FROM source")
            connection.unregister("source")
        connection.register("source", network.stations)
        connection.execute("CREATE TABLE stations AS SELECT * FROM source")
        yield connection


class Drawn:
    """Draws questions: filters of every form that engines push down, and some that they do not."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def one(self, *choices: str) -> str:
        return self.rng.choice(choices)

    def number(self) -> str:
        return self.one("0", "5", "12.5", "8.1", "-3", "20", "100", "1e3", "0.1")

    def value(self, scope: str) -> str:
        return self.one(*(VALUES[scope]))

    def day(self) -> str:
        day = dt.date(2020, 11, 1) + dt.timedelta(days=self.rng.randrange(900))
        return day.isoformat()

    def time(self) -> str:
        return f"{self.day()} {self.rng.randrange(24):02d}:{self.one('00', '30')}:00"

    def station(self) -> str:
        return self.one("2", "5", "7", "80", "131", "999")

    def leaf(self, scope: str) -> str:
        v, op = self.value(scope), self.one("=", "<>", "<", "<=", ">", ">=")
        forms = [
            f"station {op} {self.station()}",
            f"station IN ({self.station()}, {self.station()}, {self.station()})",
            f"station NOT IN ({self.station()}, {self.station()})",
            f"station::int = {self.station()}",
            f"station BETWEEN {self.station()} AND 100",
            f"date {op} DATE '{self.day()}'",
            f"date BETWEEN '{self.day()}' AND '{self.day()}'",
            f"date IN (DATE '{self.day()}', DATE '{self.day()}')",
            f"year(date) = {self.one('2020', '2021', '2022', '2023')}",
            f"month(date) = {self.one('1', '6', '12')}",
            f"date_trunc('month', date) = DATE '{self.day()[:8]}01'",
            f"date >= TIMESTAMP '{self.time()}'",
            f"{v} {op} {self.number()}",
            f"{v} BETWEEN {self.number()} AND {self.number()}",
            f"{v} IN ({self.number()}, {self.number()})",
            f"{v} IS NULL",
            f"{v} IS NOT NULL",
            f"{v}_qc IS NULL",
            f"{v}_qc IS NOT NULL",
            f"{v}_qc {self.one('=', '<>', '<')} '{self.one('R', 'M', 'Y', 'H', 'Z')}'",
            f"{v}_qc IN ('R', 'M', 'A')",
            f"{v}_qc LIKE '{self.one('R%', '%', 'M')}'",
            f"{v} IS DISTINCT FROM {self.number()}",
            f"{v} + 1 > {self.number()}",
            f"coalesce({v}, -99) < {self.number()}",
            f"NOT ({v} > {self.number()})",
            f"station + 1 = {self.station()}",
            f"station % 2 = {self.one('0', '1')}",
            f"{v} = {self.value(scope)}",
            f"station IN (SELECT station FROM stations WHERE elevation_m > {self.one('10', '50')})",
            "true",
        ]
        if scope == "hourly":
            forms += [
                f"time {op} TIMESTAMP '{self.time()}'",
                f"time::date = DATE '{self.day()}'",
                f"hour {op} {self.one('1', '12', '24')}",
                f"year(time) = {self.one('2021', '2022')}",
            ]
        return self.rng.choice(forms)

    def where(self, scope: str, depth: int = 3) -> str:
        if depth and self.rng.random() < 0.55:
            left, right = self.where(scope, depth - 1), self.where(scope, depth - 1)
            joined = f"({left} {self.one('AND', 'AND', 'OR')} {right})"
            return f"NOT {joined}" if self.rng.random() < 0.1 else joined
        return self.leaf(scope)

    def sql(self) -> str:
        scope = self.one("daily", "daily", "hourly")
        v, w = self.value(scope), self.value(scope)
        keys = "station, date" if scope == "daily" else "station, time"
        t = f"{scope} WHERE {self.where(scope)}"
        return self.rng.choice(
            [
                f"SELECT count(*) FROM {t}",
                f"SELECT {keys}, {v}, {w}_qc FROM {t}",
                f"SELECT * FROM {t}",
                f"SELECT station, count({v}), min({v}), max({w}), count(DISTINCT {v}_qc) "
                f"FROM {t} GROUP BY ALL",
                f"SELECT year(date), round(avg({v}), 6) FROM {t} GROUP BY ALL HAVING count(*) > 3",
                f"SELECT {keys}, {v} FROM {t} ORDER BY {v} DESC NULLS LAST, {keys} LIMIT 7",
                f"SELECT {keys}, lag({v}) OVER (PARTITION BY station ORDER BY {keys}) FROM {t}",
                f"SELECT {v}_qc, count(*) FROM {t} GROUP BY ALL",
                f"WITH x AS (SELECT * FROM {t}) SELECT a.station, count(*), max(a.{v} - b.{w}) "
                f"FROM x a JOIN {scope} b USING ({keys}) GROUP BY ALL",
                f"SELECT s.name, count(*), sum({v} > 5) FROM (SELECT * FROM {t}) d "
                "JOIN stations s USING (station) GROUP BY ALL",
                f"SELECT min(date), max(date) FROM {t}",
                f"SELECT DISTINCT station FROM {t}",
                f"SELECT station, date, {v} FROM {t} QUALIFY row_number() OVER "
                f"(PARTITION BY station ORDER BY {keys}) = 1",
            ]
        )


VALUES = {
    "daily": ("asce_eto", "air_tmp_avg", "precip", "rel_hum_avg", "sol_rad_avg"),
    "hourly": ("air_tmp", "precip", "rel_hum"),
}


def _ordered(frame: pl.DataFrame) -> pl.DataFrame:
    """Return rows in the order of the twins: closed years first, each by station and time."""
    late = pl.col("date").dt.year() == 2022
    return frame.with_columns(late.alias("late")).sort("late", maintain_order=True).drop("late")


def _same(one: list[Any], other: list[Any]) -> bool:
    def plain(rows: list[Any]) -> list[str]:
        return sorted(repr(tuple(-1e99 if v is None else v for v in row)) for row in rows)

    return plain(one) == plain(other)


KEPT = ("complete", "partial", "absent")
IN_EVERY_RUN = 30
"""Of the questions of a mirror that is partial or absent; the others are slow."""
ASKED = [
    pytest.param(
        number,
        kept,
        marks=[pytest.mark.slow] * (kept != "complete" and number >= IN_EVERY_RUN),
    )
    for kept in KEPT
    for number in range(QUESTIONS)
]


@pytest.fixture(scope="module")
def stores(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opener]:
    """Return how to open the network's store with the mirror in one of three states."""
    root = tmp_path_factory.mktemp("stale") / "d"
    shutil.copytree(network.root, root, ignore=shutil.ignore_patterns(".cache"))
    changed = [(Scope.DAILY, 5, 2021), (Scope.HOURLY, 80, 2022)]
    sound = {key: ChunkKey(key[0], key[2], station=key[1]).path(root) for key in changed}
    tables = {key: read_chunk(path) for key, path in sound.items()}
    put(root, [year_table(*key, seed=9) for key in changed])
    with open_store(root) as store:
        store.refresh()
        store.dataset("daily")
    shutil.copytree(root / ".cache", root / "older")
    put(root, list(tables.values()))
    with ExitStack() as stack:
        complete = stack.enter_context(open_store(network.root))
        absent = stack.enter_context(open_store(network.root, cache=0))
        partial: list[Store] = []

        def opened(kept: str) -> Store:
            if kept != "partial":
                return complete if kept == "complete" else absent
            while partial:
                partial.pop().close()
            shutil.rmtree(root / ".cache", ignore_errors=True)
            shutil.copytree(root / "older", root / ".cache")
            partial.append(stack.enter_context(open_store(root)))
            return partial[0]

        yield opened


@pytest.mark.parametrize(("number", "kept"), ASKED)
def test_sql_equals_sql_over_a_native_table(
    number: int, kept: str, stores: Opener, native: duckdb.DuckDBPyConnection
) -> None:
    question = Drawn(SEED + number).sql()
    found = stores(kept).sql(question).fetchall()
    assert _same(found, native.execute(question).fetchall()), question


C = pl.col


class Piped(Drawn):
    """Draws Polars pipelines in the same spirit."""

    def expression(self, scope: str, depth: int = 3) -> pl.Expr:
        if depth and self.rng.random() < 0.5:
            a, b = self.expression(scope, depth - 1), self.expression(scope, depth - 1)
            kind = self.one("and", "and", "or", "not")
            return a & b if kind == "and" else a | b if kind == "or" else ~a
        return self.rng.choice(self.leaves(scope))

    def leaves(self, scope: str) -> list[pl.Expr]:
        column = self.one("station", "date", self.value(scope))
        one: Any = {
            "station": int(self.station()),
            "date": dt.date.fromisoformat(self.day()),
        }.get(column, float(self.number()))
        v = C(self.value(scope))
        c = C(column)
        leaves = [
            c == one,
            c != one,
            c < one,
            c >= one,
            c.is_between(one, one),
            c.is_in([one]),
            C("station").is_in([2, 80, 999]),
            C("date").dt.year() == int(self.one("2020", "2021", "2022")),
            C("date").dt.year() > 2021,
            C("date").dt.month() == 6,
            C("date") >= dt.date.fromisoformat(self.day()),
            v.is_null(),
            v.is_not_null(),
            v > float(self.number()),
            v.is_between(0, float(self.number()), closed="right"),
            C(self.value(scope) + "_qc").is_null(),
            C(self.value(scope) + "_qc") == "R",
            C(self.value(scope) + "_qc").is_in(["M", "Y"]),
            (C("station") + 1) == 6,
            pl.lit(one) <= c,
            v.round(0) == 8,
        ]
        if scope == "hourly":
            leaves += [C("time") > dt.datetime.fromisoformat(self.time()), C("hour") == 24]
        return leaves

    def pipeline(self) -> tuple[str, Callable[[pl.LazyFrame], pl.LazyFrame]]:
        scope = self.one("daily", "daily", "hourly")
        keys = ["station", "date" if scope == "daily" else "time"]
        v = self.value(scope)
        predicate = self.expression(scope)
        shape = self.rng.randrange(9)
        few = self.rng.randrange(1, 400)

        def apply(frame: pl.LazyFrame) -> pl.LazyFrame:
            shapes: list[Callable[[], pl.LazyFrame]] = [
                lambda: frame.filter(predicate),
                lambda: frame.filter(predicate).select(*keys, v, v + "_qc"),
                lambda: (
                    frame.filter(predicate).group_by("station").agg(C(v).sum().round(6), pl.len())
                ),
                lambda: frame.head(few).select(*keys, v),
                lambda: frame.filter(predicate).head(few),
                lambda: frame.slice(few, 50).filter(predicate),
                lambda: frame.select(pl.len()),
                lambda: frame.filter(predicate).sort(v, *keys, nulls_last=True).head(5),
                lambda: frame.filter(predicate).join(
                    frame.select(*keys, C(v).alias("again")), on=keys
                ),
            ]
            return shapes[shape]()

        return scope, apply


@pytest.mark.parametrize(("number", "kept"), ASKED)
def test_polars_equals_polars_over_a_frame(
    number: int, kept: str, stores: Opener, network: Network
) -> None:
    drawn = Piped(SEED + number)
    scope, pipeline = drawn.pipeline()
    store = stores(kept)
    lazy = store.scan_daily() if scope == "daily" else store.scan_hourly()
    engine: Any = drawn.one("in-memory", "streaming")
    got = pipeline(lazy).collect(engine=engine)
    expected = pipeline(_ordered(network.wide[scope]).lazy()).collect()
    assert got.schema == expected.schema
    assert _same(got.rows(), expected.rows())
