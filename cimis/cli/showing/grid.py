"""The first rows of an answer as a table for a terminal, and a word on what it does not show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from cimis.cli.showing.layout import Column, fit, one_line

if TYPE_CHECKING:
    import pyarrow as pa

    from cimis.cli.showing.output import Output

__all__ = ["ROWS", "Grid", "Head"]

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


class Head(NamedTuple):
    """What a column is called, in which unit and to how many decimals its numbers are shown."""

    name: str
    unit: str = ""
    number: bool = False
    decimals: int | None = None


class Grid:
    """The first rows of an answer; the others pass, so that they can be counted.

    A flag is shown behind its value. What does not fit is named below; see
    `cimis.cli.showing.layout`.
    """

    def __init__(self, heads: Sequence[Head], *, rows: int = ROWS) -> None:
        self._rows = rows
        names = [head.name for head in heads]
        self._flag_of = {n: names.index(f"{n}_qc") for n in names if f"{n}_qc" in names}
        hidden = set(self._flag_of.values())
        self._heads = [(place, h) for place, h in enumerate(heads) if place not in hidden]
        self._columns = [Flagged(h.name, h.unit, h.number) for _, h in self._heads]
        self.shown = 0
        self.total = 0

    @classmethod
    def of_schema(cls, schema: pa.Schema, *, rows: int = ROWS) -> Self:
        """Return a grid for rows in Arrow."""
        heads = [Head(f.name, _unit(f), _is_number(f.type), _decimals(f)) for f in schema]
        return cls(heads, rows=rows)

    def take(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Pass batches on, keeping the text of the first rows."""
        for batch in batches:
            head = batch.slice(0, max(self._rows - self.shown, 0))
            self._keep([column.to_pylist() for column in head.columns], head.num_rows)
            self.total += batch.num_rows
            yield batch

    def keep(self, rows: Sequence[Sequence[Any]]) -> None:
        """Take rows of Python values."""
        head = rows[: max(self._rows - self.shown, 0)]
        self._keep(list(zip(*head, strict=True)), len(head))
        self.total += len(rows)

    def _keep(self, columns: Sequence[Sequence[Any]], rows: int) -> None:
        if not rows:
            return
        for column, (place, head) in zip(self._columns, self._heads, strict=True):
            column.texts += [_text(value, head.decimals) for value in columns[place]]
            if head.name in self._flag_of:
                column.flags += [flag or "" for flag in columns[self._flag_of[head.name]]]
        self.shown += rows

    def draw(self, out: Output) -> None:
        """Print the table on standard output, and what it left out on standard error."""
        fitted = fit([column.whole() for column in self._columns], out.width)
        out.table(fitted.columns)
        if self.total > self.shown:
            out.note(f"showing {self.shown:,} of {self.total:,} rows; -o FILE saves all")
        if (note := fitted.note("a wider terminal shows more, -o FILE saves all")) is not None:
            out.note(note)


def _unit(kind: pa.Field) -> str:
    """Return a column's unit in brackets, as people write it."""
    from cimis.queries.export.heads import unit_symbol

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
