"""The blocks and cells that many footers tell of, as arrays; every bound of the format checked.

The rules are those of :mod:`cimis.pipeline.chunks.v2.parse`, field by field, each applied to all
files at
once. A file that breaks one, or that is out of the ordinary, is left out: the reader of single
chunks then says what is wrong with it, or reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cimis.pipeline.chunks.bulk.cells import Cells, check_sources, read_cell
from cimis.pipeline.chunks.bulk.heads import Head
from cimis.pipeline.chunks.bulk.varints import InStep
from cimis.pipeline.chunks.v2.container import HEADER_BYTES
from cimis.pipeline.chunks.v2.parse import MAX_BLOCK_ROWS, MAX_ROWS
from cimis.pipeline.field.items import Scope
from cimis.pipeline.field.time import times_of_year
from cimis.pipeline.rows.numbers import Bools, Ints

__all__ = ["Blocks", "read_blocks"]

_MOST_BLOCKS = 8
_MOST_RUNS = 512
_FAR = 1 << 40


@dataclass(slots=True)
class Blocks:
    """Blocks of many files, file by file in their order; ``file`` is the place among the files.

    ``times`` are those of all rows, in days or hours since 1970.
    """

    file: Ints
    rows: Ints
    marks_offset: Ints
    marks_length: Ints
    marks_size: Ints
    marks_crc32: Ints
    cells: Cells
    times: Ints

    def only(self, kept: Bools) -> Blocks:
        """Return some blocks."""
        return Blocks(
            self.file[kept],
            self.rows[kept],
            self.marks_offset[kept],
            self.marks_length[kept],
            self.marks_size[kept],
            self.marks_crc32[kept],
            self.cells.only(kept),
            self.times[np.repeat(kept, self.rows)],
        )


def read_blocks(
    raws: Sequence[bytes],
    heads: Sequence[Head],
    data_ends: Ints,
    scope: Scope,
    years: Sequence[int],
) -> Blocks:
    """Return the blocks of those files whose footers keep every rule.

    Parameters
    ----------
    raws : sequence of bytes
        Footers, decompressed.
    heads : sequence of Head
    data_ends : int64 array
        Where the frames end and the footers' begin, in each file.
    scope : Scope
    years : sequence of int
        Of the files, whose times lie in them.
    """
    bounds = np.array([times_of_year(scope, year) for year in years], np.int64)
    source = InStep(raws, [head.start for head in heads])
    counts = np.array([head.blocks for head in heads], np.int64)
    columns = np.array([head.columns.decimals.size for head in heads], np.int64)
    source.sound &= counts <= _MOST_BLOCKS
    deep = int(counts[source.sound].max(initial=1))
    wide = int(columns.max())
    decimals = np.zeros((len(heads), wide), np.int64)
    for row, head in zip(decimals, heads, strict=True):
        row[: head.columns.decimals.size] = head.columns.decimals
    cells = Cells((len(heads), deep, wide))
    fields = np.zeros((5, len(heads), deep), np.int64)
    runs = [np.zeros((5, 0), np.int64)]
    offset = np.full(len(heads), HEADER_BYTES)
    last = np.full(len(heads), -_FAR)
    for number in range(deep):
        who = np.flatnonzero(source.sound & (counts > number))
        if who.size == 0:
            break
        rows = source.unsigned(who, MAX_BLOCK_ROWS)
        last[who] = _runs(source, who, number, rows, last[who], runs, bounds[who])
        most = 2 + (columns[who] + 2) * rows
        length, size, crc32 = _marks(source, who, most)
        fields[:, who, number] = rows, offset[who], length, size, crc32
        offset[who] += length
        for column in range(wide):
            some = columns[who] > column
            at = who if some.all() else who[some]
            read_cell(source, at, cells, (number, column), rows[some], columns[at], offset)
        check_sources(source, who, cells, number, decimals)
    source.finish()
    source.sound &= (offset == data_ends) & (fields[0].sum(axis=1) <= MAX_ROWS)
    kept = source.sound[:, None] & (np.arange(deep) < counts[:, None])
    file, _ = np.nonzero(kept)
    rows, offset, length, size, crc32 = fields[:, kept]
    times = _times(runs, source.sound)
    return Blocks(file, rows, offset, length, size, crc32, cells.only(kept), times)


def _runs(
    source: InStep,
    who: Ints,
    block: int,
    rows: Ints,
    last: Ints,
    runs: list[npt.NDArray[np.int64]],
    bounds: Ints,
) -> Ints:
    """Read a block's runs of times, append them to ``runs``; return each file's last time.

    ``bounds`` are the first and last time that each of the files may have.
    """
    counts = source.unsigned(who, rows)
    end, total = np.zeros(who.size, np.int64), np.zeros(who.size, np.int64)
    first = end
    open_at = np.arange(who.size)
    for number in range(_MOST_RUNS + 1):
        open_at = open_at[counts[open_at] > number]
        if open_at.size == 0:
            break
        at = who[open_at]
        step = source.signed(at)
        wrong = (step > _FAR) | (step < -_FAR)
        if number:
            wrong |= step <= 0
        start = end[open_at] + np.where(wrong, 0, step)
        count = source.unsigned(at, rows[open_at])
        source.refuse(at, wrong | (count == 0) | (number == _MOST_RUNS))
        places = np.full(at.size, block), np.full(at.size, number)
        runs.append(np.stack([at, *places, start, count]))
        if number == 0:
            first = np.zeros(who.size, np.int64)
            first[open_at] = start
        end[open_at] = start + count
        total[open_at] += count
    wrong = (total != rows) | (rows == 0) | (first <= last)
    wrong |= (first < bounds[:, 0]) | (end - 1 > bounds[:, 1])
    source.refuse(who, wrong)
    return end - 1


def _marks(source: InStep, who: Ints, most: Ints) -> tuple[Ints, Ints, Ints]:
    """Read what a footer says of the marks' frame: length, size and checksum."""
    length = source.unsigned(who, most + 1024)
    size, crc32 = np.zeros(who.size, np.int64), np.zeros(who.size, np.int64)
    some = np.flatnonzero(length)
    size[some] = source.unsigned(who[some], most[some])
    crc32[some] = source.word(who[some])
    return length, size, crc32


def _times(runs: list[npt.NDArray[np.int64]], sound: Bools) -> Ints:
    """Return the times of all rows of sound files, in the order of files and blocks."""
    file, block, number, start, count = np.concatenate(runs, axis=1)
    kept = np.flatnonzero(sound[file])
    order = kept[np.lexsort((number[kept], block[kept], file[kept]))]
    start, count = start[order], count[order]
    times: Ints = np.repeat(start - np.cumsum(count) + count, count)
    times += np.arange(times.size)
    return times
