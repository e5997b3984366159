"""Tables as people give them: columns known by name, in any Arrow type, and nothing left out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cimis
from cimis.pipeline.chunks import (
    ChunkKey,
    read_chunk,
    read_footer,
    read_scaled,
    store_rows,
    write_chunk,
)
from cimis.pipeline.chunks.arrow import take_apart
from cimis.pipeline.chunks.given.check import check
from cimis.pipeline.chunks.given.table import whole_chunk
from cimis.pipeline.errors import ChunkError, CimisError, UsageError
from cimis.pipeline.field.items import Scope, scope_items
from cimis.pipeline.rows.keys import arrange

DAYS = [dt.date(2024, 1, 1), dt.date(2024, 1, 2), dt.date(2024, 1, 4)]
HOURS = [dt.datetime(2024, 1, 1, 1), dt.datetime(2024, 1, 1, 2), dt.datetime(2024, 1, 2, 0)]  # noqa: DTZ001
KEY = ChunkKey(Scope.DAILY, 2024, station=2)


def _daily(**columns: Any) -> pa.Table:
    return pa.table({"station": [2, 2, 2], "date": DAYS, **columns})


def _hourly(**columns: Any) -> pa.Table:
    return pa.table({"station": [2, 2, 2], **columns})


PLAIN = _daily(
    air_tmp_avg=[8.1, None, -4.25], air_tmp_avg_qc=[None, "M", "R"], precip=[0.0, 2.54, 0.1]
)


def _back(path: Path, table: Any, form: str = "v2") -> pa.Table:
    info = write_chunk(path / "c.zst", table, format=form)
    assert info.losses == {} or form == "v1"
    return read_chunk(path / "c.zst")


SHAPES: dict[str, Callable[[], Any]] = {
    "table": lambda: PLAIN,
    "batch": lambda: PLAIN.to_batches()[0],
    "reader": PLAIN.to_reader,
    "polars": lambda: pl.from_arrow(PLAIN),
    "polars to_arrow": lambda: pl.DataFrame(pl.from_arrow(PLAIN)).to_arrow(),
    "chunks": lambda: pa.concat_tables([PLAIN.slice(0, 1), PLAIN.slice(1)]),
    "codes": lambda: PLAIN.rename_columns(
        ["station", "date", "day-air-tmp-avg", "day-air-tmp-avg_qc", "DayPrecip"]
    ),
    "other order": lambda: PLAIN.select(PLAIN.schema.names[::-1]),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_plain_table_comes_back_as_it_was_given(tmp_path: Path, shape: str) -> None:
    rows = _back(tmp_path, SHAPES[shape]())
    assert rows["date"].to_pylist() == DAYS
    assert rows["station"].to_pylist() == [2, 2, 2]
    assert rows["air_tmp_avg"].to_pylist() == [8.1, None, -4.25]
    assert rows["air_tmp_avg_qc"].to_pylist() == [None, "M", "R"]
    assert rows["precip"].to_pylist() == [0.0, 2.54, 0.1]
    columns = {c.code: (c.unit, c.decimals) for c in read_footer(tmp_path / "c.zst").columns}
    assert columns == {"day-air-tmp-avg": ("(C)", 2), "day-precip": ("(mm)", 2)}


def test_a_pandas_table_comes_back_as_it_was_given(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"station": 2, "date": pandas.to_datetime(DAYS), "precip": [0.1, float("nan"), 2.54]}
    )
    assert _back(tmp_path, frame)["precip"].to_pylist() == [0.1, None, 2.54]
    assert _back(tmp_path, pa.Table.from_pandas(frame))["precip"].to_pylist() == [0.1, None, 2.54]
    with pytest.raises(ChunkError, match="__index_level_0__") as refusal:
        write_chunk(tmp_path / "c.zst", frame.set_axis([7, 1, 3]))
    assert "reset_index" in str(refusal.value.hint)


def test_store_rows_knows_columns_by_name_too(tmp_path: Path) -> None:
    store_rows(tmp_path, KEY, PLAIN.slice(0, 2))
    store_rows(tmp_path, KEY, pl.DataFrame(pl.from_arrow(PLAIN.slice(2))))
    rows = read_chunk(KEY.path(tmp_path))
    assert rows["air_tmp_avg"].to_pylist() == [8.1, None, -4.25]
    assert rows["air_tmp_avg_qc"].to_pylist() == [None, "M", "R"]


@pytest.mark.parametrize("form", ["v2", "v1"])
def test_a_query_s_answer_can_be_written_again(tmp_path: Path, form: str) -> None:
    first = _back(tmp_path, PLAIN, form)
    frame = pl.DataFrame(pl.from_arrow(first))
    assert _back(tmp_path, frame, form).equals(first)


TYPES: dict[str, tuple[pa.DataType, Any, list[float | None]]] = {
    "float32": (pa.float32(), [8.1, None, 123456.7], [8.1, None, 123456.7]),
    "float16": (pa.float16(), np.array([8.5, 0.25, 100], np.float16), [8.5, 0.25, 100.0]),
    "int8": (pa.int8(), [8, None, -4], [8.0, None, -4.0]),
    "uint16": (pa.uint16(), [8, None, 65_535], [8.0, None, 65_535.0]),
    "uint64": (pa.uint64(), [8, None, 1 << 40], [8.0, None, float(1 << 40)]),
    "int64": (pa.int64(), [8, None, -4], [8.0, None, -4.0]),
    "decimal32": (pa.decimal32(9, 3), [Decimal("8.125"), None, Decimal(-4)], [8.125, None, -4.0]),
    "decimal64": (pa.decimal64(18, 9), [Decimal("8.5"), None, Decimal(-4)], [8.5, None, -4.0]),
    "decimal128": (
        pa.decimal128(38, 18),
        [Decimal("25.4"), None, Decimal("-0.000001")],
        [25.4, None, -0.000001],
    ),
    "decimal256": (pa.decimal256(76, 30), [Decimal("25.4"), None, Decimal(-4)], [25.4, None, -4.0]),
    "dictionary": (pa.dictionary(pa.int8(), pa.float64()), [8.1, None, 8.1], [8.1, None, 8.1]),
    "null": (pa.null(), [None, None, None], [None, None, None]),
}


@pytest.mark.parametrize("name", TYPES)
def test_values_of_every_type_of_number_come_back(tmp_path: Path, name: str) -> None:
    kind, values, due = TYPES[name]
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    array = pa.array(values, plain)
    table = _daily(precip=array.dictionary_encode() if plain != kind else array)
    assert _back(tmp_path, table)["precip"].to_pylist() == due


def test_a_float32_is_the_decimal_that_it_prints_as_and_is_not_rounded(tmp_path: Path) -> None:
    values = np.array([8.1, 1.2345678e-5, 16777.217], np.float32)
    back = _back(tmp_path, _daily(precip=values))["precip"]
    assert [str(np.float32(v)) for v in back.to_pylist()] == [str(v) for v in values]
    assert back.to_pylist() == [8.1, 0.000012345678, 16777.217]


@pytest.mark.parametrize("value", [0.1 + 0.2, 1 / 3, 1e300, 5e-324, 12345678.123456789])
def test_a_float_that_is_no_short_decimal_stays_a_double(tmp_path: Path, value: float) -> None:
    back = _back(tmp_path, _daily(precip=[value, None, 2.54]))
    assert back["precip"].to_pylist() == [value, None, 2.54]


def test_scaled_integers_are_told_by_their_metadata(tmp_path: Path) -> None:
    field = pa.field("precip", pa.int32(), metadata={b"decimals": b"4"})
    table = _daily(precip=[1, None, 25_400])
    table = table.set_column(2, field, table["precip"].cast(pa.int32()))
    assert _back(tmp_path, table)["precip"].to_pylist() == [0.0001, None, 2.54]


def test_nan_is_missing_and_counted(tmp_path: Path) -> None:
    table = _daily(precip=[float("nan"), None, 2.54], eto=[1.0, 2.0, 3.0])
    assert write_chunk(tmp_path / "c.zst", table).nans == {"precip": 1}
    assert read_chunk(tmp_path / "c.zst")["precip"].to_pylist() == [None, None, 2.54]
    assert store_rows(tmp_path, KEY, table).info.nans == {"precip": 1}


FLAGS: dict[str, pa.DataType] = {
    "string": pa.string(),
    "large_string": pa.large_string(),
    "string_view": pa.string_view(),
    "dictionary": pa.dictionary(pa.uint32(), pa.large_string()),
}


@pytest.mark.parametrize("kind", FLAGS)
def test_flags_of_every_type_of_text_come_back(tmp_path: Path, kind: str) -> None:
    flags = pa.array(["R", None, ""]).cast(pa.string())
    if kind == "dictionary":
        flags = flags.dictionary_encode().cast(FLAGS[kind])
    else:
        flags = flags.cast(FLAGS[kind])
    table = _daily(precip=[1.0, 2.0, 3.0], precip_qc=flags)
    assert _back(tmp_path, table)["precip_qc"].to_pylist() == ["R", None, None]


def _stamps(kind: pa.DataType, shift_h: int = 0) -> pa.Array:
    naive = pa.array(HOURS, pa.timestamp("s")).cast(pa.int64()).to_pylist()
    per = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit]
    return pa.array([(n + shift_h * 3600) * per for n in naive]).cast(kind)


TIMES: dict[str, dict[str, Any]] = {
    **{unit: {"time": _stamps(pa.timestamp(unit))} for unit in ("s", "ms", "us", "ns")},
    "UTC": {"time": _stamps(pa.timestamp("us", "UTC"), 8)},
    "Los Angeles": {"time": _stamps(pa.timestamp("ms", "America/Los_Angeles"), 8)},
    "date and hour": {
        "date": [dt.date(2024, 1, 1)] * 3,
        "hour": pa.array([1, 2, 24], pa.int64()),
    },
    "all": {
        "time": _stamps(pa.timestamp("ns")),
        "date": pa.array([dt.date(2024, 1, 1)] * 3, pa.date64()),
        "hour": pa.array([1, 2, 24], pa.int8()),
    },
}


@pytest.mark.parametrize("name", TIMES)
def test_hours_of_every_form_are_the_network_s(tmp_path: Path, name: str) -> None:
    back = _back(tmp_path, _hourly(**TIMES[name], air_tmp=[8.1, 8.2, 8.3]))
    assert back["time"].to_pylist() == HOURS
    assert back["date"].to_pylist() == [dt.date(2024, 1, 1)] * 3
    assert back["hour"].to_pylist() == [1, 2, 24]
    assert back["air_tmp"].to_pylist() == [8.1, 8.2, 8.3]


@pytest.mark.parametrize(
    "kind", [pa.date32(), pa.date64(), pa.timestamp("s"), pa.timestamp("us"), pa.timestamp("ns")]
)
def test_dates_of_every_type_are_days(tmp_path: Path, kind: pa.DataType) -> None:
    table = _daily(precip=[1.0, 2.0, 3.0])
    table = table.set_column(1, "date", pa.array(DAYS, pa.date32()).cast(kind))
    assert _back(tmp_path, table)["date"].to_pylist() == DAYS


def _with(name: str, values: Any, kind: pa.DataType | None = None) -> pa.Table:
    table = PLAIN.drop_columns([name]) if name in PLAIN.schema.names else PLAIN
    return table.append_column(name, pa.array(values, kind))


RAIN = pa.array([1.0, 2.0, 3.0])
REFUSED: dict[str, tuple[Callable[[], pa.Table], str]] = {
    "unknown column": (lambda: _with("rain", RAIN), "'rain' is neither"),
    "unknown flags": (lambda: _with("rain_qc", ["R", "R", "R"]), "'rain_qc' is neither"),
    "flags without values": (lambda: _with("eto_qc", ["R", "R", "R"]), "'eto_qc'"),
    "hourly item": (lambda: _with("air_tmp", RAIN), "'air_tmp' is hourly"),
    "daily item": (
        lambda: _hourly(time=HOURS, air_tmp_avg=RAIN),
        "'air_tmp_avg' is daily",
    ),
    "item twice": (lambda: _with("day-precip", RAIN), "'precip' and 'day-precip'"),
    "column twice": (
        lambda: pa.table([[2], [DAYS[0]], [1.0], [2.0]], names=["station", "date", "eto", "eto"]),
        "two columns 'eto'",
    ),
    "metadata of another item": (
        lambda: PLAIN.cast(
            pa.schema(
                [
                    f.with_metadata({b"item": b"day-eto"}) if f.name == "precip" else f
                    for f in PLAIN.schema
                ]
            )
        ),
        "'precip' says in its metadata that it is 'day-eto'",
    ),
    "text values": (lambda: _with("precip", ["1", "2", "3"]), "'precip' is string"),
    "booleans": (lambda: _with("precip", [True, False, None]), "'precip' is bool"),
    "number flags": (lambda: _with("air_tmp_avg_qc", [1, 2, 3]), "'air_tmp_avg_qc' is int64"),
    "long flag": (lambda: _with("air_tmp_avg_qc", ["R", "RRRR", None]), "more than 3 characters"),
    "infinity": (lambda: _with("precip", [1.0, float("-inf"), 2.0]), "'precip' holds -inf"),
    "huge decimals": (
        lambda: _with("precip", [Decimal(10) ** 30] * 3, pa.decimal256(76, 0)),
        "'precip' needs more",
    ),
    "fine decimals": (
        lambda: _with("precip", [Decimal("1e-25")] * 3, pa.decimal256(76, 30)),
        "'precip' needs more",
    ),
    "long integers": (lambda: _with("precip", [1, 2, (1 << 53) + 1]), "'precip' holds"),
    "long decimals": (
        lambda: _with("precip", [Decimal("12345678901234.56789")] * 3),
        "'precip' holds",
    ),
    "huge integers": (lambda: _with("precip", [1 << 63] * 3, pa.uint64()), "'precip' holds"),
    "stations": (lambda: _with("station", [2, 5, 7]), "3 stations"),
    "station 0": (lambda: _with("station", [0, 0, 0]), "station 0 is not in 1..65535"),
    "station beyond": (lambda: _with("station", [65_536] * 3), "station 65536 is not in"),
    "no station": (lambda: _with("station", [2, None, 2]), "no station"),
    "station text": (lambda: _with("station", ["2", "2", "2"]), "'station' is string"),
    "years": (
        lambda: _with("date", [DAYS[0], dt.date(2023, 1, 1), DAYS[1]]),
        r"2 years \(2023, 2024\)",
    ),
    "day twice": (lambda: _with("date", [DAYS[0], DAYS[1], DAYS[0]]), "2024-01-01 is there twice"),
    "no date": (lambda: PLAIN.drop_columns(["date"]), "'date'"),
    "missing date": (lambda: _with("date", [DAYS[0], None, DAYS[1]]), "no date"),
    "date text": (lambda: _with("date", ["2024-01-01"] * 3), "'date' is string"),
    "date in a zone": (
        lambda: _with("date", _stamps(pa.timestamp("s", "UTC"))),
        "'date' has the time zone UTC",
    ),
    "time of day in a date": (lambda: _with("date", HOURS), "not a whole day: 2024-01-01 01:00"),
    "no rows": (lambda: PLAIN.slice(0, 0), "none"),
    "neither station nor target": (lambda: PLAIN.drop_columns(["station"]), "station"),
    "hour 0": (
        lambda: _hourly(date=DAYS, hour=[1, 0, 2], air_tmp=RAIN),
        "hour 0 is not in 1..24",
    ),
    "hour 25": (lambda: _hourly(date=DAYS, hour=[1, 25, 2], air_tmp=RAIN), "hour 25 is not in"),
    "hour without date": (lambda: _hourly(hour=[1, 2, 3], air_tmp=RAIN), "both 'date' and 'hour'"),
    "hour that is another": (
        lambda: _hourly(time=HOURS, date=[DAYS[0]] * 3, hour=[1, 2, 23], air_tmp=RAIN),
        "time and hour disagree in 1 row.*2024-01-01 hour 24",
    ),
    "date that is another": (
        lambda: _hourly(time=HOURS, date=[DAYS[0], DAYS[0], DAYS[1]], air_tmp=RAIN),
        "time and date disagree in 1 row.*2024-01-01 hour 24",
    ),
    "hour twice": (
        lambda: _hourly(date=[DAYS[0]] * 3, hour=[1, 2, 1], air_tmp=RAIN),
        "2024-01-01 hour 1 is there twice",
    ),
    "half hour": (
        lambda: _hourly(time=[h + dt.timedelta(minutes=30) for h in HOURS], air_tmp=RAIN),
        "not a full hour: 2024-01-01 01:30",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
@pytest.mark.parametrize("form", ["v2", "v1"])
def test_what_a_chunk_cannot_hold_is_refused_by_name(tmp_path: Path, what: str, form: str) -> None:
    """And what was there stays."""
    path = tmp_path / "c.zst"
    write_chunk(path, PLAIN)
    before = path.read_bytes()
    make, reason = REFUSED[what]
    with pytest.raises(ChunkError, match=reason) as refusal:
        write_chunk(path, make(), format=form)
    assert str(path) in str(refusal.value)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "what", [w for w in REFUSED if w not in {"day twice", "hour twice", "no rows"}]
)
def test_store_rows_refuses_the_same(tmp_path: Path, what: str) -> None:
    make, _ = REFUSED[what]
    table = make()
    scope = Scope.HOURLY if {"time", "hour"} & set(table.schema.names) else Scope.DAILY
    if what == "neither station nor target":
        pytest.skip("the key says the station")
    number = 0 if what == "station 0" else 2
    with pytest.raises(ChunkError):
        store_rows(tmp_path, ChunkKey(scope, 2024, station=number), table)
    assert not list(tmp_path.rglob("*.zst"))


@pytest.mark.parametrize("thing", [{"station": [2]}, [1], None, pl.LazyFrame({"station": [2]})])
def test_what_is_no_table_is_wrong_use(tmp_path: Path, thing: Any) -> None:
    with pytest.raises(UsageError, match="is no table") as refusal:
        cimis.write_chunk(tmp_path / "c.zst", thing)
    assert refusal.value.hint


@pytest.mark.parametrize("change", ["value", "gap", "flag", "row", "column"])
def test_rows_that_are_not_those_given_are_noticed(change: str) -> None:
    """Whatever were wrong between the table and the chunk: the caller's table is the measure."""
    source = whole_chunk(PLAIN)
    parts = take_apart(arrange(source.table, Scope.DAILY)[0], source.key)
    check(source, parts)
    if change == "value":
        parts.values[1].numbers[1] += 1
    elif change == "gap":
        assert parts.values[0].missing is not None
        parts.values[0].missing[1] = False
    elif change == "flag":
        parts.flags[0].numbers[0] = 1
    elif change == "row":
        parts = take_apart(arrange(source.table, Scope.DAILY)[0].slice(1), source.key)
    else:
        parts.values.pop()
        parts.flags.pop()
    with pytest.raises(ChunkError, match="the chunk would have"):
        check(source, parts)


KINDS = st.sampled_from(["float64", "float32", "int", "decimal", "dictionary"])
_FLOATS = st.one_of(
    st.floats(allow_nan=True, allow_infinity=False),
    st.integers(-(10**7), 10**7).map(lambda n: n / 100),
)


@st.composite
def _columns(draw: st.DrawFn, rows: int) -> tuple[pa.Array, list[Any]]:
    """Return a column, and the numbers that must come back; NaN is missing."""
    kind = draw(KINDS)
    some = {
        "float64": _FLOATS,
        "float32": st.floats(width=32, allow_infinity=False),
        "int": st.integers(-(10**12), 10**12),
        "decimal": st.decimals(-(10**9), 10**9, places=draw(st.integers(0, 6))),
        "dictionary": _FLOATS,
    }[kind]
    values = draw(st.lists(st.none() | some, min_size=rows, max_size=rows))
    plain = {"float32": pa.float32(), "int": pa.int64(), "decimal": pa.decimal128(30, 6)}
    array = pa.array(values, plain.get(kind, pa.float64()))
    due = [None if v is None or v != v else v for v in values]
    if kind == "dictionary":
        array = array.dictionary_encode()
    return array, due


@st.composite
def _tables(draw: st.DrawFn) -> tuple[pa.Table, dict[str, list[Any]], dict[str, list[str | None]]]:
    scope = draw(st.sampled_from(list(Scope)))
    items = draw(st.lists(st.sampled_from(scope_items(scope)), min_size=1, max_size=4, unique=True))
    places = draw(st.lists(st.integers(0, 8783), min_size=1, max_size=12, unique=True))
    if scope is Scope.DAILY:
        places = sorted({p % 366 for p in places}, reverse=draw(st.booleans()))
        first = dt.date(2024, 1, 1)
        keys: dict[str, Any] = {"date": [first + dt.timedelta(days=p) for p in places]}
    else:
        start = dt.datetime(2024, 1, 1, 1)  # noqa: DTZ001
        keys = {"time": [start + dt.timedelta(hours=p) for p in places]}
    rows = len(places)
    values: dict[str, list[Any]] = {}
    flags: dict[str, list[str | None]] = {}
    columns: dict[str, Any] = {"station": [draw(st.integers(1, 65_535))] * rows, **keys}
    for item in items:
        name = draw(st.sampled_from([item.column, item.code]))
        columns[name], values[item.column] = draw(_columns(rows))
        if draw(st.booleans()):
            some = st.none() | st.sampled_from(["R", "M", "", "N/A", " "])
            flags[item.column] = draw(st.lists(some, min_size=rows, max_size=rows))
            columns[f"{name}_qc"] = pa.array(flags[item.column], pa.string())
    order = np.argsort(places)
    table = pa.table(columns)
    return (
        table,
        {name: [column[n] for n in order] for name, column in values.items()},
        {name: [column[n] or None for n in order] for name, column in flags.items()},
    )


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(_tables(), st.booleans())
def test_any_table_comes_back_as_it_was_given(
    tmp_path_factory: pytest.TempPathFactory,
    case: tuple[pa.Table, dict[str, list[Any]], dict[str, list[str | None]]],
    as_polars: bool,
) -> None:
    table, values, flags = case
    path = tmp_path_factory.mktemp("given") / "c.zst"
    write_chunk(path, pl.DataFrame(pl.from_arrow(table)) if as_polars else table)
    back = read_chunk(path)
    assert back.num_rows == table.num_rows
    items = [n for n in back.schema.names if f"{n}_qc" in back.schema.names]
    assert set(items) == set(values)
    exact = read_scaled(path)
    for name, due in values.items():
        spelled = (name, f"day_{name}", f"hly_{name}")
        kind = next(f.type for f in table.schema if f.name.replace("-", "_") in spelled)
        found = back[name].to_pylist()
        assert [v is None for v in found] == [v is None for v in due], name
        pairs = [(a, b) for a, b in zip(found, due, strict=True) if b is not None]
        if pa.types.is_float32(kind):
            assert [np.float32(a) for a, _ in pairs] == [np.float32(b) for _, b in pairs]
        elif pa.types.is_decimal(kind):
            places = int(exact.schema.field(name).metadata[b"decimals"])
            whole = [v for v in exact[name].to_pylist() if v is not None]
            assert [Decimal(w).scaleb(-places) for w in whole] == [b for _, b in pairs]
        else:
            assert [a for a, _ in pairs] == [b for _, b in pairs]
        assert back[f"{name}_qc"].to_pylist() == flags.get(name, [None] * len(due))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(_tables())
def test_v1_counts_what_does_not_come_back(
    tmp_path_factory: pytest.TempPathFactory,
    case: tuple[pa.Table, dict[str, list[Any]], dict[str, list[str | None]]],
) -> None:
    """What is not among the losses is as it was given."""
    table, values, flags = case
    path = tmp_path_factory.mktemp("given") / "c.zst"
    try:
        info = write_chunk(path, table, format="v1")
    except CimisError as error:
        pytest.fail(str(error))
    back = read_chunk(path)
    for name, due in values.items():
        if name not in back.schema.names:
            absent = sum(
                1
                for v, f in zip(due, flags.get(name, [None] * len(due)), strict=True)
                if v is not None or f is not None
            )
            assert info.losses.get(name, 0) == absent
        elif name not in info.losses:
            found = back[name].to_pylist()
            assert found == [None if v is None else pytest.approx(float(v)) for v in due]
            assert back[f"{name}_qc"].to_pylist() == flags.get(name, [None] * len(due))
