"""The runbook's scripts run as they stand, on the embedded server, and notice what is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _run(name: str, folder: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    left = {k: v for k, v in os.environ.items() if not k.startswith("CIMIS_")}
    return subprocess.run(
        [str(ROOT / "scripts" / name), *arguments],
        cwd=folder,
        env=left
        | {
            "CIMIS": f"{sys.executable} -m cimis",
            "CIMIS_CONFIG": str(folder / "none.toml"),
            "PYTHONPATH": str(ROOT),
        }
        | env,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_smoke(tmp_path: Path) -> None:
    """The runbook's commands succeed, and the second query takes less time than the first."""
    done = _run("smoke.sh", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed: second query" in done.stdout
    report = json.loads((tmp_path / "results.json").read_text())
    assert report["exit_code"] == 0
    assert len(list((tmp_path / "test_data" / "stations").glob("*/*.zst"))) == 3
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    typed = [line[2:] for line in done.stderr.splitlines() if line.startswith("+ ")]
    for command in typed:
        assert command in runbook, command


def test_smoke_leaves_chunks_that_are_there_alone(tmp_path: Path) -> None:
    (tmp_path / "test_data" / "stations").mkdir(parents=True)
    done = _run("smoke.sh", tmp_path)
    assert done.returncode == 1
    assert "FAILED: ./test_data has chunks already" in done.stderr
    assert list(tmp_path.rglob("*.sqlite3")) == []


def test_smoke_tells_of_a_service_that_refuses(tmp_path: Path) -> None:
    """With a key it asks the service that is configured, and stops where that fails."""
    closed = "http://127.0.0.1:1"
    done = _run("smoke.sh", tmp_path, CIMIS_APP_KEY="some-key", CIMIS_BASE_URL=closed)
    assert done.returncode not in (0, 1)
    assert "some-key" not in done.stdout + done.stderr
    assert "passed" not in done.stdout


def test_determinism(tmp_path: Path) -> None:
    done = _run("determinism.sh", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed: 3 chunks, four times the same bytes" in done.stdout


def test_bench_paths(tmp_path: Path) -> None:
    """Both paths store the same bytes; the streaming one asks less often."""
    done = _run("bench_paths.sh", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = {line.split()[0]: line.split() for line in done.stdout.splitlines() if line}
    assert int(rows["fetch-streaming"][2]) < int(rows["fetch"][2]) == 20
    assert float(rows["fetch-streaming"][3]) < float(rows["fetch"][3])
    assert rows["passed:"]


@pytest.mark.parametrize("name", ["smoke.sh", "determinism.sh", "bench_paths.sh"])
def test_a_missing_command_is_told(name: str, tmp_path: Path) -> None:
    done = _run(name, tmp_path, CIMIS="no-such-cimis")
    assert done.returncode == 2
    assert "cimis is not found" in done.stderr
