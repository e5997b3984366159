"""Columns as the cells of a spreadsheet's rows, a whole column at a time, as SpreadsheetML.

A number is its shortest text, so that the sheet holds the same double; a whole or decimal number of
more than 15 digits, which a double cannot hold, is text. Dates and times are the sheet's own, days
since 1899-12-30; those before March 1900, where spreadsheets count wrongly, or after 9999 are text,
as are times with a zone. Text is text whatever it begins with: no cell is ever a formula. NaN and
infinities, for which a sheet has no number, are empty.
"""

from __future__ import annotations

import datetime as dt
import html
import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.time import DAY_S, day_number
from cimis.queries.export.texts import each_once, plain_texts

__all__ = ["MOST_CHARACTERS", "cells_of", "text_cell"]

MOST_CHARACTERS = 32_767
"""What a cell holds, in units of UTF-16."""

_DIGITS = 15
_ORIGIN = day_number(dt.date(1899, 12, 30))
_FIRST, _LAST = day_number(dt.date(1900, 3, 1)), day_number(dt.date(9999, 12, 31))
_LITERAL = re.compile(r"_(x[0-9a-fA-F]{4}_)")
_ILLEGAL = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]")

_TEXT = ' t="inlineStr"><is><t xml:space="preserve">'
_TEXT_END = "</t></is></c>"
_NUMBER, _NUMBER_END = "><v>", "</v></c>"


def text_cell(place: str, style: int, text: str) -> str:
    """Return a cell that holds a text."""
    return f'<c r="{place}" s="{style}"{_TEXT}{escaped(text)}{_TEXT_END}'


def escaped(text: str) -> str:
    """Return a text as a sheet holds it: ``_x000D_`` is a sign that XML cannot have.

    Raises
    ------
    UsageError
        For a text that is longer than a cell can be.
    """
    if len(text) > MOST_CHARACTERS // 2 and len(text.encode("utf-16-le")) // 2 > MOST_CHARACTERS:
        raise UsageError(
            f"a cell of a sheet holds {MOST_CHARACTERS:,} characters; there is a text of "
            f"{len(text):,} that begins with '{text[:40]}'",
            hint="save as csv, json or parquet",
        )
    safe = _ILLEGAL.sub(lambda m: f"_x{ord(m[0]):04X}_", _LITERAL.sub(r"_x005F_\1", text))
    return html.escape(safe, quote=False)


def cells_of(
    column: pa.Array, letters: str, numbers: pa.Array, styles: tuple[int, int]
) -> pa.Array:
    """Return a column's cells, empty texts where there is none.

    Parameters
    ----------
    column : pyarrow.Array
    letters : str
        The sheet's column, as ``AB``.
    numbers : pyarrow.Array of str
        The sheet's row of each value.
    styles : (int, int)
        Formats of a number or date, and of a text.

    Raises
    ------
    UsageError
        For a text that is longer than a cell can be.
    """
    kind = column.type
    plain, text = styles

    def cell(texts: pa.Array, start: str, end: str, style: int) -> pa.Array:
        opening = f'" s="{style}"{start}'
        made = pc.binary_join_element_wise(f'<c r="{letters}', numbers, opening, texts, end, "")
        return pc.fill_null(made, "")

    def textual(texts: pa.Array) -> pa.Array:
        return cell(each_once(texts, escaped), _TEXT, _TEXT_END, text)

    if pa.types.is_boolean(kind):
        return cell(
            pc.cast(pc.cast(column, pa.int8()), pa.string()), ' t="b"><v>', _NUMBER_END, text
        )
    texts, _ = plain_texts(column)
    if pa.types.is_floating(kind):
        return cell(texts, _NUMBER, _NUMBER_END, plain)
    if pa.types.is_null(kind):
        return pc.fill_null(texts, "")
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        fits = pc.less_equal(_digits(texts), _DIGITS)
        held = texts
    elif pa.types.is_date(kind) or (pa.types.is_timestamp(kind) and kind.tz is None):
        held, fits = _serial(column)
    else:
        return textual(texts)
    found = cell(held, _NUMBER, _NUMBER_END, plain)
    if pc.all(fits).as_py() in (True, None):
        return found
    return pc.if_else(pc.fill_null(fits, True), found, textual(texts))


def _digits(texts: pa.Array) -> pa.Array:
    """Return how many digits numbers have that say something."""
    bare = pc.replace_substring_regex(texts, pattern=r"[-.]", replacement="")
    return pc.utf8_length(pc.utf8_ltrim(bare, characters="0"))


def _serial(column: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Return times as texts of days since the sheet's origin, and which of them it knows."""
    if pa.types.is_date(column.type):
        days = pc.cast(pc.cast(column, pa.date32()), pa.int32())
        fits = pc.and_(pc.greater_equal(days, _FIRST), pc.less_equal(days, _LAST))
        return pc.cast(pc.subtract(pc.cast(days, pa.int64()), _ORIGIN), pa.string()), fits
    per_day = DAY_S * {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[column.type.unit]
    ticks = np.asarray(pc.fill_null(pc.cast(column, pa.int64()), 0))
    days = ticks // per_day
    serial = pa.array(days - _ORIGIN + (ticks - days * per_day) / per_day)
    fits = pa.array((days >= _FIRST) & (days <= _LAST))
    missing = pc.is_null(column)
    return pc.if_else(missing, None, pc.cast(serial, pa.string())), pc.or_(fits, missing)
