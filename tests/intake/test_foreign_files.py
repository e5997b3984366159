"""Files that are no archives: what they are and what reads them is said; none is passed over."""

from __future__ import annotations

import gzip
import json
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cimis.pipeline.archive.foreign import foreign
from cimis.pipeline.chunks import write_chunk
from cimis.pipeline.field.items import Scope
from tests.cli.conftest import typed
from tests.queries.conftest import year_table

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

__all__ = ["typed"]

LINE = "2,{}/1/2016,1" + ",1.0, " * 14 + "\r\n"
TABLE = pa.table({"x": [1, 2]})


def zipped(path: Path, **members: str) -> None:
    with zipfile.ZipFile(path, "w") as made:
        for name, text in members.items():
            made.writestr(name.replace("__", "/").replace("_", "."), text)


def arrow(path: Path) -> None:
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, TABLE.schema) as writer:
        writer.write_table(TABLE)


def database(path: Path) -> None:
    with sqlite3.connect(path) as made:
        made.execute("create table t (x)")


def saved(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(text)


def chunk(form: str) -> Callable[[Path], object]:
    table = year_table(Scope.DAILY, 2, 2021, items="air_tmp_avg,precip")
    return lambda path: write_chunk(path, table, format=form)


KINDS: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "other.csv": (
        saved("name,value\na,1\n"),
        "a CSV of something else, which begins name, value",
        "cimis.write_chunk",
    ),
    "daily002.csv": (saved(LINE.format(1)), "a station file out of an FTP zip", "import its zip"),
    "tabs.csv": (saved("a\tb\n1\t2\n"), "a table separated by tabs", "Stn Id,Stn Name"),
    "answer.json": (
        saved('{"Data": {"Providers": []}}'),
        "a saved answer of the Web API",
        "emulator --replay",
    ),
    "other.json": (saved("[1, 2]"), "a JSON document", "cimis.write_chunk"),
    "x.parquet": (lambda path: pq.write_table(TABLE, path), "a Parquet file", "cimis sql --unsafe"),
    "x.arrow": (arrow, "an Arrow file", "cimis.write_chunk"),
    "2021_daily.zst": (chunk("v2"), "a chunk file", "cimis inspect"),
    "2022_daily.zst": (chunk("v1"), "a chunk file, or other zstd data", "verify --repair"),
    "x.csv.gz": (
        lambda path: path.write_bytes(gzip.compress(b"a")),
        "compressed by gzip",
        "gunzip",
    ),
    "page.csv": (saved("<!DOCTYPE html><html>"), "an HTML page", "download it again"),
    "page.xml": (saved("<?xml version='1.0'?><a/>"), "an XML document", "zips and CSVs"),
    "empty.csv": (saved(""), "an empty file", "download it again"),
    "blank.csv": (saved(" \n"), "a blank file", "download it again"),
    "readme.txt": (saved("Dear user\n"), "a text", "zips and CSVs"),
    "x.sqlite3": (database, "an SQLite database", "sqlite3"),
    "photos.zip": (
        lambda path: zipped(path, a_png="x"),
        "a zip that holds no station file",
        "daily002.csv",
    ),
    "book.xlsx": (lambda path: zipped(path, xl__workbook_xml="x"), "an Excel workbook", "CSV"),
    "utf16.csv": (lambda path: path.write_text("a,b", "utf-16"), "a text in UTF-16", "plain CSV"),
    "x.bin": (lambda path: path.write_bytes(b"\x07\x00\x01"), "a binary file", "zips and CSVs"),
}


@pytest.fixture(autouse=True)
def _data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIMIS_DATA_DIR", str(tmp_path / "d"))


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "files" / "dailyStns2016.zip"
    path.parent.mkdir()
    zipped(path, daily002_csv=LINE.format(1) + LINE.format(2))
    return path


@pytest.mark.parametrize("name", KINDS)
def test_a_file_that_is_no_archive_is_told_by_its_content(
    name: str, tmp_path: Path, typed: Typed
) -> None:
    """Named by itself it is refused, with what it is and what would read it."""
    make, what, hint = KINDS[name]
    make(tmp_path / name)
    answer = typed("import", tmp_path / name)
    assert answer.code == 2
    assert f"{name} is no archive of the network, but " in answer.err
    assert what in answer.err
    assert hint in answer.err.partition("hint: ")[2]


def test_archives_are_not_taken_for_something_else(archive: Path, tmp_path: Path) -> None:
    """A zip of station files, one cut short (its reader says so), and a web report are archives."""
    report = tmp_path / "report.csv"
    report.write_text("\ufeffStn Id,Stn Name,Date\n")
    cut = tmp_path / "cut.zip"
    cut.write_bytes(archive.read_bytes()[:-30])
    assert [foreign(path) for path in (archive, report, cut)] == [None, None, None]


def test_nothing_in_a_folder_is_passed_over_without_a_word(archive: Path, typed: Typed) -> None:
    """Its archives are stored; every other file is named with what it is, in JSON too."""
    for name, (make, _, _) in KINDS.items():
        make(archive.with_name(name))
    answer = typed("import", archive.parent)
    assert answer.code == 0
    assert answer.out.splitlines()[1].startswith("1,1,1,2,2,")
    assert answer.err.count("left out ") == 11
    assert f"left out {len(KINDS) - 10} other files" in answer.err
    told = json.loads(typed("import", archive.parent, "--json", "-q").out)
    found = {Path(other["path"]).name: other["what"] for other in told["left_out"]}
    assert found.keys() == KINDS.keys()
    assert all(KINDS[name][1] in what for name, what in found.items())


def test_a_damaged_zip_in_a_folder_is_refused(archive: Path, typed: Typed) -> None:
    """What was meant as an archive is not left out: a page saved as zip, and a zip cut short."""
    wrong = archive.with_name("dailyStns2017.zip")
    for content, said in (
        (b"<html>", "an HTML page"),
        (archive.read_bytes()[:-30], "no whole zip"),
    ):
        wrong.write_bytes(content)
        answer = typed("import", archive.parent)
        assert answer.code == 2
        assert wrong.name in answer.err
        assert said in answer.err


def test_a_folder_without_archives_says_what_it_holds(tmp_path: Path, typed: Typed) -> None:
    folder = tmp_path / "f"
    folder.mkdir()
    (folder / "a.json").write_text("[1]")
    answer = typed("import", folder)
    assert answer.code == 2
    assert "a.json is a JSON document" in answer.err


def test_reading_and_storing_are_told(archive: Path, typed: Typed) -> None:
    """In a pipe each file read and the storing have a line; --quiet has none."""
    zipped(archive.with_name("dailyStns2017.zip"), daily002_csv=LINE.format(3))
    answer = typed("import", archive.parent)
    assert "reading dailyStns2016.zip (1 of 2)" in answer.err
    assert "reading dailyStns2017.zip (2 of 2)" in answer.err
    assert "storing 2 tables" in answer.err
    assert typed("import", archive.parent, "-q").err == ""
