"""Columns of answers on the command line: numbered where alike, with units, in the order asked."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cimis.cli.showing import plain
from cimis.pipeline.field.items import Scope
from tests.cli.conftest import typed
from tests.queries.conftest import put, year_table

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

__all__ = ["typed"]

WEEK = ("query", "--station", "2", "--start", "2021-02-01", "--end", "2021-02-07")
TWINS = "select 1 as x, 2 as x, 'a' as \"X\""
LONG = ("--year", "2021", "--stations", "2,5")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two stations' year."""
    folder = tmp_path_factory.mktemp("columns")
    items = "air_tmp_avg,wind_run,precip,asce_eto"
    put(folder, [year_table(Scope.DAILY, station, 2021, items=items) for station in (2, 5)])
    return folder


@pytest.fixture(autouse=True)
def _data_dir(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIMIS_DATA_DIR", str(root))


def test_columns_of_one_name_are_numbered_in_every_form(typed: Typed, tmp_path: Path) -> None:
    """Table, CSV, TSV, JSON, NDJSON, Parquet and Arrow have ``x``, ``x_1`` and ``X_2``."""
    due = {"x": 1, "x_1": 2, "X_2": "a"}
    assert typed("sql", TWINS, "--format", "table").out.split()[:3] == list(due)
    for form, separator in (("csv", ","), ("tsv", "\t")):
        lines = typed("sql", TWINS, "--format", form).out.splitlines()
        assert lines == [separator.join(due), separator.join(["1", "2", "a"])]
    assert json.loads(typed("sql", TWINS, "--json").out) == [due]
    assert json.loads(typed("sql", TWINS, "--format", "ndjson").out) == due
    for form in ("parquet", "arrow"):
        path = tmp_path / f"x.{form}"
        assert typed("sql", TWINS, "-o", path).code == 0
        table = pq.read_table(path) if form == "parquet" else pa.ipc.open_file(path).read_all()
        assert table.to_pylist() == [due]


@pytest.mark.parametrize("span", [WEEK[3:], LONG])
@pytest.mark.parametrize("units", ["metric", "english"])
def test_the_order_asked_is_that_of_the_columns(
    typed: Typed, span: tuple[str, ...], units: str
) -> None:
    """The short way (a week) and the long way (years) both follow ``--items``."""
    head = ("query", "--station", "2") if span is not LONG else ("query",)
    said = typed(
        *head, *span, "--items", "precip,asce_eto", "--items", "air_tmp_avg", "--units", units
    ).out
    assert said.splitlines()[0] == (
        "station,date,precip,precip_qc,asce_eto,asce_eto_qc,air_tmp_avg,air_tmp_avg_qc"
    )


def test_both_ways_give_the_same_bytes_in_the_order_asked(
    typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What plain Python prints is what Arrow prints, whatever the order and the units."""
    asked = (*WEEK, "--items", "precip,air_tmp_avg", "--units", "english")
    short = [typed(*asked, "--format", form).out for form in ("csv", "tsv", "json", "ndjson")]
    monkeypatch.setattr(plain, "answered_plainly", lambda *_, **__: False)
    long = [typed(*asked, "--format", form).out for form in ("csv", "tsv", "json", "ndjson")]
    assert short == long


@pytest.mark.parametrize("units", ["metric", "english"])
@pytest.mark.parametrize("more", [(), ("--every", "week")])
def test_every_text_can_say_the_units(typed: Typed, units: str, more: tuple[str, ...]) -> None:
    """``--header units``: in the names of CSV and TSV, beside the rows of JSON and NDJSON."""
    due = (
        {"precip": "mm", "wind_run": "km"}
        if units == "metric"
        else {"precip": "in", "wind_run": "mi"}
    )
    asked = (*WEEK, "--items", "precip,wind_run", "--units", units, *more)
    bare = list(csv.reader(io.StringIO(typed(*asked, "--format", "csv").out)))
    for form, separator in (("csv", ","), ("tsv", "\t")):
        told = typed(*asked, "--header", "units", "--format", form).out
        rows = list(csv.reader(io.StringIO(told), delimiter=separator))
        assert rows[0] == [f"{n} [{due[n]}]" if n in due else n for n in bare[0]]
        assert rows[1:] == bare[1:]
    whole = json.loads(typed(*asked, "--json").out)
    assert isinstance(whole, list)
    assert json.loads(typed(*asked, "--json", "--header", "units").out) == {
        "units": due,
        "rows": whole,
    }
    first, *lines = typed(*asked, "--format", "ndjson", "--header", "units").out.splitlines()
    assert json.loads(first) == {"units": due}
    assert [json.loads(line) for line in lines] == whole


@pytest.mark.parametrize("more", [(), ("--every", "week")])
def test_a_table_says_the_units(typed: Typed, more: tuple[str, ...]) -> None:
    """The second line of a table's head has the unit under each figure."""
    asked = (*WEEK, "--items", "wind_run,precip", "--units", "english", *more)
    lines = typed(*asked, "--format", "table").out.splitlines()
    assert lines[1].split() == ["[mi]", "[in]"]


def test_an_empty_answer_with_units_is_whole(typed: Typed) -> None:
    """No rows: JSON with units is still an object, with the units."""
    asked = ("query", "--station", "2", "--year", "1999", "--items", "precip", "--allow-empty")
    assert json.loads(typed(*asked, "--json", "--header", "units").out) == {
        "units": {"precip": "mm"},
        "rows": [],
    }


def test_sql_without_known_units_says_so(typed: Typed) -> None:
    """What a question computes has no unit that anyone knows; that is said, not left out."""
    answer = typed("sql", "select 1 as x", "--header", "units", "--format", "csv")
    assert answer.out == "x\n1\n"
    assert "no unit is known" in answer.err
