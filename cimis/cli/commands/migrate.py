"""``cimis migrate``: rewrite chunks from one format to the other."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cimis.cli.options import data_dir, declare, option, printing, stations_option
from cimis.cli.showing.output import Output, counted
from cimis.parsing import parse_stations, today, year_span
from cimis.pipeline.errors import CheckFailed

if TYPE_CHECKING:
    from cimis.pipeline.care.migrate import Migration

__all__ = ["command"]


@declare(
    "migrate",
    examples=[
        "cimis migrate",
        "cimis migrate --stations 2,5-7 --year 2020-2024 --dry-run",
        "cimis migrate --format v1 --dry-run",
        "cimis migrate --format v1 --output old-archive",
    ],
)
@option(
    "--format",
    "form",
    type=click.Choice(["v2", "v1"]),
    default="v2",
    show_default=True,
    help="Form of what is written: V2, or V1, the older program's, which cannot hold everything.",
)
@option("-o", "--output", metavar="DIR", help="Save to another data directory; the chunks stay.")
@stations_option()
@option(
    "--year",
    metavar="YEAR",
    once="a range is written 2020-2024; years apart take a run each",
    help="A whole year, a range 2020-2024; this (to yesterday) or last; else all that are stored.",
)
@option("--allow-loss", is_flag=True, help="Go ahead where V1 cannot hold everything.")
@option("--dry-run", is_flag=True, help="Change nothing; say what would be rewritten, and lost.")
@data_dir
@printing(talks=True)
def command(
    *,
    form: str,
    output: str | None,
    stations: str | None,
    year: str | None,
    allow_loss: bool,
    dry_run: bool,
    data_dir: str | None,
    out: Output,
) -> None:
    """Rewrite chunks in the other format, in place or into another directory.

    Each chunk is read back before it takes the old one's place, and a run that was ended goes on
    where it stopped. V1 cannot hold most items, the letters of flags, or values out of its range:
    in place nothing is written where something would be lost, unless --allow-loss is given.
    A damaged chunk stays as it was; the exit code is then 8.
    """
    from cimis.cli.session import data_root, refreshed
    from cimis.cli.showing.progress import counting
    from cimis.tasks.care import migrated

    root = data_root(data_dir)
    target = None if output is None else Path(output).expanduser()
    years = None if year is None else year_span(year, today())
    found = migrated(
        root,
        form,
        target=target,
        stations=parse_stations(stations),
        years=None if years is None else (years[0].year, years[1].year),
        allow_loss=allow_loss,
        dry_run=dry_run,
        watch=partial(counting, out),
    )
    if not dry_run:
        refreshed(root if target is None else target, out)
    _tell(found, out, dry_run=dry_run)


def _tell(found: Migration, out: Output, *, dry_run: bool) -> None:
    facts = found.as_dict()
    if out.as_json:
        out.json({"dry_run": dry_run, **facts, "lacks": found.lacks.as_dict()})
    else:
        out.lacks(found.lacks)
    verb = "would be written" if dry_run else "written"
    out.note(
        f"{counted(facts['chunks'], 'chunk')} {verb} as {found.form}: "
        f"{facts['bytes_before']:,} bytes before, {facts['bytes_after']:,} after"
    )
    lost = "would be lost" if dry_run else "lost"
    for item, count in found.losses.items():
        form = found.form.upper()
        out.warn(f"{item}: {counted(count, 'value')} or flags {lost}, as {form} cannot hold them")
    for chunk in found.failed:
        out.warn(f"{chunk.path} stays as it is: {chunk.error}")
    if found.failed:
        raise CheckFailed(
            f"{len(found.failed)} of {counted(len(found.chunks), 'chunk')} could not be rewritten",
            hint="'cimis verify --repair' quarantines damaged files; then fetch their days again",
        )
