"""Merge new rows into a chunk's stored rows without losing a row, a value or a flag."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from pipeline.chunks.arrays import Ints, magnitude
from pipeline.chunks.arrow import arrange, take_apart
from pipeline.chunks.footer import ColumnInfo
from pipeline.chunks.key import ChunkKey
from pipeline.chunks.parts import FlagColumn, Parts, ValueColumn
from pipeline.chunks.tables import put_together
from pipeline.errors import ChunkError
from pipeline.items import ITEMS
from pipeline.units import same_unit

__all__ = ["MergeCounts", "merge_parts", "merge_rows"]

_ORDER = {item.code: number for number, item in enumerate(ITEMS)}


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
    merged = Parts(times, [], [])
    changed = np.zeros(times.size, dtype=np.int64)
    came = np.zeros(times.size, dtype=np.int64)
    for code in sorted(_codes(before) | _codes(after), key=lambda c: _ORDER[c]):
        one, two = _column(before, code), _column(after, code)
        value, flag = _merge_column(one, two, spots, times.size)
        merged.values.append(value)
        merged.flags.append(flag)
        if one is not None and two is not None:
            differs, fills = _changes(one, value, flag, spots[0], times.size)
            changed += differs
            came += fills
        elif two is not None:
            marked = _marked(value, flag)
            changed += marked
            came += marked
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
) -> _Pair:
    pairs = [(pair, spot) for pair, spot in zip((one, two), spots, strict=True) if pair]
    info = _common([pair[0].info for pair, _ in pairs])
    if one is not None and two is not None and info.from_v1 and not two[0].info.from_v1:
        info = replace(info, from_v1=_some_stay(one[0], *spots))
    texts = sorted({t for pair, _ in pairs for t in pair[1].texts})
    numbers = np.zeros(rows, dtype=np.int64)
    missing = np.ones(rows, dtype=np.bool_)
    flags = np.zeros(rows, dtype=np.int64)
    for (value, flag), spot in pairs:
        numbers[spot] = _rescaled(value, info)
        missing[spot] = False if value.missing is None else value.missing
        rank = np.array([0, *(texts.index(t) + 1 for t in flag.texts)], dtype=np.int64)
        flags[spot] = rank[flag.numbers]
    kept = [t for n, t in enumerate(texts) if (flags == n + 1).any()]
    rank = np.array([0, *(kept.index(t) + 1 if t in kept else 0 for t in texts)], dtype=np.int64)
    absent = missing if missing.any() else None
    return ValueColumn(info, numbers, absent), FlagColumn(tuple(kept), rank[flags])


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
    return replace(
        infos[0],
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
    factor = 10 ** (info.decimals - value.info.decimals)
    if factor > 1 and magnitude(value.numbers) > (1 << 62) // factor:
        raise ChunkError(
            f"column '{info.code}' needs more than 64 bits for {info.decimals} decimals"
        )
    scaled: Ints = value.numbers * factor
    return scaled


def _changes(
    one: _Pair, value: ValueColumn, flag: FlagColumn, spot: Ints, rows: int
) -> tuple[Ints, Ints]:
    """Return per row 1 where the merged value, missing mark or flag differs from the old one.

    And 1 where it does because a value came that was missing.
    """
    before, old_flag = one
    absent = np.zeros(spot.size, np.bool_) if before.missing is None else before.missing
    now = np.zeros(rows, np.bool_) if value.missing is None else value.missing
    numbers = _rescaled(before, value.info)
    old_texts = np.array(["", *old_flag.texts])[old_flag.numbers]
    new_texts = np.array(["", *flag.texts])[flag.numbers][spot]
    differs = (absent != now[spot]) | (old_texts != new_texts)
    differs |= (numbers != value.numbers[spot]) & ~absent & ~now[spot]
    result, came = np.zeros((2, rows), dtype=np.int64)
    result[spot] = differs
    came[spot] = absent & ~now[spot]
    return result, came


def _marked(value: ValueColumn, flag: FlagColumn) -> Ints:
    """Return per row 1 where a column that is new says anything."""
    says = np.ones(flag.numbers.size, np.bool_) if value.missing is None else ~value.missing
    return (says | (flag.numbers > 0)).astype(np.int64)
