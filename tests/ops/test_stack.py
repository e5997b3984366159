"""The stack of containers: its files agree with each other and with the program."""

from __future__ import annotations

import json
import re
import shlex
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import click
import pytest

from cimis.cli.app import COMMANDS, cli
from cimis.version import __version__

ROOT = Path(__file__).resolve().parents[2]
OPS = ROOT / "ops"
CONTAINERFILE = (OPS / "Containerfile").read_text("utf-8")
NIGHTLY = OPS / "nightly.sh"
yaml: Any = pytest.importorskip("yaml", reason="PyYAML is absent; moto[server] brings it")


def read(name: str) -> Any:
    return yaml.safe_load((OPS / name).read_text("utf-8"))


def services() -> dict[str, Any]:
    return dict(read("compose.yaml")["services"])


def default(text: str) -> str:
    """Return a value of the compose file as it is without ops/.env."""
    return re.sub(r"\$\{\w+:-(.*?)\}", r"\1", text)


def instruction(name: str) -> str:
    """Return the last instruction of a kind of the Containerfile, continued lines joined."""
    joined = CONTAINERFILE.replace("\\\n", " ")
    lines: list[str] = re.findall(rf"^{name} (.*)$", joined, re.MULTILINE)
    return lines[-1].strip()


def mounted(service: str) -> dict[str, Path]:
    """Return a service's mounted files, by their place in the container."""
    pairs = [volume.split(":")[:2] for volume in services()[service]["volumes"]]
    return {inside: OPS / outside for outside, inside in pairs if outside.startswith("./")}


def test_every_mounted_file_is_there() -> None:
    files = [path for name in ("prometheus", "grafana") for path in mounted(name).values()]
    assert len(files) == 5
    assert [path for path in files if not path.is_file()] == []


def test_prometheus_finds_its_rules_where_they_are_mounted() -> None:
    (config,) = (
        word.partition("=")[2]
        for word in services()["prometheus"]["command"]
        if word.startswith("--config.file=")
    )
    files = mounted("prometheus")
    assert files[config] == OPS / "./prometheus.yml"
    rules = [str(Path(config).parent / name) for name in read("prometheus.yml")["rule_files"]]
    assert [files[rule] for rule in rules] == [OPS / "./alerts.yml"]


def test_prometheus_scrapes_the_port_that_is_served() -> None:
    """Host, port and network of the scrape are the metrics service's, and nobody publishes it."""
    (job,) = read("prometheus.yml")["scrape_configs"]
    (target,) = job["static_configs"][0]["targets"]
    host, _, port = target.partition(":")
    served = services()[host]
    words = json.loads(instruction("CMD"))
    assert words[words.index("--port") + 1] == instruction("EXPOSE") == port
    assert f"127.0.0.1:{port}/metrics" in instruction("HEALTHCHECK")
    assert "command" not in served
    assert "entrypoint" not in served
    assert "ports" not in served
    assert set(served["networks"]) & set(services()["prometheus"]["networks"])
    assert read("compose.yaml")["networks"][served["networks"][0]] == {"internal": True}


def test_grafana_finds_source_and_dashboard() -> None:
    """Address and interval of the data source are Prometheus', the folder is the one mounted."""
    (source,) = read("grafana/datasource.yaml")["datasources"]
    (published,) = services()["prometheus"]["ports"]
    assert source["url"] == f"http://prometheus:{published.rsplit(':', 1)[1]}"
    assert source["jsonData"]["timeInterval"] == read("prometheus.yml")["global"]["scrape_interval"]
    assert set(services()["grafana"]["networks"]) & set(services()["prometheus"]["networks"])
    (provider,) = read("grafana/dashboards.yaml")["providers"]
    files = mounted("grafana")
    (board,) = (place for place, path in files.items() if path == OPS / "./dashboard.json")
    assert str(Path(board).parent) == provider["options"]["path"]
    home = services()["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == board
    provisioned = {Path(place).parent.name for place in files if "/provisioning/" in place}
    assert provisioned == {"datasources", "dashboards"}
    variable = json.loads((OPS / "dashboard.json").read_text("utf-8"))["templating"]["list"][0]
    assert (variable["type"], variable["query"]) == ("datasource", source["type"])


def test_ports_of_the_machine_are_on_loopback_alone() -> None:
    ports = [port for service in services().values() for port in service.get("ports", [])]
    assert len(ports) == 2
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_key_is_a_secret_of_the_sync_alone() -> None:
    """It is named by its file, and stands in no variable, image or other service."""
    whole = read("compose.yaml")
    (secret,) = whole["secrets"]
    holders = [name for name, service in whole["services"].items() if service.get("secrets")]
    assert holders == ["sync"]
    variables = whole["services"]["sync"]["environment"]
    assert variables["CIMIS_APP_KEY_FILE"] == f"/run/secrets/{secret}"
    everything = "".join((OPS / name).read_text() for name in ("compose.yaml", ".env.example"))
    assert not re.search(r"CIMIS_APP_KEY\b(?!_FILE)", everything + CONTAINERFILE)
    ignored = (ROOT / ".gitignore").read_text("utf-8").splitlines()
    assert {"/ops/.env", "/ops/secrets/"} <= set(ignored)


def test_our_containers_may_do_little() -> None:
    for name in ("init", "sync", "metrics", "prometheus"):
        service = services()[name]
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", instruction("USER"))


def test_everything_comes_back_after_a_reboot() -> None:
    kept = {name for name, s in services().items() if s["restart"] == "unless-stopped"}
    assert kept == {"sync", "metrics", "prometheus", "grafana"}


def test_the_version_is_the_programs() -> None:
    assert f"ARG VERSION={__version__}\n" in CONTAINERFILE
    assert 'org.opencontainers.image.version="${VERSION}"' in instruction("LABEL")
    assert services()["sync"]["image"] == f"cimis:{__version__}"


def test_images_are_pinned() -> None:
    """By a dated tag or a whole version; never by one that moves."""
    base = re.search(r"^ARG BASE=(\S+)$", CONTAINERFILE, re.MULTILINE)
    assert base is not None
    assert re.search(r":\w+-\d{8}-slim$", base[1])
    for name in ("prometheus", "grafana"):
        assert re.search(r":v?\d+\.\d+\.\d+$", services()[name]["image"]), name


def test_the_store_lies_where_the_image_keeps_it() -> None:
    volume = instruction("VOLUME")
    for name in ("init", "sync", "metrics"):
        assert services()[name]["volumes"] == [f"store:{volume}"]
    assert f"CIMIS_DATA_DIR={volume}/data" in CONTAINERFILE
    assert f"--mode 0750 {volume}" in CONTAINERFILE


def test_the_sync_keeps_the_timers_hours() -> None:
    timer = (OPS / "cimis-sync.timer").read_text("utf-8")
    hours = re.findall(r"^OnCalendar=\*-\*-\* (\d\d:\d\d):00 UTC$", timer, re.MULTILINE)
    assert len(hours) == 3
    assert default(services()["sync"]["environment"]["CIMIS_SYNC_TIMES"]).split() == hours
    assert f"${{CIMIS_SYNC_TIMES:-{' '.join(hours)}}}" in NIGHTLY.read_text("utf-8")


def test_the_example_of_settings_says_what_holds() -> None:
    """Each setting is one that the compose file reads, with the default that it has there."""
    text = (OPS / "compose.yaml").read_text("utf-8")
    lines = re.findall(r"^#(\w+)=(.*)$", (OPS / ".env.example").read_text(), re.MULTILINE)
    shown = dict(lines)
    used = dict(re.findall(r"\$\{(\w+):-(.*?)\}", text))
    passed = set(re.findall(r"^      (CIMIS_\w+):$", text, re.MULTILINE))
    assert shown.keys() == used.keys() | passed
    assert {name: shown[name] for name in used} == used


def lines_of_units() -> list[str]:
    """Return every command line of cimis that ops/ starts, without the program's path."""
    units = "".join(path.read_text() for path in sorted(OPS.glob("*.service")))
    found = re.findall(r"^ExecStart=\S*/cimis (.*)$", units, re.MULTILINE)
    found.append(shlex.join(json.loads(instruction("CMD"))))
    found.append(shlex.join(services()["init"]["command"]))
    (nightly,) = re.findall(r'^ *run cimis (.*) "\$@"$', NIGHTLY.read_text(), re.MULTILINE)
    return [*found, f"{nightly} {default(services()['sync']['command'])}"]


def test_every_command_line_is_one_of_the_program() -> None:
    """Parsed by the real command, with all that it refuses; nothing is run."""
    lines = lines_of_units()
    assert len(lines) == 5
    for line in lines:
        name, *words = shlex.split(line)
        assert name in COMMANDS
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        command.make_context(name, words)


def test_the_image_holds_all_that_the_wheel_is_made_of() -> None:
    """Every folder of the wheel, and each file that its build reads, is copied and let through."""
    lines = re.findall(r"^COPY (?!--)(.*) \S+$", CONTAINERFILE, re.MULTILINE)
    copied = set(" ".join(lines).split())
    links = {path.name for path in (ROOT / "cimis").iterdir() if path.is_symlink()}
    assert links
    assert {
        "cimis",
        "pyproject.toml",
        "requirements.lock",
        "README.md",
        "LICENSE",
        *links,
    } <= copied
    let = (OPS / "Containerfile.dockerignore").read_text("utf-8").splitlines()
    assert {line[1:] for line in let if line.startswith("!")} == copied


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_the_images_check_of_health_tells() -> None:
    """It passes while metrics are served, and fails when nobody answers."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/metrics" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    words = json.loads(instruction("HEALTHCHECK").partition(" CMD ")[2])
    assert words[0].endswith("/bin/python")
    port = free_port()
    line = [sys.executable, *(word.replace("9812", str(port)) for word in words[1:])]
    assert subprocess.run(line, capture_output=True, timeout=60, check=False).returncode != 0
    with ThreadingHTTPServer(("127.0.0.1", port), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = subprocess.run(line, capture_output=True, timeout=60, check=False)
        server.shutdown()
    assert done.returncode == 0, done.stderr
