"""The README's tour, walked line by line against the embedded server."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.emulator import Emulator, GeneratedSource

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """Return the README's code blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """Variables as the tour sets them, with the embedded server in place of the service."""
    with Emulator(GeneratedSource()) as server:
        yield os.environ | {
            "CIMIS_BASE_URL": server.base_url,
            "CIMIS_APP_KEY": server.app_key,
            "PYTHONPATH": str(ROOT),
        }


def test_every_line_of_the_tour_works(environment: dict[str, str], tmp_path: Path) -> None:
    """Each command of the tour succeeds in order, and the Python block runs on what they made."""
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    tour = [line for line in lines if line.startswith("cimis ")]
    assert len(tour) >= 10
    for line in tour:
        done = subprocess.run(
            [sys.executable, "-m", *shlex.split(line)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    assert (tmp_path / "eto.csv").stat().st_size > 1000
    assert (tmp_path / "data/stations/080/2024_daily.zst").exists()
    (code,) = blocks("python")
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            "-c",
            code + "print(july.height, warm.height > 0, total)\n",
        ],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.match(r"62 True \[\(\d+\.\d+,\)\]", done.stdout)
    assert done.stderr == ""


def test_other_shell_lines_are_set_up_only() -> None:
    """What the tour does not run is setting up: pip, just, export."""
    for block in blocks("sh"):
        for line in block.splitlines():
            assert line.startswith(("cimis ", "pip install ", "just ", "export ")), line
