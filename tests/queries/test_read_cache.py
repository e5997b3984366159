"""The read cache saves reading, keeps within its bound, and is never stale or fatal."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from cimis.store import open_store
from pipeline.items import Scope, resolve
from queries.cache import ReadCache
from queries.cache_disk import POINTS, DiskCache, cache_folder
from queries.cache_entries import packed
from queries.point import point
from queries.timing import QueryTimings
from queries.values import Part, Scaled
from tests.queries.conftest import put, year_table

WEEK = (
    "SELECT asce_eto, air_tmp_avg FROM daily "
    "WHERE station = 5 AND date BETWEEN '2021-06-01' AND '2021-06-07'"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    put(tmp_path, [year_table(Scope.DAILY, s, y) for s in (2, 5) for y in (2020, 2021)])
    put(tmp_path, [year_table(Scope.HOURLY, 2, 2021)])
    return tmp_path


def _ask(root: Path, text: str, cache: int | str) -> tuple[list[tuple[object, ...]], QueryTimings]:
    timings = QueryTimings()
    with open_store(root, cache=cache) as store:
        return store.sql(text, timings=timings).fetchall(), timings


def test_asking_again_opens_no_chunk_in_this_process_or_another(root: Path) -> None:
    plain, _ = _ask(root, WEEK, 0)
    with open_store(root, cache="10MB") as store:
        for opened, hits in ((1, 0), (0, 4)):
            timings = QueryTimings()
            assert store.sql(WEEK, timings=timings).fetchall() == plain
            assert timings.files_opened == opened
            assert timings.cache_hits == hits
    again, timings = _ask(root, WEEK, "10MB")
    assert again == plain
    assert (timings.files_opened, timings.cache_misses) == (0, 0)
    assert timings.cache_hits > 0


def test_every_kind_of_column_comes_back_from_disk(root: Path) -> None:
    for text in ("SELECT * FROM daily", "SELECT * FROM hourly"):
        plain, _ = _ask(root, text, 0)
        assert _ask(root, text, "50MB")[0] == plain
        again, timings = _ask(root, text, "50MB")
        assert again == plain
        assert timings.files_opened == 0


def test_a_rewritten_chunk_is_never_answered_from_the_cache(root: Path) -> None:
    with open_store(root, cache="10MB") as store:
        store.daily(stations=5)
        for seed in (1, 2, 3):
            put(root, [year_table(Scope.DAILY, 5, 2021, seed=seed)])
            expected = year_table(Scope.DAILY, 5, 2021, seed=seed)["asce_eto"].to_pylist()
            got = store.daily(stations=5, start="2021", end="2021")
            assert got["asce_eto"].to_list() == expected


def _column(number: int) -> Scaled:
    return Scaled(np.full(500, number, np.int16), 1)


def _reading(checksum: str, part: Part) -> Callable[[Sequence[str]], tuple[str, Part]]:
    return lambda _: (checksum, part)


def test_the_bounds_hold_in_memory_and_on_disk(tmp_path: Path) -> None:
    limit = 200_000
    cache = ReadCache(limit, tmp_path)
    timings = QueryTimings()
    for number in range(600):
        part = Part(500, {"v": _column(number)})
        cache.part(f"c{number}", ["v"], _reading(f"c{number}", part), timings)
        cache.flush()
        stats = cache.stats()
        assert stats.memory_bytes <= limit
        assert sum(f.stat().st_size for f in tmp_path.iterdir()) <= limit
    stats = cache.stats()
    assert stats.evictions == timings.cache_evictions > 0
    assert stats.disk_entries > 20
    kept = cache.part("c599", ["v"], lambda _: pytest.fail("newest is gone"), timings)
    assert int(kept.columns["v"][0][0]) == 599
    assert cache.clear() > 0
    assert (cache.stats().memory_entries, cache.stats().disk_entries) == (0, 0)
    cache.close()


def test_an_entry_used_again_outlives_older_ones(tmp_path: Path) -> None:
    disk = DiskCache(tmp_path, 120_000)
    disk.put("first", {"v": packed(500, _column(1))})
    disk.flush()
    for number in range(200):
        disk.put(f"n{number}", {"v": packed(500, _column(number))})
        disk.flush()
        assert "v" in disk.get("first", ["v"])
    assert disk.get("n0", ["v"]) == {}
    disk.close()


def test_a_smaller_bound_than_before_is_kept_to(tmp_path: Path) -> None:
    for limit in (400_000, 100_000):
        disk = DiskCache(tmp_path, limit)
        for number in range(300):
            disk.put(f"{limit}-{number}", {"v": packed(500, _column(number))})
        disk.close()
        assert sum(f.stat().st_size for f in tmp_path.iterdir()) <= limit


@pytest.mark.parametrize("damage", ["garbage", "cut", "entry", "folder"])
def test_a_damaged_cache_costs_speed_alone(damage: str, root: Path) -> None:
    plain, _ = _ask(root, WEEK, 0)
    _ask(root, WEEK, "10MB")
    (file,) = cache_folder(root).iterdir()
    if damage == "garbage":
        file.write_bytes(b"not a database at all" * 500)
    elif damage == "cut":
        file.write_bytes(file.read_bytes()[:5_000])
    elif damage == "entry":
        with sqlite3.connect(file) as connection:
            connection.execute("UPDATE entry SET data = substr(data, 1, 60) || x'00'")
        connection.close()
    else:
        file.unlink()
        cache_folder(root).rmdir()
        cache_folder(root).write_text("a file in the way")
    for _ in range(2):
        assert _ask(root, WEEK, "10MB")[0] == plain


def test_a_chunk_rewritten_between_plan_and_read_is_answered_whole(root: Path) -> None:
    cache = ReadCache(1 << 20)
    timings = QueryTimings()
    old, new = _column(1), _column(2)
    cache.part("old", ["a"], lambda _: ("old", Part(500, {"a": old})), timings)
    reads: list[list[str]] = []

    def read(names: list[str]) -> tuple[str, Part]:
        reads.append(list(names))
        return "new", Part(500, dict.fromkeys(names, new))

    part = cache.part("old", ["a", "b"], read, timings)  # type: ignore[arg-type]  # a list will do
    assert [int(part.columns[n][0][0]) for n in ("a", "b")] == [2, 2]
    assert reads == [["b"], ["a", "b"]]


def _rewrite(root: str, until: float) -> None:
    seed = 0
    while time.monotonic() < until:
        seed += 1
        put(Path(root), [year_table(Scope.DAILY, 5, 2021, items="asce_eto", seed=seed % 7)])


def _week(root: Path) -> list[float]:
    """Return the first week's ETo by the plain path, with its own part of the cache."""
    kept = DiskCache(cache_folder(root), 100_000, POINTS)
    days = dt.date(2021, 1, 1), dt.date(2021, 1, 7)
    items = resolve("asce_eto", Scope.DAILY)
    asked = QueryTimings()
    got = point(root, Scope.DAILY, [5], *days, items=items, cache=kept, timings=asked)
    kept.close()
    assert got is not None
    return [float(row[2] or 0) for row in got.rows]


def _read(root: str, until: float, found: multiprocessing.Queue[str]) -> None:
    truths = {
        tuple(year_table(Scope.DAILY, 5, 2021, items="asce_eto", seed=s)["asce_eto"].to_pylist())
        for s in range(7)
    }
    asked = 0
    try:
        with open_store(root, cache=300_000) as store:
            while time.monotonic() < until:
                got = store.daily(stations=5, start="2021", end="2021", items="asce_eto")
                if tuple(got["asce_eto"].to_list()) not in truths:
                    found.put(f"a wrong answer of {got.height} rows")
                    return
                week = _week(store.root)
                if not any(week == [t or 0.0 for t in truth[:7]] for truth in truths):
                    found.put(f"a wrong week: {week}")
                    return
                size = sum(f.stat().st_size for f in cache_folder(store.root).glob("*.sqlite3"))
                if size > 400_000:
                    found.put(f"{size} bytes")
                    return
                asked += 1
    except Exception as error:  # noqa: BLE001 - told to the parent
        found.put(repr(error))
        return
    found.put("sound" if asked > 3 else f"asked {asked} times only")


@pytest.mark.parametrize("seconds", [4, pytest.param(60, marks=pytest.mark.slow)])
def test_four_readers_and_a_writer_get_on(seconds: int, root: Path) -> None:
    """No reader ever gets a stale, short or mixed year, and the file stays in its bound."""
    put(root, [year_table(Scope.DAILY, 5, 2021, items="asce_eto", seed=0)])
    context = multiprocessing.get_context("spawn")
    found: multiprocessing.Queue[str] = context.Queue()
    until = time.monotonic() + seconds + 3
    readers = [context.Process(target=_read, args=(str(root), until, found)) for _ in range(4)]
    writer = context.Process(target=_rewrite, args=(str(root), until))
    for process in (*readers, writer):
        process.start()
    verdicts = [found.get(timeout=seconds + 60) for _ in readers]
    for process in (*readers, writer):
        process.join(timeout=60)
    assert verdicts == ["sound"] * 4
