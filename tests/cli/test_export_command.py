"""``cimis export`` writes what is stored, tells what it wrote, and ends as other commands do."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from cimis.cli.main import run
from cimis.pipeline.field.items import Scope
from tests.queries.conftest import put, year_table


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A store with two daily years of one station."""
    made = tmp_path / "store"
    put(made, [year_table(Scope.DAILY, 5, year) for year in (2020, 2021)])
    return made


def _run(root: Path, *words: str) -> int:
    return run(["export", *words, "--data-dir", str(root)])


def test_it_writes_and_says_what(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(root, str(tmp_path / "lake")) == 0
    rows = pl.read_parquet(tmp_path / "lake/daily/**/*.parquet").height
    said = capsys.readouterr()
    assert said.out.startswith(f"wrote 2 years, {rows} rows; 0 stood, 0 removed: ")
    assert said.err == "writing daily/year=2020\nwriting daily/year=2021\n"
    assert _run(root, str(tmp_path / "lake")) == 0
    assert capsys.readouterr().out.startswith("wrote 0 years, 0 rows; 2 stood, 0 removed: ")


def test_json_has_the_same(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(root, str(tmp_path / "lake"), "--dry-run", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["written"] == ["daily/year=2020", "daily/year=2021"]
    assert (facts["dry_run"], facts["format"]) == (True, "parquet")
    assert not (tmp_path / "lake").exists()


def test_damage_is_named_and_is_its_exit_code(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = root / "stations/005/2021_daily.zst"
    path.write_bytes(path.read_bytes()[:-9])
    assert _run(root, str(tmp_path / "lake")) == 7
    said = capsys.readouterr()
    assert said.out.startswith("wrote 1 years")
    assert "005/2021_daily.zst" in said.err


def test_a_folder_with_other_things_is_refused(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(root, str(root)) == 2
    assert "no export of cimis" in capsys.readouterr().err


def test_nothing_stored_of_it_is_exit_3(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(root, str(tmp_path / "lake"), "--scope", "hourly") == 3
    assert not (tmp_path / "lake").exists()
