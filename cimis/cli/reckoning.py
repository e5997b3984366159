"""What the commands that reckon from stored rows share: the policy for flags, and the delivery."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from cimis.cli.options import option
from cimis.cli.showing.answers import Form, deliver
from cimis.cli.showing.output import Output
from cimis.pipeline.errors import NoDataError
from cimis.pipeline.lacks import Lacks

if TYPE_CHECKING:
    from cimis.season.reckoned import Reckoned

__all__ = ["give", "qc_option"]


def qc_option(default: str) -> Callable[..., Any]:
    """Add ``--qc``: which flagged values do not count."""
    return option(
        "--qc",
        type=click.Choice(["keep", "drop-severe", "strict"]),
        default=default,
        show_default=True,
        help="Which flagged values count as missing: none, severely flagged ones, all flagged.",
    )


def give(ask: Callable[[], Reckoned], *, form: Form, out: Output) -> None:
    """Print or save an answer, and say what it lacks.

    Raises
    ------
    NoDataError
        Where there is no figure, unless that was allowed.
    ChunkError
        Where damaged chunks had to be left out; the rest has been given by then.
    """
    try:
        found = ask()
    except NoDataError as error:
        if error.report is None:
            raise
        out.lacks(error.report.lacks)
        if not form.allow_empty:
            raise
        found = replace(error.report, lacks=Lacks())
    lacks = found.lacks
    out.lacks(replace(lacks, damaged=()))
    for note in found.notes:
        out.aside("note", note, note)
    deliver(iter(found.table.to_batches()), found.table.schema, form=form, out=out)
    if lacks.damaged:
        from cimis.queries.engines.damage import error_of

        raise error_of(lacks.damaged)
