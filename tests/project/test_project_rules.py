"""Rules about the project itself: sizes, names, the lock, what may not be written down."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.modules import MODULES, ROOT

LONGEST_MODULE = 300
FORBIDDEN = {
    "a package registry": re.compile(
        "py" + r"pi\.org|python" + "hosted|/sim" + r"ple\b|index-" + r"url\s*="
    ),
    "a machine's path": re.compile(r"/(?:ro" + r"ot|wo" + r"rk|ho" + r"me/\w+|opt/\w+)/"),
}


def tracked() -> list[Path]:
    """Return the files under version control."""
    done = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.skip("not a checkout")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    """Every module of the package, parsed once."""
    return {str(p.relative_to(ROOT)): ast.parse(p.read_text()) for p in MODULES}


def test_modules_stay_small() -> None:
    """No module is longer than the house allows."""
    lines = {str(p.relative_to(ROOT)): len(p.read_text().splitlines()) for p in MODULES}
    assert len(lines) > 400
    assert not {name: count for name, count in lines.items() if count > LONGEST_MODULE}


def test_modules_say_their_purpose(trees: dict[str, ast.Module]) -> None:
    """Each module opens with it."""
    silent = [name for name, tree in trees.items() if not ast.get_docstring(tree)]
    assert not [name for name in silent if (ROOT / name).read_text()]


def test_public_names_are_sorted(trees: dict[str, ast.Module]) -> None:
    """``__all__`` is sorted as ruff sorts it, without doubles."""
    wrong = []
    for path, tree in trees.items():
        for node in tree.body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                names = ast.literal_eval(node.value)
                kinds = [(not n.isupper(), not n[:1].isupper(), n) for n in names]
                if kinds != sorted(kinds) or len(set(names)) != len(names):
                    wrong.append(path)
    assert not wrong


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_tracked_file_names(what: str) -> None:
    """No file under version control names a registry's host or a path of one machine."""
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {m[0]}" for m in FORBIDDEN[what].finditer(text)]
    assert not found


def locked() -> dict[str, Version]:
    """Return the pinned version of each package, and check that each has its hashes."""
    pins = {}
    for block in re.split(r"\n(?=\S)", (ROOT / "requirements.lock").read_text().strip()):
        name, version = re.match(r"([a-z0-9-]+)==(\S+)", block).groups()  # type: ignore[union-attr] # a miss is a failed test
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), name
        pins[name] = Version(version)
    return pins


def test_the_lock_pins_and_hashes_everything_the_project_names() -> None:
    """Each dependency, of use and of development, is in the lock at a version it allows."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *project["dependency-groups"]["dev"],
        *project["dependency-groups"]["bench"],
    ]
    pins = locked()
    for text in wanted:
        requirement = Requirement(text)
        name = requirement.name.lower().replace("_", "-")
        assert pins[name] in requirement.specifier, text
        bounds = {bound.operator for bound in requirement.specifier}
        assert ">=" in bounds, f"{text}: a lower bound is due"


def test_the_lock_names_no_address() -> None:
    """The lock installs from wherever the machine's own set-up says."""
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text


def test_imports_follow_the_layers() -> None:
    """The import contracts of pyproject.toml hold."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_ci_runs_what_the_readme_promises() -> None:
    """The check that guards changes runs the README's two commands, lint and types."""
    script = (ROOT / ".ci/run").read_text()
    for line in ("just lint", "just types", "just demo", "just test"):
        assert f"\n{line}\n" in script
