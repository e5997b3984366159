"""``cimis init``: make a data directory, or take over an archive of chunks."""

from __future__ import annotations

from pathlib import Path

import click

from cimis.cli.options import data_dir, declare, option, printing
from cimis.cli.showing.output import Output, counted
from cimis.pipeline.errors import CheckFailed, UsageError

__all__ = ["command"]


@declare(
    "init",
    examples=["cimis init", "cimis init --data-dir /srv/cimis", "cimis init --adopt archive"],
)
@click.argument("directory", required=False, metavar="[DIR]")
@option(
    "--adopt",
    is_flag=True,
    help="Take over chunks that lie there unlisted, as those of the older program.",
)
@data_dir
@printing(talks=True)
def command(*, directory: str | None, adopt: bool, data_dir: str | None, out: Output) -> None:
    """Make a data directory, unless it is one already.

    With --adopt a folder of chunks becomes one: each chunk is checked to the last byte and entered
    into a new catalog; chunks of a flat folder (002_2018_daily.zst) are moved to their places; a
    metadata.sqlite3 of the older program is renamed and kept.
    """
    from cimis.cli.session import data_root
    from cimis.directory import make_directory

    if directory is not None and data_dir is not None:
        raise UsageError("DIR and --data-dir say the same twice", hint="give one of them")
    root = data_root(directory or data_dir)
    if adopt:
        _take_over(root, out)
        return
    make_directory(root)
    if out.as_json:
        out.json({"data_dir": str(root)})
    out.note(f"data directory: {root}")


def _take_over(root: Path, out: Output) -> None:
    from cimis.cli.session import refreshed
    from cimis.cli.showing.progress import counting
    from cimis.pipeline.care.adopt import adopt

    with counting(out, "reading chunks") as on_chunk:
        done = adopt(root, on_chunk=on_chunk)
    refreshed(root, out)
    facts = done.as_dict()
    if out.as_json:
        out.json({"data_dir": str(root)} | facts)
    if done.set_aside is not None:
        out.note(f"the metadata.sqlite3 that was there is now {done.set_aside}, unchanged")
    for path, reason in done.left:
        out.warn(f"{path} was left where it is: {reason}")
    before = f", {done.listed_before:,} were before" if done.listed_before else ""
    out.note(
        f"data directory: {root}; {counted(facts['chunks'], 'chunk')} taken over "
        f"({facts['v1']:,} in format V1, {facts['rows']:,} rows, "
        f"{len(done.moved):,} moved to their places){before}"
    )
    if done.left:
        raise CheckFailed(
            f"{counted(len(done.left), 'file')} not taken over; the others are",
            hint="see the warnings; 'cimis verify' checks all that is there",
        )
