"""The dot commands of a conversation: what each is called, takes and does."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from cimis.cli.prompt.conversation import LINE, Conversation
from cimis.cli.prompt.schema import VIEWS, columns_of_view, kinds_of
from cimis.pipeline.errors import UsageError
from cimis.queries.export.formats import FORMATS
from cimis.queries.quality import FlagPolicy, policy

__all__ = ["COMMANDS", "MODES", "obey"]

_ALIASES = {
    "box": "table",
    "duckbox": "table",
    "jsonlines": "ndjson",
    "markdown": "md",
    "tabs": "tsv",
    "vertical": LINE,
}
"""Names that other shells have for our formats."""


MODES = ("table", LINE, *(name for name, kind in FORMATS.items() if not kind.binary))
"""In which answers can be shown."""


class Command(NamedTuple):
    """A dot command.

    Parameters
    ----------
    takes : str
        Its argument as the help names it; in brackets where it can be left out.
    does : str
    run : callable
        Of the conversation and the argument, which is blank where none is given.
    choices : sequence of str
        What the argument may be.
    """

    takes: str
    does: str
    run: Callable[[Conversation, str], None]
    choices: Sequence[str] = ()


def obey(talk: Conversation, line: str) -> None:
    """Do what a dot command says, or a word that leaves.

    Raises
    ------
    UsageError
        For an unknown command, and an argument that it cannot take.
    """
    name, _, rest = line.strip().removeprefix(".").rstrip(";").partition(" ")
    command = COMMANDS.get(name.lower())
    if command is None:
        near = get_close_matches(name.lower(), COMMANDS, n=1)
        hint = f"did you mean .{near[0]}?" if near else ".help lists them"
        raise UsageError(f"no command '.{name}'", hint=hint)
    words = _words(rest)
    usage = f"write .{name} {command.takes}".rstrip()
    if len(words) > 1 or (words and not command.takes):
        raise UsageError(f".{name} takes {'one' if command.takes else 'no'} argument", hint=usage)
    if not words and command.takes and not command.takes.startswith("["):
        raise UsageError(f".{name} lacks its argument", hint=usage)
    command.run(talk, words[0] if words else "")


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UsageError(f"'{text}': {error}", hint="close the quotation mark") from None


def _chosen(command: str, given: str, choices: Sequence[str]) -> str:
    """Return the choice that was meant."""
    word = given.lower()
    if word not in choices:
        near = get_close_matches(word, choices, n=1)
        hint = f"did you mean {near[0]}?" if near else f"choose one of {', '.join(choices)}"
        raise UsageError(f".{command} knows no '{given}'", hint=hint)
    return word


def _mode(talk: Conversation, given: str) -> None:
    if not given:
        talk.out.line(f"mode {talk.form.format or 'table'}; there are {', '.join(MODES)}")
        return
    word = _ALIASES.get(given.lower(), given.lower())
    if word in FORMATS and FORMATS[word].binary:
        raise UsageError(f"{word} is nothing to show", hint=f"save it: .output FILE.{word}")
    talk.form = talk.form._replace(format=_chosen("mode", word, MODES))


def _output(talk: Conversation, given: str) -> None:
    target = _file(talk, given) if given not in ("", "-") else None
    talk.form = talk.form._replace(output=target)
    talk.written, talk.once = False, None


def _once(talk: Conversation, given: str) -> None:
    talk.once = _file(talk, given)


def _file(talk: Conversation, given: str) -> str:
    """Return a file's whole name; one that could not be written later is refused at once."""
    from cimis.queries.export.sinks import format_of

    path = Path(given).expanduser()
    if talk.form.format in (None, "table", LINE):
        format_of(path)
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}", hint="make it, or name another")
    return str(path)


def _timer(talk: Conversation, given: str) -> None:
    on = _chosen("timer", given, ("on", "off")) == "on"
    talk.timer, talk.perf = on, talk.perf and on


def _perf(talk: Conversation, given: str) -> None:
    talk.perf = _chosen("perf", given, ("on", "off")) == "on"


def _most_rows(talk: Conversation, given: str) -> None:
    if not given.isdecimal():
        raise UsageError(f"'{given}' is no number of rows", hint="write .maxrows 40")
    talk.form = talk.form._replace(most_shown=int(given))


def _units(talk: Conversation, given: str) -> None:
    talk.units = _chosen("units", given, ("metric", "english"))


def _qc(talk: Conversation, given: str) -> None:
    talk.qc = policy(given).value


def _tables(talk: Conversation, _: str) -> None:
    talk.out.rows(("name", "holds"), list(VIEWS.items()))


def _schema(talk: Conversation, given: str) -> None:
    views = (_chosen("schema", given, tuple(VIEWS)),) if given else tuple(VIEWS)
    rows = [
        (view, *facts)
        for view in views
        for facts in columns_of_view(view, kinds_of(talk.store, view), talk.units)
    ]
    talk.out.rows(("view", "column", "type", "unit", "holds"), rows, spare=("holds",))


def _named(talk: Conversation, _: str) -> None:
    from cimis.queries.answers.named import named_queries
    from cimis.queries.conversion import standard

    rows = [
        (q.name, q.description, "; ".join(f"{p.name}={p.default}" for p in q.parameters))
        for q in named_queries(standard(talk.units)).values()
    ]
    talk.out.rows(("name", "description", "parameters"), rows)


def _show(talk: Conversation, _: str) -> None:
    """Tell how answers are wanted now."""
    timing = "perf" if talk.perf else "on" if talk.timer else "off"
    facts = {
        "mode": talk.form.format or "table",
        "output": talk.once or talk.form.output or "the screen",
        "timer": timing,
        "maxrows": talk.form.shown,
        "units": talk.units,
        "qc": talk.qc,
    }
    talk.out.rows(("name", "value"), list(facts.items()))


def _help(talk: Conversation, given: str) -> None:
    if given:
        name = _chosen("help", given.removeprefix("."), tuple(COMMANDS))
        talk.out.line(_help_line(name))
        return
    talk.out.line("A question is SQL up to its semicolon, or the name of one of the library.")
    for name in COMMANDS:
        talk.out.line(_help_line(name))
    talk.out.line("Ctrl-C gives a question up, Ctrl-D leaves; so do exit and quit.")


def _help_line(name: str) -> str:
    command = COMMANDS[name]
    return f"{f'.{name} {command.takes}':<24}{command.does}"


def _leave(talk: Conversation, _: str) -> None:
    talk.left = True


def _files(talk: Conversation, given: str) -> None:
    talk.read(given)


_ON_OFF = ("on", "off")

COMMANDS: dict[str, Command] = {
    "exit": Command("", "leave", _leave),
    "help": Command("[COMMAND]", "this list, or a line of it", _help),
    "maxrows": Command("N", "show at most N rows of an answer on the screen", _most_rows),
    "mode": Command("[MODE]", "show answers as table, line, csv, json …", _mode, MODES),
    "named": Command("", "the library: questions that have a name", _named),
    "once": Command("FILE", "write the next answer to a file", _once),
    "output": Command("[FILE]", "write answers to a file; alone: to the screen again", _output),
    "perf": Command("on|off", "say where the time of each answer went", _perf, _ON_OFF),
    "qc": Command(
        "POLICY",
        "which flagged values count as missing: keep, drop-severe, strict",
        _qc,
        tuple(FlagPolicy),
    ),
    "quit": Command("", "leave", _leave),
    "read": Command("FILE", "take the questions and commands of a file", _files),
    "schema": Command("[VIEW]", "the views' columns with types and units", _schema, tuple(VIEWS)),
    "show": Command("", "how answers are wanted now", _show),
    "tables": Command("", "the views, and what they hold", _tables),
    "timer": Command("on|off", "say how long each answer took", _timer, _ON_OFF),
    "units": Command("SYSTEM", "units of answers: metric, english", _units, ("metric", "english")),
}
"""By name, without the dot."""
