"""Texts of an archive's columns to numbers, missing marks and flags, without a loop over values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Item, Scope, Standard
from cimis.pipeline.field.time import is_hour
from cimis.pipeline.field.units import metric_decimals, to_metric
from cimis.pipeline.rows.arrays import coded, value_array
from cimis.pipeline.rows.keys import day_arrays
from cimis.pipeline.rows.numbers import fewest
from cimis.pipeline.rows.schema import STANDARD, item_fields, rows_schema

__all__ = [
    "DECIMALS",
    "ArchiveColumn",
    "archive_table",
    "dates_of",
    "flags_of",
    "hours_of",
    "numbers_of",
]

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

DECIMALS = 3
"""Values are read as thousandths; none of the archives has more decimals."""


@dataclass(frozen=True, slots=True)
class ArchiveColumn:
    """An item's values in units of ``10**-decimals``, their missing marks and their flags.

    Values that were worked out, not read, have more decimals than :data:`DECIMALS`; these are no
    reason to keep more of the metric ones than usual.
    """

    item: Item
    numbers: Ints
    missing: Bools
    flags: pa.Array
    decimals: int = DECIMALS


_SENTINELS = (-6999, 6999, -9997, -9998, -8484)
_MISSING = pa.array(["", "--", "---", "*", "#####"])


def numbers_of(texts: pa.Array, place: str) -> tuple[Ints, Bools, Bools]:
    """Return a column's values in thousandths, which are missing, and which of these by a sentinel.

    Raises
    ------
    UsageError
        For a text that is no number; the message names the place.
    """
    trimmed = pc.utf8_trim_whitespace(texts)
    missing = pc.is_in(trimmed, _MISSING)
    try:
        doubles = pc.cast(pc.if_else(missing, "0", trimmed), pa.float64())
    except pa.ArrowInvalid as error:
        raise UsageError(
            f"{place}: {error}", hint="is this a file of the network's archive?"
        ) from None
    values = np.asarray(doubles)
    numbers = np.rint(values * 10**DECIMALS)
    if not bool((np.abs(numbers) < 1e12).all()) or not np.array_equal(
        numbers / 10**DECIMALS, values
    ):
        raise UsageError(f"{place}: a value has more than {DECIMALS} decimals or 12 digits")
    whole = numbers.astype(np.int64)
    sentinel = np.isin(whole, np.array(_SENTINELS) * 10**DECIMALS)
    return whole, np.asarray(missing) | sentinel, sentinel


def flags_of(texts: pa.Array, sentinel: Bools) -> pa.Array:
    """Return a column's flags: blank and ``*`` are passed; a sentinel without a flag gets ``S``."""
    trimmed = pc.utf8_trim_whitespace(texts)
    passed = pc.is_in(trimmed, pa.array(["", "*"]))
    kept = pc.if_else(passed, pa.scalar(None, pa.string()), trimmed)
    if sentinel.any():
        marked = pc.and_(pa.array(sentinel), pc.is_null(kept))
        kept = pc.if_else(marked, "S", kept)
    return coded(kept)


def dates_of(texts: pa.Array, place: str) -> pa.Array:
    """Return American dates (``1/31/2016``, padded or not) as date32."""
    trimmed = pc.utf8_trim_whitespace(texts)
    instants = pc.strptime(trimmed, format="%m/%d/%Y", unit="s", error_is_null=True)
    if instants.null_count:
        bad = trimmed.filter(pc.is_null(instants))[0].as_py()
        raise UsageError(f"{place}: '{bad}' is no date", hint="dates are month/day/year")
    return instants.cast(pa.date32())


def hours_of(date: pa.Array, texts: pa.Array, place: str) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Return the end of each hour, its date and its number, from texts 100 to 2400."""
    hours, parts = np.divmod(numbers_of(texts, f"{place}, hour")[0], 100_000)
    if bool((~is_hour(hours) | (parts != 0)).any()):
        raise UsageError(f"{place}: an hour is not in 0100 to 2400", hint="is the file whole?")
    days = np.asarray(pc.cast(date, pa.int32()))
    time, date, hour = day_arrays(days, hours.astype(np.uint8))
    return time, date, hour


def archive_table(
    scope: Scope,
    keys: Sequence[pa.Array],
    columns: Sequence[ArchiveColumn],
    standard: Standard,
) -> pa.Table:
    """Return the scaled metric table of an archive's columns, converted where they are English.

    Its schema's metadata tell the standard of the archive, see ``STANDARD`` of ``rows.schema``.
    """
    arrays, fields = list(keys), []
    for column in columns:
        item, missing = column.item, column.missing
        values, decimals = np.where(missing, 0, column.numbers), column.decimals
        if standard is Standard.ENGLISH:
            usual = item.decimals_english
            read = fewest(values, decimals, usual)[1] if decimals <= DECIMALS else usual
            metric = metric_decimals(item, read)
            values = to_metric(values, decimals, item, metric)
            values, decimals = np.where(missing, 0, values), metric
        else:
            values, decimals = fewest(values, decimals, item.decimals_metric)
        arrays += [value_array(values, missing), column.flags]
        fields += item_fields(item, arrays[-2].type, decimals=decimals, unit=item.unit_metric)
    schema = rows_schema(scope, fields)
    return pa.table(
        arrays, schema=schema.with_metadata(schema.metadata | {STANDARD: standard.encode()})
    )


def source_name(path: Path, member: str = "") -> str:
    """Return how messages name a file, or a member of an archive."""
    return f"{path.name}:{member}" if member else path.name
