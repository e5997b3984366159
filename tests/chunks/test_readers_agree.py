"""The readers of V2 agree on every golden and hostile file: plain, single, and of many together."""

from __future__ import annotations

import math
import random
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import run

import pyarrow as pa
import pytest

from cimis.pipeline.chunks.bulk import ChunkFile, Damaged, Decoded, read_many
from cimis.pipeline.chunks.encodings import KINDS, PSYCHRO
from cimis.pipeline.chunks.footer import Footer
from cimis.pipeline.chunks.key import ChunkKey
from cimis.pipeline.chunks.v2 import codec as v2
from cimis.pipeline.chunks.v2.container import check_header, parse_footer
from cimis.pipeline.errors import ChunkError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.rows.values import to_physical
from cimis.queries.point.blocks import BlockColumns
from tests.chunks.golden_chunks import CASES, GOLDEN, Columns, table
from tests.chunks.hostile_chunks import BASES, HOSTILE, base


def _humid(scope: Scope) -> bytes:
    """Return a file whose humidity columns follow from each other, in several blocks."""
    draw = random.Random(8)
    temperature = [draw.randrange(-80, 420) for _ in range(300)]
    humidity = [draw.randrange(5, 101) for _ in range(300)]
    pairs = list(zip(temperature, humidity, strict=True))
    pressure = [round(q * _saturation(t / 10)) for t, q in pairs]  # in 0.01 kPa
    dew = [round(10 * _dew(p / 100)) for p in pressure]
    passed: list[str | None] = [None] * 300
    names = {
        Scope.DAILY: ("day-air-tmp-avg", "day-rel-hum-avg", "day-vap-pres-avg", "day-dew-pnt"),
        Scope.HOURLY: ("hly-air-tmp", "hly-rel-hum", "hly-vap-pres", "hly-dew-pnt"),
    }[scope]
    columns: Columns = {
        names[0]: (temperature, passed, 1),
        names[1]: (humidity, passed, 0),
        names[2]: ([*pressure[:-1], None], passed, 2),
        names[3]: (dew, passed, 1),
    }
    first = 19_723 * (1 if scope is Scope.DAILY else 24) + 1
    key = ChunkKey(scope, 2024, station=2)
    return v2.encode(table(key, list(range(first, first + 300)), columns), key, block_rows=170)


def _saturation(celsius: float) -> float:
    return 0.6108 * math.exp(17.27 * celsius / (celsius + 237.3))


def _dew(kpa: float) -> float:
    share = math.log(max(kpa, 0.01) / 0.6108)
    return 237.3 * share / (17.27 - share)


SOUND = {
    **{f"humid, {scope}": _humid(scope) for scope in Scope},
    **{name: (GOLDEN / f"{name}.zst").read_bytes() for name in CASES},
    **{f"base of hostile ones: {name}": base(name)[0] for name in BASES},
}

Column = tuple[list[float | None], list[str | None]]
"""Values, and flags."""


def _plain(data: bytes) -> dict[str, Column]:
    """Return a file's columns by the reader without numpy."""
    footer = parse_footer(data, len(data))
    check_header(data, footer.features)
    found: dict[str, Column] = {info.item.column: ([], []) for info in footer.columns}
    for block in footer.blocks:
        columns = BlockColumns(memoryview(data), footer, block)
        for number, info in enumerate(footer.columns):
            values, states = columns.checked(number)
            shown, flags = found[info.item.column]
            for row, value in enumerate(values):
                state = footer.states[states[row]] if row in states else None
                gone = state is not None and state.missing
                shown.append(None if gone else _physical(value, footer, number))
                flags.append(state.flag if state else None)
    return found


def _physical(value: int, footer: Footer, number: int) -> float:
    info = footer.columns[number]
    if info.is_double:
        (double,) = struct.unpack("<d", struct.pack("<q", value))
        return float(double)
    return float(value / 10.0**info.decimals)


def _of_table(table: pa.Table, footer: Footer) -> dict[str, Column]:
    return {
        info.item.column: (
            table[info.item.column].to_pylist(),
            table[info.item.flag_column].to_pylist(),
        )
        for info in footer.columns
    }


def _many(data: bytes, folder: Path) -> Decoded | Damaged:
    """Return what the reader of many gives of a file that stands between two sound ones."""
    hostile, good = folder / "file.zst", folder / "good.zst"
    hostile.write_bytes(data)
    good.write_bytes(SOUND["three_days"])
    due = parse_footer(SOUND["three_days"], len(SOUND["three_days"])).key
    try:
        key = parse_footer(data, len(data)).key
    except ChunkError:
        key = due
    files = [ChunkFile(good, due), ChunkFile(hostile, key), ChunkFile(good, due)]
    (found,) = _of_place(list(read_many(files, batch_rows=1)), 1)
    return found


def _of_place(told: list[Decoded | Damaged], place: int) -> Iterator[Decoded | Damaged]:
    for each in told:
        if place in ([each.place] if isinstance(each, Damaged) else each.places):
            yield each


@pytest.mark.parametrize("name", SOUND)
def test_all_readers_give_the_same_rows_of_a_sound_file(name: str, tmp_path: Path) -> None:
    data = SOUND[name]
    footer = parse_footer(data, len(data))
    plain = _plain(data)
    assert plain == _of_table(to_physical(v2.decode_scaled(data)), footer)
    together = _many(data, tmp_path)
    assert isinstance(together, Decoded)
    assert plain == _of_table(together.table, footer)


@pytest.mark.parametrize("name", [name for name, each in HOSTILE.items() if each.rule < 8])
def test_all_readers_refuse_a_hostile_file_and_name_one_reason(name: str, tmp_path: Path) -> None:
    data = HOSTILE[name].made()
    with pytest.raises(ChunkError) as single:
        v2.decode_scaled(data)
    with pytest.raises(ChunkError) as plain:
        _plain(data)
    assert plain.value.reason == single.value.reason
    together = _many(data, tmp_path)
    assert isinstance(together, Damaged)
    assert together.error.reason == single.value.reason


def test_every_kind_of_encoding_is_in_a_file_that_is_compared() -> None:
    used = set()
    for data in SOUND.values():
        blocks = parse_footer(data, len(data)).blocks
        used |= {cell.encoding.kind for block in blocks for cell in block.cells}
    assert used == {*KINDS}
    formulas = {
        cell.encoding.predictor.formula
        for data in SOUND.values()
        for block in parse_footer(data, len(data)).blocks
        for cell in block.cells
        if cell.encoding.kind is PSYCHRO and cell.encoding.predictor
    }
    assert formulas == {0, 1, 2, 3}


def test_plain_decoding_and_its_checks_import_no_numpy() -> None:
    code = (
        "import sys, pathlib\n"
        "from cimis.pipeline.chunks.v2.container import parse_footer\n"
        "from cimis.queries.point.blocks import BlockColumns\n"
        f"for path in pathlib.Path({str(GOLDEN)!r}).glob('*.zst'):\n"
        "    data = path.read_bytes()\n"
        "    footer = parse_footer(data, len(data))\n"
        "    for block in footer.blocks:\n"
        "        columns = BlockColumns(memoryview(data), footer, block)\n"
        "        for number in range(len(footer.columns)): columns.checked(number)\n"
        "print(sorted({'numpy', 'pyarrow'} & set(sys.modules)))\n"
    )
    done = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
