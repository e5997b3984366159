"""``cimis import``: files of the network's archives into the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cimis.cli.options import data_dir, declare, option, printing, stations_option
from cimis.cli.showing.output import Output, counted
from cimis.parsing import parse_stations
from cimis.pipeline.errors import NoDataError

if TYPE_CHECKING:
    from cimis.pipeline.archive.intake import Intake

__all__ = ["command"]

_NAMED = 10
"""So many files that are no archives are named; of more it is said how many."""


@declare(
    "import",
    examples=[
        "cimis import dailyStns2016.zip dailyStns2018.zip",
        "cimis import archives/ --stations 2,5-7 --dry-run",
        "cimis import hourly_report.csv --keep import",
    ],
)
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@stations_option()
@option(
    "--keep",
    type=click.Choice(["stored", "import"]),
    default="stored",
    show_default=True,
    help="Whose value is kept where both have one.",
)
@option(
    "--ftp-units",
    type=click.Choice(["english", "metric"]),
    default="english",
    show_default=True,
    help="Units of FTP files, whose names do not tell; web reports do.",
)
@option("--dry-run", is_flag=True, help="Change nothing; read and count.")
@data_dir
@printing(talks=True)
def command(
    *,
    paths: tuple[Path, ...],
    stations: str | None,
    keep: str,
    ftp_units: str,
    dry_run: bool,
    data_dir: str | None,
    out: Output,
) -> None:
    """Store files of the network's archives: FTP zips of years or months, and web-report CSVs.

    English units become metric. What is stored stays as it is: only rows that are not there and
    values that are missing are taken from the archive, and what differs is counted. All files are
    read and checked before the first is stored. A folder means all archives below it; its other
    files are left out, and named.
    """
    from cimis.cli.session import data_root, refreshed
    from cimis.cli.showing.progress import phases
    from cimis.tasks.care import imported

    root = data_root(data_dir)
    failure: NoDataError | None = None
    with phases(out) as show:
        try:
            done: Intake = imported(
                root,
                paths,
                stations=parse_stations(stations),
                prefer=keep,
                units=ftp_units,
                dry_run=dry_run,
                on_file=lambda path, number, total: show(
                    "reading", number, total, f"{path.name} ({number + 1} of {total})"
                ),
                on_store=lambda number, total: show(
                    "storing", number, total, "" if number else f"{counted(total, 'table')}"
                ),
            )
        except NoDataError as error:
            done, failure = error.report, error
    if not dry_run:
        refreshed(root, out)
    _tell(done, out, keep, failure)


def _tell(done: Intake, out: Output, keep: str, failure: NoDataError | None) -> None:
    """Print the figures, and say what was left out, what lacks and what differs."""
    left_out = [{"path": str(path), "what": what} for path, what in done.left_out.items()]
    facts = done.as_dict()
    if out.as_json:
        out.json(facts | {"left_out": left_out, "lacks": done.lacks.as_dict()})
    if failure is not None:
        raise failure
    if out.as_json:
        return
    for other in left_out[:_NAMED]:
        out.note(f"left out {other['path']}: it is {other['what']}")
    if len(left_out) > _NAMED:
        out.note(f"left out {len(left_out) - _NAMED:,} other files; --json lists them")
    out.lacks(done.lacks)
    if out.to_people:
        out.facts(facts)
    else:
        out.rows(tuple(facts), [tuple(facts.values())])
    if done.differing:
        kept = "kept as stored" if keep == "stored" else "replaced by the archive's"
        out.note(f"{done.differing:,} values differ from the archive's and were {kept}")
