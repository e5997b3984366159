"""What a shell completes: by the real script in bash, and by click's own way; quick and silent."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from click.shell_completion import BashComplete

from cimis.cli.app import COMMANDS, cli
from cimis.naming.called import called
from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.field.items import ITEMS, Scope
from cimis.queries.answers.named import named_queries
from cimis.queries.export.formats import FORMATS
from tests.cli.test_called_stations import FACTS, LIST

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"duckdb", "httpx", "numpy", "polars", "pyarrow", "rich"}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory with the network's list."""
    place = tmp_path / "data"
    place.mkdir()
    with Catalog(place, create=True) as catalog:
        catalog.put_stations((facts["number"], facts["name"], facts) for facts in FACTS)
    monkeypatch.setenv("CIMIS_DATA_DIR", str(place))
    return place


def completed(*words: str) -> list[str]:
    """Return what is offered for the last word, as click asks for it."""
    asked = BashComplete(cli, {}, "cimis", "_CIMIS_COMPLETE")
    return [item.value for item in asked.get_completions(list(words[:-1]), words[-1])]


def in_bash(*words: str, folder: Path) -> tuple[list[str], str]:
    """Return what bash would offer for the last word, by the script that `completion` prints."""
    program = folder / "cimis"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cimis "$@"\n')
    program.chmod(0o755)
    script = (
        'eval "$(cimis completion bash)"\n'
        'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))\n'
        "_cimis_completion cimis\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script, "bash", *words],
        env=os.environ | {"PATH": f"{folder}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout.split(), done.stderr


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("query", "--station", "da"), ["davis"]),
        (("query", "--station", "1"), ["1", "113", "136", "190"]),
        (
            ("gaps", "--stations", "davis,five"),
            ["davis,five-points", "davis,five-points-south-west"],
        ),
        (("fetch", "--county", "Y"), ["yolo"]),
        (("query", "--items", "asce_eto,precip"), ["asce_eto,precip"]),
        (("sql", "frost"), ["frost-nights"]),
        (("query", "--month", "t"), ["this"]),
        (("quer",), ["query"]),
        (("query", "--water-y"), ["--water-year"]),
    ],
    ids=" ".join,
)
def test_bash_completes(
    words: tuple[str, ...], offered: list[str], root: Path, tmp_path: Path
) -> None:
    assert in_bash("cimis", *words, folder=tmp_path) == (offered, "")


def test_every_item_is_offered_of_its_scope() -> None:
    assert set(completed("query", "--items", "")) == {
        i.column for i in ITEMS if i.scope is Scope.DAILY
    }
    hourly = completed("query", "--hourly", "--items", "")
    assert set(hourly) == {i.column for i in ITEMS if i.scope is Scope.HOURLY}


def test_every_named_question_is_offered() -> None:
    assert completed("sql", "") == [*named_queries()]


def test_every_format_is_offered() -> None:
    assert {"table", *FORMATS} <= {*completed("query", "--format", "")}


def test_every_command_is_offered_without_being_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("a command was loaded")

    monkeypatch.setattr(type(cli), "get_command", refused)
    assert completed("") == [*COMMANDS]


def test_numbers_and_names_are_offered_and_mean_their_stations(root: Path) -> None:
    """A name that two stations have is none of them; each that is offered is understood."""
    offers = completed("query", "--station", "")
    assert {str(number) for number in LIST} <= {*offers}
    names = [one for one in offers if not one.isdigit() and one != "all"]
    assert len(names) == len(LIST) - 2
    assert {called(name, FACTS) for name in names} == LIST.keys() - {24, 50}


def test_a_county_that_is_offered_is_understood(root: Path, typed: Typed) -> None:
    offers = completed("query", "--county", "")
    assert offers == ["fresno", "yolo"]
    assert typed("stations", "--county", "yolo", "--json").code == 0


def test_a_data_directory_that_is_named_is_looked_at(root: Path, tmp_path: Path) -> None:
    other = ("query", "--data-dir", str(tmp_path / "other"), "--station")
    assert completed(*other, "da") == []
    assert completed("query", "--data-dir", str(root), "--station", "da") == ["davis"]


@pytest.mark.parametrize("content", [None, b"", b"no database at all, but longer than a header"])
def test_without_a_catalog_it_is_silent(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No directory, an empty file, a damaged one: nothing is offered, and nothing said or made."""
    place = tmp_path / "data"
    if content is not None:
        place.mkdir()
        (place / "metadata.sqlite3").write_bytes(content)
    monkeypatch.setenv("CIMIS_DATA_DIR", str(place))
    assert in_bash("cimis", "query", "--station", "da", folder=tmp_path) == ([], "")
    assert place.exists() == (content is not None)


@pytest.mark.parametrize(
    "words", [("blah", "--st"), ("query", "--nothing", ""), ("query", "--month", "x", "y", "")]
)
def test_a_wrong_line_is_no_error(words: tuple[str, ...], root: Path, tmp_path: Path) -> None:
    assert in_bash("cimis", *words, folder=tmp_path)[1] == ""


@pytest.mark.parametrize(
    "words", ["query --station da", "query --items a", "sql f", "query --county f", "q"]
)
def test_it_imports_nothing_heavy(words: str, root: Path) -> None:
    """A key press waits for it: neither engines nor tables are loaded."""
    script = (
        "import sys\n"
        "from cimis.cli.main import run\n"
        "try:\n"
        "    run([])\n"
        "except SystemExit:\n"
        "    pass\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)\n"
    )
    asked = {
        "_CIMIS_COMPLETE": "bash_complete",
        "COMP_WORDS": f"cimis {words}",
        "COMP_CWORD": str(len(words.split())),
    }
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | asked | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.strip()
    assert done.stderr.splitlines()[-1] == "[]"


def test_an_option_without_a_list_offers_nothing() -> None:
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        near = [param for param in command.params if param.name == "near"]
        assert all(param.shell_complete(context, "") == [] for param in near)
