"""Where the rows of a question go: a table, a pipe, or a file, in the format asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from cimis.cli.showing.output import Output
from cimis.cli.showing.wanted import Form, answering, format_of_answer
from cimis.pipeline.errors import NoDataError, UsageError
from cimis.pipeline.lacks import Lacks
from cimis.queries.export.formats import FORMATS

if TYPE_CHECKING:
    import pyarrow as pa

    from cimis.queries.answers.rows import Rows
    from cimis.queries.engines.answer import Answer
    from cimis.queries.export.about import About
    from cimis.queries.timing import QueryTimings

__all__ = [
    "Cut",
    "Form",
    "answering",
    "deliver",
    "deliver_answer",
    "format_of_answer",
    "say_limited",
]

T = TypeVar("T")

MOST_PLAIN = 10_000
"""Rows up to which an answer is formed without Arrow."""

MOST_COUNTED = 100_000
"""Rows beyond ``--limit`` that are counted, so that it can be said of how many it gave some."""

TEXTUAL = ("VARCHAR", "DATE", "TIMESTAMP", "TIMESTAMP_S", "BOOLEAN")

_NOTHING = "nothing matched"
_EMPTY_HINT = "see what is stored with 'cimis stats'; --allow-empty exits 0"


def deliver(
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    *,
    form: Form,
    out: Output,
    timings: QueryTimings | None = None,
    lacking: Callable[[], str] = str,
    notes: Sequence[str] = (),
    sql: str = "",
) -> int:
    """Send the rows where they are wanted and return how many they were.

    Parameters
    ----------
    lacking : callable
        Says what the answer is short of, once its rows have gone by; a file that explains itself
        tells it, with the ``notes``, and the question in ``sql``.

    Raises
    ------
    NoDataError
        Where there are none and that was not allowed; the empty answer has been given by then.
    """
    if out.names is not None:
        from cimis.naming.labels import named_batches, names_of

        batches, schema = named_batches(names_of(out.names), batches, schema)
    cut = Cut(form.limit)
    rows = cut.over(batches)
    chosen = format_of_answer(form, out)
    if chosen == "table":
        count = _draw(rows, schema, form, out, timings)
    else:
        about = None
        if FORMATS[chosen].people:
            from cimis.cli.showing.provenance import about_answer

            about = about_answer(lambda: _joined(lacking(), cut.text()), notes=notes, sql=sql)
        count = _write(rows, schema, chosen, form, out, timings, about)
    say_limited(cut, out)
    if count == 0 and not form.allow_empty:
        raise NoDataError(_NOTHING, hint=_EMPTY_HINT)
    return count


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def deliver_answer(
    answer: Answer | Rows, *, form: Form, out: Output, asked: str = _NOTHING
) -> None:
    """Send an answer where it is wanted, and say what it is short of.

    Raises
    ------
    ChunkError
        Where damaged chunks had to be left out; the rest has been given by then.
    NoDataError
        Where there are no rows and that was not allowed; the same.
    """
    count = _plainly(answer, form, out)
    if count is None:
        may_be_empty = form._replace(allow_empty=True)
        count = deliver(
            answer.batches(),
            answer.schema,
            form=may_be_empty,
            out=out,
            timings=answer.timings,
            lacking=lambda: _lacks(answer).text(),
            sql=getattr(answer, "question", ""),
        )
    if count == 0 and not form.allow_empty and not answer.damaged:
        raise NoDataError(asked, hint=_EMPTY_HINT)
    if answer.tally is not None:
        out.lacks(answer.tally.lacks())
    from cimis.lacking import stop_at_damage

    stop_at_damage(answer.damaged)


def _lacks(answer: Answer | Rows) -> Lacks:
    """Return what an answer whose rows have gone by is short of."""
    known = Lacks() if answer.tally is None else answer.tally.lacks()
    return replace(known, damaged=tuple(answer.damaged))


def _plainly(answer: Answer | Rows, form: Form, out: Output) -> int | None:
    """Answer with few rows without Arrow, whose import takes longer; None where that is not for."""
    from cimis.queries.point.texts import FORMATS as TEXTS
    from cimis.queries.point.texts import as_bytes, plain_rows

    chosen = format_of_answer(form, out)
    few = None if out.names is not None else getattr(answer, "few", None)
    if few is None or form.to_file or form.header == "units" or chosen not in (*TEXTS, "table"):
        return None
    found = few(MOST_PLAIN)
    if found is None:
        return None
    names, kinds, rows = found
    if answer.tally is not None:
        who = answer.tally.asked.kind.value
        if who in names:
            place = names.index(who)
            answer.tally.of(row[place] for row in rows)
    cut = Cut(form.limit)
    rows = list(cut.of(rows))
    with answer.timings.phase("print"):
        if chosen == "table":
            from cimis.cli.showing.grid import Grid

            heads = [_head(n, k, answer) for n, k in zip(names, kinds, strict=True)]
            grid = Grid(heads, rows=form.shown)
            grid.keep(rows)
            grid.draw(out)
        else:
            texts = plain_rows(names, kinds, rows)
            if texts is None:
                return None
            sys.stdout.buffer.write(as_bytes(texts, chosen))
            sys.stdout.buffer.flush()
    answer.timings.count(rows=len(rows))
    say_limited(cut, out)
    return len(rows)


def _head(name: str, kind: str, answer: Any) -> Any:
    """Return the head of a column of few rows, in the unit that is known of it."""
    from cimis.cli.showing.grid import Head

    known = answer.heads.get(name, {})
    unit = known.get(b"symbol", b"").decode()
    decimals = int(known[b"decimals"]) if b"decimals" in known else None
    return Head(name, f"[{unit}]" if unit else "", kind not in TEXTUAL, decimals)


class Cut:
    """Lets at most so many rows by, and counts those that it keeps back, up to a bound."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self.given = 0
        self.more = 0

    def of(self, rows: Sequence[T]) -> Sequence[T]:
        """Return the first of rows that are all there."""
        first = rows[: self._limit]
        self.given, self.more = len(first), len(rows) - len(first)
        return first

    def over(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the first rows."""
        for batch in batches:
            left = batch.num_rows if self._limit is None else self._limit - self.given
            let = batch.slice(0, left)
            self.given += let.num_rows
            self.more += batch.num_rows - let.num_rows
            if let.num_rows or left:
                yield let
            if self.more >= MOST_COUNTED:
                return

    def text(self) -> str:
        """Return in words how many of the rows were given, blank where all were."""
        if not self.more:
            return ""
        more = "" if self.more < MOST_COUNTED else "more than "
        return f"{self.given:,} of {more}{self.given + self.more:,} rows, by --limit"


def say_limited(cut: Cut, out: Output) -> None:
    """Say how many of the rows were given, where ``--limit`` kept some back."""
    if text := cut.text():
        counted = cut.more < MOST_COUNTED
        rows = cut.given + cut.more if counted else None
        out.aside("limited", {"given": cut.given, "rows": rows}, text)


def _draw(
    rows: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    form: Form,
    out: Output,
    timings: QueryTimings | None,
) -> int:
    from cimis.cli.showing.grid import Grid

    grid = Grid.of_schema(schema, rows=form.shown)
    for _ in grid.take(rows):
        pass
    with timings.phase("print") if timings is not None else nullcontext():
        grid.draw(out)
    if timings is not None:
        timings.count(rows=grid.total)
    return grid.total


def _write(
    rows: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    chosen: str,
    form: Form,
    out: Output,
    timings: QueryTimings | None,
    about: About | None,
) -> int:
    from cimis.queries.export.heads import units_of
    from cimis.queries.export.sinks import write

    if form.header == "units" and not FORMATS[chosen].people and not units_of(schema):
        out.note("no unit is known of these columns; 'cimis items' lists those of the views")
    if not form.to_file:
        if FORMATS[chosen].binary and sys.stdout.isatty():
            raise UsageError(
                f"{chosen} is not for a terminal", hint=f"save it with -o FILE.{chosen}"
            )
        sys.stdout.flush()
    written = write(
        rows,
        schema,
        str(form.output) if form.to_file else sys.stdout.buffer,
        chosen,
        header=form.header,
        about=about,
        timings=timings,
    )
    if form.to_file:
        out.note(f"wrote {written.rows:,} rows, {written.bytes:,} bytes to {written.path}")
    return written.rows
