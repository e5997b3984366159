"""Archives of the older program: every command names the way in, and the way in keeps all."""

from __future__ import annotations

import csv
import datetime as dt
import shlex
import shutil
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

import cimis
import cimis.pipeline.care.adopt
from cimis.pipeline.care.adopt import adopt
from cimis.pipeline.care.verify import verify
from cimis.pipeline.catalog.database import CATALOG_FILE, Catalog
from cimis.pipeline.errors import CheckFailed, NoDataError, StoreError
from cimis.pipeline.field.items import Scope, resolve
from cimis.pipeline.rows.schema import physical_schema
from tests.cli.conftest import typed

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

__all__ = ["typed"]

OLDER = """
create table stations (id integer primary key, name text, latitude real);
create table chunks (id integer primary key, station_id integer, year integer, file_path text);
create table meta (key text, value text);
insert into stations values (2, 'FivePoints', 36.3);
insert into meta values ('version', 'older');
"""
LAYOUTS = {
    "flat": "{0:03d}_{1}_{2}.zst",
    "one folder below": "chunks/{0:03d}_{1}_{2}.zst",
    "folders of stations": "{0}/{1}_{2}.zst",
    "at their places": "stations/{0:03d}/{1}_{2}.zst",
}


def chunk(path: Path, station: int, year: int) -> None:
    """Write a V1 chunk of ten days."""
    days = [dt.date(year, 1, 1) + dt.timedelta(days=n) for n in range(10)]
    columns = {"station": [station] * 10, "date": days, "air_tmp_avg": [8.5] * 10}
    wanted = physical_schema(Scope.DAILY, resolve("air_tmp_avg,asce_eto", Scope.DAILY))
    filled = {name: columns.get(name, [None] * 10) for name in wanted.names}
    path.parent.mkdir(parents=True, exist_ok=True)
    cimis.write_chunk(path, pa.table(filled, schema=wanted), format="v1")


@pytest.fixture(params=LAYOUTS)
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Three V1 chunks, in each of the ways that archives lie in, without any catalog."""
    root = tmp_path / "old archive"
    for station, year in ((2, 2018), (2, 2019), (6, 2018)):
        chunk(root / LAYOUTS[request.param].format(station, year, "daily"), station, year)
    return root


def older_metadata(root: Path) -> None:
    with sqlite3.connect(root / CATALOG_FILE) as connection:
        connection.executescript(OLDER)
    connection.close()


def files(root: Path) -> dict[str, bytes]:
    """Return what lies in a folder, but for locks."""
    found = (path for path in root.rglob("*") if path.is_file() and ".locks" not in path.parts)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}


COMMANDS = [
    "query --station 2 --year 2018",
    "query --station 2 --start 2018-01-01 --end 2018-01-02",
    "sql 'select 1'",
    "verify --repair",
    "stats",
    "gaps --station 2",
    "init",
    "migrate --format v2",
    "sync --dry-run",
    "stations",
    "fetch --stations 2 --year 2020 --app-key of-nobody",
]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("catalog", [None, "older"])
@pytest.mark.parametrize("archive", ["flat"], indirect=True)
def test_every_command_says_how_to_take_an_archive_over(
    command: str, catalog: str | None, typed: Typed, archive: Path
) -> None:
    """No command but the one it names changes anything."""
    if catalog is not None:
        older_metadata(archive)
    before = files(archive)
    told = typed(*shlex.split(command), "--data-dir", archive)
    assert told.code == 7
    assert f"cimis init --adopt '{archive}'" in told.err
    assert "no such table" not in told.err
    assert files(archive) == before


def test_verify_says_it_too(typed: Typed, archive: Path) -> None:
    told = typed("verify", "--data-dir", archive)
    assert told.code in (7, 8)
    assert "cimis init --adopt" in told.out + told.err


def test_python_says_it_too(archive: Path) -> None:
    for make in (cimis.open, cimis.create):
        with pytest.raises(StoreError) as caught:
            make(archive)
        assert "cimis init --adopt" in str(caught.value.hint)
    older_metadata(archive)
    with pytest.raises(StoreError) as caught:
        cimis.open(archive)
    assert "cimis init --adopt" in str(caught.value.hint)


@pytest.mark.parametrize("catalog", [None, "older"])
def test_an_archive_is_taken_over(catalog: str | None, typed: Typed, archive: Path) -> None:
    if catalog is not None:
        older_metadata(archive)
    before = files(archive)
    told = typed("init", "--adopt", archive)
    assert told.code == 0, told.err
    assert "3 chunks taken over (3 in format V1, 30 rows" in told.err
    after = files(archive)
    assert sorted(before[name] for name in before if name.endswith(".zst")) == sorted(
        after[name] for name in after if name.endswith(".zst")
    )
    if catalog is not None:
        assert after["metadata.older.sqlite3"] == before[CATALOG_FILE]
    assert verify(archive).sound
    with cimis.open(archive) as store:
        assert store.daily()["air_tmp_avg"].to_list() == [8.5] * 30
    again = typed("init", "--adopt", archive)
    assert again.code == 0
    assert "3 were before" in again.err


def test_python_takes_an_archive_over(archive: Path) -> None:
    with cimis.create(archive, adopt=True) as store:
        assert store.daily().height == 30


@pytest.mark.parametrize("archive", ["flat"], indirect=True)
def test_what_cannot_be_taken_over_is_left_and_named(typed: Typed, archive: Path) -> None:
    """Damaged chunks, a second chunk of a station's year, and other files stay where they are."""
    damaged = archive / "006_2018_daily.zst"
    damaged.write_bytes(damaged.read_bytes()[:-1])
    twice = archive / "2" / "2018_daily.zst"
    chunk(twice, 2, 2018)
    shutil.copy(archive / "002_2019_daily.zst", archive / "007_2019_daily.zst")
    (archive / "notes.zst").write_bytes(b"mine")
    told = typed("init", "--adopt", archive)
    assert told.code == 8
    for name in ("006_2018_daily.zst", "2/2018_daily.zst", "007_2019_daily.zst"):
        assert f"{name} was left where it is" in told.err
        assert (archive / name).exists()
    assert (archive / "notes.zst").exists()
    with Catalog(archive) as catalog:
        assert len(catalog.chunks()) == 2
    found = {finding.path for finding in verify(archive).findings}
    assert found == {"006_2018_daily.zst", "2/2018_daily.zst", "007_2019_daily.zst"}
    with pytest.raises(CheckFailed, match="left where they are"):
        cimis.create(archive, adopt=True)


@pytest.mark.parametrize("archive", ["flat"], indirect=True)
def test_what_lies_at_a_place_is_never_covered(typed: Typed, archive: Path) -> None:
    place = archive / "stations" / "002" / "2018_daily.zst"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"half a chunk")
    assert typed("init", "--adopt", archive).code == 8
    assert place.read_bytes() == b"half a chunk"
    assert (archive / "002_2018_daily.zst").exists()


@pytest.mark.parametrize("archive", ["flat"], indirect=True)
def test_chunks_laid_into_a_data_directory_are_found_and_entered(
    typed: Typed, archive: Path, tmp_path: Path
) -> None:
    """A data directory of ours takes chunks in beside its own, which stay listed as they were."""
    own = tmp_path / "own"
    assert typed("init", own).code == 0
    chunk(own / "stations" / "009" / "2020_daily.zst", 9, 2020)
    verify(own, repair=True)
    with Catalog(own) as catalog:
        (listed,) = catalog.chunks()
    shutil.copy(archive / "002_2018_daily.zst", own)
    told = typed("verify", "--data-dir", own)
    assert told.code == 8
    assert "not at its place" in told.out
    assert typed("init", "--adopt", own).code == 0
    with Catalog(own) as catalog:
        assert [row.station for row in catalog.chunks()] == [2, 9]
        assert listed in catalog.chunks()


def test_a_folder_without_chunks_is_not_touched(tmp_path: Path) -> None:
    older_metadata(tmp_path)
    (tmp_path / "letter.zst").write_bytes(b"mine")
    before = files(tmp_path)
    with pytest.raises(NoDataError, match="no chunk to take over"):
        adopt(tmp_path)
    assert files(tmp_path) == before
    assert not (tmp_path / ".locks").exists()


@pytest.mark.parametrize("archive", ["flat"], indirect=True)
def test_a_takeover_that_was_ended_is_begun_again(
    typed: Typed, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ended before the catalog is there, the archive is still said to be one to take over."""
    older_metadata(archive)

    def ended(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(cimis.pipeline.care.adopt, "_enter", ended)
        with pytest.raises(KeyboardInterrupt):
            adopt(archive)
    assert "cimis init --adopt" in typed("stats", "--data-dir", archive).err
    assert typed("init", "--adopt", archive).code == 0
    assert verify(archive).sound
    assert (archive / "metadata.older.sqlite3").exists()


@pytest.mark.parametrize("archive", ["flat"], indirect=True)
def test_an_older_metadata_file_never_covers_another(archive: Path) -> None:
    (archive / "metadata.older.sqlite3").write_bytes(b"kept")
    older_metadata(archive)
    assert adopt(archive).set_aside == "metadata.older-2.sqlite3"
    assert (archive / "metadata.older.sqlite3").read_bytes() == b"kept"


def test_the_real_archive_gives_its_own_numbers(v1_golden: Path, tmp_path: Path) -> None:
    """The older program's files, put in place flat, answer with what that program wrote."""
    for path in v1_golden.glob("*.zst"):
        shutil.copyfile(path, tmp_path / path.name)
    older_metadata(tmp_path)
    done = adopt(tmp_path)
    assert len(done.chunks) == len(done.moved) == len(list(v1_golden.glob("*.zst")))
    with cimis.open(tmp_path) as store:
        rows = store.daily(stations=2)
    with (v1_golden / "002_2018_daily.expected.csv").open(encoding="utf-8") as file:
        expected = list(csv.DictReader(file))
    assert [day.isoformat() for day in rows["date"]] == [row["date"] for row in expected]
    for value, row in zip(rows["air_tmp_avg"], expected, strict=True):
        flagged = int(row["qc_flags"]) & 1
        if value is None:
            assert flagged
        else:
            assert round(value * 10) == int(row["temperature_x10"])
