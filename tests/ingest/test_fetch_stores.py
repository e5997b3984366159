"""A run stores what the service gave, whole, whatever the order and division of requests."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import cimis.pipeline.fetch.run
from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.chunks import read_chunk, read_footer
from cimis.pipeline.emulator import Emulator, GeneratedSource
from cimis.pipeline.errors import CimisError, UsageError
from cimis.pipeline.fetch import FetchRequest, Progress, StationYear, fetch, fetch_async
from cimis.pipeline.field.items import Scope, resolve
from cimis.pipeline.plan.windows import Window
from cimis.pipeline.service import Retry, Settings
from tests.ingest.service import KEY, NOW, Asked, Record, Service, run, running, wants, whole

ETO = resolve("asce_eto", Scope.DAILY)


def chunks(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.glob("stations/*/*.zst"))
    }


def test_each_value_and_flag_is_stored(tmp_path: Path) -> None:
    """Numbers, missing values and flags of the answer stand in the chunk."""

    def bend(asked: Asked, records: list[Record]) -> list[Record]:
        for record in records:
            cell = record["DayAsceEto"]
            cell.update(Value="0.10")
            if record["Date"] == "2024-03-05":
                cell.update(Value=None, Qc="M")
            if record["Date"] == "2024-03-06":
                cell.update(Value="7.25", Qc="R")
        return records

    report = run(tmp_path, Service(bend), wants([2], "2024-03-04", "2024-03-07", items=ETO))
    assert report.exit_code == 0
    rows = read_chunk(tmp_path / "stations/002/2024_daily.zst").to_pylist()
    assert [(r["date"].day, r["asce_eto"], r["asce_eto_qc"]) for r in rows] == [
        (4, 0.1, None),
        (5, None, "M"),
        (6, 7.25, "R"),
        (7, 0.1, None),
    ]


def test_the_bytes_do_not_depend_on_how_the_days_were_asked_for(tmp_path: Path) -> None:
    """One run, two halves, other order, other concurrency, small caps: the same chunk files."""
    whole_span = ("2023-06-01", "2024-06-30")
    run(tmp_path / "one", Service(), wants([2, 5, 7], *whole_span, concurrency=1))
    run(tmp_path / "two", Service(), wants([7, 5], "2024-01-10", "2024-06-30", concurrency=8))
    run(tmp_path / "two", Service(), wants([2, 5, 7], *whole_span))
    run(tmp_path / "three", Service(cap=40), wants([2, 5, 7], *whole_span, concurrency=3))

    async def slow_first(asked: Asked) -> None:
        await asyncio.sleep(0.05 if asked.number == 0 else 0)

    run(tmp_path / "four", Service(before=slow_first), wants([2, 5, 7], *whole_span))
    assert len(chunks(tmp_path / "one")) == 6
    for other in ("two", "three", "four"):
        assert chunks(tmp_path / other) == chunks(tmp_path / "one")


def test_an_hourly_year_of_two_requests_is_one_chunk_written_once(tmp_path: Path) -> None:
    report = run(tmp_path, Service(), wants([2], "2024-01-01", "2024-12-31", scope=Scope.HOURLY))
    (result,) = report.results
    assert (result.requests, result.stored, result.added) == (2, 8784, 8784)
    assert read_footer(tmp_path / "stations/002/2024_hourly.zst").rows == 8784


class Watch(Progress):
    """Notes how many chunks there are when each request ends."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.seen: list[int] = []

    def on_window_done(self, window: Window, *, ok: bool) -> None:
        self.seen.append(len(chunks(self.root)))


def test_rows_that_wait_too_long_or_take_too_much_are_stored_before_the_year_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bound on what is held changes when chunks are written, not what is in them."""
    span = ("2024-01-01", "2024-12-31")
    run(tmp_path / "free", Service(), wants([2, 5], *span))
    for name, bound in (("BUDGET_BYTES", 1), ("LONGEST_HELD_S", -1.0)):
        watch = Watch(tmp_path / name)
        with monkeypatch.context() as patch:
            patch.setattr(cimis.pipeline.fetch.run, name, bound)
            request = wants([2, 5], *span, concurrency=1)
            report = run(tmp_path / name, Service(cap=200), request, progress=watch)
        assert report.exit_code == 0
        assert watch.seen[:2] == [0, 2]
        assert chunks(tmp_path / name) == chunks(tmp_path / "free")


def test_today_is_never_stored(tmp_path: Path) -> None:
    """The run ends yesterday, says so, and does not even ask for today."""
    service = Service()
    report = run(tmp_path, service, wants([2], "2026-10-01", "2026-10-05"))
    assert max(asked.end for asked in service.asked) == dt.date(2026, 10, 4)
    assert read_chunk(tmp_path / "stations/002/2026_daily.zst").num_rows == 4
    assert "today, 2026-10-05 (PST), is left out" in report.warnings[0]
    with pytest.raises(UsageError, match="not over"):
        run(tmp_path, service, wants([2], "2026-10-05", "2026-10-05"))


@pytest.mark.parametrize(
    ("start", "end"),
    [("1982-06-01", "1983-01-01"), ("2024-02-02", "2024-02-01"), ("2026-10-01", "2026-10-06")],
)
def test_impossible_days_ask_nothing_and_write_nothing(
    tmp_path: Path, start: str, end: str
) -> None:
    service = Service()
    with pytest.raises(UsageError):
        run(tmp_path / "data", service, wants([2], start, end))
    assert not service.asked
    assert not (tmp_path / "data").exists()


def test_a_dry_run_plans_and_does_nothing(tmp_path: Path) -> None:
    """It needs no key and no service, and takes what is stored into account."""
    dry = wants([2, 5], "2024-01-01", "2024-12-31", dry_run=True)
    service = Service()
    report = run(tmp_path / "data", service, dry)
    assert [w["records"] for w in report.as_dict()["plan"]] == [732]
    assert (report.exit_code, service.asked) == (0, [])
    assert not (tmp_path / "data").exists()
    run(tmp_path / "data", service, wants([2], "2024-01-01", "2024-12-31"))
    again = run(tmp_path / "data", service, dry)
    assert [w["stations"] for w in again.as_dict()["plan"]] == [[5]]


def test_absent_days_are_counted(tmp_path: Path) -> None:
    """The service's silence about a day is reported, not an error."""

    def bend(asked: Asked, records: list[Record]) -> list[Record]:
        return [r for r in records if r["Date"][-2:] != "03" and r["Station"] != "5"]

    report = run(tmp_path, Service(bend), wants([2, 5], "2024-01-01", "2024-01-31"))
    two, five = report.results
    assert (two.expected, two.received, two.stored, two.absent_days) == (31, 30, 30, 1)
    assert (five.expected, five.received, five.stored, five.absent_days) == (31, 0, 0, 31)
    assert report.exit_code == 0
    assert set(chunks(tmp_path)) == {"stations/002/2024_daily.zst"}


class Heard(Progress):
    """Counts what a run tells."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.results: list[StationYear] = []

    def on_plan(self, windows: Sequence[Window]) -> None:
        self.counts["planned"] = len(windows)

    def on_bytes(self, count: int) -> None:
        self.counts["bytes"] += count

    def on_window_done(self, window: Window, *, ok: bool) -> None:
        self.counts["ok" if ok else "failed"] += 1

    def on_split(self, window: Window, parts: Sequence[Window], error: CimisError | None) -> None:
        self.counts["more"] += len(parts) - 1

    def on_station_done(self, result: StationYear) -> None:
        self.results.append(result)

    def on_retry(self, retry: Retry, window: Window) -> None:
        self.counts["retries"] += 1


def test_progress_hears_of_everything(tmp_path: Path) -> None:
    def bend(asked: Asked, records: list[Record]) -> bytes | list[Record]:
        return whole(b"", status="503 Busy") if asked.number == 0 else records

    heard = Heard()
    request = wants([2, 5, 6, 7, 8], "2024-01-01", "2024-12-31", concurrency=1)
    report = run(tmp_path, Service(bend, cap=1500), request, progress=heard)
    assert heard.counts["ok"] == heard.counts["planned"] + heard.counts["more"]
    assert heard.counts["more"] == report.splits
    assert heard.counts["retries"] == report.retries == 1
    assert heard.counts["bytes"] == report.bytes_transferred > 0
    assert sorted(r.station for r in heard.results) == [2, 5, 6, 7, 8]
    assert all(r.success for r in heard.results)


def test_a_report_tells_cost_and_size(tmp_path: Path) -> None:
    request = wants([2, 5], "2023-12-01", "2024-01-31", allocs=True)
    report = run(tmp_path, Service(), request)
    facts = report.as_dict()
    assert facts["totals"]["success"] == 2
    assert facts["totals"]["records"] == 124
    assert facts["totals"]["requests"] == 1
    assert [(r["station"], r["year"]) for r in facts["results"]] == [
        (2, 2023),
        (2, 2024),
        (5, 2023),
        (5, 2024),
    ]
    shared = sum(r["bytes_transferred"] for r in facts["results"])
    assert abs(shared - facts["totals"]["bytes_transferred"]) <= 2
    for result in facts["results"]:
        path = tmp_path / f"stations/{result['station']:03}/{result['year']}_daily.zst"
        assert result["bytes_stored"] == path.stat().st_size
        assert result["content_encoding"] == "gzip"
        assert result["compression_ratio"] > 2
        assert result["timings"]["write_ms"] > 0
        assert result["timings"]["decode_ms"] > 0
        assert 0 < result["alloc_metrics"]["bytes_per_record"] < 1000
    with Catalog(tmp_path) as catalog:
        (entry,) = catalog.runs()
    assert entry["exit_code"] == 0
    assert entry["report"]["totals"] == facts["totals"]


def test_plain_answers_are_warned_of_where_compressed_ones_were_asked_for(tmp_path: Path) -> None:
    report = run(tmp_path, Service(plain=True), wants([2], "2024-01-01", "2024-01-31"))
    assert any("sent them plain" in warning for warning in report.warnings)
    request = wants([2], "2024-01-01", "2024-01-31", gzip=False, full=True)
    assert run(tmp_path, Service(plain=True), request).warnings == []


def test_what_format_v1_cannot_hold_is_warned_of(tmp_path: Path) -> None:
    report = run(tmp_path, Service(), wants([2], "2024-01-01", "2024-01-31", format="v1"))
    assert report.exit_code == 0
    assert any("V1 could not hold" in warning for warning in report.warnings)


def test_format_v1_cuts_no_chunk_that_is_stored_as_v2(tmp_path: Path) -> None:
    """It stays V2, grows, and a warning says so; a chunk that is new is V1."""
    run(tmp_path, Service(), wants([2], "2024-01-01", "2024-01-31"))
    before = read_chunk(tmp_path / "stations/002/2024_daily.zst")
    request = wants([2, 5], "2024-02-01", "2024-02-10", format="v1")
    report = run(tmp_path, Service(), request)
    assert report.exit_code == 0
    (told,) = [warning for warning in report.warnings if "stays V2" in warning]
    assert told.startswith("station 2, 2024 stays V2: V1 could not hold")
    after = read_chunk(tmp_path / "stations/002/2024_daily.zst")
    assert after.num_rows == 41
    assert after.slice(0, 31).to_pylist() == before.to_pylist()
    with Catalog(tmp_path) as catalog:
        assert {row.station: row.format for row in catalog.chunks()} == {2: "v2", 5: "v1"}


@pytest.mark.parametrize(
    "options",
    [{"concurrency": 0}, {"concurrency": 65}, {"retries": -1}, {"format": "v3"}],
)
def test_impossible_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        wants([2], "2024-01-01", "2024-01-31", **options)
    assert caught.value.hint


def test_items_of_the_other_scope_and_no_station_are_refused() -> None:
    with pytest.raises(UsageError, match="is not hourly"):
        wants([2], "2024-01-01", "2024-01-31", scope=Scope.HOURLY, items=ETO)
    with pytest.raises(UsageError, match="no station"):
        wants([], "2024-01-01", "2024-01-31")


def test_fetch_works_where_an_event_loop_runs(tmp_path: Path) -> None:
    """As in a notebook: the blocking form is called from inside a running loop."""
    with Emulator(GeneratedSource()) as emulator:
        settings = Settings(emulator.base_url, emulator.app_key)
        request = FetchRequest((2,), dt.date(2024, 1, 1), dt.date(2024, 1, 31))

        async def cell() -> int:
            return fetch(tmp_path / "a", request, settings).exit_code

        assert asyncio.run(cell()) == 0
        assert fetch(tmp_path / "b", request, settings).exit_code == 0
    assert chunks(tmp_path / "a") == chunks(tmp_path / "b")


def test_two_runs_into_one_directory_do_not_disturb_each_other(tmp_path: Path) -> None:
    """Overlapping stations and days, at the same time, end as one after the other would."""

    async def main() -> None:
        async with running(Service()) as service:
            settings = Settings(service.base_url, KEY)
            requests = [
                wants([2, 5], "2023-03-01", "2024-04-30"),
                wants([5, 7], "2023-01-01", "2024-02-28"),
            ]
            reports = await asyncio.gather(
                *(fetch_async(tmp_path / "both", r, settings, clock=lambda: NOW) for r in requests)
            )
            assert [str(x.error) for r in reports for x in r.failed] == []
            for request in requests:
                await fetch_async(tmp_path / "serial", request, settings, clock=lambda: NOW)

    asyncio.run(main())
    assert chunks(tmp_path / "both") == chunks(tmp_path / "serial")
    assert len(chunks(tmp_path / "both")) == 6
