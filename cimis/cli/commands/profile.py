"""``cimis profile``: where the time and the memory of a command go."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cimis.cli.completing import commands
from cimis.cli.options import declare, option, printing
from cimis.cli.showing.output import Output
from cimis.pipeline.errors import CimisError, UsageError

if TYPE_CHECKING:
    from cimis.cli.profiling.profile import Profile

__all__ = ["command"]

_SELF = "profile"
_ENDLESS = ("emulator", "serve-metrics")


@declare(
    "profile",
    examples=[
        "cimis profile query --station 80 --month 2024-07",
        "cimis profile --functions sql frost-nights --station 80",
        "cimis profile --json fetch --station 5 --month 2024-08",
        "cimis profile -o profile.json stats",
    ],
    context_settings={"allow_interspersed_args": False},
)
@click.argument(
    "words",
    metavar="COMMAND [ARGS]...",
    nargs=-1,
    required=True,
    type=click.UNPROCESSED,
    shell_complete=commands,
)
@option(
    "--functions",
    is_flag=True,
    help="Find the heaviest functions too, which makes Python's own code slower.",
)
@option("-o", "--output", metavar="FILE", help="Save to a file, in JSON.")
@printing()
@click.pass_context
def command(
    context: click.Context,
    *,
    words: tuple[str, ...],
    functions: bool,
    output: str | None,
    out: Output,
) -> int:
    """Run a command, and tell where its time and memory went.

    The command answers as without it, and its exit code is this one's; the profile goes to standard
    error, with --json as one line. The phases are those of the command's own timings, each with
    its share and what it handled in a second; of a fetch the requests' are added up. Then come the
    time of imports, by package, and the most memory that was resident. Options of the command
    stand behind its name.
    """
    from cimis.cli.profiling.measuring import measured
    from cimis.cli.profiling.profile import Profile
    from cimis.cli.session import data_root

    whole = context.find_root()
    assert isinstance(whole.command, click.Group)
    name, found, rest = whole.command.resolve_command(whole, list(words))
    assert found is not None
    if name == _SELF or name in _ENDLESS:
        raise UsageError(f"'{name}' cannot be profiled", hint="name a command that ends")
    with found.make_context(name, rest, parent=whole) as made:
        fetches = "concurrency" in made.params
        root = data_root(made.params["data_dir"]) if fetches else None
        profile = Profile(words)
        try:
            with measured(profile, functions=functions, root=root):
                profile.exit_code = _code(found.invoke(made))
        except (CimisError, click.ClickException) as error:
            profile.exit_code = error.exit_code
            raise
        finally:
            _give(profile, output, out)
    return profile.exit_code


def _code(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _give(profile: Profile, output: str | None, out: Output) -> None:
    """Print the profile to standard error, or save it."""
    import json
    import sys

    if output is not None:
        from cimis.queries.export.replacing import replacing

        text = json.dumps(profile.as_dict(), indent=2, ensure_ascii=False)
        with replacing(Path(output)) as stream:
            stream.write(text.encode() + b"\n")
        out.note(f"wrote the profile to {output}")
        return
    sys.stdout.flush()
    out.note(json.dumps({"profile": profile.as_dict()}) if out.as_json else profile.as_text())
