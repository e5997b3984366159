"""Processes that fetch overlapping stations and years into one directory, and others that ask."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cimis.pipeline.care.verify import verify
from cimis.pipeline.emulator import Emulator, GeneratedSource

FETCHES = (
    ("2,5-7", "2023", "daily"),
    ("5-10", "2022-2023", "daily"),
    ("2,6,7,10", "2023", "daily"),
    ("2,5,7", "2022-2023", "daily"),
)
COUNT = "select count(*) as rows, count(distinct station) as stations from daily"


def _start(root: Path, emulator: Emulator, *words: str) -> subprocess.Popen[str]:
    env = os.environ | {
        "CIMIS_BASE_URL": emulator.base_url,
        "CIMIS_APP_KEY": emulator.app_key,
        "CIMIS_DATA_DIR": str(root),
    }
    command = [sys.executable, "-m", "cimis", *words]
    return subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def _fetch(root: Path, emulator: Emulator, what: tuple[str, str, str]) -> subprocess.Popen[str]:
    stations, years, scope = what
    words = ["fetch", "--stations", stations, "--year", years, "--scope", scope]
    return _start(root, emulator, *words, "--full", "--quiet")


def _ended(process: subprocess.Popen[str]) -> str:
    """Wait for a process that must succeed; return what it printed."""
    said, wrong = process.communicate(timeout=120)
    assert process.returncode == 0, wrong
    return said


def _chunks(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*.zst"))}


@pytest.mark.parametrize("rounds", [1, pytest.param(8, marks=pytest.mark.slow)])
def test_four_writers_and_two_readers_get_on(rounds: int, tmp_path: Path) -> None:
    """The chunks are those of one run after the other; no reader sees an error, or rows vanish."""
    with Emulator(GeneratedSource(), latency_s=0.05) as emulator:
        for what in FETCHES:
            _ended(_fetch(tmp_path / "serial", emulator, what))
        due = _chunks(tmp_path / "serial")
        for number in range(rounds):
            root = tmp_path / f"together{number}"
            _ended(_start(root, emulator, "init", str(root)))
            writers = [_fetch(root, emulator, what) for what in FETCHES]
            seen: list[list[int]] = [[], []]
            while any(writer.poll() is None for writer in writers):
                asked = ("sql", COUNT, "--json"), ("query", "--station", "5", "--year", "2023")
                counting = _start(root, emulator, *asked[0])
                listing = _start(root, emulator, *asked[1], "--format", "csv", "--allow-empty")
                seen[0].append(json.loads(_ended(counting))[0]["rows"])
                seen[1].append(len(_ended(listing).splitlines()))
            for writer in writers:
                _ended(writer)
            assert seen[0]
            assert all(rows == sorted(rows) for rows in seen)
            assert _chunks(root) == due
            assert verify(root).sound
