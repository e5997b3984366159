"""What ``cimis profile`` tells of a command, which answers as without it."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cimis.cli.profiling.imports import timed_imports
from cimis.pipeline.emulator import Emulator, GeneratedSource

if TYPE_CHECKING:
    from tests.cli.conftest import Answer, Typed

DAYS = ("--start", "2024-01-01", "--end", "2024-01-10")
WEEK = ("query", "--station", "2", *DAYS)


@pytest.fixture(scope="module")
def service() -> Iterator[Emulator]:
    with Emulator(GeneratedSource()) as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def root(service: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, typed: Typed) -> Path:
    monkeypatch.setenv("CIMIS_BASE_URL", service.base_url)
    monkeypatch.setenv("CIMIS_APP_KEY", service.app_key)
    monkeypatch.setenv("CIMIS_DATA_DIR", str(tmp_path / "d"))
    assert typed("fetch", "--stations", "2,5", *DAYS, "--quiet").code == 0
    return tmp_path / "d"


def profile_of(answer: Answer) -> dict[str, Any]:
    """Return the one profile that standard error has."""
    (line,) = (one for one in answer.err.splitlines() if one.startswith('{"profile"'))
    found: dict[str, Any] = json.loads(line)["profile"]
    return found


def test_the_command_answers_as_without_it(typed: Typed) -> None:
    plain, profiled = typed(*WEEK), typed("profile", *WEEK)
    assert (profiled.code, profiled.out) == (plain.code, plain.out)
    assert profiled.out.count("\n") == 11
    assert profiled.err.startswith("phase ")
    assert "MB resident at most" in profiled.err


def test_phases_are_those_of_the_question_and_make_up_the_whole(typed: Typed) -> None:
    found = profile_of(typed("profile", "--json", *WEEK))
    assert found["command"] == list(WEEK)
    phases = {one["name"]: one for one in found["phases"]}
    assert list(phases) == [
        *("plan", "refresh", "read", "decompress", "decode", "engine", "print", "other"),
    ]
    assert sum(one["seconds"] for one in phases.values()) == pytest.approx(
        found["seconds"], abs=1e-4
    )
    assert sum(one["share"] for one in phases.values()) == pytest.approx(1, abs=0.001)
    assert (phases["print"]["amount"], phases["print"]["unit"]) == (10, "rows")
    assert phases["read"]["amount"] == found["counters"]["bytes_read"] > 0
    speed = phases["decode"]["amount"] / phases["decode"]["seconds"]
    assert phases["decode"]["per_second"] == pytest.approx(speed, rel=0.1)
    assert found["exit_code"] == 0


def test_of_a_fetch_the_reports_figures_are_told(typed: Typed) -> None:
    """What its report says of the same run, which standard output has."""
    answer = typed("profile", "--json", "fetch", "--station", "6", *DAYS, "--json")
    report, found = json.loads(answer.out), profile_of(answer)
    (run,) = (one for one in found["phases"] if one["name"] == "run")
    assert run["seconds"] == pytest.approx(report["totals"]["seconds"])
    assert (run["amount"], run["unit"]) == (10, "records")
    took = {one["name"]: one["seconds"] for one in found["requests"]}
    told = {name[:-3]: ms / 1000 for name, ms in report["timings"].items() if name != "total_ms"}
    assert took == pytest.approx(told, abs=1e-5)
    amounts = {one["name"]: one["amount"] for one in found["requests"]}
    assert amounts["read"] == report["totals"]["bytes_transferred"]
    assert amounts["decode"] == report["totals"]["bytes_decoded"]
    assert amounts["write"] == report["totals"]["bytes_stored"]


def test_earlier_runs_do_not_count(typed: Typed) -> None:
    """The store has a run; a question makes none."""
    assert profile_of(typed("profile", "--json", *WEEK))["requests"] == []


@pytest.mark.parametrize(
    "words",
    [
        ("query", "--station", "999", *DAYS),
        ("query", "--station", "2", "--statoin", "2"),
        ("query", "--station", "2", "--data-dir", "no/such/place"),
    ],
)
def test_a_command_that_fails_fails_alike(words: tuple[str, ...], typed: Typed) -> None:
    plain, profiled = typed(*words), typed("profile", *words)
    assert profiled.code == plain.code != 0
    assert [line for line in profiled.err.splitlines() if line.startswith("error: ")] == [
        line for line in plain.err.splitlines() if line.startswith("error: ")
    ]
    if "--statoin" not in words:  # then nothing was run
        assert profile_of(typed("profile", "--json", *words))["exit_code"] == plain.code


def test_functions_are_told_where_asked_for_the_heaviest_first(typed: Typed) -> None:
    assert profile_of(typed("profile", "--json", *WEEK))["functions"] is None
    found = profile_of(typed("profile", "--functions", "--json", *WEEK))["functions"]
    own = [one["seconds"] for one in found]
    assert own == sorted(own, reverse=True)
    assert all(one["with_calls"] >= one["seconds"] >= 0 and one["calls"] > 0 for one in found)
    table = typed("profile", "--functions", *WEEK).err
    assert "with calls" in table


def test_it_is_saved_as_json(typed: Typed, tmp_path: Path) -> None:
    answer = typed("profile", "-o", tmp_path / "p.json", "stats")
    assert answer.code == 0
    assert answer.err == f"wrote the profile to {tmp_path / 'p.json'}\n"
    assert json.loads((tmp_path / "p.json").read_text())["command"] == ["stats"]


@pytest.mark.parametrize("name", ["profile", "emulator", "serve-metrics"])
def test_what_does_not_end_is_refused(name: str, typed: Typed) -> None:
    answer = typed("profile", name)
    assert answer.code == 2
    assert f"'{name}' cannot be profiled" in answer.err


def test_an_unknown_command_is_named_with_one_that_is_near(typed: Typed) -> None:
    assert "did you mean 'query'" in typed("profile", "qeury").err


def test_imports_of_a_process_are_told_by_package(root: Path) -> None:
    """A question in SQL imports the engine; one for few rows does not."""
    found = []
    for words in (WEEK, ("sql", "select count(*) from daily")):
        done = subprocess.run(
            [sys.executable, "-m", "cimis", "profile", "--json", *words],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        (line,) = (one for one in done.stderr.splitlines() if one.startswith('{"profile"'))
        found.append(json.loads(line)["profile"])
    few, engine = (one["imports"] for one in found)
    assert "_duckdb" in engine["packages"]
    assert not {"_duckdb", "duckdb", "numpy", "polars", "pyarrow"} & few["packages"].keys()
    for one in found:
        took = one["imports"]["packages"].values()
        assert sum(took) == pytest.approx(one["imports"]["seconds"], abs=1e-4)
        assert list(took) == sorted(took, reverse=True)
        assert one["imports"]["seconds"] < one["seconds"]
        assert one["memory"]["peak_bytes"] >= one["memory"]["start_bytes"] > 1_000_000


def test_a_module_keeps_no_trace_of_the_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own loader reads its source and files as ever; a nested import is counted once."""
    rewriting = [one for one in sys.meta_path if "_pytest" in type(one).__module__]
    monkeypatch.setattr(sys, "meta_path", [one for one in sys.meta_path if one not in rewriting])
    (tmp_path / "outer_of_test.py").write_text("import inner_of_test\nVALUE = 1\n")
    (tmp_path / "inner_of_test.py").write_text("import time\ntime.sleep(0.05)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    before = list(sys.meta_path)
    with timed_imports() as clock:
        module = importlib.import_module("outer_of_test")
    assert sys.meta_path == before
    assert module.__spec__ is not None
    assert type(module.__spec__.loader) is importlib.machinery.SourceFileLoader
    assert module.__loader__ is module.__spec__.loader
    assert clock.modules == 2
    assert clock.by_package["inner_of_test"] >= 0.05 > clock.by_package["outer_of_test"]
