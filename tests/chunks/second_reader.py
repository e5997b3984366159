"""A reader of V2 chunks written from ``docs/format-v2.md`` alone: stdlib and zstandard."""

from __future__ import annotations

import math
import struct
import zlib
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any

import zstandard

DESCRIPTORS = """day-sol-rad-net (W./sq.m) 0|day-soil-tmp-max (C) 1|day-soil-tmp-min (C) 1|\
day-vap-pres-max (kPa) 1|day-vap-pres-min (kPa) 1|hly-eto (mm) 2|hly-air-tmp (C) 1|\
hly-dew-pnt (C) 1|hly-net-rad (W./sq.m) 0|hly-asce-eto (mm) 2|hly-asce-etr (mm) 2|\
hly-precip (mm) 2|hly-rel-hum (%) 0|hly-res-wind (m/s) 1|hly-soil-tmp (C) 1|\
hly-sol-rad (W./sq.m) 0|hly-vap-pres (kPa) 1|hly-wind-dir (°) 0|hly-wind-spd (m/s) 1|\
day-asce-eto (mm) 2|day-asce-etr (mm) 2|day-precip (mm) 2|day-rel-hum-avg (%) 0|\
day-vap-pres-avg (kPa) 1|day-wind-run (MPH) 1|day-wind-spd-avg (m/s) 1|day-air-tmp-avg (C) 1|\
day-air-tmp-max (C) 1|day-air-tmp-min (C) 1|day-dew-pnt (C) 1|day-eto (mm) 2|day-precip (mm) 2|\
day-rel-hum-avg (%) 0|day-rel-hum-max (%) 0|day-rel-hum-min (%) 0|day-soil-tmp-avg (C) 1|\
day-sol-rad-avg (W./sq.m) 0|day-vap-pres-avg (kPa) 2|day-wind-run (km) 1|day-wind-spd-avg (m/s) 1"""
MASK = (1 << 64) - 1


class Damaged(Exception):
    """The file is not what the page allows."""


def need(holds: bool, what: str) -> None:
    if not holds:
        raise Damaged(what)


def signed(value: int) -> int:
    value &= MASK
    return value - (1 << 64) if value >> 63 else value


def unzigzag(value: int) -> int:
    return (value >> 1) ^ -(value & 1)


def dictionary() -> zstandard.ZstdCompressionDict:
    data = b""
    for row in DESCRIPTORS.split("|"):
        code, unit, decimals = row.split(" ")
        for text in (code.encode(), unit.encode()):
            data += bytes([len(text)]) + text
        data += bytes([int(decimals), 0])
    need(zlib.crc32(data) == 0xFF8F2DDF, "the dictionary differs from the page's")
    return zstandard.ZstdCompressionDict(data, dict_type=zstandard.DICT_TYPE_RAWCONTENT)


def pressure_table() -> list[int]:
    table = []
    for j in range(-1200, 1401):
        t = j / 20
        table.append(math.floor(61080 * math.exp(17.27 * t / (t + 237.3)) + 0.5))
    need(zlib.crc32(struct.pack("<2601I", *table)) == 0x9D343989, "the table differs")
    return table


class Octets:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        need(self.at + size <= len(self.data), "the footer ends early")
        self.at += size
        return self.data[self.at - size : self.at]

    def u8(self) -> int:
        return self.take(1)[0]

    def u32(self) -> int:
        return int.from_bytes(self.take(4), "little")

    def varint(self, most: int = MASK) -> int:
        value = shift = 0
        while True:
            octet = self.u8()
            value |= (octet & 127) << shift
            shift += 7
            if octet < 128:
                break
            need(shift < 64, "an integer of more than 64 bits")
        need(value <= most, "an integer beyond its bound")
        return value

    def svarint(self) -> int:
        return unzigzag(self.varint())

    def text(self) -> str:
        return self.take(self.u8()).decode()


@dataclass
class Cell:
    kind: int
    width: int
    packed: int
    step: tuple[int, int] | None
    base: int = 0
    formula: int = 0
    sources: list[int] = field(default_factory=list)
    coefficients: list[int] = field(default_factory=list)
    offset: int = 0
    missing: int = 0
    low: int = 0
    high: int = 0
    length: int = 0
    crc: int = 0


@dataclass
class Chunk:
    """What a file says: who and when, columns (code, unit, decimals, kind), and rows by column."""

    scope: str
    year: int
    station: int | None
    target: str
    columns: list[tuple[str, str, int, int]]
    times: list[int]
    values: dict[str, list[int | float | None]]
    flags: dict[str, list[str | None]]


def frame(data: bytes, start: int, length: int, size: int, crc: int) -> bytes:
    piece = data[start : start + length]
    need(zlib.crc32(piece) == crc, "a frame's checksum differs")
    need(zstandard.get_frame_parameters(piece).content_size == size, "a frame's size differs")
    return zstandard.ZstdDecompressor().decompress(piece, allow_extra_data=False)


def read(data: bytes) -> Chunk:
    """Return a file's chunk, or raise `Damaged`."""
    need(len(data) >= 38 and data[-4:] == b"CIM2", "no chunk")
    packed, unpacked, crc = struct.unpack("<3I", data[-16:-4])
    need(packed <= len(data) - 38 and max(packed, unpacked) <= 1 << 22, "the footer has no room")
    start = len(data) - 24 - packed
    need(zlib.crc32(data[start:-8]) == crc, "the footer's checksum differs")
    need(data[start : start + 8] == struct.pack("<2I", 0x184D2A5F, packed + 16), "no footer frame")
    body = data[start + 8 : start + 8 + packed]
    need(zstandard.get_frame_parameters(body).content_size == unpacked, "the footer's size differs")
    raw = zstandard.ZstdDecompressor(dict_data=dictionary()).decompress(body)
    octets = Octets(raw)
    version, features = octets.u8(), octets.u8()
    need(version == 2 and features & ~15 == 0, "an unknown version or feature")
    head = struct.pack("<2I", 0x184D2A50, 6) + b"CIM2" + bytes([version, features])
    need(data[:14] == head, "the header differs")
    return _rows(data, octets, start, features)


def _rows(data: bytes, octets: Octets, end: int, features: int) -> Chunk:
    scope = octets.u8()
    need(scope < 2, "an unknown scope")
    year = octets.varint(9999)
    number = octets.varint(0x10000)
    target = "" if number else octets.text()
    columns = []
    for _ in range(octets.varint(255)):
        code, unit = octets.text(), octets.text()
        columns.append((code, unit, octets.u8(), octets.u8()))
    need(all(kind < 4 for *_, kind in columns), "an unknown kind of column")
    from_v1 = any(kind & 2 for *_, kind in columns)
    need(from_v1 == bool(features & 8), "feature bit 3 and the columns differ")
    states = []
    for _ in range(octets.varint(254)):
        missing = octets.u8()
        states.append((missing, octets.text() or None))
    codes = [c[0] for c in columns]
    chunk = Chunk(
        ("daily", "hourly")[scope],
        year,
        number - 1 if number else None,
        target,
        columns,
        [],
        {code: [] for code in codes},
        {code: [] for code in codes},
    )
    place = 14
    for _ in range(octets.varint(4096)):
        place = _block(data, octets, place, chunk, states)
    need(octets.at == len(octets.data) and place == end, "something is left over")
    return chunk


def _block(data: bytes, octets: Octets, place: int, chunk: Chunk, states: list[Any]) -> int:
    rows = octets.varint(65535)
    last, times = 0, list[int]()
    for _ in range(octets.varint(rows)):
        first = last + octets.svarint()
        count = octets.varint(rows)
        times += range(first, first + count)
        last = first + count
    need(len(times) == rows, "rows and times differ")
    chunk.times += times
    marks_length = octets.varint()
    marks = (octets.varint(), octets.u32()) if marks_length else (0, 0)
    cells = [_cell(octets, rows) for _ in chunk.columns]
    marked = [[0] * rows for _ in chunk.columns]
    if marks_length:
        marked = _marks(frame(data, place, marks_length, *marks), len(chunk.columns), rows)
    place += marks_length
    starts = []
    for cell in cells:
        starts.append(place)
        place += cell.length
    whole: dict[int, list[int]] = {}
    for plain in (True, False):
        for n, cell in enumerate(cells):
            if (cell.kind not in (3, 4)) == plain:
                words = _words(data, starts[n], cell, rows)
                whole[n] = _values(words, cell, whole, chunk.columns, n)
    for n, (code, _, decimals, kind) in enumerate(chunk.columns):
        flags: list[str | None] = [None] * rows
        missing = [False] * rows
        for row, state in enumerate(marked[n]):
            need(state <= len(states), "a mark names no state")
            if state:
                missing[row], flags[row] = bool(states[state - 1][0]), states[state - 1][1]
        present = [v for v, gone in zip(whole[n], missing, strict=True) if not gone]
        cell = cells[n]
        need(len(present) == rows - cell.missing, "the missing count differs")
        if present and not kind & 1:
            need((min(present), max(present)) == (cell.low, cell.high), "the bounds differ")
        chunk.flags[code] += flags
        chunk.values[code] += [
            None if gone else _physical(v, decimals, kind)
            for v, gone in zip(whole[n], missing, strict=True)
        ]
    return place


def _physical(value: int, decimals: int, kind: int) -> float:
    if kind & 1:
        return float(struct.unpack("<d", struct.pack("<q", value))[0])
    return float(value / 10**decimals)


def _cell(octets: Octets, rows: int) -> Cell:
    form = octets.u8()
    planes = form & 15
    step = (octets.varint(1 << 24), octets.varint(1 << 24)) if form >> 7 else None
    cell = Cell(form >> 4 & 7, planes if planes < 9 else 1, max(planes - 8, 0), step)
    need(cell.kind <= (3 if step else 5), "an unknown encoding")
    need(step is None or 0 < step[1] < step[0], "a step below one")
    if cell.kind in (3, 4):
        cell.formula = octets.varint(3) if cell.kind == 4 else 0
        cell.sources = [octets.varint() for _ in range(octets.varint(3))]
        if cell.kind == 3:
            cell.coefficients = [octets.svarint() for _ in cell.sources]
            cell.offset = octets.svarint()
    else:
        cell.base = octets.svarint()
    cell.missing = octets.varint(rows)
    if cell.missing < rows:
        cell.low = signed(octets.svarint() + cell.base)
        cell.high = signed(cell.low + octets.varint())
    cell.length = octets.varint()
    need((cell.length == 0) == (cell.width == 0), "a frame without planes, or planes without one")
    cell.crc = octets.u32() if cell.length else 0
    return cell


def _marks(data: bytes, columns: int, rows: int) -> list[list[int]]:
    count = data[0] | data[1] << 8
    end = 2 + columns * count
    wide = count > 256
    need(len(data) == end + rows * (2 if wide else 1), "the marks' size differs")
    numbers = [
        data[end + row] | (data[end + rows + row] << 8 if wide else 0) for row in range(rows)
    ]
    need(max(numbers) < count, "a row has no pattern")
    patterns = [data[2 + n * count : 2 + (n + 1) * count] for n in range(columns)]
    return [[states[number] for number in numbers] for states in patterns]


def _words(data: bytes, start: int, cell: Cell, rows: int) -> list[int]:
    if not cell.width:
        return [0] * rows
    size = cell.width * rows + (cell.packed * rows + 7) // 8
    planes = frame(data, start, cell.length, size, cell.crc)
    if cell.packed:
        packed = int.from_bytes(planes[rows:], "little")
        mask = (1 << cell.packed) - 1
        return [planes[i] << cell.packed | packed >> i * cell.packed & mask for i in range(rows)]
    return [
        sum(planes[plane * rows + row] << 8 * plane for plane in range(cell.width))
        for row in range(rows)
    ]


def _values(
    words: list[int], cell: Cell, whole: dict[int, list[int]], columns: list[Any], number: int
) -> list[int]:
    counts = _counts(words, cell, whole, columns, number)
    if cell.step is None:
        return counts
    up, down = cell.step
    return [signed(2 * up * count + down) // (2 * down) for count in counts]


def _counts(
    words: list[int], cell: Cell, whole: dict[int, list[int]], columns: list[Any], number: int
) -> list[int]:
    if cell.kind in (0, 5):
        return [signed(cell.base + word) for word in words]
    if cell.kind in (1, 2):
        step, value, found = 0, cell.base, []
        for word in words:
            step = unzigzag(word) if cell.kind == 1 else step + unzigzag(word)
            value += step
            found.append(signed(value))
        return found
    sources = [whole[n] for n in cell.sources]
    if cell.kind == 3:
        predicted = [
            signed(cell.offset + sum(c * v for c, v in zip(cell.coefficients, row, strict=True)))
            >> 16
            for row in zip(*sources, strict=True)
        ]
    else:
        places = [columns[n][2] for n in cell.sources]
        table = pressure_table()
        predicted = [
            _formula(cell.formula, row, places, columns[number][2], table)
            for row in zip(*sources, strict=True)
        ]
    return [signed(p + unzigzag(w)) for p, w in zip(predicted, words, strict=True)]


def _formula(
    formula: int, row: tuple[int, ...], places: list[int], d: int, table: list[int]
) -> int:
    def dew(e: int) -> int:
        return int(((bisect_right(table, e) - 1 - 1200) * 10**d + 10) // 20)

    first = min(max(row[0], 0), 10**8)
    if formula == 0:
        return dew(first * 10 ** (5 - places[0]))
    t = min(max(row[1], -(10**6)), 10**6)
    sat = table[min(max(t * 20 // 10 ** places[1], -1200), 1400) + 1200]
    if formula == 1:
        return int((first * 10 ** (5 - places[0]) * 100 * 10**d + sat // 2) // sat)
    e = first * sat // (100 * 10 ** places[0])
    if formula == 2:
        u = 10 ** (5 - d)
        return int((e + u // 2) // u)
    return dew(e)
