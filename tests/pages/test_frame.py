"""The frame of pages: what it carries, what it escapes, and that a file is whole or not there."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
import tarfile
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

from cimis.charts.chart import Chart
from cimis.pages.page import Block, Column, Fact, Facts, Figure, Page, Section, Table, Tile, Tiles
from cimis.pages.rendering import rendered
from cimis.pages.runtime_files import runtime_files, runtime_script
from cimis.pages.saving import save
from cimis.pipeline.errors import CimisError, UsageError
from tests.installed import ROOT, Installed
from tests.pages.reading import Reading

HOSTILE = "<script>alert(1)</script>\"'&</title>"


def page(text: str = HOSTILE) -> Page:
    rows = pl.DataFrame({"name": [text, None], "value": [-1.25, float("nan")], "flag": ["Y", None]})
    chart = Chart("test", text, text, text, rows, {"mark": "bar", "usermeta": text}, (text,))
    columns = [Column("name", text, text), Column("value", "Value", "mm", 1, flags="flag")]
    blocks: list[Block] = [
        Facts([Fact(text, text)]),
        Figure(chart),
        Table(text, rows, columns, key="rows"),
    ]
    return Page(text, text, [Section("one", text, blocks)], [Tiles([Tile(text, text)])], made=text)


class Elements(HTMLParser):
    """The elements of a page, and the text of each script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.policy = ""
        self.within: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.within = tag
        facts = dict(attrs)
        if tag == "script":
            self.scripts.append((facts, ""))
        if facts.get("http-equiv") == "Content-Security-Policy":
            self.policy = facts["content"] or ""

    def handle_endtag(self, tag: str) -> None:
        self.within = None

    def handle_data(self, data: str) -> None:
        if self.scripts and self.within == "script":
            facts, text = self.scripts[-1]
            self.scripts[-1] = facts, text + data


@pytest.mark.parametrize("file", runtime_files(), ids=lambda file: file.name)
def test_the_runtime_is_what_its_makers_publish(file: object) -> None:
    """Each file has the checksum that is stated, and its licence lies beside it."""
    (known,) = [one for one in runtime_files() if one == file]
    place = ROOT / "cimis/pages/runtime" / known.name
    assert hashlib.sha256(place.read_bytes()).hexdigest() == known.sha256
    assert "University of Washington" in known.license_text()
    assert known.license_text().strip() in runtime_script()
    assert known.version.split(".")[0] == {"vega-interpreter.js": "2"}.get(known.name, "6")


def test_texts_are_shown_as_they_are_and_never_run() -> None:
    """A hostile text adds no element to those of a harmless one."""
    hostile, harmless = Elements(rendered(page())), Elements(rendered(page("harmless")))
    assert hostile.names == harmless.names
    (chart,) = Reading(rendered(page())).charts
    assert chart["spec"]["usermeta"] == HOSTILE
    assert chart["columns"] == {
        "name": [HOSTILE, None],
        "value": [-1.25, None],
        "flag": ["Y", None],
    }


def test_only_the_scripts_of_the_package_may_run_and_nothing_be_requested() -> None:
    """The policy of the page names their checksums, and forbids all else."""
    found = Elements(rendered(page()))
    allowed = set(re.findall(r"'sha256-([^']+)'", found.policy))
    plain = [text for facts, text in found.scripts if "type" not in facts]
    sums = {base64.b64encode(hashlib.sha256(t.encode()).digest()).decode() for t in plain}
    assert sums == allowed
    assert len(sums) == 2
    assert found.policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in found.policy


def test_numbers_are_written_with_their_decimals_and_flags() -> None:
    text = rendered(page())
    assert "<td>−1.2<sup>Y</sup></td>" in text
    assert "<td></td>" in text


def test_the_same_page_is_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.html", "b.html"):
        assert save(page(), tmp_path / name) == (tmp_path / name).stat().st_size
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


@pytest.mark.parametrize("name", ["report.pdf", "report", "no/such/folder/report.html"])
def test_a_page_that_cannot_be_written_leaves_nothing(name: str, tmp_path: Path) -> None:
    with pytest.raises(CimisError) as caught:
        save(page(), tmp_path / name)
    assert isinstance(caught.value, UsageError)
    assert list(tmp_path.iterdir()) == []


def test_the_wheel_holds_templates_runtime_and_licences(installed: Installed) -> None:
    (found,) = (installed.bin.parent / "lib").glob("python*/site-packages/cimis/pages")
    here = ROOT / "cimis/pages"
    assert data_of(found) == data_of(here)
    assert {"runtime/vega.LICENSE.txt", "templates/page.css"} <= data_of(here)


def test_the_source_archive_holds_them_too(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", tmp_path],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (path,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/cimis/pages/")[2] for name in archive.getnames()}
    assert data_of(ROOT / "cimis/pages") <= names


def data_of(folder: Path) -> set[str]:
    """Return the files of a room that are not modules."""
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    }
