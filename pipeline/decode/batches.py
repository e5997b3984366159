"""Blocks of decoded rows to scaled RecordBatches of a fixed number of rows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.decode.columns import RANK, Block, concat, narrowest
from pipeline.decode.findings import MAX_FLAGS, Findings
from pipeline.decode.records import KeyKind
from pipeline.errors import DecodeError
from pipeline.field.time import HOUR_S, time_of
from pipeline.items import ITEMS, Item, Scope
from pipeline.schema import (
    FLAG_TYPE,
    KEY_FIELDS,
    TARGET_FIELD,
    item_metadata,
    time_zone_metadata,
)

__all__ = ["BATCH_ROWS", "BatchBuilder", "last_of_each_key"]

BATCH_ROWS = 16_384
"""Records per batch; the last batch of a body has fewer."""


_TYPES = {np.int16: pa.int16(), np.int32: pa.int32(), np.int64: pa.int64()}


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


def last_of_each_key(
    where: npt.NDArray[np.integer],
    days: npt.NDArray[np.int32],
    hours: npt.NDArray[np.uint8] | None,
) -> npt.NDArray[np.intp] | None:
    """Return the rows that are the last of their key, in order; None where all are."""
    times = days.astype(np.int64)
    if hours is not None:
        times = times * 32 + hours
    key = (where.astype(np.int64) << np.int64(40)) + times
    if bool((key[1:] > key[:-1]).all()):
        return None
    order = np.argsort(key, kind="stable")
    key = key[order]
    last = np.append(key[1:] != key[:-1], np.True_)
    return None if last.all() else np.sort(order[last])


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
    arrays = _key_arrays(block, key, findings)
    values = _value_arrays(block, kinds)
    flags = _flag_arrays(block, findings.flags)
    for pair in zip(values, flags, strict=True):
        arrays += pair
    units = tuple([_unit(item, findings) for item in block.items])
    codes = tuple([item.code for item in block.items])
    schema = _schema(scope, key, codes, block.decimals, units, kinds)
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


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
    decimals = list(block.decimals)
    values = block.values
    for k, item in enumerate(block.items):
        due = item.decimals(standard)
        if decimals[k] < due:
            values = values.astype(np.int64) if values.dtype != np.int64 else values
            values[k] *= 10 ** (due - decimals[k])
            decimals[k] = due
        while decimals[k] > due and not (values[k] % 10).any():
            values = values.copy() if values is block.values else values
            values[k] //= 10
            decimals[k] -= 1
    block.values, block.decimals = values, tuple(decimals)
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
    fields = list(KEY_FIELDS[scope])
    if key == "target":
        fields[0] = TARGET_FIELD
    for code, places, unit, kind in zip(codes, decimals, units, kinds, strict=True):
        item = ITEMS[RANK[code]]
        metadata = item_metadata(item, decimals=places, unit=unit)
        fields.append(pa.field(item.column, _TYPES[kind], metadata=metadata))
        fields.append(pa.field(item.flag_column, FLAG_TYPE))
    return pa.schema(fields, metadata=time_zone_metadata(scope))


def _plain(kind: pa.DataType, data: npt.NDArray[np.generic]) -> pa.Array:
    return pa.Array.from_buffers(kind, len(data), [None, pa.py_buffer(data)], 0)


def _key_arrays(block: Block, key: KeyKind, findings: Findings) -> list[pa.Array]:
    if key == "target":
        names = _texts(findings.targets)
        arrays = [names.take(_plain(pa.int32(), np.ascontiguousarray(block.where)))]
    else:
        arrays = [_plain(pa.uint16(), np.ascontiguousarray(block.where))]
    days = np.ascontiguousarray(block.days)
    if block.hours is not None:
        ends = time_of(Scope.HOURLY, days.astype(np.int64), block.hours.astype(np.int64))
        arrays.append(_plain(pa.timestamp("s"), ends * HOUR_S))
    arrays.append(_plain(pa.date32(), days))
    if block.hours is not None:
        arrays.append(_plain(pa.uint8(), np.ascontiguousarray(block.hours)))
    return arrays


def _spread(rows: npt.NDArray[np.generic]) -> list[pa.Buffer]:
    """Return the rows of a matrix as buffers that begin at multiples of 64 bytes."""
    size = rows.shape[1] * rows.itemsize
    step = -(-size // 64) * 64
    room = np.zeros((len(rows), step), np.uint8)
    room[:, :size] = np.ascontiguousarray(rows).view(np.uint8)
    whole = pa.py_buffer(room)
    return [whole.slice(start, size) for start in range(0, len(rows) * step, step)]


def _bitmaps(marks: npt.NDArray[np.bool_]) -> list[tuple[pa.Buffer | None, int]]:
    """Return per row of marks its Arrow bitmap (None where all are set) and its unset count."""
    unset = marks.shape[1] - np.count_nonzero(marks, axis=1)
    some = np.flatnonzero(unset)
    buffers = _spread(np.packbits(marks[some], axis=1, bitorder="little"))
    maps: list[tuple[pa.Buffer | None, int]] = [(None, 0)] * len(marks)
    for k, buffer, nulls in zip(some.tolist(), buffers, unset[some].tolist(), strict=True):
        maps[k] = buffer, nulls
    return maps


def _value_arrays(block: Block, kinds: tuple[type[np.signedinteger], ...]) -> list[pa.Array]:
    size = block.rows
    bitmaps = [(None, 0)] * len(kinds) if block.valid is None else _bitmaps(block.valid)
    if len(set(kinds)) == 1:
        buffers = _spread(block.values.astype(kinds[0], copy=False))
    else:
        pairs = zip(block.values, kinds, strict=True)
        buffers = [pa.py_buffer(np.ascontiguousarray(row, dtype=kind)) for row, kind in pairs]
    return [
        pa.Array.from_buffers(_TYPES[kind], size, [bitmap, data], nulls)
        for kind, data, (bitmap, nulls) in zip(kinds, buffers, bitmaps, strict=True)
    ]


def _flag_arrays(block: Block, flags: list[str]) -> list[pa.Array]:
    """Return the flag columns; their dictionary is the batch's flags in alphabetical order.

    Columns without a flag are one and the same array.
    """
    size = block.rows
    codes = np.zeros((0, size), np.uint8) if block.flags is None else block.flags
    used = [code for code in np.flatnonzero(np.bincount(codes.ravel())).tolist() if code]
    used.sort(key=flags.__getitem__)
    dictionary = _texts([flags[code] for code in used])
    nothing = pa.py_buffer(bytes(size))
    blank = _flag_array(nothing, nothing.slice(0, (size + 7) // 8), size, size, dictionary)
    arrays = [blank] * len(block.items)
    flagged = np.flatnonzero(codes.any(axis=1))
    renumbered = np.zeros(MAX_FLAGS + 1, np.int8)
    renumbered[used] = np.arange(len(used))
    codes = codes[flagged]
    bitmaps = _bitmaps(codes != 0)
    buffers = _spread(renumbered[codes])
    for k, data, (bitmap, nulls) in zip(flagged.tolist(), buffers, bitmaps, strict=True):
        arrays[k] = _flag_array(data, bitmap, nulls, size, dictionary)
    return arrays


def _texts(texts: list[str]) -> pa.Array:
    """Return a string array, built from buffers: cheaper for a few texts than by inference."""
    encoded = [text.encode() for text in texts]
    offsets = np.zeros(len(texts) + 1, np.int32)
    offsets[1:] = np.cumsum([len(text) for text in encoded])
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(texts), buffers, 0)


def _flag_array(
    codes: pa.Buffer, bitmap: pa.Buffer | None, nulls: int, size: int, dictionary: pa.Array
) -> pa.Array:
    return pa.DictionaryArray.from_buffers(FLAG_TYPE, size, [bitmap, codes], dictionary, nulls)
