"""Other ways to the same columns: value, missing and flag of each item, exact scaled integers."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from cimis.pipeline.field.items import Item, Scope

__all__ = ["Columns", "pyarrow_json", "typed_msgspec", "with_loops"]

Columns = dict[str, pa.Array]
_POWERS = (1, 10, 100, 1000)
_FLAGS = pa.dictionary(pa.int8(), pa.string())


def with_loops(
    load: Callable[[bytes], Any], text: bytes, scope: Scope, items: tuple[Item, ...]
) -> Columns:
    """Parse the whole body, then build columns by loops as a careful programmer would."""
    providers = load(text)["Data"]["Providers"]
    rows = [record for provider in providers for record in provider["Records"]]
    days: dict[str, int] = {}
    epoch = dt.date(1970, 1, 1).toordinal()
    dates = []
    for row in rows:
        date = row["Date"]
        if date not in days:
            days[date] = dt.date.fromisoformat(date).toordinal() - epoch
        dates.append(days[date])
    columns: Columns = {
        "station": pa.array([int(row["Station"]) for row in rows], pa.uint16()),
        "date": pa.array(dates, pa.int32()).cast(pa.date32()),
    }
    if scope is Scope.HOURLY:
        hours = [int(row["Hour"]) // 100 for row in rows]
        columns["hour"] = pa.array(hours, pa.uint8())
        times = [day * 86400 + hour * 3600 for day, hour in zip(dates, hours, strict=True)]
        columns["time"] = pa.array(times, pa.int64()).cast(pa.timestamp("s"))
    for item in items:
        values, flags = _item(rows, item.json_key, item.decimals_metric)
        columns[item.column] = pa.array(values, pa.int16())
        columns[item.flag_column] = pa.array(flags, pa.string()).dictionary_encode().cast(_FLAGS)
    return columns


def _item(
    rows: list[dict[str, Any]], key: str, decimals: int
) -> tuple[list[int | None], list[str | None]]:
    values: list[int | None] = []
    flags: list[str | None] = []
    factors = _POWERS[decimals::-1]
    for row in rows:
        cell = row[key]
        text = cell["Value"]
        if text is None:
            values.append(None)
        else:  # a text with more decimals than expected is an IndexError
            whole, _, part = text.partition(".")
            values.append(int(whole + part) * factors[len(part)])
        flag = cell["Qc"]
        flags.append(None if flag == " " else flag)
    return values, flags


def _scaled(text: str | None, decimals: int) -> int | None:
    if text is None:
        return None
    whole, _, part = text.partition(".")
    if len(part) > decimals:
        raise ValueError(text)
    return int(whole + part) * _POWERS[decimals - len(part)]


def typed_msgspec(scope: Scope, items: tuple[Item, ...]) -> Callable[[bytes], Columns]:
    """Return a decoder by msgspec structs: typed, only the keys that are needed."""
    import msgspec

    cell = msgspec.defstruct("Cell", [("Value", str | None), ("Qc", str)], gc=False)
    fields: list[Any] = [("Date", str), ("Station", str)]
    fields += [("Hour", str)] if scope is Scope.HOURLY else []
    row = msgspec.defstruct("Row", [*fields, *((i.json_key, cell) for i in items)], gc=False)
    provider = msgspec.defstruct("Provider", [("Records", list[row])])  # type: ignore[valid-type]
    data = msgspec.defstruct("Data", [("Providers", list[provider])])  # type: ignore[valid-type]
    whole = msgspec.defstruct("Whole", [("Data", data)])
    decoder = msgspec.json.Decoder(whole)
    epoch = dt.date(1970, 1, 1).toordinal()

    def decode(text: bytes) -> Columns:
        parsed: Any = decoder.decode(text)
        rows = [r for p in parsed.Data.Providers for r in p.Records]
        days = {d: dt.date.fromisoformat(d).toordinal() - epoch for d in {r.Date for r in rows}}
        columns: Columns = {
            "station": pa.array([int(r.Station) for r in rows], pa.uint16()),
            "date": pa.array([days[r.Date] for r in rows], pa.int32()).cast(pa.date32()),
        }
        if scope is Scope.HOURLY:
            columns["hour"] = pa.array([int(r.Hour) // 100 for r in rows], pa.uint8())
        for item in items:
            cells = [getattr(r, item.json_key) for r in rows]
            places = item.decimals_metric
            values = [_scaled(c.Value, places) for c in cells]
            columns[item.column] = pa.array(values, pa.int16())
            flags = [None if c.Qc == " " else c.Qc for c in cells]
            columns[item.flag_column] = pa.array(flags, pa.string()).dictionary_encode()
        return columns

    return decode


def reshaped(text: bytes) -> bytes:
    """Return a body's records one a line, as pyarrow.json wants them."""
    providers = json.loads(text)["Data"]["Providers"]
    rows = (record for provider in providers for record in provider["Records"])
    return b"".join(
        json.dumps(row, separators=(",", ":"), ensure_ascii=False).encode() + b"\n" for row in rows
    )


def pyarrow_json(lines: bytes, scope: Scope, items: tuple[Item, ...]) -> Columns:
    """Read records, one a line, by pyarrow.json with an explicit schema; decimals are exact."""
    fields = [pa.field("Date", pa.string()), pa.field("Station", pa.string())]
    fields += [pa.field("Hour", pa.string())] if scope is Scope.HOURLY else []
    for item in items:
        kind = pa.decimal128(9, item.decimals_metric)
        cell = pa.struct([("Value", kind), ("Qc", pa.string())])
        fields.append(pa.field(item.json_key, cell))
    table = pyarrow.json.read_json(
        io.BytesIO(lines),
        read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=1 << 20),
        parse_options=pyarrow.json.ParseOptions(
            explicit_schema=pa.schema(fields), unexpected_field_behavior="ignore"
        ),
    )
    columns: Columns = {
        "station": table["Station"].cast(pa.uint16()),
        "date": table["Date"].cast(pa.date32()),
    }
    if scope is Scope.HOURLY:
        columns["hour"] = pc.divide(table["Hour"].cast(pa.uint16()), 100)
    for item in items:
        cell = table[item.json_key].combine_chunks()
        scale = 10**item.decimals_metric
        value = pc.multiply(cell.field("Value"), pa.scalar(scale, pa.decimal128(4, 0)))
        columns[item.column] = value.cast(pa.int16(), safe=False)
        flag = cell.field("Qc")
        columns[item.flag_column] = pc.if_else(pc.equal(flag, " "), None, flag).dictionary_encode()
    return columns


def same_columns(ours: pa.Table, theirs: Columns, items: tuple[Item, ...]) -> bool:
    """Whether a rival's columns hold what ours hold."""
    for item in items:
        mine = np.array(ours[item.column].to_pylist(), dtype=object)
        other = np.array(theirs[item.column].to_pylist(), dtype=object)
        flags = ours[item.flag_column].to_pylist() == theirs[item.flag_column].to_pylist()
        if not (flags and bool((mine == other).all())):
            return False
    return bool(ours["date"].to_pylist() == theirs["date"].to_pylist())
