"""How commands give what was reckoned from stored rows: what lacks, the answer, the damage."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from cimis.cli.showing.answers import Form, deliver
from cimis.cli.showing.output import Output
from cimis.lacking import stop_at_damage
from cimis.pipeline.errors import NoDataError
from cimis.pipeline.lacks import Lacks

if TYPE_CHECKING:
    from cimis.season.reckoned import Reckoned

__all__ = ["completing", "give"]


@contextmanager
def completing(lacks: Lacks, out: Output, notes: Sequence[str] = ()) -> Iterator[None]:
    """Say what an answer lacks before it is given, and end with the damage once it is.

    Raises
    ------
    ChunkError
        Where damaged chunks had to be left out; the rest has been given by then.
    """
    out.lacks(replace(lacks, damaged=()))
    for note in notes:
        out.aside("note", note, note)
    yield
    stop_at_damage(lacks.damaged)


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
    with completing(found.lacks, out, found.notes):
        deliver(iter(found.table.to_batches()), found.table.schema, form=form, out=out)
