"""Rows of texts to CSV, TSV, JSON or NDJSON, byte for byte as :mod:`export.sinks` writes them."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Iterator, Sequence
from json.encoder import py_encode_basestring as quoted
from typing import Any, NamedTuple

from cimis.pipeline.errors import UsageError

__all__ = ["FORMATS", "KINDS", "PointRows", "Row", "as_bytes", "plain_rows"]

Row = tuple[str | None, ...]


class PointRows(NamedTuple):
    """Rows as texts: column names, which of them JSON must quote, and the rows; null is None."""

    names: tuple[str, ...]
    quoted: tuple[bool, ...]
    rows: list[Row]


FORMATS = ("csv", "tsv", "json", "ndjson")


def as_bytes(answer: PointRows, name: str) -> bytes:
    """Return rows in one of :data:`FORMATS`."""
    if name in ("csv", "tsv"):
        return "".join(_delimited(answer, "," if name == "csv" else "\t")).encode()
    if name == "ndjson":
        return "".join(record + "\n" for record in _records(answer)).encode()
    if name == "json":
        inner = ",\n".join(_records(answer))
        return f"[\n{inner}\n]\n".encode() if inner else b"[]\n"
    raise UsageError(f"'{name}' is not a text format", hint=f"one of {', '.join(FORMATS)}")


def plain_rows(
    names: Sequence[str], kinds: Sequence[str], rows: Sequence[Sequence[Any]]
) -> PointRows | None:
    """Return rows of DuckDB's values as texts; None where a value's text is Arrow's to find.

    Parameters
    ----------
    names : sequence of str
    kinds : sequence of str
        DuckDB's types: one of :data:`KINDS` each.
    rows : sequence of sequences
    """
    columns = []
    values = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    for kind, column in zip(kinds, values, strict=True):
        show = KINDS[kind]
        texts = [None if value is None else show(value) for value in column]
        if any(text == "" for text in texts) and kind == "DOUBLE":
            return None
        columns.append(texts)
    quoted = tuple(kind in ("VARCHAR", "DATE", "TIMESTAMP_S", "TIMESTAMP") for kind in kinds)
    return PointRows(tuple(names), quoted, list(zip(*columns, strict=True)) if rows else [])


def _number(value: float) -> str | None:
    """Return the shortest text of a number; blank for one that is written with an exponent."""
    if not math.isfinite(value):
        return None
    if value and not 1e-4 <= abs(value) < 1e9:
        return ""
    return repr(value).removesuffix(".0")


def _moment(value: Any) -> str:
    return str(value.isoformat())


def _fine_moment(value: dt.datetime) -> str:
    return value.isoformat(timespec="microseconds")


def _truth(value: bool) -> str:
    return "true" if value else "false"


KINDS: dict[str, Callable[[Any], str | None]] = {
    **{f"{sign}{width}INT": str for sign in ("", "U") for width in ("TINY", "SMALL", "BIG")},
    "INTEGER": str,
    "UINTEGER": str,
    "DOUBLE": _number,
    "VARCHAR": str,
    "DATE": _moment,
    "TIMESTAMP_S": _moment,
    "TIMESTAMP": _fine_moment,
    "BOOLEAN": _truth,
}
"""How the values of DuckDB's types are written, of those that are written here."""


def _delimited(answer: PointRows, separator: str) -> Iterator[str]:
    special = re.compile('["\r\n' + separator + "]|^$")

    def cell(text: str | None) -> str:
        if text is None:
            return ""
        return '"' + text.replace('"', '""') + '"' if special.search(text) else text

    yield separator.join(answer.names) + "\n"
    for row in answer.rows:
        yield separator.join(map(cell, row)) + "\n"


def _records(answer: PointRows) -> Iterator[str]:
    heads = [quoted(name) + ":" for name in answer.names]
    for row in answer.rows:
        cells = (
            head + ("null" if text is None else quoted(text) if quote else text)
            for head, quote, text in zip(heads, answer.quoted, row, strict=True)
        )
        yield "{" + ",".join(cells) + "}"
