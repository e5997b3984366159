"""``cimis export-model``: a station's weather as the file that a model reads."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cimis.cli.options import (
    data_dir,
    declare,
    option,
    place_options,
    printing,
    qc_option,
    scope_option,
    span_options,
    stations_option,
)
from cimis.cli.reckoning import completing
from cimis.cli.showing.output import Output
from cimis.parsing import Days, today
from cimis.pipeline.errors import UsageError

if TYPE_CHECKING:
    from cimis.naming.where import Where
    from cimis.season.model_files import ModelFile

__all__ = ["command"]


@declare(
    "export-model",
    examples=[
        "cimis export-model --format pyfao56 --station 80 --year 2024 -o fresno.wth",
        "cimis export-model --format dssat --station 80 --year 2024 -o C0802401.WTH",
        "cimis export-model --format chillr --station 80 --year 2024 -o fresno.csv",
        "cimis export-model --format chillr --station 80 --month 2024-07 --hourly -o hours.csv",
    ],
)
@option(
    "--format",
    "form",
    type=click.Choice(["pyfao56", "dssat", "chillr"]),
    help="Form of what is written, by the model that reads it: "
    "pyfao56 (.wth), DSSAT (.WTH), chillR (CSV as its handle_cimis gives).",
)
@stations_option()
@place_options
@span_options
@scope_option
@qc_option("drop-severe", "are missing in the file: none, severely flagged ones, all flagged.")
@option("-o", "--output", metavar="FILE", help="Save to a file; else standard output.")
@data_dir
@printing(talks=True)
def command(
    *,
    form: str | None,
    stations: str | None,
    where: Where,
    days: Days,
    scope: str,
    qc: str,
    output: str | None,
    data_dir: str | None,
    out: Output,
) -> None:
    """Save the weather of one station as the file that a model reads, in the model's units.

    Every day from the first to the last has a row; what lacks is written as the model's missing
    value, and said. Only chillR reads hours. With --json the answer tells of the file saved.
    """
    from cimis.cli.session import opened
    from cimis.cli.showing.placed import stations_asked

    if form is None:
        raise UsageError("no model is named", hint="give --format pyfao56, dssat or chillr")
    to_file = output not in (None, "-")
    if out.as_json and not to_file:
        raise UsageError("a model's file is no JSON", hint="save it with -o FILE")
    first, last = days.open(today())
    with opened(data_dir, None, told=out.note) as store:
        numbers = stations_asked(store.root, stations, where, (first, last), out)
        if numbers is None:
            raise UsageError("no station is named", hint="give --station, or --near")
        found = store.export_model(form, numbers, first, last, scope=scope, qc=qc)
    with completing(found.lacks, out, found.notes):
        _give(found, form, str(output) if to_file else None, out)


def _give(found: ModelFile, model: str, path: str | None, out: Output) -> None:
    """Save the text, or print it where no file is named."""
    from cimis.queries.export.replacing import replacing

    content = found.text.encode()
    if path is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    with replacing(Path(path)) as stream:
        stream.write(content)
    if out.as_json:
        out.json({"path": path, "format": model, "rows": found.rows, "bytes": len(content)})
    else:
        out.note(f"wrote {found.rows:,} rows, {len(content):,} bytes to {path}")
