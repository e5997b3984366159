"""The systemd units: sound, what they start works from a wheel, and the runbook installs them."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cimis.pipeline.emulator import Emulator, GeneratedSource
from tests.installed import ROOT, Installed

OPS = ROOT / "ops"
UNITS = sorted(path.name for path in OPS.iterdir() if path.suffix in (".service", ".timer"))
RUNBOOK = (ROOT / "docs/runbook.md").read_text("utf-8")


def unit(name: str) -> configparser.ConfigParser:
    parsed = configparser.ConfigParser(strict=False, interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read(OPS / name, "utf-8")
    return parsed


def test_systemd_finds_the_units_right(installed: Installed, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is absent; Debian's package systemd brings it")
    for name in UNITS:
        text = (OPS / name).read_text("utf-8")
        here = text.replace("/usr/local/bin/cimis", str(installed.bin / "cimis"))
        (tmp_path / name.replace("@", "@x")).write_text(here)
    done = subprocess.run(
        [analyze, "verify", *(str(path) for path in tmp_path.iterdir())],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if "cimis" in line]
    assert done.returncode == 0, done.stderr
    assert ours == []


def test_what_the_unit_starts_works(installed: Installed, tmp_path: Path) -> None:
    """Its commands, as they stand but for the state directory, with its environment alone."""
    service = unit("cimis-sync.service")["Service"]
    text = (OPS / "cimis-sync.service").read_text("utf-8")
    name, _, value = service["Environment"].partition("=")
    lines = re.findall(r"^Exec\w+=/usr/local/bin/(cimis .*)$", text, re.MULTILINE)
    assert lines[0].startswith("cimis sync ")
    with Emulator(GeneratedSource()) as server:
        given = {"CIMIS_APP_KEY": server.app_key, "CIMIS_BASE_URL": server.base_url}
        given[name] = value.replace("/var/lib/cimis", str(tmp_path))
        first = "cimis fetch --stations 2 --last 20d"
        for line in (first, *lines):
            typed = line.replace("/var/lib/cimis", str(tmp_path))
            done = installed.shell(typed, tmp_path, **given)
            assert done.returncode == 0, f"{line}\n{done.stderr}"
    assert "cimis_requests_total" in (tmp_path / "cimis.prom").read_text()


def test_a_failure_starts_the_unit_that_tells_a_person() -> None:
    started = unit("cimis-sync.service")["Unit"]["OnFailure"]
    template = started.replace("%n", "")
    assert template in UNITS
    assert "| mail " in unit(template)["Service"]["ExecStart"]
    assert "SuccessExitStatus" in unit("cimis-sync.service")["Service"]


def test_the_runbook_installs_what_the_unit_names() -> None:
    """User, environment file, state directory, command and units each have their step."""
    service = unit("cimis-sync.service")["Service"]
    state = f"/var/lib/{service['StateDirectory']}"
    assert service["Environment"] == f"CIMIS_DATA_DIR={state}/data"
    for step in (
        rf"^useradd .*--home-dir {state} .* {service['User']}$",
        rf"^install -d -o {service['User']} .*{state}$",
        rf"^install -m 0600 /dev/null {service['EnvironmentFile']}$",
        rf"^ln -s \S+ {service['ExecStart'].split()[0]}$",
        rf"^runuser -u {service['User']} -- cimis init {state}/data$",
        r"^systemctl enable --now cimis-sync\.timer$",
    ):
        assert re.search(step, RUNBOOK, re.MULTILINE), step
    (copied,) = re.findall(r"^install -m 0644 (.*) /etc/systemd/system/$", RUNBOOK, re.MULTILINE)
    assert sorted(copied.split()) == [f"ops/{name}" for name in UNITS]
