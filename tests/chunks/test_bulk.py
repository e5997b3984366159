"""Bulk decoding gives the rows of the reader of single chunks, or its errors; nothing else ever."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cimis.pipeline.chunks import read_chunk
from cimis.pipeline.chunks.bulk import ChunkFile, Damaged, Decoded, read_many
from cimis.pipeline.chunks.bulk.marks import MAX_TEXTS
from cimis.pipeline.chunks.files import describe
from cimis.pipeline.chunks.footer import Block, Cell, Footer
from cimis.pipeline.chunks.key import ChunkKey
from cimis.pipeline.chunks.v1 import codec as v1
from cimis.pipeline.chunks.v2 import codec as v2
from cimis.pipeline.chunks.v2 import container
from cimis.pipeline.errors import ChunkError, StoreError
from cimis.pipeline.field.items import Scope, scope_items
from cimis.pipeline.rows.values import to_physical
from tests.chunks.fuzz_chunks import _mutated, _relabelled
from tests.chunks.golden_chunks import CASES, GOLDEN, Case, table
from tests.chunks.test_v2_roundtrip import chunks

ALL = sorted(CASES)


def _golden(name: str) -> ChunkFile:
    path = GOLDEN / f"{name}.zst"
    return ChunkFile(path, container.read_footer(path).key)


def _put(folder: Path, name: str, data: bytes, key: ChunkKey) -> ChunkFile:
    path = folder / name
    path.write_bytes(data)
    return ChunkFile(path, key)


def _assert_same(found: pa.Table, file: ChunkFile) -> None:
    """Hold rows to those that `read_chunk` gives; a column that it lacks is all null."""
    data = file.path.read_bytes()
    due = read_chunk(file.path) if v2.is_v2(data[:4]) else _v1_rows(data, file.key)
    assert found.num_rows == due.num_rows
    for name in due.schema.names:
        assert name in found.schema.names
    for name in found.schema.names:
        if name not in due.schema.names:
            assert found[name].null_count == found.num_rows, (file.path.name, name)
            continue
        kind = pa.float64() if pa.types.is_floating(due[name].type) else pa.string()
        one, two = (rows[name].cast(kind).combine_chunks() for rows in (found, due))
        assert one.equals(two), (file.path.name, name)


def _v1_rows(data: bytes, key: ChunkKey) -> pa.Table:
    return to_physical(v1.decode(data, key))


def _check(
    files: list[ChunkFile], damaged: AbstractSet[int] = frozenset(), batch_rows: int = 262_144
) -> list[Decoded]:
    """Read files; all but the damaged ones come once, in order, with the reference's rows."""
    tables: list[Decoded] = []
    told: list[int] = []
    for got in read_many(files, batch_rows=batch_rows):
        if isinstance(got, Damaged):
            told.append(got.place)
            continue
        tables.append(got)
        assert sum(got.rows) == got.table.num_rows
        start = 0
        for place, rows, checksum in zip(got.places, got.rows, got.checksums, strict=True):
            _assert_same(got.table.slice(start, rows), files[place])
            data = files[place].path.read_bytes()
            assert checksum == describe(files[place].path, data, files[place].key).checksum
            start += rows
    assert sorted(told) == sorted(damaged)
    places = [place for got in tables for place in got.places]
    assert places == [n for n in range(len(files)) if n not in damaged]
    return tables


def test_golden_files_come_as_read_chunk_gives_them() -> None:
    _check([_golden(name) for name in ALL])


def test_like_files_are_decoded_together_not_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["daily_year", "three_days", "inches_year", "daily_year"]
    monkeypatch.setattr(v2, "decode_scaled", None)
    found = [*read_many([_golden(name) for name in names])]
    assert [(got.places, got.rows) for got in found if isinstance(got, Decoded)] == [
        ([0, 1, 2, 3], [366, 3, 365, 366])
    ]
    hourly = [*read_many([_golden("hourly_quarter"), _golden("many_patterns")])]
    assert [got.places for got in hourly if isinstance(got, Decoded)] == [[0, 1]]
    (spatial,) = read_many([_golden("spatial_zip")])
    assert isinstance(spatial, Decoded)


def test_predicted_columns_of_several_widths_are_foretold_for_their_own_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left of a prediction is small in one file and large in the next."""
    draw = random.Random(5)
    files = []
    for station, apart in enumerate((900, 2, 40, 2, 900, 0), start=1):
        high = [draw.randrange(2_000, 4_000) for _ in range(366)]
        low = [draw.randrange(0, 2_000) for _ in range(366)]
        mean = [(a + b) // 2 + draw.randint(0, apart) for a, b in zip(high, low, strict=True)]
        names = ("day-air-tmp-max", "day-air-tmp-min", "day-air-tmp-avg")
        columns = {
            code: (values, [None] * 366, 1)
            for code, values in zip(names, (high, low, mean), strict=True)
        }
        key = ChunkKey(Scope.DAILY, 2024, station=station)
        rows = table(key, list(range(19_723, 19_723 + 366)), columns)
        files.append(_put(tmp_path, f"{station}.zst", v2.encode(rows, key), key))
    cells = [cell for f in files for cell in container.read_footer(f.path).blocks[0].cells]
    foretold = [cell.encoding for cell in cells if cell.encoding.predictor is not None]
    assert len(foretold) == len(files)
    assert len({(encoding.width, encoding.low) for encoding in foretold}) > 1
    with monkeypatch.context() as alone:
        alone.setattr(v2, "decode_scaled", None)  # a reader one by one would put it right
        (got,) = read_many(files)
    assert isinstance(got, Decoded)
    for number, file in enumerate(files):
        _assert_same(got.table.slice(number * 366, 366), file)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.tuples(chunks(), st.integers(1, 70)), min_size=1, max_size=5),
    st.sampled_from([1, 366, 262_144]),
)
def test_arbitrary_chunks_mixed_in_one_call(
    tmp_path_factory: pytest.TempPathFactory, cases: list[tuple[Case, int]], batch_rows: int
) -> None:
    folder = tmp_path_factory.mktemp("bulk")
    files = []
    for number, ((key, rows), block_rows) in enumerate(cases):
        data = v2.encode(rows, key, block_rows=block_rows)
        files.append(_put(folder, f"{number}.zst", data, key))
    _check(files, batch_rows=batch_rows)


VALUES = st.one_of(
    st.integers(-60, 600), st.integers(-40_000, 40_000), st.integers(-(2**31), 2**31)
)


@st.composite
def ordinary(draw: st.DrawFn) -> Case:
    """A daily chunk as it may be fetched: related columns, gaps, few flags; no doubles."""
    items = draw(
        st.lists(st.sampled_from(scope_items(Scope.DAILY)), unique=True, max_size=8, min_size=1)
    )
    rows = draw(st.integers(1, 90))
    first = 19723 + draw(st.integers(0, 200))
    days = sorted(draw(st.sets(st.integers(0, 150), min_size=rows // 2 + 1, max_size=rows)))
    chance = random.Random(draw(st.integers(0, 1 << 30)))
    span = draw(st.sampled_from([0, 3, 120, 900, 70_000]))
    walk = draw(st.booleans())
    columns = {}
    for item in items:
        values: list[int | None] = []
        flags: list[str | None] = []
        level = chance.randrange(-span, span + 1)
        for _ in days:
            level = level + chance.randrange(-9, 10) if walk else chance.randrange(-span, span + 1)
            values.append(None if chance.random() < 0.05 else level)
            flags.append(chance.choice("RYHM") if chance.random() < 0.05 else None)
        columns[item.code] = (values, flags, item.decimals_metric + draw(st.integers(0, 1)))
    key = ChunkKey(Scope.DAILY, 2024, station=draw(st.integers(0, 65535)))
    return key, table(key, [first + day for day in days if first + day < 20089], columns)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(ordinary(), st.sampled_from([20, 2_048])), min_size=1, max_size=8))
def test_ordinary_chunks_are_all_decoded_together(
    tmp_path_factory: pytest.TempPathFactory, cases: list[tuple[Case, int]]
) -> None:
    folder = tmp_path_factory.mktemp("bulk")
    files = []
    for number, ((key, rows), block_rows) in enumerate(cases):
        data = v2.encode(rows, key, block_rows=block_rows)
        files.append(_put(folder, f"{number}.zst", data, key))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(v2, "decode_scaled", None)
        found = [*read_many(files)]
    assert [got.places for got in found if isinstance(got, Decoded)] == [[*range(len(files))]]
    _check(files)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(ordinary(), min_size=1, max_size=5))
def test_v1_files_are_decoded_together(
    tmp_path_factory: pytest.TempPathFactory, cases: list[Case]
) -> None:
    folder = tmp_path_factory.mktemp("bulk")
    files = [
        _put(folder, f"{number}.zst", v1.encode(rows, key)[0], key)
        for number, (key, rows) in enumerate(cases)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(v1, "decode", None)
        found = [*read_many(files)]
    assert [got.places for got in found if isinstance(got, Decoded)] == [[*range(len(files))]]
    _check(files)


def test_hourly_v1_files_are_read_as_the_reference_reads_them(tmp_path: Path) -> None:
    files = []
    for number, name in enumerate(["hourly_quarter", "many_patterns", "hourly_quarter"]):
        key, rows = CASES[name]()
        files.append(_put(tmp_path, f"{number}.zst", v1.encode(rows, key)[0], key))
    data = bytearray(files[1].path.read_bytes())
    data[len(data) // 2] ^= 1
    files.append(_put(tmp_path, "hurt.zst", bytes(data), files[1].key))
    files.append(ChunkFile(files[0].path, replace(files[0].key, station=7)))
    _check(files, {3, 4})


def test_v1_files_among_v2_files(tmp_path: Path) -> None:
    key, rows = CASES["three_days"]()
    old = _put(tmp_path, "old.zst", v1.encode(rows, key)[0], key)
    (found,) = _check([_golden("daily_year"), old, _golden("three_days")])
    assert found.places == [0, 1, 2]


def test_scopes_and_kinds_of_keys_are_never_in_one_table() -> None:
    names = ["daily_year", "hourly_quarter", "three_days", "spatial_zip", "inches_year"]
    tables = _check([_golden(name) for name in names])
    assert [got.places for got in tables] == [[0], [1], [2], [3], [4]]
    assert tables[3].table.schema.names[:2] == ["target", "date"]


def test_the_schema_rests_on_scope_and_columns_alone() -> None:
    one, two = (next(read_many([_golden(name)])) for name in ("three_days", "inches_year"))
    assert isinstance(one, Decoded)
    assert isinstance(two, Decoded)
    assert one.table.schema.equals(two.table.schema, check_metadata=True)
    items = scope_items(Scope.DAILY)
    names = [name for item in items for name in (item.column, item.flag_column)]
    assert one.table.schema.names == ["station", "date", *names]


def test_a_projection_has_keys_and_what_it_names() -> None:
    wanted = ["precip_qc", "dew_pnt", "eto"]
    (got,) = read_many([_golden("daily_year"), _golden("extremes")], columns=wanted)
    assert isinstance(got, Decoded)
    assert sorted(got.table.schema.names) == sorted(["station", "date", *wanted])
    due = [read_chunk(_golden(name).path) for name in ("daily_year", "extremes")]
    for name in wanted:
        parts = [t[name].to_pylist() if name in t.schema.names else [None] * len(t) for t in due]
        assert got.table[name].to_pylist() == [*parts[0], *parts[1]]


def test_a_column_that_there_is_not_is_told() -> None:
    with pytest.raises(StoreError, match="no column 'air_temp'"):
        next(read_many([_golden("daily_year")], columns=["air_temp"]))


def test_damage_to_a_column_that_is_not_asked_for_harms_no_other(tmp_path: Path) -> None:
    data = bytearray((GOLDEN / "three_days.zst").read_bytes())
    data[0x32] ^= 1  # inside the frame of the second column
    key = _golden("three_days").key
    file = _put(tmp_path, "hurt.zst", bytes(data), key)
    (got,) = read_many([file], columns=["air_tmp_avg"])
    assert isinstance(got, Decoded)
    assert got.table["air_tmp_avg"].to_pylist() == [8.1, None, 9.4]
    (told,) = read_many([file], columns=["precip"])
    assert isinstance(told, Damaged)
    assert "checksum" in told.error.reason


def test_no_table_has_more_rows_than_a_batch_and_a_chunk() -> None:
    files = [_golden("daily_year")] * 9
    for batch_rows in (1, 400, 366 * 2, 1_000):
        tables = _check(files, batch_rows=batch_rows)
        assert max(got.table.num_rows for got in tables) <= batch_rows + 366
    assert len(_check(files, batch_rows=366 * 3)) == 3


def test_files_that_are_gone_or_of_another_key_leave_the_rest(tmp_path: Path) -> None:
    good = _golden("daily_year")
    gone = ChunkFile(tmp_path / "gone.zst", good.key)
    other = ChunkFile(_golden("three_days").path, ChunkKey(Scope.DAILY, 2024, station=3))
    folder = ChunkFile(tmp_path, good.key)
    files = [good, gone, other, folder, good]
    _check(files, {1, 2, 3})
    told = {got.place: got.error for got in read_many(files) if isinstance(got, Damaged)}
    assert "not on disk" in told[1].reason
    assert told[2].reason == "file of station 2, 2024 daily, not of station 3, 2024 daily"
    assert [told[place].path for place in (1, 2, 3)] == [str(files[n].path) for n in (1, 2, 3)]
    assert told[1].hint
    assert told[2].hint


def test_no_files_give_nothing() -> None:
    assert [*read_many([])] == []


def _reason(file: ChunkFile) -> str | None:
    """Return what is wrong with a file by the reader of single chunks."""
    try:
        read_chunk(file.path)
    except ChunkError as error:
        return error.reason
    return None


@pytest.mark.parametrize("seed", range(2))
def test_flipped_bits_in_some_of_many_files_harm_no_others(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    names = ["three_days", "daily_year", "inches_year", "many_patterns", "hourly_quarter"]
    for turn in range(8):
        files, hurt = [], set()
        for number in range(12):
            golden = _golden(chance.choice(names))
            data = bytearray(golden.path.read_bytes())
            if chance.random() < 0.3:
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
                hurt.add(number)
            files.append(_put(tmp_path, f"{turn}-{number}.zst", bytes(data), golden.key))
        _check(files, hurt)
        told = {got.place: got.error for got in read_many(files) if isinstance(got, Damaged)}
        for place, error in told.items():
            assert error.path == str(files[place].path)
            # a flipped bit at the beginning makes the file one of the other format
            first = files[place].path.read_bytes()[:4]
            assert not v2.is_v2(first) or error.reason == _reason(files[place])


@pytest.mark.parametrize("seed", range(3))
def test_hostile_files_are_refused_or_read_as_the_reference_reads_them(
    tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    names = ["three_days", "extremes", "spatial_zip", "inches_year", "many_patterns"]
    good = _golden("daily_year")
    read = 0
    for turn in range(25):
        files, damaged = [good], set()
        for number in range(1, 16):
            golden = _golden(chance.choice(names))
            change = _relabelled if chance.random() < 0.8 else _mutated
            data = change(golden.path.read_bytes(), chance)
            files.append(_put(tmp_path, f"{turn}-{number}.zst", data, golden.key))
            if not _sound(data, golden.key):
                damaged.add(number)
            else:
                read += 1
        _check(files, damaged)
    assert read > 0


def _sound(data: bytes, key: ChunkKey) -> bool:
    try:
        if not v2.is_v2(data[:4]):
            v1.decode(data, key)
            return True
        v2.decode_scaled(data)
        return container.parse_footer(data, len(data)).key == key
    except ChunkError:
        return False


LIES: dict[str, Callable[[Cell], Cell]] = {
    "missing count": lambda cell: cell._replace(missing=cell.missing + 1),
    "minimum": lambda cell: cell._replace(minimum=int(cell.minimum or 0) - 1),
    "maximum": lambda cell: cell._replace(maximum=int(cell.maximum or 0) + 1),
    "base": lambda cell: cell._replace(
        encoding=cell.encoding._replace(base=cell.encoding.base + 1)
    ),
    "checksum": lambda cell: cell._replace(crc32=cell.crc32 ^ 1),
}


@pytest.mark.parametrize("name", LIES)
@pytest.mark.parametrize("number", [0, 1])
def test_a_footer_that_lies_is_told_and_its_neighbours_are_read(
    tmp_path: Path, name: str, number: int
) -> None:
    golden = _golden("three_days")
    data = golden.path.read_bytes()
    footer = container.parse_footer(data, len(data))
    cells = list(footer.blocks[0].cells)
    cells[number] = LIES[name](cells[number])
    lying = _with(footer, footer.blocks[0]._replace(cells=tuple(cells)), data)
    files = [golden, _put(tmp_path, "lie.zst", lying, golden.key), golden]
    assert _reason(files[1]) is not None
    _check(files, {1})


def _with(footer: Footer, block: Block, data: bytes) -> bytes:
    frames = data[container.HEADER_BYTES : footer.data_end]
    return container.seal(frames, footer._replace(blocks=(block,)))


def test_a_footer_that_holds_nothing_is_told(tmp_path: Path) -> None:
    golden = _golden("three_days")
    data = golden.path.read_bytes()
    packed = container._compressor().compress(b"")
    tail = (0x184D2A5F).to_bytes(4, "little") + (len(packed) + 16).to_bytes(4, "little") + packed
    tail += len(packed).to_bytes(4, "little") + bytes(4)
    end = container.parse_footer(data, len(data)).data_end
    hostile = data[:end] + tail + zlib.crc32(tail).to_bytes(4, "little") + b"CIM2"
    files = [golden, _put(tmp_path, "empty.zst", hostile, golden.key)]
    assert _reason(files[1]) == "footer is empty"
    _check(files, {1})
    _check(files[1:], {0})


def test_a_frame_with_another_behind_it_is_told(tmp_path: Path) -> None:
    golden = _golden("three_days")
    data = golden.path.read_bytes()
    footer = container.parse_footer(data, len(data))
    block = footer.blocks[0]
    last = block.cells[-1]
    stuffing = bytes.fromhex("502a4d1800000000")  # an empty skippable frame
    frame = data[last.offset : last.offset + last.length] + stuffing
    cell = last._replace(length=len(frame), crc32=zlib.crc32(frame))
    frames = data[container.HEADER_BYTES : last.offset] + frame
    hostile = container.seal(
        frames, footer._replace(blocks=(block._replace(cells=(*block.cells[:-1], cell)),))
    )
    files = [golden, _put(tmp_path, "stuffed.zst", hostile, golden.key)]
    assert _reason(files[1]) is not None
    _check(files, {1})


def test_a_frame_that_breaks_off_inside_is_told(tmp_path: Path) -> None:
    """Checksums, sizes and block headers agree, and only decompression itself fails."""
    golden = _golden("daily_year")
    data = golden.path.read_bytes()
    footer = container.parse_footer(data, len(data))
    block = footer.blocks[0]
    hurt = 0
    for number, cell in enumerate(block.cells):
        frame = bytearray(data[cell.offset : cell.offset + cell.length])
        frame[len(frame) // 2] ^= 0x55
        wrong = cell._replace(crc32=zlib.crc32(frame))
        cells = (*block.cells[:number], wrong, *block.cells[number + 1 :])
        changed = data[: cell.offset] + frame + data[cell.offset + cell.length :]
        path = _put(
            tmp_path,
            f"{number}.zst",
            _with(footer, block._replace(cells=cells), changed),
            golden.key,
        )
        if _reason(path) is not None:
            hurt += 1
            _check([golden, path, golden], {1})
    assert hurt > 5


def test_more_flag_texts_than_codes_hold_are_read_all_the_same(tmp_path: Path) -> None:
    files = []
    for number in range(3):
        key = ChunkKey(Scope.DAILY, 2024, station=number + 1)
        days = list(range(19723, 19723 + 100))
        flags: list[str | None] = [f"{number}{n:02d}" for n in range(100)]
        rows = table(key, days, {"day-precip": ([5] * 100, flags, 2)})
        files.append(_put(tmp_path, f"{number}.zst", v2.encode(rows, key), key))
    assert MAX_TEXTS < 300
    _check(files)
