"""The group of commands; a command's module is imported only when that command is used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from cimis.cli.long_options import LongOption, keep_typos
from cimis.cli.options import help_option

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["ALIASES", "COMMANDS", "SECTIONS", "Entry", "ReaderLeft", "cli"]


class Entry(NamedTuple):
    """Where a command lives, and its line in the list of commands."""

    section: str
    module: str
    help: str


SECTIONS = ("Start", "Fetch", "Ask", "Look after", "Look up")

COMMANDS: dict[str, Entry] = {
    "demo": Entry("Start", "demo", "Fetch, verify and query, end to end, on an embedded server."),
    "init": Entry("Start", "init", "Make a data directory."),
    "fetch": Entry("Fetch", "fetch", "Fetch stations and store them."),
    "sync": Entry("Fetch", "sync", "Bring what is stored up to date."),
    "import": Entry("Fetch", "import_", "Store files of the network's archives."),
    "emulator": Entry("Fetch", "emulator", "Run an embedded server that answers like the service."),
    "query": Entry("Ask", "query", "Print or save the records of stations over a range of dates."),
    "sql": Entry("Ask", "sql", "Answer a question in SQL over all that is stored."),
    "stats": Entry("Ask", "stats", "Show what is stored: rows, years, bytes."),
    "gaps": Entry("Ask", "gaps", "Tell which days and values are not there."),
    "plot": Entry("Ask", "plot", "Draw what is stored, in the terminal or as a picture."),
    "eto": Entry("Ask", "eto", "Compute reference ET, compare it with the network's, fill gaps."),
    "qc": Entry("Ask", "qc", "Judge sensors: drift, stuck, odd values; by neighbours too."),
    "fill": Entry("Ask", "fill", "Fill gaps of daily values, each with its source and error."),
    "degree-days": Entry("Ask", "degree_days", "Count degree days, daily and in total."),
    "chill": Entry("Ask", "chill", "Count winter chill: hours, Utah units, portions."),
    "normals": Entry("Ask", "normals", "Tell what is normal for each day or month."),
    "crop-et": Entry("Ask", "crop_et", "Tell by week what crops used, and are to be expected to."),
    "report": Entry("Ask", "report", "Save what days of stations amounted to as one page."),
    "export": Entry("Ask", "export", "Write files and tables that other engines read."),
    "export-model": Entry("Ask", "export_model", "Save weather as the file that a model reads."),
    "doctor": Entry("Look after", "doctor", "Look at key, service, clock, store, cache, versions."),
    "profile": Entry("Look after", "profile", "Tell where the time and memory of a command go."),
    "verify": Entry("Look after", "verify", "Check every byte of every chunk, and the catalog."),
    "migrate": Entry("Look after", "migrate", "Rewrite chunks from V1 to V2, or back."),
    "compact": Entry("Look after", "compact", "Make questions over everything fast."),
    "cache": Entry("Look after", "cache", "Show what the read cache holds, or delete it."),
    "serve-metrics": Entry("Look after", "serve_metrics", "Serve metrics for Prometheus."),
    "inspect": Entry("Look after", "inspect", "Show what is inside one chunk file."),
    "stations": Entry("Look up", "stations", "List the stations of the network."),
    "zip-codes": Entry("Look up", "zip_codes", "List zip codes and the stations that serve them."),
    "items": Entry("Look up", "items", "List the data items with meaning and unit."),
    "flags": Entry("Look up", "flags", "List the quality-control flags."),
    "config": Entry("Look up", "config", "Show every setting and where it comes from."),
    "completion": Entry("Look up", "completion", "Print the completion script for a shell."),
    "help": Entry("Look up", "help", "Say what a command does and takes, as its --help."),
    "version": Entry("Look up", "version", "Print the version."),
}

ALIASES = {"fetch-streaming": "fetch", "ingest": "fetch"}
"""Names that the older program used, and the commands that they mean."""


class ReaderLeft(Exception):
    """Whoever read standard output has closed it."""


class LazyGroup(click.Group):
    """A group that knows its commands by name and one line, and loads a command on demand."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the names, without importing anything."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command, also by its older name."""
        entry = COMMANDS.get(ALIASES.get(cmd_name, cmd_name))
        if entry is None:
            return None
        command = import_module(f"cimis.cli.commands.{entry.module}").command
        assert isinstance(command, click.Command)
        return command

    def make_parser(self, ctx: click.Context) -> Any:
        """Return the parser of what stands before the command's name."""
        parser = super().make_parser(ctx)
        keep_typos(parser, ctx)
        return parser

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first word names, or say which one is near."""
        name = ALIASES.get(args[0], args[0])
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            from difflib import get_close_matches

            near = get_close_matches(name, COMMANDS, n=1)
            guess = f"; did you mean '{near[0]}'?" if near else ""
            raise click.UsageError(f"no such command '{name}'{guess}", ctx)
        return super().resolve_command(ctx, [name, *args[1:]])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands that begin as typed, from the table alone, and options."""
        from click.shell_completion import CompletionItem

        names = [
            CompletionItem(name, help=entry.help)
            for name, entry in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; click itself would turn a reader that left into exit code 1."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise ReaderLeft from error

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands by section, from the table alone."""
        for section in SECTIONS:
            rows = [(name, e.help) for name, e in COMMANDS.items() if e.section == section]
            if rows:
                with formatter.section(section):
                    formatter.write_dl(rows)
        with formatter.section("Older names"):
            formatter.write_dl([(name, f"The same as {meant}.") for name, meant in ALIASES.items()])


def _print_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value:
        from cimis.version import __version__

        click.echo(f"cimis {__version__}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    add_help_option=False,
    invoke_without_command=True,
)
@click.option(
    "--version",
    cls=LongOption,
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version and leave.",
)
@click.pass_context
def cli(ctx: click.Context) -> None:
    """California's CIMIS weather and reference evapotranspiration on your own disk.

    Long options take two dashes or one. Every command says more with --help.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


cli.params.append(help_option())
