"""``cimis migrate`` rewrites chunks in place or beside, says what V1 cannot hold, and resumes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cimis.pipeline.care.migrate import migrate
from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.catalog.entry import chunk_row
from cimis.pipeline.chunks import ChunkKey, read_chunk, read_footer, store_rows, write_chunk
from cimis.pipeline.chunks.v1.records import pack, unpack
from cimis.pipeline.emulator import Emulator, GeneratedSource
from cimis.pipeline.field.items import Scope
from tests.chunks.golden_chunks import Columns, table

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

FIRST = ("--start", "2023-12-22", "--end", "2024-01-10")


@pytest.fixture(scope="module")
def service() -> Iterator[Emulator]:
    with Emulator(GeneratedSource()) as emulator:
        yield emulator


@pytest.fixture
def root(service: Emulator, tmp_path: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory with twenty days of two stations in two years, which the environment names.

    The chunks are V2: four of them.
    """
    monkeypatch.setenv("CIMIS_BASE_URL", service.base_url)
    monkeypatch.setenv("CIMIS_APP_KEY", service.app_key)
    monkeypatch.setenv("CIMIS_DATA_DIR", str(tmp_path / "d"))
    assert typed("fetch", "--stations", "2,5", *FIRST).code == 0
    return tmp_path / "d"


def _files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*.zst"))}


def _forms(root: Path) -> dict[str, str]:
    with Catalog(root) as catalog:
        rows = {row.path: row.format for row in catalog.chunks()}
    for path, form in rows.items():
        assert form == ("v1" if read_footer(root / path).version == 1 else "v2")
    return rows


def _facts(typed: Typed, *arguments: str | Path) -> dict[str, Any]:
    answer = typed("migrate", *arguments, "--json")
    assert answer.code == 0, answer.err
    facts: dict[str, Any] = json.loads(answer.out)
    return facts


def test_a_lossy_migration_is_refused_with_counts_and_writes_nothing(
    typed: Typed, root: Path
) -> None:
    before = _files(root)
    answer = typed("migrate", "--format", "v1")
    assert answer.code == 2
    assert "V1 cannot hold" in answer.err
    assert "4 of 4 chunks" in answer.err
    assert "--allow-loss" in answer.err
    assert _files(root) == before
    assert set(_forms(root).values()) == {"v2"}


def test_a_dry_run_tells_the_losses_and_sizes_that_the_run_then_has(
    typed: Typed, root: Path
) -> None:
    before = _files(root)
    told = _facts(typed, "--format", "v1", "--dry-run")
    assert _files(root) == before
    done = _facts(typed, "--format", "v1", "--allow-loss")
    assert told.pop("dry_run") is True
    assert done.pop("dry_run") is False
    assert told == done
    assert done["chunks"] == 4
    assert done["bytes_before"] == sum(map(len, before.values()))
    assert done["bytes_after"] == sum(map(len, _files(root).values()))
    assert done["lost"]["precip"] == 40
    assert set(_forms(root).values()) == {"v1"}
    assert typed("verify").code == 0


def test_v1_without_loss_needs_no_leave(typed: Typed, tmp_path: Path) -> None:
    assert typed("init", tmp_path / "other").code == 0
    key = ChunkKey(Scope.DAILY, 2024, station=2)
    columns: Columns = {"day-air-tmp-avg": ([81, -40, None], [None, None, None], 1)}
    rows = table(key, [19_723, 19_724, 19_725], columns)
    with Catalog(tmp_path / "other") as catalog:
        catalog.put_chunks(
            [chunk_row(write_chunk(key.path(tmp_path / "other"), rows), source="test")]
        )
    asked = ("query", "--data-dir", tmp_path / "other", "--items", "air_tmp_avg")
    before = typed(*asked, "--format", "csv").out
    assert _facts(typed, "--data-dir", tmp_path / "other", "--format", "v1")["lost"] == {}
    assert _forms(tmp_path / "other") == {"stations/002/2024_daily.zst": "v1"}
    assert typed(*asked, "--format", "csv").out == before


def test_there_and_back_through_copies(typed: Typed, root: Path, tmp_path: Path) -> None:
    """Copies leave the chunks as they were; V1 rewritten as V2 gives the same answers."""
    before = _files(root)
    old = tmp_path / "old"
    assert not _facts(typed, "--format", "v1", "--output", old, "--dry-run")["failed"]
    assert not old.exists()
    answer = typed("migrate", "--format", "v1", "--output", old)
    assert answer.code == 0
    assert "4 chunks written as v1" in answer.err
    assert "lost, as V1 cannot hold them" in answer.err
    assert _files(root) == before
    said = typed("query", "--data-dir", old, "--format", "csv").out
    assert typed("migrate", "--data-dir", old).code == 0
    assert set(_forms(old).values()) == {"v2"}
    assert typed("query", "--data-dir", old, "--format", "csv").out == said
    assert typed("verify", "--data-dir", old).code == 0


def test_stations_and_years_choose_the_chunks(typed: Typed, root: Path) -> None:
    chosen = ("--stations", "5", "--year", "2024")
    assert _facts(typed, "--format", "v1", "--allow-loss", *chosen)["chunks"] == 1
    forms = _forms(root)
    assert [path for path, form in forms.items() if form == "v1"] == ["stations/005/2024_daily.zst"]
    assert _facts(typed)["chunks"] == 1
    assert _facts(typed)["chunks"] == 0


def test_what_the_catalog_knew_of_a_chunk_stays_known(typed: Typed, root: Path) -> None:
    """Source, time of the fetch, and what may still change are not lost with the old file."""

    def known() -> list[tuple[Any, ...]]:
        with Catalog(root) as catalog:
            return [
                (c.path, c.source, c.fetched_at, c.provisional_from_s, c.rows)
                for c in catalog.chunks()
            ]

    before = known()
    _facts(typed, "--format", "v1", "--allow-loss")
    assert known() == before


def test_a_run_killed_between_file_and_catalog_is_taken_up(
    typed: Typed, root: Path, tmp_path: Path
) -> None:
    """A file that has its new form while the catalog says the old one gets its entry."""
    shutil.copytree(root, tmp_path / "whole")
    _facts(typed, "--format", "v1", "--allow-loss", "--data-dir", tmp_path / "whole")
    name = "stations/002/2024_daily.zst"
    (root / name).write_bytes((tmp_path / "whole" / name).read_bytes())
    assert typed("verify").code == 8
    assert _facts(typed, "--format", "v1", "--allow-loss")["chunks"] == 4
    assert _files(root) == _files(tmp_path / "whole")
    assert _forms(root) == _forms(tmp_path / "whole")
    assert typed("verify").code == 0


def test_rows_stored_meanwhile_are_not_taken_back(
    typed: Typed, root: Path, tmp_path: Path, service: Emulator
) -> None:
    """A migration that was planned before a fetch rewrites what is stored by then."""
    with Catalog(root) as catalog:
        planned = catalog.chunks()
    later = ("--start", "2024-01-11", "--end", "2024-01-20")
    assert typed("fetch", "--stations", "2,5", *later).code == 0
    done = migrate(root, planned, "v1")
    assert not done.failed
    with Catalog(root) as catalog:
        assert [row.rows for row in catalog.chunks()] == [10, 20, 10, 20]
    assert typed("verify").code == 0


def test_a_damaged_chunk_stays_and_the_others_are_rewritten(typed: Typed, root: Path) -> None:
    broken = root / "stations/002/2023_daily.zst"
    broken.write_bytes(broken.read_bytes()[:-3])
    left = broken.read_bytes()
    answer = typed("migrate", "--format", "v1", "--allow-loss")
    assert answer.code == 8
    assert "stations/002/2023_daily.zst stays as it is" in answer.err
    assert "1 of 4 chunks could not be rewritten" in answer.err
    assert broken.read_bytes() == left
    assert sorted(_count(root)) == [("v1", 3), ("v2", 1)]


def _count(root: Path) -> list[tuple[str, int]]:
    with Catalog(root) as catalog:
        forms = [row.format for row in catalog.chunks()]
    return [(form, forms.count(form)) for form in set(forms)]


@pytest.mark.parametrize("years", ["24", "2024-2020", "soon"])
def test_years_that_are_none_are_refused(years: str, typed: Typed, root: Path) -> None:
    assert typed("migrate", "--year", years, "--data-dir", root).code == 2


DAY = 19_723  # 2024-01-01
OLD = ChunkKey(Scope.DAILY, 2024, station=2)


@pytest.fixture
def old(tmp_path: Path, typed: Typed) -> Path:
    """A data directory with one V1 chunk: missing values, flags, wind, and radiation."""
    root = tmp_path / "old"
    assert typed("init", root).code == 0
    columns: Columns = {
        "day-air-tmp-avg": ([81, None, 94], ["R", "M", None], 1),
        "day-asce-eto": ([152, 0, None], [None, None, None], 2),
        "day-rel-hum-avg": ([65, 70, None], [None, "Y", None], 0),
        "day-sol-rad-avg": ([250, None, 180], [None, None, "R"], 0),
    }
    rows = table(OLD, [DAY, DAY + 1, DAY + 2], columns)
    with Catalog(root) as catalog:
        info = write_chunk(OLD.path(root), rows, format="v1")
        catalog.put_chunks([chunk_row(info, source="test")])
    return root


def test_v1_through_v2_comes_back_byte_for_byte_without_loss(typed: Typed, old: Path) -> None:
    before = _files(old)
    rows = read_chunk(OLD.path(old))
    assert rows["air_tmp_avg_qc"].to_pylist() == ["V1", None, None]
    assert _facts(typed, "--data-dir", old)["lost"] == {}
    assert _facts(typed, "--data-dir", old, "--format", "v1", "--dry-run")["lost"] == {}
    assert _facts(typed, "--data-dir", old, "--format", "v1")["lost"] == {}
    assert _files(old) == before
    assert read_chunk(OLD.path(old)).equals(rows)


@pytest.mark.parametrize("form", ["v1", "v2"])
def test_radiation_of_v1_is_suspect_in_either_form(typed: Typed, old: Path, form: str) -> None:
    """Verify and inspect warn before the migration, and after it, also with a new catalog."""
    before = read_chunk(OLD.path(old))
    if form == "v2":
        assert _facts(typed, "--data-dir", old)["chunks"] == 1
        (old / "metadata.sqlite3").unlink()
        assert typed("verify", "--data-dir", old, "--repair").code in (0, 8)
    told = json.loads(typed("verify", "--data-dir", old, "--json").out)
    assert ["radiation" in line and "V1" in line for line in told["warnings"]] == [True]
    assert "radiation" in typed("inspect", OLD.path(old)).err
    said = json.loads(typed("inspect", OLD.path(old), "--json").out)
    assert said["format"] == form
    assert "radiation" in said["suspicion"]
    assert read_chunk(OLD.path(old)).equals(before)


@pytest.mark.parametrize(("days", "suspect"), [(1, True), (3, False)])
def test_radiation_is_suspect_until_another_source_has_replaced_it(
    typed: Typed, old: Path, days: int, suspect: bool
) -> None:
    assert _facts(typed, "--data-dir", old)["chunks"] == 1
    columns: Columns = {"day-sol-rad-avg": ([200] * days, [None] * days, 0)}
    store_rows(old, OLD, table(OLD, list(range(DAY, DAY + days)), columns))
    assert (read_footer(OLD.path(old)).suspicion is not None) is suspect


def test_a_chunk_of_the_service_is_not_suspect(typed: Typed, root: Path) -> None:
    path = root / "stations/002/2024_daily.zst"
    assert "sol_rad_avg" in read_chunk(path).schema.names
    assert json.loads(typed("inspect", path, "--json").out)["suspicion"] is None


def test_record_bits_that_v2_has_no_place_for_are_counted(typed: Typed, old: Path) -> None:
    records = unpack(OLD.path(old).read_bytes(), Scope.DAILY).copy()
    records["flags"][:2] |= 0x80
    OLD.path(old).write_bytes(pack(records))
    told = _facts(typed, "--data-dir", old, "--dry-run")["lost"]
    answer = typed("migrate", "--data-dir", old)
    assert told == {"estimated (V1 bit 0x80)": 2}
    assert "estimated (V1 bit 0x80): 2 values or flags lost, as V2 cannot hold them" in answer.err
