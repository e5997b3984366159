"""What a store's fetch and sync raise where nothing came, and warn of where some of it did."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cimis
from cimis.pipeline.emulator import Emulator, GeneratedSource
from cimis.pipeline.emulator.troubles.troubles import Troubles

DAYS: dict[str, Any] = {"start": "2024-06-01", "end": "2024-06-03"}


@pytest.fixture(scope="module")
def service() -> Iterator[Emulator]:
    with Emulator(GeneratedSource()) as emulator:
        yield emulator


@pytest.fixture
def store(
    tmp_path: Path, service: Emulator, monkeypatch: pytest.MonkeyPatch
) -> Iterator[cimis.Store]:
    monkeypatch.setenv("CIMIS_BASE_URL", service.base_url)
    monkeypatch.setenv("CIMIS_APP_KEY", service.app_key)
    with cimis.create(tmp_path) as made:
        yield made


def _unreachable() -> str:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.parametrize("known", [False, True], ids=["list unknown", "list known"])
def test_a_refused_key_is_raised_with_the_report(known: bool, store: cimis.Store) -> None:
    if known:
        store.fetch(2, **DAYS)
    with pytest.raises(cimis.AuthError) as caught:
        store.fetch([2, 5], start="2024-07-01", end="2024-07-02", app_key="not-the-key-at-all")
    assert caught.value.report.exit_code == cimis.AuthError.exit_code
    assert [r.station for r in caught.value.report.results] == [2, 5]
    assert "report" not in caught.value.as_dict()


@pytest.mark.parametrize("known", [False, True], ids=["list unknown", "list known"])
def test_an_unreachable_host_is_raised_with_the_report(known: bool, store: cimis.Store) -> None:
    if known:
        store.fetch(2, **DAYS)
    with pytest.raises(cimis.NetworkError) as caught:
        store.fetch(2, year=2023, base_url=_unreachable(), retries=0)
    assert caught.value.report.results[0].error is caught.value
    with pytest.raises(cimis.ServiceError) as synced:
        store.sync(2, since="2026-11-01", base_url=_unreachable(), retries=0)
    assert synced.value.report is not None


def test_no_success_at_all_is_raised(tmp_path: Path) -> None:
    with (
        Emulator(GeneratedSource(), troubles=Troubles({"500": 1})) as broken,
        cimis.create(tmp_path) as made,
        pytest.raises(cimis.ServiceError) as caught,
    ):
        made.fetch([2, 5], retries=0, base_url=broken.base_url, app_key=broken.app_key, **DAYS)
    assert caught.value.report.exit_code == cimis.ServiceError.exit_code


def test_unknown_stations_are_refused_as_by_the_command(store: cimis.Store) -> None:
    with pytest.raises(cimis.UsageError, match="no station 9999"):
        store.fetch([2, 9999], **DAYS)
    with pytest.raises(cimis.UsageError, match="no station 9999"):
        store.sync([2, 9999], since="2026-11-01")


@pytest.mark.parametrize(
    "wrong",
    [
        {"start": "2024-06-03", "end": "2024-06-01"},
        {"start": "2999-01-01"},
        {"year": 2999},
        {"year": "2015-2014"},
        {"year": 2024.0},
        {"year": True},
        {"year": 2024, "items": "nonsense"},
        {"year": 2024, "concurrency": 1.5},
        {"year": 2024, "retries": -1},
        {"year": 2024, "format": "v9"},
        {"year": 2024, "haste": True},
        {"year": 2024, "stations": [0]},
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused_before_a_request(
    wrong: dict[str, object], store: cimis.Store, service: Emulator
) -> None:
    with pytest.raises(cimis.UsageError):
        store.fetch(**({"stations": 2} | wrong))  # type: ignore[arg-type]  # what is tried
    assert store.chunks().height == 0


def test_years_are_given_in_many_ways(store: cimis.Store) -> None:
    for year, due in (("2014-2015", 730), (np.int64(2015), 365), ("2015", 365)):
        report = store.fetch(np.int64(5), year=year, dry_run=True)
        assert sum(w.records for w in report.windows) == due


def test_a_sync_refuses_a_first_day_to_come(store: cimis.Store) -> None:
    with pytest.raises(cimis.UsageError):
        store.sync(2, since="2999-01-01")
    with pytest.raises(cimis.UsageError):
        store.sync(2, since="2026-11-01", recheck_days=-1)


def test_a_store_fetches_where_an_event_loop_runs_already(store: cimis.Store) -> None:
    async def notebook() -> int:
        return store.fetch(2, **DAYS).exit_code

    assert asyncio.run(notebook()) == 0
