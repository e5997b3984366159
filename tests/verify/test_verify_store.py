"""Verify finds every fault of a data directory; repair mends it and loses no byte of anybody's."""

from __future__ import annotations

import datetime as dt
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from cimis.pipeline.care.verify import Finding, Verdict, verify
from cimis.pipeline.catalog.database import CATALOG_FILE, Catalog
from cimis.pipeline.catalog.entry import chunk_row
from cimis.pipeline.chunks import ChunkKey, read_chunk, write_chunk
from cimis.pipeline.emulator import GeneratedSource
from cimis.pipeline.errors import StoreError
from cimis.pipeline.field.items import Scope, Standard, resolve, scope_items
from cimis.pipeline.rows.schema import FLAG_TYPE, physical_schema
from cimis.pipeline.storage.disk import temporary_path
from tests.writers import stored_slowly

NAMES = [f"stations/{number:03d}/2023_daily.zst" for number in (2, 5, 7)]
DAYS = 300


def _put(root: Path, station: int, values: Sequence[float | None], *, form: str = "v2") -> Path:
    """Store one item of a station from 2023-01-01 on, and enter it in the catalog."""
    first = (dt.date(2023, 1, 1) - dt.date(1970, 1, 1)).days
    arrays = [
        pa.array(np.full(len(values), station, np.uint16)),
        pa.array(np.arange(first, first + len(values), dtype=np.int32)).view(pa.date32()),
        pa.array(values, pa.float64()),
        pa.array([None] * len(values), pa.string()).dictionary_encode().cast(FLAG_TYPE),
    ]
    schema = physical_schema(Scope.DAILY, resolve("air_tmp_avg", Scope.DAILY))
    path = ChunkKey(Scope.DAILY, 2023, station=station).path(root)
    info = write_chunk(path, pa.table(arrays, schema=schema), format=form)
    with Catalog(root, create=True) as catalog:
        catalog.put_chunks([chunk_row(info, source="test")])
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for station in (2, 5, 7):
        _put(tmp_path, station, [round(10 + station + 5 * np.sin(n / 9), 1) for n in range(DAYS)])
    return tmp_path


def _files(root: Path) -> dict[str, bytes]:
    """Return every file but the catalog's and the locks, by its path below the root."""
    return {
        p.relative_to(root).as_posix(): p.read_bytes()
        for p in root.rglob("*")
        if p.is_file() and not p.name.startswith(CATALOG_FILE) and ".locks" not in p.parts
    }


def _only(verdict: Verdict) -> Finding:
    assert len(verdict.findings) == 1, verdict.findings
    return verdict.findings[0]


def _catalog_rows(root: Path) -> list[tuple[str, int, str, bytes]]:
    with Catalog(root) as catalog:
        return sorted((r.path, r.rows, r.checksum, r.statistics) for r in catalog.chunks())


def _quarantined(root: Path, name: str) -> list[bytes]:
    return [p.read_bytes() for p in (root / "quarantine").glob(name + ".*")]


def test_a_sound_store_is_said_to_be_sound(root: Path) -> None:
    heard: list[tuple[int, int]] = []
    verdict = verify(root, on_chunk=lambda done, total: heard.append((done, total)))
    assert (verdict.sound, verdict.chunks, verdict.rows) == (True, 3, 3 * DAYS)
    assert verdict.file_bytes == sum(len((root / name).read_bytes()) for name in NAMES)
    assert (verdict.findings, verdict.warnings) == ([], [])
    assert heard == [(1, 3), (2, 3), (3, 3)]


def test_repairing_a_sound_store_changes_nothing(root: Path) -> None:
    before, rows = _files(root), _catalog_rows(root)
    assert verify(root, repair=True).findings == []
    assert (_files(root), _catalog_rows(root)) == (before, rows)


def test_a_flipped_bit_anywhere_in_a_chunk_is_found(root: Path) -> None:
    path = root / NAMES[0]
    whole = path.read_bytes()
    chance = random.Random(5)
    for place in sorted({0, len(whole) - 1, *chance.sample(range(len(whole)), 40)}):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        finding = _only(verify(root))
        assert (finding.path, finding.repair) == (NAMES[0], None), place


@pytest.mark.parametrize("how", ["flipped", "truncated", "empty", "grown", "foreign"])
def test_a_damaged_chunk_is_named_then_quarantined_not_deleted(root: Path, how: str) -> None:
    path = root / NAMES[1]
    whole = path.read_bytes()
    middle = len(whole) // 2
    damaged = {
        "flipped": whole[:middle] + bytes([whole[middle] ^ 16]) + whole[middle + 1 :],
        "truncated": whole[:-1],
        "empty": b"",
        "grown": whole + b"\0",
        "foreign": (root / NAMES[2]).read_bytes(),
    }[how]
    path.write_bytes(damaged)
    before = _files(root)

    found = verify(root)
    assert not found.sound
    assert _only(found).path == NAMES[1]
    assert _files(root) == before

    mended = verify(root, repair=True)
    assert mended.sound
    assert "quarantine" in str(_only(mended).repair)
    assert not path.exists()
    assert _quarantined(root, NAMES[1]) == [damaged]
    assert [row[0] for row in _catalog_rows(root)] == [NAMES[0], NAMES[2]]
    assert verify(root).findings == []


def test_quarantine_never_covers_what_is_there_already(root: Path) -> None:
    path = root / NAMES[0]
    whole = path.read_bytes()
    for length in (10, 20):
        path.write_bytes(whole[:length])
        verify(root, repair=True)
    assert sorted(map(len, _quarantined(root, NAMES[0]))) == [10, 20]


def test_a_chunk_whose_file_is_gone_is_forgotten_by_repair(root: Path) -> None:
    (root / NAMES[2]).unlink()
    finding = _only(verify(root))
    assert finding.path == NAMES[2]
    assert "file is gone" in finding.reason
    assert len(_catalog_rows(root)) == 3
    assert verify(root, repair=True).sound
    assert [row[0] for row in _catalog_rows(root)] == NAMES[:2]
    assert verify(root).findings == []


def test_a_sound_file_that_the_catalog_does_not_know_is_entered(root: Path) -> None:
    rows = _catalog_rows(root)
    with Catalog(root) as catalog:
        catalog.remove_chunks([NAMES[1]])
    assert "does not list" in _only(verify(root)).reason
    assert verify(root, repair=True).sound
    assert _catalog_rows(root) == rows


@pytest.mark.parametrize("repair", [False, True])
def test_a_chunk_that_a_writer_has_in_hand_is_no_fault(root: Path, repair: bool) -> None:
    """Its file is there already, its row is not yet: verify waits for the writer."""
    key = ChunkKey(Scope.DAILY, 2023, station=5)
    table = read_chunk(key.path(root)).slice(0, 9)
    changed = table.set_column(2, table.field(2), pa.array([1.5] * 9))
    with stored_slowly(root, key, changed):
        verdict = verify(root, repair=repair)
    assert verdict.sound, verdict.findings
    assert not verdict.findings


def test_a_sound_file_other_than_the_listed_one_is_entered_anew(root: Path) -> None:
    with Catalog(root) as catalog:
        listed = next(iter(catalog.chunks(path=NAMES[0])))
    path = _put(root, 2, [1.5, 2.5])
    with Catalog(root) as catalog:
        catalog.put_chunks([listed])
    assert "not the file that the catalog lists" in _only(verify(root)).reason
    assert verify(root, repair=True).sound
    assert _catalog_rows(root)[0][1] == 2
    assert read_chunk(path).num_rows == 2


@pytest.mark.parametrize("how", ["lost", "garbage", "cut"])
def test_the_catalog_is_rebuilt_from_the_chunks(root: Path, how: str) -> None:
    chunks, rows = _files(root), _catalog_rows(root)
    catalog = root / CATALOG_FILE
    broken = {"lost": None, "garbage": b"not a database" * 999, "cut": catalog.read_bytes()[:6000]}
    catalog.unlink()
    if broken[how] is not None:
        catalog.write_bytes(broken[how] or b"")

    found = verify(root)
    assert _only(found).path == CATALOG_FILE
    assert (found.sound, found.chunks) == (False, 3)

    mended = verify(root, repair=True)
    assert mended.sound
    assert {f.path for f in mended.findings} == {CATALOG_FILE, *NAMES}
    assert _catalog_rows(root) == rows
    kept = _files(root)
    assert {name: kept[name] for name in chunks} == chunks
    assert _quarantined(root, CATALOG_FILE)[:1] == [b for b in [broken[how]] if b is not None]
    assert verify(root).findings == []


def test_only_temporaries_of_dead_writers_are_removed_and_only_by_repair(root: Path) -> None:
    chunk = root / NAMES[0]
    done = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        capture_output=True,
        text=True,
        check=True,
    )
    dead = chunk.with_name(f".{chunk.name}.{int(done.stdout)}-1.tmp")
    reused = chunk.with_name(f".{chunk.name}.{os.getpid()}-1.tmp")
    living, others = temporary_path(chunk), chunk.with_name(".mine.tmp")
    for path in (dead, reused, living, others):
        path.write_bytes(b"half")
    assert verify(root).findings == []
    assert dead.exists()
    mended = verify(root, repair=True)
    assert mended.sound
    below = {path.relative_to(root).as_posix() for path in (dead, reused)}
    assert {(f.path, f.repair) for f in mended.findings} == {(name, "removed") for name in below}
    assert living.exists()
    assert others.exists()


def test_several_faults_are_all_named_at_once(root: Path) -> None:
    (root / NAMES[0]).write_bytes(b"")
    (root / NAMES[1]).unlink()
    stray = root / "stations/011/2023_daily.zst"
    stray.parent.mkdir()
    shutil.copy(root / NAMES[2], stray)
    verdict = verify(root)
    assert [f.path for f in verdict.findings] == [
        NAMES[0],
        "stations/011/2023_daily.zst",
        NAMES[1],
    ]
    facts = verdict.as_dict()
    assert facts["sound"] is False
    assert [f["path"] for f in facts["findings"]] == [f.path for f in verdict.findings]


@pytest.mark.parametrize("repair", [False, True])
def test_what_is_no_directory_is_refused(tmp_path: Path, repair: bool) -> None:
    with pytest.raises(StoreError, match="does not exist"):
        verify(tmp_path / "absent", repair=repair)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StoreError, match="is a file"):
        verify(tmp_path / "file", repair=repair)
    assert not (tmp_path / "absent").exists()


def test_a_folder_of_other_things_is_no_data_directory(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(StoreError):
        verify(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["letter.txt"]


def test_implausible_values_are_warned_about_and_fail_nothing(root: Path) -> None:
    _put(root, 5, [12.0, -53.4, 15.5])
    _put(root, 9, [-12.0, 57.1])
    verdict = verify(root)
    assert verdict.sound
    assert verdict.warnings == [
        (
            "daily air_tmp_avg from -53.4 to 57.1 °C leaves the plausible -40 to 57 °C: "
            "stations/005/2023_daily.zst, stations/009/2023_daily.zst"
        )
    ]


def test_the_ends_of_the_plausible_range_belong_to_it(root: Path) -> None:
    _put(root, 5, [-40.0, 57.0])
    assert verify(root).warnings == []


def test_many_implausible_chunks_are_one_line(root: Path) -> None:
    for station in range(20, 30):
        _put(root, station, [-40.1])
    assert len(verify(root).warnings) == 1
    assert verify(root).warnings[0].endswith("stations/022/2023_daily.zst and 7 more")


def test_missing_values_have_no_range(root: Path) -> None:
    _put(root, 5, [None, None])
    assert verify(root).warnings == []


def test_radiation_of_v1_is_warned_about_once(root: Path) -> None:
    _put(root, 5, [12.0, 13.0], form="v1")
    _put(root, 9, [12.0], form="v1")
    verdict = verify(root)
    assert verdict.sound
    assert [("V1" in line, "radiation" in line) for line in verdict.warnings] == [(True, True)]


def test_a_damaged_v1_chunk_is_found_too(root: Path) -> None:
    path = _put(root, 5, [12.0 + n % 7 for n in range(200)], form="v1")
    path.write_bytes(path.read_bytes()[:-1])
    assert _only(verify(root)).path == NAMES[1]
    assert verify(root, repair=True).sound
    assert not path.exists()


@pytest.mark.parametrize("scope", list(Scope))
def test_generated_weather_is_plausible(scope: Scope) -> None:
    """What the emulator serves never leaves the ranges, so a warning tells of something else."""
    items = scope_items(scope)
    for station in (2, 12, 15, 16, 18, 80, 150, 249):
        span = dt.date(2021, 1, 1), dt.date(2022, 12, 31)
        found = GeneratedSource().records(station, scope, *span, items, Standard.METRIC)
        for item in items:
            texts = [v for v in found.items[item.json_key].values if v is not None]
            if texts:
                values = np.array(texts, np.float64)
                inside = (item.plausible_min <= values) & (values <= item.plausible_max)
                assert inside.all(), (station, item.code, values[~inside][:3])


def test_every_flipped_bit_of_a_v1_chunk_is_found(tmp_path: Path) -> None:
    """Some bits of a zstd stream mean nothing; those too differ from what the catalog lists."""
    path = _put(tmp_path, 2, [8.1, 8.2, -4.0, None, 12.5], form="v1")
    data = bytearray(path.read_bytes())
    rows = read_chunk(path)
    harmless = 0
    for bit in range(len(data) * 8):
        data[bit // 8] ^= 1 << bit % 8
        path.write_bytes(data)
        verdict = verify(tmp_path)
        assert not verdict.sound, f"bit {bit} unnoticed"
        if "not the file that the catalog lists" in verdict.findings[0].reason:
            harmless += 1
            assert read_chunk(path).equals(rows)
        data[bit // 8] ^= 1 << bit % 8
    assert harmless > 0
    path.write_bytes(data)
    assert verify(tmp_path).sound
