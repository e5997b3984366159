"""Write ``docs/man``, a page of the manual for each command, from the commands' own help.

The wheel installs them, so that ``man cimis-query`` works; a test compares them with the help.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

from cimis.cli.app import COMMANDS, SECTIONS, cli
from cimis.version import __version__

FOLDER = Path(__file__).with_name("man")
_DAY = "2026-11-28"
"""Of the pages' form; so that the same help makes the same pages on any day."""
_ABOUT = (
    "California's CIMIS weather and reference evapotranspiration on your own disk: "
    "fetch, store, query."
)
_ENDS = """\
.SH ENVIRONMENT
.TP
.B CIMIS_APP_KEY
Key of the Web API. It is sent in a header, and never printed or stored.
.TP
.B CIMIS_BASE_URL
Address of the service.
.TP
.B CIMIS_DATA_DIR
Data directory.
.TP
.BR CIMIS_CACHE ", " CIMIS_CACHE_DIR
Bound and place of the read cache.
.TP
.B CIMIS_CONFIG
Configuration file.
.SH EXIT STATUS
0 done; 1 a bug; 2 wrong use; 3 nothing matched; 4 stopped part\\-way, run it again; 5 the key is
missing or refused; 6 the service or the network fails; 7 the data directory or a chunk cannot be
used; 8 a check did not hold; 130 interrupted.
"""


def pages() -> dict[str, str]:
    """Return the text of each page by its file's name."""
    found = {"cimis.1": _overview()}
    for name in COMMANDS:
        found[f"cimis-{name}.1"] = _command(name)
    return found


def _head(name: str) -> str:
    return f'.TH {name.upper()} 1 "{_DAY}" "cimis {__version__}" "User Commands"\n'


def _overview() -> str:
    parts = [_head("cimis"), f".SH NAME\ncimis \\- {_plain(_ABOUT)}\n"]
    parts.append(".SH SYNOPSIS\n.B cimis\n.I COMMAND\n.RI [ options ]\n.SH COMMANDS\n")
    for section in SECTIONS:
        parts.append(f".SS {_plain(section)}\n")
        for name, entry in COMMANDS.items():
            if entry.section == section:
                parts.append(f".TP\n.BR cimis\\-{_plain(name)} (1)\n{_plain(entry.help)}\n")
    return "".join(parts) + _ENDS


def _command(name: str) -> str:
    context = click.Context(cli, info_name="cimis")
    command = cli.get_command(context, name)
    assert command is not None
    inner = click.Context(command, parent=context, info_name=name)
    text = (command.help or COMMANDS[name].help).split("\f")[0]
    parts = [
        _head(f"cimis-{name}"),
        f".SH NAME\ncimis\\-{_plain(name)} \\- {_plain(COMMANDS[name].help)}\n",
        ".SH SYNOPSIS\n" + _synopsis(name, command, inner),
        ".SH DESCRIPTION\n" + _paragraphs(text),
    ]
    records = [
        record
        for parameter in command.get_params(inner)
        if (record := parameter.get_help_record(inner)) is not None
    ]
    if records:
        parts.append(".SH OPTIONS\n")
        parts += [f".TP\n.B {_plain(form)}\n{_plain(said) or '.'}\n" for form, said in records]
    if examples := _examples(command, inner):
        parts.append(".SH EXAMPLES\n" + examples)
    return "".join(parts) + _ENDS + ".SH SEE ALSO\n.BR cimis (1)\n"


def _synopsis(name: str, command: click.Command, inner: click.Context) -> str:
    usage = " ".join(command.collect_usage_pieces(inner))
    return f".B cimis {_plain(name)}\n{_plain(usage)}\n"


def _paragraphs(text: str) -> str:
    """Return running text; blocks that click does not wrap, after a backspace, stay as they are."""
    found = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = [line.strip() for line in block.splitlines()]
        if lines[0] == "\b":
            found.append(".PP\n.nf\n" + "\n".join(map(_plain, lines[1:])) + "\n.fi\n")
        else:
            found.append(".PP\n" + _plain(" ".join(lines)) + "\n")
    return "".join(found).removeprefix(".PP\n")


def _examples(command: click.Command, inner: click.Context) -> str:
    """Return the examples at the end of a command's help."""
    _, found, rest = command.get_help(inner).partition("\nExamples:\n")
    lines = [line.strip() for line in rest.splitlines()] if found else []
    return ".nf\n" + "\n".join(map(_plain, lines)).strip() + "\n.fi\n" if lines else ""


def _plain(text: str) -> str:
    """Return text that roff shows as it is."""
    one = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + one if one[:1] in ".'" else one


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    made = pages()
    for path in FOLDER.glob("*.1"):
        if path.name not in made:
            path.unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    sys.stdout.write(f"{len(made)} pages in {FOLDER}\n")
