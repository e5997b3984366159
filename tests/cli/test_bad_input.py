"""Bad input gets one clear line and its exit code: no traceback, and nothing half written."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cimis.pipeline.emulator import Emulator, GeneratedSource
from tests.cli.servers import REJECTED, server

if TYPE_CHECKING:
    from tests.cli.conftest import Answer, Typed

SPAN = ("--start", "2024-01-01", "--end", "2024-01-05")
KEY = "sesame-0123456789abcdef"


@pytest.fixture(scope="module")
def service() -> Iterator[Emulator]:
    """The embedded server, with a key of its own."""
    with Emulator(GeneratedSource(), app_key=KEY) as emulator:
        yield emulator


@pytest.fixture
def at_service(service: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Point the settings at the embedded server, with the right key."""
    monkeypatch.setenv("CIMIS_BASE_URL", service.base_url)
    monkeypatch.setenv("CIMIS_APP_KEY", KEY)


@pytest.fixture
def stored(tmp_path: Path, typed: Typed, at_service: None) -> Path:
    """A data directory with five days of one station."""
    root = tmp_path / "stored"
    answer = typed("fetch", "--data-dir", root, "--stations", "2", *SPAN)
    assert answer.code == 0, answer.err
    return root


def refused(answer: Answer, code: int, *said: str) -> None:
    """Assert one clear line with these words, its exit code, and no data."""
    assert answer.code == code, answer.err
    assert answer.out == ""
    lines = [line for line in answer.err.splitlines() if line]
    errors = [line for line in lines if line.startswith("error: ")]
    assert len(errors) == 1, answer.err
    assert KEY not in answer.err
    for words in said:
        assert words in answer.err, answer.err


def nothing_stored(root: Path) -> None:
    """Assert that no chunk and no temporary file was left."""
    assert not [p for p in root.rglob("*") if p.is_file() and "stations" in p.parts]


def fetch(typed: Typed, root: Path, *arguments: str | Path, stations: str = "2") -> Answer:
    """Type a fetch of five days, with no patience."""
    usual = ("fetch", "--data-dir", root, "--stations", stations, "--retries", "0")
    return typed(
        *usual, *(() if "--start" in arguments or "--year" in arguments else SPAN), *arguments
    )


def test_no_key(typed: Typed, tmp_path: Path, service: Emulator) -> None:
    """Without a key the message says where one can be given, and no directory is made."""
    answer = fetch(typed, tmp_path / "d", "--base-url", service.base_url)
    refused(answer, 5, "no API key", "CIMIS_APP_KEY")
    assert not (tmp_path / "d").exists()


def test_wrong_key(typed: Typed, tmp_path: Path, service: Emulator) -> None:
    """A key that the service refuses is an AuthError, and is not shown."""
    wrong = "not-the-key-at-all"
    answer = fetch(typed, tmp_path, "--base-url", service.base_url, "--app-key", wrong)
    refused(answer, 5, "key")
    assert wrong not in answer.err
    nothing_stored(tmp_path)


@pytest.mark.usefixtures("at_service")
def test_unknown_station(typed: Typed, tmp_path: Path) -> None:
    """A station that the network does not have is named, and nothing is fetched."""
    answer = fetch(typed, tmp_path, stations="2,9999")
    refused(answer, 2, "no station 9999", "cimis stations")
    nothing_stored(tmp_path)


def test_a_station_that_is_not_stored(typed: Typed, stored: Path) -> None:
    """Asking for what is not stored says what was asked, with the code for no match."""
    code, out, err = typed("query", "--data-dir", stored, "--station", "9999")
    assert code == 3
    assert out.startswith("station,date,")
    assert "error: no daily record is stored of station 9999" in err


@pytest.mark.usefixtures("at_service")
@pytest.mark.parametrize(
    ("days", "said"),
    [
        (("--start", "2024-02-30", "--end", "2024-03-01"), "February 2024 has 29 days"),
        (("--start", "2024-13-01"), "months run from 1 to 12"),
        (("--start", "yesteryear"), "is not a date"),
        (("--start", "2024-01-05", "--end", "2024-01-01"), "lies before the start"),
        (("--start", "2024-01-01", "--end", "2199-01-01"), "in the future"),
        (("--start", "2199-01-01"), "in the future"),
        (("--year", "2199"), "in the future"),
        (("--year", "2024-2020"), "runs backwards"),
        (("--start", "1970-01-01", "--end", "1983-01-01"), "before the network's first day"),
    ],
)
def test_days_that_cannot_be(
    days: tuple[str, ...], said: str, typed: Typed, tmp_path: Path
) -> None:
    """Impossible, reversed and future days are refused before anything is asked or made."""
    refused(fetch(typed, tmp_path, *days), 2, said)
    nothing_stored(tmp_path)


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (("--start", "2024-02-30"), "February 2024 has 29 days"),
        (("--start", "2024-01-05", "--end", "2024-01-01"), "lies before the start"),
        (("--start", "2199-01-01"), "in the future"),
    ],
)
def test_days_that_cannot_be_asked_of_the_store(
    days: tuple[str, ...], said: str, typed: Typed, stored: Path
) -> None:
    """A query refuses the same days."""
    refused(typed("query", "--data-dir", stored, *days), 2, said)


@pytest.mark.parametrize("command", ["fetch", "query"])
def test_unknown_item(command: str, typed: Typed, stored: Path) -> None:
    """An unknown item is named, with the nearest one that exists."""
    given = (command, "--data-dir", stored, "--stations", "2", *SPAN, "--items", "air_temp_avg")
    refused(typed(*given), 2, "air_temp_avg", "did you mean 'air_tmp_avg'")


def test_server_down(typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that nobody runs is a failure of the service, named by host."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("CIMIS_APP_KEY", KEY)
    answer = fetch(typed, tmp_path, "--base-url", f"http://127.0.0.1:{port}")
    refused(answer, 6, "127.0.0.1")
    nothing_stored(tmp_path)


def test_server_slow(typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not answer in time is a failure of the service."""
    monkeypatch.setenv("CIMIS_APP_KEY", KEY)
    with server(200, b"{}", "application/json", wait_s=3) as url:
        answer = fetch(typed, tmp_path, "--base-url", url, "--timeout", "300ms")
    refused(answer, 6)
    nothing_stored(tmp_path)


@pytest.mark.parametrize("status", [200, 403, 502])
def test_server_answers_html(
    status: int, typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A firewall's page, whatever its status, is told from an answer."""
    monkeypatch.setenv("CIMIS_APP_KEY", KEY)
    with server(status, REJECTED, "text/html") as url:
        answer = fetch(typed, tmp_path, "--base-url", url)
    refused(answer, 6)
    nothing_stored(tmp_path)


def test_server_answers_nonsense(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that is not the API's is refused as such."""
    monkeypatch.setenv("CIMIS_APP_KEY", KEY)
    with server(200, b'{"hello": "world"}', "application/json") as url:
        answer = fetch(typed, tmp_path, "--base-url", url)
    refused(answer, 6)
    nothing_stored(tmp_path)


@pytest.mark.usefixtures("at_service")
@pytest.mark.parametrize("command", ["init", "fetch", "query", "sql", "stats", "verify"])
def test_data_directory_is_a_file(command: str, typed: Typed, tmp_path: Path) -> None:
    """A file in place of the data directory is said to be one, and stays as it was."""
    root = tmp_path / "file"
    root.write_text("mine")
    more = {"fetch": ("--stations", "2", *SPAN), "sql": ("select 1",)}.get(command, ())
    refused(typed(command, "--data-dir", root, *more), 7, str(root))
    assert root.read_text() == "mine"


@pytest.mark.parametrize("command", ["query", "sql", "stats", "verify"])
def test_data_directory_is_absent(command: str, typed: Typed, tmp_path: Path) -> None:
    """Asking without a data directory says how to make one, and makes none."""
    more = ("select 1",) if command == "sql" else ()
    refused(typed(command, "--data-dir", tmp_path / "d", *more), 7, "cimis init")
    assert not (tmp_path / "d").exists()


@pytest.mark.usefixtures("at_service")
@pytest.mark.parametrize("command", ["init", "fetch"])
def test_data_directory_cannot_be_made(command: str, typed: Typed) -> None:
    """Where nothing can be written the operating system's reason is given."""
    root = "/proc/self/cimis"
    if not Path("/proc/self").exists():
        pytest.skip("this system has no /proc")
    more = ("--stations", "2", *SPAN) if command == "fetch" else ()
    refused(typed(command, "--data-dir", root, *more), 7, root)


def test_data_directory_is_read_only(typed: Typed, stored: Path) -> None:
    """A directory that may not be written to is an error of the store, and stays as it was."""
    if os.geteuid() == 0:
        with ReadOnly(stored):
            _read_only(typed, stored)
    else:
        folders = [p for p in (stored, *stored.rglob("*")) if p.is_dir()]
        for folder in folders:
            folder.chmod(0o500)
        try:
            _read_only(typed, stored)
        finally:
            for folder in folders:
                folder.chmod(0o700)


def _read_only(typed: Typed, root: Path) -> None:
    before = sorted(p for p in root.rglob("*") if "stations" in p.parts)
    answer = typed("fetch", "--data-dir", root, "--stations", "5", *SPAN)
    refused(answer, 7, str(root))
    assert sorted(p for p in root.rglob("*") if "stations" in p.parts) == before


def _failed(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode != 0


class ReadOnly:
    """Mount a folder over itself read-only: to root, rights alone mean nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        bind = ["mount", "--bind", str(self._folder), str(self._folder)]
        only = ["mount", "-o", "remount,bind,ro", str(self._folder)]
        if shutil.which("mount") is None or _failed(bind):
            pytest.skip("root may not mount here, and to root no directory is read-only")
        subprocess.run(only, check=True, capture_output=True)

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", str(self._folder)], check=True, capture_output=True)


def test_disk_is_full(stored: Path, tmp_path: Path, service: Emulator) -> None:
    """A write that the disk refuses is an error of the store; what was stored stays whole."""
    pytest.importorskip("resource", reason="file sizes cannot be limited here")
    chunk = next(stored.rglob("*.zst"))
    before = chunk.read_bytes()
    limited = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))\n"
        "from cimis.cli.main import main\n"
        "main(sys.argv[1:])\n"
    )
    arguments = ("fetch", "--data-dir", str(stored), "--stations", "2", "--year", "2024")
    done = subprocess.run(
        [sys.executable, "-B", "-c", limited, *arguments, "--retries", "0"],
        env=os.environ | {"CIMIS_BASE_URL": service.base_url, "CIMIS_APP_KEY": KEY},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 7, done.stderr
    assert "Traceback" not in done.stderr
    assert sum(line.startswith("error: ") for line in done.stderr.splitlines()) == 1
    assert chunk.read_bytes() == before
    assert [p for p in stored.rglob("*") if p.is_file() and "stations" in p.parts] == [chunk]


def test_a_damaged_chunk(typed: Typed, stored: Path) -> None:
    """A flipped bit is found by a question and by verify, with the file's name."""
    chunk = next(stored.rglob("*.zst"))
    data = bytearray(chunk.read_bytes())
    data[len(data) // 3] ^= 1
    chunk.write_bytes(data)
    assert typed("cache", "clear", "--data-dir", stored).code == 0  # which holds sound rows
    answer = typed("query", "--data-dir", stored, "--station", "2", "--format", "csv")
    assert answer.code == 7
    assert str(chunk.relative_to(stored)) in answer.err
    answer = typed("sql", "--data-dir", stored, "select * from daily")
    assert answer.code == 7
    assert str(chunk.relative_to(stored)) in answer.err
    answer = typed("verify", "--data-dir", stored)
    assert answer.code == 8
    assert "2024_daily.zst" in answer.out + answer.err


def test_an_answer_that_cannot_be_saved(typed: Typed, stored: Path, tmp_path: Path) -> None:
    """A folder that is not there, and a suffix that names no format, are said."""
    given = ("query", "--data-dir", stored, "--station", "2")
    answer = typed(*given, "-o", tmp_path / "absent" / "x.csv")
    assert answer.code in {2, 7}
    assert "absent" in answer.err
    refused(typed(*given, "-o", tmp_path / "x.ods"), 2, ".ods")
    assert not (tmp_path / "x.ods").exists()


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("selec 1", 2, "SQL"),
        ("select nothing from daily", 2, "nothing"),
        ("select * from weekly", 2, "weekly"),
        ("create table t (x int)", 2, "not allowed"),
        ("select * from read_csv('/etc/hostname')", 2, "SQL"),
        ("copy daily to 'x.csv'", 2, "not allowed"),
        ("", 2, "no SQL"),
    ],
)
def test_sql_that_is_wrong_or_not_allowed(
    text: str, code: int, said: str, typed: Typed, stored: Path
) -> None:
    """Wrong SQL, and SQL that would touch anything else, is refused in one line."""
    refused(typed("sql", "--data-dir", stored, text), code, said)


def test_the_key_appears_nowhere(
    typed: Typed, tmp_path: Path, service: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through every command that handles it, the key is in no output and in no file."""
    root = tmp_path / "d"
    said = []
    given = ("--data-dir", root, "--base-url", service.base_url, "--app-key", KEY)
    said.append(typed("stations", "--refresh", *given))
    said.append(typed("fetch", *given, "--stations", "2", *SPAN, "--perf", "--json"))
    said.append(typed("fetch", *given, "--stations", "2", *SPAN, "--dry-run"))
    said.append(typed("config", *given))
    said.append(typed("config", *given, "--json"))
    monkeypatch.setenv("CIMIS_APP_KEY", KEY)
    said.append(typed("stats", "--data-dir", root))
    said.append(typed("sql", "--data-dir", root, "select * from chunks"))
    said.append(typed("fetch", "--data-dir", root, "--stations", "zwei", "--year", "1"))
    assert [answer.code for answer in said] == [0] * 7 + [2]
    for answer in said:
        assert KEY not in answer.out
        assert KEY not in answer.err
    files = [p for p in root.rglob("*") if p.is_file()]
    assert len(files) >= 2
    for file in files:
        assert KEY.encode() not in file.read_bytes(), file


@pytest.mark.parametrize("command", ["query", "report", "gaps", "sync"])
def test_a_station_that_stands_alone_is_told_its_option(command: str, typed: Typed) -> None:
    answer = typed(command, "five points")
    assert answer.code == 2
    assert "stations are named by --station" in answer.err
