"""The first rows of an answer as a table for a terminal, and a word on what it does not show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cimis.cli.layout import Column, fit, one_line

if TYPE_CHECKING:
    import pyarrow as pa

    from cimis.cli.output import Output

__all__ = ["ROWS", "Grid"]

ROWS = 20
_FIRM_BLANK = "\u00a0"


@dataclass
class Flagged(Column):
    """A column whose texts may be followed by flags."""

    flags: list[str] = field(default_factory=list)

    def whole(self) -> Column:
        """Return the column with each flag behind its text, padded with blanks that stay."""
        widest = max(map(len, self.flags), default=0)
        padded = [f" {flag}".ljust(widest + 1, _FIRM_BLANK) for flag in self.flags]
        texts = [t + f for t, f in zip(self.texts, padded, strict=True)] if widest else self.texts
        return Column(self.name, self.unit, self.number, texts)


class Grid:
    """The first rows of a stream of batches; all batches pass, so that the rest can be counted.

    A flag is shown behind its value. What does not fit is named below; see `cimis.cli.layout`.
    """

    def __init__(self, schema: pa.Schema, *, rows: int = ROWS) -> None:
        self._rows = rows
        self._flag_of = {n: f"{n}_qc" for n in schema.names if f"{n}_qc" in schema.names}
        hidden = set(self._flag_of.values())
        self._fields = [f for f in schema if f.name not in hidden]
        self._columns = [Flagged(f.name, _unit(f), _is_number(f.type)) for f in self._fields]
        self.shown = 0
        self.total = 0

    def take(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Pass batches on, keeping the text of the first rows."""
        for batch in batches:
            head = batch.slice(0, max(self._rows - self.shown, 0))
            if head.num_rows:
                self._keep(head)
            self.total += batch.num_rows
            yield batch

    def _keep(self, head: pa.RecordBatch) -> None:
        for column, kind in zip(self._columns, self._fields, strict=True):
            values = head.column(kind.name).to_pylist()
            column.texts += [_text(value, _decimals(kind)) for value in values]
            if kind.name in self._flag_of:
                flags = head.column(self._flag_of[kind.name]).to_pylist()
                column.flags += [flag or "" for flag in flags]
        self.shown += head.num_rows

    def draw(self, out: Output) -> None:
        """Print the table on standard output, and what it left out on standard error."""
        fitted = fit([column.whole() for column in self._columns], out.width)
        out.table(fitted.columns)
        if self.total > self.shown:
            out.note(f"showing {self.shown:,} of {self.total:,} rows; -o FILE saves all")
        if (note := fitted.note("ask for fewer columns, or save all with -o FILE")) is not None:
            out.note(note)


def _unit(kind: pa.Field) -> str:
    """Return a column's unit in brackets, as people write it."""
    from queries.heads import unit_symbol

    symbol = unit_symbol(kind)
    return f"[{symbol}]" if symbol else ""


def _decimals(kind: pa.Field) -> int | None:
    text = (kind.metadata or {}).get(b"decimals")
    return int(text) if text is not None else None


def _is_number(kind: pa.DataType) -> bool:
    import pyarrow.types as types

    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


def _text(value: Any, decimals: int | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.{decimals}f}" if decimals is not None else f"{value:.6g}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return one_line(str(value))
