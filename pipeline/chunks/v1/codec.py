"""Between scaled tables and V1 records: what V1 can hold, and how much it loses, per item."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cimis.pipeline.chunks.arrow import canonical_column, take_apart
from cimis.pipeline.chunks.encodings import REFERENCE, Encoding
from cimis.pipeline.chunks.footer import Block, Cell, ColumnInfo, Footer, State
from cimis.pipeline.chunks.key import ChunkKey
from cimis.pipeline.chunks.parts import (
    FlagColumn,
    Parts,
    ValueColumn,
    missing_rows,
    same_rows,
    statistics,
)
from cimis.pipeline.chunks.tables import put_together
from cimis.pipeline.chunks.v1.records import EPOCH, RECORDS, Records, pack, unpack
from cimis.pipeline.errors import ChunkError
from cimis.pipeline.field.items import Item, Scope, scope_items
from cimis.pipeline.field.time import times_of_year
from cimis.pipeline.field.units import megajoules_of, watts_of
from cimis.pipeline.rows.numbers import Ints

__all__ = [
    "FLAG",
    "Measured",
    "columns_of",
    "decode",
    "decode_parts",
    "describe",
    "encode",
    "encode_parts",
    "from_records",
    "measured",
    "to_records",
    "unread_bits",
]

FLAG = "V1"
"""What a set flag bit reads as: the value was flagged, but V1 does not keep the letter."""

_UNREAD = {"computed (V1 bit 0x40)": 0x40, "estimated (V1 bit 0x80)": 0x80}

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Field:
    """One measured field: our decimals of the record's integer, its ratio to ours, its flag bit."""

    column: str
    decimals: int
    bit: int = 0
    zero_is_missing: bool = False


_FIELDS: dict[Scope, tuple[_Field, ...]] = {
    Scope.DAILY: (
        _Field("air_tmp_avg", 1, 0x01),
        _Field("asce_eto", 2, 0x02),
        _Field("wind_spd_avg", 1, 0x04),
        _Field("rel_hum_avg", 0, 0x08),
        _Field("sol_rad_avg", 1, 0x10),
    ),
    Scope.HOURLY: (
        _Field("air_tmp", 1, 0x01),
        _Field("asce_eto", 3, 0x02),
        _Field("wind_spd", 1, 0x04),
        _Field("wind_dir", 0),
        _Field("rel_hum", 0, 0x08),
        _Field("sol_rad", 0, 0x10),
        _Field("precip", 2, 0x20),
        _Field("vap_pres", 2, 0, zero_is_missing=True),
    ),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """An item of records: scaled integers, and which rows are missing or flagged."""

    item: Item
    decimals: int
    numbers: Ints
    missing: Bools
    flagged: Bools


def decode(data: bytes, key: ChunkKey) -> pa.Table:
    """Return the scaled table of a V1 file, or raise `ChunkError`."""
    return put_together(key, from_records(unpack(data, key.scope), key))


def encode(table: pa.Table, key: ChunkKey) -> tuple[bytes, dict[str, int]]:
    """Return a V1 file of a table's rows, and the losses by column."""
    return encode_parts(take_apart(table, key), key)[:2]


def encode_parts(parts: Parts, key: ChunkKey) -> tuple[bytes, dict[str, int], Parts]:
    """Return a V1 file of rows, the losses by column, and the rows that it will read as.

    A loss is a value or a flag that does not come back as it was: an item or flag letter that V1
    has no room for, a value out of its range (stored as missing), or one that it rounds.
    """
    records = to_records(parts, key)
    back = from_records(records, key)
    return pack(records), _losses(parts, back), back


def decode_parts(data: bytes, key: ChunkKey) -> Parts:
    """Return the rows of a V1 file in canonical form."""
    return from_records(unpack(data, key.scope), key)


def unread_bits(data: bytes, scope: Scope) -> dict[str, int]:
    """Return how many records of a V1 file have a flag bit that is not read, by the bit's name."""
    bits = unpack(data, scope)["flags"]
    counts = {name: int(np.count_nonzero(bits & bit)) for name, bit in _UNREAD.items()}
    return {name: count for name, count in counts.items() if count}


def check_parts(data: bytes, key: ChunkKey, parts: Parts) -> Footer:
    """Return a V1 file's footer after checking that it holds exactly these rows."""
    found = decode_parts(data, key)
    if not same_rows(found, parts):
        raise ChunkError(
            f"{found.times.size} rows read back differ from the {parts.times.size} written",
            hint="the new file was removed and the old one stays; check the disk",
        )
    return describe(found, key)


def from_records(records: Records, key: ChunkKey) -> Parts:
    """Return the rows of V1 records; the format's page has the rule for missing."""
    if key.station is None or bool((records["station"] != key.station).any()):
        raise ChunkError(f"V1 records of other stations than {key.station}")
    times = records["time"].astype(np.int64) + EPOCH[key.scope]
    first, last = times_of_year(key.scope, key.year)
    if times.size and not first <= times.min() <= times.max() <= last:
        raise ChunkError(f"V1 records of another year than {key.year}")
    values, marks = [], []
    for found in measured(records, key.scope):
        info = _info(found.item, found.decimals)
        missing = found.missing if found.missing.any() else None
        values.append(canonical_column(info, found.numbers, missing))
        marked = found.flagged.astype(np.int64)
        marks.append(FlagColumn((FLAG,) if marked.any() else (), marked))
    return Parts(times, values, marks)


def columns_of(scope: Scope) -> tuple[ColumnInfo, ...]:
    """Return the columns that every V1 file of a scope has, in registry order."""
    items = {item.column: item for item in scope_items(scope)}
    decimals = {field.column: field.decimals for field in _FIELDS[scope]}
    return tuple(_info(items[name], decimals[name]) for name in items if name in decimals)


def _info(item: Item, decimals: int) -> ColumnInfo:
    # the older program's radiation wrapped around in its byte
    suspect = item.column == "sol_rad_avg"
    return ColumnInfo(item.code, item.unit_metric, decimals, from_v1=suspect)


def measured(records: Records, scope: Scope) -> Iterator[Measured]:
    """Yield the items of records, of one file or of many, in registry order."""
    flags = records["flags"]
    items = {item.column: item for item in scope_items(scope)}
    for field in sorted(_FIELDS[scope], key=lambda f: list(items).index(f.column)):
        numbers = records[field.column].astype(np.int64)
        flagged: Bools = (flags & field.bit) != 0
        missing = (numbers == 0) & (flagged | field.zero_is_missing)
        if field.column == "wind_dir":
            missing = (numbers == 0) & ((flags & 0x04) != 0) & (records["wind_spd"] == 0)
        numbers = _from_v1(numbers, field.column)
        yield Measured(items[field.column], field.decimals, numbers, missing, flagged & ~missing)


def _from_v1(numbers: Ints, column: str) -> Ints:
    """Return a record's integers in our scale: direction doubled, MJ/m² per day as 0.1 W/m²."""
    if column == "wind_dir":
        return numbers * 2
    if column == "sol_rad_avg":
        return watts_of(numbers)
    return numbers


def _to_v1(numbers: Ints, column: str) -> Ints:
    if column == "wind_dir":
        return (numbers + 1) // 2
    if column == "sol_rad_avg":
        return megajoules_of(numbers)
    return numbers


def to_records(parts: Parts, key: ChunkKey) -> Records:
    """Return the V1 records of rows; a value that does not fit becomes missing, never wraps."""
    if key.station is None:
        raise ChunkError(f"{key.name}: V1 holds stations only")
    times = parts.times - EPOCH[key.scope]
    if int(times.min()) < 0:
        raise ChunkError(f"{key.name}: V1 holds no time before 1985-01-01", hint="use --format v2")
    records: Records = np.zeros(times.size, dtype=RECORDS[key.scope])
    records["time"] = times
    records["station"] = key.station
    bits = np.zeros(times.size, dtype=np.uint8)
    known = {v.info.item.column: (v, f) for v, f in zip(parts.values, parts.flags, strict=True)}
    for field in _FIELDS[key.scope]:
        pair = known.get(field.column)
        if pair is None:
            bits |= np.uint8(field.bit)
            continue
        numbers, fits = _fitted(pair[0], field, records.dtype[field.column].name)
        records[field.column] = np.where(fits, numbers, 0)
        bits |= np.where((pair[1].numbers > 0) | ~fits, field.bit, 0).astype(np.uint8)
    records["flags"] = bits
    return records


def _fitted(value: ValueColumn, field: _Field, kind: str) -> tuple[Ints, Bools]:
    """Return a column in V1's scale, rounded half up, and which rows are present and in range."""
    if value.info.is_double:
        with np.errstate(over="ignore"):  # what becomes infinite is out of range
            scaled = np.floor(value.numbers.view(np.float64) * 10.0**field.decimals + 0.5)
        numbers = np.clip(scaled, -(2**62), 2**62).astype(np.int64)
    else:
        drop = value.info.decimals - field.decimals
        if drop > 0:
            numbers = (value.numbers + 10**drop // 2) // 10**drop
        else:
            numbers = value.numbers.clip(-(2**40), 2**40) * 10**-drop
    numbers = _to_v1(numbers.clip(-(2**45), 2**45), field.column)
    bounds = np.iinfo(kind)
    fits: Bools = (numbers >= bounds.min) & (numbers <= bounds.max)
    if value.missing is not None:
        fits &= ~value.missing
    return numbers, fits


def _losses(before: Parts, after: Parts) -> dict[str, int]:
    """Return per column how many values or flags do not come back as they were."""
    back = {v.info.code: (v, f) for v, f in zip(after.values, after.flags, strict=True)}
    losses = {}
    for value, flag in zip(before.values, before.flags, strict=True):
        gone = np.zeros(flag.numbers.size, np.bool_) if value.missing is None else value.missing
        pair = back.get(value.info.code)
        if pair is None:
            lost: Bools = ~gone | (flag.numbers > 0)
        else:
            other = pair[0]
            absent = np.zeros(gone.size, np.bool_) if other.missing is None else other.missing
            lost = (gone != absent) | (~gone & ~absent & (_real(value) != _real(other)))
            lost |= _texts(flag) != _texts(pair[1])
        if lost.any():
            losses[value.info.item.column] = int(lost.sum())
    return losses | _invented(after, {value.info.code for value in before.values})


def _invented(after: Parts, known: set[str]) -> dict[str, int]:
    """Return how many values a column reads as that nobody gave: a direction without a bit is 0."""
    found = {}
    for value in after.values:
        gone = 0 if value.missing is None else int(value.missing.sum())
        if value.info.code not in known and gone < value.numbers.size:
            found[value.info.item.column] = value.numbers.size - gone
    return found


def _texts(flag: FlagColumn) -> npt.NDArray[np.str_]:
    return np.array(["", *flag.texts])[flag.numbers]


def _real(value: ValueColumn) -> npt.NDArray[np.float64]:
    if value.info.is_double:
        return value.numbers.view(np.float64)
    return np.asarray(value.numbers / 10.0**value.info.decimals, np.float64)


def describe(parts: Parts, key: ChunkKey) -> Footer:
    """Return a footer for V1 rows: version 1, one block without byte ranges."""
    columns = tuple(value.info for value in parts.values)
    values = np.stack([value.numbers for value in parts.values])
    found = statistics(columns, values, missing_rows(parts.values, parts.times.size))
    cells = tuple(Cell(Encoding(REFERENCE, 8), *one, 0, 0, 0) for one in found)
    edges = np.flatnonzero(np.diff(parts.times, prepend=parts.times[:1] - 2) != 1)
    counts = np.diff(edges, append=parts.times.size)
    runs = tuple(zip(parts.times[edges].tolist(), counts.tolist(), strict=True))
    block = Block(parts.times.size, runs, 0, 0, 0, 0, cells)
    return Footer(1, 0, key, columns, (State(False, FLAG), State(True, None)), (block,), 0)
