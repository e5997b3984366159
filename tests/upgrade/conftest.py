"""Stores as old commits made them, each in a folder of its own, and a service to sync them from."""

from __future__ import annotations

import datetime as dt
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from cimis.pipeline.emulator import Emulator, GeneratedSource
from tests.cli.conftest import typed as typed
from tests.upgrade.make_stores import STORES

COMMITS = sorted(path.name.removesuffix(".tar.xz") for path in STORES.glob("*.tar.xz"))
NOW = dt.datetime(2024, 3, 20, 9)  # noqa: DTZ001 - as the network names its hours
"""The network's morning on which the stores are synced, some time after they were made."""


class Old(NamedTuple):
    """A store of an old commit."""

    commit: str
    root: Path
    told: dict[str, str]
    """What the old code answered, by name of the question, as CSV."""


BETWEEN = {"515485b", "f93ffe8"}
"""Close to others of the same form; their turn comes with the long forms."""


@pytest.fixture(
    params=[
        pytest.param(one, marks=[pytest.mark.slow] if one in BETWEEN else []) for one in COMMITS
    ]
)
def old(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Old:
    return unpacked(request.param, tmp_path, monkeypatch)


def unpacked(commit: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Old:
    """Return a fresh copy of a commit's store, with its cache beside it."""
    with tarfile.open(STORES / f"{commit}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    monkeypatch.setenv("CIMIS_CACHE_DIR", str(folder / "cache"))
    monkeypatch.setenv("CIMIS_DATA_DIR", str(folder / "data"))
    told = {path.stem: path.read_text() for path in (folder / "told").iterdir()}
    return Old(commit, folder / "data", told)


@pytest.fixture(scope="session")
def service() -> Iterator[Emulator]:
    with Emulator(GeneratedSource(), now=lambda: NOW) as emulator:
        yield emulator
