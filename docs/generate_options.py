"""Write ``docs/options.md``, the options by command, from the commands; a test compares the two."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click

from cimis.cli.app import COMMANDS, cli

PAGE = Path(__file__).with_name("options.md")
FEW = 6
"""Where no more commands lack an option than this, they are named instead of those that have it."""

HEAD = """\
# Options by command

Made by `just docs` from the commands; do not edit.

An option of one name means one thing in every command that has it, takes its value in one form, and
no other option means the same; `tests/cli/test_option_language.py` holds the commands to that. All
take two dashes or one. A row is a name with one text; where commands say more, or have another
default, it has several.

| option | value | default | meaning | commands |
|---|---|---|---|---|
"""


class Row(NamedTuple):
    """What an option is in some commands."""

    names: str
    value: str
    default: str
    meaning: str


def options() -> Iterator[tuple[str, click.Option]]:
    """Yield each command's name with each of its options, but for ``--help``."""
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        for parameter in command.params:
            if isinstance(parameter, click.Option) and "--help" not in parameter.opts:
                yield name, parameter


def page() -> str:
    """Return the whole page."""
    rows: dict[Row, list[str]] = {}
    for command, option in options():
        rows.setdefault(_row(option), []).append(command)
    lines = [
        f"| {row.names} | {row.value} | {row.default} | {row.meaning} | {_told(commands)} |\n"
        for row, commands in sorted(rows.items(), key=lambda row: (_sorted_as(row[0]), row[1]))
    ]
    return HEAD + "".join(lines)


def _row(option: click.Option) -> Row:
    names = " ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    return Row(names, _value(option), _default(option), _cell(option.help or ""))


def _value(option: click.Option) -> str:
    if option.is_flag:
        return ""
    shown = option.metavar or option.type.name.upper()
    choices = option.type.choices if isinstance(option.type, click.Choice) else shown.split("|")
    return ", ".join(f"`{choice}`" for choice in choices)


def _default(option: click.Option) -> str:
    facts = option.to_info_dict()
    default = facts["default"]
    if option.is_flag or default is None or option.multiple:
        return ""
    return f"`{default}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("$", "\\$")


def _sorted_as(row: Row) -> str:
    return row.names.split("`--")[1]


def _told(commands: list[str]) -> str:
    lacking = [name for name in COMMANDS if name not in commands]
    if len(lacking) <= FEW:
        return "all" + (" but " + ", ".join(lacking) if lacking else "")
    return ", ".join(commands)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE}\n")
