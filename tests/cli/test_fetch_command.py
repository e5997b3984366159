"""What ``cimis fetch`` does, and what each of its options changes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cimis.pipeline.chunks import read_chunk, read_footer
from cimis.pipeline.emulator import Emulator, GeneratedSource

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

SPAN = ("--start", "2024-01-01", "--end", "2024-01-10")


class Sick(GeneratedSource):
    """A service that fails whenever one station is among those asked for."""

    def records(self, station: int, *given: Any) -> Any:
        if station == 5:
            raise RuntimeError("out of order")
        return super().records(station, *given)


@pytest.fixture(scope="module")
def service() -> Iterator[Emulator]:
    with Emulator(GeneratedSource()) as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def _settings(service: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIMIS_BASE_URL", service.base_url)
    monkeypatch.setenv("CIMIS_APP_KEY", service.app_key)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data directory that the environment names."""
    monkeypatch.setenv("CIMIS_DATA_DIR", str(tmp_path / "d"))
    return tmp_path / "d"


def report(typed: Typed, *arguments: str) -> dict[str, Any]:
    """Type a fetch with ``--json`` and return its report."""
    answer = typed("fetch", "--json", *arguments)
    assert answer.code == 0, answer.err
    found: dict[str, Any] = json.loads(answer.out)
    return found


def test_what_was_fetched_is_stored_and_said(typed: Typed, root: Path) -> None:
    """A station's days lie in its chunk, and standard output holds nothing."""
    code, out, err = typed("fetch", "--stations", "2,5", *SPAN)
    assert (code, out) == (0, "")
    assert "stored 20 records of 2 stations (1 request, " in err
    for number in ("002", "005"):
        assert read_chunk(root / f"stations/{number}/2024_daily.zst").num_rows == 10


def test_quiet_says_nothing(typed: Typed, root: Path) -> None:
    """``--quiet`` leaves both streams empty."""
    assert typed("fetch", "--quiet", "--stations", "2", *SPAN) == (0, "", "")


def test_a_second_run_asks_for_nothing_unless_told_to(typed: Typed, root: Path) -> None:
    """Final days are not asked for again; ``--full`` asks."""
    first, second = (report(typed, "--stations", "2", *SPAN) for _ in range(2))
    assert first["totals"]["requests"] == 1
    assert second["totals"]["requests"] == 0
    assert second["totals"]["skipped_days"] == 10
    assert report(typed, "--stations", "2", *SPAN, "--full")["totals"]["requests"] == 1


def test_a_dry_run_prints_the_plan_and_touches_nothing(
    typed: Typed, root: Path, service: Emulator
) -> None:
    """``--dry-run`` lists the requests with their records; none is made, nothing is written."""
    before = service.traffic.requests
    given = ("fetch", "--stations", "2-6", "--year", "2023-2024", "--dry-run")
    code, out, err = typed(*given)
    lines = out.splitlines()
    assert code == 0
    assert lines[0] == "stations,start,end,records"
    assert sum(int(line.split(",")[3]) for line in lines[1:]) == 5 * (365 + 366)
    assert f"{len(lines) - 1} requests, at most 3,655 records; nothing was fetched" in err
    assert service.traffic.requests == before
    assert not root.exists()
    plan = json.loads(typed(*given, "--json").out)["plan"]
    assert len(plan) == len(lines) - 1


def test_hourly_and_items(typed: Typed, root: Path) -> None:
    """``--scope`` and ``--items`` choose what is asked for."""
    report(typed, "--stations", "2", *SPAN, "--scope", "hourly", "--items", "air_tmp,hly-precip")
    table = read_chunk(root / "stations/002/2024_hourly.zst")
    assert table.num_rows == 240
    assert [n for n in table.schema.names if n.endswith("_qc")] == ["air_tmp_qc", "precip_qc"]
    assert not (root / "stations/002/2024_daily.zst").exists()


def test_chunk_format(typed: Typed, root: Path) -> None:
    """``--format v1`` writes what the older program reads."""
    report(typed, "--stations", "2", *SPAN, "--format", "v1")
    assert read_footer(root / "stations/002/2024_daily.zst").version == 1


def test_compression_is_asked_for_unless_told_not_to(typed: Typed, root: Path) -> None:
    """``--gzip`` is the default, and ``--no-gzip`` moves more bytes for the same rows."""
    packed = report(typed, "--stations", "2", "--year", "2023")["totals"]
    plain = report(typed, "--stations", "2", "--year", "2023", "--full", "--no-gzip")["totals"]
    assert plain["bytes_decoded"] == packed["bytes_decoded"] == plain["bytes_transferred"]
    assert packed["bytes_transferred"] < plain["bytes_transferred"] / 4


def test_perf_names_the_phases(typed: Typed, root: Path) -> None:
    """``--perf`` tells on standard error where the time went."""
    _, out, err = typed("fetch", "--stations", "2", *SPAN, "--perf")
    assert out == ""
    for phase in ("connect", "ttfb", "read", "decode", "write", "total"):
        assert f" {phase} " in f"{err.splitlines()[1]} "


def test_numbers_missing_from_a_range_are_left_out_and_said(typed: Typed, root: Path) -> None:
    """Ranges may run over numbers that no station has; a number by itself may not."""
    code, _, err = typed("fetch", "--stations", "2,9990-9999", *SPAN)
    assert code == 0, err
    assert "left out of the ranges" in err
    assert typed("fetch", "--stations", "9990-9999", *SPAN).code == 2


def test_all_means_the_stations_that_worked_in_these_days(typed: Typed, root: Path) -> None:
    """``--stations all`` plans for stations connected in the span, more in 2024 than in 1985."""
    assert typed("stations", "--refresh", "--quiet").code == 0
    plans = []
    for year in ("1985", "2024"):
        answer = typed("fetch", "--stations", "all", "--year", year, "--dry-run")
        lines = answer.out.splitlines()[1:]
        plans.append({n for line in lines for n in line.split(",")[0].split()})
    assert 10 < len(plans[0]) < len(plans[1])


def test_a_station_that_fails_fails_alone(
    typed: Typed, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are stored, the failed one is named, and the exit code says part-way."""
    with Emulator(Sick()) as emulator:
        monkeypatch.setenv("CIMIS_BASE_URL", emulator.base_url)
        given = ("fetch", "--stations", "2,5,6", "--year", "2020-2023", "--retries", "0")
        code, out, err = typed(*given)
        assert (code, out) == (4, "")
        assert "error: 1 of 3 stations failed: 5" in err
        assert "run the same command again" in err
        facts = json.loads(typed(*given, "--json").out)
    assert {r["station"] for r in facts["results"] if not r["success"]} == {5}
    assert (root / "stations/002/2023_daily.zst").exists()
    assert (root / "stations/006/2020_daily.zst").exists()
    assert not (root / "stations/005").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        ("--concurrency", "0"),
        ("--concurrency", "1000"),
        ("--retries", "-1"),
        ("--timeout", "soon"),
        ("--format", "v3"),
        ("--base-url", "ftp://x"),
        ("--app-key", "with blanks in it"),
    ],
)
def test_values_that_cannot_be(wrong: tuple[str, str], typed: Typed, root: Path) -> None:
    """Wrong values of options are refused in one line."""
    code, out, err = typed("fetch", "--stations", "2", *SPAN, *wrong)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert not (root / "stations").exists()


def test_a_name_service_that_hangs_does_not_keep_an_interrupted_run(tmp_path: Path) -> None:
    code = (
        "import socket, sys, time\n"
        "def hang(*_, **__):\n"
        "    print('looking up', flush=True)\n"
        "    time.sleep(3600)\n"
        "socket.getaddrinfo = hang\n"
        "from cimis.cli.main import main\n"
        f"main(['fetch', '--stations', '2', *{SPAN}, '--data-dir', {str(tmp_path)!r}])\n"
    )
    own = {"CIMIS_APP_KEY": "k" * 36, "CIMIS_BASE_URL": "http://names.invalid"}
    words = [sys.executable, "-c", code]
    with subprocess.Popen(words, env=os.environ | own, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"looking up\n"
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(timeout=120) == 4
        finally:
            process.kill()
