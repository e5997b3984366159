"""Alert rules and dashboard: they hold what they promise, and name only what is exported."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cimis.pipeline.care.metrics import COUNTERS, GAUGES, HISTOGRAMS

ROOT = Path(__file__).resolve().parents[2]
OPS = ROOT / "ops"
SAMPLES = {
    *COUNTERS,
    *GAUGES,
    *(f"{name}_{part}" for name in HISTOGRAMS for part in ("bucket", "sum", "count")),
}


@pytest.mark.parametrize(
    "words", [("check", "rules", "alerts.yml"), ("test", "rules", "alerts_test.yml")]
)
def test_promtool_finds_the_rules_right(words: tuple[str, ...]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is absent; Debian's package prometheus brings it")
    done = subprocess.run(
        [promtool, *words], cwd=OPS, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout


@pytest.mark.parametrize("name", ["alerts.yml", "alerts_test.yml", "dashboard.json"])
def test_only_exported_metrics_are_named(name: str) -> None:
    named = set(re.findall(r"\bcimis_[a-z_]+", (OPS / name).read_text("utf-8")))
    assert named
    assert named <= SAMPLES


def test_every_rule_is_played_through() -> None:
    """Each alert has a case in which it fires and one in which it does not."""
    rules = set(re.findall(r"alert: (\w+)", (OPS / "alerts.yml").read_text("utf-8")))
    cases = re.findall(
        r"alertname: (\w+)\s+eval_time: \w+\s+exp_alerts:( \[\])?",
        (OPS / "alerts_test.yml").read_text("utf-8"),
    )
    assert {name for name, none in cases if none} == rules
    assert {name for name, none in cases if not none} == rules


def test_the_dashboard_has_a_question_in_every_panel() -> None:
    board = json.loads((OPS / "dashboard.json").read_text("utf-8"))
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"]) > 10
    assert all(target["expr"] for panel in board["panels"] for target in panel["targets"])


def test_the_page_lists_every_metric_with_its_type_and_labels() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text("utf-8")
    rows = re.findall(r"^\| `(cimis_\w+)` \| (\w+) \|([^|]*)\|", page, flags=re.MULTILINE)
    kinds = {"counter": COUNTERS, "gauge": GAUGES, "histogram": HISTOGRAMS}
    due = {
        (name, kind, ", ".join(f"`{label}`" for label in facts.labels))
        for kind, metrics in kinds.items()
        for name, facts in metrics.items()
    }
    assert {(name, kind, labels.strip()) for name, kind, labels in rows} == due
