"""The runbook's scripts run as they stand, on the embedded server, and notice what is wrong."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.installed import ROOT, Installed

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(installed: Installed, tmp_path: Path) -> Run:
    """Run a script with the command on the path, from a folder that is no checkout."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")

    def call(name: str, **env: str) -> subprocess.CompletedProcess[str]:
        return installed.shell(f"scripts/{name}", tmp_path, **env)

    return call


def test_smoke(run: Run, tmp_path: Path) -> None:
    """The runbook's commands succeed, and chunk and read cache answer alike."""
    done = run("smoke.sh")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed: seven days" in done.stdout
    report = json.loads((tmp_path / "results.json").read_text())
    assert report["exit_code"] == 0
    assert len(list((tmp_path / "test_data" / "stations").glob("*/*.zst"))) == 3
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    typed = [line[2:] for line in done.stderr.splitlines() if line.startswith("+ ")]
    for command in typed:
        assert command in runbook, command


def test_smoke_leaves_chunks_that_are_there_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "test_data" / "stations").mkdir(parents=True)
    done = run("smoke.sh")
    assert done.returncode == 1
    assert "FAILED: ./test_data has chunks already" in done.stderr
    assert list(tmp_path.rglob("*.sqlite3")) == []


def test_smoke_tells_of_a_service_that_refuses(run: Run) -> None:
    """With a key it asks the service that is configured, and stops where that fails."""
    closed = "http://127.0.0.1:1"
    done = run("smoke.sh", CIMIS_APP_KEY="some-key", CIMIS_BASE_URL=closed)
    assert done.returncode not in (0, 1)
    assert "some-key" not in done.stdout + done.stderr
    assert "passed" not in done.stdout


def test_determinism(run: Run) -> None:
    done = run("determinism.sh")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed: 3 chunks, four times the same bytes" in done.stdout


@pytest.mark.slow
def test_bench_paths(run: Run) -> None:
    """Both paths store the same bytes; the streaming one asks less often."""
    done = run("bench_paths.sh")
    assert done.returncode == 0, done.stdout + done.stderr
    rows = {line.split()[0]: line.split() for line in done.stdout.splitlines() if line}
    assert int(rows["streaming"][2]) < int(rows["plain"][2]) == 20
    assert float(rows["streaming"][3]) < float(rows["plain"][3])
    assert rows["passed:"]


def test_another_command_can_be_named(run: Run, installed: Installed) -> None:
    """``CIMIS`` may hold several words; the command on the path does not count then."""
    done = run("smoke.sh", CIMIS=f"{installed.bin}/python -m cimis", PATH="/usr/bin:/bin")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["smoke.sh", "determinism.sh", "bench_paths.sh"])
def test_a_missing_command_is_told(name: str, run: Run) -> None:
    done = run(name, CIMIS="no-such-cimis")
    assert done.returncode == 2
    assert "cimis is not found" in done.stderr
