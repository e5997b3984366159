"""What ``cimis doctor`` and ``store.doctor()`` see, and what they say to do about it."""

from __future__ import annotations

import datetime as dt
import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import cimis
from cimis.health.doctor import examined
from cimis.health.finding import Mark
from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.catalog.tallies import Tallies
from cimis.pipeline.emulator import Emulator, GeneratedSource
from cimis.pipeline.field.time import network_day
from tests.cli.front import front

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def service() -> Iterator[Emulator]:
    with Emulator(GeneratedSource(), app_key=KEY) as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def _settings(service: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CIMIS_BASE_URL", service.base_url)
    monkeypatch.setenv("CIMIS_APP_KEY", KEY)
    monkeypatch.setenv("CIMIS_DATA_DIR", str(tmp_path / "d"))
    monkeypatch.setenv("CIMIS_CONFIG", str(tmp_path / "config.toml"))


@pytest.fixture
def root(typed: Typed, tmp_path: Path) -> Path:
    """A small store."""
    days = ("--start", "2024-01-01", "--end", "2024-01-10")
    assert typed("fetch", "--stations", "2,5", *days, "--quiet").code == 0
    return tmp_path / "d"


def lines(typed: Typed, *more: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the lines of ``cimis doctor`` by topic and name."""
    answer = typed("doctor", "--json", *more)
    facts = json.loads(answer.out)
    assert answer.code == facts["exit_code"] == (0 if facts["sound"] else 8)
    marks = [one["mark"] for one in facts["findings"]]
    assert facts["sound"] == ("problem" not in marks)
    assert (facts["problems"], facts["warnings"]) == (
        marks.count("problem"),
        marks.count("warning"),
    )
    found = {(one["topic"], one["name"]): one for one in facts["findings"]}
    assert len(found) == len(facts["findings"])
    assert all(one["do"] for one in found.values() if one["mark"] in ("warning", "problem"))
    return found


def test_where_nothing_is_wrong_the_exit_code_is_0(root: Path, typed: Typed) -> None:
    found = lines(typed)
    assert {one["mark"] for one in found.values()} == {"ok"}
    topics = ("key", "service", "clock", "store", "cache", "versions")
    assert tuple(dict.fromkeys(topic for topic, _ in found)) == topics
    assert found["store", "place"]["facts"]["chunks"] == 2
    assert found["cache", "daily"]["facts"]["current"] is True


def test_each_finding_is_a_line_with_its_mark(root: Path, typed: Typed) -> None:
    found = lines(typed, "--offline")
    answer = typed("doctor", "--offline")
    shown = [line for line in answer.out.splitlines() if not line.startswith(" ")]
    assert [line.split()[:2] for line in shown] == [
        [one["mark"], topic] for (topic, _), one in found.items()
    ]
    assert answer.err == "nothing to mend\n"


def test_the_key_is_never_shown(root: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found or refused, in words or in JSON, by variable or by option."""
    refused = "f" * 32
    said = ""
    for key in (KEY, refused):
        monkeypatch.setenv("CIMIS_APP_KEY", key)
        for more in ([], ["--json"], ["--app-key", key]):
            said += "".join(map(str, typed("doctor", *more)))
    assert KEY[:6] not in said
    assert refused[:6] not in said
    assert KEY not in repr(examined(root, None))


def test_one_request_is_made_the_cheapest(service: Emulator, root: Path, typed: Typed) -> None:
    before = dict(service.traffic.by_path)
    lines(typed)
    after = service.traffic.by_path
    more = {path: count - before.get(path, 0) for path, count in after.items()}
    assert {path: count for path, count in more.items() if count} == {
        "/StationWeb/GetStationByStationNumber": 1
    }


def test_offline_and_without_a_key_none_is_made(
    service: Emulator, root: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = service.traffic.requests
    offline = lines(typed, "--offline")
    monkeypatch.delenv("CIMIS_APP_KEY")
    keyless = lines(typed)
    assert service.traffic.requests == before
    for found in (offline, keyless):
        assert found["service", "answer"]["mark"] == "skipped"
        assert found["clock", "offset"]["mark"] == "skipped"
    assert offline["key", "found"]["mark"] == "ok"
    assert keyless["key", "found"]["mark"] == "problem"


def test_who_reads_what_is_published_needs_no_key(
    root: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    where = (tmp_path / "published").as_uri()
    assert typed("publish", where).code == 0
    monkeypatch.delenv("CIMIS_APP_KEY")
    assert lines(typed, "--data-dir", where)["key", "found"]["mark"] == "skipped"


def test_the_keys_place_is_told(
    root: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert lines(typed)["key", "found"]["facts"]["source"] == "environment CIMIS_APP_KEY"
    monkeypatch.delenv("CIMIS_APP_KEY")
    config = tmp_path / "config.toml"
    config.write_text(f'app_key = "{KEY}"\n')
    config.chmod(0o644)
    found = lines(typed)
    assert found["key", "found"]["facts"]["source"] == f"file {config}"
    assert found["key", "rights"]["do"] == f"chmod 600 '{config}'"
    config.chmod(0o600)
    assert ("key", "rights") not in lines(typed)


@pytest.mark.parametrize(
    ("key", "mark", "said"),
    [
        (KEY, "ok", "32 signs"),
        ("01234567-89ab-cdef-0123-456789abcdef", "warning", "ended in 2026"),
        (KEY[:-1], "warning", "31 signs"),
    ],
)
def test_a_key_that_looks_like_none_of_the_service_is_warned_of(
    key: str, mark: str, said: str, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CIMIS_BASE_URL")
    monkeypatch.setenv("CIMIS_APP_KEY", key)
    found = lines(typed, "--offline")["key", "form"]
    assert (found["mark"], said in found["says"]) == (mark, True)


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({"CIMIS_APP_KEY": "wrong"}, "key refused"),
        ({"CIMIS_BASE_URL": "http://127.0.0.1:9"}, "refused"),
        ({"CIMIS_BASE_URL": "http://no-such-host.invalid"}, "no such host"),
        ({"CIMIS_BASE_URL": "https://127.0.0.1:{port}"}, "no TLS"),
    ],
)
def test_what_is_in_the_way_to_the_service_is_told_apart(
    settings: dict[str, str],
    kind: str,
    service: Emulator,
    root: Path,
    typed: Typed,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value.format(port=service.port))
    line = lines(typed)["service", "answer"]
    assert line["mark"] == "problem"
    assert line["facts"]["kind"] == kind


def test_a_certificate_that_nobody_trusts_is_no_tls(
    service: Emulator, certificate: Path, typed: Typed
) -> None:
    with front(service.port, certificate=certificate) as base_url:
        line = lines(typed, "--base-url", base_url)["service", "answer"]
    assert line["facts"]["kind"] == "no TLS"
    assert "certificate" in line["says"]
    assert "SSL_CERT_FILE" in line["do"]


@contextmanager
def at(ahead_s: float, status: int = 200) -> Iterator[str]:
    """Run a service whose clock is so many seconds ahead."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=ahead_s)
            self.send_response_only(status)
            self.send_header("Date", format_datetime(said, usegmt=True))
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("ahead_s", "mark", "said"),
    [
        (0, "ok", "as the service's"),
        (40, "warning", "behind the service's"),
        (-40, "warning", "ahead of the service's"),
        (7200, "problem", "behind the service's"),
        (-90_000, "problem", f"{network_day()} here"),
    ],
)
def test_the_clock_is_held_against_the_services(
    ahead_s: float, mark: str, said: str, typed: Typed
) -> None:
    with at(ahead_s) as base_url:
        found = lines(typed, "--base-url", base_url)
    line = found["clock", "offset"]
    assert (line["mark"], said in line["says"]) == (mark, True), line["says"]
    assert abs(line["facts"]["ahead_s"] + ahead_s) < 5
    assert found["clock", "day"]["facts"]["day"] == str(network_day())


def test_a_refusal_tells_the_time_as_well(typed: Typed) -> None:
    with at(7200, status=401) as base_url:
        found = lines(typed, "--base-url", base_url)
    assert found["service", "answer"]["facts"]["kind"] == "key refused"
    assert found["clock", "offset"]["mark"] == "problem"


def test_no_data_directory_is_a_warning_and_none_is_made(typed: Typed, tmp_path: Path) -> None:
    line = lines(typed, "--offline")["store", "place"]
    assert line["mark"] == "warning"
    assert line["do"] == f"make one: cimis init {tmp_path / 'd'}"
    assert not (tmp_path / "d").exists()


def test_a_damaged_catalog_and_a_foreign_folder_are_problems(
    root: Path, typed: Typed, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    assert lines(typed, "--offline", "--data-dir", str(other))["store", "store"]["do"]
    (root / "metadata.sqlite3").write_bytes(b"no database at all" * 100)
    line = lines(typed, "--offline")["store", "store"]
    assert (line["mark"], "cimis verify --repair" in line["do"]) == ("problem", True)


def test_who_writes_is_told_and_not_disturbed(root: Path, typed: Typed) -> None:
    """The lock is held by another process, which still has it afterwards."""
    if not Path("/proc/locks").exists():
        pytest.skip("this system does not say who holds locks")
    assert lines(typed, "--offline")["store", "locks"]["facts"]["held"] == {}
    hold = (
        "import sys\nfrom pathlib import Path\n"
        "from cimis.pipeline.storage.writers import locked\n"
        "with locked(Path(sys.argv[1]), 'sync'):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == b"held\n"
        line = lines(typed, "--offline")["store", "locks"]
        other.stdin.close()
    assert line["mark"] == "ok"
    assert line["facts"]["held"] == {"sync": str(other.pid)}


def test_what_runs_left_behind_is_warned_of(root: Path, typed: Typed) -> None:
    """A killed writer's file, a file set aside, a run that failed in part."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (root / "stations" / f".x.{gone.pid}-1.tmp").write_bytes(b"half")
    (root / "quarantine").mkdir()
    (root / "quarantine" / "2024_daily.zst").write_bytes(b"bad")
    moment = dt.datetime(2024, 2, 1, tzinfo=dt.UTC).isoformat()
    with Catalog(root) as catalog:
        catalog.put_run("fetch", moment, moment, 4, {})
    found = lines(typed, "--offline")
    for name in ("leftovers", "quarantine", "last run"):
        assert found["store", name]["mark"] == "warning", name
    assert found["store", "last run"]["facts"]["exit_code"] == 4


def test_damage_that_verify_found_and_absent_chunks_are_problems(root: Path, typed: Typed) -> None:
    assert "not checked yet" in lines(typed, "--offline")["store", "checked"]["says"]
    chunk = root / "stations/002/2024_daily.zst"
    whole = chunk.read_bytes()
    chunk.write_bytes(whole[:-40])
    assert typed("verify", "--quiet").code == 8
    line = lines(typed, "--offline")["store", "checked"]
    assert (line["mark"], line["facts"]["damaged"]) == ("problem", 1)
    chunk.unlink()
    absent = lines(typed, "--offline")["store", "absent"]
    assert absent["facts"]["paths"] == ["stations/002/2024_daily.zst"]
    chunk.write_bytes(whole)
    assert typed("verify", "--quiet").code == 0
    assert lines(typed, "--offline")["store", "checked"]["mark"] == "ok"
    assert Tallies(root).read()


def test_provisional_days_that_nobody_asked_for_again_are_warned_of(
    root: Path, typed: Typed
) -> None:
    """By the catalog alone: ten days of January 2024 that were final long ago."""
    assert lines(typed, "--offline")["store", "days"]["mark"] == "ok"
    first = int(dt.datetime(2024, 1, 5, tzinfo=dt.UTC).timestamp())
    with sqlite3.connect(root / "metadata.sqlite3") as catalog:
        catalog.execute("update chunks set provisional_from_s = ? where station = 2", [first])
    line = lines(typed, "--offline")["store", "days"]
    assert (line["mark"], line["facts"]["overdue_chunks"]) == ("warning", 1)
    assert line["facts"]["overdue_since"] == "2024-01-05"
    assert "cimis sync" in line["do"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_store_that_may_not_be_written_is_warned_of(root: Path, typed: Typed) -> None:
    (root / "stations").chmod(0o500)
    try:
        line = lines(typed, "--offline")["store", "rights"]
    finally:
        (root / "stations").chmod(0o700)
    assert (line["mark"], str(root / "stations") in line["says"]) == ("warning", True)


def test_the_cache_is_bounded_away_or_due(
    root: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIMIS_CACHE", "0")
    assert lines(typed, "--offline")["cache", "place"]["mark"] == "warning"
    monkeypatch.setenv("CIMIS_CACHE", "1")
    assert typed("cache", "clear", "--quiet").code == 0
    assert lines(typed, "--offline")["cache", "daily"]["facts"] == {"current": False, "fits": False}
    monkeypatch.delenv("CIMIS_CACHE")
    due = lines(typed, "--offline")["cache", "daily"]
    assert (due["mark"], due["facts"]["fits"]) == ("ok", True)
    assert "cimis compact" in due["do"]


def test_versions_are_those_that_are_installed(root: Path, typed: Typed) -> None:
    from importlib.metadata import version

    found = lines(typed, "--offline")
    told = found["versions", "dependencies"]["facts"]
    assert {"click", "duckdb", "polars", "pyarrow", "httpx"} <= told.keys()
    assert all(value == version(name) for name, value in told.items())
    assert found["versions", "extras"]["facts"]["pandas"] is True
    assert found["versions", "duckdb"]["facts"]["version"] == version("duckdb")


def test_a_package_that_lacks_or_is_too_old_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    from cimis.health import versions

    needs = ["click>=99.1", "no-such-package-at-all>=1", "pandas>=1; extra == 'pandas'"]
    monkeypatch.setattr(versions, "requires", lambda _name: needs)
    (line,) = (one for one in versions.version_lines() if one.name == "dependencies")
    assert line.mark is Mark.PROBLEM
    assert "not there: no-such-package-at-all" in line.says
    assert "needs 99.1" in line.says
    assert "pandas" not in line.says


def test_settings_that_cannot_be_read_are_a_line_too(typed: Typed, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("app_key = ")
    line = lines(typed)["settings", "settings"]
    assert "is not TOML" in line["says"]


def test_a_store_examines_itself_alike(root: Path, typed: Typed) -> None:
    """The method gives what the command prints, and a page for notebooks."""
    with cimis.open(root) as store:
        found = store.doctor(offline=True)
    told = json.loads(typed("doctor", "--offline", "--json").out)
    for facts in (told, ours := found.as_dict()):
        for one in facts["findings"]:  # other processes write, and the room changes
            if one["name"] == "room":
                one["says"] = one["facts"] = None
    assert ours == told
    assert found.sound
    assert not found.marked(Mark.PROBLEM)
    assert "nothing to mend" in repr(found)
    assert "<table" in found._repr_html_()


def test_a_socket_that_says_nothing_ends_in_time(
    typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that takes the connection and never answers."""
    monkeypatch.setattr("cimis.health.service._FAR_S", 2.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        line = lines(typed, "--base-url", f"http://127.0.0.1:{silent.getsockname()[1]}")[
            "service", "answer"
        ]
    assert line["facts"]["kind"] == "no answer"
