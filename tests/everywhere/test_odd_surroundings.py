"""Every command in odd surroundings: poor terminals, odd paths, nowhere to write, nobody at home.

A table says with which words each command is tried; one that is not in it is tried with ``--help``.
"""

from __future__ import annotations

import io
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from cimis.cli.app import COMMANDS
from cimis.cli.main import run
from cimis.pipeline.emulator import Emulator, GeneratedSource
from tests.modules import ROOT

ODD = "o'brien's \"data\" ñ 数据 %41;--x"
"""A folder's name with what SQL, URLs, shells and narrow encodings stumble over."""
DAYS = ("--start", "2024-01-01", "--end", "2024-01-10")
STATION = ("--stations", "2", *DAYS)
FETCH = ("--stations", "2", "--start", "2024-01-01", "--end", "2024-01-12")
WORDS: dict[str, tuple[str, ...]] = {
    "init": ("--data-dir", "new"),
    "sync": ("--stations", "2", "--since", "2024-01-01", "--dry-run"),
    "import": ("dailyStns2016.zip",),
    "ingest": ("--stations", "2", "--help"),
    "fetch": FETCH,
    "query": STATION,
    "sql": ('select station, date, asce_eto as "ñ·×" from daily order by all limit 3',),
    "gaps": STATION,
    "plot": STATION,
    "eto": STATION,
    "qc": STATION,
    "fill": (*STATION, "--items", "air_tmp_avg"),
    "degree-days": (*STATION, "--low", "50F"),
    "chill": STATION,
    "normals": ("--stations", "2", "--items", "precip", "--allow-empty"),
    "crop-et": ("--landscape", "2500,0.5", *STATION, "--total-from", "2024-01-01"),
    "report": (*STATION, "--output", "out/r.html"),
    "export": ("out/lake",),
    "publish": ("out/share",),
    "doctor": ("--offline",),
    "profile": ("stats",),
    "export-model": ("--format", "dssat", *STATION),
    "migrate": ("--format", "v1", "--dry-run"),
    "inspect": (f"{ODD}/stations/002/2024_daily.zst",),
    "completion": ("bash",),
    "cache": ("stats",),
    **dict.fromkeys(("stats", "verify", "compact", "stations", "zip-codes"), ()),
    **dict.fromkeys(("items", "flags", "config", "version"), ()),
}
SILENT = {"init", "fetch", "report", "verify", "migrate"}
"""Commands that print nothing on standard output with these words."""


def words_of(name: str) -> tuple[str, ...]:
    return (name, *WORDS.get(name, ("--help",)))


@pytest.fixture(scope="module")
def service() -> Iterator[Emulator]:
    with Emulator(GeneratedSource()) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory, service: Emulator) -> Path:
    """A folder with a store of an odd name, the network's list and an archive's file."""
    desk = tmp_path_factory.mktemp("desk")
    place = ("--data-dir", str(desk / ODD), "--base-url", service.base_url)
    key = ("--app-key", service.app_key)
    assert run(["fetch", *STATION, *place, *key]) == 0
    assert run(["fetch", *STATION, "--hourly", *place, *key]) == 0
    assert run(["stations", "--refresh", *place, *key]) == 0
    with zipfile.ZipFile(desk / "dailyStns2016.zip", "w") as archive:
        archive.writestr("daily002.csv", "2,1/1/2016,1" + ",1.0, " * 14 + "\n")
    (desk / "out").mkdir()
    return desk


@pytest.fixture
def desk(stored: Path, service: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it as the working directory, which the environment names."""
    here = tmp_path / "desk"
    shutil.copytree(stored, here)
    monkeypatch.chdir(here)
    monkeypatch.setenv("CIMIS_DATA_DIR", ODD)
    monkeypatch.setenv("CIMIS_BASE_URL", service.base_url)
    monkeypatch.setenv("CIMIS_APP_KEY", service.app_key)
    return here


class Screen(io.TextIOWrapper):
    """A stream that may say that it is a terminal; what it shows is kept as bytes."""

    def __init__(self, encoding: str, *, terminal: bool) -> None:
        self.kept = io.BytesIO()
        self.terminal = terminal
        super().__init__(self.kept, encoding=encoding, write_through=True)

    def isatty(self) -> bool:
        return self.terminal


class Seen(NamedTuple):
    """What a command left behind."""

    code: int
    out: bytes
    err: bytes


def seen(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, encoding: str, *, terminal: bool
) -> Seen:
    """Run a command with streams of its own."""
    out, err = (Screen(encoding, terminal=terminal) for _ in range(2))
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", out)
        patched.setattr(sys, "stderr", err)
        code = run(words)
    return Seen(code, out.kept.getvalue(), err.kept.getvalue())


def _checked(got: Seen) -> None:
    said = got.err.decode(errors="replace")
    assert "Traceback" not in said
    assert "bug in cimis" not in said
    assert got.code == 0, said


@pytest.mark.parametrize("name", COMMANDS)
def test_on_a_terminal_that_shows_ascii_only_in_20_columns_without_home_or_temporary_folder(
    name: str, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user whom the system does not know, a terminal that can do nothing: all is plain ASCII."""

    def unknown(_number: int) -> pwd.struct_passwd:
        raise KeyError

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("CIMIS_CONFIG", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.setattr(tempfile, "tempdir", str(desk / "absent"))
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "20")
    got = seen(words_of(name), monkeypatch, "ascii", terminal=True)
    _checked(got)
    assert (got.out + got.err).isascii()
    assert b"\x1b[" not in got.out + got.err


@pytest.mark.parametrize("name", COMMANDS)
def test_in_a_pipe_whatever_the_locale_it_is_utf8(
    name: str, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows, where a pipe would be in an old code page; paths and columns stay whole."""
    got = seen(words_of(name), monkeypatch, "cp1252", terminal=False)
    _checked(got)
    assert not any(sign in "\ufffd?" for sign in got.err.decode("utf-8"))
    got.out.decode("utf-8")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device is always full here")
@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in SILENT])
def test_what_cannot_be_printed_is_an_error(
    name: str, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Standard output on a full disk: one error, and the exit code of a store's."""
    said = Screen("utf-8", terminal=False)
    with monkeypatch.context() as patched:
        full = Path("/dev/full").open("w", encoding="utf-8")  # noqa: SIM115 - closing it fails
        patched.setattr(sys, "stdout", full)
        patched.setattr(sys, "stderr", said)
        code = run(words_of(name))
    with suppress(OSError):
        full.close()
    text = said.kept.getvalue().decode("utf-8")
    assert "Traceback" not in text
    assert "bug in cimis" not in text
    assert code == 7, text
    assert text.count("error: ") == 1


READING = ("stats", "verify", "stations", "items", "flags", "config", "version", "gaps", "query")
WRITING = ("fetch", "init", "report", "compact")
IN_ONE_PROCESS = """
import json, sys
from cimis.cli.main import run
codes = {words[0]: run(words) for words in json.loads(sys.argv[1])}
sys.stdout.flush()
sys.stderr.write("\\n" + json.dumps(codes))
"""


def _bound_by_rights() -> list[str]:
    """Return the words before a command that bind root, too, by the rights of files."""
    if os.geteuid() != 0:
        return []
    words = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    if shutil.which("setpriv") is None or subprocess.run([*words, "true"], check=False).returncode:
        pytest.skip("root cannot be bound by the rights of files here")
    return words


def test_where_nothing_may_be_written_questions_are_answered(
    stored: Path, service: Emulator, tmp_path: Path
) -> None:
    """Home, data, working and temporary folder read-only, in the locale C without UTF-8."""
    bound = _bound_by_rights()
    here = tmp_path / "desk"
    shutil.copytree(stored, here)
    (here / ODD).rename(here / "data")
    shutil.rmtree(here / "data/.cache", ignore_errors=True)
    for path in (here, *here.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    names = (*READING, "sql", *WRITING)
    done = subprocess.run(
        [
            *(*bound, sys.executable, "-B", "-c", IN_ONE_PROCESS),
            json.dumps([words_of(name) for name in names]),
        ],
        cwd=here,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "TERM": "dumb",
            "LC_ALL": "C",
            "PYTHONUTF8": "0",
            "PYTHONCOERCECLOCALE": "0",
            "HOME": str(here),
            "TMPDIR": str(here),
            "CIMIS_DATA_DIR": str(here / "data"),
            "CIMIS_BASE_URL": service.base_url,
            "CIMIS_APP_KEY": service.app_key,
        },
        capture_output=True,
        timeout=120,
        check=False,
    )
    for path in (here, *here.rglob("*")):
        path.chmod(0o755)
    err = done.stderr.decode("utf-8")
    assert done.returncode == 0, err
    assert "Traceback" not in err
    assert "bug in cimis" not in err
    codes = json.loads(err.rpartition("\n")[2])
    assert [name for name in (*READING, "sql") if codes[name] != 0] == [], err
    assert {codes[name] for name in WRITING} <= {2, 4, 7}, err
    assert err.count("error: ") == len(WRITING)
