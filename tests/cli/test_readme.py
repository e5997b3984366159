"""The README's tour, walked line by line against the embedded server."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.emulator import Emulator, GeneratedSource

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """Return the README's code blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_every_line_of_the_tour_works(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each command of the tour succeeds in order, and the Python block runs on what they made."""
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    tour = [line for line in lines if line.startswith("cimis ")]
    assert len(tour) >= 10
    monkeypatch.chdir(tmp_path)
    with Emulator(GeneratedSource()) as server:
        monkeypatch.setenv("CIMIS_BASE_URL", server.base_url)
        monkeypatch.setenv("CIMIS_APP_KEY", server.app_key)
        for line in tour:
            answer = typed(*shlex.split(line)[1:])
            assert answer.code == 0, f"{line}\n{answer.err}"
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
        env=os.environ | {"PYTHONPATH": str(ROOT)},
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
