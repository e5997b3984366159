"""An option given twice: every value counts, or the second is refused; none is lost to the next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click
import pytest

from cimis.cli.app import COMMANDS, cli
from cimis.pipeline.errors import UsageError

if TYPE_CHECKING:
    from tests.cli.conftest import Typed


def every_option() -> Iterator[tuple[click.Command, click.Option]]:
    """Yield every option of every command, and of the group itself."""
    commands = [cli, *(cli.get_command(click.Context(cli), name) for name in COMMANDS)]
    for command in commands:
        assert command is not None
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.is_eager:
                yield command, parameter


def two_values(parameter: click.Option) -> tuple[str, str]:
    """Return two values that an option could have; the same twice, where there is only one."""
    if isinstance(parameter.type, click.Choice):
        choices = [str(choice) for choice in parameter.type.choices]
        return choices[0], choices[-1]
    if isinstance(parameter.type, click.IntRange | click.FloatRange):
        return "3", "4"
    return ("3", "4") if parameter.type is click.INT else ("a=3", "b=4")


def parsed(command: click.Command, words: list[str]) -> dict[str, object]:
    usual = {"import": ["x"], "inspect": ["x"], "completion": ["bash"], "cache": ["stats"]}
    usual |= {"degree-days": ["--low", "50F"], "export": ["x"], "profile": ["stats"]}
    return command.make_context(
        command.name or "", [*words, *usual.get(command.name or "", [])]
    ).params


OPTIONS = [
    pytest.param(command, option, id=f"{command.name} {option.opts[-1]}")
    for command, option in every_option()
]


@pytest.mark.parametrize(("command", "option"), OPTIONS)
def test_no_option_silently_takes_the_last_value(
    command: click.Command, option: click.Option
) -> None:
    """Over the whole tree: two different values are both there, or refused by the option's name."""
    if option.is_flag and not option.secondary_opts:
        assert parsed(command, [option.opts[0]] * 2)[str(option.name)] is True
        return
    if option.is_flag:
        words = [option.opts[0], option.secondary_opts[0]]
        values: tuple[str, ...] = ()
    else:
        values = two_values(option)
        words = [word for value in values for word in (option.opts[-1], value)]
    found, refused = tried(command, words)
    if refused is None:
        assert found[str(option.name)] in (values, ",".join(values))
        return
    shown = [*option.opts, *option.secondary_opts]
    assert any(name in str(refused) for name in shown)
    assert "more than once" in str(refused) or "exclude each other" in str(refused)
    assert refused.hint


def tried(command: click.Command, words: list[str]) -> tuple[dict[str, object], UsageError | None]:
    """Return what words are parsed to, or how they are refused."""
    try:
        return parsed(command, words), None
    except UsageError as error:
        return {}, error


@pytest.mark.parametrize(
    "name", ["--stations", "--items", "--zip", "--county", "--coordinate", "--address", "--param"]
)
def test_what_makes_a_list_takes_all_everywhere(name: str) -> None:
    """Each option that names several things takes them one by one, on every command that has it."""
    having = [(c, o) for c, o in every_option() if name in o.opts]
    assert having
    for command, option in having:
        spellings = [o for o in option.opts if o.startswith("--")]
        for one in spellings:
            found = parsed(command, [one, "4=x", spellings[0][1:], "220=y"])[str(option.name)]
            assert found in ("4=x,220=y", ("4=x", "220=y")), command.name


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("query", "--start", "2024", "--start", "2023"), "--start is given more than once"),
        (("query", "--month", "2024-06", "-month", "2024-07"), "--month is given more than once"),
        (("query", "-o", "a.csv", "--output", "b.csv"), "--output is given more than once"),
        (("query", "--scope", "daily", "--hourly"), "--hourly and --scope daily exclude"),
        (("fetch", "--gzip", "--no-gzip"), "--gzip and --no-gzip exclude each other"),
        (("sql", "select $a", "--param", "a=1", "--param", "a=2"), "--param gives a two values"),
        (("emulator", "--fault", "503=0.1", "--fault", "503=0.2"), "gives 503 two rates"),
        (("stations", "--near", "1,2", "--near", "3,4"), "--near is given more than once"),
    ],
)
def test_what_can_be_only_once_is_refused(words: tuple[str, ...], said: str, typed: Typed) -> None:
    """The message names the option as it is spelled in the help, with what to do."""
    answer = typed(*words)
    assert answer.code == 2
    assert said in answer.err
    assert "hint: " in answer.err


def test_a_key_given_twice_is_not_printed(typed: Typed) -> None:
    """A refusal names the option, never its values."""
    answer = typed("config", "--app-key", "secret-one", "--app-key", "secret-two")
    assert answer.code == 2
    assert "secret" not in answer.out + answer.err


@pytest.mark.parametrize(
    ("words", "typo", "meant"),
    [
        (("query", "-statoin", "4"), "-statoin", "-station"),
        (("query", "-statoin=4"), "-statoin", "-station"),
        (("query", "-outptu", "x.csv"), "-outptu", "-output"),
        (("query", "-hourli"), "-hourli", "-hourly"),
        (("fetch", "-vrebose"), "-vrebose", "-verbose"),
        (("-versoin",), "-versoin", "-version"),
    ],
)
def test_a_typo_of_one_dash_keeps_its_name(
    words: tuple[str, ...], typo: str, meant: str, typed: Typed
) -> None:
    """The message names the word as typed and the option that is near, not its first letter."""
    answer = typed(*words)
    assert answer.code == 2
    assert f"'{typo}'" in answer.err
    assert f"'{meant}'" in answer.err


def test_letters_of_short_options_still_work(typed: Typed) -> None:
    """``-qoFILE`` is two short options, the last with its value, as it always was."""
    command = cli.get_command(click.Context(cli), "query")
    assert command is not None
    found = command.make_context("query", ["-qoeto.csv"]).params
    assert (found["quiet"], found["output"]) == (True, "eto.csv")
    assert typed("query", "-h").code == 0
