"""An answer reckoned from stored rows: its table, what it lacks, and what the table cannot say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cimis.lacking import warn_of_damage
from cimis.opened import Opened
from cimis.pipeline.errors import CimisError, NoDataError
from cimis.pipeline.lacks import Lacks
from cimis.pipeline.markup import Card
from cimis.queries.labelled.labelled import Labelled, Sense

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

    from cimis.queries.answers.rows import Rows

__all__ = ["Reckoned", "none_stored", "reckoned", "removed"]


@dataclass(frozen=True, slots=True, repr=False)
class Reckoned(Labelled):
    """What was reckoned.

    Attributes
    ----------
    table : pyarrow.Table
        One row per figure or group of figures; null where it cannot be known.
    lacks : Lacks
        What it is short of.
    notes : tuple of str
        How flags were taken, and what was left out.
    root : Path, optional
        The data directory that it is reckoned from.
    qc : str, optional
        The policy for flags.
    """

    table: pa.Table
    lacks: Lacks
    notes: tuple[str, ...] = ()
    root: Path | None = None
    qc: str | None = None

    def pl(self) -> pl.DataFrame:
        """Return the table as a :class:`polars.DataFrame`."""
        from cimis.queries.frames import whole

        return whole(self.table)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)

    def _sense(self) -> Sense:
        from cimis.queries.labelled.facts import facts_of

        facts = facts_of(self.table.schema, qc=self.qc, lacks=self.lacks, notes=self.notes)
        return Sense(self.table, facts, self.root)

    def _card(self) -> Card:
        from cimis.queries.labelled.first_rows import first_rows

        lacks = (self.lacks.text(),) if self.lacks else ()
        sheets = (first_rows(self.table),)
        return Card("Reckoned", "Reckoned from stored rows", {}, sheets, (*lacks, *self.notes))

    def __repr__(self) -> str:
        return self._card().line()


def reckoned(
    opened: Opened, table: pa.Table, lacks: Lacks, notes: tuple[str, ...], qc: str
) -> Reckoned:
    """Return an answer, and warn at once of damaged chunks that it leaves out."""
    warn_of_damage(lacks.damaged)
    return Reckoned(table, lacks, notes, opened.root, qc)


def none_stored(rows: Rows, schema: pa.Schema, what: str) -> CimisError:
    """Return what an answer without any figure ends with: the damage, or that nothing is stored.

    Its ``report`` is the empty answer, with what that lacks.
    """
    lacks = rows.lacks
    if lacks.damaged:
        from cimis.queries.engines.damage import error_of

        return error_of(lacks.damaged)
    error = NoDataError(what, hint="see what is stored with 'cimis stats' and 'cimis gaps'")
    error.report = Reckoned(schema.empty_table(), lacks)
    return error


def removed(count: int, qc: str) -> tuple[str, ...]:
    """Return in words how many values a flag policy made missing; nothing where none."""
    if not count:
        return ()
    return (f"{count:,} flagged value{'s' * (count != 1)} made missing by qc {qc}",)
