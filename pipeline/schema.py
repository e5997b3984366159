"""Arrow schemas per scope in their two forms, and the change from one to the other.

*Scaled* is what travels through the pipeline and lies in chunks: a value is an integer, the decimal
text without its point, in the narrowest of int16, int32 and int64 that holds its column, and the
field's metadata tell the decimals. *Physical* is what users get: float64 that prints as the API's
decimals. In both, a flag is a dictionary-encoded string (null = passed = blank); missing is null.

Time (California's network keeps Pacific standard time, UTC-8, all year): ``date`` is the network's
day; ``time`` is the end of the hour, without a zone; ``hour`` is 1..24, and hour 24 of a date is
00:00 of the next in ``time``.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from pipeline.items import Item, Scope, Standard, by_code

__all__ = [
    "FLAG_TYPE",
    "KEY_FIELDS",
    "STANDARD",
    "TARGET_FIELD",
    "TIME_COLUMN",
    "as_doubles",
    "decimal_form",
    "decimals_of",
    "is_from_v1",
    "item_metadata",
    "item_of",
    "key_columns",
    "physical_schema",
    "scaled_schema",
    "standard_of",
    "stated_unit",
    "table_items",
    "time_zone_metadata",
    "to_physical",
    "to_scaled",
]

FLAG_TYPE = pa.dictionary(pa.int8(), pa.string())

KEY_FIELDS: dict[Scope, tuple[pa.Field, ...]] = {
    Scope.DAILY: (
        pa.field("station", pa.uint16(), nullable=False),
        pa.field("date", pa.date32(), nullable=False),
    ),
    Scope.HOURLY: (
        pa.field("station", pa.uint16(), nullable=False),
        pa.field("time", pa.timestamp("s"), nullable=False),
        pa.field("date", pa.date32(), nullable=False),
        pa.field("hour", pa.uint8(), nullable=False),
    ),
}

STANDARD = b"standard"
"""Key in the schema metadata of an archive's rows: the system of units that it was written in."""

TARGET_FIELD = pa.field("target", pa.string(), nullable=False)
"""Takes the place of ``station`` in rows of spatial targets, as ``zip:93624``."""

TIME_COLUMN = {Scope.DAILY: "date", Scope.HOURLY: "time"}
"""The column that, with ``station``, is a row's key."""


def key_columns(scope: Scope) -> list[str]:
    """Return the names of a scope's key columns, in order."""
    return [field.name for field in KEY_FIELDS[scope]]


def time_zone_metadata(scope: Scope) -> dict[bytes, bytes]:
    """Return the schema metadata that state scope and time base."""
    return {b"scope": scope.encode(), b"time_base": b"PST (UTC-8) all year, hour ending"}


def item_metadata(
    item: Item, *, decimals: int, unit: str, from_v1: bool = False
) -> dict[bytes, bytes]:
    """Return the field metadata of a value column: item code, decimals, unit text as sent.

    And ``origin`` where some of its values were read from a V1 file that makes them suspect.
    """
    facts = {b"item": item.code.encode(), b"decimals": b"%d" % decimals, b"unit": unit.encode()}
    return facts | {b"origin": b"v1"} if from_v1 else facts


def item_of(field: pa.Field) -> Item | None:
    """Return the item of a value column, or None for keys, flags and foreign columns."""
    metadata = field.metadata or {}
    code = metadata.get(b"item")
    return by_code(code.decode()) if code is not None else None


def decimals_of(field: pa.Field) -> int:
    """Return the decimals of a value column; 0 where its metadata name none."""
    return int((field.metadata or {}).get(b"decimals", b"0"))


def standard_of(schema: pa.Schema) -> Standard:
    """Return the system of units that an archive's rows were written in; metric where unsaid."""
    said: bytes = (schema.metadata or {}).get(STANDARD, Standard.METRIC.encode())
    return Standard(said.decode())


def stated_unit(field: pa.Field, item: Item) -> str:
    """Return the unit text of a value column; the registry's metric one where it names none."""
    unit: bytes = (field.metadata or {}).get(b"unit", item.unit_metric.encode())
    return unit.decode()


def is_from_v1(field: pa.Field) -> bool:
    """Tell whether some values of a column were read from a V1 file that makes them suspect."""
    return (field.metadata or {}).get(b"origin") == b"v1"


def table_items(schema: pa.Schema) -> tuple[Item, ...]:
    """Return the items of a schema's value columns, in column order."""
    return tuple(item for field in schema if (item := item_of(field)) is not None)


def _schema(
    scope: Scope,
    items: Iterable[Item],
    value_type: pa.DataType,
    decimals: dict[str, int] | None,
    units: dict[str, str] | None,
) -> pa.Schema:
    fields = list(KEY_FIELDS[scope])
    for item in items:
        places = (decimals or {}).get(item.code, item.decimals_metric)
        unit = (units or {}).get(item.code, item.unit_metric)
        metadata = item_metadata(item, decimals=places, unit=unit)
        fields.append(pa.field(item.column, value_type, metadata=metadata))
        fields.append(pa.field(item.flag_column, FLAG_TYPE))
    return pa.schema(fields, metadata=time_zone_metadata(scope))


def scaled_schema(
    scope: Scope,
    items: Iterable[Item],
    *,
    decimals: dict[str, int] | None = None,
    units: dict[str, str] | None = None,
    value_type: pa.DataType | None = None,
) -> pa.Schema:
    """Return the pipeline's schema: keys, then per item an integer column and its flag column."""
    return _schema(scope, items, value_type or pa.int16(), decimals, units)


def physical_schema(
    scope: Scope,
    items: Iterable[Item],
    *,
    decimals: dict[str, int] | None = None,
    units: dict[str, str] | None = None,
) -> pa.Schema:
    """Return the users' schema: keys, then per item a float64 column and its flag column."""
    return _schema(scope, items, pa.float64(), decimals, units)


def to_physical(table: pa.Table) -> pa.Table:
    """Return a scaled table with its values as float64, exact to the printed decimal.

    Division (not multiplication by the reciprocal) gives the double nearest to the decimal for up
    to 15 significant digits. Columns that are already float64 pass unchanged.
    """
    columns: list[pa.ChunkedArray] = []
    fields: list[pa.Field] = []
    for field, column in zip(table.schema, table.columns, strict=True):
        if item_of(field) is None or not pa.types.is_integer(field.type):
            columns.append(column)
            fields.append(field)
            continue
        divisor = 10.0 ** decimals_of(field)
        columns.append(
            pa.chunked_array([_divided(c, divisor) for c in column.chunks], type=pa.float64())
        )
        fields.append(field.with_type(pa.float64()))
    return pa.table(columns, schema=pa.schema(fields, metadata=table.schema.metadata))


def _divided(array: pa.Array, divisor: float) -> pa.Array:
    """Return integers divided as float64 with the same validity, without a Python loop."""
    width = array.type.bit_width // 8
    data = array.buffers()[1]
    stop = array.offset + len(array)
    numbers = np.frombuffer(data, dtype=f"<i{width}", count=stop) if data else np.empty(stop, "<i2")
    values = np.divide(numbers, divisor, dtype=np.float64)
    return pa.Array.from_buffers(
        pa.float64(),
        len(array),
        [array.buffers()[0], pa.py_buffer(values)],
        offset=array.offset,
    )


def to_scaled(table: pa.Table) -> pa.Table:
    """Return a physical table with its values as scaled integers.

    A float64 column gets the fewest decimals, not fewer than the registry's, at which every value
    is the double nearest to a decimal of at most 15 digits; a column with a value that is no such
    decimal stays float64, so that nothing is rounded. Columns that are integers pass unchanged.
    """
    if not any(pa.types.is_floating(kind) for kind in table.schema.types):
        return table
    columns: list[pa.ChunkedArray] = []
    fields: list[pa.Field] = []
    for field, column in zip(table.schema, table.columns, strict=True):
        item = item_of(field)
        scaled = None
        if item is not None and pa.types.is_floating(field.type):
            scaled = _scaled(column, item.decimals_metric)
        if scaled is None or item is None:
            columns.append(column)
            fields.append(field)
            continue
        array, decimals = scaled
        unit = stated_unit(field, item)
        columns.append(pa.chunked_array([array]))
        metadata = item_metadata(item, decimals=decimals, unit=unit, from_v1=is_from_v1(field))
        fields.append(pa.field(field.name, array.type, metadata=metadata))
    return pa.table(columns, schema=pa.schema(fields, metadata=table.schema.metadata))


def _scaled(column: pa.ChunkedArray, least: int) -> tuple[pa.Array, int] | None:
    missing = np.asarray(column.is_null())
    found = decimal_form(np.asarray(as_doubles(column).fill_null(0.0)), least)
    if found is None:
        return None
    numbers, decimals = found
    top = int(np.abs(numbers).max()) if numbers.size else 0
    width = np.int16 if top < 1 << 15 else np.int32 if top < 1 << 31 else np.int64
    return pa.array(numbers.astype(width), mask=missing), decimals


def as_doubles(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return floats as float64: a narrower one as the decimal that it prints as, 8.1 as 8.1."""
    if pa.types.is_float64(column.type):
        return column
    return column.cast(pa.float32()).cast(pa.string()).cast(pa.float64())


def decimal_form(
    values: np.ndarray[tuple[int], np.dtype[np.float64]], least: int
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], int] | None:
    """Return doubles as integers over a power of ten, and its exponent: the decimals.

    The fewest decimals, not fewer than ``least``, at which each value is the double nearest to
    its decimal; None where one is no decimal of at most 15 digits, or not finite.
    """
    for decimals in range(least, 16):
        with np.errstate(over="ignore"):
            numbers = np.rint(values * 10.0**decimals)
        if values.size and not np.abs(numbers).max() < 1e15:
            return None
        if np.array_equal(numbers / 10.0**decimals, values):
            return numbers.astype(np.int64), decimals
    return None
