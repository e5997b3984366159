"""Many V2 files of ordinary form decoded together, with every check of the format's page.

A file that fails a check is told by its place, without a reason: the reader of single chunks then
finds the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cimis.pipeline.chunks.bulk.heads import Heads
from cimis.pipeline.chunks.bulk.layout import Blocks
from cimis.pipeline.chunks.bulk.marks import MAX_TEXTS, ManyMarks, check_marks, flag_texts
from cimis.pipeline.chunks.bulk.opened import Opened
from cimis.pipeline.chunks.bulk.physical import Form, Together, key_arrays, value_array
from cimis.pipeline.chunks.bulk.shelves import Shelves
from cimis.pipeline.chunks.bulk.values import CellList, decode, predict_cells
from cimis.pipeline.chunks.key import ChunkKey
from cimis.pipeline.chunks.v2.frames import unpack_frames
from cimis.pipeline.rows.arrays import flag_array
from cimis.pipeline.rows.numbers import Bools, Ints

__all__ = ["decode_together"]

_SCALES = np.array([10.0**decimals for decimals in range(19)])
_MOST, _NONE = np.iinfo(np.int64).max, np.iinfo(np.int64).min


def decode_together(
    datas: Sequence[bytes], keys: Sequence[ChunkKey], form: Form, heads: Heads, batch_rows: int
) -> Iterator[Together]:
    """Yield the rows of those files that are of ordinary form and pass every check.

    Parameters
    ----------
    datas : sequence of bytes
        Whole files.
    keys : sequence of ChunkKey
        Of one scope and kind; a file of another key is left out.
    form : Form
    heads : Heads
        What is known of footers already.
    batch_rows : int
        Rows of a table, or one file more.
    """
    opened = Opened(datas, keys, heads)
    if opened.blocks is None:
        return
    blocks = opened.blocks
    rows = np.bincount(blocks.file, blocks.rows, len(datas)).astype(np.int64)
    batch = ((np.cumsum(rows) - 1) // batch_rows)[blocks.file]
    for number in np.unique(batch).tolist():
        found = _decoded(opened, blocks.only(batch == number), form)
        if found is not None:
            yield found


class _Wanted:
    """Which cells of some blocks are to be decoded, and where their frames and marks lie."""

    def __init__(self, opened: Opened, blocks: Blocks, form: Form) -> None:
        heads = [opened.of(file) for file in blocks.file.tolist()]
        wide = blocks.cells.kind.shape[1]
        kinds = {columns: n for n, columns in enumerate({head.columns: 0 for head in heads})}
        which = np.array([kinds[head.columns] for head in heads], np.int64)
        slots = np.full((len(kinds), wide), -1, np.int64)
        decimals = np.zeros((len(kinds), wide), np.int64)
        for columns, row in kinds.items():
            slots[row, : columns.slots.size] = columns.slots
            decimals[row, : columns.slots.size] = columns.decimals
        self.slots, self.decimals = slots[which], decimals[which]
        self.numbers = np.stack([columns.numbers for columns in kinds])[which]
        self.columns = np.array([columns.slots.size for columns in kinds], np.int64)[which]
        self.states = [head.states for head in heads]
        asked = np.isin(slots, form.wanted)[which]
        self.cells = asked.copy()
        block, column = np.nonzero(asked & (blocks.cells.used > 0))
        used = blocks.cells.used[block, column]
        for number in range(3):
            some = used > number
            sources = blocks.cells.sources[block[some], column[some], number]
            self.cells[block[some], sources] = True


def _decoded(opened: Opened, blocks: Blocks, form: Form) -> Together | None:
    """Return the rows of the sound ones of some files; None where there are none."""
    wanted = _Wanted(opened, blocks, form)
    texts = flag_texts(wanted.states)
    if len(texts) > MAX_TEXTS:
        return None
    shelves = Shelves(blocks.rows)
    listed = CellList(blocks.cells, blocks.rows, wanted.slots, wanted.cells, shelves)
    begin = opened.starts[blocks.file]
    wrong = np.zeros(blocks.file.size, np.bool_)
    cells, framed = listed.cells, np.flatnonzero(listed.cells.length)
    starts = (begin[listed.block] + cells.offset)[framed]
    pieces, failed = _unpacked(
        opened.data, starts, cells.length[framed], listed.sizes[framed], cells.crc32[framed]
    )
    wrong[listed.block[framed[failed]]] = True
    made = decode(listed, b"".join(pieces), shelves)
    predict_cells(listed, made, wanted.slots, wanted.decimals, shelves)
    marked = np.flatnonzero(blocks.marks_length)
    pieces, failed = _unpacked(
        opened.data,
        (begin + blocks.marks_offset)[marked],
        blocks.marks_length[marked],
        blocks.marks_size[marked],
        blocks.marks_crc32[marked],
    )
    wrong[marked[failed]] = True
    states = [wanted.states[block] for block in marked.tolist()]
    failed = check_marks(pieces, wanted.columns[marked], blocks.rows[marked], states)
    wrong[marked[failed]] = True
    marks = ManyMarks(blocks, pieces, wanted.states, wanted.columns, texts, shelves)
    return _table(opened, blocks, form, wanted, made, marks, texts, shelves, wrong)


def _unpacked(
    data: bytes, starts: Ints, lengths: Ints, sizes: Ints, crc32: Ints
) -> tuple[list[bytes], list[int]]:
    """Return what frames hold, and the numbers of those that fail a check."""
    fields = (starts, starts + lengths, sizes, crc32)
    pieces, wrong = unpack_frames(data, zip(*(each.tolist() for each in fields), strict=True))
    return pieces, [number for number, _ in wrong]


def _table(
    opened: Opened,
    blocks: Blocks,
    form: Form,
    wanted: _Wanted,
    made: dict[int, Ints],
    marks: ManyMarks,
    texts: Sequence[str],
    shelves: Shelves,
    wrong: Bools,
) -> Together | None:
    """Return the rows of those files whose bounds and missing counts are as their footers say."""
    files, first = np.unique(blocks.file, return_index=True)
    rows = np.add.reduceat(blocks.rows, first)
    keys = [opened.keys[file] for file in files.tolist()]
    arrays = dict(zip(form.schema.names, key_arrays(keys, rows, blocks.times), strict=False))
    letters = pa.array(texts, pa.string())
    for slot in form.wanted:
        item = form.items[slot]
        column = wanted.numbers[:, slot]
        if not (column >= 0).any():
            continue
        codes = marks.codes(column)
        missing = (codes & np.uint8(1)).view(np.bool_)
        wrong = wrong | _disagree(made[slot], missing, column, blocks, shelves)
        values = _scaled(made[slot], wanted.decimals, column, shelves)
        for shelf in shelves.shelves:
            absent = column[shelf.blocks] < 0
            if absent.any():
                shelf.of(codes)[absent] = 1
        codes = shelves.in_order(codes)
        arrays[item.column] = value_array(values, (codes & np.uint8(1)).view(np.bool_))
        arrays[item.flag_column] = flag_array(codes >> np.uint8(1), letters)
    table = form.table(arrays, int(rows.sum()))
    columns = [opened.of(file).columns.infos for file in files.tolist()]
    if not wrong.any():
        return Together(files, rows, columns, table)
    sound = ~np.isin(files, blocks.file[wrong])
    if not sound.any():
        return None
    stops = np.cumsum(rows)
    pieces = zip((stops - rows)[sound].tolist(), rows[sound].tolist(), strict=True)
    kept = [table.slice(start, size) for start, size in pieces]
    listed = [infos for infos, good in zip(columns, sound.tolist(), strict=True) if good]
    return Together(files[sound], rows[sound], listed, pa.concat_tables(kept))


def _disagree(flat: Ints, missing: Bools, column: Ints, blocks: Blocks, shelves: Shelves) -> Bools:
    """Tell in which blocks an item's bounds or missing count are not the footer's.

    Missing values become 0 in ``flat``, and padding is no longer ``missing``.
    """
    missing[shelves.padding] = False
    gone = np.flatnonzero(missing)
    counts = np.searchsorted(gone, shelves.starts + blocks.rows)
    counts -= np.searchsorted(gone, shelves.starts)
    hidden = np.concatenate([gone, shelves.padding])
    least = np.empty(column.size, np.int64)
    most = np.empty(column.size, np.int64)
    flat[hidden] = _MOST
    for shelf in shelves.shelves:
        least[shelf.blocks] = shelf.of(flat).min(axis=1)
    flat[hidden] = _NONE
    for shelf in shelves.shelves:
        most[shelf.blocks] = shelf.of(flat).max(axis=1)
    flat[hidden] = 0
    at = np.arange(column.size), np.maximum(column, 0)
    cells = blocks.cells
    bounds = (least != cells.least[at]) | (most != cells.most[at])
    differ: Bools = (counts != cells.missing[at]) | (bounds & (counts < blocks.rows))
    differ &= column >= 0
    return differ


def _scaled(flat: Ints, decimals: Ints, column: Ints, shelves: Shelves) -> npt.NDArray[np.float64]:
    """Return an item's values as doubles in the blocks' order."""
    known = column >= 0
    places = np.where(known, decimals[np.arange(column.size), np.maximum(column, 0)], -1)
    found = np.unique(places[known])
    if found.size == 1:
        values: npt.NDArray[np.float64] = shelves.in_order(flat) / _SCALES[found[0]]
        return values
    values = np.empty(flat.size, np.float64)
    for shelf in shelves.shelves:
        scales = _SCALES[np.maximum(places[shelf.blocks], 0)]
        np.divide(shelf.of(flat), scales[:, None], out=shelf.of(values))
    return shelves.in_order(values)
