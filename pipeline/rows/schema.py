"""Arrow schemas per scope in their two forms, and what the metadata of a column tell.

*Scaled* is what travels through the pipeline and lies in chunks: a value is an integer, the decimal
text without its point, in the narrowest of int16, int32 and int64 that holds its column, and the
field's metadata tell the decimals. *Physical* is what users get: float64 that prints as the API's
decimals. In both, a flag is a dictionary-encoded string (null = passed = blank); missing is null.

Time (California's network keeps Pacific standard time, UTC-8, all year): ``date`` is the network's
day; ``time`` is the end of the hour, without a zone; ``hour`` is 1..24, and hour 24 of a date is
00:00 of the next in ``time``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pyarrow as pa

from cimis.pipeline.field.items import ITEMS, Item, Scope, Standard, by_code

__all__ = [
    "FLAG_TYPE",
    "KEY_FIELDS",
    "RANK",
    "STANDARD",
    "TARGET_FIELD",
    "TIME_COLUMN",
    "decimals_of",
    "is_from_v1",
    "item_fields",
    "item_metadata",
    "item_of",
    "key_columns",
    "physical_schema",
    "rows_schema",
    "scaled_schema",
    "standard_of",
    "stated_unit",
    "table_items",
    "time_zone_metadata",
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

RANK = {item.code: rank for rank, item in enumerate(ITEMS)}
"""Place of an item in the registry, which is the order of columns, by its code."""

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


def item_fields(
    item: Item, kind: pa.DataType, *, decimals: int, unit: str, from_v1: bool = False
) -> list[pa.Field]:
    """Return the fields of an item's two columns: its values of a type, and its flags."""
    metadata = item_metadata(item, decimals=decimals, unit=unit, from_v1=from_v1)
    return [
        pa.field(item.column, kind, metadata=metadata),
        pa.field(item.flag_column, FLAG_TYPE),
    ]


def rows_schema(
    scope: Scope, columns: Iterable[pa.Field], *, target: pa.Field | None = None
) -> pa.Schema:
    """Return the schema of a scope's keys and some columns; ``target`` in the place of station."""
    keys = KEY_FIELDS[scope]
    if target is not None:
        keys = target, *keys[1:]
    return pa.schema([*keys, *columns], metadata=time_zone_metadata(scope))


def scaled_schema(
    scope: Scope,
    items: Iterable[Item],
    *,
    decimals: Mapping[str, int] | None = None,
    units: Mapping[str, str] | None = None,
    value_type: pa.DataType | None = None,
) -> pa.Schema:
    """Return the pipeline's schema: keys, then per item an integer column and its flag column.

    ``decimals`` and ``units`` are by item code, by default the registry's metric ones; values are
    int16 unless ``value_type`` says otherwise.
    """
    fields = []
    for item in items:
        places = (decimals or {}).get(item.code, item.decimals_metric)
        unit = (units or {}).get(item.code, item.unit_metric)
        fields += item_fields(item, value_type or pa.int16(), decimals=places, unit=unit)
    return rows_schema(scope, fields)


def physical_schema(
    scope: Scope,
    items: Iterable[Item],
    *,
    decimals: Mapping[str, int] | None = None,
    units: Mapping[str, str] | None = None,
) -> pa.Schema:
    """Return the users' schema: keys, then per item a float64 column and its flag column."""
    return scaled_schema(scope, items, decimals=decimals, units=units, value_type=pa.float64())
