"""An operator's night: faulty answers, a process killed again and again, and nothing lost.

The short form is part of the suite; the long one, the whole network (``just soak``), is slow.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cimis.pipeline.chunks import read_chunk
from cimis.pipeline.emulator import Emulator, GeneratedSource, Troubles

DATA = "/StationWeb/GetDataByStationNumber"


@dataclass(frozen=True)
class Night:
    """What is fetched, how it is disturbed, and how many requests it may take."""

    stations: str
    span: tuple[str, ...]
    kills: int
    longest_life_s: float
    latency_s: float
    backoff: str
    most_requests: float | None

    def commands(self) -> list[list[str]]:
        """Return the night's command lines, one for each scope."""
        asked = ["fetch", "--stations", self.stations, *self.span, "--concurrency", "8"]
        asked += ["--quiet", "--backoff", self.backoff]
        return [[*asked, "--scope", scope] for scope in ("daily", "hourly")]


@dataclass
class Course:
    """How a night went: how long, how often killed, and the exit codes of what ended by itself."""

    seconds: float = 0.0
    kills: int = 0
    exits: list[int] = field(default_factory=list)


NIGHTS = {
    "short": Night(
        stations="2,5-7",
        span=("--start", "2023-01-01", "--end", "2023-06-30"),
        kills=5,
        longest_life_s=1.0,
        latency_s=0.3,
        backoff="20ms",
        most_requests=None,
    ),
    "whole network": Night(
        stations="all",
        span=("--year", "2023"),
        kills=30,
        longest_life_s=5.0,
        latency_s=0.0,
        backoff="2s",
        most_requests=1.6,
    ),
}


def _start(root: Path, emulator: Emulator, words: Sequence[str]) -> subprocess.Popen[bytes]:
    env = os.environ | {
        "CIMIS_BASE_URL": emulator.base_url,
        "CIMIS_APP_KEY": emulator.app_key,
        "CIMIS_DATA_DIR": str(root),
    }
    command = [sys.executable, "-m", "cimis", *words]
    return subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def _played(root: Path, emulator: Emulator, night: Night, lives_s: list[float]) -> Course:
    """Run each command until it says that all is stored; end it when its life is over."""
    course, began = Course(), time.monotonic()
    for words in night.commands():
        while True:
            process = _start(root, emulator, words)
            try:
                _, said = process.communicate(timeout=lives_s.pop() if lives_s else 900.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                course.kills += 1
                continue
            assert b"Traceback" not in said
            # 4: some requests met a fault at every try, so the same command goes on
            assert process.returncode in (0, 4), said.decode()
            course.exits.append(process.returncode)
            if process.returncode == 0:
                break
            assert len(course.exits) < 10
    course.seconds = time.monotonic() - began
    return course


def _chunks(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*.zst"))}


@pytest.mark.parametrize("name", ["short", pytest.param("whole network", marks=pytest.mark.slow)])
def test_a_night_of_faults_and_kills_loses_nothing(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The chunks are those of a faultless night, to the byte; no temporary file is left."""
    night = NIGHTS[name]
    with Emulator(GeneratedSource(), latency_s=night.latency_s) as calm:
        quiet = _played(tmp_path / "calm", calm, night, [])
        faultless = calm.traffic.by_path[DATA]
    due = _chunks(tmp_path / "calm")
    troubles = Troubles.evenly(0.2, seed=3, retry_after_s=1)
    chance = random.Random(11)
    longest_s = min(0.9 * quiet.seconds / len(quiet.exits), night.longest_life_s)
    lives_s = [chance.uniform(0.3, longest_s) for _ in range(night.kills + 2)]
    with Emulator(GeneratedSource(), latency_s=night.latency_s, troubles=troubles) as rough:
        course = _played(tmp_path / "rough", rough, night, lives_s)
        sent = rough.traffic.by_path[DATA]
    found, faults = _chunks(tmp_path / "rough"), sum(troubles.counts.values())
    rows = sum(read_chunk(tmp_path / "rough" / path).num_rows for path in found)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{name}: {len(due)} chunks, {rows:,} rows; faultless {faultless} requests in "
            f"{quiet.seconds:.0f} s; here {sent} ({sent / faultless:.2f} of that) in "
            f"{course.seconds:.0f} s, {course.kills} kills, {faults} faults {troubles.counts}\n"
        )
    assert found.keys() == due.keys()
    assert [path for path in due if found[path] != due[path]] == []
    left = [p for p in (tmp_path / "rough" / "stations").rglob("*") if p.is_file()]
    assert {p.suffix for p in left} == {".zst"}
    assert not any(p.name.startswith(".") for p in left)
    assert faults > 0
    assert course.kills >= 2
    if night.most_requests is not None:
        assert course.kills >= night.kills
        assert sent <= night.most_requests * faultless
    words = [sys.executable, "-m", "cimis", "verify", "--data-dir", str(tmp_path / "rough")]
    assert subprocess.run(words, check=False, capture_output=True).returncode == 0
