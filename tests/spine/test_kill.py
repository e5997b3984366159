"""A fetch killed at any moment leaves a sound store, and running it again completes it."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cimis.pipeline.chunks import read_chunk
from cimis.pipeline.emulator import Emulator, GeneratedSource
from tests.spine.conftest import Cimis

KILLS = (8, pytest.param(30, marks=pytest.mark.slow))
STATIONS = "2,5,6,7,10,12"


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    with Emulator(GeneratedSource(), latency_s=0.02) as emulator:
        yield emulator


def _sound(root: Path) -> int:
    """Check that every chunk reads and every catalog row has its chunk; return the chunks."""
    files = sorted((root / "stations").rglob("*.zst")) if (root / "stations").exists() else []
    for file in files:
        read_chunk(file)
    catalog = root / "metadata.sqlite3"
    if catalog.exists():
        with sqlite3.connect(catalog) as connection:
            tables = connection.execute("select name from sqlite_master where name = 'chunks'")
            if tables.fetchone():
                for (path,) in connection.execute("select path from chunks"):
                    assert (root / path).exists(), path
        connection.close()
    return len(files)


@pytest.mark.parametrize("kills", KILLS)
def test_a_killed_fetch_leaves_a_sound_store_and_completes(
    kills: int, cimis: Cimis, server: Emulator, tmp_path: Path
) -> None:
    env = {"CIMIS_BASE_URL": server.base_url, "CIMIS_APP_KEY": server.app_key}
    arguments = ["fetch", "--data-dir", "d", "--stations", STATIONS]
    arguments += ["--year", "2015-2022", "--concurrency", "4"]
    began = time.monotonic()
    cimis(*[a if a != "d" else "whole" for a in arguments], env=env)
    whole_s = time.monotonic() - began
    chance = random.Random(7)
    for _ in range(kills):
        process = subprocess.Popen(
            [sys.executable, "-m", "cimis", *arguments],
            cwd=tmp_path,
            env=os.environ | env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(chance.uniform(0.2, 1.0) * whole_s)
        process.send_signal(signal.SIGKILL)
        process.wait()
        _sound(tmp_path / "d")
    cimis(*arguments, env=env)
    assert _sound(tmp_path / "d") == _sound(tmp_path / "whole") == 48
    files = {p.name for p in (tmp_path / "d" / "stations").rglob("*") if p.is_file()}
    assert all(name.endswith("_daily.zst") and not name.startswith(".") for name in files), files
    for file in (tmp_path / "whole" / "stations").rglob("*.zst"):
        twin = tmp_path / "d" / file.relative_to(tmp_path / "whole")
        assert twin.read_bytes() == file.read_bytes(), twin
