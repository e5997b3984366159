"""What a command finds, its method of a store finds too; and stations are named in every way."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow.compute as pc
import pytest

import cimis
from cimis.naming.sites import Stations, sites_of
from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.catalog.tallies import Tallies
from cimis.pipeline.emulator import Emulator, GeneratedSource
from cimis.pipeline.field.items import Scope
from cimis.pipeline.lacks import Site
from tests.queries.conftest import put, year_table

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

SPAN: dict[str, Any] = {"start": "2021-04-01", "end": "2021-04-20"}
WORDS = ("--start", "2021-04-01", "--end", "2021-04-20")
KNOWN: list[tuple[int, str, dict[str, Any]]] = [
    (2, "FivePoints", {"county": "Fresno", "latitude": 36.3, "longitude": -120.1}),
    (5, "Shafter", {"county": "Kern", "latitude": 35.5, "longitude": -119.3}),
    (80, "Fresno State", {"county": "Fresno", "latitude": 36.8, "longitude": -119.7}),
    (146, "Belridge", {"county": "Kern", "latitude": 35.5, "longitude": -119.7}),
    (182, "Delano State Farm", {"county": "Kern"}),
]


@pytest.fixture(scope="module")
def service() -> Iterator[Emulator]:
    with Emulator(GeneratedSource()) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three stations of a network of five."""
    root = tmp_path_factory.mktemp("stored") / "data"
    put(root, [year_table(Scope.DAILY, number, 2021) for number in (2, 5, 80)])
    put(root, [year_table(Scope.HOURLY, 5, 2021, items="air_tmp")])
    with Catalog(root) as catalog:
        catalog.put_stations(
            (number, name, {"number": number, "name": name, "connected": "1982-06-07", **facts})
            for number, name, facts in KNOWN
        )
    return root


@pytest.fixture
def store(stored: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[cimis.Store]:
    monkeypatch.setenv("CIMIS_DATA_DIR", str(stored))
    with cimis.open(stored) as opened:
        yield opened


@pytest.fixture
def own(stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy that may be written to, beside one that a command may write to."""
    for name in ("data", "other"):
        shutil.copytree(stored, tmp_path / name)
    monkeypatch.setenv("CIMIS_DATA_DIR", str(tmp_path / "other"))
    return tmp_path / "data"


@pytest.mark.parametrize("scope", ["daily", "hourly"])
def test_gaps_are_those_of_the_command(scope: str, store: cimis.Store, typed: Typed) -> None:
    found = store.gaps([5], scope=scope, **SPAN)
    words = ("gaps", "--station", "5", "--scope", scope, *WORDS)
    assert found.as_dicts() == json.loads(typed(*words, "--json").out)
    assert found.pl().write_csv() == typed(*words, "--runs").out


def test_gaps_of_what_nothing_carries_are_refused_as_by_the_command(store: cimis.Store) -> None:
    with pytest.raises(cimis.NoDataError, match="nothing stored carries eto"):
        store.gaps(5, items="eto", **SPAN)
    with pytest.raises(cimis.NoDataError, match="no daily record"):
        store.gaps(146, **SPAN)


def test_stations_near_a_point_are_those_of_the_command(store: cimis.Store, typed: Typed) -> None:
    with pytest.warns(UserWarning, match="1 station without coordinates"):
        found = store.near("35.5,-119.4", within_km=120)
    words = ("stations", "--near", "35.5,-119.4", "--within", "120", "--json")
    due = [
        (s["station"], s["distance_km"], s["bearing_deg"]) for s in json.loads(typed(*words).out)
    ]
    assert found.select("station", "distance_km", "bearing_deg").rows() == due
    assert found["name"].to_list() == ["Shafter", "Belridge", "FivePoints"]


def test_a_point_may_be_two_numbers_and_a_place_may_be_empty(store: cimis.Store) -> None:
    with pytest.warns(UserWarning, match="without coordinates"):
        assert store.near((35.5, -119.3), within_km=1)["station"].to_list() == [5]
    with pytest.warns(UserWarning, match="1 station"), pytest.raises(cimis.NoDataError):
        store.near((41.0, -122.0), within_km=1)


def test_stations_of_a_county_are_those_of_the_command(store: cimis.Store, typed: Typed) -> None:
    found = store.county("kern")
    due = json.loads(typed("stations", "--county", "kern", "--json").out)
    assert found["station"].to_list() == [facts["station"] for facts in due] == [5, 146, 182]
    with pytest.warns(cimis.IncompleteAnswer):  # days that no station of the store has
        rows = store.daily(store.county("Fresno")["station"], items="precip", **SPAN)
    assert rows["station"].unique().to_list() == [2, 80]
    with pytest.raises(cimis.UsageError, match="no county"):
        store.county("Yolo")


def test_an_import_does_what_the_command_does(own: Path, tmp_path: Path, typed: Typed) -> None:
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        archive.writestr("daily005.csv", "5,1/1/2022,1" + ",1.0, " * 14 + "\n")
    with cimis.open(own) as store:
        done = store.import_archive(tmp_path / "d.zip")
        stored = store.daily(5, start="2022", end="2022")
    told = json.loads(typed("import", tmp_path / "d.zip", "--json").out)
    for name in ("files", "stations", "rows", "new_rows", "chunks"):
        assert done.as_dict()[name] == told[name]
    with cimis.open(tmp_path / "other") as other:
        assert other.daily(5, start="2022", end="2022").equals(stored)
    assert stored.height == 1


def test_an_import_of_no_record_has_its_report(own: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        archive.writestr("daily005.csv", "5,1/1/2022,1" + ",1.0, " * 14 + "\n")
    with cimis.open(own) as store, pytest.raises(cimis.NoDataError) as caught:
        store.import_archive([tmp_path / "d.zip"], stations="Belridge", dry_run=True)
    assert (caught.value.report.rows, caught.value.report.lacks.without_rows) == (0, (146,))


def test_a_migration_does_what_the_command_does(own: Path, tmp_path: Path, typed: Typed) -> None:
    with cimis.open(own) as store:
        with pytest.raises(cimis.UsageError, match="V1 cannot hold"):
            store.migrate("v1", year=2021)
        done = store.migrate("v1", stations="Shafter", year="2021", allow_loss=True)
        assert set(store.chunks().filter(pl.col("station") == 5)["format"]) == {"v1"}
    words = (
        "migrate",
        "--format",
        "v1",
        "--station",
        "5",
        "--year",
        "2021",
        "--allow-loss",
        "--json",
    )
    told = json.loads(typed(*words).out)
    assert done.as_dict() == {name: told[name] for name in done.as_dict()}
    for path in (one.path for one in done.done):
        assert (own / path).read_bytes() == (tmp_path / "other" / path).read_bytes()


def test_a_migration_elsewhere_makes_that_place(own: Path, tmp_path: Path) -> None:
    with cimis.open(own) as store:
        store.migrate(output=tmp_path / "copy", stations=[5])
        mine = store.daily(5)
    with cimis.open(tmp_path / "copy") as copy:
        assert copy.daily().equals(mine)


def test_a_check_is_that_of_the_command_also_in_its_metrics(own: Path, typed: Typed) -> None:
    path = next(own.rglob("2021_daily.zst"))
    path.write_bytes(path.read_bytes()[:-9])
    other = own.parent / "other" / path.relative_to(own)
    other.write_bytes(path.read_bytes())
    with cimis.open(own) as store:
        found = store.verify()
    told = json.loads(typed("verify", "--json").out)
    for finding in told["findings"]:
        finding["reason"] = finding["reason"].replace("/other/", "/data/")
    assert found.as_dict() == told
    assert not told["sound"]
    assert Tallies(own).read()["cimis_checksum_failures", ()] == 1


def test_a_sync_of_working_stations_asks_what_the_command_asks(
    own: Path, typed: Typed, service: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIMIS_BASE_URL", service.base_url)
    monkeypatch.setenv("CIMIS_APP_KEY", service.app_key)
    for place in (own, own.parent / "other"):
        with Catalog(place) as catalog:
            facts = {"number": 2, "name": "FivePoints", "active": True, "connected": None}
            catalog.put_stations([(2, "FivePoints", facts), (5, "S", facts | {"active": False})])
    with cimis.open(own) as store:
        wanted: dict[str, Any] = {"scope": "daily", "since": "2026-11-01", "dry_run": True}
        reports = store.sync(active=True, **wanted)
        named = store.sync("fivepoints", **wanted)
        with pytest.raises(cimis.UsageError):
            store.sync(2, active=True)
        with pytest.raises(cimis.UsageError):
            store.sync(full=True, recheck_days=3)
    words = ("sync", "--all", "--scope", "daily", "--since", "2026-11-01", "--dry-run", "--json")
    plan = json.loads(typed(*words).out)["plan"]
    assert [one for report in reports for one in _plan(report)] == plan
    assert [_plan(report) for report in named] == [_plan(report) for report in reports]


def test_targets_alone_are_synced_stored_or_new(
    tmp_path: Path, service: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIMIS_BASE_URL", service.base_url)
    monkeypatch.setenv("CIMIS_APP_KEY", service.app_key)
    with cimis.create(tmp_path / "d") as store:
        days = {"start": "2026-11-01", "end": "2026-11-20"}
        store.fetch([5, "address:HQ=1416 9th St, Davis, CA"], **days)
        store.fetch(5, scope="hourly", **days)
        asked: list[tuple[Stations, set[Site]]] = [
            ("targets", {"address:HQ"}),
            ("address:HQ", {"address:HQ"}),
            ([5, "zip:93624"], {5, "zip:93624"}),
        ]
        for named, due in asked:
            reports = store.sync(named, scope="daily", dry_run=True)
            assert {name for r in reports for w in r.windows for name in w.names} == due
        (report,) = store.sync("targets")
        assert report.totals()["added"] > 0
        assert store.daily("targets")["date"].max() > store.daily(5)["date"].max()  # type: ignore[operator]


def _plan(report: Any) -> list[dict[str, Any]]:
    return [{"scope": report.scope.value} | one for one in report.as_dict()["plan"]]


@pytest.mark.parametrize("network", [None, "wsn"])
def test_zip_codes_are_fetched_as_by_the_command(
    network: str | None,
    tmp_path: Path,
    typed: Typed,
    service: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CIMIS_BASE_URL", service.base_url)
    monkeypatch.setenv("CIMIS_APP_KEY", service.app_key)
    with cimis.create(tmp_path / "mine") as store:
        store.fetch("zip:93624", start="2024-06-01", end="2024-06-03", network=network)
        mine = set(store.chunks()["path"])
    more = () if network is None else ("--network", network)
    days = ("--start", "2024-06-01", "--end", "2024-06-03", "--data-dir", tmp_path / "other")
    assert typed("fetch", "--zip", "93624", *more, *days).code == 0
    with cimis.open(tmp_path / "other") as other:
        assert set(other.chunks()["path"]) == mine != set()


def test_stations_and_targets_are_fetched_together_and_read_apart(
    tmp_path: Path, service: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIMIS_BASE_URL", service.base_url)
    monkeypatch.setenv("CIMIS_APP_KEY", service.app_key)
    hq = "address:HQ=1416 9th St, Davis, CA"
    with cimis.create(tmp_path / "d") as store:
        store.fetch([2, "coordinate:36.5,-120.0", hq], start="2024-06-01", end="2024-06-03")
        assert store.daily(2).height == 3
        spatial = store.daily("targets")
        known = spatial["target"].unique().sort().to_list()
        assert known == ["address:HQ", "coordinate:36.5,-120"]
        assert store.daily("address:HQ, coordinate:36.5,-120").equals(spatial)
        assert store.scan_daily("address:HQ").collect().height == 3
        assert store.dataset(stations="address:HQ").count_rows() == 3
        gaps = store.gaps("address:HQ", "2024-06-01", "2024-06-04")
        assert {gap.absent for gap in gaps if gap.item in ("asce_eto", "sol_rad_avg")} == {1}
        assert len(store.every("month", stations="targets")) == 2
        again = store.fetch("address:HQ", start="2024-06-04", end="2024-06-04")
        assert again.exit_code == 0
        with pytest.raises(cimis.UsageError, match="share no table"):
            store.daily([2, "address:HQ"])
        with pytest.raises(cimis.UsageError, match="spatial data are daily"):
            store.hourly("address:HQ")
        with pytest.raises(cimis.UsageError, match="stations only"):
            store.eto(stations="address:HQ")
        with pytest.raises(cimis.UsageError, match="stations only"):
            store.migrate(stations="address:HQ")
        with pytest.raises(cimis.UsageError, match="stations only"):
            store.named("latest", stations="address:HQ")
        with pytest.raises(cimis.UsageError, match="not known"):
            store.fetch("address:Nowhere", year=2024)


@pytest.mark.parametrize(
    ("given", "numbers"),
    [
        ("fresno", (80,)),
        ("FRESNO STATE", (80,)),
        ("fivepoints", (2,)),
        ("farm", (182,)),
        ("shafter, 2, 80-81", (2, 5, 80, 81)),
        (["Delano State", 7, "5"], (5, 7, 182)),
        ("bel", (146,)),
    ],
)
def test_a_name_is_found(given: Any, numbers: tuple[int, ...], store: cimis.Store) -> None:
    assert sites_of(given, store.root).stations == numbers


def test_a_name_that_several_fit_lists_them(store: cimis.Store) -> None:
    with pytest.raises(cimis.UsageError) as caught:
        store.daily("state")
    assert "Fresno State (80), Delano State Farm (182)" in str(caught.value)
    with pytest.raises(cimis.UsageError, match="no station is called 'nowhere'"):
        store.query(stations="nowhere")


def test_a_name_without_a_list_says_how_to_get_one(tmp_path: Path) -> None:
    with cimis.create(tmp_path / "d") as store, pytest.raises(cimis.UsageError) as caught:
        store.daily("Davis")
    assert caught.value.hint == "fetch it: cimis stations --refresh"


def test_scans_are_narrowed_to_the_stations_named(store: cimis.Store) -> None:
    whole = store.scan_daily().collect()
    assert store.scan_daily("fresno").collect().equals(whole.filter(pl.col("station") == 80))
    assert store.scan_hourly([5]).collect().height == store.hourly(5).height
    table = store.dataset("daily", stations=["Shafter", 2]).to_table(columns=["station"])
    assert sorted(pc.unique(table["station"]).to_pylist()) == [2, 5]
