"""The report of a fetch: one JSON document that keeps to its schema, however the run ended."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from cimis.pipeline.chunks import read_footer
from cimis.pipeline.emulator import Emulator, GeneratedSource
from tests.cli.front import answer, front

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "docs/report.schema.json").read_text())
SPAN = ("--start", "2024-01-01", "--end", "2024-01-10")


@pytest.fixture(scope="module")
def service() -> Iterator[Emulator]:
    with Emulator(GeneratedSource()) as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def _settings(service: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CIMIS_BASE_URL", service.base_url)
    monkeypatch.setenv("CIMIS_APP_KEY", service.app_key)
    monkeypatch.setenv("CIMIS_DATA_DIR", str(tmp_path / "d"))


def document(text: str) -> dict[str, Any]:
    """Return the one document that a text is, checked against the schema."""
    facts: dict[str, Any] = json.loads(text)
    Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(facts)
    totals = facts["totals"]
    assert totals["success"] + totals["failure"] == totals["stations"]
    assert totals["records"] == sum(r["records"] for r in facts["results"])
    return facts


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_the_schema_refuses_a_report_without_its_parts(typed: Typed) -> None:
    """A missing phase, a failure without error, and a field nobody knows are all refused."""
    facts = document(typed("fetch", "--json", "--stations", "2", *SPAN).out)
    validator = Draft202012Validator(SCHEMA)
    del facts["results"][0]["timings"]["tls_ms"]
    facts["results"][0]["success"] = False
    facts["surplus"] = 1
    paths = {"/".join(map(str, error.absolute_path)) for error in validator.iter_errors(facts)}
    assert paths >= {"", "results/0/timings", "results/0"}


@pytest.mark.parametrize("way", [(), ("--plain",)])
@pytest.mark.parametrize("more", [(), ("--allocs",), ("--no-gzip",), ("--format", "v1")])
def test_a_run_that_succeeds(typed: Typed, way: tuple[str, ...], more: tuple[str, ...]) -> None:
    code, out, _ = typed("fetch", *way, "--json", "--stations", "2,5", *SPAN, *more)
    facts = document(out)
    assert (code, facts["exit_code"]) == (0, 0)
    assert [(r["station"], r["success"], r["records"]) for r in facts["results"]] == [
        (2, True, 10),
        (5, True, 10),
    ]
    assert all(r["bytes_transferred"] > 0 < r["bytes_stored"] for r in facts["results"])
    assert (facts["results"][0]["alloc_metrics"] is not None) == ("--allocs" in more)


def test_a_dry_run_needs_neither_key_nor_service(
    typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CIMIS_APP_KEY")
    monkeypatch.setenv("CIMIS_BASE_URL", "http://127.0.0.1:9")
    for way in ([], ["--plain"]):
        code, out, err = typed("fetch", *way, "--json", "--stations", "2,5", *SPAN, "--dry-run")
        assert code == 0, err
        assert document(out)["dry_run"]
        assert document(out)["plan"]


def test_a_run_that_fails_in_part(
    typed: Typed, service: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sick station has its error; the others of the same request are stored."""
    sick = answer("500 Internal Server Error", b"oops")

    def bend(target: str, _number: int) -> bytes | None:
        return sick if re.search(r"stationNbrs=(\w+%2C)*5\b", target) else None

    with front(service.port, bend=bend) as base_url:
        monkeypatch.setenv("CIMIS_BASE_URL", base_url)
        code, out, err = typed(*("fetch", "--json", "--stations", "2,5,6", *SPAN, "--retries", "0"))
    facts = document(out)
    assert (code, facts["exit_code"]) == (4, 4)
    assert facts["totals"]["failed_stations"] == [5]
    (failed,) = (r for r in facts["results"] if not r["success"])
    assert (failed["error"]["class"], failed["error"]["status"]) == ("ServiceError", 500)
    assert failed["error"]["retryable"] is True
    assert failed["attempts"] == 1
    assert failed["timings"]["ttfb_ms"] > 0
    assert facts["totals"]["records"] == 20
    assert json.loads(err.splitlines()[-1])["error"]["exit_code"] == 4


@pytest.mark.parametrize(
    ("settings", "kind", "code"),
    [
        ({"CIMIS_BASE_URL": "http://127.0.0.1:9"}, "NetworkError", 6),
        ({"CIMIS_APP_KEY": "wrong"}, "AuthError", 5),
    ],
)
@pytest.mark.parametrize("known", [False, True], ids=["first run", "list known"])
def test_a_run_that_fails_for_all(
    typed: Typed, monkeypatch: pytest.MonkeyPatch, known: bool, settings: dict[str, str],
    kind: str, code: int,
) -> None:  # fmt: skip
    """Also where not even the list of stations could be had, each station has its error."""
    if known:
        assert typed("stations", "--refresh", "--quiet").code == 0
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    given = ("fetch", "--json", "--stations", "2,5", "--year", "2023-2024")
    left, out, _ = typed(*given, "--retries", "0")
    facts = document(out)
    assert (left, facts["exit_code"]) == (code, code)
    assert {(r["station"], r["year"]) for r in facts["results"]} == {
        (station, year) for station in (2, 5) for year in (2023, 2024)
    }
    assert {r["error"]["class"] for r in facts["results"]} == {kind}
    assert facts["totals"]["failure"] == 2
    assert (facts["error"] is None) == known


def test_times_are_milliseconds(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that takes 200 ms to answer is seen to take that, within the run's own seconds."""
    with Emulator(GeneratedSource(), latency_s=0.2) as slow:
        monkeypatch.setenv("CIMIS_BASE_URL", slow.base_url)
        out = typed("fetch", "--json", "--stations", "2", *SPAN).out
    facts = document(out)
    times = facts["results"][0]["timings"]
    assert 200 <= times["ttfb_ms"] < times["total_ms"] <= 1000 * facts["totals"]["seconds"]
    assert times["write_ms"] > 0 < times["decode_ms"]


def test_a_handshake_is_measured_once_for_a_connection(
    typed: Typed, service: Emulator, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first request looks up, connects and shakes hands; the later ones reuse that."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with front(service.port, certificate=certificate) as base_url:
        monkeypatch.setenv("CIMIS_BASE_URL", base_url.replace("127.0.0.1", "localhost"))
        given = ("--stations", "2", "--year", "2005-2018", "--concurrency", "1")
        code, out, err = typed("fetch", "--json", *given)
    assert code == 0, err
    facts = document(out)
    first, last = facts["results"][0]["timings"], facts["results"][-1]["timings"]
    assert facts["totals"]["requests"] > 2
    assert min(first["connect_ms"], first["tls_ms"]) > 0
    assert (last["connect_ms"], last["tls_ms"]) == (0, 0)
    assert last["ttfb_ms"] > 0


def test_a_self_signed_service_is_refused(
    typed: Typed, service: Emulator, certificate: Path
) -> None:
    with front(service.port, certificate=certificate) as base_url:
        given = ("--stations", "2", *SPAN, "--base-url", base_url)
        code, out, err = typed("fetch", *given)
    assert (code, out) == (6, "")
    assert "certificate is not trusted" in err
    assert "SSL_CERT_FILE" in err


def test_retries_are_logged_in_these_words(
    typed: Typed, service: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two refusals, then the answer: two lines on standard error, no other of the kind."""
    slow = answer("429 Too Many Requests", b"", "Connection: close")
    with front(service.port, bend=lambda target, n: slow if n < 2 else None) as base_url:
        monkeypatch.setenv("CIMIS_BASE_URL", base_url)
        code, out, err = typed("fetch", "--json", "--stations", "2", *SPAN)
    lines = [line for line in err.splitlines() if "retryable" in line]
    assert lines == ["retryable: 429 (attempt 1/3)", "retryable: 429 (attempt 2/3)"]
    assert code == 0
    assert document(out)["results"][0]["attempts"] == 3


@pytest.mark.parametrize("flag", ["-v", "--verbose", "-verbose"])
def test_requests_are_logged_without_the_key(
    typed: Typed, service: Emulator, monkeypatch: pytest.MonkeyPatch, flag: str
) -> None:
    """A line for each request that was sent, with what came of it; none unless asked for."""
    key = service.app_key
    echo = answer("400 Bad Request", f"bad key {key}".encode())
    with front(service.port, bend=lambda target, n: echo if "5" in target[:70] else None) as url:
        monkeypatch.setenv("CIMIS_BASE_URL", url)
        _, out, err = typed("fetch", "--plain", "--stations", "2,5", *SPAN, flag)
        _, _, silent = typed("fetch", "--plain", "--stations", "2,5", *SPAN, "--full")
    assert out == ""
    lines = sorted(line[24:] for line in err.splitlines() if "request for" in line)
    assert re.match(
        r"request for 2, 2024-01-01 to 2024-01-10, try 1: 10 records, [\d,]+ bytes as gzip of "
        r"[\d,]+; connect \d+\.\d, .*total \d+\.\d ms$",
        lines[0],
    )
    assert re.match(
        r"request for 5, .*, try 1: .* answered 400: bad key \*{4}; connect .* ms$", lines[1]
    )
    assert len(lines) == 2
    assert key not in err
    assert "request for" not in silent


def test_compressed_answers_are_told_with_their_ratio(typed: Typed) -> None:
    """In JSON and in words: bytes of the wire, bytes decoded, and how many to one."""
    given = ("fetch", "--stations", "2", "--year", "2023")
    _, out, err = typed(*given, "--json", "-gzip")
    facts = document(out)
    assert facts["warnings"] == []
    (result,) = facts["results"]
    for counted in (result, facts["totals"]):
        assert counted["content_encoding"] == "gzip"
        ratio = counted["bytes_decoded"] / counted["bytes_transferred"]
        assert counted["compression_ratio"] == pytest.approx(ratio, abs=0.001)
        assert ratio > 4
    _, _, err = typed(*given, "--full")
    assert re.search(r"kB as gzip of [\d,]+ kB, \d+\.\d to 1", err)


def test_plain_answers_where_compressed_ones_were_asked_for_are_warned_of(
    typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Emulator(GeneratedSource(), gzip=False) as plain:
        monkeypatch.setenv("CIMIS_BASE_URL", plain.base_url)
        facts = document(typed("fetch", "--json", "--stations", "2", *SPAN).out)
        _, _, err = typed("fetch", "--stations", "5", *SPAN)
        _, _, silent = typed("fetch", "--stations", "6", *SPAN, "--no-gzip")
    warning = "compressed answers were asked for, but the service sent them plain"
    assert facts["warnings"] == [warning]
    assert facts["results"][0]["content_encoding"] == "identity"
    assert facts["results"][0]["compression_ratio"] == 1
    assert f"warning: {warning}" in err
    assert "warning" not in silent


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_keeps_and_reports_what_is_done(
    tmp_path: Path, number: signal.Signals
) -> None:
    """A signal while the service is slow: a report at once, chunks whole, nothing half-written."""
    with Emulator(GeneratedSource(), latency_s=0.4) as slow:
        environment = os.environ | {"PYTHONPATH": str(ROOT), "CIMIS_BASE_URL": slow.base_url}
        given = ("--stations", "2", "--year", "2004-2023", "--concurrency", "1")
        command = [sys.executable, "-m", "cimis", "fetch", "--json", *given]

        def start() -> subprocess.Popen[str]:
            return subprocess.Popen(
                command,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )

        process = start()
        while not (chunks := sorted(tmp_path.glob("d/stations/*/*_daily.zst"))):
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        assert process.returncode == 4, err
        facts = document(out)
        assert facts["interrupted"]
        assert facts["exit_code"] == 4
        assert json.loads(err.splitlines()[-1])["error"]["class"] == "RunStopped"
        done = {r["year"]: r["records"] for r in facts["results"] if r["records"]}
        files = [path for path in tmp_path.glob("d/stations/**/*") if path.is_file()]
        assert {int(path.name[:4]): read_footer(path).rows for path in files} == done
        assert len(chunks) <= len(done) < 20
        left = [r for r in facts["results"] if not r["success"]]
        assert {r["error"]["class"] for r in left} == {"FetchInterrupted"}
        again = start()
        out, err = again.communicate(timeout=60)
    assert again.returncode == 0, err
    assert document(out)["totals"]["skipped_days"] >= 365 * (len(done) - 1)


def test_a_wait_ends_with_ctrl_c(service: Emulator, tmp_path: Path) -> None:
    """A run that waits a minute because the service asks for it does not sit that out."""
    told = answer("429 Too Many Requests", b"", "Retry-After: 60")
    with front(service.port, bend=lambda target, n: told) as base_url:
        process = subprocess.Popen(
            [sys.executable, "-m", "cimis", "fetch", "--stations", "2", *SPAN],
            env=os.environ | {"PYTHONPATH": str(ROOT), "CIMIS_BASE_URL": base_url},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        assert process.stderr.readline() == "retryable: 429 (attempt 1/3)\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (4, "")
    assert "error: stopped: 0 of 1 station-years are stored" in err
    assert "hint: run the same command again to continue" in err
