"""Where the rows of an answer go, and in which form."""

from __future__ import annotations

import datetime as dt
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cimis.cli.showing.answers import Form, deliver
from cimis.cli.showing.grid import Grid
from cimis.cli.showing.output import Output
from cimis.pipeline.errors import NoDataError, UsageError
from cimis.pipeline.field.items import Scope, default_items, resolve
from cimis.pipeline.rows.schema import physical_schema

SCHEMA = physical_schema(Scope.DAILY, resolve("air_tmp_avg,asce_eto", Scope.DAILY))


def batch(rows: int, schema: pa.Schema = SCHEMA) -> pa.RecordBatch:
    """Return days from 2024-01-01 on: 8.1 passed, then missing with flag M, and so on."""
    days = [dt.date(2024, 1, 1) + dt.timedelta(n) for n in range(rows)]
    columns: dict[str, object] = {"station": [80] * rows, "date": days}
    for name in schema.names[2:]:
        pair = [None, "M"] if name.endswith("_qc") else [8.1, None]
        columns[name] = (pair * rows)[:rows]
    return pa.RecordBatch.from_pydict(columns, schema=schema)


def form(**given: object) -> Form:
    usual: dict[str, object] = {
        "format": None,
        "output": None,
        "limit": None,
        "allow_empty": False,
    }
    return Form(**(usual | given))  # type: ignore[arg-type] # the defaults are of several types


def drawn(monkeypatch: pytest.MonkeyPatch, grid: Grid, width: int) -> str:
    """Return a grid as it looks in a terminal so wide."""
    monkeypatch.setenv("COLUMNS", str(width))
    stream = io.StringIO()
    monkeypatch.setattr("sys.stdout", stream)
    grid.draw(Output())
    return stream.getvalue()


def test_a_table_shows_units_flags_and_how_much_it_shows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Units stand in the header, a flag behind its value, and the rest is counted."""
    grid = Grid.of_schema(SCHEMA, rows=2)
    assert sum(b.num_rows for b in grid.take([batch(3), batch(5000)])) == 5003
    lines = drawn(monkeypatch, grid, 80).splitlines()
    assert lines[0].split() == ["station", "date", "air_tmp_avg", "asce_eto"]
    assert lines[1].split() == ["[°C]", "[mm]"]
    assert lines[2].split() == ["80", "2024-01-01", "8.1", "8.10"]
    assert lines[3].split() == ["80", "2024-01-02", "-", "M", "-", "M"]
    assert len(lines) == 4
    assert "showing 2 of 5,003 rows" in capsys.readouterr().err


def test_columns_that_do_not_fit_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A narrow terminal gets whole columns, and is told which are left out."""
    schema = physical_schema(Scope.DAILY, default_items(Scope.DAILY))
    grid = Grid.of_schema(schema, rows=1)
    list(grid.take([batch(1, schema)]))
    header = drawn(monkeypatch, grid, 60).splitlines()[0].split()
    said = capsys.readouterr().err
    assert header == schema.names[:2] + [n for n in schema.names[2:] if "_qc" not in n][:3]
    for item in default_items(Scope.DAILY)[3:]:
        assert item.column in said


def test_a_pipe_gets_csv(capsys: pytest.CaptureFixture[str]) -> None:
    """Into a pipe an answer is CSV, whole."""
    assert deliver([batch(3), batch(2)], SCHEMA, form=form(), out=Output()) == 5
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == ",".join(SCHEMA.names)
    assert lines[1] == "80,2024-01-01,8.1,,8.1,"
    assert lines[2] == "80,2024-01-02,,M,,M"
    assert len(lines) == 6


def test_json_is_asked_for_either_way(capsys: pytest.CaptureFixture[str]) -> None:
    """``--json`` and ``--format json`` give the same list of objects."""
    deliver([batch(2)], SCHEMA, form=form(), out=Output(as_json=True))
    first = capsys.readouterr().out
    deliver([batch(2)], SCHEMA, form=form(format="json"), out=Output())
    assert capsys.readouterr().out == first
    assert json.loads(first)[0]["asce_eto"] == 8.1
    assert json.loads(first)[1] == {
        "station": 80,
        "date": "2024-01-02",
        "air_tmp_avg": None,
        "air_tmp_avg_qc": "M",
        "asce_eto": None,
        "asce_eto_qc": "M",
    }


def test_a_file_gets_the_format_of_its_suffix_and_all_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``-o x.parquet`` writes Parquet with every row and the units, and says so aside."""
    target = tmp_path / "x.parquet"
    deliver([batch(3000)], SCHEMA, form=form(output=str(target)), out=Output())
    table = pq.read_table(target)
    assert table.num_rows == 3000
    assert table.schema.field("asce_eto").metadata[b"unit"] == b"(mm)"
    out, err = capsys.readouterr()
    assert out == ""
    assert "wrote 3,000 rows" in err


@pytest.mark.parametrize(("limit", "rows"), [(0, 0), (2, 2), (3, 3), (4, 4), (9, 5)])
def test_a_limit_ends_the_answer(limit: int, rows: int, capsys: pytest.CaptureFixture[str]) -> None:
    """``--limit`` gives at most so many rows, across batches."""
    wanted = form(limit=limit, format="ndjson", allow_empty=True)
    assert deliver([batch(3), batch(2)], SCHEMA, form=wanted, out=Output()) == rows
    assert len(capsys.readouterr().out.splitlines()) == rows


def test_an_empty_answer_has_its_columns_and_its_own_exit_code(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """No rows: the header comes all the same, and exit code 3 unless emptiness is allowed."""
    with pytest.raises(NoDataError) as caught:
        deliver([], SCHEMA, form=form(), out=Output())
    assert caught.value.exit_code == 3
    assert capsys.readouterr().out == ",".join(SCHEMA.names) + "\n"
    assert deliver([], SCHEMA, form=form(allow_empty=True), out=Output()) == 0


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"output": "x.ods"}, "cannot tell the output format"),
        ({"output": "x"}, "no suffix"),
        ({"output": "x.csv", "format": "table"}, "a file cannot hold a table"),
    ],
)
def test_forms_that_cannot_be_are_refused(wanted: dict[str, object], said: str) -> None:
    """A format that cannot be told, or not be written, is refused before any row is read."""
    with pytest.raises(UsageError, match=said):
        deliver(iter([]), SCHEMA, form=form(**wanted), out=Output())
