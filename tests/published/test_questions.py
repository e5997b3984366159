"""A published store answers as the data directory that it was made of."""

from __future__ import annotations

import datetime as dt
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from cimis.store import Store, open_store
from tests.published.conftest import S3, Place, folder_of, prefix_of
from tests.queries.conftest import Network

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

WHERE = (
    "true",
    "station = 5",
    "station IN (2, 131)",
    "date >= '2022-01-01'",
    "date BETWEEN '2021-03-01' AND '2021-03-31'",
    "precip_qc IS NULL",
    "asce_eto > 15",
    "station = 7 AND year(date) = 2021",
)
FIGURES = (
    "station, count(*)",
    "station, avg(asce_eto)",
    "station, sum(precip), max(air_tmp_avg)",
    "station, count(asce_eto_qc)",
    "station, min(date), max(date)",
    "station, avg(vap_pres_avg)",
    "station, count(DISTINCT month(date))",
    "station, arg_max(date, asce_eto)",
)
HOURLY = (
    "SELECT station, hour, avg(air_tmp) FROM hourly GROUP BY ALL ORDER BY ALL",
    "SELECT * FROM hourly WHERE station = 80 AND date = '2021-07-01' ORDER BY ALL",
    "SELECT count(*), min(time), max(time) FROM hourly",
    "SELECT s.name, count(*) FROM hourly JOIN stations s USING (station) GROUP BY 1 ORDER BY 1",
)
QUESTIONS = [
    f"SELECT {figures} FROM daily WHERE {where} GROUP BY station ORDER BY station"
    for where in WHERE
    for figures in FIGURES
] + list(HOURLY)
ROWS = [
    {"stations": stations, "start": start, "end": end, "qc": qc}
    for stations in ([2], [5, 80], [7, 131, 2])
    for start, end in (("2020-01-01", "2020-01-07"), ("2021-12-20", "2022-01-10"), (None, None))
    for qc in ("keep", "strict", "drop-severe")
]


@pytest.fixture(scope="module", params=["s3", "folder"])
def opened(
    request: pytest.FixtureRequest, network: Network, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """The published network, opened once for all questions."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CIMIS_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        if request.param == "folder":
            place = folder_of(tmp_path_factory.mktemp("place") / "published")
        else:
            server: S3 = request.getfixturevalue("s3_server")
            keys = server.client._request_signer._credentials
            patch.setenv("AWS_ACCESS_KEY_ID", keys.access_key)
            patch.setenv("AWS_SECRET_ACCESS_KEY", keys.secret_key)
            patch.setenv("AWS_ENDPOINT_URL", server.url)
            patch.setenv("AWS_ALLOW_HTTP", "true")
            patch.setenv("AWS_REGION", "us-east-1")
            place = prefix_of(server)
        with open_store(network.root) as store:
            store.publish(place.url)
        with open_store(place.url) as afar:
            yield afar


@pytest.fixture(scope="module")
def here(network: Network) -> Iterator[Store]:
    with open_store(network.root) as store:
        yield store


def test_questions_in_sql_are_answered_as_at_home(opened: Store, here: Store) -> None:
    """Sixty-eight, each of the bucket and of the folder."""
    differ = [
        text for text in QUESTIONS if not opened.sql(text).table().equals(here.sql(text).table())
    ]
    assert differ == []


def test_rows_are_given_as_at_home(opened: Store, here: Store) -> None:
    """Twenty-seven choices of stations, days and flag policy, daily; nine hourly."""
    asked = [("daily", one) for one in ROWS]
    asked += [("hourly", {**one, "stations": [2, 80]}) for one in ROWS[3:12]]
    differ = []
    for scope, one in asked:
        there, due = (store.query(scope, **one).table() for store in (opened, here))  # type: ignore[arg-type]
        if not there.equals(due):
            differ.append((scope, one))
    assert differ == []


def test_polars_and_the_dataset_see_the_same(opened: Store, here: Store) -> None:
    for store in (opened, here):
        assert store.scan_daily().select(pl.len()).collect().item() > 0
    there, due = (
        store.scan_daily().group_by("station").agg(pl.col("asce_eto").mean()).collect()
        for store in (opened, here)
    )
    assert there.sort("station").equals(due.sort("station"))
    assert opened.dataset("hourly").count_rows() == here.dataset("hourly").count_rows()


def test_stations_and_gaps_are_the_same(opened: Store, here: Store) -> None:
    assert pa.table(opened.stations()).equals(pa.table(here.stations()))
    span = {"stations": [5, 7], "start": "2021-01-01", "end": "2021-12-31"}
    there, due = (store.gaps(**span) for store in (opened, here))  # type: ignore[arg-type]
    assert str(there) == str(due)


def test_splits_are_read_in_another_process_without_manifest_or_catalog(
    bucket: Place, s3: S3, network: Network, machine: Callable[[str], Path]
) -> None:
    with open_store(network.root) as store:
        store.publish(bucket.url)
        due = store.sql("SELECT count(*) FROM daily WHERE station = 5").table()[0][0].as_py()
    with open_store(bucket.url) as store:
        splits = store.splits("daily", filter=pc.field("station") == 5)
    machine("worker")
    code = (
        "import pickle, sys\n"
        "print(sum(s.table(['date']).num_rows for s in pickle.loads(sys.stdin.buffer.read())))"
    )
    with s3.counted() as asked:
        done = subprocess.run(
            [sys.executable, "-c", code],
            input=pickle.dumps(splits),
            capture_output=True,
            check=True,
        )
    assert int(done.stdout) == due
    assert not [path for _, path, _ in asked if "manifest" in path or "catalogs" in path]


def test_a_flag_policy_holds_in_splits(published: Place, network: Network) -> None:
    with open_store(published.url) as afar, open_store(network.root) as home:
        there, due = (
            pa.concat_tables(split.table(["date", "asce_eto"]) for split in found)
            for found in (store.splits("daily", qc="strict") for store in (afar, home))
        )
    assert there.equals(due)


def test_a_point_question_takes_three_requests_and_64_kilobytes_at_most(
    bucket: Place, s3: S3, network: Network, machine: Callable[[str], Path], typed: Typed
) -> None:
    with open_store(network.root) as store:
        store.publish(bucket.url)
    machine("reader")
    span = ("--start", "2021-06-28", "--end", "2021-07-04", "--data-dir", bucket.url)
    for scope in ("daily", "hourly"):
        with s3.counted() as asked:
            answer = typed("query", "--scope", scope, "--stations", "80", *span)
        assert answer.code == 0, answer.err
        beside = [one for one in asked if "/catalogs/" not in one[1]]
        assert len(beside) <= 3, beside
        assert sum(size for *_, size in beside) <= 64_000
        home = ("--data-dir", str(network.root))
        due = typed("query", "--scope", scope, "--stations", "80", *span[:4], *home)
        assert answer.out == due.out


def test_what_is_near_is_not_fetched_again(
    bucket: Place, s3: S3, network: Network, machine: Callable[[str], Path]
) -> None:
    with open_store(network.root) as store:
        store.publish(bucket.url)
    machine("reader")
    for fetched in (True, False):
        with s3.counted() as asked, open_store(bucket.url) as afar:
            afar.sql("SELECT count(*) FROM daily").table()
        chunks = [path for _, path, _ in asked if "/packs/" in path or "/chunks/" in path]
        assert bool(chunks) is fetched


def test_a_newer_version_is_seen_when_it_is_opened_again_and_only_it_is_fetched(
    bucket: Place, s3: S3, tmp_path: Path, machine: Callable[[str], Path]
) -> None:
    from cimis.pipeline.field.items import Scope
    from tests.queries.conftest import put, year_table

    root = tmp_path / "data"
    put(root, [year_table(Scope.DAILY, s, y) for s in (2, 5) for y in (2021, 2022)])
    with open_store(root) as store:
        store.publish(bucket.url)
    reader = machine("reader")
    with open_store(bucket.url) as afar:
        before = afar.sql("SELECT sum(asce_eto) FROM daily WHERE station = 5").table()
    machine("first")
    put(root, [year_table(Scope.DAILY, 5, 2022, seed=1)])
    with open_store(root) as store:
        store.publish(bucket.url)
        due = store.sql("SELECT sum(asce_eto) FROM daily WHERE station = 5").table()
    assert machine("reader") == reader
    with s3.counted() as asked, open_store(bucket.url) as afar:
        after = afar.sql("SELECT sum(asce_eto) FROM daily WHERE station = 5").table()
    assert after.equals(due)
    assert not after.equals(before)
    assert len([path for _, path, _ in asked if "/chunks/" in path or "/packs/" in path]) == 1


def test_the_commands_read_a_published_store(
    published: Place, network: Network, typed: Typed
) -> None:
    for words in (
        ("stats",),
        ("stations",),
        ("sql", "SELECT station, count(*) FROM daily GROUP BY 1 ORDER BY 1"),
        ("gaps", "--stations", "5", "--year", "2021"),
        ("query", "--stations", "2,5", "--start", "2020-01-01", "--end", "2020-01-09"),
    ):
        there, due = (
            typed(*words, "--data-dir", str(root)) for root in (published.url, network.root)
        )
        assert (there.code, there.out) == (due.code, due.out), words


def test_hours_of_a_day_come_by_ranges(published: Place, network: Network) -> None:
    day = dt.date(2022, 6, 1)
    with open_store(published.url) as afar, open_store(network.root) as home:
        there, due = (
            store.query("hourly", stations=2, start=day, end=day).table() for store in (afar, home)
        )
    assert there.equals(due)
    assert there.num_rows == 24


def test_doctor_finds_a_published_store_in_order(published: Place, typed: Typed) -> None:
    import json

    answer = typed("doctor", "--offline", "--json", "--data-dir", published.url)
    lines = [one for one in json.loads(answer.out)["findings"] if one["topic"] == "store"]
    assert {one["mark"] for one in lines} <= {"ok", "warning"}
    assert any("is published" in one["says"] for one in lines)
