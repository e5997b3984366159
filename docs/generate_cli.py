"""Write ``docs/cli.md`` from the commands' own help; a test compares the two."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cimis.cli.app import ALIASES, COMMANDS, SECTIONS, cli

PAGE = Path(__file__).with_name("cli.md")
WIDTH = 96

HEAD = """\
# The command line

Made by `just docs` from the help of the commands; do not edit.

Long options take two dashes or one: `-stations 2,5-7` is `--stations 2,5-7`. Data go to standard
output and nothing else does; progress, notes and errors go to standard error. On a terminal an
answer is a table; into a pipe it is CSV unless `--format` says otherwise; `-o name.suffix` picks
the format by the suffix. Both ends of a range of dates are inclusive.

## Exit codes

| code | meaning |
|--:|---|
| 0 | done, complete |
| 1 | a bug in cimis: the message says where the trace is and asks for a report |
| 2 | wrong use: an option, date, station, item or setting that cannot be meant |
| 3 | nothing matched (`--allow-empty` makes that 0) |
| 4 | stopped part-way, or some stations failed; what is finished is kept, running again continues |
| 5 | the API key is missing or refused |
| 6 | the service or the network fails, or limits the rate |
| 7 | the data directory, a chunk or a file cannot be used: damaged, of a wrong version, full |
| 8 | a check did not hold (`verify`, `doctor`, `gaps --fail-under`, `qc --fail-on`) |
| 130, 143 | interrupted by the user, terminated; a fetch only by a second signal, a first gives 4 |
| 141 | the reader of standard output went away |

An error is one line that says what was wrong and, mostly, one that says what to do:

    error: unknown daily item 'air_temp_avg'
    hint: did you mean 'air_tmp_avg'? see 'cimis items --scope daily'

With `--json` it is one JSON object on standard error: `{"error": {"class": …, "message": …}}`.

An answer that is less than what was asked says so in a line on standard error, or with `--json`
in a field `lacks` of its document, beside rows in an object of standard error: `{"lacks": {…}}`.
So does `--near` of whom it chose: the nearest of the stations that worked in the days asked for.
`--quiet` leaves both out.

What a fetch prints with `--json`, also one that failed or was stopped, is one document after
[report.schema.json](report.schema.json).
"""


def page() -> str:
    """Return the whole page."""
    parts = [HEAD]
    context = click.Context(cli, info_name="cimis", max_content_width=WIDTH, terminal_width=WIDTH)
    for section in SECTIONS:
        parts.append(f"\n## {section}\n")
        for name, entry in COMMANDS.items():
            if entry.section == section:
                parts.append(f"\n### cimis {name}\n\n{entry.help}\n\n```text\n")
                parts.append(_help(context, name) + "\n```\n")
    older = ", ".join(f"`{name}` is `{meant}`" for name, meant in ALIASES.items())
    parts.append(f"\n## Older names\n\nThe older program's names go on working: {older}.\n")
    return "".join(parts)


def _help(parent: click.Context, name: str) -> str:
    command = cli.get_command(parent, name)
    assert command is not None
    return click.Context(command, parent=parent, info_name=name).get_help().rstrip()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE}\n")
