"""Rows of texts to CSV, TSV, JSON or NDJSON, byte for byte as :mod:`queries.sinks` writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from json.encoder import py_encode_basestring as quoted

from pipeline.errors import UsageError
from queries.point import PointRows

__all__ = ["FORMATS", "as_bytes"]

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
