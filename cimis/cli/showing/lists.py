"""Lists of things (stations, items, flags, gaps) in every form of an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cimis.cli.showing.answers import Cut, deliver, say_limited
from cimis.cli.showing.output import Output
from cimis.cli.showing.wanted import Form, format_of_answer

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["save_text", "show_list"]


def show_list(
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    form: Form,
    out: Output,
    spare: Sequence[str] = (),
    records: Sequence[Mapping[str, Any]] | None = None,
    units: Mapping[str, str] | None = None,
    days: Sequence[str] = (),
    lacking: str = "",
) -> None:
    """Print or save a list.

    Parameters
    ----------
    columns : sequence of str
    rows : sequence of sequences
        None is missing; several values in a cell stand in one text, but in JSON.
    form : Form
    out : Output
    spare : sequence of str
        Columns that a table can do without, the first of them first.
    records : sequence of mapping, optional
        What JSON tells of each row, where that is more than the columns.
    units : mapping of str to str, optional
        Units of columns, as people write them.
    days : sequence of str
        Columns of days as ISO texts, which are dates where a form has dates.
    lacking : str
        What the list is short of.
    """
    chosen, cut = format_of_answer(form, out), Cut(form.limit)
    if chosen == "json":
        told = records
        if told is None:
            told = [dict(zip(columns, row, strict=True)) for row in rows]
        first = cut.of(told)
        if form.to_file:
            save_text(_json(first), len(first), form, out)
        else:
            out.json(first)
        say_limited(cut, out)
    elif chosen == "table":
        out.rows(columns, cut.of(rows), form="table", spare=spare)
        say_limited(cut, out)
    else:
        table = _table(columns, rows, units or {}, days)
        may_be_empty = form._replace(allow_empty=True)
        batches = iter(table.to_batches())
        deliver(batches, table.schema, form=may_be_empty, out=out, lacking=lambda: lacking)


def save_text(text: str, rows: int, form: Form, out: Output) -> None:
    """Save a text that a command has formed itself, whole or not at all."""
    from pathlib import Path

    from cimis.queries.export.replacing import replacing

    data = text.encode()
    with replacing(Path(str(form.output))) as stream:
        stream.write(data)
    out.note(f"wrote {rows:,} rows, {len(data):,} bytes to {form.output}")


def _json(value: Any) -> str:
    import json

    return json.dumps(value, default=str, ensure_ascii=False) + "\n"


def _table(
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    units: Mapping[str, str],
    days: Sequence[str],
) -> pa.Table:
    import pyarrow as pa

    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    made = [_column(v, day=name in days) for name, v in zip(columns, values, strict=True)]
    fields = [
        pa.field(
            name, one.type, metadata={b"symbol": units[name].encode()} if name in units else None
        )
        for name, one in zip(columns, made, strict=True)
    ]
    return pa.Table.from_arrays(made, schema=pa.schema(fields))


def _column(values: Sequence[Any], *, day: bool) -> pa.Array:
    """Return values as a column: of their own type where they have one, else as texts."""
    import pyarrow as pa

    flat = [" ".join(map(str, v)) if isinstance(v, tuple | list) else v for v in values]
    kinds = {type(value) for value in flat if value is not None}
    if len(kinds) > 1 and not kinds <= {int, float}:
        flat = [None if value is None else str(value) for value in flat]
    made = pa.array(flat, pa.float64() if kinds == {int, float} else None)
    if day and kinds == {str}:
        try:
            return made.cast(pa.date32())
        except pa.ArrowInvalid:  # hours, which have a text of their own
            return made
    return made
