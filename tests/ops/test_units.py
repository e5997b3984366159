"""The systemd units: sound, bounded, what they start works from a wheel, a page installs them."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cimis.cli.failure import TERMINATED
from cimis.pipeline.emulator import Emulator, GeneratedSource
from tests.installed import ROOT, Installed

OPS = ROOT / "ops"
UNITS = sorted(path.name for path in OPS.iterdir() if path.suffix in (".service", ".timer"))
PAGE = (ROOT / "docs/operations.md").read_text("utf-8")


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


def test_the_units_may_do_little() -> None:
    """By systemd's own measure, 0 to 10: at most 2 for those that run cimis."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is absent; Debian's package systemd brings it")
    for name in ("cimis-sync.service", "cimis-metrics.service"):
        done = subprocess.run(
            [
                analyze,
                "security",
                "--offline=true",
                "--threshold=20",
                "--no-pager",
                str(OPS / name),
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if "unrecognized option" in done.stderr:
            pytest.skip("this systemd is too old to judge units that are not installed")
        assert done.returncode == 0, done.stdout


def variables(name: str) -> dict[str, str]:
    """Return the environment that a unit gives, all of its lines."""
    text = (OPS / name).read_text("utf-8")
    return dict(re.findall(r"^Environment=(\w+)=(.*)$", text, re.MULTILINE))


def test_what_the_unit_starts_works(installed: Installed, tmp_path: Path) -> None:
    """Its commands, as they stand but for state and key, with its environment alone."""
    text = (OPS / "cimis-sync.service").read_text("utf-8")
    given = variables("cimis-sync.service")
    lines = re.findall(r"^Exec\w+=/usr/local/bin/(cimis .*)$", text, re.MULTILINE)
    assert lines[0].startswith("cimis sync ")
    with Emulator(GeneratedSource()) as server:
        (tmp_path / "app-key").write_text(f"{server.app_key}\n")
        given = {
            name: value.replace("/var/lib/cimis", str(tmp_path)).replace(
                "/etc/cimis", str(tmp_path)
            )
            for name, value in given.items()
        } | {"CIMIS_BASE_URL": server.base_url}
        first = "cimis sync --stations 2 --since 2026-11-01"
        for line in ("cimis init", first, *lines):
            typed = line.replace("/var/lib/cimis", str(tmp_path))
            done = installed.shell(typed, tmp_path, **given)
            assert done.returncode == 0, f"{line}\n{done.stderr}"
    assert "cimis_requests_total" in (tmp_path / "cimis.prom").read_text()


def test_the_metrics_are_served_where_they_are_scraped() -> None:
    """On the port of ops/prometheus.yml, to this machine alone, from the store that sync keeps."""
    service = unit("cimis-metrics.service")["Service"]
    scrape = (OPS / "prometheus.yml").read_text("utf-8")
    (port,) = re.findall(r'targets: \["metrics:(\d+)"\]', scrape)
    assert service["ExecStart"].endswith(f" serve-metrics --host 127.0.0.1 --port {port}")
    assert service["SuccessExitStatus"] == str(TERMINATED)
    stored = "CIMIS_DATA_DIR"
    assert variables("cimis-metrics.service") == {
        stored: variables("cimis-sync.service")[stored]
    }, "and no key"


def test_a_failure_starts_the_unit_that_tells_a_person() -> None:
    started = unit("cimis-sync.service")["Unit"]["OnFailure"]
    template = started.replace("%n", "")
    assert template in UNITS
    assert "| mail " in unit(template)["Service"]["ExecStart"]
    assert "SuccessExitStatus" in unit("cimis-sync.service")["Service"]


def test_the_page_installs_what_the_units_name() -> None:
    """User, key, state, command and units each have their step; removal takes all away."""
    service = unit("cimis-sync.service")["Service"]
    state = f"/var/lib/{service['StateDirectory']}"
    given = variables("cimis-sync.service")
    assert given["CIMIS_DATA_DIR"] == f"{state}/data"
    key, command = given["CIMIS_APP_KEY_FILE"], service["ExecStart"].split()[0]
    for step in (
        rf"^useradd .*--home-dir {state} .* {service['User']}$",
        rf"^install -d -o {service['User']} .*{state}$",
        rf"^install -m 0640 -g {service['Group']} /dev/null {key}$",
        rf"^ln -s \S+ {command}$",
        rf"^systemd-run --pipe --uid={service['User']} cimis init {state}/data$",
        r"^systemctl enable --now cimis-sync\.timer cimis-metrics\.service$",
        rf"^userdel {service['User']}$",
        rf"^rm -r {state}$",
    ):
        assert re.search(step, PAGE, re.MULTILINE), step
    copies = re.findall(r"^install -m 0644 (.*) /etc/systemd/system/$", PAGE, re.MULTILINE)
    assert len(copies) == 2, "at the installation and at an upgrade"
    assert [sorted(copied.split()) for copied in copies] == [[f"ops/{name}" for name in UNITS]] * 2
    (removed,) = re.findall(r"^rm -r (/etc/systemd.*)$", PAGE, re.MULTILINE)
    units = {f"/etc/systemd/system/{name}" for name in UNITS}
    (folder,) = re.findall(r"^python3 -m venv (\S+)$", PAGE, re.MULTILINE)
    assert set(removed.split()) == {*units, str(Path(key).parent), command, folder}
