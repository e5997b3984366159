"""Blocks of decoded rows to scaled RecordBatches of a fixed number of rows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cimis.pipeline.decode.columns import Block, concat
from cimis.pipeline.decode.findings import Findings
from cimis.pipeline.decode.records import KeyKind
from cimis.pipeline.errors import DecodeError
from cimis.pipeline.field.items import ITEMS, Item, Scope
from cimis.pipeline.rows.arrays import (
    ARROW_TYPES,
    flag_arrays,
    plain_array,
    text_array,
    value_arrays,
)
from cimis.pipeline.rows.keys import day_arrays, last_of_each_key
from cimis.pipeline.rows.numbers import fewest, narrowest, rescaled
from cimis.pipeline.rows.schema import RANK, TARGET_FIELD, item_fields, rows_schema

__all__ = ["BATCH_ROWS", "BatchBuilder"]

BATCH_ROWS = 16_384
"""Records per batch; the last batch of a body has fewer."""


class BatchBuilder:
    """Collects blocks and gives a batch whenever `BATCH_ROWS` rows are together.

    Where batches begin depends on the records alone, not on how the body was cut into pieces.
    """

    def __init__(
        self, scope: Scope, items: tuple[Item, ...] | None, key: KeyKind, findings: Findings
    ) -> None:
        self._scope = scope
        self._items = items
        self._key = key
        self._findings = findings
        self._seen: tuple[Item, ...] = items or ()
        self._blocks: list[Block] = []
        self._rows = 0

    def add(self, block: Block) -> Iterator[pa.RecordBatch]:
        """Take a block and give the batches that it completes."""
        while self._rows + block.rows >= BATCH_ROWS:
            cut = BATCH_ROWS - self._rows
            self._keep(block.rows_of(slice(0, cut)) if cut < block.rows else block)
            block = block.rows_of(slice(cut, None))
            yield self._batch()
        if block.rows:
            self._keep(block)
            self._rows += block.rows

    def _keep(self, block: Block) -> None:
        self._findings.stats.items.update([item.code for item in block.items])
        # before blocks meet: a column's scale must follow from its rows, not from how they came
        self._blocks.append(_least_decimals(block, self._findings))

    def flush(self) -> Iterator[pa.RecordBatch]:
        """Give what is left as a last batch."""
        if self._blocks:
            yield self._batch()

    def _batch(self) -> pa.RecordBatch:
        if self._items is None:
            self._seen = _merged(self._seen, self._blocks)
        try:
            block = concat(self._blocks, self._seen)
        except OverflowError as error:
            raise DecodeError(
                "values too far apart for 64 bits at their decimals", key=str(error)
            ) from error
        self._blocks.clear()
        self._rows = 0
        block = self._without_duplicates(block)
        self._findings.stats.batches += 1
        return _record_batch(block, self._scope, self._key, self._findings)

    def _without_duplicates(self, block: Block) -> Block:
        keep = last_of_each_key(block.where, block.days, block.hours)
        if keep is None:
            return block
        self._findings.stats.duplicates += block.rows - len(keep)
        return block.rows_of(keep)


def _merged(seen: tuple[Item, ...], blocks: list[Block]) -> tuple[Item, ...]:
    """Return the items seen so far together with those of blocks, in registry order."""
    layouts = [block.items for block in blocks if block.items is not seen]
    if all(items == seen for items in layouts):
        return seen
    found = {item.code: item for items in (seen, *layouts) for item in items}
    return tuple(found[code] for code in sorted(found, key=RANK.__getitem__))


def _record_batch(block: Block, scope: Scope, key: KeyKind, findings: Findings) -> pa.RecordBatch:
    block = _least_decimals(block, findings)
    kinds = _kinds(block.values)
    arrays = [_who(block, key, findings), *day_arrays(block.days, block.hours)]
    values = value_arrays(block.values, block.valid, kinds)
    flags = flag_arrays(block.flags, findings.flags, block.values.shape)
    for pair in zip(values, flags, strict=True):
        arrays += pair
    units = tuple([_unit(item, findings) for item in block.items])
    codes = tuple([item.code for item in block.items])
    schema = _schema(scope, key, codes, block.decimals, units, kinds)
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _who(block: Block, key: KeyKind, findings: Findings) -> pa.Array:
    """Return the column of stations or targets."""
    where = np.ascontiguousarray(block.where)
    if key == "target":
        return text_array(findings.targets).take(plain_array(pa.int32(), where))
    return plain_array(pa.uint16(), where)


def _unit(item: Item, findings: Findings) -> str:
    """Return the unit text as sent, or the registry's where none was."""
    sent = findings.units.get(item.code)
    return item.unit(findings.standard) if sent is None else sent


def _kinds(values: npt.NDArray[np.signedinteger]) -> tuple[type[np.signedinteger], ...]:
    if values.dtype == np.int16:
        return (np.int16,) * len(values)
    return tuple(narrowest(row) for row in values)


def _least_decimals(block: Block, findings: Findings) -> Block:
    """Return the block with no column at more decimals than the registry's or than it needs."""
    standard = findings.standard
    if all(d == i.decimals(standard) for d, i in zip(block.decimals, block.items, strict=True)):
        return block
    rows: list[npt.NDArray[np.signedinteger]] = []
    decimals: list[int] = []
    for row, places, item in zip(block.values, block.decimals, block.items, strict=True):
        due = item.decimals(standard)
        kept, least = fewest(rescaled(row, max(due - places, 0)), max(places, due), due)
        rows.append(kept)
        decimals.append(least)
    block.values, block.decimals = np.stack(rows), tuple(decimals)
    return block


@lru_cache(maxsize=64)
def _schema(
    scope: Scope,
    key: KeyKind,
    codes: tuple[str, ...],
    decimals: tuple[int, ...],
    units: tuple[str, ...],
    kinds: tuple[type[np.signedinteger], ...],
) -> pa.Schema:
    """Return a batch's schema; most bodies have one of a few."""
    fields = []
    for code, places, unit, kind in zip(codes, decimals, units, kinds, strict=True):
        item = ITEMS[RANK[code]]
        fields += item_fields(item, ARROW_TYPES[kind], decimals=places, unit=unit)
    return rows_schema(scope, fields, target=TARGET_FIELD if key == "target" else None)
