"""While one writes, refreshers are killed and the mirror is deleted, no reader is told wrong."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cimis.store import open_store
from tests.queries.mirror_fire import YEAR, store, year

READERS = ("sql", "polars", "rows", "point")


def _started(mode: str, root: Path, seconds: float) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "tests.queries.mirror_fire", mode, str(root), str(seconds)]
    top = Path(__file__).parents[2]
    return subprocess.Popen(
        words, cwd=top, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A store of one station whose year is written again and again, and some that rest."""
    place = tmp_path / "d"
    for station in (2, 5, 7, 80):
        store(place, year(0, station))
    (place / "written").write_text("0")
    return place


@pytest.mark.parametrize(
    ("seconds", "kills"), [(5, 12), pytest.param(60, 200, marks=pytest.mark.slow)]
)
def test_no_answer_is_stale_short_or_torn(seconds: int, kills: int, root: Path) -> None:
    rng = random.Random(kills)
    others = {mode: _started(mode, root, seconds) for mode in (*READERS, "write", "refresh")}
    end = time.monotonic() + seconds
    killed = 0
    while time.monotonic() < end or killed < kills:
        victim = _started("refresh", root, 60)
        assert victim.stdout is not None
        victim.stdout.readline()  # loaded, and has refreshed once
        time.sleep(rng.random() * 0.15)
        victim.kill()
        victim.communicate()
        killed += 1
        if killed % 7 == 0:
            shutil.rmtree(root / ".cache", ignore_errors=True)
        if killed >= kills and time.monotonic() > end:
            break
    ended = {mode: process.communicate(timeout=120) for mode, process in others.items()}
    asked = {}
    for mode, (out, err) in ended.items():
        assert others[mode].returncode == 0, f"{mode}: {err}"
        asked[mode] = int(out.split()[-1])
    sys.stdout.write(f"asked {asked}, killed {killed}\n")
    assert min(asked.values()) > 0
    with open_store(root) as opened:
        opened.refresh()
        found = opened.sql("select count(*), max(precip) from daily where station = 2").fetchall()
        assert found == [(365, float((root / "written").read_text()))]
    left = sorted(path.name for path in (root / ".cache").iterdir() if "draft" in path.name)
    assert left == []
    assert len(list((root / ".cache").glob("daily-*.duckdb"))) == 1


@pytest.mark.parametrize(("moments"), [12, pytest.param(200, marks=pytest.mark.slow)])
def test_a_refresher_may_be_killed_at_any_moment(moments: int, root: Path) -> None:
    """Each time the next question gives what is stored, and nothing half made stays."""
    with open_store(root) as opened:
        opened.refresh()
    for moment in range(moments):
        store(root, year(moment + 1))
        victim = _started("refresh", root, 60)
        time.sleep(0.25 + 0.6 * moment / moments)
        victim.kill()
        victim.communicate()
        with open_store(root) as opened:
            text = "select count(*), min(precip), max(precip) from daily where station = 2"
            assert opened.sql(text).fetchall() == [(365, moment + 1, moment + 1)]
        names = [path.name for path in (root / ".cache").iterdir()]
        assert not [name for name in names if "draft" in name]
        assert len([name for name in names if name.endswith(".duckdb")]) <= 2
    assert YEAR == 2022


def test_a_full_disk_is_survived(root: Path, tmp_path: Path) -> None:
    """The mirror does not fit: answers come from the chunks, and nothing half made stays."""
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "none", str(small)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("a disk of 200 kB needs the right to mount")
    try:
        code = (
            "import cimis, warnings\n"
            f"store = cimis.open({str(root)!r})\n"
            "print(store.sql('select count(*) from daily').fetchall())\n"
        )
        environment = os.environ | {"CIMIS_CACHE_DIR": str(small)}
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        assert done.stdout == f"[({4 * 365},)]\n", done.stderr
        left = [path.name for path in small.rglob("*") if path.is_file()]
        assert [name for name in left if not name.endswith(".lock")] == []
    finally:
        subprocess.run(["umount", str(small)], check=True)
