"""Hostile V2 files: each breaks a rule of the format's page, with every checksum put right again.

Who adds a rule to the page adds a file that breaks it; the tests take each through every reader.
"""

from __future__ import annotations

import datetime as dt
import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import zstandard

from cimis.pipeline.chunks.encodings import (
    DELTA,
    DOUBLE,
    LINEAR,
    PSYCHRO,
    REFERENCE,
    Encoding,
    Predictor,
)
from cimis.pipeline.chunks.footer import Block, Cell, Footer, State, pack
from cimis.pipeline.chunks.key import ChunkKey
from cimis.pipeline.chunks.v2 import container
from cimis.pipeline.chunks.v2.codec import encode
from cimis.pipeline.field.items import Scope
from tests.chunks.golden_chunks import GOLDEN, Case, Columns, table, three_days

Change = Callable[[Footer], Footer]

_DAY = (dt.date(2024, 1, 1) - dt.date(1970, 1, 1)).days


def golden(name: str) -> bytes:
    """Return a golden file."""
    return (GOLDEN / f"{name}.zst").read_bytes()


def _hourly() -> Case:
    """Two days of hours, among them hour 24."""
    key = ChunkKey(Scope.HOURLY, 2024, station=2)
    hours = list(range(_DAY * 24 + 1, _DAY * 24 + 49))
    values = [(n * 7) % 50 for n in range(48)]
    return key, table(key, hours, {"hly-air-tmp": (values, [None] * 47 + ["R"], 1)})


def _wide() -> Case:
    """Values that need 32 bits, a constant column, and one that is missing throughout."""
    key = ChunkKey(Scope.DAILY, 2024, station=2)
    passed: list[str | None] = [None] * 4
    columns: Columns = {
        "day-air-tmp-avg": ([40_000, -3, 17, 40_000], passed, 1),
        "day-precip": ([25, 25, 25, 25], passed, 2),
        "day-wind-run": ([None, None, None, None], ["M", None, "M", "N"], 1),
    }
    return key, table(key, list(range(_DAY, _DAY + 4)), columns)


def _doubles() -> Case:
    """A column of doubles that are no decimals, beside one of integers."""
    key = ChunkKey(Scope.DAILY, 2024, station=2)
    columns: dict[str, Any] = {
        "day-air-tmp-avg": ([0.1 + 0.2, -1 / 3, None], [None, None, "M"], 1),
        "day-precip": ([25, 0, 3], [None, None, None], 2),
    }
    return key, table(key, [_DAY, _DAY + 1, _DAY + 2], columns)


def _predicted() -> Case:
    """Wind speed that follows from wind run, over sixty days."""
    key = ChunkKey(Scope.DAILY, 2024, station=2)
    run = [1000 + (n * n * 37) % 997 for n in range(60)]
    passed: list[str | None] = [None] * 60
    columns = {
        "day-wind-run": (run, passed, 1),
        "day-wind-spd-avg": ([(w * 10 + 432) // 864 for w in run], passed, 1),
    }
    return key, table(key, list(range(_DAY, _DAY + 60)), columns)


BASES: dict[str, tuple[Callable[[], Case], int]] = {
    "three_days": (three_days, 2048),
    "two_blocks": (three_days, 2),
    "hourly": (_hourly, 20),
    "wide": (_wide, 2048),
    "doubles": (_doubles, 2048),
    "predicted": (_predicted, 2048),
}
"""Sound files that are bent: rows and rows per block."""


@cache
def base(name: str) -> tuple[bytes, Footer]:
    """Return a sound file and its footer."""
    build, rows = BASES[name]
    key, made = build()
    data = encode(made, key, block_rows=rows)
    return data, container.parse_footer(data, len(data))


def sealed(frames: bytes, raw: bytes, features: int = 0, *, head: bytes | None = None) -> bytes:
    """Return a file of frames and a footer's bytes, with right lengths and checksums."""
    packed = container._compressor().compress(raw)
    tail = (0x184D2A5F).to_bytes(4, "little") + (len(packed) + 16).to_bytes(4, "little") + packed
    tail += len(packed).to_bytes(4, "little") + len(raw).to_bytes(4, "little")
    front = container.header(features) if head is None else head
    return front + frames + tail + zlib.crc32(tail).to_bytes(4, "little") + b"CIM2"


def resealed(change: Change, name: str = "three_days") -> bytes:
    """Return a sound file whose footer says something else."""
    data, footer = base(name)
    return container.seal(data[container.HEADER_BYTES : footer.data_end], change(footer))


def _raw(change: Callable[[bytes], bytes], name: str = "three_days") -> bytes:
    """Return a sound file whose footer's bytes are others."""
    data, footer = base(name)
    frames = data[container.HEADER_BYTES : footer.data_end]
    before = pack(footer)
    after = change(before)
    assert after != before
    return sealed(frames, after, footer.features)


def _swapped(old: str, new: str) -> Callable[[bytes], bytes]:
    return lambda raw: raw.replace(bytes.fromhex(old), bytes.fromhex(new), 1)


def _block(change: Callable[[Block], Block], number: int = 0) -> Change:
    def changed(footer: Footer) -> Footer:
        blocks = list(footer.blocks)
        blocks[number] = change(blocks[number])
        return footer._replace(blocks=tuple(blocks))

    return changed


def _cell(change: Callable[[Cell], Cell], number: int = 0, block: int = 0) -> Change:
    def changed(one: Block) -> Block:
        cells = list(one.cells)
        cells[number] = change(cells[number])
        return one._replace(cells=tuple(cells))

    return _block(changed, block)


def _coded(encoding: Encoding, number: int = 0) -> Change:
    return _cell(lambda cell: cell._replace(encoding=encoding), number)


def _bounds(number: int = 0, block: int = 0, **said: Any) -> Change:
    return _cell(lambda cell: cell._replace(**said), number, block)


def _frame(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=3).compress(data)


def _with_cell_frame(frame: bytes) -> bytes:
    """Return the three days with another frame of their last column, and its right checksum."""
    data, footer = base("three_days")
    block = footer.blocks[0]
    cell = block.cells[1]._replace(length=len(frame), crc32=zlib.crc32(frame))
    frames = data[container.HEADER_BYTES : cell.offset] + frame
    return container.seal(
        frames, footer._replace(blocks=(block._replace(cells=(block.cells[0], cell)),))
    )


def _with_marks(raw: bytes, size: int | None = None) -> bytes:
    """Return the three days with other marks, and their right checksum."""
    data, footer = base("three_days")
    block, frame = footer.blocks[0], _frame(raw)
    rest = data[block.marks_offset + block.marks_length : footer.data_end]
    said = block._replace(
        marks_length=len(frame),
        marks_size=len(raw) if size is None else size,
        marks_crc32=zlib.crc32(frame),
    )
    return container.seal(frame + rest, footer._replace(blocks=(said,)))


def _marks_with_more() -> bytes:
    data, footer = base("three_days")
    block = footer.blocks[0]
    end = block.marks_offset + block.marks_length
    frame = data[block.marks_offset : end] + b"\0"
    said = block._replace(marks_length=len(frame), marks_crc32=zlib.crc32(frame))
    return container.seal(frame + data[end : footer.data_end], footer._replace(blocks=(said,)))


def _trailer(packed: int | None = None, unpacked: int | None = None, magic: str = "CIM2") -> bytes:
    data, footer = base("three_days")
    tail = data[footer.data_end : -16]
    tail += (int.from_bytes(data[-16:-12], "little") if packed is None else packed).to_bytes(
        4, "little"
    )
    tail += (int.from_bytes(data[-12:-8], "little") if unpacked is None else unpacked).to_bytes(
        4, "little"
    )
    return data[: footer.data_end] + tail + zlib.crc32(tail).to_bytes(4, "little") + magic.encode()


def _footer_frame(place: int, octet: int) -> bytes:
    """Return the three days with one octet of the footer's skippable frame changed."""
    data, footer = base("three_days")
    tail = bytearray(data[footer.data_end : -8])
    tail[place] = octet
    sum_ = zlib.crc32(bytes(tail)).to_bytes(4, "little")
    return data[: footer.data_end] + bytes(tail) + sum_ + b"CIM2"


def _flipped() -> bytes:
    data = bytearray(base("three_days")[0])
    data[-20] ^= 1
    return bytes(data)


def _flipped_frame() -> bytes:
    data, footer = base("three_days")
    changed = bytearray(data)
    changed[footer.blocks[0].cells[1].offset + 8] ^= 1
    return bytes(changed)


def _headed(place: int, octet: int) -> bytes:
    data = bytearray(base("three_days")[0])
    data[place] = octet
    return bytes(data)


def _many_rows() -> bytes:
    """Return an hour more than a leap year has, all of one value."""
    key = ChunkKey(Scope.HOURLY, 2024, station=2)
    column = base("hourly")[1].columns[0]
    cell = Cell(Encoding(REFERENCE, 0, 81), 81, 81, 0, 0, 0, 0)
    block = Block(8785, ((_DAY * 24 + 1, 8785),), 0, 0, 0, 0, (cell,))
    return container.seal(b"", Footer(2, 0, key, (column,), (), (block,), 0))


def _many_columns(count: int) -> bytes:
    _, footer = base("three_days")
    cell = Cell(Encoding(REFERENCE, 0, 81), 81, 81, 0, 0, 0, 0)
    columns = tuple(footer.columns[0]._replace(code=f"day-{n}") for n in range(count))
    block = Block(3, ((_DAY, 3),), 0, 0, 0, 0, (cell,) * count)
    return container.seal(b"", Footer(2, 0, footer.key, columns, (), (block,), 0))


def _many_blocks() -> bytes:
    _, footer = base("hourly")
    cell = Cell(Encoding(REFERENCE, 0, 81), 81, 81, 0, 0, 0, 0)
    first = _DAY * 24 + 1
    blocks = tuple(Block(1, ((first + n, 1),), 0, 0, 0, 0, (cell,)) for n in range(4097))
    return container.seal(b"", Footer(2, 0, footer.key, footer.columns, (), blocks, 0))


def _flags(count: int) -> tuple[State, ...]:
    return tuple(State(False, f"{n:03d}") for n in range(count))


def _many_flags(footer: Footer) -> Footer:
    return footer._replace(states=(*footer.states, *_flags(126)))


def _column(**said: Any) -> Change:
    return lambda f: f._replace(columns=(f.columns[0]._replace(**said), *f.columns[1:]))


@dataclass(frozen=True)
class Hostile:
    """One file: which rule of the page it breaks (number and words of the page), and its bytes.

    ``key`` says where in a data directory it lies; by default where its base belongs.
    """

    rule: int
    words: str
    made: Callable[[], bytes]
    based_on: str = "three_days"
    key: ChunkKey | None = None

    @property
    def place(self) -> ChunkKey:
        """The key that the file's path names."""
        return self.key or base(self.based_on)[1].key


def _said(rule: int, words: str, change: Change, based_on: str = "three_days") -> Hostile:
    return Hostile(rule, words, lambda: resealed(change, based_on), based_on)


def _rawly(words: str, change: Callable[[bytes], bytes], based_on: str = "three_days") -> Hostile:
    return Hostile(4, words, lambda: _raw(change, based_on), based_on)


_REFERENCE = Encoding(REFERENCE, 1, 81)
_SOUND_MARKS = bytes([2, 0, 0, 1, 0, 2, 0, 1, 0])
_STATE = "u8 missing (0 or 1), flag (text of at most 3 characters"
_TIMES = "Times ascend strictly, within a block and from block to block"
_PREDICTED = "A column that another is predicted from is itself neither predicted nor of doubles"
_LINEAR = "n varint 1..3; n column numbers"
_STEPS = "0 < denominator < numerator ≤ 2²⁴"
_BOUNDS = "Minimum, maximum and missing count of each decoded cell equal the footer's"

HOSTILE: dict[str, Hostile] = {
    # 1
    "too short": Hostile(1, "at least 38 bytes", lambda: b"P*M\x18" + bytes(29) + b"CIM2"),
    "another magic": Hostile(1, "ends in `CIM2`", lambda: _trailer(magic="CIM3")),
    "bytes behind": Hostile(1, "ends in `CIM2`", lambda: base("three_days")[0] + b"\0"),
    "no room for footer": Hostile(1, "`packed` has room", lambda: _trailer(packed=200)),
    "footer of gigabytes": Hostile(
        1, "both lengths are within their bounds", lambda: _trailer(unpacked=1 << 31)
    ),
    # 2
    "footer flipped": Hostile(2, "The footer's crc32", _flipped),
    "footer's frame magic": Hostile(
        2, "the magic and length of its frame", lambda: _footer_frame(0, 0x5E)
    ),
    "footer's frame length": Hostile(
        2, "the magic and length of its frame", lambda: _footer_frame(4, 1)
    ),
    "footer's size": Hostile(
        2, "the content size of its zstd frame equals `unpacked`", lambda: _trailer(unpacked=92)
    ),
    # 3
    "version": _said(3, "Version and feature bits are known", lambda f: f._replace(version=3)),
    "feature": _said(3, "Version and feature bits are known", lambda f: f._replace(features=8)),
    "header of other features": Hostile(
        3, "header and footer agree on them", lambda: _headed(13, 3)
    ),
    "header of another version": Hostile(
        3, "header and footer agree on them", lambda: _headed(12, 1)
    ),
    "header's length": Hostile(
        3, "the header's 14 bytes are then known in full", lambda: _headed(4, 7)
    ),
    # 4: the footer's head
    "scope": _rawly("0 daily, 1 hourly", lambda raw: raw[:2] + b"\x02" + raw[3:]),
    "year 0": _rawly("1..9999", _swapped("e80f03", "0003")),
    "year 10000": _rawly("1..9999", _swapped("e80f03", "904e03")),
    "station beyond": _rawly("else station number + 1", _swapped("e80f03", "e80f818004")),
    "target of no kind": _rawly(
        "`zip:95616`, `coordinate:…` or `address:…`", _swapped("e80f03", "e80f00066d6f6f6e3a31")
    ),
    "text that is no UTF-8": _rawly("so many bytes of UTF-8", _swapped("284329", "28ff29")),
    "256 columns": Hostile(4, "at most 255", lambda: _many_columns(256)),
    "255 states": _said(4, "at most 254", lambda f: f._replace(states=f.states + _flags(253))),
    "no blocks": _said(4, "1..4,096", lambda f: f._replace(blocks=())),
    "4,097 blocks": Hostile(4, "1..4,096", _many_blocks, "hourly"),
    "bytes behind the last block": _rawly(
        "nothing is left over behind the last block", lambda raw: raw + b"\0"
    ),
    "frames that do not add up": _said(
        4, "the frames' lengths add up", _cell(lambda c: c._replace(length=c.length + 1), 1)
    ),
    # 4: descriptors and states
    "decimals": _said(4, "decimals (u8, at most 18)", _column(decimals=19)),
    "column of another kind": _rawly(
        "kind (u8: bit 0 set for doubles, else integers;", _swapped("2843290100", "2843290102")
    ),
    "column twice": _said(
        4, "No code stands twice", lambda f: f._replace(columns=(f.columns[0], f.columns[0]))
    ),
    "item of the other scope": _said(4, "An item is of the chunk's scope", _column(code="hly-eto")),
    "item of nobody": _said(4, "refuses one that it does not know", _column(code="day-moon-phase")),
    "state of another form": _rawly(_STATE, _swapped("0201014d", "0202014d")),
    "flag of four letters": _said(
        4, _STATE, lambda f: f._replace(states=(State(True, "ABCD"), f.states[1]))
    ),
    "state that says nothing": _said(
        4,
        "neither missing nor flagged is never listed",
        lambda f: f._replace(states=(f.states[0], State(False, None))),
    ),
    "128 flags": _said(4, "Together the states name at most 127 flags", _many_flags),
    # 4: blocks and times
    "block without rows": _said(4, "1..65,535", _block(lambda b: b._replace(rows=0, runs=()))),
    "rows": _said(4, "1..65,535", _block(lambda b: b._replace(rows=65_536))),
    "rows without times": _said(
        4, "runs of consecutive times", _block(lambda b: b._replace(rows=4))
    ),
    "no times": _said(4, "runs of consecutive times", _block(lambda b: b._replace(runs=()))),
    "empty run": _said(
        4,
        "runs of consecutive times",
        _block(lambda b: b._replace(runs=((_DAY, 2), (_DAY + 2, 0), (_DAY + 3, 1)))),
    ),
    "times repeated": _said(
        4, _TIMES, _block(lambda b: b._replace(runs=((_DAY, 2), (_DAY + 1, 1))))
    ),
    "blocks out of order": _said(
        4, _TIMES, _block(lambda b: b._replace(runs=((_DAY, 1),)), 1), "two_blocks"
    ),
    "times far off": _said(
        4, "of the chunk's year", _block(lambda b: b._replace(runs=((1 << 40, 3),)))
    ),
    "first time of the year before": _said(
        4, "of the chunk's year", _block(lambda b: b._replace(runs=((_DAY - 1, 3),)))
    ),
    "last time of the year after": _said(
        4, "of the chunk's year", _block(lambda b: b._replace(runs=((_DAY, 2), (_DAY + 366, 1))))
    ),
    "hour of the year before": _said(
        4, "of the chunk's year", _block(lambda b: b._replace(runs=((_DAY * 24, 20),))), "hourly"
    ),
    "year of other times": _said(
        4, "of the chunk's year", lambda f: f._replace(key=replace(f.key, year=2023))
    ),
    "8,785 rows": Hostile(4, "A chunk has at most 8,784 rows", _many_rows, "hourly"),
    # 4: cells
    "unknown kind": _rawly("kind × 16 + shape", _swapped("01a201", "61a201")),
    "doubles among integers": _said(
        4, "DOUBLE stands exactly in columns of doubles", _coded(Encoding(DOUBLE, 1, 0))
    ),
    "integers among doubles": _said(
        4,
        "DOUBLE stands exactly in columns of doubles",
        _coded(Encoding(DELTA, 8, 0)),
        "doubles",
    ),
    "steps of a formula": _said(
        4,
        "(kinds 0 to 3 only)",
        _coded(Encoding(PSYCHRO, 1, 0, Predictor((1,), formula=0), step=(7, 5))),
    ),
    "step of nothing": _said(4, _STEPS, _coded(_REFERENCE._replace(step=(5, 0)))),
    "step below one": _said(4, _STEPS, _coded(_REFERENCE._replace(step=(5, 6)))),
    "step of millions": _said(4, _STEPS, _coded(_REFERENCE._replace(step=((1 << 24) + 1, 2)))),
    "more missing than rows": _said(4, "missing values in the block", _bounds(missing=4)),
    "minimum above maximum": _said(4, "maximum - minimum", _bounds(minimum=94, maximum=81)),
    "bounds that are no numbers": _said(
        4, "minimum and maximum are the 64 bits", _bounds(maximum=math.inf), "doubles"
    ),
    "no frame": _said(4, "0 exactly where the shape is 0", _cell(lambda c: c._replace(length=0))),
    "frame of nothing": _said(
        4, "0 exactly where the shape is 0", _coded(Encoding(REFERENCE, 0, 81))
    ),
    "frame of gigabytes": _said(
        4, "the frames' lengths add up", _cell(lambda c: c._replace(length=1 << 33))
    ),
    "predicted from nothing": _said(
        4, _LINEAR, _coded(Encoding(LINEAR, 1, 0, Predictor((), (), 0)))
    ),
    "predicted from four": _said(
        4, _LINEAR, _coded(Encoding(LINEAR, 1, 0, Predictor((1, 1, 1, 1), (1, 1, 1, 1))))
    ),
    "predicted from a column that is not there": _said(
        4, _LINEAR, _coded(Encoding(LINEAR, 1, 0, Predictor((2,), (65536,))))
    ),
    "predicted from itself": _said(
        4, _PREDICTED, _coded(Encoding(LINEAR, 1, 0, Predictor((0,), (65536,))))
    ),
    "predicted from a predicted one": _said(
        4,
        _PREDICTED,
        lambda f: _coded(Encoding(LINEAR, 1, 0, Predictor((1,), (65536,))))(
            _coded(Encoding(LINEAR, 1, 0, Predictor((0,), (65536,))), 1)(f)
        ),
    ),
    "predicted from doubles": _said(
        4, _PREDICTED, _coded(Encoding(LINEAR, 1, 0, Predictor((0,), (65536,))), 1), "doubles"
    ),
    "formula of too few columns": _said(
        4,
        "formula varint; n varint; n column numbers",
        _coded(Encoding(PSYCHRO, 1, 0, Predictor((1,), formula=1))),
    ),
    "unknown formula": _said(
        4,
        "formula varint; n varint; n column numbers",
        _coded(Encoding(PSYCHRO, 1, 0, Predictor((1,), formula=4))),
    ),
    "formula of five decimals": _said(
        4,
        "Columns have at most 4 decimals here",
        lambda f: _coded(Encoding(PSYCHRO, 1, 0, Predictor((1,), formula=0)))(
            _column(decimals=5)(f)
        ),
    ),
    # 5
    "frame flipped": Hostile(5, "its crc32 over the compressed bytes", _flipped_frame),
    "frame of more": Hostile(
        5,
        "its content size against what its cell's shape",
        lambda: _with_cell_frame(_frame(bytes(4))),
    ),
    "frame of less": Hostile(
        5,
        "its content size against what its cell's shape",
        lambda: _with_cell_frame(_frame(bytes(2))),
    ),
    "frame that is a bomb": Hostile(
        5,
        "before decompressing",
        lambda: _with_cell_frame(zstandard.ZstdCompressor(level=3).compress(bytes(1 << 23))[:600]),
    ),
    "frame that is none": Hostile(
        5, "before decompressing", lambda: _with_cell_frame(b"\x28\xb5\x2f\xfd\x20\x03\xff\xff\xff")
    ),
    "bytes behind a frame": Hostile(
        5, "no bytes behind it", lambda: _with_cell_frame(_frame(bytes([0, 10, 0])) + b"\0")
    ),
    "bytes behind the marks' frame": Hostile(5, "no bytes behind it", _marks_with_more),
    "two frames in the place of one": Hostile(
        5,
        "no bytes behind it",
        lambda: _with_cell_frame(_frame(bytes([0, 10, 0])) + _frame(bytes([9]))),
    ),
    "another width": _said(5, "its cell's shape", _coded(Encoding(REFERENCE, 2, 81))),
    "low bits that are not there": _said(5, "its cell's shape", _coded(_REFERENCE._replace(low=3))),
    # 6
    "marks of another size": Hostile(
        6, "count and size agree", lambda: _with_marks(_SOUND_MARKS[:-1])
    ),
    "marks with more": Hostile(
        6, "count and size agree", lambda: _with_marks(_SOUND_MARKS + b"\0")
    ),
    "marks of no pattern": Hostile(6, "count and size agree", lambda: _with_marks(bytes(5))),
    "row without a pattern": Hostile(
        6, "rows name patterns", lambda: _with_marks(_SOUND_MARKS[:-1] + b"\x02")
    ),
    "pattern without a state": Hostile(
        6,
        "patterns states, that there are",
        lambda: _with_marks(bytes([2, 0, 0, 1, 0, 3, 0, 1, 0])),
    ),
    # 7
    "minimum": _said(7, _BOUNDS, _bounds(minimum=80)),
    "minimum above": _said(7, _BOUNDS, _bounds(minimum=82)),
    "maximum": _said(7, _BOUNDS, _bounds(maximum=95)),
    "maximum below": _said(7, _BOUNDS, _bounds(maximum=93)),
    "missing count below": _said(7, _BOUNDS, _bounds(missing=0)),
    "missing count above": _said(7, _BOUNDS, _bounds(missing=2)),
    "all said to be missing": _said(7, _BOUNDS, _bounds(missing=3, minimum=None, maximum=None)),
    "minimum of the second column": _said(7, _BOUNDS, _bounds(1, minimum=-1)),
    "maximum of the second block": _said(7, _BOUNDS, _bounds(0, 1, maximum=95), "two_blocks"),
    "missing count of the second block": _said(
        7, _BOUNDS, _bounds(1, 1, missing=1, minimum=None, maximum=None), "two_blocks"
    ),
    "maximum of hours": _said(7, _BOUNDS, _bounds(0, 2, maximum=1000), "hourly"),
    "maximum that values overflow": _said(7, _BOUNDS, _bounds(maximum=30_000), "wide"),
    "bounds that values overflow": _said(7, _BOUNDS, _bounds(minimum=0, maximum=1), "wide"),
    "maximum without a frame": _said(7, _BOUNDS, _bounds(1, maximum=26), "wide"),
    "nothing missing where all is": _said(
        7, _BOUNDS, _bounds(2, missing=0, minimum=0, maximum=0), "wide"
    ),
    "minimum of doubles": _said(7, _BOUNDS, _bounds(minimum=-1.0), "doubles"),
    "maximum of doubles": _said(7, _BOUNDS, _bounds(maximum=5.0), "doubles"),
    "maximum of a predicted column": _said(7, _BOUNDS, _bounds(1, maximum=5_000), "predicted"),
    "step that changes values": _said(7, _BOUNDS, _coded(_REFERENCE._replace(step=(7, 6)))),
    "another base": _said(
        7,
        _BOUNDS,
        _cell(lambda c: c._replace(encoding=c.encoding._replace(base=0))),
    ),
    "states changed": _said(
        7,
        _BOUNDS,
        lambda f: f._replace(states=(State(False, "M"), f.states[1])),
    ),
    # 8
    "another station's": Hostile(
        8,
        "scope, year and station or target are those that its path names",
        lambda: base("three_days")[0],
        key=ChunkKey(Scope.DAILY, 2024, station=7),
    ),
    "another year's": Hostile(
        8,
        "scope, year and station or target are those that its path names",
        lambda: base("three_days")[0],
        key=ChunkKey(Scope.DAILY, 2023, station=2),
    ),
    "another scope's": Hostile(
        8,
        "scope, year and station or target are those that its path names",
        lambda: base("hourly")[0],
        "hourly",
        key=ChunkKey(Scope.DAILY, 2024, station=2),
    ),
    "a target's": Hostile(
        8,
        "scope, year and station or target are those that its path names",
        lambda: resealed(
            lambda f: f._replace(key=replace(f.key, station=None, target="zip:95616"))
        ),
    ),
}
