"""One run of a question on a connection of its own."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from cimis.pipeline.errors import CimisError
from cimis.queries.engines.instance import MOST_KNOWN
from cimis.queries.engines.origins import Heads, item_heads
from cimis.queries.engines.sandbox import translated
from cimis.queries.engines.seat import Parameters, Seat
from cimis.queries.export.heads import described, numbered, renamed
from cimis.queries.native import Form, native, straight, with_arrow
from cimis.queries.timing import QueryTimings

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Few", "Heads", "Run"]

_BATCH_ROWS = 65_536

Few = tuple[list[str], list[str], list[tuple[Any, ...]]]
"""Names, types and rows of a small answer."""


class Run:
    """One run of a question on a connection of its own, given back when its rows end."""

    def __init__(
        self,
        seat: Seat,
        text: str,
        parameters: Parameters | None,
        timings: QueryTimings,
        heads: Heads,
    ) -> None:
        self.seat = seat
        self._text = text
        self._parameters = parameters
        self._timings = timings
        self._heads = heads
        self._reader: Any = None
        self._begun = False
        self._closing = weakref.finalize(self, seat.connection.close)
        with timings.phase("plan"):
            try:
                self._statements = seat.instance.statements(seat.connection, text)
            except native().Error as error:
                self.close()
                raise translated(error) from error

    def begun(self) -> Run:
        """Begin to run, unless that has happened."""
        if not self._begun:
            self._begun = True
            with self._timings.engine():
                self._reader = self._rows("stream")
        return self

    def _rows(self, form: Form) -> Any | None:
        """Run the question and return its rows; None for a statement without, such as SET."""
        if self._parameters is None and not self.seat.instance.unsafe:
            found = straight(self.seat.connection, self._text, form, _BATCH_ROWS)
            if found is not None:
                return found
        with_arrow()
        relation = self._relation()
        if relation is None:
            return None
        if form == "arrow":
            return relation.to_arrow_table()
        return relation.to_arrow_reader(_BATCH_ROWS)

    def _relation(self) -> Any:
        duck, last = native(), self._last()
        try:
            return self.seat.connection.sql(last, params=self._parameters)
        except (duck.BinderException, duck.CatalogException) as error:
            if "LINE " not in str(error):  # a relation's errors do not say the place
                self.seat.connection.execute(last, self._parameters)
            raise

    def schema(self) -> pa.Schema:
        """Return the schema of a run that has begun."""
        import pyarrow as pa

        return pa.schema([]) if self._reader is None else self._named(self._reader.schema)

    def _named(self, told: pa.Schema) -> pa.Schema:
        """Return the engine's schema with names that differ, and what is known of the columns.

        What was found for the same question and schema before serves again.
        """
        known = self.seat.instance.schemas
        key = self._text, self.seat.sight.units
        before = None if self._heads else known.get(key)
        if before is not None and before[0].equals(told):
            return before[1]
        names = numbered(told.names)
        named = described(renamed(told, names), self.heads(names))
        if not self._heads:
            known[key] = told, named
            if len(known) > MOST_KNOWN:
                known.pop(next(iter(known)), None)
        return named

    def heads(self, names: Sequence[str]) -> Heads:
        """Return what is known of the answer's columns, whose names are given, in their order."""
        instance = self.seat.instance
        if self._heads or instance.unsafe:  # an unsafe question may have made a table of that name
            return self._heads
        found = instance.origins(self._text)
        if len(found) != len(names):
            return {}
        stored = {each.table: instance.stored(each.table) for each in found if each}
        facts = item_heads(found, stored, self.seat.sight.units)
        return {name: each for name, each in zip(names, facts, strict=True) if each}

    def _last(self) -> Any:
        """Run all statements but the last, and return that."""
        *first, last = self._statements
        for statement in first:
            self.seat.connection.execute(statement)
        return last

    def table(self) -> pa.Table:
        """Return all rows at once."""
        import pyarrow as pa

        if self._begun:
            schema = self.schema()
            return pa.Table.from_batches(list(self.batches()), schema=schema)
        with self._timings.engine():
            found = self._rows("arrow")
        self._done()
        made = pa.table({}) if found is None else found
        return pa.Table.from_arrays(made.columns, schema=self._named(made.schema))

    def tuples(self) -> list[tuple[Any, ...]]:
        """Return all rows as Python values."""
        if self._begun:
            columns = [c.to_pylist() for c in self.table().columns]
            return list(zip(*columns, strict=True))
        with self._timings.engine():
            rows: list[tuple[Any, ...]] = self.seat.connection.execute(
                self._last(), self._parameters
            ).fetchall()
        self._done()
        return rows

    def few(self, most: int) -> Few | None:
        """Return names, types and rows, where there are no more and none needs Arrow."""
        from cimis.queries.point.texts import KINDS

        if self._begun:
            return None
        self._begun = True
        connection = self.seat.connection
        with self._timings.engine():
            connection.execute(self._last(), self._parameters)
            heads = connection.description or ()
            kinds = [str(head[1]) for head in heads]
            plain = bool(heads) and all(kind in KINDS for kind in kinds)
            rows = connection.fetchmany(most + 1) if plain else []
            if len(rows) > most:
                connection.abort()  # the rest would stand in the way of the next question
        self._done()
        if not plain or len(rows) > most:
            return None
        return numbered([head[0] for head in heads]), kinds, rows

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a run that has begun."""
        import pyarrow as pa

        schema = self.schema()
        try:
            while self._reader is not None:
                with self._timings.engine():
                    try:
                        batch = self._reader.read_next_batch()
                    except StopIteration:
                        break
                if batch.num_rows:
                    yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)
        except BaseException as error:
            self._reader = None
            self.close()
            if isinstance(error, CimisError) or not isinstance(error, Exception):
                raise
            raise translated(error) from error
        self._done()

    def _done(self) -> None:
        self._reader = None
        if self._closing.detach() is not None:
            self.seat.give_back()

    def close(self) -> None:
        """Close the connection."""
        self._closing()
