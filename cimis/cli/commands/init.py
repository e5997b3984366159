"""``cimis init``: make a data directory."""

from __future__ import annotations

import click

from cimis.cli.options import data_dir, declare, printing
from cimis.cli.output import Output
from pipeline.errors import UsageError

__all__ = ["command"]


@declare("init", examples=["cimis init", "cimis init --data-dir /srv/cimis"])
@click.argument("directory", required=False, metavar="[DIR]")
@data_dir
@printing(talks=True)
def command(*, directory: str | None, data_dir: str | None, out: Output) -> None:
    """Make a data directory, unless it is one already."""
    from cimis.cli.session import data_root
    from cimis.store import create

    if directory is not None and data_dir is not None:
        raise UsageError("DIR and --data-dir say the same twice", hint="give one of them")
    with create(data_root(directory or data_dir)) as store:
        if out.as_json:
            out.json({"data_dir": str(store.root)})
        out.note(f"data directory: {store.root}")
