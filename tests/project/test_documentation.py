"""The documentation says what the program does."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import re
from pathlib import Path

import click
import pytest

import cimis.pipeline.errors
from cimis.cli.app import COMMANDS, cli

ROOT = Path(__file__).resolve().parents[2]


OTHERS_OPTIONS = {
    *("--home-dir", "--now", "--pipe", "--shell", "--system", "--uid", "--upgrade"),
    *("--build", "--detach", "--no-cache", "--pull", "--rmi", "--volumes"),
}
"""Of systemd, of an installation's programs, and of containers."""

PAGES = sorted(
    page.relative_to(ROOT).as_posix() for page in (ROOT / "README.md", *ROOT.glob("docs/**/*.md"))
)


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


@pytest.mark.parametrize("name", ["cimis.stages", "cimis.pipeline.decode.stream", "cimis.store"])
def test_examples_of_docstrings_give_what_they_show(name: str) -> None:
    """Those that need a store are left out by themselves."""
    failed, tried = doctest.testmod(importlib.import_module(name))
    assert tried > 0
    assert failed == 0


def test_pages_name_only_options_that_exist() -> None:
    """Each ``--option`` of README and ``docs/`` is one of a command, or of a program beside it."""
    parent = click.Context(cli, info_name="cimis")
    commands = [cli, *(cli.get_command(parent, name) for name in COMMANDS)]
    own = {
        text
        for command in commands
        if command is not None
        for option in command.get_params(click.Context(command, parent=parent))
        for text in (*option.opts, *option.secondary_opts)
    }
    named = {option for page in PAGES for option in found(r"(?<![\w-])--[a-z][a-z0-9-]+", page)}
    assert named - own - OTHERS_OPTIONS == set()


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


def places(page: Path) -> set[str]:
    """Return the names of a page's headings, as GitHub makes them of their words."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    words = (
        re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", head) for head in re.findall(r"(?m)^#+ (.+)$", text)
    )
    return {re.sub(r"[^\w\- ]", "", head).strip().lower().replace(" ", "-") for head in words}


@pytest.mark.parametrize("page", [*PAGES, "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_between_pages_lead_somewhere(page: str) -> None:
    """Each relative link, in plain Markdown, names a file of the project, and a heading in it."""
    here = ROOT / page
    for link in found(r"\]\(([^)\s]+)\)", page):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, place = link.partition("#")
        target = here.parent / path if path else here
        assert target.exists(), link
        assert not place or place in places(target), link


def test_the_readme_lists_every_exit_code() -> None:
    """The README's short table names the same codes as the reference."""
    table = (ROOT / "README.md").read_text()
    for code in range(9):
        assert re.search(rf"\| {code} \|", table)
