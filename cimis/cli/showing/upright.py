"""The first rows of an answer each by itself, a column a line, for rows that are wide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cimis.cli.showing.answers import Form
from cimis.cli.showing.layout import one_line
from cimis.cli.showing.output import Output
from cimis.pipeline.errors import NoDataError

if TYPE_CHECKING:
    from cimis.queries.engines.answer import Answer

__all__ = ["show_upright"]


def show_upright(answer: Answer, *, form: Form, out: Output) -> None:
    """Print the first rows on standard output, and how many they are of.

    Raises
    ------
    ChunkError
        Where damaged chunks had to be left out; the rest has been shown by then.
    NoDataError
        Where there are no rows and that was not allowed.
    """
    from cimis.lacking import stop_at_damage
    from cimis.queries.export.heads import units_of

    units = units_of(answer.schema)
    heads = [f"{n} [{units[n]}]" if n in units else n for n in answer.schema.names]
    widest = max(map(len, heads), default=0)
    total = 0
    for batch in answer.batches():
        wanted = max(form.shown - total, 0)
        for place, row in enumerate(batch.slice(0, wanted).to_pylist(), total + 1):
            out.line(f"row {place}")
            for head, value in zip(heads, row.values(), strict=True):
                out.line(f"{head:>{widest}}  {_text(value)}")
        total += batch.num_rows
    answer.timings.count(rows=total)
    if total > form.shown:
        out.note(f"showing {form.shown:,} of {total:,} rows; .output FILE saves all")
    if answer.tally is not None:
        out.lacks(answer.tally.lacks())
    stop_at_damage(answer.damaged)
    if not total and not form.allow_empty:
        raise NoDataError("nothing matched", hint="see what is stored with 'cimis stats'")


def _text(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.10g}" if isinstance(value, float) else one_line(str(value))
