"""The same rows give the same bytes, whatever the order, number or division of the requests."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.emulator import Emulator, GeneratedSource
from tests.spine.conftest import Cimis


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    with Emulator(GeneratedSource()) as emulator:
        yield emulator


def _chunks(root: Path) -> dict[str, bytes]:
    folder = root / "stations"
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.zst"))}


def _fetch(cimis: Cimis, server: Emulator, directory: str, *span: str) -> None:
    cimis(
        *("fetch-streaming", "--data-dir", directory, "--stations", "2,5,6", *span),
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


def test_every_chunk_passes_the_zstd_command(
    cimis: Cimis, server: Emulator, tmp_path: Path
) -> None:
    zstd = shutil.which("zstd")
    if zstd is None:
        pytest.skip("the zstd command is absent")
    _fetch(cimis, server, "d", "--year", "2023")
    files = sorted((tmp_path / "d" / "stations").rglob("*.zst"))
    done = subprocess.run([zstd, "-t", *map(str, files)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
