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
    import pyarrow as pa

    from cimis.season.reckoned import Reckoned

__all__ = ["completing", "give", "give_table"]


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
    give_table(found.table, found.lacks, form=form, out=out, notes=found.notes)


def give_table(
    table: pa.Table, lacks: Lacks, *, form: Form, out: Output, notes: Sequence[str] = ()
) -> None:
    """Print or save a table, say what it lacks, and end with the damage.

    Raises
    ------
    NoDataError
        Where it has no rows, unless that was allowed.
    ChunkError
        Where damaged chunks had to be left out; the rest has been given by then.
    """
    with completing(lacks, out, notes):
        deliver(
            iter(table.to_batches()),
            table.schema,
            form=form,
            out=out,
            lacking=lacks.text,
            notes=notes,
        )
