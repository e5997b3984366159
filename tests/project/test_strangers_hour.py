"""A stranger's hour: each tutorial followed word by word gives what it says.

In the gate the environment has the wheel and sees the packages of the tests'; in the long form
(``just strangers-hour``) it is new, and the page's own ``pip install`` lines bring all that it has.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.installed import ROOT, Installed, built
from tests.project.screen import lines_on_screen
from tests.project.tutorial import MARKS, differs, is_install, steps
from tests.project.walk import Walk

PAGES = sorted((ROOT / "docs/tutorials").glob("*.md"))
NAMES = [page.stem for page in PAGES]


def followed(page: Path, folder: Path, environment: Mapping[str, str], *, fresh: bool) -> list[str]:
    """Follow a page; return what came otherwise than it says."""
    wrong = []
    (folder / "home").mkdir(parents=True, exist_ok=True)
    with Walk(folder, environment, fresh=fresh) as walk:
        for step in steps(page.read_text("utf-8")):
            numbers = step.marked("numbers") is not None
            for command, came in zip(step.commands, walk.follow(step), strict=True):
                due, shown = step.code_of(command), command.shown
                other = shown is not None and differs(shown, came.lines, numbers=numbers)
                if other or came.code != due:
                    told = f"{page.name}:{step.line}: {command.typed}\n(exit code {came.code})"
                    wrong.append("\n".join((told, *came.lines)))
        if wrong:
            wrong += walk.elsewhere()
    return wrong


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_a_tutorial_followed_word_by_word_gives_what_it_says(
    page: Path, installed: Installed, tmp_path: Path
) -> None:
    folder = tmp_path / "desk"
    wrong = followed(page, folder, installed.variables(folder), fresh=False)
    assert not wrong, "\n\n".join(wrong) + "\n\n'just tutorials' writes what comes into the pages"


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables of somebody who has Python, and an index that knows cimis by its wheel."""
    index = tmp_path_factory.mktemp("index")
    built(index)
    python = Path(sys.base_prefix, "bin")
    reached = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", index / "tried", "click"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if reached.returncode != 0:
        pytest.skip(f"the package index cannot be reached: {reached.stderr.strip()[-200:]}")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("CIMIS")},
        "PATH": f"{python}:/usr/local/bin:/usr/bin:/bin",
        "PIP_FIND_LINKS": str(index),
        "PIP_CACHE_DIR": str(index / "cache"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_a_tutorial_needs_only_what_it_installs(
    page: Path, stranger: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "desk"
    wrong = followed(page, folder, stranger | {"HOME": str(folder / "home")}, fresh=True)
    shutil.rmtree(folder)
    assert not wrong, "\n\n".join(wrong)


def test_there_is_one_for_each_kind_of_user() -> None:
    assert NAMES == ["adviser", "analyst", "operator", "researcher", "v1-owner"]


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_what_a_tutorial_installs_exists(page: Path) -> None:
    """Each begins with the environment, and every extra that it names is one of the project's."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    first, *_ = steps(page.read_text("utf-8"))
    lines = [command.typed for command in first.commands]
    assert lines[0].startswith("python3 -m venv ")
    assert lines[1] == f". {lines[0].split()[-1]}/bin/activate"
    assert all(is_install(line) for line in lines)
    extras = re.findall(r"pip install 'cimis\[([a-z,-]+)\]'", "\n".join(lines))
    named = {extra for listed in extras for extra in listed.split(",")}
    assert named <= set(project["optional-dependencies"])


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_block_is_followed_or_says_why_not(page: Path) -> None:
    """A block is run, is the output of Python behind one that is, or is marked with a reason."""
    text = page.read_text("utf-8")
    known = steps(text)
    fences = re.findall(r"^ *```(\w+)$", text, re.MULTILINE)
    outputs = sum(1 for step in known if step.language == "python" and step.commands[0].shown)
    assert len(fences) == len(known) + outputs
    marks = [mark for step in known for mark in step.marks]
    assert [mark for mark in marks if not any(re.fullmatch(rule, mark) for rule in MARKS)] == []
    assert text.count("<!--") == sum(1 for step in known if step.marks)


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_lead_to_pages(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    assert links
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize(
    ("shown", "came", "otherwise"),
    [
        (["wrote 31 rows, 8,401 bytes"], ["wrote 31 rows, 9,001 bytes"], False),
        (["wrote 31 rows, 8,401 bytes"], ["wrote 30 rows, 8,401 bytes"], True),
        (["done in 1.2 s"], ["done in 31.0 s"], False),
        (["a   1"], ["a 1"], False),
        (["a", "...", "d"], ["a", "b", "c", "d"], False),
        (["a", "...", "d"], ["a", "b", "c"], True),
        (["5.35"], ["5.36"], True),
        ([], ["a warning"], True),
        (["said"], [], True),
    ],
)
def test_only_times_and_sizes_may_differ(
    shown: list[str], came: list[str], otherwise: bool
) -> None:
    assert differs(shown, came) is otherwise


def test_what_a_page_says_wrongly_is_found(tmp_path: Path) -> None:
    """An output, an exit code and a value that are others; state is kept from block to block."""
    page = tmp_path / "page.md"
    page.write_text(
        """
```console
$ cd /; here=5
$ echo $here; pwd
5
/
$ echo one
two
```

<!-- exit code 3 -->
```console
$ (exit 3)
```

```sh
false
```

```python
number = 1
```

```python
number + 1
```

```text
3
```

<!-- not run: nobody has this program -->
```sh
no-such-program
```
"""
    )
    wrong = followed(page, tmp_path, dict(os.environ), fresh=False)
    assert [told.splitlines()[0].partition(": ")[2] for told in wrong] == [
        *("echo one", "false", "number + 1")
    ]


def test_a_screen_keeps_what_was_written_last() -> None:
    written = "\x1b[1mhead\x1b[0m\r\nbar 1\r\x1b[2Kbar 2\r\nend\x1b[1A\r\x1b[2Kdone\r\n"
    assert lines_on_screen(written) == ["head", "done", "end"]
