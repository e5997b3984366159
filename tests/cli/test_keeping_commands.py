"""What ``init``, ``verify``, ``config``, ``emulator`` and ``demo`` do."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from cimis.cli.app import COMMANDS, cli
from cimis.cli.commands.demo import STEPS
from cimis.cli.options import Command
from cimis.pipeline.chunks import read_chunk
from cimis.pipeline.emulator import Emulator, GeneratedSource
from tests.verify.test_adopt import chunk

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

ROOT = Path(__file__).resolve().parents[2]
SPAN = ("--start", "2024-01-01", "--end", "2024-01-10")


@pytest.fixture(scope="module")
def service() -> Iterator[Emulator]:
    with Emulator(GeneratedSource()) as emulator:
        yield emulator


@pytest.fixture
def root(service: Emulator, tmp_path: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory with ten days of two stations, which the environment names."""
    monkeypatch.setenv("CIMIS_BASE_URL", service.base_url)
    monkeypatch.setenv("CIMIS_APP_KEY", service.app_key)
    monkeypatch.setenv("CIMIS_DATA_DIR", str(tmp_path / "d"))
    assert typed("fetch", "--stations", "2,5", *SPAN).code == 0
    return tmp_path / "d"


def test_init_makes_a_directory_and_may_be_repeated(typed: Typed, tmp_path: Path) -> None:
    """``init`` makes what is missing and leaves the rest."""
    for _ in range(2):
        answer = typed("init", tmp_path / "a/b", "--json")
        assert (answer.code, json.loads(answer.out)) == (0, {"data_dir": str(tmp_path / "a/b")})
    assert typed("stats", "--data-dir", tmp_path / "a/b").code == 0
    assert typed("init", tmp_path / "a", "--data-dir", tmp_path / "b").code == 2


def test_verify_of_a_sound_store(typed: Typed, root: Path) -> None:
    """A sound store says so, and --json tells how much was checked."""
    assert typed("verify").out == ""
    facts = json.loads(typed("verify", "--json").out)
    assert facts | {"bytes": 0} == {
        "sound": True,
        "chunks": 2,
        "rows": 20,
        "bytes": 0,
        "findings": [],
        "warnings": [],
    }


def test_verify_lists_every_fault_and_repair_mends_them(typed: Typed, root: Path) -> None:
    """Damaged, lost and unlisted chunks are all named; repair quarantines, a fetch brings back."""
    assert typed("fetch", "--stations", "6,7", *SPAN).code == 0
    chunks = {n: root / f"stations/{n:03}/2024_daily.zst" for n in (2, 5, 6, 7)}
    sound = chunks[2].read_bytes()
    chunks[2].write_bytes(sound[:-7])
    chunks[5].unlink()
    typed("sql", "--unsafe", "select 1")
    stray = root / "stations/008/2024_daily.zst"
    stray.parent.mkdir()
    stray.write_bytes(chunks[6].read_bytes())
    (root / "stations/009").mkdir()
    code, out, err = typed("verify")
    assert code == 8
    assert [line.split(":")[0] for line in out.splitlines()] == [
        "stations/002/2024_daily.zst",
        "stations/008/2024_daily.zst",
        "stations/005/2024_daily.zst",
    ]
    assert "error: 3 of " in err
    code, out, err = typed("verify", "--repair")
    assert (code, len(out.splitlines())) == (0, 3)
    assert "3 faults repaired" in err
    quarantined = [p for p in (root / "quarantine").rglob("*") if p.is_file()]
    assert sorted(p.read_bytes() for p in quarantined) == sorted(
        [sound[:-7], chunks[6].read_bytes()]
    )
    assert typed("verify").out == ""
    assert typed("fetch", "--stations", "2,5-7", *SPAN).code == 0
    assert chunks[2].read_bytes() == sound
    assert read_chunk(chunks[5]).num_rows == 10


@pytest.mark.parametrize("how", ["lost", "garbage", "flipped"])
def test_a_catalog_can_be_rebuilt_from_the_chunks(how: str, typed: Typed, root: Path) -> None:
    """The chunks are the truth: without a usable catalog, repair makes a new one from them."""
    before = typed("query", "--format", "csv").out
    catalog = root / "metadata.sqlite3"
    for other in root.glob("metadata.sqlite3-*"):
        other.unlink()
    if how == "lost":
        catalog.unlink()
    elif how == "garbage":
        catalog.write_bytes(b"not a database" * 100)
    else:
        data = bytearray(catalog.read_bytes())
        data[4096 : 4096 + 64] = bytes(64)
        catalog.write_bytes(data)
    code, out, _ = typed("verify")
    assert code == 8
    assert out.startswith("metadata.sqlite3: ")
    assert typed("verify", "--repair").code == 0
    assert typed("verify").code == 0
    assert typed("query", "--format", "csv").out == before


def test_config_shows_each_setting_with_its_source(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Option before environment before file before default, and never the key."""
    file = tmp_path / "config.toml"
    file.write_text('app_key = "file-key-123456"\ndata_dir = "/from/file"\n')
    monkeypatch.setenv("CIMIS_CONFIG", str(file))
    monkeypatch.setenv("CIMIS_DATA_DIR", "/from/environment")
    given = typed("config", "--base-url", "http://127.0.0.1:1", "--json")
    settings = {s["setting"]: (s["value"], s["source"]) for s in json.loads(given.out)}
    assert settings["base_url"] == ("http://127.0.0.1:1", "argument")
    assert settings["data_dir"] == ("/from/environment", "environment CIMIS_DATA_DIR")
    assert settings["app_key"] == ("****", f"file {file}")
    assert settings["cache"][1] == "not set"
    assert "file-key" not in given.out + given.err
    file.write_text('colour = "red"\n')
    assert typed("config").code == 2


def test_the_emulator_serves_until_interrupted(typed: Typed, tmp_path: Path) -> None:
    """``emulator`` says where it is and with which key, and ends well on Ctrl-C."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cimis", "emulator", "--port", "0", "--latency", "5ms", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        service = ("--base-url", facts["base_url"], "--app-key", facts["app_key"])
        answer = typed("fetch", "--data-dir", tmp_path, "--stations", "2", *SPAN, *service)
        assert answer.code == 0, answer.err
    finally:
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "stopped" in err
    assert "Traceback" not in err
    assert typed("emulator", "--replay", tmp_path / "absent").code == 2


def test_the_demo_runs_each_step_that_it_shows(tmp_path: Path) -> None:
    """Every step is printed as typed, succeeds, and leaves its data where it was told to."""
    done = subprocess.run(
        [sys.executable, "-m", "cimis", "demo", "--data-dir", str(tmp_path / "d")],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    typed = [
        shlex.split(line)[1:]
        for line in re.findall(r"^  (\$ cimis .*)$", done.stderr, re.MULTILINE)
    ]
    assert [words[1:] for words in typed] == [list(arguments) for _, arguments in STEPS]
    assert {words[1] for words in typed} == {*("init", "fetch", "stats", "verify", "query", "sql")}
    assert "2,366," in done.stdout
    assert (tmp_path / "d/stations/080/2024_hourly.zst").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["d"]


def _make_archives(folder: Path) -> None:
    """Put the archives that examples name into a folder, a day or an hour in each."""
    (folder / "archives").mkdir()
    for name in ("dailyStns2016.zip", "dailyStns2018.zip", "archives/dailyStns2017.zip"):
        with zipfile.ZipFile(folder / name, "w") as archive:
            day = f"1/1/{name[-8:-4]}"
            archive.writestr("daily002.csv", f"2,{day},1" + ",1.0, " * 14 + "\n")
    head, row = "Stn Id,Stn Name,Date,Hour (PST),Air Temp (C),qc", "6,Davis,1/1/2019,0100,5.1, "
    chunk(folder / "archive" / "002_2018_daily.zst", 2, 2018)
    (folder / "hourly_report.csv").write_text(f"{head}\r\n{row}\r\n")


def test_the_examples_in_the_help_work(
    service: Emulator, typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every example of every command succeeds as it stands, in the order of the commands."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CIMIS_BASE_URL", service.base_url)
    monkeypatch.setenv("CIMIS_APP_KEY", service.app_key)
    (tmp_path / "question.sql").write_text("select count(*) as days from daily")
    example = Path(__file__).parents[2] / "docs/crops.example.toml"
    (tmp_path / "crops.toml").write_text(example.read_text())
    _make_archives(tmp_path)
    first = [
        "cimis init",
        "cimis fetch --stations 2,5-7,80 --year 2024",
        "cimis fetch --stations 80 --start 2024-07 --end 2024-07 --scope hourly",
        "cimis stations --refresh",
    ]
    commands = [cli.get_command(click.Context(cli), name) for name in COMMANDS]
    examples = [e for c in commands if isinstance(c, Command) for e in c.examples]
    # servers run until stopped, demos have a test of their own, other folders are not ours
    servers = ("cimis demo", "cimis emulator", "cimis serve-metrics")
    elsewhere = (*servers, "/srv/cimis", "--stations all", "~/")
    chosen = [e for e in examples if not any(part in e for part in elsewhere)]
    assert len(chosen) > 20
    for line in [*first, *chosen]:
        words, piped = line, re.fullmatch(r"echo '(.*)' \| (cimis .*)", line)
        if piped:
            monkeypatch.setattr("sys.stdin", io.StringIO(piped[1]))
            words = piped[2]
        answer = typed(*shlex.split(words)[1:])
        assert answer.code == 0, f"{line}\n{answer.err}"
