"""Ranges never rule out a block that holds a match, and call a block whole only when it is."""

# ruff: noqa: DTZ001, SIM300
from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queries.expressions import columns_in, term_of
from queries.polars_terms import term_of_json
from queries.terms import (
    UNKNOWN,
    And,
    Compare,
    In,
    Missing,
    Not,
    Or,
    Range,
    Term,
    Unknown,
    columns_of,
    evaluate,
)

DAY = dt.date(2024, 1, 1)
BLOCK = 4


class _Table:
    """Ranges of a small table cut into blocks, worked out by plain means."""

    def __init__(self, table: pa.Table) -> None:
        self.blocks = [table.slice(at, BLOCK) for at in range(0, table.num_rows, BLOCK)]

    @property
    def size(self) -> int:
        return len(self.blocks)

    def of(self, column: str) -> Range | None:
        lows, highs, present, missing = [], [], [], []
        for block in self.blocks:
            cells = block[column].to_pylist()
            if isinstance(next((c for c in cells if c is not None), None), str):
                return None
            numbers = [
                (c - dt.date(1970, 1, 1)).days if isinstance(c, dt.date) else c
                for c in cells
                if c is not None
            ]
            lows.append(min(numbers, default=0))
            highs.append(max(numbers, default=0))
            present.append(bool(numbers))
            missing.append(len(numbers) < len(cells))
        return Range(np.array(lows), np.array(highs), np.array(present), np.array(missing))


ROWS = st.tuples(
    st.integers(1, 6),
    st.integers(0, 8),
    st.none() | st.sampled_from([-1.5, 0.0, 0.5, 1.0, 2.5]),
    st.none() | st.sampled_from(["M", "R"]),
)


def _table(rows: list[tuple[int, int, float | None, str | None]]) -> pa.Table:
    return pa.table(
        {
            "station": pa.array([r[0] for r in rows], pa.uint16()),
            "date": pa.array([DAY + dt.timedelta(days=r[1]) for r in rows], pa.date32()),
            "v": pa.array([r[2] for r in rows], pa.float64()),
            "f": pa.array([r[3] for r in rows], pa.string()),
        }
    )


@st.composite
def expressions(draw: st.DrawFn, engine: str, depth: int = 3) -> Any:
    """Draw a filter of one engine."""
    if depth and draw(st.booleans()):
        a = draw(expressions(engine, depth - 1))
        b = draw(expressions(engine, depth - 1))
        kind = draw(st.sampled_from(["and", "or", "not"]))
        return a & b if kind == "and" else a | b if kind == "or" else ~a
    name = draw(st.sampled_from(["station", "date", "v", "f"]))
    value: Any = {
        "station": st.integers(0, 7),
        "date": st.integers(-1, 9).map(lambda n: DAY + dt.timedelta(days=n)),
        "v": st.sampled_from([-2.0, -1.5, 0.25, 1.0, 3.0]),
        "f": st.sampled_from(["M", "R", "Q"]),
    }[name]
    field: Any = pc.field(name) if engine == "arrow" else pl.col(name)
    form = draw(st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "in", "null", "valid", "swap"]))
    if form == "in":
        values = draw(st.lists(value, min_size=1, max_size=3))
        return field.isin(values) if engine == "arrow" else field.is_in(values)
    if form in ("null", "valid"):
        missing = form == "null"
        if engine == "arrow":
            return field.is_null() if missing else field.is_valid()
        return field.is_null() if missing else field.is_not_null()
    one: Any = draw(value)
    if form == "swap":
        return (pc.scalar(one) < field) if engine == "arrow" else (pl.lit(one) < field)
    return {
        "==": lambda: field == one,
        "!=": lambda: field != one,
        "<": lambda: field < one,
        "<=": lambda: field <= one,
        ">": lambda: field > one,
        ">=": lambda: field >= one,
    }[form]()


def _sound(term: Term, table: _Table, matches: list[int]) -> None:
    outcome = evaluate(term, table)
    for block, found, true, every in zip(
        table.blocks, matches, outcome.true, outcome.every, strict=True
    ):
        assert true or not found
        assert not every or found == block.num_rows


@settings(max_examples=300)
@given(st.lists(ROWS, min_size=1, max_size=16), expressions("arrow"))
def test_an_arrow_filter_never_loses_a_row(rows: list[Any], expression: Any) -> None:
    table = _Table(_table(rows))
    matches = [block.filter(expression).num_rows for block in table.blocks]
    _sound(term_of(expression), table, matches)


@settings(max_examples=300)
@given(st.lists(ROWS, min_size=1, max_size=16), expressions("polars"))
def test_a_polars_predicate_never_loses_a_row(rows: list[Any], expression: Any) -> None:
    table = _Table(_table(rows))
    frames = [pl.from_arrow(block) for block in table.blocks]
    matches = [f.filter(expression).height for f in frames if isinstance(f, pl.DataFrame)]
    _sound(term_of_json(expression.meta.serialize(format="json")), table, matches)


FIELD = pc.field("station")
NULL = pa.scalar(None, pa.bool_())


@pytest.mark.parametrize(
    ("expression", "term"),
    [
        (FIELD == pa.scalar(2, pa.uint16()), Compare("station", "==", 2)),
        (pc.field("date") >= pa.scalar(DAY), Compare("date", ">=", 19_723)),
        (
            pc.field("time") < pa.scalar(dt.datetime(1970, 1, 2), pa.timestamp("s")),
            Compare("time", "<", 86_400),
        ),
        (
            pc.field("time") < pa.scalar(dt.datetime(1970, 1, 1, 0, 0, 0, 5)),
            Compare("time", "<=", 0),
        ),
        (pc.field("time") == pa.scalar(dt.datetime(1970, 1, 1, 0, 0, 0, 5)), In("time", ())),
        (FIELD.is_null(), Missing("station")),
        (FIELD.is_valid(), Not(Missing("station"))),
        (
            pc.if_else(FIELD.is_valid(), FIELD.isin(pa.array([5, 2], pa.uint16())), NULL),
            And(Not(Missing("station")), And(Not(Missing("station")), In("station", (2, 5)))),
        ),
        ((FIELD == 1) | (FIELD == 2), Or(Compare("station", "==", 1), Compare("station", "==", 2))),
        (pc.field("f") == "M", Unknown(("f",))),
        (pc.month(pc.field("date")) == 1, UNKNOWN),
    ],
)
def test_the_installed_pyarrow_is_understood(expression: Any, term: Term) -> None:
    found = term_of(expression)
    assert found == term or (isinstance(term, Unknown) and isinstance(found, Unknown))


C = pl.col


@pytest.mark.parametrize(
    ("expression", "term"),
    [
        (C("station") == 2, Compare("station", "==", 2)),
        (pl.lit(3) <= C("station"), Compare("station", ">=", 3)),
        (C("date") >= DAY, Compare("date", ">=", 19_723)),
        (C("time") > dt.datetime(1970, 1, 2), Compare("time", ">", 86_400)),
        (
            C("date").dt.year() == 2024,
            And(Compare("date", ">=", 19_723), Compare("date", "<", 20_089)),
        ),
        (C("v").is_null(), Missing("v")),
        (C("v").is_not_null(), Not(Missing("v"))),
        (
            C("v").is_between(1.5, 2.5, closed="left"),
            And(Compare("v", ">=", 1.5), Compare("v", "<", 2.5)),
        ),
        (C("date").dt.month() == 1, UNKNOWN),
    ],
)
def test_the_installed_polars_is_understood(expression: pl.Expr, term: Term) -> None:
    """As a plan hands it over, that is with its constants in the columns' types."""
    kinds: list[tuple[str, pl.DataType]] = [
        ("station", pl.UInt16()),
        ("date", pl.Date()),
        ("time", pl.Datetime("ms")),
        ("v", pl.Float64()),
    ]
    schema = pl.Schema(kinds)
    seen: list[Term] = []

    def source(_c: Any, predicate: pl.Expr | None, _n: Any, _b: Any) -> Any:
        assert predicate is not None
        seen.append(term_of_json(predicate.meta.serialize(format="json")))
        yield pl.DataFrame(schema=schema)

    from polars.io.plugins import register_io_source

    register_io_source(source, schema=schema).filter(expression).collect()
    assert seen == [term]


def test_a_filters_columns_are_found_even_where_its_meaning_is_not() -> None:
    expression = (pc.month(pc.field("date")) == 1) & (pc.field("v") > 1)
    assert columns_in(expression, ["station", "date", "v"]) == ["date", "v"]
    assert set(columns_of(term_of(expression))) >= {"v"}


def test_a_very_deep_filter_is_no_trouble() -> None:
    expression = FIELD == 0
    for station in range(1, 3_000):
        expression = expression | (FIELD == station)
    assert columns_in(expression, ["station"]) == ["station"]
