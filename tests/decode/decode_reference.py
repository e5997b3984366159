"""A second decoder, slow and plain: the whole body by json.loads, values by decimal.Decimal."""

from __future__ import annotations

import datetime as dt
import json
import re
from decimal import Decimal
from typing import Any

import pyarrow as pa

from cimis.pipeline.field.items import Item, Scope, Standard, scope_items
from cimis.pipeline.rows.schema import decimals_of, item_of

Key = tuple[int | str, dt.date, int]
Row = dict[str, tuple[Decimal | None, str | None]]
Rows = dict[Key, Row]

_TEXT = re.compile(r"-?([0-9]+\.?[0-9]*|\.[0-9]+)", re.ASCII)


class BadBodyError(Exception):
    """The reference finds the body unusable."""


class Number(str):
    """The text of a JSON number."""

    __slots__ = ()


def _no_constant(name: str) -> None:
    raise ValueError(name)


def reference(
    body: bytes,
    scope: Scope,
    items: tuple[Item, ...] | None = None,
    standard: Standard = Standard.METRIC,
    key: str = "station",
) -> Rows:
    """Return the rows of a body; BadBodyError where it cannot be read."""
    try:
        text = body.decode("utf-8-sig")
        whole = json.loads(text, parse_int=Number, parse_float=Number, parse_constant=_no_constant)
        rows: Rows = {}
        for provider in whole["Data"]["Providers"]:
            for record in provider["Records"]:
                where, row = _record(record, scope, items, standard, key)
                rows.pop(where, None)
                rows[where] = row
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise BadBodyError(repr(error)) from error
    return rows


def _record(
    record: Any, scope: Scope, items: tuple[Item, ...] | None, standard: Standard, key: str
) -> tuple[Key, Row]:
    if key == "target":
        names = ("Address", "Coordinate", "ZipCodes")
        texts = [record.get(name) for name in names]
        joined = [", ".join(t) if isinstance(t, list) else t for t in texts]
        where: int | str = [t.strip() for t in joined if isinstance(t, str) and t.strip()][0]  # noqa: RUF015
    else:
        where = int(record["Station"])
        if not 0 <= where <= 65535:
            raise ValueError(where)
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", record["Date"], re.ASCII):
        raise ValueError(record["Date"])
    day = dt.date.fromisoformat(record["Date"])
    hour = 0
    if scope is Scope.HOURLY:
        hour = int(record["Hour"]) // 100
        if not 1 <= hour <= 24:
            raise ValueError(hour)
    if record["Standard"].strip().lower() != standard:
        raise ValueError(record["Standard"])
    row: Row = {}
    for item in items or scope_items(scope):
        content = record.get(item.json_key)
        if content is not None:
            flag = (content.get("Qc") or "").strip(" \t\r\n") or None
            row[item.column] = (_value(content["Value"]), flag)
    return (where, day, hour), row


def _value(value: Any) -> Decimal | None:
    if value is None:
        return None
    if isinstance(value, Number):
        return Decimal(str(value))
    if not isinstance(value, str):
        raise TypeError(value)
    bare = value.strip(" \t\r\n")
    if bare in ("", "--"):
        return None
    if not _TEXT.fullmatch(bare):
        raise ValueError(value)
    return Decimal(bare)


def rows_of(table: pa.Table | pa.RecordBatch) -> Rows:
    """Return a decoded table as the reference's rows; columns that are null in a row are left out.

    Checks on the way that time, date and hour agree.
    """
    columns = [field.name for field in table.schema]
    items = [(f.name, decimals_of(f)) for f in table.schema if item_of(f) is not None]
    data = {name: table.column(name).to_pylist() for name in columns}
    rows: Rows = {}
    for i in range(table.num_rows):
        day = data["date"][i]
        hour = data["hour"][i] if "hour" in data else 0
        if hour:
            assert data["time"][i] == dt.datetime.combine(day, dt.time()) + dt.timedelta(hours=hour)
        row: Row = {}
        for name, places in items:
            number, flag = data[name][i], data[name + "_qc"][i]
            row[name] = (None if number is None else Decimal(number).scaleb(-places), flag)
        key = (data[columns[0]][i], day, hour)
        assert key not in rows, "a key stands twice"
        rows[key] = row
    return rows


def same(got: Rows, due: Rows) -> bool:
    """Whether rows are equal, in order, an absent item being missing without a flag."""
    if list(got) != list(due):
        return False
    nothing = (None, None)
    return all(
        got[key].get(name, nothing) == due[key].get(name, nothing)
        for key in got
        for name in got[key].keys() | due[key].keys()
    )
