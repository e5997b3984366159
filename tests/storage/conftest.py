"""Data directories whose chunks lie in one storage or the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from cimis.pipeline import storage

SCHEME = "memory"


@pytest.fixture(params=["disk", SCHEME])
def root(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a data directory; its catalog lies on the disk in either case."""
    monkeypatch.chdir(tmp_path)
    if request.param == "disk":
        made = tmp_path / "data"
    else:
        monkeypatch.setitem(storage.SCHEMES, SCHEME, "tests.storage.memory:Memory")
        storage._made.cache_clear()  # each test has a memory of its own
        made = Path(f"{SCHEME}://bucket/data")
    made.mkdir(parents=True)
    return made
