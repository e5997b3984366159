"""The documentation says what the program does."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

import cimis.pipeline.errors
from cimis.cli.app import COMMANDS

ROOT = Path(__file__).resolve().parents[2]


def found(pattern: str, page: str) -> set[str]:
    """Return what a pattern finds, line by line, in a page."""
    return set(re.findall(pattern, (ROOT / page).read_text(), re.MULTILINE))


@pytest.mark.parametrize("name", ["cli", "options"])
def test_the_command_reference_is_what_the_commands_say(name: str) -> None:
    """``docs/cli.md`` and ``docs/options.md`` equal what ``just docs`` would write."""
    maker = f"generate_{name}"
    spec = importlib.util.spec_from_file_location(maker, ROOT / f"docs/{maker}.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    assert (ROOT / f"docs/{name}.md").read_text() == generate.page(), "run 'just docs'"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_reference(name: str) -> None:
    """Each command has its heading in ``docs/cli.md``."""
    assert f"### cimis {name}\n" in (ROOT / "docs/cli.md").read_text()


def test_every_exit_code_is_documented() -> None:
    """Each exit code of the error tree has its row in the table."""
    table = (ROOT / "docs/cli.md").read_text()
    codes = {
        getattr(cimis.pipeline.errors, name).exit_code for name in cimis.pipeline.errors.__all__
    }
    assert codes == {1, 2, 3, 4, 5, 6, 7, 8}
    for code in codes:
        assert re.search(rf"^\| {code} \|", table, re.MULTILINE)


def test_the_readme_names_only_recipes_that_exist() -> None:
    """Every ``just`` word in the README and in CI is a recipe."""
    recipes = found(r"^([a-z-]+)(?: \*args)?:", "justfile")
    for page in ("README.md", ".ci/run"):
        assert found(r"(?:^|[`&] ?)just ([a-z-]+)", page) <= recipes, page


def test_the_readme_names_only_commands_that_exist() -> None:
    """Every ``cimis`` command in the README exists."""
    named = found(r"^\s*(?:\$ )?cimis ([a-z-]+)", "README.md")
    assert named
    assert named <= set(COMMANDS)


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{p.name}" for p in ROOT.glob("docs/*.md"))])
def test_links_between_pages_lead_somewhere(page: str) -> None:
    """Each relative link names a file of the project."""
    for target in found(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page):
        assert ((ROOT / page).parent / target).exists(), target


def test_the_readme_lists_every_exit_code() -> None:
    """The README's short table names the same codes as the reference."""
    table = (ROOT / "README.md").read_text()
    for code in range(9):
        assert re.search(rf"\| {code} \|", table)
