"""A disk that is full, or may only be read: a clear error, and everything stored as it was."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cimis.pipeline.care.verify import verify
from cimis.pipeline.emulator import Emulator, GeneratedSource
from tests.cli.conftest import typed

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

__all__ = ["typed"]

SPAN = ("--year", "2023")


def _mount(*words: str) -> bool:
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        return False
    return subprocess.run([mount, *words], check=False, capture_output=True).returncode == 0


@pytest.fixture(scope="module")
def service() -> Iterator[Emulator]:
    with Emulator(GeneratedSource()) as emulator:
        yield emulator


@pytest.fixture
def small(tmp_path: Path, service: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A disk of 400 kB of its own, with a data directory that the environment names."""
    place = tmp_path / "small"
    place.mkdir()
    if not _mount("-t", "tmpfs", "-o", "size=400k", "tmpfs", str(place)):
        pytest.skip("this user may mount no disk of 400 kB")
    monkeypatch.setenv("CIMIS_BASE_URL", service.base_url)
    monkeypatch.setenv("CIMIS_APP_KEY", service.app_key)
    monkeypatch.setenv("CIMIS_DATA_DIR", str(place / "d"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home-cache"))
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def _held(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*.zst"))}


def test_a_full_disk_ends_a_fetch_with_what_was_stored_unharmed(typed: Typed, small: Path) -> None:
    """The error names the disk; chunks are whole; with room again the same command goes on."""
    root = small / "d"
    assert typed("fetch", "--stations", "2,5", *SPAN).code == 0
    before = _held(root)
    filler = small / "filler"
    free = os.statvfs(small)
    filler.write_bytes(bytes(max(free.f_bavail * free.f_frsize - 24_000, 0)))
    answer = typed("fetch", "--stations", "2,5-7,10-80", *SPAN)
    assert answer.code in (4, 7)
    assert "No space left" in answer.err or "full" in answer.err
    after = _held(root)
    assert {path: after[path] for path in before} == before
    assert not list((root / "stations").rglob(".*"))
    filler.unlink()
    assert typed("fetch", "--stations", "2,5-7,10", *SPAN).code == 0
    assert verify(root).sound
    assert len(_held(root)) >= 5


def test_questions_are_answered_on_a_full_disk(typed: Typed, small: Path) -> None:
    """A cache that finds no room costs speed; a file that finds none is told, and not left."""
    assert typed("fetch", "--stations", "2,5", *SPAN).code == 0
    whole = typed("query", "--stations", "2", *SPAN, "--cache", "0", "--format", "csv").out
    free = os.statvfs(small)
    (small / "filler").write_bytes(bytes(free.f_bavail * free.f_frsize))
    for cache in ("0", "10MB"):
        asked = ("query", "--stations", "2", *SPAN, "--format", "csv", "--cache", cache)
        assert typed(*asked).out == whole
        assert typed("sql", "select count(*) as n from daily", "--cache", cache).code == 0
    answer = typed("query", *SPAN, "--output", small / "out.csv")
    assert answer.code == 7
    assert not (small / "out.csv").exists()
    _no_cache_is_written(typed)
    assert typed("query", "--stations", "2", *SPAN, "--format", "csv").out == whole
    assert typed("verify").code == 0


def _no_cache_is_written(typed: Typed) -> None:
    """The command that asks for it says so in one line."""
    answer = typed("compact")
    assert (answer.code, answer.out) == (7, "")
    errors = [line for line in answer.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert "read cache" in errors[0]


def test_a_disk_that_may_only_be_read(
    typed: Typed, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Questions and checks work, from a cache elsewhere or from none; what would write says why."""
    root = small / "d"
    assert typed("fetch", "--stations", "2", *SPAN).code == 0
    before = _held(root)
    if not _mount("-o", "remount,ro", str(small)):
        pytest.skip("this user may not make a disk read-only")
    try:
        for words in (
            ("fetch", "--stations", "2,5", *SPAN),
            ("migrate", "--format", "v1", "--allow-loss"),
        ):
            answer = typed(*words)
            assert answer.code in (4, 7), words
            assert "ead-only" in answer.err or "readonly" in answer.err, words
        assert typed("compact").code == 0
        assert list((small.parent / "home-cache").rglob("daily-*.duckdb"))
        for place in ("", str(small / "d" / ".cache"), "0"):
            monkeypatch.setenv("CIMIS_CACHE_DIR", place if place != "0" else "")
            monkeypatch.setenv("CIMIS_CACHE", "0" if place == "0" else "")
            assert typed("query", "--stations", "2", *SPAN).code == 0
            assert typed("sql", "select count(*) as n from daily").out == "n\n365\n"
            if place:
                _no_cache_is_written(typed)
        assert typed("verify").code == 0
        assert _held(root) == before
    finally:
        assert _mount("-o", "remount,rw", str(small))
