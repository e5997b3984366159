"""What runs count, what a scrape shows, and what a log line holds."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cimis.arguments import keeping
from cimis.pipeline.care.metrics import COUNTERS, HISTOGRAMS, text
from cimis.pipeline.catalog.tallies import TALLIES_FILE, Tallies
from cimis.pipeline.emulator import Emulator, GeneratedSource, Troubles
from cimis.queries.mirror.mirrors import mirror_sizes
from tests.cli.conftest import typed

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

__all__ = ["typed"]

SPAN = ("--start", "2024-01-01", "--end", "2024-01-10")


@pytest.fixture
def service() -> Iterator[Emulator]:
    with Emulator(GeneratedSource()) as emulator:
        yield emulator


@pytest.fixture
def root(service: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An absent data directory, which the environment names."""
    monkeypatch.setenv("CIMIS_BASE_URL", service.base_url)
    monkeypatch.setenv("CIMIS_APP_KEY", service.app_key)
    monkeypatch.setenv("CIMIS_DATA_DIR", str(tmp_path / "d"))
    return tmp_path / "d"


def _samples(page: str) -> dict[str, float]:
    """Return every sample as ``name{label="value"}`` and its number."""
    found = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            labels = ",".join(f'{k}="{v}"' for k, v in sorted(sample.labels.items()))
            found[sample.name + (f"{{{labels}}}" if labels else "")] = sample.value
    return found


def _scraped(root: Path) -> dict[str, float]:
    return _samples(text(root, lambda: mirror_sizes(root, keeping(None))))


def test_a_run_is_counted(typed: Typed, root: Path) -> None:
    """Requests, records, phases, chunks; and a second run adds to the first one's counts."""
    assert typed("fetch", "--stations", "2,5", *SPAN, "--allocs").code == 0
    one = _scraped(root)
    assert one['cimis_requests_total{scope="daily"}'] == 1
    assert one['cimis_records_ingested_total{scope="daily"}'] == 20
    assert one['cimis_station_years_total{outcome="success",scope="daily"}'] == 2
    assert one['cimis_runs_total{exit_code="0",scope="daily"}'] == 1
    assert one['cimis_chunks{format="v2",scope="daily"}'] == 2
    assert one['cimis_records{scope="daily"}'] == 20
    assert one['cimis_last_run_success_ratio{scope="daily"}'] == 1
    assert one['cimis_compression_ratio{scope="daily"}'] > 1
    assert one['cimis_alloc_bytes_per_record{path="streaming"}'] > 0
    for phase in ("connect", "ttfb", "read", "decode", "total"):
        assert one[f'cimis_fetch_duration_seconds_count{{phase="{phase}"}}'] == 1, phase
        assert one[f'cimis_fetch_duration_seconds_sum{{phase="{phase}"}}'] > 0
    assert one['cimis_fetch_duration_seconds_count{phase="write"}'] == 2
    assert one['cimis_station_last_record_timestamp_seconds{scope="daily",station="5"}'] > 1.7e9
    assert typed("fetch", "--stations", "6", *SPAN).code == 0
    two = _scraped(root)
    assert two['cimis_records_ingested_total{scope="daily"}'] == 30
    assert two['cimis_runs_total{exit_code="0",scope="daily"}'] == 2


def test_a_relative_directory_will_do(
    typed: Typed, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root.mkdir()
    monkeypatch.chdir(root)
    monkeypatch.setenv("CIMIS_DATA_DIR", "here")
    assert typed("fetch", "--stations", "2", *SPAN).code == 0
    assert _scraped(Path("here"))['cimis_records_ingested_total{scope="daily"}'] == 10


def test_retries_and_failures_are_counted_apart(
    typed: Typed, root: Path, service: Emulator
) -> None:
    service.service.troubles = Troubles({"503": 1.0}, most=1)
    assert typed("fetch", "--stations", "2", *SPAN, "--backoff", "10ms").code == 0
    found = _scraped(root)
    assert found['cimis_retries_total{scope="daily"}'] == 1
    assert found['cimis_requests_total{scope="daily"}'] == 2
    assert found['cimis_fetch_errors_total{status="retryable"}'] == 1
    assert found['cimis_fetch_errors_total{status="non_retryable"}'] == 0


def test_every_counter_begins_at_zero(typed: Typed, root: Path) -> None:
    """Before the first run each counter is there, for every value of a label that can come."""
    assert typed("init").code == 0
    found = _scraped(root)
    for name, kind in {**COUNTERS, **HISTOGRAMS}.items():
        last = "_count" if name in HISTOGRAMS else ""
        series = [sample for sample in found if re.match(rf"{name}{last}(\{{|$)", sample)]
        assert series, name
        assert all(found[sample] == 0 for sample in series)
        assert all(f'{label}="' in sample for sample in series for label in kind.labels)
    for status in ("retryable", "non_retryable"):
        assert found[f'cimis_fetch_errors_total{{status="{status}"}}'] == 0
    for scope in ("daily", "hourly"):
        assert found[f'cimis_retries_total{{scope="{scope}"}}'] == 0
        assert found[f'cimis_station_years_total{{outcome="failure",scope="{scope}"}}'] == 0
        assert found[f'cimis_runs_total{{exit_code="6",scope="{scope}"}}'] == 0
    assert found['cimis_fetch_duration_seconds_bucket{le="+Inf",phase="total"}'] == 0


def test_no_series_of_a_counter_comes_up_later(typed: Typed, root: Path, service: Emulator) -> None:
    """What runs that fail and succeed count was there at 0 before: a rate sees the first error."""
    assert typed("init").code == 0
    before = _scraped(root)
    fetch = ("fetch", "--stations", "2", *SPAN, "--backoff", "10ms", "--retries", "1")
    for troubles in (Troubles({"503": 1.0}), Troubles({"400": 1.0}), Troubles()):
        service.service.troubles = troubles
        typed(*fetch)
    assert typed(*fetch, "--full", "--app-key", "of-another").code == 5
    assert typed("query", "--station", "2", *SPAN).code == 0
    counted = tuple(f"{name}{{" for name in COUNTERS) + tuple(HISTOGRAMS)
    after = {sample for sample in _scraped(root) if sample.startswith(counted)}
    assert after <= before.keys()


def test_a_verify_that_finds_damage_is_told(typed: Typed, root: Path) -> None:
    assert typed("fetch", "--stations", "2,5", *SPAN).code == 0
    assert typed("verify").code == 0
    assert _scraped(root)["cimis_checksum_failures"] == 0
    chunk = root / "stations/002/2024_daily.zst"
    chunk.write_bytes(chunk.read_bytes()[:-1])
    assert typed("verify").code == 8
    assert _scraped(root)["cimis_checksum_failures"] == 1


def test_the_read_cache_is_measured(typed: Typed, root: Path) -> None:
    assert typed("fetch", "--stations", "2", *SPAN).code == 0
    (mirror,) = (root / ".cache").glob("daily-*.duckdb")
    assert _scraped(root)['cimis_mirror_bytes{scope="daily"}'] == mirror.stat().st_size
    assert typed("cache", "clear").code == 0
    assert _scraped(root)['cimis_mirror_bytes{scope="daily"}'] == 0


def test_a_file_for_node_exporter_is_written_whole(
    typed: Typed, root: Path, tmp_path: Path
) -> None:
    file = tmp_path / "out" / "cimis.prom"
    fetch = ("fetch", "--stations", "2", *SPAN, "--metrics-file", file)
    answer = typed(*fetch)
    assert answer.code == 0
    assert "no metrics written" in answer.err
    file.parent.mkdir()
    assert typed(*fetch, "--full").code == 0
    assert _samples(file.read_text()) == _scraped(root)
    assert list(file.parent.iterdir()) == [file]
    assert typed("verify", "--metrics-file", file).code == 0
    assert _samples(file.read_text())["cimis_checksum_failures"] == 0


def test_counts_that_cannot_be_kept_cost_nothing_else(typed: Typed, root: Path) -> None:
    root.mkdir()
    (root / TALLIES_FILE).mkdir()
    assert typed("fetch", "--stations", "2", *SPAN).code == 0
    tallies = Tallies(root)
    tallies.add("cimis_runs_total", scope="daily", exit_code="0")
    assert tallies.flush() is False
    assert _scraped(root)['cimis_chunks{format="v2",scope="daily"}'] == 1


def test_a_page_is_served_while_a_run_goes_on(typed: Typed, root: Path) -> None:
    """``serve-metrics`` answers in a process of its own, reads anew each time, and stops."""
    assert typed("fetch", "--stations", "2", *SPAN).code == 0
    with subprocess.Popen(
        [sys.executable, "-m", "cimis", "serve-metrics", "--port", "0", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
    ) as process:
        assert process.stdout is not None
        address = json.loads(process.stdout.readline())["address"]

        def scrape() -> dict[str, float]:
            with urllib.request.urlopen(address, timeout=30) as answer:
                return _samples(answer.read().decode())

        assert scrape()['cimis_records_ingested_total{scope="daily"}'] == 10
        running = Tallies(root)
        running.add("cimis_records_ingested_total", 7, scope="daily")
        assert running.flush()
        assert scrape()['cimis_records_ingested_total{scope="daily"}'] == 17
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0


def test_a_port_that_is_taken_is_told(typed: Typed, root: Path, service: Emulator) -> None:
    assert typed("init", root).code == 0
    port = service.base_url.rsplit(":", 1)[1]
    answer = typed("serve-metrics", "--port", port)
    assert answer.code == 2
    assert f"port {port}" in answer.err


def test_a_structured_log_has_one_object_a_line_and_never_the_key(
    typed: Typed, root: Path, service: Emulator
) -> None:
    service.service.troubles = Troubles({"429-after": 1.0}, most=1, retry_after_s=0)
    fetch = (
        "fetch",
        "--stations",
        "2,5",
        *SPAN,
        "--log-format",
        "json",
        "--backoff",
        "10ms",
    )
    answer = typed(*fetch)
    assert answer.code == 0
    lines = [json.loads(line) for line in answer.err.splitlines()]
    assert [line["event"] for line in lines] == [
        *("plan", "request", "retry", "request"),
        *("station_year", "station_year", "run"),
    ]
    for line in lines:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line["timestamp"])
        assert line["level"] in ("info", "warning")
    assert "429" in lines[2]["message"]
    assert lines[-1]["totals"]["records"] == 20
    assert service.app_key not in answer.err
    wrong = typed(*fetch, "--full", "--app-key", "key-of-somebody")
    assert wrong.code == 5
    assert "key-of-somebody" not in wrong.err
    assert [json.loads(line) for line in wrong.err.splitlines()][-1]["error"]["exit_code"] == 5
