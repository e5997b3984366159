"""What a release is made of holds together: version, changelog, manual, schema, workflows, recipe.

`just release-check` builds and installs the distributions; here is what costs nothing.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

from cimis.version import __version__
from tests.modules import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()
SECTIONS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
FLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def _module(path: str) -> ModuleType:
    """Return a module of a file that is in no package."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _flow(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text())
    return found


def _steps(path: Path) -> list[dict[str, str]]:
    return [step for job in _flow(path)["jobs"].values() for step in job["steps"]]


def test_the_version_is_one() -> None:
    recipe = yaml.safe_load((ROOT / "recipe/recipe.yaml").read_text())
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {citation["version"], recipe["context"]["version"]} == {__version__}
    assert str(Version(__version__)) == __version__


def test_the_changelog_keeps_its_form() -> None:
    """Unreleased first, then versions with their days, newest first; known kinds of change."""
    heads = re.findall(r"^## (.*)$", CHANGELOG, re.MULTILINE)
    assert heads[0] == "[Unreleased]"
    dated = [re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)", head) for head in heads[1:]]
    versions = [(Version(found[1]), found[2]) for found in dated if found is not None]
    assert len(versions) == len(dated), heads
    assert versions == sorted(versions, reverse=True)
    assert set(re.findall(r"^### (.*)$", CHANGELOG, re.MULTILINE)) <= SECTIONS


def test_a_released_version_has_its_section() -> None:
    """The version of the tree is the newest section's, or a later one that is being made."""
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", CHANGELOG, re.MULTILINE)
    assert not released or Version(__version__) >= Version(released[0])


def test_the_packages_page_has_no_link_that_leads_nowhere() -> None:
    from markdown_it import MarkdownIt

    page = _module("scripts/package_page.py").page((ROOT / "README.md").read_text())
    assert not re.findall(r"\]\((?!https?:)[^)]*\)", page)
    shown = MarkdownIt("commonmark").enable("table").render(page)
    assert "<img" not in shown
    assert set(re.findall(r'href="([^"#]*)', shown)) == {"https://cimis.water.ca.gov"}
    assert "docs/read-cache.md" in shown  # the words of a link stay


def test_the_manual_is_as_the_help_says() -> None:
    made = _module("docs/generate_man.py").pages()
    found = {path.name: path.read_text() for path in (ROOT / "docs/man").glob("*.1")}
    assert found == made, "run 'just docs'"


def test_the_manual_has_no_fault() -> None:
    checker = shutil.which("mandoc")
    if checker is None:
        pytest.skip("mandoc is absent")
    pages = sorted((ROOT / "docs/man").glob("*.1"))
    done = subprocess.run(
        [checker, "-T", "lint", "-W", "warning", *pages],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_reports_schema_is_of_its_classes() -> None:
    made = _module("docs/generate_report_schema.py").text()
    assert (ROOT / "docs/report.schema.json").read_text() == made, "run 'just docs'"


def test_a_new_field_of_the_report_must_be_of_a_known_type() -> None:
    generator = _module("docs/generate_report_schema.py")
    with pytest.raises(SystemExit, match="of which type 'more' is"):
        generator._object("other", dict, {"more": object()})
    with pytest.raises(SystemExit, match="has no field"):
        generator._object("window", dict, {"start": "2024-01-01"})


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.name)
def test_workflows_run_recipes_that_are_there(path: Path) -> None:
    recipes = set(
        re.findall(r"^([a-z][\w-]*)[^\n:=]*:(?!=)", (ROOT / "justfile").read_text(), re.MULTILINE)
    )
    ran = {
        found[1] for step in _steps(path) if (found := re.match(r"just (\S+)", step.get("run", "")))
    }
    assert ran
    assert ran <= recipes


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.name)
def test_workflows_pin_actions_and_ask_for_no_rights(path: Path) -> None:
    used = [step["uses"] for step in _steps(path) if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", use) for use in used)
    assert _flow(path)["permissions"] == {"contents": "read"}


def test_the_check_runs_what_ci_runs_on_every_promised_python() -> None:
    job = _flow(ROOT / ".github/workflows/check.yml")["jobs"]["check"]
    ran = [step["run"] for step in job["steps"] if "run" in step]
    script = (ROOT / ".ci/run").read_text()
    assert set(re.findall(r"^just .*$", script, re.MULTILINE)) <= set(ran)
    promised = {
        one.rpartition(" ")[2] for one in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", one)
    }
    assert set(job["strategy"]["matrix"]["python"]) == promised
    assert min(promised, key=Version) == PROJECT["requires-python"].removeprefix(">=")


def test_the_recipe_asks_for_what_the_project_does() -> None:
    recipe = yaml.safe_load((ROOT / "recipe/recipe.yaml").read_text())
    names = {"duckdb": "python-duckdb", "prompt_toolkit": "prompt-toolkit"}
    wanted = {
        f"{names.get(one.name, one.name)} {','.join(sorted(map(str, one.specifier), reverse=True))}"
        for one in map(Requirement, PROJECT["dependencies"])
    }
    asked = set(recipe["requirements"]["run"])
    assert wanted <= asked
    assert asked - wanted == {f"python {PROJECT['requires-python']}", "h2 >=3,<5"}


def test_the_http_library_is_held_below_its_next_interface() -> None:
    bounds = {one.name: one for one in map(Requirement, PROJECT["dependencies"])}
    assert "0.28.1" in bounds["httpx"].specifier
    assert not bounds["httpx"].specifier.contains("1.0.dev6", prereleases=True)
    assert not bounds["httpx"].specifier.contains("1.0")
    uppers = [one.name for one in bounds.values() if any(s.operator == "<" for s in one.specifier)]
    assert uppers == ["httpx"]


def test_each_dependency_has_its_reason() -> None:
    decisions = (ROOT / "docs/decisions.md").read_text()
    for one in map(Requirement, PROJECT["dependencies"]):
        assert f"`{one.name}" in decisions or f"| {one.name} |" in decisions, one.name


def test_each_promise_of_security_names_tests_that_are_there() -> None:
    text = (ROOT / "SECURITY.md").read_text()
    modules = set(re.findall(r"`(tests/[\w/]+\.py)`", text))
    source = "".join((ROOT / path).read_text() for path in modules)
    names = set(re.findall(r"`(test_\w+)`", text))
    assert len(names) > 20
    assert not {name for name in names if f"def {name}(" not in source}


def test_the_citation_has_what_its_form_asks_for() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= citation.keys()
    assert citation["license"] == PROJECT["license"]
    assert citation["abstract"] == PROJECT["description"]
