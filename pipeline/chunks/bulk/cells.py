"""The cells that many footers tell of, as arrays, read one of each file at a time.

The rules are those of :mod:`cimis.pipeline.chunks.v2.parse`; a file that breaks one is refused.
"""

from __future__ import annotations

import numpy as np

from cimis.pipeline.chunks.bulk.varints import InStep
from cimis.pipeline.chunks.encodings import KINDS, Kind, Predicted
from cimis.pipeline.chunks.encodings.predicted import MAX_SOURCES
from cimis.pipeline.chunks.encodings.steps import MAX_STEP
from cimis.pipeline.rows.numbers import Bools, Ints

__all__ = ["Cells", "check_sources", "read_cell"]


def _reader(kind: Kind) -> object:
    return type(kind).read_many


_NUMBERS = range(8)
_INTEGERS = {kind.number: kind for kind in KINDS if not kind.doubles}
_KNOWN = np.array([number in _INTEGERS for number in _NUMBERS])
_STEPPED = np.array([number in _INTEGERS and _INTEGERS[number].steps for number in _NUMBERS])
_READERS = [
    (first, np.array([n in _INTEGERS and _reader(_INTEGERS[n]) is read for n in _NUMBERS]))
    for read, first in {_reader(kind): kind for kind in _INTEGERS.values()}.items()
]
"""How parameters are read, and of which kinds so: those that do it alike are read together."""
_MOST_DECIMALS = np.full(len(_NUMBERS), 18)
for _kind in _INTEGERS.values():
    if isinstance(_kind, Predicted):
        _MOST_DECIMALS[_kind.number] = _kind.most_decimals


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
            setattr(self, name, np.zeros((*shape, MAX_SOURCES) if several else shape, np.int64))

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
    source.refuse(who, ~_KNOWN[kind] | (stepped & ~_STEPPED[kind]))
    width, low = np.where(shape <= 8, shape, 1), np.maximum(shape - 8, 0)
    if stepped.any():
        at = who[stepped]
        up, down = source.unsigned(at, MAX_STEP), source.unsigned(at, MAX_STEP)
        source.refuse(at, (down == 0) | (down >= up))
        cells.up[at, *place], cells.down[at, *place] = up, down
    for first, alike in _READERS:
        some = alike[kind]
        if some.any():
            first.read_many(source, who[some], cells, place, columns[some])
    base = cells.base[put]
    missing = source.unsigned(who, rows)
    least, most = np.zeros(who.size, np.int64), np.zeros(who.size, np.int64)
    there = np.flatnonzero(missing < rows)
    least[there] = source.signed(who[there]) + base[there]
    most[there] = least[there] + source.unsigned(who[there])
    size = width * rows + (low * rows + 7 >> 3)
    length = source.unsigned(who, size + 1024)
    source.refuse(who, (least > most) | ((length == 0) != (size == 0)))
    framed = np.flatnonzero(length)
    cells.crc32[who[framed], *place] = source.word(who[framed])
    cells.kind[put], cells.width[put], cells.low[put] = kind, width, low
    cells.missing[put] = missing
    cells.least[put], cells.most[put] = least, most
    cells.offset[put], cells.length[put] = offset[who], length
    offset[who] += length


def check_sources(source: InStep, who: Ints, cells: Cells, block: int, decimals: Ints) -> None:
    """Refuse a block where a column is predicted from one that is predicted itself."""
    at, column = np.nonzero(cells.used[who, block])
    file = who[at]
    most = _MOST_DECIMALS[cells.kind[file, block, column]]
    wrong = decimals[file, column] > most
    for number in range(MAX_SOURCES):
        some = cells.used[file, block, column] > number
        other = cells.sources[file, block, column, number]
        late = cells.used[file, block, other] > 0
        wrong |= some & (late | (decimals[file, other] > most))
    source.refuse(file, wrong)
