"""Windows and macOS, as far as they can be had here: what they lack is taken away from a process.

`elsewhere.py` says how. No such machine runs these tests; ``docs/where-it-runs.md`` says what is
known of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.everywhere.elsewhere import COMMANDS
from tests.modules import MODULES, ROOT


@pytest.mark.parametrize("system", ["windows", "macos"])
def test_everything_is_imported_and_commands_run(system: str, tmp_path: Path) -> None:
    """Without POSIX's modules, calls and signals; without ``/proc``; without time zones' data."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.everywhere.elsewhere", system, str(tmp_path)],
        cwd=ROOT,
        env=os.environ | {"PYTHONTZPATH": "", "XDG_CACHE_HOME": str(tmp_path / "cache")},
        capture_output=True,
        encoding="utf-8",
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    failed = {words: code for words, code in told["codes"].items() if code != 0}
    assert not failed, done.stderr
    assert len(told["codes"]) == len(COMMANDS)
    mains = [path for path in MODULES if path.name == "__main__.py"]
    assert told["modules"] == len(MODULES) - len(mains) - 1  # cimis itself is imported before
