"""What holds for every command: help, one dash or two, speed of start, errors in one line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from cimis.cli.app import COMMANDS, SECTIONS, cli
from cimis.cli.options import Command, LongOption
from cimis.version import __version__

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

HEAVY = ("duckdb", "httpx", "numpy", "polars", "pyarrow", "rich", "sqlite3", "zstandard", "asyncio")


def loaded(name: str) -> Command:
    command = cli.get_command(click.Context(cli), name)
    assert isinstance(command, Command)
    return command


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_of_commands_is_true(name: str) -> None:
    """Each entry names a module that has the command, and sits in a known section."""
    assert loaded(name).name == name
    assert COMMANDS[name].section in SECTIONS


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_helps_with_an_example(name: str, typed: Typed) -> None:
    """``--help``, ``-h`` and ``-help`` say the same, with at least one example of the command."""
    asked = [typed(name, form) for form in ("--help", "-h", "-help")]
    assert {a.code for a in asked} == {0}
    assert len({a.out for a in asked}) == 1
    assert all(a.err == "" for a in asked)
    assert loaded(name).examples
    for example in loaded(name).examples:
        assert f"cimis {name}" in example
        assert example in asked[0].out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_does(name: str) -> None:
    """No option is without help, and every long one takes both forms."""
    for parameter in loaded(name).params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert isinstance(parameter, LongOption), parameter.name


@pytest.mark.parametrize("name", COMMANDS)
def test_long_options_take_one_dash_as_well_as_two(name: str) -> None:
    """For every long option, ``-name`` parses to exactly what ``--name`` does."""
    command = loaded(name)
    for parameter in command.params:
        if not isinstance(parameter, click.Option) or parameter.is_eager:
            continue
        for long in [*parameter.opts, *parameter.secondary_opts]:
            if not long.startswith("--"):
                continue
            value = [] if parameter.is_flag else [_value_for(parameter)]
            two, one = (_parsed(command, [form, *value]) for form in (long, long[1:]))
            assert two == one, long
            if value:
                assert _parsed(command, [f"{long[1:]}={value[0]}"]) == two
            assert parameter.name is not None
            assert two[parameter.name] is not None


def _value_for(parameter: click.Option) -> str:
    if isinstance(parameter.type, click.Choice):
        return str(parameter.type.choices[-1])
    if isinstance(parameter.type, click.FloatRange):
        return "0.5"
    if isinstance(parameter.type, click.IntRange):
        return str(max(3, int(parameter.type.min or 0)))
    return "3"


def _parsed(command: Command, arguments: list[str]) -> dict[str, object]:
    context = click.Context(command, info_name=command.name, resilient_parsing=True)
    command.parse_args(context, list(arguments))
    return context.params


def test_help_imports_nothing_heavy() -> None:
    """``cimis --help`` starts without the engines, the network or the tables."""
    script = (
        "import sys\n"
        "from cimis.cli.main import run\n"
        "assert run(['--help']) == 0\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr.strip() == "[]"
    for name in COMMANDS:
        assert f"\n  {name} " in done.stdout


@pytest.mark.parametrize("name", list(COMMANDS))
def test_help_of_a_command_imports_no_engine(name: str) -> None:
    """A command's help needs neither DuckDB, Polars, Arrow nor HTTP."""
    script = (
        "import sys\n"
        "from cimis.cli.main import run\n"
        f"assert run([{name!r}, '--help']) == 0\n"
        "print(sorted({'duckdb', 'httpx', 'polars', 'pyarrow', 'rich'} & set(sys.modules)),"
        " file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr.strip() == "[]"


def test_a_setting_is_read_without_the_network_code() -> None:
    """Asking the store needs the settings, but neither HTTP nor rich nor Polars nor DuckDB."""
    script = (
        "import sys\n"
        "from cimis.cli.main import run\n"
        "run(['query', '--data-dir', 'no/such/place'])\n"
        "print(sorted({'duckdb', 'httpx', 'polars', 'rich'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_without_a_command_the_list_is_shown(typed: Typed) -> None:
    """``cimis`` alone answers like ``cimis --help``."""
    assert typed().out == typed("--help").out


def test_the_version_is_one_line(typed: Typed) -> None:
    """``version``, ``--version`` and ``-version`` agree; --json names the libraries too."""
    assert typed("version").out == typed("--version").out == typed("-version").out
    assert typed("version").out == f"cimis {__version__}\n"
    facts = json.loads(typed("version", "--json").out)
    assert facts["cimis"] == __version__
    assert set(facts) > {"python", "pyarrow", "duckdb"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["itms"], "did you mean 'items'?"),
        (["items", "--scop", "daily"], "--scope"),
        (["items", "--scope", "weekly"], "'daily', 'hourly'"),
        (["items", "much"], "much"),
        (["--nothing"], "--nothing"),
    ],
)
def test_wrong_use_is_one_line_with_a_hint(arguments: list[str], said: str, typed: Typed) -> None:
    """Wrong use exits 2 with one line that names what was wrong and one that says what to do."""
    code, out, err = typed(*arguments)
    assert (code, out) == (2, "")
    error, hint = err.splitlines()
    assert error.startswith("error: ")
    assert said in error
    assert hint.startswith("hint: see 'cimis")


def test_with_json_errors_are_json_too(typed: Typed) -> None:
    """``--json`` makes an error one JSON object on standard error."""
    code, out, err = typed("items", "--scope", "weekly", "--json")
    assert (code, out) == (2, "")
    facts = json.loads(err)["error"]
    assert facts["class"] == "UsageError"
    assert facts["exit_code"] == 2
    assert "weekly" in facts["message"]


def test_our_own_fault_exits_1_and_leaves_a_trace_without_the_key(
    typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unexpected error asks for a report, names the trace's file, and hides the key."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("lost secret-key-1 at sea")

    monkeypatch.setenv("CIMIS_APP_KEY", "secret-key-1")
    monkeypatch.setattr("cimis.cli.showing.output.Output.rows", fail)
    code, _, err = typed("config")
    assert code == 1
    error, hint = err.splitlines()
    assert error == "error: this is a bug in cimis: RuntimeError: lost *** at sea"
    trace = Path(hint.split()[-1])
    assert "RuntimeError" in trace.read_text()
    assert "secret-key-1" not in trace.read_text()
    trace.unlink()


def test_a_reader_that_leaves_is_no_error() -> None:
    """Closing the pipe early ends the command quietly."""
    done = subprocess.run(
        f"{sys.executable} -m cimis items --json | true; echo ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stderr == ""
    assert done.stdout.strip() == "141"


def test_a_full_standard_output_is_said(started: Typed) -> None:
    """Output that cannot be written is an error, not silence."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    done = subprocess.run(
        f"{sys.executable} -m cimis items > /dev/full",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 7
    assert done.stderr.startswith("error: No space left on device\n")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_name_the_command(shell: str, typed: Typed) -> None:
    """Each shell gets a script that asks ``cimis`` itself."""
    assert f"_CIMIS_COMPLETE={shell}_complete" in typed("completion", shell).out


def test_completion_offers_commands_and_options(started: Typed) -> None:
    """A shell that asks gets the commands that begin so, and the options of one."""
    env = {"_CIMIS_COMPLETE": "bash_complete", "COMP_CWORD": "1", "COMP_WORDS": "cimis it"}
    assert started(env=env).out.split() == ["plain,items"]
    env |= {"COMP_CWORD": "2", "COMP_WORDS": "cimis items --sc"}
    assert started(env=env).out.split() == ["plain,--scope"]


def test_tables_are_csv_in_a_pipe_and_json_when_asked(typed: Typed) -> None:
    """The tables of the field come as CSV into a pipe and as objects with --json."""
    lines = typed("items", "--scope", "hourly").out.splitlines()
    objects = json.loads(typed("items", "--scope", "hourly", "--json").out)
    assert lines[0].split(",")[:3] == ["item", "code", "scope"]
    assert len(lines) - 1 == len(objects) == 14
    assert {o["scope"] for o in objects} == {"hourly"}
    flags = json.loads(typed("flags", "--json").out)
    assert {"flag", "severe", "meaning"} <= set(flags[0])
