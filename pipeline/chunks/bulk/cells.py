"""The cells that many footers tell of, as arrays, read one of each file at a time.

The rules are those of :mod:`pipeline.chunks.parse`; a file that breaks one is refused.
"""

from __future__ import annotations

import numpy as np

from pipeline.chunks.bulk.varints import Bools, InStep, Ints
from pipeline.chunks.kinds import MAX_STEP, Kind

__all__ = ["Cells", "check_sources", "read_cell"]

_SOURCES = 3


class Cells:
    """Fields of cells, an array each, files x blocks x columns; later blocks x columns.

    ``sources`` and ``coefficients`` have one axis more, of three; ``used`` tells how many of them
    count. ``least`` and ``most`` are the bounds of present values.
    """

    __slots__ = (
        "base",
        "coefficients",
        "crc32",
        "down",
        "formula",
        "kind",
        "least",
        "length",
        "low",
        "missing",
        "most",
        "offset",
        "shift",
        "sources",
        "up",
        "used",
        "width",
    )

    kind: Ints
    width: Ints
    low: Ints
    base: Ints
    up: Ints
    down: Ints
    formula: Ints
    used: Ints
    shift: Ints
    missing: Ints
    least: Ints
    most: Ints
    offset: Ints
    length: Ints
    crc32: Ints
    sources: Ints
    coefficients: Ints

    def __init__(self, shape: tuple[int, ...]) -> None:
        for name in self.__slots__:
            several = name in ("sources", "coefficients")
            setattr(self, name, np.zeros((*shape, _SOURCES) if several else shape, np.int64))

    def only(self, kept: Bools | tuple[Ints, ...]) -> Cells:
        """Return the cells of some blocks."""
        found = Cells(())
        for name in self.__slots__:
            setattr(found, name, getattr(self, name)[kept])
        return found

    def sizes(self, rows: Ints) -> Ints:
        """Return the bytes of frames when decompressed; ``rows`` has an axis of 1 at its end."""
        return self.width * rows + (self.low * rows + 7 >> 3)


def read_cell(
    source: InStep,
    who: Ints,
    cells: Cells,
    place: tuple[int, int],
    rows: Ints,
    columns: Ints,
    offset: Ints,
) -> None:
    """Read one cell of some files into ``cells``; ``offset`` moves past its frame."""
    put = (who, *place)
    form = source.octet(who)
    kind, shape, stepped = form >> 4 & 7, form & 15, form > 127
    source.refuse(who, (kind > Kind.PSYCHRO) | (stepped & (kind == Kind.PSYCHRO)))
    width, low = np.where(shape <= 8, shape, 1), np.maximum(shape - 8, 0)
    if stepped.any():
        at = who[stepped]
        up, down = source.unsigned(at, MAX_STEP), source.unsigned(at, MAX_STEP)
        source.refuse(at, (down == 0) | (down >= up))
        cells.up[at, *place], cells.down[at, *place] = up, down
    plain = kind < Kind.LINEAR
    base = np.zeros(who.size, np.int64)
    base[plain] = source.signed(who[plain])
    if not plain.all():
        _predictor(source, who[~plain], cells, place, kind[~plain], columns[~plain])
    missing = source.unsigned(who, rows)
    least, most = np.zeros(who.size, np.int64), np.zeros(who.size, np.int64)
    some = np.flatnonzero(missing < rows)
    least[some] = source.signed(who[some]) + base[some]
    most[some] = least[some] + source.unsigned(who[some])
    size = width * rows + (low * rows + 7 >> 3)
    length = source.unsigned(who, size + 1024)
    source.refuse(who, (least > most) | ((length == 0) != (size == 0)))
    framed = np.flatnonzero(length)
    cells.crc32[who[framed], *place] = source.word(who[framed])
    cells.kind[put], cells.width[put], cells.low[put] = kind, width, low
    cells.base[put], cells.missing[put] = base, missing
    cells.least[put], cells.most[put] = least, most
    cells.offset[put], cells.length[put] = offset[who], length
    offset[who] += length


def _predictor(
    source: InStep,
    who: Ints,
    cells: Cells,
    place: tuple[int, int],
    kind: Ints,
    columns: Ints,
) -> None:
    """Read from which columns, and how, some cells are predicted."""
    humid = kind == Kind.PSYCHRO
    formula = np.zeros(who.size, np.int64)
    formula[humid] = source.unsigned(who[humid], 3)
    used = source.unsigned(who, _SOURCES)
    due = np.where(humid, np.where(formula == 0, 1, 2), used)
    source.refuse(who, (used == 0) | (used != due))
    linear = kind == Kind.LINEAR
    for number in range(_SOURCES):
        some = used > number
        column = source.unsigned(who[some], columns[some] - 1)
        source.refuse(who[some], column == place[1])
        cells.sources[who[some], *place, number] = column
    for number in range(_SOURCES):
        some = linear & (used > number)
        cells.coefficients[who[some], *place, number] = source.signed(who[some])
    cells.shift[who[linear], *place] = source.signed(who[linear])
    cells.formula[who, *place], cells.used[who, *place] = formula, used


def check_sources(source: InStep, who: Ints, cells: Cells, block: int, decimals: Ints) -> None:
    """Refuse a block where a column is predicted from one that is predicted itself."""
    at, column = np.nonzero(cells.used[who, block])
    file = who[at]
    humid = cells.kind[file, block, column] == Kind.PSYCHRO
    wrong = humid & (decimals[file, column] > 4)
    for number in range(_SOURCES):
        some = cells.used[file, block, column] > number
        other = cells.sources[file, block, column, number]
        late = cells.used[file, block, other] > 0
        wrong |= some & (late | (humid & (decimals[file, other] > 4)))
    source.refuse(file, wrong)
