"""Every storage keeps the contract, and whatever touches chunks works in each of them alike."""

from __future__ import annotations

import datetime as dt
import threading
from pathlib import Path

import pytest

from cimis.pipeline.care.adopt import adopt
from cimis.pipeline.care.migrate import migrate, pending
from cimis.pipeline.care.verify import verify
from cimis.pipeline.catalog.database import CATALOG_FILE, Catalog
from cimis.pipeline.chunks import (
    ChunkKey,
    read_chunk,
    read_footer,
    store_rows,
    write_chunk,
)
from cimis.pipeline.chunks.bulk import ChunkFile, Damaged, Decoded, read_many
from cimis.pipeline.chunks.whereabouts import chunk_files
from cimis.pipeline.errors import ChunkError, StoreError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.storage import storage_of
from cimis.pipeline.storage.disk import Disk
from cimis.pipeline.storage.writers import locked
from cimis.queries.point.rows import point
from cimis.queries.timing import QueryTimings
from cimis.store import open_store
from tests.queries.conftest import put, year_table
from tests.storage.conftest import SCHEME
from tests.storage.memory import Memory

STATIONS = (2, 5, 80)
YEAR = 2023
TABLES = {number: year_table(Scope.DAILY, number, YEAR) for number in STATIONS}


def key_of(station: int) -> ChunkKey:
    return ChunkKey(Scope.DAILY, YEAR, station=station)


def whole(data: bytes) -> bytes:
    return data


@pytest.fixture
def filled(root: Path) -> Path:
    """Return a data directory with a chunk of each station."""
    put(root, list(TABLES.values()))
    return root


# the contract


def test_a_plain_path_is_of_the_disk_and_an_unknown_scheme_too(tmp_path: Path) -> None:
    for location in (tmp_path, Path("data"), Path("nobody:/data"), Path("a/memory:/b")):
        assert isinstance(storage_of(location), Disk)


def test_what_was_put_is_read_whole_and_by_ranges(root: Path) -> None:
    path, data = root / "stations/002/2023_daily.zst", bytes(range(256)) * 300
    storage = storage_of(path)
    assert storage.put(path, data, len) == len(data)
    assert storage.read(path) == data
    with storage.open(path) as file:
        assert file.size == len(data)
        assert file.read_range(255, 258) == b"\xff\x00\x01"
        assert file.read_range(len(data) - 2, len(data) + 9) == b"\xfe\xff"
    assert storage.standing(path)[0] == len(data)


def test_what_does_not_pass_its_check_leaves_the_old_file_and_nothing_beside_it(root: Path) -> None:
    path = root / "stations/002/2023_daily.zst"
    storage = storage_of(path)
    storage.put(path, b"old", whole)

    def refuse(data: bytes) -> None:
        raise ValueError(data)

    with pytest.raises(ValueError, match="new"):
        storage.put(path, b"new", refuse)
    assert storage.read(path) == b"old"
    assert list(storage.files(root, "**/*")) == [path]


def test_a_file_that_is_not_there_is_not_found(root: Path) -> None:
    storage, path = storage_of(root), root / "none.zst"
    assert not storage.exists(path)
    for ask in (storage.read, storage.open, storage.standing):
        with pytest.raises(FileNotFoundError) as caught:
            ask(path)
        assert caught.value.strerror
    storage.remove(path)


def test_files_are_listed_by_the_pattern_of_their_path(root: Path) -> None:
    storage = storage_of(root)
    names = ["a.zst", "b/a.zst", "b/c/a.zst", "b/c/a.txt"]
    for name in names:
        storage.put(root / name, b"", whole)

    def listed(folder: Path, pattern: str) -> list[str]:
        return sorted(p.relative_to(root).as_posix() for p in storage.files(folder, pattern))

    assert listed(root, "*.zst") == names[:1]
    assert listed(root, "*/*.zst") == names[1:2]
    assert listed(root, "**/*.zst") == names[:3]
    assert listed(root / "b", "**/*.zst") == names[1:3]
    assert listed(root / "none", "**/*.zst") == []


def test_a_moved_file_is_at_its_new_place_only(root: Path) -> None:
    storage, old, new = storage_of(root), root / "a/old.zst", root / "b/c/new.zst"
    storage.put(old, b"data", whole)
    storage.move(old, new)
    assert (storage.exists(old), storage.read(new)) == (False, b"data")


def test_a_lock_is_held_against_another_thread(root: Path) -> None:
    heard: list[BaseException] = []

    def other() -> None:
        try:
            with locked(root, "one", timeout_s=0.01):
                pass
        except StoreError as error:
            heard.append(error)

    with locked(root, "one"):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert "another process has been writing one in" in str(heard[0])
    with locked(root, "one", timeout_s=0):
        pass


# what stands on it


def test_a_chunk_is_written_and_read(root: Path) -> None:
    path = key_of(2).path(root)
    info = write_chunk(path, TABLES[2])
    assert read_chunk(path).to_pylist() == TABLES[2].to_pylist()
    assert read_footer(path).rows == info.footer.rows == TABLES[2].num_rows
    assert storage_of(path).exists(path)


def test_a_chunk_that_is_not_there_is_told_of(root: Path) -> None:
    with pytest.raises(StoreError, match="there is no chunk"):
        read_chunk(root / "none.zst")
    with pytest.raises(StoreError, match=r"cannot read .*none\.zst: No such file"):
        read_footer(root / "none.zst")


def test_rows_are_merged_into_the_chunk_that_is_there(root: Path) -> None:
    table = TABLES[5]
    store_rows(root, key_of(5), table.slice(0, 100))
    stored = store_rows(root, key_of(5), table.slice(60))
    assert (stored.counts.unchanged, stored.counts.added) == (40, table.num_rows - 100)
    assert read_chunk(key_of(5).path(root)).to_pylist() == table.to_pylist()


def test_many_chunks_are_read_and_one_that_is_gone_is_told_of(filled: Path) -> None:
    files = [ChunkFile(key_of(number).path(filled), key_of(number)) for number in (*STATIONS, 7)]
    found = list(read_many(files))
    damaged = [piece for piece in found if isinstance(piece, Damaged)]
    decoded = [piece for piece in found if isinstance(piece, Decoded)]
    assert [piece.place for piece in damaged] == [3]
    assert "not on disk" in str(damaged[0].error)
    assert sum(piece.table.num_rows for piece in decoded) == sum(
        table.num_rows for table in TABLES.values()
    )


def test_questions_have_their_answers(filled: Path) -> None:
    """By the mirror, and of few rows from the chunk itself."""
    day = dt.date(YEAR, 2, 3)
    few = point(filled, Scope.DAILY, [2], day, day, timings=QueryTimings())
    assert few is not None
    with open_store(filled) as store:
        rows = store.query(Scope.DAILY, stations=[2], start=day, end=day).table()
        every = store.sql("SELECT count(*) FROM daily").fetchall()
    assert rows["air_tmp_avg"].to_pylist() == [
        TABLES[2].filter(TABLES[2]["date"].to_numpy() == day)["air_tmp_avg"][0].as_py()
    ]
    assert every == [(sum(table.num_rows for table in TABLES.values()),)]


def test_verify_finds_and_mends_every_fault(filled: Path) -> None:
    """Damage is set aside, a chunk that is not listed is entered, one that is gone forgotten."""
    storage = storage_of(filled)
    first, second, third = (key_of(number).path(filled) for number in STATIONS)
    sound = storage.read(first)
    storage.put(first, sound[:-1] + b"x", whole)
    with Catalog(filled) as catalog:
        catalog.remove_chunks([second.relative_to(filled).as_posix()])
    storage.remove(third)
    verdict = verify(filled, repair=True)
    assert (verdict.chunks, verdict.damaged, len(verdict.findings)) == (2, 1, 3)
    assert verdict.sound
    assert [path for path, _ in chunk_files(filled)] == [second]
    aside = list(storage.files(filled / "quarantine", "**/*"))
    assert [storage.read(path) for path in aside] == [sound[:-1] + b"x"]
    assert verify(filled).findings == []


def test_chunks_are_rewritten_in_the_other_form(filled: Path) -> None:
    with Catalog(filled) as catalog:
        chunks = catalog.chunks()
    assert len(pending(filled, chunks, "v1")) == len(STATIONS)
    assert migrate(filled, chunks, "v1").failed == []
    with Catalog(filled) as catalog:
        assert pending(filled, catalog.chunks(), "v1") == []
    assert verify(filled).sound


def test_an_archive_without_a_catalog_is_taken_over(filled: Path) -> None:
    (filled / CATALOG_FILE).unlink()
    storage, place = storage_of(filled), key_of(5).path(filled)
    storage.move(place, filled / f"005_{YEAR}_daily.zst")
    done = adopt(filled)
    assert done.moved == [(f"005_{YEAR}_daily.zst", f"stations/005/{YEAR}_daily.zst")]
    assert (len(done.chunks), storage.exists(place)) == (3, True)
    assert verify(filled).sound


# the second one alone


@pytest.fixture
def memory(root: Path) -> Memory:
    """Return the second storage."""
    storage = storage_of(root)
    if not isinstance(storage, Memory):
        pytest.skip("of the second storage")
    return storage


def test_no_chunk_of_another_storage_touches_the_disk(filled: Path, memory: Memory) -> None:
    assert [path for path in filled.rglob("*") if path.suffix == ".zst"] == []
    assert len(list(memory.files(filled, "**/*.zst"))) == len(STATIONS)
    assert str(filled) == f"{SCHEME}:/bucket/data"


def test_a_question_of_few_rows_reads_ranges_not_the_file(root: Path, memory: Memory) -> None:
    put(root, [year_table(Scope.HOURLY, 2, YEAR)])
    path = ChunkKey(Scope.HOURLY, YEAR, station=2).path(root)
    day = dt.date(YEAR, 2, 3)
    memory.ranges.clear()
    assert point(root, Scope.HOURLY, [2], day, day, timings=QueryTimings()) is not None
    read = sum(stop - start for start, stop in memory.ranges)
    assert 0 < read < memory.standing(path)[0]


def test_damage_names_the_location(root: Path, memory: Memory) -> None:
    path = key_of(2).path(root)
    write_chunk(path, TABLES[2])
    memory.put(path, memory.read(path)[:-1] + b"x", whole)
    with pytest.raises(ChunkError, match=f"{SCHEME}:/bucket/data/stations/002/{YEAR}_daily.zst"):
        read_chunk(path)
