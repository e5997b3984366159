"""The same rows give the same bytes, whatever the order, number or division of the requests."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cimis.pipeline.emulator import Emulator, GeneratedSource
from tests.spine.conftest import Cimis

JULY = ("--start", "2023-07-01", "--end", "2023-07-31")


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    with Emulator(GeneratedSource()) as emulator:
        yield emulator


def _chunks(root: Path) -> dict[str, bytes]:
    folder = root / "stations"
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.zst"))}


def _fetch(cimis: Cimis, server: Emulator, directory: str, *span: str) -> None:
    cimis(
        *("fetch", "--data-dir", directory, "--stations", "2,5,6", *span),
        env={"CIMIS_BASE_URL": server.base_url, "CIMIS_APP_KEY": server.app_key},
    )


def test_fetching_a_year_twice_gives_the_same_bytes(
    cimis: Cimis, server: Emulator, tmp_path: Path
) -> None:
    _fetch(cimis, server, "a", "--year", "2023")
    _fetch(cimis, server, "b", "--year", "2023", "--concurrency", "1")
    assert len(_chunks(tmp_path / "a")) == 3
    assert _chunks(tmp_path / "a") == _chunks(tmp_path / "b")


def test_two_halves_give_the_same_bytes_as_the_year(
    cimis: Cimis, server: Emulator, tmp_path: Path
) -> None:
    _fetch(cimis, server, "whole", "--year", "2023")
    _fetch(cimis, server, "halves", "--start", "2023-01-01", "--end", "2023-06-30")
    _fetch(cimis, server, "halves", "--start", "2023-07-01", "--end", "2023-12-31")
    assert _chunks(tmp_path / "whole") == _chunks(tmp_path / "halves")


@pytest.mark.parametrize("form", ["v2", "v1"])
def test_every_chunk_passes_the_zstd_command(
    form: str, cimis: Cimis, server: Emulator, tmp_path: Path
) -> None:
    """``zstd -t`` checks daily and hourly files of both forms, and ``zstd -l`` lists them."""
    zstd = shutil.which("zstd")
    if zstd is None:
        pytest.skip("the zstd command is absent")
    _fetch(cimis, server, "d", "--year", "2023", "--format", form)
    _fetch(cimis, server, "d", *JULY, "--scope", "hourly", "--format", form)
    files = sorted((tmp_path / "d" / "stations").rglob("*.zst"))
    assert len(files) == 6
    for mode in ("-t", "-l"):
        done = subprocess.run([zstd, mode, *map(str, files)], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr


def test_v1_goes_the_whole_way(cimis: Cimis, server: Emulator, tmp_path: Path) -> None:
    """``--format v1`` fetches, verifies and answers; what V1 holds is what V2 holds."""
    _fetch(cimis, server, "new", *JULY)
    _fetch(cimis, server, "old", *JULY, "--format", "v1")
    cimis("verify", "--data-dir", "old")
    assert {data[-4:] == b"CIM2" for data in _chunks(tmp_path / "new").values()} == {True}
    assert {data[-4:] == b"CIM2" for data in _chunks(tmp_path / "old").values()} == {False}
    question = "select station, date, asce_eto from daily where asce_eto_qc is null order by 1, 2"
    answers = [
        cimis("sql", question, "--data-dir", directory, "--format", "csv").stdout
        for directory in ("new", "old")
    ]
    assert answers[0] == answers[1]
    assert len(answers[0].splitlines()) > 60
    week = ("--station", "5", "--start", "2023-07-03", "--end", "2023-07-09", "--items", "asce_eto")
    shown = cimis("query", *week, "--data-dir", "old", "--format", "csv").stdout.splitlines()
    assert (
        shown == cimis("query", *week, "--data-dir", "new", "--format", "csv").stdout.splitlines()
    )
    assert len(shown) == 8
