"""Put decoded arrays together as the Arrow tables that the other rooms use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.chunks.arrays import Ints
from pipeline.chunks.arrow import bitmap, plain_array, time_arrays
from pipeline.chunks.footer import Block, ColumnInfo, Footer
from pipeline.chunks.key import ChunkKey
from pipeline.chunks.marks import Marks
from pipeline.chunks.parts import Bools, Parts, ValueColumn, flag_columns, statistics
from pipeline.errors import ChunkError
from pipeline.schema import FLAG_TYPE, KEY_FIELDS, item_metadata, time_zone_metadata

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
    fields = _key_fields(key)
    for value, flag in zip(parts.values, parts.flags, strict=True):
        info = value.info
        missing = value.missing
        if missing is None:
            missing = np.zeros(parts.times.size, dtype=np.bool_)
        array = _value_array(value.numbers, missing, info)
        metadata = item_metadata(
            info.item, decimals=info.decimals, unit=info.unit, from_v1=info.from_v1
        )
        fields += [pa.field(info.item.column, array.type, metadata=metadata)]
        fields += [pa.field(info.item.flag_column, FLAG_TYPE)]
        arrays += [array, _flag_array((flag.numbers - 1).astype(np.int8), list(flag.texts))]
    return pa.table(arrays, schema=pa.schema(fields, metadata=time_zone_metadata(key.scope)))


def _key_fields(key: ChunkKey) -> list[pa.Field]:
    fields = list(KEY_FIELDS[key.scope])
    if key.target is not None:
        fields[0] = pa.field("target", FLAG_TYPE, nullable=False)
    return fields


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
    if key.station is not None:
        station = np.full(rows, key.station, dtype=np.uint16)
        who = plain_array(pa.uint16(), station)
    else:
        indices = plain_array(pa.int8(), np.zeros(rows, dtype=np.int8))
        target = pa.array([key.target], pa.string())
        who = pa.DictionaryArray.from_arrays(indices, target)
    return [who, *time_arrays(key.scope, times)]


def _value_array(values: Ints, missing: Bools, info: ColumnInfo) -> pa.Array:
    values = np.where(missing, 0, values)
    valid = bitmap(~missing)
    if info.is_double:
        return plain_array(pa.float64(), values.view(np.float64), valid)
    top = max(int(values.max()), -int(values.min()) - 1) if values.size else 0
    for kind, dtype in ((pa.int16(), np.int16), (pa.int32(), np.int32)):
        if top <= np.iinfo(dtype).max:
            return plain_array(kind, values.astype(dtype), valid)
    return plain_array(pa.int64(), values, valid)


def _flag_array(flags: npt.NDArray[np.int8], texts: list[str]) -> pa.Array:
    valid = flags >= 0
    indices = plain_array(pa.int8(), np.where(valid, flags, 0).astype(np.int8), bitmap(valid))
    return pa.DictionaryArray.from_arrays(indices, pa.array(texts, pa.string()))
