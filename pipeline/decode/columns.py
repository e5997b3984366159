"""Decoded rows as arrays, before they become a RecordBatch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cimis.pipeline.field.items import Item, Standard
from cimis.pipeline.rows.numbers import INT64_MAX, narrowest, rescaled

__all__ = ["Block", "Cell", "block_of", "concat"]

Cell = tuple[int, int, int]
"""A value in one record: integer, decimals (-1: missing), flag code."""

Ints = npt.NDArray[np.signedinteger]


@dataclass(slots=True)
class Block:
    """Some consecutive rows of a body.

    ``where`` (R,) uint16 station numbers or int32 target codes; ``days`` (R,) int32 since 1970;
    ``hours`` (R,) uint8 or None; ``values`` (K, R) integers, row k with ``decimals[k]`` decimals;
    ``valid`` (K, R) bool or None where all are; ``flags`` (K, R) uint8 codes or None where all are
    null.
    """

    items: tuple[Item, ...]
    where: npt.NDArray[np.integer]
    days: npt.NDArray[np.int32]
    hours: npt.NDArray[np.uint8] | None
    values: Ints
    decimals: tuple[int, ...]
    valid: npt.NDArray[np.bool_] | None
    flags: npt.NDArray[np.uint8] | None

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.days)

    def rows_of(self, which: slice | npt.NDArray[np.intp]) -> Block:
        """Return some of the rows."""
        return Block(
            self.items,
            self.where[which],
            self.days[which],
            None if self.hours is None else self.hours[which],
            self.values[:, which],
            self.decimals,
            None if self.valid is None else self.valid[:, which],
            None if self.flags is None else self.flags[:, which],
        )


def block_of(
    wanted: Mapping[str, Item],
    standard: Standard,
    where: npt.NDArray[np.integer],
    days: npt.NDArray[np.int32],
    hours: npt.NDArray[np.uint8] | None,
    rows: Sequence[Mapping[str, Cell]],
) -> Block:
    """Return rows of cells by JSON key as a block of the items, in `wanted`'s order, they have.

    Raises
    ------
    OverflowError
        When a column's values do not fit int64 at its largest number of decimals.
    """
    present: set[str] = set().union(*rows)
    chosen = [(key, item) for key, item in wanted.items() if key in present]
    columns: list[list[int]] = []
    spots: list[list[bool]] = []
    codes: list[list[int]] = []
    decimals: list[int] = []
    for key, item in chosen:
        cells = [row.get(key, (0, -1, 0)) for row in rows]
        places = max(item.decimals(standard), *[cell[1] for cell in cells])
        columns.append(_column(cells, places, key))
        decimals.append(places)
        spots.append([cell[1] >= 0 for cell in cells])
        codes.append([cell[2] for cell in cells])
    shape = (len(chosen), len(rows))
    values = np.array(columns, np.int64).reshape(shape)
    valid = np.array(spots, np.bool_).reshape(shape)
    flags = np.array(codes, np.uint8).reshape(shape)
    return Block(
        tuple(item for _, item in chosen),
        where,
        days,
        hours,
        values.astype(narrowest(values)),
        tuple(decimals),
        None if valid.all() else valid,
        flags if flags.any() else None,
    )


def _column(cells: Sequence[Cell], places: int, key: str) -> list[int]:
    """Return a column's integers at a common number of decimals."""
    numbers = [c[0] * 10 ** (places - c[1]) if c[1] >= 0 else 0 for c in cells]
    if numbers and max(map(abs, numbers)) > INT64_MAX:
        raise OverflowError(key)
    return numbers


def concat(blocks: Sequence[Block], items: tuple[Item, ...]) -> Block:
    """Return blocks as one with the given items; an item that a block lacks is missing there.

    Raises
    ------
    OverflowError
        When a column's values do not fit int64 at its largest number of decimals; the message is
        the item's JSON key.
    """
    if len(blocks) == 1 and blocks[0].items == items:
        return blocks[0]
    first = blocks[0]
    alike = all(b.items == items and b.decimals == first.decimals for b in blocks)
    if alike:
        values = np.concatenate([b.values for b in blocks], axis=1)
        decimals = first.decimals
    else:
        values, decimals = _aligned_values(blocks, items)
    valid = flags = None
    if not (alike and all(b.valid is None for b in blocks)):
        valid = np.zeros((len(items), sum(b.rows for b in blocks)), np.bool_)
        _join([(b.items, b.rows, b.valid) for b in blocks], items, valid)
    if any(b.flags is not None for b in blocks):
        flags = np.zeros((len(items), sum(b.rows for b in blocks)), np.uint8)
        _join([(b.items, b.rows, b.flags) for b in blocks], items, flags)
    hours = None if first.hours is None else np.concatenate([b.hours for b in blocks])
    where = np.concatenate([b.where for b in blocks])
    days = np.concatenate([b.days for b in blocks])
    return Block(items, where, days, hours, values, decimals, valid, flags)


def _join(
    parts: Sequence[tuple[tuple[Item, ...], int, npt.NDArray[np.generic] | None]],
    items: tuple[Item, ...],
    out: npt.NDArray[Any],
) -> None:
    """Fill marks of all blocks: None is valid, or no flag; what is absent stays zero."""
    start = 0
    for own, rows, marks in parts:
        stop = start + rows
        if own == items:
            out[:, start:stop] = (out.dtype == np.bool_) if marks is None else marks
        else:
            for k, item in enumerate(own):
                if item in items:
                    mark = (out.dtype == np.bool_) if marks is None else marks[k]
                    out[items.index(item), start:stop] = mark
        start = stop


def _aligned_values(
    blocks: Sequence[Block], items: tuple[Item, ...]
) -> tuple[Ints, tuple[int, ...]]:
    """Return the values of all blocks at each item's largest number of decimals."""
    kind = np.result_type(*(b.values.dtype for b in blocks))
    rows = sum(b.rows for b in blocks)
    columns: list[Ints] = []
    decimals: list[int] = []
    for item in items:
        parts = [(b, b.items.index(item)) for b in blocks if item in b.items]
        places = max((b.decimals[k] for b, k in parts), default=0)
        if any(b.decimals[k] != places for b, k in parts):
            kind = np.dtype(np.int64)
        column = np.zeros(rows, kind)
        start = 0
        for block in blocks:
            if item in block.items:
                k = block.items.index(item)
                try:
                    own = rescaled(block.values[k], places - block.decimals[k])
                except OverflowError:
                    raise OverflowError(item.json_key) from None
                column[start : start + block.rows] = own
            start += block.rows
        columns.append(column)
        decimals.append(places)
    if not columns:
        return np.zeros((0, rows), np.int16), ()
    return np.stack(columns).astype(np.result_type(*columns)), tuple(decimals)
