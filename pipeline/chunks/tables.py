"""Put decoded arrays together as the Arrow tables that the other rooms use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import pyarrow as pa

from cimis.pipeline.chunks.footer import Block, Footer
from cimis.pipeline.chunks.key import ChunkKey
from cimis.pipeline.chunks.marks import Marks
from cimis.pipeline.chunks.parts import Bools, Parts, ValueColumn, flag_columns, statistics
from cimis.pipeline.errors import ChunkError
from cimis.pipeline.rows.arrays import flag_array, plain_array, text_array, value_array
from cimis.pipeline.rows.keys import time_arrays
from cimis.pipeline.rows.numbers import Ints
from cimis.pipeline.rows.schema import FLAG_TYPE, item_fields, rows_schema

__all__ = ["BlockSource", "check_statistics", "gather", "put_together", "times_of"]


class BlockSource(Protocol):
    """What gives a block's decoded marks and columns."""

    def marks(self, block: Block) -> Marks | None:
        """Return a block's marks, None where it has none."""
        ...

    def columns(self, block: Block, numbers: Sequence[int]) -> Ints:
        """Return some of a block's columns, a row of values each."""
        ...


def put_together(key: ChunkKey, parts: Parts) -> pa.Table:
    """Return the scaled table of plain arrays."""
    arrays = _key_arrays(key, parts.times)
    fields: list[pa.Field] = []
    for value, flag in zip(parts.values, parts.flags, strict=True):
        info = value.info
        numbers = value.numbers.view(np.float64) if info.is_double else value.numbers
        arrays += [
            value_array(numbers, value.missing),
            flag_array(flag.numbers, text_array(flag.texts)),
        ]
        fields += item_fields(
            info.item,
            arrays[-2].type,
            decimals=info.decimals,
            unit=info.unit,
            from_v1=info.from_v1,
        )
    target = None if key.target is None else pa.field("target", FLAG_TYPE, nullable=False)
    return pa.table(arrays, schema=rows_schema(key.scope, fields, target=target))


def gather(
    footer: Footer, blocks: Sequence[Block], source: BlockSource, numbers: Sequence[int]
) -> Parts:
    """Return the rows of some blocks' columns as arrays, after checking their statistics."""
    rows = sum(block.rows for block in blocks)
    texts = sorted({s.flag for s in footer.states if s.flag is not None})
    absent = np.array([False, *(s.missing for s in footer.states)])
    ranks = (texts.index(s.flag) + 1 if s.flag else 0 for s in footer.states)
    rank = np.array([0, *ranks], np.int64)
    values = np.empty((len(numbers), rows), np.int64)
    missing = np.zeros(values.shape, np.bool_)
    flags = np.zeros(values.shape, np.int64)
    start = 0
    for block in blocks:
        place = np.s_[:, start : start + block.rows]
        values[place] = source.columns(block, numbers)
        marks = source.marks(block)
        if marks is not None:
            states = marks.patterns[list(numbers)][:, marks.numbers]
            missing[place] = absent[states]
            flags[place] = rank[states]
        check_statistics(block, numbers, footer, values[place], missing[place])
        start += block.rows
    infos = [footer.columns[number] for number in numbers]
    gone: list[bool] = np.any(missing, axis=1).tolist()
    kept = [row if some else None for row, some in zip(missing, gone, strict=True)]
    columns = [ValueColumn(*parts) for parts in zip(infos, values, kept, strict=True)]
    return Parts(times_of(blocks), columns, flag_columns(texts, flags))


def check_statistics(
    block: Block, numbers: Sequence[int], footer: Footer, values: Ints, missing: Bools
) -> None:
    """Check a block's decoded columns against what its footer says of them."""
    cells = [block.cells[number] for number in numbers]
    infos = [footer.columns[number] for number in numbers]
    found = statistics(infos, values, missing)
    for cell, info, one in zip(cells, infos, found, strict=True):
        if one != (cell.minimum, cell.maximum, cell.missing):
            raise ChunkError(
                f"column '{info.code}' has minimum, maximum and missing count {one}, "
                f"not {(cell.minimum, cell.maximum, cell.missing)}",
                offset=cell.offset,
            )


def times_of(blocks: Sequence[Block]) -> Ints:
    """Return the times of all rows of blocks."""
    runs = [run for block in blocks for run in block.runs]
    starts = np.array([start for start, _ in runs], dtype=np.int64)
    counts = np.array([count for _, count in runs], dtype=np.int64)
    offsets = np.repeat(starts - np.cumsum(counts) + counts, counts)
    times: Ints = offsets + np.arange(offsets.size)
    return times


def _key_arrays(key: ChunkKey, times: Ints) -> list[pa.Array]:
    rows = times.size
    if key.target is not None:
        who = flag_array(np.ones(rows, np.int8), text_array([key.target]))
    else:
        who = plain_array(pa.uint16(), np.full(rows, key.station, np.uint16))
    return [who, *time_arrays(key.scope, times)]
