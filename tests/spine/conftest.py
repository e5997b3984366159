"""The whole way, as a user types it: the command in a process of its own against a server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Cimis = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def cimis(tmp_path: Path) -> Cimis:
    """Run ``cimis`` with arguments in a fresh folder; fails on an unexpected exit code."""

    def run(
        *arguments: str, code: int = 0, env: dict[str, str] | None = None, timeout_s: float = 300
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "cimis", *arguments],
            cwd=tmp_path,
            env=os.environ | (env or {}),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        assert done.returncode == code, (
            f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        )
        assert "Traceback" not in done.stderr
        return done

    return run
