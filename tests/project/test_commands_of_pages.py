"""Every command and example of README and ``docs/`` works as written, from an installed wheel.

Where a page shows what one prints, that is what it prints (``pages.alike`` says what may differ).

Each page is walked in a folder of its own that is no checkout, against the embedded server, with
the files at hand that it names.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from cimis.cli.app import ALIASES, COMMANDS
from cimis.pipeline.emulator import Emulator, GeneratedSource
from tests.emulator.test_replayed_answers import _saved
from tests.installed import ROOT, Installed
from tests.project.pages import WIDTH, Shown, alike, code, code_blocks, shown
from tests.verify.test_adopt import chunk, older_metadata

PAGES = [
    "README.md",
    *sorted(
        path.relative_to(ROOT).as_posix()
        for path in ROOT.glob("docs/**/*.md")
        if path.parent.name != "tutorials"  # which a test of their own follows, word by word
    ),
]
NOT_RUN = {
    r"pip install|/usr/local/lib/cimis/bin/pip": "needs a registry; this test installs the wheel",
    r"just |pytest |promtool ": "is for a checkout of the source, whose own tests run it",
    r"export CIMIS_APP_KEY=\.\.\.": "stands for one's own key",
    r"scripts/": "run from the same wheel by tests/scripts",
    r"python3 -m venv /usr|ln -s /usr|user(add|del) |install -|cat >|apt|rm -r|sed": "needs root",
    r"systemctl |systemd-run |journalctl ": "needs root and systemd",
    r"docker |cp ops/": "needs a container engine; tests/ops checks what it reads",
    r"[0-9*,]+ [0-9*,]+ \* \* [0-9*] ": "is a line of a crontab",
    r"cimis init --data-dir /srv": "writes where only root may",
    r"cimis .*(s3://|URL)": "names a bucket; tests/published asks one",
    r"cimis fetch --stations all --year 2020-2024": "takes minutes; tests/soak does it",
}
"""Beginnings of commands that cannot be run here, and why."""
NAMES_ONLY = {
    *("fetch", "fetch-streaming", "ingest", "import", "query", "sql", "eto", "migrate", "inspect"),
    *("cache", "completion", "crop-et", "export", "export-model", "profile", "publish", "pull"),
    "report",
}
"""Commands that say nothing without a word more: alone, in a sentence, they are names."""
LONG = ("docs/agronomy.md", "docs/pages.md", "docs/v1.md")
"""Pages whose commands the examples of help and the tutorials have too; a long run has them all."""
SERVERS = r"cimis (emulator|serve-metrics)\b"
ONE_SERVER = Path(tempfile.gettempdir(), "cimis-servers-of-pages.lock")
"""Held while a server of a page runs: pages name the same port, and are tested at once."""


@pytest.fixture(scope="module")
def service() -> Iterator[Emulator]:
    with Emulator(GeneratedSource()) as running:
        yield running


@pytest.fixture(scope="module")
def filled(
    installed: Installed, service: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder of a small store, with which the pages begin."""
    folder = tmp_path_factory.mktemp("filled")
    (folder / "home").mkdir()
    year = "cimis fetch --stations 2,5-7,80 --year 2024"
    hours = "cimis fetch --stations 80 --start 2024-07 --end 2024-07 --scope hourly"
    for line in (year, hours, "cimis stations --refresh"):
        done = installed.shell(line, folder, **place(service))
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A user's folder, with the files that pages name."""
    folder = tmp_path / "desk"
    (folder / "archives").mkdir(parents=True)
    for name in ("dailyStns2016.zip", "dailyStns2018.zip", "archives/dailyStns2017.zip"):
        with zipfile.ZipFile(folder / name, "w") as archive:
            day = f"1/1/{name[-8:-4]}"
            archive.writestr("daily002.csv", f"2,{day},1" + ",1.0, " * 14 + "\n")
    head, row = "Stn Id,Stn Name,Date,Hour (PST),Air Temp (C),qc", "6,Davis,1/1/2019,0100,5.1, "
    (folder / "hourly_report.csv").write_text(f"{head}\r\n{row}\r\n")
    chunk(folder / "archive" / "002_2018_daily.zst", 2, 2018)
    older_metadata(folder / "archive")
    (folder / "crops.toml").write_text((ROOT / "docs/crops.example.toml").read_text())
    (folder / "question.sql").write_text("select count(*) as days from daily")
    (folder / "saved-responses").mkdir()
    (folder / "home").mkdir()
    _saved(folder / "saved-responses")
    for part in code_blocks(ROOT / "docs/emulator.md", "toml"):
        (folder / "faults.toml").write_text(part)
    return folder


def stored(filled: Path, folder: Path) -> None:
    """Put a copy of the small store into ``data`` and ``DIR``."""
    for name in ("data", "DIR"):
        shutil.copytree(filled / "data", folder / name)


def place(service: Emulator) -> dict[str, str]:
    return {"CIMIS_BASE_URL": service.base_url, "CIMIS_APP_KEY": service.app_key}


def why_not(line: str) -> str | None:
    """Return why a command is not run here, None where it is."""
    return next((why for start, why in NOT_RUN.items() if re.match(start, line)), None)


def name_only(line: str) -> bool:
    words = line.split()
    return len(words) == 2 and words[0] == "cimis" and words[1] in NAMES_ONLY


def to_run(page: str) -> list[Shown]:
    """Return the commands of a page that are run; one that a sentence repeats is run once.

    Examples of the help, of which docs/cli.md is made, are run by tests/cli/test_keeping_commands.
    """
    commands: list[Shown] = []
    for command in shown(ROOT / page):
        if page == "docs/cli.md" and command.example:
            continue
        if why_not(command.line) is not None or name_only(command.line):
            continue
        if command.alone or command.line not in {one.line for one in commands}:
            commands.append(command)
    return commands


def serve(installed: Installed, line: str, folder: Path, service: Emulator) -> str | None:
    """Start a server as typed, wait until it serves, and stop it; return what was wrong."""
    with (
        FileLock(ONE_SERVER),
        subprocess.Popen(
            ["bash", "-c", f"exec {line}"],
            cwd=folder,
            env=installed.variables(folder, **place(service)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stderr is not None
        said = process.stderr.readline()
        if "serving" in said:
            process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=60)[1]
    return None if "serving" in said and process.returncode == 0 else said + rest


def fault(
    installed: Installed, line: str, prints: str | None, desk: Path, service: Emulator
) -> str | None:
    """Run a line; return what was wrong, None where nothing was."""
    if re.match(SERVERS, line):
        return serve(installed, line, desk, service)
    if prints is None:
        done = installed.shell(line, desk, **place(service))
        return None if done.returncode == 0 else f"exit {done.returncode}: {done.stderr}"
    code, printed = installed.terminal(line, desk, WIDTH, **place(service))
    if code != 0:
        return f"exit {code}: {printed}"
    return None if alike(prints, printed) else f"prints\n{printed}\nand not\n{prints}"


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=[pytest.mark.slow] * (page in LONG)) for page in PAGES]
)
def test_every_command_of_a_page_works(
    page: str, installed: Installed, service: Emulator, filled: Path, desk: Path
) -> None:
    """As written and in order; the number of failures is 0."""
    todo = to_run(page)
    blocks = code(ROOT / page, "python") if page != "docs/architecture.md" else []
    if (todo or blocks) and page != "README.md":  # which makes its own
        stored(filled, desk)
    failed = []
    for command in todo:
        wrong = fault(installed, command.line, command.prints, desk, service)
        if wrong is not None:
            failed.append(f"{command.line}\n    {wrong}")
    for block in blocks:
        (desk / "shown.py").write_text(block.text)
        done = installed.shell("python -P -W error shown.py", desk, **place(service))
        if done.returncode != 0 or done.stderr:
            failed.append(f"{block.text}\n    {done.stderr}")
        elif block.prints is not None and not alike(block.prints, done.stdout):
            failed.append(f"{block.text}\n    prints\n{done.stdout}\nand not\n{block.prints}")
    told = "\n".join(failed)
    assert not failed, f"{len(failed)} of {len(todo)} commands of {page} fail:\n{told}"


def test_most_commands_are_run_and_the_rest_have_a_reason() -> None:
    """The pages show over a hundred commands; no reason is left over from a page that changed."""
    lines = [command.line for page in PAGES for command in shown(ROOT / page)]
    assert sum(len(to_run(page)) for page in PAGES) > 170
    assert {why_not(line) for line in lines} - {None} == set(NOT_RUN.values())
    named = {line.split()[1] for line in lines if line.startswith("cimis ")}
    assert named - {"--version", "--help"} <= {*COMMANDS, *ALIASES}


def test_nothing_of_the_checkout_is_used(installed: Installed, tmp_path: Path) -> None:
    places = "import cimis, cimis.queries; print(cimis.__file__, cimis.queries.__file__)"
    done = installed.shell(f'python -P -c "{places}"', tmp_path)
    assert str(installed.bin.parent) in done.stdout
    assert str(ROOT) + os.sep not in done.stdout
