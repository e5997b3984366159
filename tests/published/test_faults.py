"""What is wrong with a published store is named, and nothing wrong is answered or kept."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import cimis
from cimis.pipeline.errors import (
    AuthError,
    CimisError,
    NetworkError,
    StoreError,
)
from cimis.store import open_store
from tests.published.conftest import S3, SECRET, Place
from tests.queries.conftest import Network

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

MANIFEST = "cimis-manifest.json"
COUNT = "SELECT count(*) FROM daily"


def daily_of(place: Place, station: int) -> str:
    return next(
        name
        for name in place.names()
        if name.startswith((f"packs/{station}/daily", f"chunks/{station}/daily-2022"))
    )


@pytest.mark.parametrize("fault", ["changed", "cut", "gone", "another"])
def test_a_damaged_object_is_named_by_every_way_of_reading(
    published: Place, fault: str, typed: Typed, machine: Callable[[str], Path]
) -> None:
    name = daily_of(published, 5)
    data = published.read(name)
    if fault == "gone":
        published.delete(name)
    elif fault == "another":
        published.write(name, published.read(daily_of(published, 80)))
    else:
        at = len(data) // 2
        broken = (
            data[:at] if fault == "cut" else data[:at] + bytes([data[at] ^ 255]) + data[at + 1 :]
        )
        published.write(name, broken)
    machine("reader")
    where = ("--data-dir", published.url)
    span = ("--stations", "5", "--start", "2020-01-01", "--end", "2022-12-31")
    for words in (("query", *span), ("sql", COUNT), ("query", *span, "--format", "json")):
        answer = typed(*words, *where)
        assert answer.code == 7, (words, answer)
        assert "stations/005/202" in answer.err
    with open_store(published.url) as afar:
        assert afar.query("daily", stations=80, start="2022-01-01", end="2022-01-02").table()
    found = typed("verify", published.url)
    assert found.code == 8
    assert "stations/005/202" in found.out
    assert "stations/080" not in found.out


def test_a_large_chunk_that_is_read_by_ranges_is_checked_too(
    bucket: Place, s3: S3, tmp_path: Path, machine: Callable[[str], Path], typed: Typed
) -> None:
    from cimis.pipeline.field.items import Scope
    from tests.queries.conftest import put, year_table

    every = "air_tmp,dew_pnt,eto,precip,rel_hum,sol_rad,soil_tmp,vap_pres,wind_dir,wind_spd"
    put(tmp_path / "data", [year_table(Scope.HOURLY, 5, 2021, items=every)])
    with open_store(tmp_path / "data") as store:
        store.publish(bucket.url)
    name = next(name for name in bucket.names() if name.startswith("chunks/5/hourly"))
    data = bucket.read(name)
    assert len(data) > 1 << 16
    words = ("query", "--hourly", "--stations", "5", "--start", "2021-06-01", "--end", "2021-06-02")
    machine("reader")
    sound = typed(*words, "--data-dir", bucket.url)
    assert sound.code == 0
    put(tmp_path / "other", [year_table(Scope.HOURLY, 5, 2021, items=every, seed=9)])
    other = (tmp_path / "other/stations/005/2021_hourly.zst").read_bytes()
    blocks = bytearray(data)
    blocks[20 : len(data) - (1 << 14)] = bytes(len(data) - (1 << 14) - 20)
    for broken in (other, bytes(blocks), data[:-1], b""):
        bucket.write(name, broken)
        machine(f"reader{len(broken)}")
        answer = typed(*words, "--data-dir", bucket.url)
        assert (answer.code, answer.out.count("\n") < 2) == (7, True), answer


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda data: data[: len(data) // 2], id="cut"),
        pytest.param(lambda data: data.replace(b'"chunks": 1', b'"chunks": 2'), id="edited"),
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda _: b"<html>no</html>", id="html"),
        pytest.param(lambda _: b"[]", id="list"),
    ],
)
def test_a_damaged_manifest_is_named(
    published: Place, spoil: Callable[[bytes], bytes], typed: Typed
) -> None:
    published.write(MANIFEST, spoil(published.read(MANIFEST)))
    for words in (("sql", COUNT), ("stats",), ("query", "--stations", "5", "--year", "2021")):
        answer = typed(*words, "--data-dir", published.url)
        assert (answer.code, answer.out) == (7, "")
        assert "manifest" in answer.err
        assert "damaged" in answer.err


def test_a_newer_version_is_refused(published: Place, typed: Typed) -> None:
    facts = json.loads(published.read(MANIFEST))
    published.write(MANIFEST, json.dumps(facts | {"version": 2}).encode())
    answer = typed("stats", "--data-dir", published.url)
    assert (answer.code, answer.out) == (7, "")
    assert "version 2 of published stores; 1 is known" in answer.err
    assert "update cimis" in answer.err


def test_a_damaged_catalog_is_named_and_not_kept(
    published: Place, machine: Callable[[str], Path], typed: Typed
) -> None:
    name = next(name for name in published.names() if name.startswith("catalogs/"))
    data = published.read(name)
    published.write(name, data[:-8] + b"01234567")
    machine("reader")
    answer = typed("stats", "--data-dir", published.url)
    assert answer.code == 7
    assert name in answer.err
    published.write(name, data)
    assert typed("stats", "--data-dir", published.url).code == 0
    published.delete(name)
    machine("another")
    assert "is not complete" in typed("stats", "--data-dir", published.url).err


def test_a_damaged_chunk_is_not_kept(published: Place, machine: Callable[[str], Path]) -> None:
    name = daily_of(published, 5)
    data = published.read(name)
    published.write(name, bytes(len(data)))
    machine("reader")
    asked: dict[str, Any] = {"stations": 5, "start": "2020-01-01", "end": "2022-12-31"}
    with open_store(published.url) as afar:
        found = afar.query("daily", **asked)
        assert len(found.table()) < 1000
        assert [path for path, _ in found.lacks.damaged] != []
        published.write(name, data)
        assert afar.query("daily", **asked).table().num_rows > 1000


def test_what_is_kept_and_spoiled_is_fetched_again(
    published: Place, network: Network, machine: Callable[[str], Path]
) -> None:
    cache = machine("reader")
    asked: dict[str, Any] = {"stations": 5, "start": "2020-01-01", "end": "2022-12-31"}
    with open_store(network.root) as store:
        due = store.query("daily", **asked).table()
    with open_store(published.url) as afar:
        afar.query("daily", **asked).table()
    kept = [path for path in cache.glob("published/*/chunks/*/*") if path.is_file()]
    assert kept
    for path in kept:
        path.write_bytes(b"spoiled")
    with open_store(published.url) as afar:
        assert afar.query("daily", **asked).table().equals(due)


def test_no_bucket_no_store_and_no_way_are_told_apart(
    s3: S3, machine: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, typed: Typed
) -> None:
    cases = {
        "s3://no-such-bucket/x": (7, "there is no bucket"),
        "s3://stores/nothing-here": (7, "there is no published store"),
    }
    for url, (code, said) in cases.items():
        answer = typed("stats", "--data-dir", url)
        assert (answer.code, answer.out) == (code, "")
        assert said in answer.err
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    machine("elsewhere")
    answer = typed("stats", "--data-dir", "s3://stores/x")
    assert (answer.code, answer.out) == (6, "")
    assert "check the network" in answer.err
    assert SECRET not in answer.err


def test_no_right_is_told_without_the_key(
    s3: S3, bucket: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = (
                f"<Error><Code>AccessDenied</Code><Message>{SECRET}?sig={SECRET}</Message></Error>"
            )
            self.send_response(403)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    try:
        with pytest.raises(AuthError) as caught:
            cimis.open("s3://stores/other-right")
    finally:
        server.shutdown()
        server.server_close()
    assert caught.value.exit_code == 5
    assert f"sig={SECRET}" not in str(caught.value)


def test_a_network_lost_in_the_middle_is_no_damage_and_keeps_nothing_wrong(
    network: Network,
    s3: S3,
    bucket: Place,
    machine: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with open_store(network.root) as store:
        store.publish(bucket.url)
        due = store.sql(COUNT).table()
    machine("reader")
    from cimis.pipeline.published.objects import ObjectStore

    real, left = ObjectStore.get_range, [2]

    def lost(self: ObjectStore, name: str, start: int, stop: int) -> bytes:
        left[0] -= 1
        if left[0] < 0:
            raise NetworkError("cut off", kind="read")
        return real(self, name, start, stop)

    with monkeypatch.context() as patch:
        patch.setattr(ObjectStore, "get_range", lost)
        with open_store(bucket.url) as afar, pytest.raises(NetworkError):
            afar.sql(COUNT).table()
    with open_store(bucket.url) as afar:
        assert afar.sql(COUNT).table().equals(due)


def test_writers_are_refused_before_they_ask_for_anything(
    published: Place, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIMIS_APP_KEY", "00000000-0000-0000-0000-000000000000")
    monkeypatch.setenv("CIMIS_BASE_URL", "http://127.0.0.1:1")
    where = ("--data-dir", published.url)
    for words in (
        ("fetch", "--stations", "2", "--year", "2022"),
        ("sync",),
        ("init", published.url),
        ("migrate", "--format", "v1", "--allow-loss"),
        ("verify", "--repair"),
    ):
        answer = typed(*words, *(() if words[0] == "init" else where))
        assert (answer.code, "only read" in answer.err) == (7, True), (words, answer)


def test_without_the_package_one_line_says_what_to_install(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['obstore'] = None\n"
        "from cimis.cli.main import run\n"
        "sys.exit(run(['stats', '--data-dir', 's3://bucket/x']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pip install 'cimis[objects]'" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 2


def test_a_question_of_the_local_disk_loads_nothing_of_it(network: Network) -> None:
    where = str(network.root)
    code = (
        "import sys\n"
        "from cimis.cli.main import run\n"
        f"run(['query', '--stations', '5', '--year', '2021', '--data-dir', {where!r}])\n"
        "sys.stderr.write(' '.join(m for m in sys.modules if 'published' in m or m == 'obstore'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "2021-06-01" in done.stdout
    assert "published" not in done.stderr


def test_urls_that_cannot_be_meant_are_refused(machine: Callable[[str], Path]) -> None:
    for url in ("s3://", "gs:///", "s3a://"):
        with pytest.raises(CimisError):
            cimis.open(url)
    with pytest.raises(StoreError):
        cimis.open("nothing/here")
