"""``cimis compact`` and ``cimis cache`` say what they did, and questions then open no chunk."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from pipeline.items import Scope
from tests.queries.conftest import put, year_table


def _cimis(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cimis", *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )


def _opened(root: Path, *more: str) -> int:
    asked = ("sql", "SELECT avg(asce_eto) FROM daily", "--data-dir", str(root), "--perf", "--json")
    return int(json.loads(_cimis(*asked, *more).stderr)["perf"]["files_opened"])


def test_compact_and_discard(tmp_path: Path) -> None:
    put(tmp_path, [year_table(Scope.DAILY, s, 2021) for s in (2, 5)])
    assert _opened(tmp_path) == 2
    done = json.loads(_cimis("compact", "--data-dir", str(tmp_path), "--json").stdout)
    assert [(row["scope"], row["chunks"]) for row in done] == [("daily", 2), ("hourly", 0)]
    assert _opened(tmp_path) == 0
    assert "bytes freed" in _cimis("compact", "--discard", "--data-dir", str(tmp_path)).stderr
    assert _opened(tmp_path) == 2


def test_cache_stats_and_clear(tmp_path: Path) -> None:
    put(tmp_path, [year_table(Scope.DAILY, 2, 2021)])
    where = ("--data-dir", str(tmp_path))
    before = json.loads(_cimis("cache", "stats", *where, "--json").stdout)
    assert (before["entries"], before["bytes"]) == (0, 0)
    assert [_opened(tmp_path, "--cache", "5MB") for _ in range(2)] == [1, 0]
    after = json.loads(_cimis("cache", "stats", "--cache", "5MB", *where, "--json").stdout)
    assert after["entries"] > 0
    assert 0 < after["bytes"] <= after["limit_bytes"] == 5_000_000
    assert "bytes freed" in _cimis("cache", "clear", *where).stderr
    assert json.loads(_cimis("cache", "stats", *where, "--json").stdout)["entries"] == 0
