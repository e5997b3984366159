"""Where the rows of a question go: a table, a pipe, or a file, in the format asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from cimis.cli.options import option
from cimis.cli.showing.output import Output
from cimis.pipeline.errors import NoDataError, UsageError
from cimis.queries.export.formats import FORMATS

if TYPE_CHECKING:
    import pyarrow as pa

    from cimis.queries.answers.rows import Rows
    from cimis.queries.engines.answer import Answer
    from cimis.queries.timing import QueryTimings

__all__ = ["Form", "answering", "deliver", "deliver_answer", "format_of_answer"]

MOST_PLAIN = 10_000
"""Rows up to which an answer is formed without Arrow."""

TEXTUAL = ("VARCHAR", "DATE", "TIMESTAMP", "TIMESTAMP_S", "BOOLEAN")

_NOTHING = "nothing matched"
_EMPTY_HINT = "see what is stored with 'cimis stats'; --allow-empty exits 0"


class Form(NamedTuple):
    """How an answer is wanted.

    Parameters
    ----------
    format : str, optional
        ``table`` or one of `cimis.queries.export.formats.FORMATS`; by default from the file's
        suffix, or a table on a terminal and CSV in a pipe.
    output : str, optional
        A file; ``-`` and None are standard output.
    limit : int, optional
        The most rows to give.
    allow_empty : bool
        Whether an answer without rows is a success.
    header : {"names", "units"}
        What the head of a text format says; see :func:`cimis.queries.export.sinks.write`.
    most_shown : int, optional
        The most rows that a table shows.
    """

    format: str | None
    output: str | None
    limit: int | None
    allow_empty: bool
    header: str = "names"
    most_shown: int | None = None

    @property
    def shown(self) -> int:
        """How many rows a table shows."""
        from cimis.cli.showing.grid import ROWS

        wanted = self.most_shown if self.limit is None else self.limit
        return ROWS if wanted is None else wanted


def answering(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say how an answer is wanted, and pass them as ``form``."""
    import functools

    @functools.wraps(function)
    def run(
        *,
        format: str | None,  # noqa: A002 -- the option's name
        output: str | None,
        limit: int | None,
        allow_empty: bool,
        header: str,
        **named: Any,
    ) -> Any:
        return function(form=Form(format, output, limit, allow_empty, header), **named)

    wrapped: Callable[..., Any] = option(
        "--allow-empty", is_flag=True, help="Exit 0, not 3, where nothing matches."
    )(run)
    wrapped = option(
        "--header",
        type=click.Choice(["names", "units"]),
        default="names",
        show_default=True,
        help="With units CSV and TSV say 'air_tmp_avg [°C]', JSON is {units, rows}, NDJSON begins "
        "with a line of units; tables, Parquet and Arrow always say them.",
    )(wrapped)
    wrapped = option(
        "--limit", type=click.IntRange(min=0), metavar="N", help="Give at most N rows."
    )(wrapped)
    wrapped = option(
        "-o", "--output", metavar="FILE", help="Save to a file; its suffix picks the format."
    )(wrapped)
    return option(
        "--format",
        type=click.Choice(("table", *FORMATS)),
        help="Form of the answer; else by the file's suffix, a table on a terminal, CSV in a pipe.",
    )(wrapped)


def deliver(
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    *,
    form: Form,
    out: Output,
    timings: QueryTimings | None = None,
) -> int:
    """Send the rows where they are wanted and return how many they were.

    Raises
    ------
    NoDataError
        Where there are none and that was not allowed; the empty answer has been given by then.
    """
    if out.names is not None:
        from cimis.naming.labels import named_batches, names_of

        batches, schema = named_batches(names_of(out.names), batches, schema)
    rows = _limited(batches, form.limit)
    chosen = format_of_answer(form, out)
    if chosen == "table":
        count = _draw(rows, schema, form, out, timings)
    else:
        count = _write(rows, schema, chosen, form, out, timings)
    if count == 0 and not form.allow_empty:
        raise NoDataError(_NOTHING, hint=_EMPTY_HINT)
    return count


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
        timings = answer.timings
        count = deliver(
            answer.batches(), answer.schema, form=may_be_empty, out=out, timings=timings
        )
    if count == 0 and not form.allow_empty and not answer.damaged:
        raise NoDataError(asked, hint=_EMPTY_HINT)
    if answer.tally is not None:
        out.lacks(answer.tally.lacks())
    from cimis.lacking import stop_at_damage

    stop_at_damage(answer.damaged)


def _plainly(answer: Answer | Rows, form: Form, out: Output) -> int | None:
    """Answer with few rows without Arrow, whose import takes longer; None where that is not for."""
    from cimis.queries.point.texts import FORMATS as TEXTS
    from cimis.queries.point.texts import as_bytes, plain_rows

    chosen = format_of_answer(form, out)
    few = None if out.names is not None else getattr(answer, "few", None)
    to_file = form.output not in (None, "-")
    if few is None or to_file or form.header == "units" or chosen not in (*TEXTS, "table"):
        return None
    found = few(MOST_PLAIN)
    if found is None:
        return None
    names, kinds, rows = found
    if answer.tally is not None and (form.limit is None or len(rows) <= form.limit):
        who = answer.tally.asked.kind.value
        if who in names:
            place = names.index(who)
            answer.tally.of(row[place] for row in rows)
    rows = rows[: form.limit]
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
    return len(rows)


def _head(name: str, kind: str, answer: Any) -> Any:
    """Return the head of a column of few rows, in the unit that is known of it."""
    from cimis.cli.showing.grid import Head

    known = answer.heads.get(name, {})
    unit = known.get(b"symbol", b"").decode()
    decimals = int(known[b"decimals"]) if b"decimals" in known else None
    return Head(name, f"[{unit}]" if unit else "", kind not in TEXTUAL, decimals)


def format_of_answer(form: Form, out: Output) -> str:
    """Return the format that an answer is wanted in."""
    to_file = form.output not in (None, "-")
    if form.format == "table" and to_file:
        raise UsageError("a file cannot hold a table", hint="choose csv, parquet or another format")
    if form.format is not None:
        return form.format
    if to_file:
        from cimis.queries.export.sinks import format_of

        return format_of(str(form.output))
    if out.as_json:
        return "json"
    return "table" if sys.stdout.isatty() else "csv"


def _limited(batches: Iterable[pa.RecordBatch], limit: int | None) -> Iterator[pa.RecordBatch]:
    left = limit
    for batch in batches:
        if left is None:
            yield batch
            continue
        if left > 0:
            yield batch.slice(0, left)
        left -= batch.num_rows
        if left <= 0:
            return


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
) -> int:
    from cimis.queries.export.heads import units_of
    from cimis.queries.export.sinks import write

    if form.header == "units" and not units_of(schema):
        out.note("no unit is known of these columns; 'cimis items' lists those of the views")
    if form.output in (None, "-"):
        if FORMATS[chosen].binary and sys.stdout.isatty():
            raise UsageError(
                f"{chosen} is not for a terminal", hint=f"save it with -o FILE.{chosen}"
            )
        written = write(
            rows, schema, sys.stdout.buffer, chosen, header=form.header, timings=timings
        )
        return written.rows
    written = write(rows, schema, str(form.output), chosen, header=form.header, timings=timings)
    out.note(f"wrote {written.rows:,} rows, {written.bytes:,} bytes to {written.path}")
    return written.rows
