"""Excel workbooks read back by openpyxl: types, units, dates, flags, what is explained."""

# ruff: noqa: DTZ001
from __future__ import annotations

import datetime as dt
import io
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.worksheet.worksheet import Worksheet

from cimis.pipeline.errors import StoreError, UsageError
from cimis.pipeline.field.items import Scope, resolve
from cimis.pipeline.rows.schema import physical_schema
from cimis.queries.export.about import About
from cimis.queries.export.forms import workbook
from cimis.queries.export.forms.cells import MOST_CHARACTERS
from cimis.queries.export.sinks import write

SCHEMA = physical_schema(Scope.HOURLY, resolve("air_tmp,rel_hum", Scope.HOURLY))
ROWS: dict[str, list[Any]] = {
    "station": [2, 2, 80],
    "time": [dt.datetime(2024, 6, 1, 1), dt.datetime(2024, 6, 2), dt.datetime(2024, 6, 1, 13)],
    "date": [dt.date(2024, 6, 1)] * 3,
    "hour": [1, 24, 13],
    "air_tmp": [8.1, None, -0.5],
    "air_tmp_qc": [None, "M", "R"],
    "rel_hum": [56.0, 7.0, 100.0],
    "rel_hum_qc": [None, None, "H"],
}


def saved(table: pa.Table, **more: Any) -> openpyxl.Workbook:
    """Return a table saved as a workbook, read back."""
    stream = io.BytesIO()
    write(table.to_batches(), table.schema, stream, "xlsx", **more)
    stream.seek(0)
    return openpyxl.load_workbook(stream)


def values(sheet: Worksheet, first: int = 2) -> list[tuple[Any, ...]]:
    return list(sheet.iter_rows(min_row=first, values_only=True))


def about(book: openpyxl.Workbook) -> dict[str, str]:
    """Return the facts at the head of the sheet that explains."""
    rows = values(book["About"])
    return {str(row[0]): str(row[1]) for row in rows[: [r[0] for r in rows].index(None)]}


def listed(book: openpyxl.Workbook, heading: str) -> list[tuple[Any, ...]]:
    """Return the rows below a heading of the sheet that explains."""
    rows = values(book["About"], 1)
    start = [row[0] for row in rows].index(heading) + 2
    firsts = [row[0] for row in rows[start:]]
    return rows[start : start + (firsts.index(None) if None in firsts else len(firsts))]


@pytest.fixture
def book() -> openpyxl.Workbook:
    return saved(pa.Table.from_pydict(ROWS, schema=SCHEMA))


def test_the_head_says_units(book: openpyxl.Workbook) -> None:
    head = [cell.value for cell in book["Data"][1]]
    assert head[:4] == ["station", "time", "date", "hour"]
    assert head[4:] == ["air_tmp [°C]", "air_tmp_qc", "rel_hum [%]", "rel_hum_qc"]


def test_numbers_dates_times_and_flags_have_their_types(book: openpyxl.Workbook) -> None:
    day = dt.datetime(2024, 6, 1)
    assert values(book["Data"]) == [
        (2, dt.datetime(2024, 6, 1, 1), day, 1, 8.1, None, 56, None),
        (2, dt.datetime(2024, 6, 2), day, 24, None, "M", 7, None),
        (80, dt.datetime(2024, 6, 1, 13), day, 13, -0.5, "R", 100, "H"),
    ]
    kinds = [cell.data_type for cell in book["Data"][4]]
    assert kinds == ["n", "d", "d", "n", "n", "s", "n", "s"]


def test_a_number_is_shown_with_the_decimals_of_its_item(book: openpyxl.Workbook) -> None:
    shown = [cell.number_format for cell in book["Data"][4]]
    assert shown == ["0", "yyyy-mm-dd hh:mm", "yyyy-mm-dd", "0", "0.0", "@", "0", "@"]


def test_the_head_stays_and_filters_and_columns_are_wide_enough(book: openpyxl.Workbook) -> None:
    sheet = book["Data"]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:H4"
    assert sheet.column_dimensions["B"].width >= len("2024-06-01 13:00")
    assert sheet.column_dimensions["E"].width > len("air_tmp [°C]")


def test_the_second_sheet_explains_the_first() -> None:
    told = About(
        "CIMIS query: stations 2,80",
        lambda: [("Flag policy", "keep"), ("Less than asked", "station 5 has no row")],
        lambda: {2: "FivePoints", 80: "<b>&Fresno"},
    )
    book = saved(pa.Table.from_pydict(ROWS, schema=SCHEMA), about=told)
    assert book.sheetnames == ["Data", "About"]
    facts = about(book)
    assert facts["Answer"] == "CIMIS query: stations 2,80"
    assert facts["Flag policy"] == "keep"
    assert facts["Less than asked"] == "station 5 has no row"
    assert facts["Rows"] == "3"
    assert "PST" in facts["Time"]
    assert "by its end" in facts["Time"]
    assert listed(book, "Stations") == [("2", "FivePoints", None), ("80", "<b>&Fresno", None)]
    assert [row[0] for row in listed(book, "Flags that occur")] == ["H", "M", "R"]
    assert ("air_tmp", "°C", "Mean air temperature of the hour") in listed(book, "Columns")


HOSTILE = [
    *("=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://x","y")', "\t=1", "'=1", "12", "1e5"),
    *("TRUE", "2024-01-01", "<r>rich</r>", "<r><t>x</t></r>", "]]>", "_x0041_", "&amp;", "\"'"),
    *(" a ", "a\nb", "a\r\nb", "\x01\x1f", "\ufffe\uffff", "\U0001f33e", "#REF!", "{=1}", ""),
]


def unescaped(text: str | None) -> str:
    """Return a text as Excel shows it; openpyxl leaves the signs that XML cannot have coded."""
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda m: chr(int(m[1], 16)), text or "")


def test_a_text_is_a_text_whatever_it_begins_with() -> None:
    table = pa.table({"<r>=1+1</r>": HOSTILE, "=2": HOSTILE})
    book = saved(table)
    assert [cell.value for cell in book["Data"][1]] == ["<r>=1+1</r>", "=2"]
    cells = [cell for row in book["Data"].iter_rows() for cell in row]
    assert {cell.data_type for cell in cells if cell.value is not None} == {"s"}
    assert [unescaped(row[0]) for row in values(book["Data"])] == HOSTILE


def test_there_is_no_formula_anywhere() -> None:
    stream = io.BytesIO()
    table = pa.table({name or "empty": HOSTILE for name in HOSTILE})
    hostile = About(HOSTILE[0], lambda: [(t, t) for t in HOSTILE])
    write(table.to_batches(), table.schema, stream, "xlsx", about=hostile)
    with zipfile.ZipFile(stream) as parts:
        for name in parts.namelist():
            if name.startswith("xl/worksheets/"):
                assert b"<f" not in parts.read(name)


TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)


@given(st.lists(st.tuples(st.none() | TEXTS, st.none() | st.floats(allow_nan=False))))
def test_any_text_and_number_comes_back(rows: list[tuple[str | None, float | None]]) -> None:
    columns = list(zip(*rows, strict=True)) or [(), ()]
    table = pa.table(
        {"t": pa.array(columns[0], pa.string()), "v": pa.array(columns[1], pa.float64())}
    )
    found = values(saved(table)["Data"])
    finite = [v if v is None or abs(v) != float("inf") else None for _, v in rows]
    found += [(None, None)] * (len(rows) - len(found))  # rows at the end without any cell
    assert [unescaped(row[0]) for row in found] == [text or "" for text, _ in rows]
    assert [row[1] for row in found] == finite


def test_what_a_double_does_not_hold_is_text_and_what_is_no_number_is_counted() -> None:
    table = pa.table(
        {
            "whole": pa.array([123456789012345, 9007199254740993, None], pa.int64()),
            "exact": pa.array(
                [Decimal("0.10"), Decimal("12345678901234567890.12"), None], pa.decimal128(38, 2)
            ),
            "float": [0.1 + 0.2, float("nan"), float("-inf")],
        }
    )
    book = saved(table)
    assert values(book["Data"]) == [
        (123456789012345, 0.1, 0.30000000000000004),
        ("9007199254740993", "12345678901234567890.12", None),
    ]
    assert about(book)["Left empty"].startswith("2 values")


def test_days_that_a_sheet_cannot_count_are_text() -> None:
    days = [dt.date(1899, 12, 31), dt.date(1900, 2, 28), dt.date(1900, 3, 1), dt.date(9999, 12, 31)]
    moment = dt.datetime(2024, 6, 1, 12, 30, 15)
    table = pa.table(
        {
            "day": days,
            "zone": pa.array([moment] * 4, pa.timestamp("us", "UTC")),
            "time": pa.array([moment] * 4, pa.timestamp("us")),
        }
    )
    found = values(saved(table)["Data"])
    assert [row[0] for row in found] == [
        *("1899-12-31", "1900-02-28"),
        *(dt.datetime(1900, 3, 1), dt.datetime(9999, 12, 31)),
    ]
    assert found[0][1] == "2024-06-01T12:30:15.000000Z"
    assert found[0][2] == moment


def test_rare_types_are_written_as_text() -> None:
    table = pa.table(
        {
            "b": [True, None],
            "l": [[1, 2], None],
            "s": [{"a": 1.5}, None],
            "d": pa.array([dt.timedelta(days=3), None], pa.duration("s")),
            "n": pa.nulls(2),
        }
    )
    (row,) = values(saved(table)["Data"])
    assert row == (True, "[1, 2]", '{"a": 1.5}', "3 days, 0:00:00", None)


def test_an_empty_answer_is_a_head_and_an_explanation() -> None:
    book = saved(SCHEMA.empty_table())
    assert values(book["Data"]) == []
    assert book["Data"]["E1"].value == "air_tmp [°C]"
    assert about(book)["Rows"] == "0"
    assert "Stations" not in [row[0] for row in values(book["About"])]


def test_a_wide_answer_has_all_columns_and_one_too_wide_is_refused() -> None:
    wide = pa.table({f"c{n}": [n] for n in range(800)})
    (row,) = values(saved(wide)["Data"])
    assert row == tuple(range(800))
    too_wide = pa.table({f"c{n}": [n] for n in range(workbook.MOST_COLUMNS + 1)})
    with pytest.raises(UsageError, match=r"16,384 columns at most"):
        saved(too_wide)


def test_more_rows_than_a_sheet_holds_go_on_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 101)
    book = saved(pa.table({"n": list(range(250))}))
    assert book.sheetnames == ["Data", "About", "Data 2", "Data 3"]
    sheets = [values(book[name]) for name in ("Data", "Data 2", "Data 3")]
    assert [len(rows) for rows in sheets] == [100, 100, 50]
    assert [row[0] for rows in sheets for row in rows] == list(range(250))
    assert [book[n]["A1"].value for n in book.sheetnames if n != "About"] == ["n"] * 3
    assert "3 sheets" in about(book)["Sheets"]


def test_a_full_sheet_is_one_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 101)
    assert saved(pa.table({"n": list(range(100))})).sheetnames == ["Data", "About"]


def test_a_text_longer_than_a_cell_is_refused(tmp_path: Path) -> None:
    fits = pa.table({"t": ["x" * MOST_CHARACTERS]})
    assert values(saved(fits)["Data"]) == [("x" * MOST_CHARACTERS,)]
    long = pa.table({"t": ["ok", "🌾" * (MOST_CHARACTERS // 2 + 1)]})
    with pytest.raises(UsageError, match="32,767 characters"):
        write(long.to_batches(), long.schema, tmp_path / "x.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_without_xlsxwriter_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(UsageError) as caught:
        write([], SCHEMA, tmp_path / "x.xlsx")
    assert caught.value.hint == "pip install 'cimis[xlsx]'"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rows", [0, 20_000])
def test_a_full_disk_is_told_as_such(rows: int) -> None:
    table = pa.table({"n": list(range(rows))})
    with pytest.raises(StoreError, match="No space left"):
        write(table.to_batches(), table.schema, "/dev/full", "xlsx")


def test_a_workbook_that_breaks_off_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the file nor what was gathered for it."""
    target, gathered = tmp_path / "x.xlsx", tmp_path / "gathered"
    gathered.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(gathered))
    seen: list[int] = []

    def broken() -> Iterator[pa.RecordBatch]:
        yield pa.record_batch({"n": [1, 2]})
        seen.append(len(list(gathered.iterdir())))
        raise StoreError("a chunk is damaged")

    with pytest.raises(StoreError):
        write(broken(), pa.schema([("n", pa.int64())]), target)
    assert seen == [1]
    assert list(gathered.iterdir()) == []
    assert list(tmp_path.iterdir()) == [gathered]


PEAK = """
import resource, sys
import numpy as np, pyarrow as pa
from cimis.queries.export.sinks import write
rows, target = int(sys.argv[1]), sys.argv[2]
columns = {"station": np.full(25_000, 80, np.uint16), "day": np.arange(25_000)}
for n in range(4):
    columns[f"v{n}"] = np.round(np.sin(np.arange(25_000) * (n + 1)) * 30, 2)
batch = pa.record_batch(columns)
write((batch for _ in range(rows // 25_000)), batch.schema, target)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    """Of half a million rows it is that of fifty thousand, and a little."""
    peaks = []
    for rows in (50_000, 500_000):
        words = [sys.executable, "-c", PEAK, str(rows), str(tmp_path / "x.xlsx")]
        done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=300)
        peaks.append(int(done.stdout))
    assert peaks[1] < peaks[0] * 1.25


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_opens_it(tmp_path: Path) -> None:
    table = pa.Table.from_pydict(ROWS, schema=SCHEMA)
    write(table.to_batches(), table.schema, tmp_path / "x.xlsx")
    words = ["soffice", "--headless", "--convert-to", "csv", "x.xlsx"]
    subprocess.run(words, cwd=tmp_path, check=True, capture_output=True, timeout=120)
    lines = (tmp_path / "x.csv").read_text().splitlines()
    assert lines[1].split(",")[:5] == ["2", "2024-06-01 01:00", "2024-06-01", "1", "8.1"]
