"""Publishing: what is sent, what an interruption leaves, and what two publishers make of it."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

import cimis
from cimis.pipeline.care.verify import verify
from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.chunks.key import ChunkKey
from cimis.pipeline.errors import ChunkError, StoreError, UsageError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.published import publish as publishing
from cimis.pipeline.published.bucket import Bucket, Superseded, bucket_of
from cimis.pipeline.storage import storage_of
from cimis.pipeline.storage.checksum import checksum_of
from cimis.pipeline.storage.locations import location_of
from cimis.store import Store, open_store
from tests.published.conftest import S3, Place
from tests.queries.conftest import put, year_table
from tests.writers import stored, stored_slowly

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

SUM = "SELECT station, count(*), sum(asce_eto) FROM daily GROUP BY 1 ORDER BY 1"
MANIFEST = "cimis-manifest.json"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three stations of three years: nine chunks, six of them of closed years."""
    place = tmp_path / "data"
    put(place, [year_table(Scope.DAILY, s, y) for s in (2, 5, 80) for y in (2020, 2021, 2022)])
    return place


def changed(root: Path, station: int, *, seed: int = 1) -> None:
    """Write one open year anew, as a sync does."""
    key = ChunkKey(Scope.DAILY, 2022, station=station)
    stored(root, key, year_table(Scope.DAILY, station, 2022, seed=seed))


def sent(root: Path, url: str, **more: Any) -> publishing.Publication:
    with open_store(root) as store:
        return store.publish(url, **more)


def answer(where: str | Path) -> list[dict[str, Any]]:
    with open_store(where, cache=0) as store:  # no read cache is made for one question
        rows = store.sql(SUM).table().to_pylist()
    assert isinstance(rows, list)
    return rows


def test_closed_years_lie_together_and_open_ones_alone(root: Path, place: Place) -> None:
    sent(root, place.url)
    names = place.names()
    assert len([name for name in names if name.startswith("packs/")]) == 3
    assert len([name for name in names if name.startswith("chunks/")]) == 3


def test_again_only_the_changed_chunk_the_catalog_and_the_manifest_are_sent(
    root: Path, place: Place
) -> None:
    sent(root, place.url)
    before = set(place.names())
    assert not sent(root, place.url).changed
    assert set(place.names()) == before
    changed(root, 5)
    done = sent(root, place.url)
    assert (done.new_chunks, done.objects) == (1, 3)
    new = set(place.names()) - before
    assert {name.split("/")[0] for name in new} == {"chunks", "catalogs"}
    assert len(new) == 2


def test_after_one_days_sync_only_the_changed_chunks_are_sent(tmp_path: Path, place: Place) -> None:
    from cimis.pipeline.emulator import Emulator, GeneratedSource

    today = dt.date(2024, 7, 2)
    with Emulator(GeneratedSource()) as service, cimis.create(tmp_path / "data") as store:
        ways = {"base_url": service.base_url, "app_key": service.app_key}
        store.fetch([2, 5], start="2023-12-01", end=today - dt.timedelta(days=1), **ways)
        store.publish(place.url)
        before = set(place.names())
        store.fetch([2, 5], start=today, end=today, **ways)
        done = store.publish(place.url)
    assert done.new_chunks == 2
    new = {name.split("/")[0] for name in set(place.names()) - before}
    assert new == {"chunks", "catalogs"}


def test_a_dry_run_sends_nothing(root: Path, place: Place) -> None:
    done = sent(root, place.url, dry_run=True)
    assert (done.new_chunks, done.objects) == (9, 6)
    assert place.names() == []


def test_nothing_stored_is_nothing_to_publish(tmp_path: Path, place: Place) -> None:
    with cimis.create(tmp_path / "empty") as store, pytest.raises(UsageError, match="no chunks"):
        store.publish(place.url)


def test_another_stores_place_is_not_overwritten(root: Path, place: Place, tmp_path: Path) -> None:
    sent(root, place.url)
    other = tmp_path / "other"
    put(other, [year_table(Scope.DAILY, 7, 2022)])
    with pytest.raises(StoreError, match=r"9 chunks that .* has not"):
        sent(other, place.url)
    assert answer(place.url) == answer(root)
    assert sent(other, place.url, replace=True).gone_chunks == 9
    assert answer(place.url) == answer(other)


def test_a_damaged_chunk_is_named_and_nothing_is_published(root: Path, place: Place) -> None:
    path = root / "stations/005/2021_daily.zst"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ChunkError, match=r"stations/005/2021_daily\.zst"):
        sent(root, place.url)
    assert MANIFEST not in place.names()


def held(root: Path) -> dict[str, str]:
    """Return the checksums of a data directory's chunks by path."""
    with Catalog(root) as catalog:
        return {row.path: row.checksum for row in catalog.chunks()}


def read_through(url: str) -> dict[str, str]:
    """Return the checksums of all chunks as they are read where they are published."""
    root = location_of(url)
    storage = storage_of(root)
    storage.attend(root)
    with Catalog(root) as catalog:
        paths = [row.path for row in catalog.chunks()]
    storage.ahead([root / path for path in paths])
    return {path: checksum_of(storage.read(root / path)) for path in paths}


class Killed(BaseException):
    """The process is gone: nothing after it is done."""


def until(moment: int, monkeypatch: pytest.MonkeyPatch, *, after: bool) -> None:
    """Let the process end at its so manyth request that changes something, before or after it."""
    left = [moment]
    lock = threading.Lock()
    real: Callable[[Path], Bucket] = bucket_of

    def wrapped(location: Path) -> Bucket:
        bucket = real(location)

        def dying(do: Callable[..., Any]) -> Callable[..., Any]:
            def doing(*args: Any) -> Any:
                with lock:
                    left[0] -= 1
                    now = left[0]
                if now < 0 or (now == 0 and not after):
                    raise Killed
                done = do(*args)
                if now == 0:
                    raise Killed
                return done

            return doing

        for name in ("put", "put_if", "delete"):
            setattr(bucket, name, dying(getattr(bucket, name)))
        return bucket

    monkeypatch.setattr(publishing, "bucket_of", wrapped)


def test_killed_at_fifty_moments_a_reader_finds_a_version_whole(
    root: Path,
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    machine: Callable[[str], Path],
) -> None:
    """At each request of a publication, before it and after it, until one goes through."""
    sent(root, place.url)
    before, moments, seed = held(root), 0, 0
    while moments < 50:
        seed += 1
        for station in (2, 5, 80):
            changed(root, station, seed=seed)
        now = held(root)
        for moment in count(1):
            with monkeypatch.context() as patch:
                until((moment + 1) // 2, patch, after=moment % 2 == 0)
                try:
                    sent(root, place.url)
                    break
                except Killed:
                    moments += 1
            machine(f"reader-{moments}")
            assert read_through(place.url) in (before, now)
        assert read_through(place.url) == now
        before = now
    assert verify(location_of(place.url)).sound


@pytest.mark.slow
def test_killed_for_real_at_fifty_moments(
    root: Path, place: Place, machine: Callable[[str], Path]
) -> None:
    """By SIGKILL, at moments spread over the time that publishing takes."""
    import subprocess
    import sys
    import time

    command = [sys.executable, "-m", "cimis", "publish", place.url, "--data-dir", str(root)]
    begin = time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    took = time.monotonic() - begin
    whole = held(root)
    for number in range(50):
        for station in (2, 5, 80):
            changed(root, station, seed=number + 1)
        due = held(root)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(took * (0.4 + 0.6 * number / 50))
        process.kill()
        process.wait()
        machine(f"reader-{number}")
        found = read_through(place.url)
        assert found in (whole, due)
        if found == due:
            whole = due
        assert verify(location_of(place.url)).sound
    sent(root, place.url)
    assert answer(place.url) == answer(root)


def test_what_an_interrupted_run_sent_is_not_sent_again(
    root: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        until(6, patch, after=True)
        with pytest.raises(Killed):
            sent(root, place.url)
    calls: list[str] = []
    real: Callable[[Path], Bucket] = bucket_of

    def counting(location: Path) -> Bucket:
        bucket = real(location)
        put_one = bucket.put

        def noted(name: str, data: bytes) -> None:
            calls.append(name)
            put_one(name, data)

        bucket.put = noted  # type: ignore[method-assign]
        return bucket

    monkeypatch.setattr(publishing, "bucket_of", counting)
    sent(root, place.url)
    assert {name.split("/")[0] for name in calls} <= {"catalogs", MANIFEST}
    assert answer(place.url) == answer(root)


def test_two_publishers_at_once_leave_one_version_whole(root: Path, place: Place) -> None:
    """Each writes and publishes several times; whoever is last, all that is named is there."""
    sent(root, place.url)
    failures: list[BaseException] = []

    def publish(station: int) -> None:
        try:
            for seed in range(1, 6):
                changed(root, station, seed=seed)
                sent(root, place.url)
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [threading.Thread(target=publish, args=(station,)) for station in (2, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    sent(root, place.url)
    assert verify(location_of(place.url)).sound
    assert answer(place.url) == answer(root)


def test_a_writer_between_file_and_row_is_waited_for(root: Path, place: Place) -> None:
    sent(root, place.url)
    key = ChunkKey(Scope.DAILY, 2022, station=5)
    with stored_slowly(root, key, year_table(Scope.DAILY, 5, 2022, seed=1)):
        assert sent(root, place.url, resend=True).chunks == 9
    assert answer(place.url) == answer(root)


def test_the_manifest_is_replaced_only_as_it_was_read(root: Path, place: Place) -> None:
    sent(root, place.url)
    bucket = bucket_of(location_of(place.url))
    data, tag = bucket.get(MANIFEST)
    bucket.put_if(MANIFEST, data + b"\n", tag)
    with pytest.raises(Superseded):
        bucket.put_if(MANIFEST, data, tag)
    with pytest.raises(Superseded):
        bucket.put_if(MANIFEST, data, None)


def test_a_reader_during_publications_sees_one_version_whole(
    root: Path, place: Place, machine: Callable[[str], Path]
) -> None:
    sent(root, place.url)
    done = threading.Event()
    seen: list[dict[str, str]] = []
    failures: list[BaseException] = []

    def read() -> None:
        try:
            while not done.is_set():
                machine(f"reader-{len(seen)}")
                seen.append(read_through(place.url))
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    written = [held(root)]
    for seed in range(1, 5):
        changed(root, 5, seed=seed)
        written.append(held(root))
        sent(root, place.url)
    done.set()
    reader.join()
    assert failures == []
    assert seen
    assert all(found in written for found in seen)


def test_objects_of_no_use_go_after_a_week_and_not_before(
    root: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent(root, place.url)
    first = set(place.names())
    changed(root, 5)
    sent(root, place.url)
    superseded = {name for name in first if name.startswith(("chunks/5/", "catalogs/"))}
    assert superseded <= set(place.names())
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=8)
    changed(root, 5, seed=2)
    publishing.publish(root, location_of(place.url), program="test", now=later)
    assert not superseded & set(place.names())
    assert answer(place.url) == answer(root)


def test_parquet_beside_it_is_read_by_others_and_only_changed_years_are_sent(
    root: Path, place: Place, tmp_path: Path
) -> None:
    sent(root, place.url, parquet=True)
    files = [name for name in place.names() if name.endswith("rows.parquet")]
    assert len(files) == 3
    changed(root, 5)
    done = sent(root, place.url, parquet=True)
    assert done.objects == 3 + 2  # chunk, catalog, manifest; the year's file and the stations'
    copy = tmp_path / "rows.parquet"
    total = 0
    for name in files:
        copy.write_bytes(place.read(f"{name}"))
        total += pq.read_table(copy).num_rows
    assert total == sum(row["count_star()"] for row in answer(root))


def test_the_command_tells_what_was_sent(root: Path, place: Place, typed: Typed) -> None:
    words = ("publish", place.url, "--data-dir", str(root))
    assert "would send 9 changed chunks of 9 in 6 objects" in typed(*words, "--dry-run").out
    assert "sent 9 changed chunks of 9 in 8 objects" in typed(*words).out
    assert "up to date: 9 chunks" in typed(*words).out
    facts = json.loads(typed(*words, "--json", "--resend").out)
    assert (facts["objects"], facts["chunks"]) == (8, 9)


def test_publishing_again_mends_what_is_gone_and_resend_what_is_damaged(
    root: Path, place: Place
) -> None:
    sent(root, place.url)
    pack = next(name for name in place.names() if name.startswith("packs/5/"))
    place.delete(pack)
    assert not verify(location_of(place.url)).sound
    sent(root, place.url)
    assert verify(location_of(place.url)).sound
    data = place.read(pack)
    place.write(pack, bytes([data[0] ^ 1]) + data[1:])
    assert not verify(location_of(place.url)).sound
    sent(root, place.url, resend=True)
    assert verify(location_of(place.url)).sound


def test_a_published_store_is_published_on(
    root: Path, bucket: Place, tmp_path: Path, s3: S3
) -> None:
    sent(root, bucket.url)
    with open_store(bucket.url) as afar:
        afar.publish(tmp_path / "mirror")
    assert answer(tmp_path / "mirror") == answer(root)
    assert isinstance(afar, Store)
