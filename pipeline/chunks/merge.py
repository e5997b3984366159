"""Merge new rows into a chunk's stored rows without losing a row, a value or a flag."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from cimis.pipeline.chunks.arrow import take_apart
from cimis.pipeline.chunks.footer import ColumnInfo
from cimis.pipeline.chunks.key import ChunkKey
from cimis.pipeline.chunks.parts import Bools, FlagColumn, Parts, ValueColumn, flag_columns
from cimis.pipeline.chunks.tables import put_together
from cimis.pipeline.errors import ChunkError
from cimis.pipeline.field.units import same_unit
from cimis.pipeline.rows.arrays import ranks
from cimis.pipeline.rows.keys import arrange
from cimis.pipeline.rows.numbers import Ints, rescaled
from cimis.pipeline.rows.schema import RANK

__all__ = ["MergeCounts", "merge_parts", "merge_rows"]


@dataclass(frozen=True, slots=True)
class MergeCounts:
    """What a merge did: rows added, changed and left as they were; values changed; duplicates.

    Of the changed rows ``filled`` are those in which only values came that were missing; in those
    ``revised`` a value, or the flag of one, is another.
    """

    added: int = 0
    revised: int = 0
    filled: int = 0
    unchanged: int = 0
    revised_values: int = 0
    duplicates: int = 0


def merge_rows(old: pa.Table | None, new: pa.Table, key: ChunkKey) -> tuple[pa.Table, MergeCounts]:
    """Return the union of two tables of one chunk by time, new before old.

    A new row replaces what the old one says of the items that the new table has; other items of an
    old row keep their values and flags. The result follows from the resulting rows alone.

    Parameters
    ----------
    old : pyarrow.Table, optional
        Scaled rows as stored.
    new : pyarrow.Table
        Scaled rows in any order; of rows with one time the last counts.
    key : ChunkKey

    Raises
    ------
    ChunkError
        When a row does not belong to the chunk.
    """
    new, duplicates = arrange(new, key.scope)
    before = None if old is None else take_apart(old, key)
    merged, counts = merge_parts(before, take_apart(new, key))
    return put_together(key, merged), replace(counts, duplicates=duplicates)


def merge_parts(before: Parts | None, after: Parts) -> tuple[Parts, MergeCounts]:
    """Return the union of the rows of one chunk, in canonical form, as `merge_rows` does."""
    if before is None:
        return after, MergeCounts(added=after.times.size)
    times = np.union1d(before.times, after.times)
    spots = (np.searchsorted(times, before.times), np.searchsorted(times, after.times))
    known = np.isin(after.times, before.times)
    changed, came = np.zeros((2, times.size), dtype=np.int64)
    codes = sorted(_codes(before) | _codes(after), key=RANK.__getitem__)
    texts = sorted({t for parts in (before, after) for flag in parts.flags for t in flag.texts})
    flags = np.zeros((len(codes), times.size), dtype=np.int64)
    values = []
    for code, marks in zip(codes, flags, strict=True):
        one, two = _column(before, code), _column(after, code)
        value = _merge_column(one, two, spots, times.size)
        for pair, spot in zip((one, two), spots, strict=True):
            if pair is not None:
                marks[spot] = ranks(pair[1].texts, texts)[pair[1].numbers]
        values.append(value)
        if one is not None and two is not None:
            own = ranks(one[1].texts, texts)[one[1].numbers]
            flagged = own != marks[spots[0]]
            differs, fills = _changes(one[0], value, flagged, spots[0])
            changed[spots[0]] += differs
            came[spots[0]] += fills
        elif two is not None:
            says = marks > 0 if value.missing is None else ~value.missing | (marks > 0)
            changed += says
            came += says
    merged = Parts(times, values, flag_columns(texts, flags))
    old_rows = np.zeros(times.size, dtype=np.bool_)
    old_rows[spots[0]] = True
    changed[~old_rows] = 0
    touched = int((changed > 0).sum())
    filled = int(((changed > 0) & (changed == came)).sum())
    counts = MergeCounts(
        added=int((~known).sum()),
        revised=touched - filled,
        filled=filled,
        unchanged=int(known.sum()) - touched,
        revised_values=int(changed.sum()),
    )
    return merged, counts


_Pair = tuple[ValueColumn, FlagColumn]


def _codes(parts: Parts) -> set[str]:
    return {value.info.code for value in parts.values}


def _column(parts: Parts, code: str) -> _Pair | None:
    for value, flag in zip(parts.values, parts.flags, strict=True):
        if value.info.code == code:
            return value, flag
    return None


def _merge_column(
    one: _Pair | None, two: _Pair | None, spots: tuple[Ints, Ints], rows: int
) -> ValueColumn:
    """Return the values of both at their places among all rows; where both have one, the new."""
    pairs = [(pair[0], spot) for pair, spot in zip((one, two), spots, strict=True) if pair]
    info = _common([value.info for value, _ in pairs])
    if one is not None and two is not None and info.from_v1 and not two[0].info.from_v1:
        info = info._replace(from_v1=_some_stay(one[0], *spots))
    numbers = np.zeros(rows, dtype=np.int64)
    missing = np.ones(rows, dtype=np.bool_)
    for value, spot in pairs:
        numbers[spot] = _rescaled(value, info)
        missing[spot] = False if value.missing is None else value.missing
    return ValueColumn(info, numbers, missing if missing.any() else None)


def _common(infos: list[ColumnInfo]) -> ColumnInfo:
    """Return what two columns have in common: more decimals, the first of the unit texts.

    Raises
    ------
    ChunkError
        When the texts are of two units: their numbers are no numbers of one column.
    """
    first, last = infos[0].unit, infos[-1].unit
    if first != last and not same_unit(infos[0].item, first, last):
        raise ChunkError(
            f"column '{infos[0].item.column}' is stored in '{first}', and rows in '{last}' came",
            hint=f"convert them first; chunks hold {infos[0].item.unit_metric}",
        )
    return infos[0]._replace(
        unit=min((info.unit for info in infos if info.unit), default=""),
        decimals=max(info.decimals for info in infos),
        is_double=any(info.is_double for info in infos),
        from_v1=any(info.from_v1 for info in infos),
    )


def _some_stay(value: ValueColumn, old: Ints, new: Ints) -> bool:
    """Tell whether a present value of the old rows, at places ``old``, is not replaced."""
    stays = ~np.isin(old, new)
    return bool((stays if value.missing is None else stays & ~value.missing).any())


def _rescaled(value: ValueColumn, info: ColumnInfo) -> Ints:
    if info.is_double:
        if value.info.is_double:
            return value.numbers
        return np.divide(value.numbers, 10.0**value.info.decimals).view(np.int64)
    try:
        return rescaled(value.numbers, info.decimals - value.info.decimals)
    except OverflowError:
        raise ChunkError(
            f"column '{info.code}' needs more than 64 bits for {info.decimals} decimals"
        ) from None


def _changes(
    before: ValueColumn, value: ValueColumn, flagged: Bools, spot: Ints
) -> tuple[Bools, Bools]:
    """Tell of old rows, now at places ``spot``, where the value, missing mark or flag is another.

    And where it is because a value came that was missing; ``flagged`` are rows of another flag.
    """
    none = np.zeros(spot.size, np.bool_)
    absent = none if before.missing is None else before.missing
    gone = none if value.missing is None else value.missing[spot]
    other = _rescaled(before, value.info) != value.numbers[spot]
    return flagged | (absent != gone) | (other & ~absent & ~gone), absent & ~gone
