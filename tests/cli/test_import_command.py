"""``cimis import`` as it is typed: its figures in a pipe and as JSON, and its refusals."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import cimis
from tests.cli.conftest import ROOT

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

LINE = "2,{}/1/2016,1" + ",1.0, " * 14 + "\r\n"


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CIMIS_DATA_DIR", str(tmp_path / "d"))
    path = tmp_path / "dailyStns2016.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("daily002.csv", LINE.format(1) + LINE.format(2))
    return path


def test_an_archive_is_stored_and_its_figures_told(archive: Path, typed: Typed) -> None:
    told = json.loads(typed("import", archive, "--json").out)
    assert (told["files"], told["stations"], told["rows"], told["new_rows"]) == (1, 1, 2, 2)
    with cimis.open(archive.parent / "d") as store:
        assert store.daily()["precip"].to_list() == [25.4, 25.4]


def test_a_dry_run_makes_no_data_directory(archive: Path, typed: Typed) -> None:
    assert typed("import", archive, "--dry-run").code == 0
    assert not (archive.parent / "d").exists()


def test_what_is_no_archive_is_said_with_its_name(archive: Path, typed: Typed) -> None:
    wrong = archive.with_name("page.zip")
    wrong.write_text("<html>Not found</html>")
    told = typed("import", archive, wrong)
    assert told.code == 2
    assert "page.zip" in told.err
    assert not list((archive.parent / "d").rglob("*.zst"))


def test_a_terminal_shows_how_far_reading_and_storing_are(archive: Path) -> None:
    """Bars on a terminal's standard error count files read and tables stored to the end."""
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "cimis", "import", str(archive)],
        env=os.environ | {"PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "100"},
        stdout=subprocess.PIPE,
        stderr=theirs,
        check=True,
    )
    os.close(theirs)
    said = b""
    with suppress(OSError):  # the other end is closed
        while piece := os.read(ours, 65_536):
            said += piece
    os.close(ours)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said.decode())
    assert re.search(r"reading dailyStns2016\.zip \(1 of 1\) .*1/1", text)
    assert re.search(r"storing 1 table .*1/1", text)
    assert done.stdout.splitlines()[1].startswith(b"1,1,1,2,2,")
