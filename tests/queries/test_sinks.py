"""Rows written to each format read back as they were, whole or not at all."""

# ruff: noqa: DTZ001
from __future__ import annotations

import csv
import datetime as dt
import gc
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cimis.pipeline.errors import StoreError, UsageError
from cimis.pipeline.field.items import Scope, resolve
from cimis.pipeline.rows.schema import FLAG_TYPE, physical_schema
from cimis.queries.export.sinks import FORMATS, format_of, write
from cimis.queries.timing import QueryTimings

SCHEMA = physical_schema(Scope.HOURLY, resolve("air_tmp,rel_hum", Scope.HOURLY))


def _batch(
    stations: list[int], values: list[float | None], flags: list[str | None]
) -> pa.RecordBatch:
    n = len(stations)
    times = [dt.datetime(2024, 6, 1, 1) + dt.timedelta(hours=i) for i in range(n)]
    columns = {
        "station": pa.array(stations, pa.uint16()),
        "time": pa.array(times, pa.timestamp("s")),
        "date": pa.array([dt.date(2024, 6, 1)] * n, pa.date32()),
        "hour": pa.array([i % 24 + 1 for i in range(n)], pa.uint8()),
        "air_tmp": pa.array(values, pa.float64()),
        "air_tmp_qc": pa.array(flags, pa.string()).dictionary_encode().cast(FLAG_TYPE),
        "rel_hum": pa.array([56.0] * n, pa.float64()),
        "rel_hum_qc": pa.array([None] * n, pa.string()).dictionary_encode().cast(FLAG_TYPE),
    }
    return pa.RecordBatch.from_arrays(list(columns.values()), schema=SCHEMA)


BATCHES = [_batch([2, 2], [8.1, None], [None, "M"]), _batch([5], [-0.5], ["R"])]


def _written(name: str, batches: list[pa.RecordBatch] = BATCHES) -> bytes:
    stream = io.BytesIO()
    write(batches, SCHEMA, stream, name)
    return stream.getvalue()


def test_csv_prints_decimals_as_the_service_does_and_leaves_missing_empty() -> None:
    assert _written("csv").decode() == (
        "station,time,date,hour,air_tmp,air_tmp_qc,rel_hum,rel_hum_qc\n"
        "2,2024-06-01T01:00:00,2024-06-01,1,8.1,,56,\n"
        "2,2024-06-01T02:00:00,2024-06-01,2,,M,56,\n"
        "5,2024-06-01T01:00:00,2024-06-01,1,-0.5,R,56,\n"
    )


def test_tsv_differs_from_csv_in_its_separator_only() -> None:
    assert _written("tsv") == _written("csv").replace(b",", b"\t")


def test_json_is_one_array_and_missing_is_null() -> None:
    rows = json.loads(_written("json"))
    assert len(rows) == 3
    assert rows[1] == {
        "station": 2,
        "time": "2024-06-01T02:00:00",
        "date": "2024-06-01",
        "hour": 2,
        "air_tmp": None,
        "air_tmp_qc": "M",
        "rel_hum": 56,
        "rel_hum_qc": None,
    }


def test_ndjson_holds_the_rows_of_json_one_a_line() -> None:
    lines = _written("ndjson").decode().splitlines()
    assert [json.loads(line) for line in lines] == json.loads(_written("json"))


def _read(name: str, data: bytes) -> pa.Table:
    source = pa.BufferReader(data)
    return pq.read_table(source) if name == "parquet" else pa.ipc.open_file(source).read_all()


@pytest.mark.parametrize("name", ["parquet", "arrow"])
def test_columnar_files_keep_values_flags_and_units(name: str) -> None:
    table = _read(name, _written(name))
    assert table.to_pylist() == pa.Table.from_batches(BATCHES).to_pylist()
    assert table.schema.field("air_tmp").metadata[b"unit"] == b"(C)"
    assert table.schema.field("air_tmp_qc").type == pa.string()


@pytest.mark.parametrize(
    ("name", "expected"),
    [("csv", b"station,time,date,hour,air_tmp,air_tmp_qc,rel_hum,rel_hum_qc\n"), ("ndjson", b"")],
)
def test_an_empty_answer_is_a_header_alone(name: str, expected: bytes) -> None:
    assert _written(name, []) == expected
    assert json.loads(_written("json", [])) == []
    for columnar in ("parquet", "arrow"):
        table = _read(columnar, _written(columnar, []))
        assert (table.num_rows, table.schema.names) == (0, SCHEMA.names)


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)


@given(st.lists(st.tuples(st.none() | TEXTS, st.none() | st.floats(allow_nan=False))))
def test_any_text_and_number_survives_csv_and_json(
    rows: list[tuple[str | None, float | None]],
) -> None:
    schema = pa.schema([('a "b", c', pa.string()), ("v", pa.float64())])
    batch = pa.RecordBatch.from_arrays(
        [pa.array([r[0] for r in rows], pa.string()), pa.array([r[1] for r in rows], pa.float64())],
        schema=schema,
    )
    finite = [v if v is None or abs(v) != float("inf") else None for _, v in rows]
    stream = io.BytesIO()
    write([batch], schema, stream, "csv")
    head, *cells = list(csv.reader(io.StringIO(stream.getvalue().decode(), newline="")))
    assert head == schema.names
    assert [c[0] for c in cells] == [text or "" for text, _ in rows]
    assert [float(c[1]) if c[1] else None for c in cells] == finite
    stream = io.BytesIO()
    write([batch], schema, stream, "json")
    assert json.loads(stream.getvalue()) == [
        {'a "b", c': t, "v": v} for (t, _), v in zip(rows, finite, strict=True)
    ]


def test_nested_and_rare_types_of_sql_are_written(tmp_path: Path) -> None:
    batch = pa.record_batch(
        {
            "l": pa.array([[1, 2], None]),
            "s": pa.array([{"a": 1.5}, None]),
            "d": pa.array([dt.timedelta(days=3), None], pa.duration("s")),
            "z": pa.array([dt.datetime(2024, 1, 1), None], pa.timestamp("us", "UTC")),
            "b": pa.array([b"\x00\xff", None]),
        }
    )
    write([batch], batch.schema, tmp_path / "x.ndjson")
    first, second = [json.loads(line) for line in (tmp_path / "x.ndjson").read_text().splitlines()]
    assert first["l"] == [1, 2]
    assert first["s"] == {"a": 1.5}
    assert first["z"] == "2024-01-01T00:00:00.000000Z"
    assert set(second.values()) == {None}
    write([batch], batch.schema, tmp_path / "x.csv")
    assert '"[1, 2]"' in (tmp_path / "x.csv").read_text()


def test_a_file_is_replaced_only_when_its_last_row_is_written(tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    target.write_text("old")

    def broken() -> Iterator[pa.RecordBatch]:
        yield BATCHES[0]
        raise StoreError("a chunk is damaged")

    with pytest.raises(StoreError):
        write(broken(), SCHEMA, target)
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]
    done = write(BATCHES, SCHEMA, target)
    assert (done.rows, done.bytes, done.path) == (3, target.stat().st_size, target)


@pytest.mark.parametrize("target", ["out.xyz", "out", "absent/out.csv", "."])
def test_a_target_that_cannot_be_written_is_wrong_use(target: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        write(BATCHES, SCHEMA, tmp_path / target, None if "csv" not in target else "csv")
    assert caught.value.hint


def test_a_full_disk_is_told_as_such() -> None:
    with pytest.raises(StoreError, match="No space left"):
        write([_batch([2] * 20_000, [8.1] * 20_000, [None] * 20_000)], SCHEMA, "/dev/full", "csv")


def test_suffix_or_name_choose_the_format() -> None:
    assert [format_of(f"a.{name}") for name in FORMATS] == list(FORMATS)
    assert format_of("a.JSONL") == "ndjson"
    assert format_of("a.txt", "CSV") == "csv"
    with pytest.raises(UsageError, match="unknown output format"):
        format_of("a.csv", "xml")


def test_rows_written_are_counted_in_the_timings() -> None:
    timings = QueryTimings()
    write(BATCHES, SCHEMA, io.BytesIO(), "csv", timings=timings)
    facts = timings.stop().as_dict()
    assert facts["rows"] == 3
    assert facts["total_ms"] >= facts["print_ms"] > 0
    assert "3 answered" in timings.as_text()


@pytest.mark.parametrize("name", ["parquet", "arrow", "csv", "json", "ndjson"])
def test_an_answer_that_breaks_off_is_never_ended_as_if_it_were_whole(name: str) -> None:
    """Parquet would be ended by pyarrow when its writer is collected, even after an error."""
    stream = io.BytesIO()
    rows = pa.table({"station": [1, 2]})

    def broken() -> Iterator[pa.RecordBatch]:
        yield rows.to_batches()[0]
        raise StoreError("the disk is gone")

    with pytest.raises(StoreError):
        write(broken(), rows.schema, stream, name)
    left = stream.getvalue()
    gc.collect()
    assert stream.getvalue() == left
