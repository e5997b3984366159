"""A pull makes a data directory of a published store, and fetches only what is lacking."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import cimis
from cimis.pipeline.care.verify import verify
from cimis.pipeline.errors import ChunkError
from cimis.pipeline.field.items import Scope
from cimis.store import open_store
from tests.published.conftest import Place
from tests.queries.conftest import Network, put, year_table

if TYPE_CHECKING:
    from tests.cli.conftest import Typed


def test_the_copy_is_the_same_to_the_byte(
    published: Place, network: Network, tmp_path: Path
) -> None:
    done = cimis.pull(published.url, tmp_path / "copy")
    files = sorted(path.relative_to(network.root) for path in network.root.rglob("*.zst"))
    assert done.fetched_chunks == len(files)
    for path in files:
        assert (tmp_path / "copy" / path).read_bytes() == (network.root / path).read_bytes()
    assert verify(tmp_path / "copy").sound
    with open_store(tmp_path / "copy") as copy, open_store(network.root) as home:
        assert copy.chunks().equals(home.chunks())
        assert (
            copy.sql("SELECT * FROM stations")
            .table()
            .equals(home.sql("SELECT * FROM stations").table())
        )


def test_again_only_what_changed_is_fetched(place: Place, tmp_path: Path) -> None:
    root, copy = tmp_path / "data", tmp_path / "copy"
    put(root, [year_table(Scope.DAILY, s, y) for s in (2, 5) for y in (2021, 2022)])
    with open_store(root) as store:
        store.publish(place.url)
        assert cimis.pull(place.url, copy).fetched_chunks == 4
        assert cimis.pull(place.url, copy).fetched_chunks == 0
        put(root, [year_table(Scope.DAILY, 5, 2022, seed=3)])
        store.publish(place.url)
    assert cimis.pull(place.url, copy).fetched_chunks == 1
    assert (copy / "stations/005/2022_daily.zst").read_bytes() == (
        root / "stations/005/2022_daily.zst"
    ).read_bytes()


def test_what_was_changed_here_is_left_and_told(place: Place, tmp_path: Path, typed: Typed) -> None:
    root, copy = tmp_path / "data", tmp_path / "copy"
    put(root, [year_table(Scope.DAILY, s, 2022) for s in (2, 5)])
    with open_store(root) as store:
        store.publish(place.url)
    cimis.pull(place.url, copy)
    put(copy, [year_table(Scope.DAILY, 5, 2022, seed=7)])
    mine = (copy / "stations/005/2022_daily.zst").read_bytes()
    answer = typed("pull", place.url, "--data-dir", str(copy))
    assert "1 chunk changed here, as stations/005/2022_daily.zst" in answer.err
    assert (copy / "stations/005/2022_daily.zst").read_bytes() == mine
    facts = json.loads(
        typed("pull", place.url, "--data-dir", str(copy), "--keep", "published", "--json").out
    )
    assert facts["fetched_chunks"] == 1
    assert (copy / "stations/005/2022_daily.zst").read_bytes() != mine


def test_a_damaged_chunk_is_named_and_all_others_are_stored(
    published: Place, network: Network, tmp_path: Path
) -> None:
    name = next(name for name in published.names() if name.startswith("chunks/80/daily"))
    published.write(name, b"spoiled")
    with pytest.raises(ChunkError, match=r"stations/080/2022_daily\.zst"):
        cimis.pull(published.url, tmp_path / "copy")
    assert verify(tmp_path / "copy").sound
    assert (
        len(list((tmp_path / "copy").rglob("*.zst"))) == len(list(network.root.rglob("*.zst"))) - 1
    )


def test_a_copy_is_synced_on(tmp_path: Path, place: Place) -> None:
    """What was asked for comes with it, so that a sync asks for nothing that is final."""
    from cimis.pipeline.emulator import Emulator, GeneratedSource

    with Emulator(GeneratedSource()) as service:
        ways = {"base_url": service.base_url, "app_key": service.app_key}
        with cimis.create(tmp_path / "data") as store:
            store.fetch([2], start="2023-01-01", end="2023-12-31", **ways)
            store.publish(place.url)
        cimis.pull(place.url, tmp_path / "copy")
        before = len(service.requests) if hasattr(service, "requests") else None
        with open_store(tmp_path / "copy") as copy:
            report = copy.fetch([2], start="2023-01-01", end="2023-12-31", **ways)
        after = len(service.requests) if hasattr(service, "requests") else None
    assert report is not None
    assert before == after
