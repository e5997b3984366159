"""Answers to SQL: streamed, or kept as a table, and the errors on the way told as ours."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from cimis.pipeline.lacks import Lacks
from cimis.queries.engines.damage import LeftOut, left_out
from cimis.queries.engines.engine import Engine
from cimis.queries.engines.forks import check_owner, check_polars
from cimis.queries.engines.inventory import Named
from cimis.queries.engines.run import Few, Heads, Run
from cimis.queries.engines.sandbox import translated
from cimis.queries.engines.seat import Parameters
from cimis.queries.engines.words import tables_in
from cimis.queries.labelled.labelled import Labelled, Sense
from cimis.queries.mirror.sight import Sight
from cimis.queries.native import is_damage, native
from cimis.queries.timing import QueryTimings

if TYPE_CHECKING:
    import pyarrow as pa

    from cimis.pipeline.markup import Card
    from cimis.queries.answers.tally import Tally

__all__ = ["Answer", "Heads"]

T = TypeVar("T")


class Answer(Labelled):
    """The answer to one SQL question: read it as often as wanted, in any form.

    The question is checked when asked and runs when it is first read. :meth:`batches` streams;
    reading again asks again, unless :meth:`table` (or ``pl``, ``df``) was called, which
    keeps the rows. With an unsafe engine it runs when asked, since it may do more than answer.
    Columns of one name are numbered (``x``, ``x_1``), as DuckDB does in a table.

    Parameters
    ----------
    engine : Engine
    text : str
        One statement that reads; with ``unsafe`` any number of any kind, of which the last one
        answers.
    parameters : sequence or mapping, optional
        Values for ``?`` (and ``$1``) or for ``$name``.
    sight : Sight
        Under which flag policy and in which units rows are seen.
    unsafe : bool
    named : Named, optional
        The chunks that the question is known to name.
    timings : QueryTimings, optional
    tally : Tally, optional
        Counts the rows where it is known which stations were asked for.
    heads : mapping of str to mapping, optional
        Metadata of columns by name, such as their units, which SQL does not carry.

    Attributes
    ----------
    damaged : list of LeftOut
        Chunks whose rows the answer may lack, because they are damaged; known once it has run.
    heads : mapping of str to mapping
        What is known of the columns of :meth:`few`, by name: that of a schema's field metadata.

    Raises
    ------
    UsageError
        For SQL that is wrong or not allowed; the message is DuckDB's first line. What is wrong with
        a column or a value is told when the answer is read.
    """

    def __init__(
        self,
        engine: Engine,
        text: str,
        parameters: Parameters | None = None,
        *,
        sight: Sight = Sight(),  # noqa: B008 -- it cannot be changed
        unsafe: bool = False,
        named: Named | None = None,
        timings: QueryTimings | None = None,
        tally: Tally | None = None,
        heads: Heads | None = None,
    ) -> None:
        self.tally = tally
        self._engine = engine
        self._text = text
        self._parameters = parameters
        self._sight = sight
        self._unsafe = unsafe
        self._named = named
        self._process = os.getpid()
        self._heads = heads or {}
        self._table: pa.Table | None = None
        self.timings = timings or QueryTimings()
        self.damaged: list[LeftOut] = []
        self.heads: Heads = {}
        self._connection: Any = None
        self._fresh: Run | None = self._run()
        if unsafe:
            self.table()

    def _run(self, *, roomy: bool = False) -> Run:
        check_owner(self._process)
        run, self._fresh = getattr(self, "_fresh", None), None
        if run is None or roomy:
            seat = self._engine.seat(
                self._text,
                sight=self._sight,
                timings=self.timings,
                unsafe=self._unsafe,
                named=self._named,
                roomy=roomy,
            )
            self._connection = seat.connection
            tables = tables_in(self._text)
            run = Run(seat, self._text, self._parameters, self.timings, self._heads)
            if tables:
                self.damaged = left_out(seat.instance, tables, self._named)
        return run

    def _asked(self, ask: Callable[[Run], T]) -> T:
        """Return what a run gives; with more room, or a new mirror, where the first one failed."""
        duck = native()
        run = self._run()
        try:
            return ask(run)
        except duck.OutOfMemoryException:
            run.close()
            run = self._run(roomy=True)
        except duck.Error as error:
            run.close()
            if self._unsafe or not is_damage(error):
                raise translated(error) from error
            self._engine.distrust(run.seat)
            run = self._run()
        try:
            return ask(run)
        except duck.Error as error:
            run.close()
            raise translated(error) from error

    def stop(self) -> None:
        """Let the question that another thread waits for end at once, with an error there."""
        if self._connection is not None:
            self._connection.interrupt()

    @property
    def question(self) -> str:
        """The question as it was asked."""
        return self._text

    @property
    def lacks(self) -> Lacks:
        """What the rows are less than what was asked; reads them unless that has been done."""
        if self.tally is None:
            return Lacks(damaged=tuple(self.damaged))
        if not self.tally.counted:
            self.tally.of_table(self.table())
        return replace(self.tally.lacks(), damaged=tuple(self.damaged))

    @property
    def schema(self) -> pa.Schema:
        """Schema of the answer; the question has then begun to run."""
        if self._table is not None:
            return self._table.schema
        self._fresh = self._asked(lambda run: run.begun())
        return self._fresh.schema()

    @property
    def columns(self) -> list[str]:
        """Names of the answer's columns."""
        return list(self.schema.names)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows in record batches, without holding them."""
        found = self._batches()
        return found if self.tally is None else self.tally.over(found)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        if self._table is not None:
            yield from self._table.to_batches()
        else:
            yield from self._asked(lambda run: run.begun()).batches()

    def table(self) -> pa.Table:
        """Return all rows as a :class:`pyarrow.Table`, and keep them."""
        if self._table is None:
            self._table = self._asked(lambda run: run.table())
            if self.tally is not None:
                self.tally.of_table(self._table)
        return self._table

    def pl(self) -> Any:
        """Return all rows as a :class:`polars.DataFrame`."""
        check_polars()
        import polars as pl

        return pl.from_arrow(self.table())

    def few(self, most: int) -> Few | None:
        """Return names, types and rows of an answer of few and plain rows; None for another."""
        if self._table is not None or self._heads:
            return None

        def ask(run: Run) -> Few | None:
            found = run.few(most)
            self.heads = {} if found is None else run.heads(found[0])
            return found

        return self._asked(ask)

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return all rows as tuples of Python values."""
        if self._table is not None:
            columns = [column.to_pylist() for column in self._table.columns]
            return list(zip(*columns, strict=True))
        return self._asked(lambda run: run.tuples())

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table().__arrow_c_stream__(requested_schema)

    def __len__(self) -> int:
        return int(self.table().num_rows)

    def _sense(self) -> Sense:
        from cimis.queries.labelled.facts import facts_of

        table = self.table()
        facts = facts_of(table.schema, qc=self._sight.policy.value, lacks=self.lacks)
        return Sense(table, facts, self._engine.root, whole=False)

    def _card(self) -> Card:
        from cimis.pipeline.markup import Card
        from cimis.queries.labelled.first_rows import first_of

        schema = self.schema
        sheet = first_of(self.batches(), schema)
        notes = (text,) if (text := self.lacks.text()) else ()
        return Card("Answer", "Answer", sheets=(sheet,), notes=notes)

    def __repr__(self) -> str:
        return f"<Answer: {', '.join(f'{f.name} {f.type}' for f in self.schema)}>"
