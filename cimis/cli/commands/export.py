"""``cimis export``: what is stored as files or tables that other engines read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cimis.cli.options import data_dir, declare, option, printing, qc_option, stations_option
from cimis.cli.reckoning import completing
from cimis.cli.showing.output import Output

if TYPE_CHECKING:
    from cimis.exports.export import Exported

__all__ = ["command"]


@declare(
    "export",
    examples=[
        "cimis export lake --format parquet",
        "cimis export warehouse --format duckdb --scope daily",
        "cimis export lake --dry-run",
    ],
)
@click.argument("folder", metavar="DIR")
@option(
    "--format",
    "form",
    type=click.Choice(["parquet", "duckdb", "delta", "iceberg"]),
    default="parquet",
    show_default=True,
    help="Form of what is written: Parquet files parted by year, one DuckDB file, or tables "
    "of Delta or Iceberg.",
)
@option(
    "--scope",
    type=click.Choice(["daily", "hourly"]),
    help="Daily or hourly records; else both.",
)
@stations_option()
@qc_option("keep", "are written as missing: none, severely flagged ones, all flagged ones.")
@option("--dry-run", is_flag=True, help="Change nothing; say what would be written.")
@data_dir
@printing(talks=True)
def command(
    *,
    folder: str,
    form: str,
    scope: str | None,
    stations: str | None,
    qc: str,
    dry_run: bool,
    data_dir: str | None,
    out: Output,
) -> None:
    """Write what is stored into a folder as any engine reads it, a year at a time.

    Again into the same folder, only the years are written whose chunks have changed. Values are in
    metric units, a column for every item, with its flag in NAME_qc. Delta and Iceberg need their
    packages: pip install 'cimis[delta]' or 'cimis[iceberg]'.
    """
    from cimis.cli.session import opened
    from cimis.cli.showing.placed import stations_asked
    from cimis.naming.where import Where

    with opened(data_dir, None, told=out.note) as store:
        chosen = stations_asked(store.root, stations, Where(), (None, None), out)
        found = store.export(
            Path(folder),
            format=form,
            scope=scope,
            stations=chosen,
            qc=qc,
            dry_run=dry_run,
            on_year=None if out.as_json else lambda name: out.note(f"writing {name}"),
        )
    with completing(found.lacks, out):
        _tell(found, out, dry_run=dry_run)


def _tell(found: Exported, out: Output, *, dry_run: bool) -> None:
    if out.as_json:
        facts = {
            "folder": str(found.folder),
            "format": found.format,
            **{name: list(getattr(found, name)) for name in ("written", "kept", "removed")},
            "rows": found.rows,
            "dry_run": dry_run,
        }
        out.json(facts)
        return
    would = "would write" if dry_run else "wrote"
    out.line(
        f"{would} {len(found.written)} years, {found.rows:,} rows; "
        f"{len(found.kept)} stood, {len(found.removed)} removed: {found.folder} ({found.format})"
    )
    for name in found.written if dry_run else ():
        out.line(name)
