"""Failures: what is tried again, what fails alone, what ends a run, and what is kept."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from cimis.pipeline.chunks import read_chunk, read_footer
from cimis.pipeline.emulator import Emulator, GeneratedSource
from cimis.pipeline.errors import (
    AuthError,
    ChunkError,
    CimisError,
    DecodeError,
    FirewallPage,
    NetworkError,
    RateLimited,
    RequestRefused,
    ServiceError,
    StoreError,
    TooManyRecords,
)
from cimis.pipeline.fetch import Progress, RunReport, RunStopped, fetch_async
from cimis.pipeline.service import RetryPolicy, Settings
from tests.ingest.service import (
    KEY,
    NOW,
    Asked,
    Bend,
    Record,
    Service,
    body_of,
    run,
    running,
    wants,
    whole,
)

YEAR = ("2024-01-01", "2024-12-31")


def stored(root: Path) -> dict[int, int]:
    """Return the rows of each station's chunk."""
    return {
        int(path.parent.name): read_footer(path).rows
        for path in sorted(root.glob("stations/*/*.zst"))
    }


def errors(report: RunReport) -> dict[int, type[CimisError]]:
    return {r.station: type(r.error) for r in report.failed if r.error is not None}


def first_try(answer: bytes) -> Bend:
    """Answer the first request so, and every other one as it should be."""
    return lambda asked, records: answer if asked.number == 0 else records


JSON = whole(body_of([]))
PAGE = whole(b"<html><title>Request Rejected</title></html>")


@pytest.mark.parametrize(
    "answer",
    [
        whole(b"", status="429 Too Many"),
        whole(b"", status="503 Unavailable", extra="Retry-After: 1\r\n"),
        PAGE,
        JSON[:-30],
        b"",
        b"garbage\r\n\r\n",
        whole(body_of([])[:-7]),
        whole(b""),
        whole(body_of([]), packed=True)[:-9] + b"\0" * 9,
    ],
    ids=[
        *("429", "503", "page", "short body", "nothing", "not HTTP", "cut JSON", "empty"),
        "corrupt gzip",
    ],
)
def test_a_passing_failure_is_tried_again(tmp_path: Path, answer: bytes) -> None:
    """The second try brings the rows, once."""
    service = Service(first_try(answer))
    report = run(tmp_path, service, wants([2], *YEAR))
    assert report.exit_code == 0
    assert (report.requests, report.retries) == (2, 1)
    assert report.results[0].attempts == 2
    assert stored(tmp_path) == {2: 366}


@pytest.mark.parametrize(
    ("bend", "kind", "code", "tries"),
    [
        (lambda a, r: whole(b"", status="500 Oops"), ServiceError, 6, 4),
        (lambda a, r: whole(b"", status="429 Slow"), RateLimited, 6, 4),
        (lambda a, r: PAGE, FirewallPage, 6, 2),
        (lambda a, r: JSON[:-30], NetworkError, 6, 4),
        (lambda a, r: whole(body_of(r)[:-7]), NetworkError, 6, 4),
        (lambda a, r: whole(b"ERR1035", status="404 Not Found"), RequestRefused, 2, 1),
        (lambda a, r: whole(b'{"Data":{"Providers":7}}'), DecodeError, 6, 1),
        (lambda a, r: whole(b"ERR1006", status="403 Forbidden"), AuthError, 5, 1),
    ],
)
def test_a_lasting_failure_is_the_runs_own(
    tmp_path: Path, bend: Bend, kind: type[CimisError], code: int, tries: int
) -> None:
    """Where every station fails alike the exit code is that error's, and nothing is stored."""
    service = Service(bend)
    report = run(tmp_path, service, wants([2], *YEAR))
    assert errors(report) == {2: kind}
    assert report.exit_code == code
    assert len(service.asked) == tries
    assert stored(tmp_path) == {}
    facts = report.as_dict()["results"][0]["error"]
    assert facts["class"] == kind.__name__
    assert facts["stations"] == [2] or facts["stations"] == (2,)
    assert (facts["start"], facts["end"]) == YEAR
    assert KEY not in json.dumps(report.as_dict())


def test_a_wrong_value_names_record_station_and_key(tmp_path: Path) -> None:
    """Garbage is neither tried again nor stored, and the other stations are, in full."""

    def bend(asked: Asked, records: list[Record]) -> list[Record]:
        for record in records:
            if record["Station"] == "7" and record["Date"] == "2024-02-29":
                record["DayPrecip"]["Value"] = "1.2.3"
        return records

    service = Service(bend)
    report = run(tmp_path, service, wants([2, 5, 7], "2023-12-01", "2024-12-31"))
    assert [(r.station, r.year) for r in report.failed] == [(7, 2023), (7, 2024)]
    assert report.exit_code == 4
    (broken,) = {r.error for r in report.failed}
    assert isinstance(broken, DecodeError)
    assert (broken.station, broken.date, broken.key) == ("7", "2024-02-29", "DayPrecip")
    assert [a.stations for a in service.asked] == [(2, 5, 7), (2, 5), (7,)]
    assert stored(tmp_path) == {2: 366, 5: 366}


def test_garbage_everywhere_does_not_multiply_requests(tmp_path: Path) -> None:
    """When every station's records are wrong the run ends with few more requests than planned."""

    def bend(asked: Asked, records: list[Record]) -> list[Record]:
        for record in records:
            record["DayPrecip"]["Value"] = "wet"
        return records

    service = Service(bend)
    report = run(tmp_path, service, wants(range(1, 61), "2024-05-01", "2024-05-07"))
    assert set(errors(report).values()) == {DecodeError}
    assert len(service.asked) <= len(report.windows) + 2 * 10


def test_rows_that_were_not_asked_for_are_refused(tmp_path: Path) -> None:
    def other_station(asked: Asked, records: list[Record]) -> list[Record]:
        records[3]["Station"] = "6"
        return records

    def other_day(asked: Asked, records: list[Record]) -> list[Record]:
        records[-1].update(Date="2025-01-01", Julian="1")
        return records

    for bend in (other_station, other_day):
        report = run(tmp_path, Service(bend), wants([2, 5], *YEAR))
        assert set(errors(report).values()) == {DecodeError}
        assert "not asked for" in str(report.failed[0].error)
    assert stored(tmp_path) == {}


def test_an_unknown_station_fails_alone(tmp_path: Path) -> None:
    """The service refuses the whole request; halves of it find out who is meant."""
    service = Service(unknown=frozenset({6, 12}))
    report = run(tmp_path, service, wants([2, 5, 6, 7, 8, 12], "2024-05-01", "2024-05-31"))
    assert errors(report) == {6: RequestRefused, 12: RequestRefused}
    assert report.exit_code == 4
    assert stored(tmp_path) == {2: 31, 5: 31, 7: 31, 8: 31}
    assert report.failed[0].as_dict()["error"]["err_code"] == "ERR1019"


def test_an_unknown_station_alone_is_wrong_use(tmp_path: Path) -> None:
    report = run(tmp_path, Service(unknown=frozenset({6})), wants([6], *YEAR))
    assert report.exit_code == 2


def test_a_request_over_the_cap_is_halved(tmp_path: Path) -> None:
    """A service with a smaller cap than documented gives all rows none the less."""
    service = Service(cap=100)
    report = run(tmp_path, service, wants([2, 5], *YEAR, concurrency=1))
    assert report.exit_code == 0
    assert stored(tmp_path) == {2: 366, 5: 366}
    refused = [a for a in service.asked if a.records > 100]
    assert len(refused) <= 3  # once for each size, not once for each request
    assert len(service.asked) == len(refused) + 8


def test_a_cap_below_one_station_day_ends_the_halving(tmp_path: Path) -> None:
    report = run(tmp_path, Service(cap=0), wants([2], "2024-05-01", "2024-05-03"))
    assert errors(report) == {2: TooManyRecords}
    assert report.exit_code == 2


def test_a_refused_key_ends_the_run(tmp_path: Path) -> None:
    """Other requests would be refused alike, so they are not made."""
    service = Service()
    stations = range(2, 42)
    report = run(tmp_path, service, wants(stations, *YEAR, concurrency=1), key="wrong")
    assert len(service.asked) == 1
    assert set(errors(report)) == set(stations)
    assert report.exit_code == 5


def test_a_missing_key_is_told_before_anything_is_made(tmp_path: Path) -> None:
    settings = Settings("http://127.0.0.1:9")
    with pytest.raises(AuthError):
        asyncio.run(fetch_async(tmp_path / "data", wants([2], *YEAR), settings, clock=lambda: NOW))
    assert not (tmp_path / "data").exists()


def test_a_service_that_is_down_ends_the_run_early(tmp_path: Path) -> None:
    """A host that was never reached is not tried for every station in turn."""
    heard: list[object] = []

    class Watch(Progress):
        def on_retry(self, retry: object, window: object) -> None:
            heard.append(retry)

    async def main() -> RunReport:
        async with running(Service()) as service:
            base_url = service.base_url
        request = wants(range(2, 82), *YEAR, concurrency=2)
        return await fetch_async(
            tmp_path, request, Settings(base_url, KEY), progress=Watch(), clock=lambda: NOW
        )

    report = asyncio.run(main())
    assert report.exit_code == 6
    assert {type(r.error) for r in report.results} == {NetworkError}
    assert len(report.windows) > 10
    assert len(heard) <= 3 * 3


def test_one_stations_failure_leaves_its_other_requests_stored(tmp_path: Path) -> None:
    """What came of a year that failed in part is kept; running again brings the rest."""

    def bend(asked: Asked, records: list[Record]) -> bytes | list[Record]:
        broken = asked.start.month <= 6
        return whole(b"", status="500 Oops") if broken else records

    request = wants([2], "2024-01-01", "2024-12-31", concurrency=1)
    report = run(tmp_path, Service(bend, cap=200), request)
    assert errors(report) == {2: ServiceError}
    assert stored(tmp_path) == {2: 183}
    service = Service()
    again = run(tmp_path, service, request)
    assert again.exit_code == 0
    assert stored(tmp_path) == {2: 366}
    assert sum(a.records for a in service.asked) == 183


def test_a_wait_that_one_request_is_told_holds_for_all(tmp_path: Path) -> None:
    """While the service asks for patience no other request is made."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(0)

    def bend(asked: Asked, records: list[Record]) -> bytes | list[Record]:
        told = whole(b"", status="429 Too Many", extra="Retry-After: 40\r\n")
        return told if asked.number == 0 else records

    policy = RetryPolicy(sleep=sleep)
    request = wants([2, 5, 6, 7, 8, 9, 10, 11, 12], *YEAR, concurrency=2, policy=policy)
    report = run(tmp_path, Service(bend), request)
    assert report.exit_code == 0
    assert sum(s > 35 for s in slept) >= 2


def test_the_log_tells_retries_and_never_the_key(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = whole(KEY.encode(), status="429 Slow")
    run(tmp_path, Service(first_try(answer)), wants([2], *YEAR))
    assert "retryable: 429 (attempt 1/3)" in caplog.text
    assert KEY not in caplog.text


def test_no_file_of_the_store_holds_the_key(tmp_path: Path) -> None:
    bend: Bend = lambda a, r: whole(KEY.encode(), status="400 Bad") if 5 in a.stations else r  # noqa: E731
    run(tmp_path, Service(bend), wants([2, 5], "2022-01-01", "2025-01-01"))
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes()


def test_a_damaged_chunk_fails_its_station_alone(tmp_path: Path) -> None:
    run(tmp_path, Service(), wants([2, 5], "2024-01-01", "2024-06-30"))
    path = tmp_path / "stations/002/2024_daily.zst"
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)
    report = run(tmp_path, Service(), wants([2, 5], *YEAR))
    assert errors(report) == {2: ChunkError}
    assert report.exit_code == 4
    assert read_footer(tmp_path / "stations/005/2024_daily.zst").rows == 366
    assert path.read_bytes() == bytes(data)


def test_a_data_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("mine")
    service = Service()
    with pytest.raises(StoreError):
        run(tmp_path / "data", service, wants([2], *YEAR))
    assert (tmp_path / "data").read_text() == "mine"
    assert service.asked == []


def test_a_store_that_cannot_be_written_ends_the_run(tmp_path: Path) -> None:
    """After the first refusal of the disk no more is asked for."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data/stations").write_text("in the way")
    service = Service()
    report = run(tmp_path / "data", service, wants(range(2, 42), *YEAR, concurrency=1))
    assert report.exit_code == 7
    assert {type(r.error) for r in report.results} == {StoreError}
    assert len(service.asked) == 1


def test_cancelling_keeps_and_reports_what_is_whole(tmp_path: Path) -> None:
    """The half that came is stored, the rest comes with the next run."""
    arrived = asyncio.Event()

    async def before(asked: Asked) -> None:
        if asked.number >= 2:
            arrived.set()
            await asyncio.sleep(60)

    async def main() -> None:
        async with running(Service(before=before)) as service:
            request = wants([2], "2016-01-01", "2025-12-31", concurrency=1)
            settings = Settings(service.base_url, KEY)
            task = asyncio.create_task(fetch_async(tmp_path, request, settings, clock=lambda: NOW))
            await arrived.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(task, 10)

    asyncio.run(main())
    assert sum(stored(tmp_path).values()) > 0
    rows = sum(
        read_chunk(path).num_rows for path in sorted(tmp_path.glob("stations/002/*_daily.zst"))
    )
    service = Service()
    report = run(tmp_path, service, wants([2], "2016-01-01", "2025-12-31"))
    assert report.exit_code == 0
    assert sum(a.records for a in service.asked) == 3653 - rows


def test_interrupting_the_blocking_form_stores_reports_and_ends(tmp_path: Path) -> None:
    """Ctrl-C in a process of its own: `RunStopped`, with the report of what is done."""
    program = """
        import datetime as dt, sys
        from cimis.pipeline.service import Settings
        from cimis.pipeline.fetch import FetchRequest, Progress, RunStopped, fetch

        class Watch(Progress):
            def on_window_done(self, window, *, ok):
                print("window", flush=True)

        request = FetchRequest((2, 5), dt.date(2012, 1, 1), dt.date(2024, 12, 31), concurrency=1)
        try:
            fetch(sys.argv[1], request, Settings(sys.argv[2], "demo-key"), progress=Watch())
        except RunStopped as stopped:
            report = stopped.report
            print(report.interrupted, report.exit_code, stopped.exit_code, flush=True)
            print(sum(r.success for r in report.results) > 0, flush=True)
    """
    with Emulator(GeneratedSource(), latency_s=0.2) as emulator:
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(program), str(tmp_path), emulator.base_url],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "window\n"
        assert process.stdout.readline() == "window\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert out.split()[-4:] == ["True", "4", "4", "True"], out + err
    assert err == ""
    assert stored(tmp_path)


def test_a_stopped_run_says_how_to_go_on() -> None:
    report = RunReport(NOW, wants([2], *YEAR).scope, NOW.date(), NOW.date(), ())
    stopped = RunStopped(report)
    assert "run the same command again" in str(stopped.hint)
    assert json.dumps(stopped.as_dict())
    assert stopped.report is report
