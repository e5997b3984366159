"""Rows written without Arrow are, to the byte, what the Arrow path writes; and Arrow stays out."""

from __future__ import annotations

import datetime as dt
import io
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cimis.pipeline.field.items import Scope
from cimis.queries.export.sinks import write
from cimis.queries.point.texts import FORMATS, KINDS, as_bytes, plain_rows
from tests.queries.conftest import put, year_table

ROOT = Path(__file__).resolve().parents[2]

FIRST, LAST = dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59)  # noqa: DTZ001
BITS = {"TINY": 8, "SMALL": 16, "INT": 32, "BIG": 64}


def _values(kind: str) -> st.SearchStrategy[Any]:
    """Return what a column of a type may hold."""
    if kind.endswith(("INT", "INTEGER")):
        bits = BITS[kind.removeprefix("U").removesuffix("EGER" if "EGER" in kind else "INT")]
        low = 0 if kind.startswith("U") else -(2 ** (bits - 1))
        return st.integers(low, low + 2**bits - 1)
    tenths = st.integers(-10_000_000, 10_000_000).map(lambda n: n / 100)
    return {
        "DOUBLE": st.one_of(st.floats(), tenths),
        "VARCHAR": st.text(st.characters(exclude_categories=["Cs"])),
        "DATE": st.dates(),
        "TIMESTAMP": st.datetimes(FIRST, LAST),
        "TIMESTAMP_S": st.datetimes(FIRST, LAST).map(lambda t: t.replace(microsecond=0)),
        "BOOLEAN": st.booleans(),
    }[kind]


@st.composite
def answers(draw: st.DrawFn) -> tuple[list[str], list[tuple[Any, ...]]]:
    kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=4))
    row = st.tuples(*(st.none() | _values(kind) for kind in kinds))
    return kinds, draw(st.lists(row, max_size=6))


def _written(kinds: list[str], rows: list[tuple[Any, ...]], form: str) -> tuple[Any, bytes]:
    """Return the bytes of both paths, of a real engine's answer; None where one leaves it."""
    with duckdb.connect() as connection:
        heads = [f"c{place} {kind}" for place, kind in enumerate(kinds)]
        connection.execute(f"CREATE TABLE t (n INTEGER, {', '.join(heads)})")
        marks = ", ".join("?" for _ in kinds)
        for number, row in enumerate(rows):
            connection.execute(f"INSERT INTO t VALUES ({number}, {marks})", row)
        text = "SELECT * EXCLUDE n FROM t ORDER BY n"
        connection.execute(text)
        told = connection.description or []
        names, types = [head[0] for head in told], [str(head[1]) for head in told]
        assert set(types) <= set(KINDS)
        plain = plain_rows(names, types, connection.fetchall())
        table = connection.sql(text).to_arrow_table()
    stream = io.BytesIO()
    write(table.to_batches(), table.schema, stream, form)
    return None if plain is None else as_bytes(plain, form), stream.getvalue()


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=60, deadline=None)
@given(answer=answers())
@example(answer=(["VARCHAR"], [("",), (None,), (' "a",\n',), ("\t",), ("\x00\x1f\u2028é",)]))
@example(answer=(["DOUBLE"], [(0.1 + 0.2,), (-0.0,), (1e8,), (float("nan"),), (123456.789,)]))
@example(answer=(["DOUBLE"], [(1e9,)]))
@example(answer=(["DOUBLE"], [(0.0001,), (1.0,), (float("-inf"),)]))
@example(answer=(["TIMESTAMP", "TIMESTAMP_S", "DATE"], [(FIRST, FIRST, dt.date(1, 1, 1))]))
@example(answer=(["BOOLEAN", "UBIGINT"], [(True, 2**64 - 1), (False, 0), (None, None)]))
def test_every_type_is_written_as_the_arrow_path_does(
    form: str, answer: tuple[list[str], list[tuple[Any, ...]]]
) -> None:
    plain, arrow = _written(*answer, form)
    if plain is not None:
        assert plain == arrow


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_usual_values_of_each_type_are_not_left_to_arrow(kind: str) -> None:
    usual: dict[str, Any] = {
        "DOUBLE": -12.25,
        "VARCHAR": "R",
        "DATE": dt.date(2021, 6, 1),
        "TIMESTAMP": dt.datetime(2021, 6, 1, 12, 30, 0, 5),  # noqa: DTZ001
        "TIMESTAMP_S": dt.datetime(2021, 6, 1, 12, 30),  # noqa: DTZ001
        "BOOLEAN": True,
    }
    for form in FORMATS:
        plain, arrow = _written([kind], [(usual.get(kind, 7),), (None,)], form)
        assert plain == arrow


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A year of two stations, with its read cache."""
    place = tmp_path_factory.mktemp("plain")
    put(place, [year_table(Scope.DAILY, station, 2021) for station in (2, 80)])
    _run(place, "--format", "csv")
    return place


RUNNER = """
import sys
from cimis.cli.main import run
code = run(sys.argv[1:])
heavy = ("pyarrow", "numpy", "polars", "duckdb", "pandas", "httpx")
print(code, [name for name in heavy if name in sys.modules], file=sys.stderr)
"""
TEXT = "select station, date, asce_eto, asce_eto_qc from daily where station = 80 limit 9"


def _run(root: Path, *more: str, **how: Any) -> tuple[str, str]:
    words = ("sql", TEXT, "--data-dir", str(root), *more)
    done = subprocess.run(
        [sys.executable, "-c", RUNNER, *words],
        cwd=ROOT,
        check=True,
        timeout=120,
        text=True,
        stderr=subprocess.PIPE,
        **({"stdout": subprocess.PIPE} | how),
    )
    return done.stdout, done.stderr


@pytest.mark.parametrize("form", ["csv", "tsv", "json", "ndjson", "table"])
def test_sql_in_a_new_process_imports_no_library_that_it_does_not_need(
    form: str, root: Path
) -> None:
    out, err = _run(root, "--format", form)
    assert err.splitlines()[-1] == "0 []"
    assert "2021-01-01" in out


def test_nor_does_a_named_question(root: Path) -> None:
    words = ("sql", "rain-days", "--stations", "80", "--data-dir", str(root), "--json")
    done = subprocess.run(
        [sys.executable, "-c", RUNNER, *words], cwd=ROOT, check=True, text=True, capture_output=True
    )
    assert done.stderr.splitlines()[-1] == "0 []"


def test_nor_on_a_terminal(root: Path) -> None:
    far, near = pty.openpty()
    try:
        _, err = _run(root, stdout=near)
        os.close(near)
        assert b"asce_eto" in os.read(far, 65_536)
        assert err.splitlines()[-1] == "0 []"
    finally:
        os.close(far)
