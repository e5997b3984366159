"""``cimis sync`` as it is typed: its plan, what it tells, whom it takes, and its lock."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import cimis
from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.emulator import Emulator, GeneratedSource
from cimis.pipeline.storage.writers import locked

if TYPE_CHECKING:
    from tests.cli.conftest import Typed


@pytest.fixture
def service() -> Iterator[Emulator]:
    with Emulator(GeneratedSource()) as emulator:
        yield emulator


@pytest.fixture
def folder(
    service: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: Typed
) -> Path:
    """A data directory with a month of station 2, up to three days ago, and what it wants."""
    monkeypatch.setenv("CIMIS_BASE_URL", service.base_url)
    monkeypatch.setenv("CIMIS_APP_KEY", service.app_key)
    monkeypatch.setenv("CIMIS_DATA_DIR", str(tmp_path / "d"))
    typed("fetch", "--stations", "2", "--last", "60d", "--items", "asce_eto,precip")
    return tmp_path / "d"


def test_a_dry_run_tells_the_requests_and_makes_none(
    folder: Path, service: Emulator, typed: Typed
) -> None:
    assert folder.is_dir()
    before = service.traffic.requests
    plan = json.loads(typed("sync", "--dry-run", "--json").out)
    assert plan["requests"] == len(plan["plan"]) == 1
    assert plan["plan"][0]["stations"] == [2]
    assert plan["plan"][0]["records"] <= 45
    assert service.traffic.requests == before


def test_it_tells_what_is_new_and_leaves_the_rest(folder: Path, typed: Typed) -> None:
    told = json.loads(typed("sync", "--stations", "2,80", "--json").out)
    by_station = {entry["station"]: entry for entry in told["stations"]}
    assert by_station[80]["new"] == 60
    assert by_station[2] == by_station[2] | {"new": 0, "filled": 0, "revised": 0}
    with cimis.open(folder) as store:
        assert set(store.daily()["station"].to_list()) == {2, 80}


def test_revisions_are_counted_in_the_catalog(folder: Path, typed: Typed) -> None:
    from cimis.pipeline.emulator import Troubles

    with (
        Emulator(GeneratedSource(), troubles=Troubles({"revised": 1.0})) as other,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("CIMIS_BASE_URL", other.base_url)
        told = json.loads(typed("sync", "--json").out)
    assert told["revised"] > 0
    with Catalog(folder) as catalog:
        assert sum(row[3] for row in catalog.changes()) == told["revised"]


def test_spatial_targets_are_kept_too(folder: Path, typed: Typed) -> None:
    typed("fetch", "--zip", "95616", "--address", "HQ=Davis, CA", "--last", "20d")
    told = json.loads(typed("sync", "--json").out)
    assert {"zip:95616", "address:HQ", 2} <= {entry["station"] for entry in told["stations"]}
    with cimis.open(folder) as store:
        assert store.daily("address:HQ").height == 20


def test_after_an_import_the_service_is_asked_for_what_it_still_lists(
    folder: Path, service: Emulator, typed: Typed, tmp_path: Path
) -> None:
    """The archive's ETo is the network's own equation, which the service's list lacks."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("daily080.csv", "80,9/1/2026,1" + ",1.0, " * 14 + "\n")
    typed("import", tmp_path / "a.zip", "--data-dir", folder)
    typed("sync", "--stations", "80")
    (query,) = [query for query in service.traffic.queries if "stationNbrs=80" in query]
    assert "day-asce-eto" in query
    assert "day-eto" not in query
    with cimis.open(folder) as store:
        rows = store.daily(80, items=["asce_eto", "eto"])
    assert rows["eto"].count() == 1
    assert rows["asce_eto"].count() > 0


def test_compressed_answers_can_be_forgone(folder: Path, typed: Typed) -> None:
    assert folder.is_dir()
    packed, plain = (json.loads(typed("sync", "--json", *o).out) for o in ((), ("--no-gzip",)))
    assert packed["reports"][0]["totals"]["content_encoding"] == "gzip"
    assert plain["reports"][0]["totals"]["content_encoding"] in (None, "identity")


def test_all_stored_days_can_be_asked_for_again(
    folder: Path, service: Emulator, typed: Typed
) -> None:
    """``--full`` asks from the first stored day on, final or not."""
    with cimis.open(folder) as store:
        first = min(store.daily()["date"])
    before = len(service.traffic.queries)
    assert typed("sync").code == 0
    assert not any(f"startDate={first}" in query for query in service.traffic.queries[before:])
    before = len(service.traffic.queries)
    told = json.loads(typed("sync", "--full", "--json").out)
    assert any(f"startDate={first}" in query for query in service.traffic.queries[before:])
    assert told["reports"][0]["totals"]["records"] == 60
    assert (told["new"], told["filled"], told["revised"]) == (0, 0, 0)
    assert typed("sync", "--full", "--recheck", "9").code == 2


def test_a_service_that_is_slow_is_given_up(folder: Path, service: Emulator, typed: Typed) -> None:
    assert folder.is_dir()
    service.service.latency_s = 5
    told = typed("sync", "--timeout", "200ms", "--retries", "0")
    assert told.code == 6
    assert "--timeout" in told.err


def test_every_request_can_be_logged(folder: Path, service: Emulator, typed: Typed) -> None:
    assert folder.is_dir()
    assert "request for 2" not in typed("sync").err
    told = typed("sync", "-v")
    assert re.search(r"request for 2, .*, try 1: .* bytes as gzip", told.err)
    assert service.app_key not in told.err


def test_a_structured_log_has_one_object_a_line(
    folder: Path, service: Emulator, typed: Typed
) -> None:
    assert folder.is_dir()
    told = typed("sync", "--log-format", "json")
    events = [json.loads(line) for line in told.err.splitlines()]
    assert [event["event"] for event in events] == ["plan", "request", "station_year", "run"]
    assert events[-1]["totals"]["requests"] == 1
    wrong = typed("sync", "--log-format", "json", "--app-key", "of-somebody")
    assert wrong.code == 5
    assert json.loads(wrong.err.splitlines()[-1])["error"]["exit_code"] == 5
    assert "of-somebody" not in wrong.err


def test_two_at_once_are_kept_apart(folder: Path, typed: Typed) -> None:
    with locked(folder, "sync"):
        told = typed("sync")
    assert told.code == 7
    assert "another sync" in told.err


@pytest.mark.parametrize(
    ("wish", "code", "words"),
    [
        (("--all", "--stations", "2"), 2, "exclude each other"),
        (("--since", "2999-01-01", "--stations", "2"), 2, "in the future"),
        (("--county", "Atlantis"), 2, "no county 'Atlantis'"),
        (("--near", "51,0"), 2, "outside California"),
        (("--stations", "9999"), 2, "no station 9999"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    folder: Path, typed: Typed, wish: tuple[str, ...], code: int, words: str
) -> None:
    assert folder.is_dir()
    told = typed("sync", *wish)
    assert (told.code, words in told.err) == (code, True)


def test_an_empty_store_needs_a_first_day(
    tmp_path: Path, service: Emulator, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIMIS_BASE_URL", service.base_url)
    monkeypatch.setenv("CIMIS_APP_KEY", service.app_key)
    typed("init", tmp_path / "e")
    where = ("--data-dir", tmp_path / "e")
    assert typed("sync", *where).code == 3
    assert typed("sync", "--stations", "2", *where).code == 3
    assert typed("sync", "--stations", "2", "--since", "2024-06-01", *where).code == 0
