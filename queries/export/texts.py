"""Columns as text, a whole column at a time: what CSV, JSON and the forms for people print.

Numbers print as the shortest text that reads back to the same double, so 8.1 is ``8.1`` and a
humidity is ``56``. Dates are ISO; times are ISO with ``T`` and, for the store's own, no zone.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = [
    "csv_lines",
    "each_once",
    "harmless_texts",
    "is_number",
    "is_text",
    "joined",
    "json_records",
    "plain_texts",
    "readable_texts",
    "shown",
]

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def is_number(kind: pa.DataType) -> bool:
    """Tell whether a column holds numbers."""
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )


def is_text(kind: pa.DataType) -> bool:
    """Tell whether a column holds texts."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _jsonable(value: Any) -> Any:
    """Return a nested or rare value in a form that JSON can hold."""
    if isinstance(value, dict):
        return {str(k): _jsonable(v) for k, v in value.items()}
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return [_jsonable(v) for v in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _one_by_one(column: pa.Array, show: Callable[[Any], str]) -> pa.Array:
    """Return texts of a column whose type has no cast: nested values, intervals, bytes."""
    texts = [None if v is None else show(_jsonable(v)) for v in column.to_pylist()]
    return pa.array(texts, pa.string())


def plain_texts(column: pa.Array) -> tuple[pa.Array, bool]:
    """Return a column as plain text with nulls kept, and whether JSON must quote it."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.dictionary_decode(), kind.value_type
    if is_text(kind):
        return column, True
    if pa.types.is_timestamp(kind):
        stamped = pc.strftime(column, format="%Y-%m-%dT%H:%M:%S")
        return (pc.binary_join_element_wise(stamped, "Z", "") if kind.tz else stamped), True
    if pa.types.is_date(kind) or pa.types.is_time(kind):
        return pc.cast(column, pa.string()), True
    if pa.types.is_null(kind):
        return pa.nulls(len(column), pa.string()), False
    if pa.types.is_floating(kind):
        finite = pc.if_else(pc.is_finite(column), column, pa.scalar(None, kind))
        return pc.cast(finite, pa.string()), False
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_decimal(kind):
        return pc.cast(column, pa.string()), False
    return _one_by_one(column, _show), not pa.types.is_nested(kind)


def readable_texts(column: pa.Array) -> pa.Array:
    """Return a column as people read it: as CSV prints it, but for a blank within times."""
    texts, _ = plain_texts(column)
    if pa.types.is_timestamp(column.type):
        texts = pc.replace_substring(texts, pattern="T", replacement=" ", max_replacements=1)
    return texts


def harmless_texts(column: pa.Array, escaped: Callable[[str], str]) -> pa.Array:
    """Return texts for people, escaped where they can hold anything, and blank for null."""
    texts = readable_texts(column)
    if is_text(column.type) or pa.types.is_nested(column.type):
        texts = each_once(texts, escaped)
    return pc.fill_null(texts, "")


def shown(text: str) -> str:
    """Return a text with a sign in the place of each control character, which no page can show."""
    return _CONTROLS.sub("\ufffd", text)


def _show(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _csv_column(column: pa.Array, separator: str) -> pa.Array:
    """Return a column's cells as CSV writes them: null is empty, an empty text is ``""``."""
    texts, textual = plain_texts(column)
    if textual or pa.types.is_nested(column.type):
        special = pc.match_substring_regex(texts, pattern='["\r\n' + separator + "]|^$")
        if pc.any(special).as_py():
            doubled = pc.replace_substring(texts, pattern='"', replacement='""')
            texts = pc.if_else(special, pc.binary_join_element_wise('"', doubled, '"', ""), texts)
    return pc.fill_null(texts, "")


def _json_column(column: pa.Array) -> pa.Array:
    """Return a column's cells as JSON writes them."""
    texts, textual = plain_texts(column)
    if textual:
        texts = each_once(texts, lambda text: json.dumps(text, ensure_ascii=False))
    return pc.fill_null(texts, "null")


def each_once(texts: pa.Array, change: Callable[[str], str]) -> pa.Array:
    """Return texts changed, each different one once; null stays null."""
    coded = texts.dictionary_encode()
    changed = [change(text) for text in coded.dictionary.to_pylist()]
    return pc.take(pa.array(changed, pa.string()), coded.indices)


def joined(columns: Sequence[pa.Array | str]) -> bytes:
    """Return rows joined cell by cell into one piece of bytes."""
    rows = pc.binary_join_element_wise(*columns, "")
    _, offsets, data = rows.buffers()
    first, last = (int(np.frombuffer(offsets, "<i4")[rows.offset + at]) for at in (0, len(rows)))
    return memoryview(data)[first:last].tobytes()


def csv_lines(batch: pa.RecordBatch, separator: str) -> bytes:
    """Return a batch's rows as CSV (or TSV) lines that end in a line feed."""
    parts: list[pa.Array | str] = []
    for column in batch.columns:
        parts += [_csv_column(column, separator), separator]
    parts[-1:] = ["\n"]
    return joined(parts)


def json_records(batch: pa.RecordBatch, *, between: str, after: str) -> bytes:
    """Return a batch's rows as JSON objects, ``between`` before each and ``after`` behind each."""
    parts: list[pa.Array | str] = []
    for number, (name, column) in enumerate(zip(batch.schema.names, batch.columns, strict=True)):
        opening = between + "{" if number == 0 else ","
        parts += [opening + json.dumps(name, ensure_ascii=False) + ":", _json_column(column)]
    return joined([*parts, "}" + after])
