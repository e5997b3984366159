"""cimis-nightly, which a container of the stack runs: the real command against a real server."""

from __future__ import annotations

import datetime as dt
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cimis.pipeline.emulator import Emulator, GeneratedSource
from tests.installed import ROOT

NIGHTLY = ROOT / "ops/nightly.sh"
PATIENCE_S = 180
GIVEN = ("--stations", "2", "--since", "2026-01-01", "--scope", "daily")

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("date") is None,
    reason="cimis-nightly is for the image, whose date is GNU's",
)


def variables(folder: Path, **more: str) -> dict[str, str]:
    """Return an environment with this checkout's ``cimis``, which keeps all in a folder."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    command = programs / "cimis"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m cimis "$@"\n')
    command.chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "TMPDIR": str(folder),
        "CIMIS_DATA_DIR": str(folder / "data"),
        **more,
    }


@contextmanager
def nightly(folder: Path, *words: str, **more: str) -> Iterator[subprocess.Popen[str]]:
    """Start it; what it says goes into ``out`` and ``err``. It does not outlive the test."""
    with (
        (folder / "out").open("w") as out,
        (folder / "err").open("w") as err,
        subprocess.Popen(
            [str(NIGHTLY), *words],
            cwd=ROOT,
            env=variables(folder, **more),
            stdout=out,
            stderr=err,
            text=True,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def typed(folder: Path, *words: str, **more: str) -> None:
    line = [sys.executable, "-m", "cimis", *words]
    subprocess.run(
        line,
        env=variables(folder, **more),
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=PATIENCE_S,
    )


def healthy(folder: Path) -> bool:
    line = [str(NIGHTLY), "healthy"]
    done = subprocess.run(line, env=variables(folder), timeout=PATIENCE_S, check=False)
    return done.returncode == 0


def until(file: Path, holds: Callable[[str], bool]) -> None:
    limit = time.monotonic() + PATIENCE_S
    while not file.exists() or not holds(file.read_text()):
        assert time.monotonic() < limit, f"{file} never held what is waited for"
        time.sleep(0.05)


def test_it_fills_the_store_waits_and_ends_at_a_signal(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("demo-key\n")
    typed(tmp_path, "init")
    key = {"CIMIS_APP_KEY_FILE": str(tmp_path / "key")}
    with Emulator(GeneratedSource()) as server:
        key["CIMIS_BASE_URL"] = server.base_url
        with nightly(tmp_path, *GIVEN, **key) as process:
            until(tmp_path / "cimis-nightly.exit", "0\n".__eq__)
            assert process.poll() is None
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=PATIENCE_S) == 0
    lines = (tmp_path / "err").read_text().splitlines()
    # a shell may name the wait that it ended
    events = [json.loads(line)["event"] for line in lines if line != "Terminated"]
    assert events[-1] == "run"
    assert "daily,2," in (tmp_path / "out").read_text()
    assert healthy(tmp_path)


def test_a_running_sync_ends_in_order_with_it(tmp_path: Path) -> None:
    """At SIGTERM the sync stores what came and says what is left, with exit code 4."""
    typed(tmp_path, "init")
    with Emulator(GeneratedSource()) as server:
        key = {"CIMIS_BASE_URL": server.base_url, "CIMIS_APP_KEY": server.app_key}
        typed(tmp_path, "stations", "--refresh", **key)
        server.service.latency_s = 60
        with nightly(tmp_path, *GIVEN, **key) as process:
            until(tmp_path / "err", lambda said: '"plan"' in said)
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=PATIENCE_S) == 0
    assert (tmp_path / "cimis-nightly.exit").read_text() == "4\n"
    assert healthy(tmp_path)


def test_a_sync_that_fails_is_seen_and_tried_again(tmp_path: Path) -> None:
    """At the next of its times; meanwhile the container is not healthy."""
    last = tmp_path / "cimis-nightly.exit"
    assert healthy(tmp_path)
    now = dt.datetime.now(dt.UTC)
    ahead = (now + dt.timedelta(seconds=seconds) for seconds in range(2, 62, 2))
    times = " ".join(f"{at:%H:%M:%S}" for at in ahead)
    with nightly(tmp_path, CIMIS_SYNC_TIMES=times) as process:
        until(last, "7\n".__eq__)
        assert not healthy(tmp_path)
        last.unlink()
        until(last, "7\n".__eq__)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE_S) == 0


def test_a_time_that_is_none_is_refused_at_the_start(tmp_path: Path) -> None:
    with nightly(tmp_path, CIMIS_SYNC_TIMES="13:05 noonish") as process:
        assert process.wait(timeout=PATIENCE_S) == 2
    assert "noonish" in (tmp_path / "err").read_text()
