"""What questions of few rows keep on disk: never stale, never needed, and the same answers."""

from __future__ import annotations

import datetime as dt
import random
import sqlite3
from pathlib import Path

import pytest

from pipeline.catalog import Catalog
from pipeline.chunks import ChunkKey
from pipeline.items import Scope, resolve
from queries.cache_disk import POINTS, DiskCache, point_share
from queries.point import PointRows, point
from queries.timing import QueryTimings
from tests.queries.conftest import Network, put, year_table

DAY = dt.date(2021, 6, 1)
WEEK = (DAY, dt.date(2021, 6, 7))


def _ask(
    root: Path,
    folder: Path | None,
    *,
    scope: Scope = Scope.DAILY,
    stations: tuple[int, ...] = (2,),
    days: tuple[dt.date, dt.date] = WEEK,
    items: str | None = None,
) -> tuple[PointRows, QueryTimings]:
    timings = QueryTimings()
    cache = None if folder is None else DiskCache(folder, 10_000_000, POINTS)
    chosen = None if items is None else resolve(items, scope)
    got = point(root, scope, stations, *days, items=chosen, cache=cache, timings=timings)
    if cache is not None:
        cache.close()
    assert got is not None
    return got, timings


@pytest.mark.parametrize("seed", range(20))
def test_answers_are_the_same_with_and_without(
    seed: int, network: Network, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Questions that overlap in columns, blocks and days find each other's leavings."""
    folder = tmp_path_factory.mktemp("points")
    rng = random.Random(seed)
    hits = 0
    for _ in range(8):
        scope = rng.choice(list(Scope))
        names = ["asce_eto", "precip,rel_hum_avg", None]
        if scope is Scope.HOURLY:
            names = ["air_tmp", "rel_hum,air_tmp", None]
        start = dt.date(2021, 12, 1) + dt.timedelta(days=rng.randrange(60))
        asked = {
            "scope": scope,
            "stations": tuple(rng.sample([2, 80], rng.randint(1, 2))),
            "days": (start, start + dt.timedelta(days=rng.randrange(9))),
            "items": rng.choice(names),
        }
        got, timings = _ask(network.root, folder, **asked)  # type: ignore[arg-type]  # drawn
        due, _ = _ask(network.root, None, **asked)  # type: ignore[arg-type]  # drawn
        assert got == due
        hits += timings.cache_hits
    assert hits > 0


def test_the_second_time_no_file_is_opened(network: Network, tmp_path: Path) -> None:
    _, first = _ask(network.root, tmp_path, scope=Scope.HOURLY, stations=(2, 80))
    _, second = _ask(network.root, tmp_path, scope=Scope.HOURLY, stations=(2, 80))
    assert (first.files_opened, first.cache_hits) == (2, 0)
    assert (second.files_opened, second.bytes_read, second.cache_misses) == (0, 0, 0)
    assert second.cache_hits == first.cache_misses > 0


def test_a_rewritten_chunk_is_read_anew(tmp_path: Path) -> None:
    put(tmp_path, [year_table(Scope.DAILY, 2, 2021, seed=1)])
    old, _ = _ask(tmp_path, tmp_path / "c")
    put(tmp_path, [year_table(Scope.DAILY, 2, 2021, seed=2)])
    new, timings = _ask(tmp_path, tmp_path / "c")
    assert timings.files_opened == 1
    assert new == _ask(tmp_path, None)[0] != old


def test_a_file_newer_than_the_catalog_is_neither_mixed_in_nor_kept(tmp_path: Path) -> None:
    """Between a writer's rename and its catalog entry, the file's rows are given, whole."""
    folder = tmp_path / "c"
    path = ChunkKey(Scope.DAILY, 2021, station=2).path(tmp_path)
    put(tmp_path, [year_table(Scope.DAILY, 2, 2021, seed=2)])
    new, newer = _ask(tmp_path, None)[0], path.read_bytes()
    put(tmp_path, [year_table(Scope.DAILY, 2, 2021, seed=1)])
    old, older = _ask(tmp_path, None)[0], path.read_bytes()
    _ask(tmp_path, folder, items="asce_eto")
    path.write_bytes(newer)
    assert _ask(tmp_path, folder)[0] == new
    path.write_bytes(older)
    assert _ask(tmp_path, folder)[0] == old


@pytest.mark.parametrize("trouble", ["garbage", "entry", "file in the way"])
def test_a_cache_in_trouble_costs_speed_alone(trouble: str, tmp_path: Path) -> None:
    put(tmp_path, [year_table(Scope.DAILY, 2, 2021)])
    folder = tmp_path / "c"
    due, _ = _ask(tmp_path, None)
    _ask(tmp_path, folder)
    (file,) = folder.iterdir()
    if trouble == "garbage":
        file.write_bytes(b"not a database at all" * 500)
    elif trouble == "entry":
        with sqlite3.connect(file) as connection:
            connection.execute("UPDATE entry SET data = substr(data, 1, 60) || x'00'")
        connection.close()
    else:
        file.unlink()
        folder.rmdir()
        folder.write_text("a file")
    for _ in range(2):
        assert _ask(tmp_path, folder)[0] == due


def test_the_file_keeps_to_its_bound(tmp_path: Path) -> None:
    put(tmp_path, [year_table(Scope.DAILY, s, 2021) for s in range(1, 31)])
    with Catalog(tmp_path) as catalog:
        assert catalog.count(Scope.DAILY) == 30
    cache = DiskCache(tmp_path / "c", 60_000, POINTS)
    for station in range(1, 31):
        timings = QueryTimings()
        assert point(tmp_path, Scope.DAILY, [station], *WEEK, cache=cache, timings=timings)
        assert sum(file.stat().st_size for file in (tmp_path / "c").iterdir()) <= 60_000
    cache.close()


@pytest.mark.parametrize(("given", "share"), [(None, 16_000_000), (0, 0), (4_000, 1_000)])
def test_the_share_of_a_bound(given: int | None, share: int) -> None:
    assert point_share(given) == share
