"""Chunk files are replaced whole or not at all, and merging loses nothing, in any order."""

from __future__ import annotations

import datetime as dt
import errno
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cimis.pipeline.chunks import (
    ChunkKey,
    merge_rows,
    read_chunk,
    read_footer,
    read_scaled,
    store_rows,
    write_chunk,
)
from cimis.pipeline.chunks.v2.codec import encode
from cimis.pipeline.errors import ChunkError, StoreError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.storage.disk import Disk, temporary_path
from cimis.pipeline.storage.writers import remove_stale_temporaries
from tests.chunks.golden_chunks import CASES, table

KEY = ChunkKey(Scope.DAILY, 2024, station=2)
FIRST = (dt.date(2024, 1, 1) - dt.date(1970, 1, 1)).days


def _rows(values: dict[int, int | None], code: str = "day-precip") -> pa.Table:
    days = sorted(values)
    columns = {code: ([values[d] for d in days], [None] * len(days), 2)}
    return table(KEY, [FIRST + d for d in days], columns)


class FailingDisk(Disk):
    """A disk that fails at one step."""

    def __init__(self, step: str, code: int = errno.ENOSPC) -> None:
        self.step = step
        self.code = code

    def _maybe(self, step: str) -> None:
        if step == self.step:
            raise OSError(self.code, "no luck")

    def write(self, path: Path, data: bytes) -> None:
        if self.step == "half":
            path.write_bytes(data[: len(data) // 2])
            raise OSError(self.code, "no luck")
        self._maybe("write")
        super().write(path, data)

    def read(self, path: Path) -> bytes:
        self._maybe("read")
        data = super().read(path)
        if self.step == "rot":
            return data[:20] + bytes([data[20] ^ 4]) + data[21:]
        return data

    def rename(self, source: Path, target: Path) -> None:
        self._maybe("rename")
        super().rename(source, target)


@pytest.mark.parametrize("step", ["write", "half", "read", "rot", "rename"])
@pytest.mark.parametrize("form", ["v2", "v1"])
def test_a_failure_at_any_step_leaves_the_old_file(tmp_path: Path, step: str, form: str) -> None:
    store_rows(tmp_path, KEY, _rows({0: 1, 1: 2}), format=form)
    path = KEY.path(tmp_path)
    before = path.read_bytes()
    with pytest.raises(StoreError) as caught:
        store_rows(tmp_path, KEY, _rows({2: 3}), format=form, storage=FailingDisk(step))
    assert "2024_daily.zst" in str(caught.value)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["2024_daily.zst"]


class SwappingDisk(Disk):
    """A disk that gives back another sound chunk than the one written."""

    def __init__(self, other: bytes) -> None:
        self.other = other

    def read(self, path: Path) -> bytes:
        super().read(path)
        return self.other


@pytest.mark.parametrize(
    ("what", "values", "code"),
    [
        ("a row less", {1: 1, 2: 2}, "day-precip"),
        ("a row more", {1: 1, 2: 2, 3: 3, 4: 4}, "day-precip"),
        ("another first day", {0: 1, 2: 2, 3: 3}, "day-precip"),
        ("another last day", {1: 1, 2: 2, 5: 3}, "day-precip"),
        ("another value", {1: 1, 2: 9, 3: 3}, "day-precip"),
        ("a missing value", {1: 1, 2: None, 3: 3}, "day-precip"),
        ("another item", {1: 1, 2: 2, 3: 3}, "day-asce-eto"),
    ],
)
def test_a_sound_file_with_other_rows_is_not_taken_for_what_was_written(
    what: str, values: dict[int, int | None], code: str, tmp_path: Path
) -> None:
    """Rows, first and last time, every value: any difference keeps the old file."""
    store_rows(tmp_path, KEY, _rows({1: 1, 2: 2}))
    path = KEY.path(tmp_path)
    before = path.read_bytes()
    other = encode(_rows(values, code), KEY)
    with pytest.raises(ChunkError, match="read back differs") as caught:
        store_rows(tmp_path, KEY, _rows({3: 3}), storage=SwappingDisk(other))
    assert "2024_daily.zst" in str(caught.value), what
    assert caught.value.hint
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["2024_daily.zst"]


@pytest.mark.parametrize("step", ["folder", "catalog"])
def test_what_fails_behind_the_rename_is_told_and_healed_by_the_next_run(
    step: str, tmp_path: Path
) -> None:
    """The new file is in place and sound; the same rows again enter it in the catalog."""

    class Unsynced(Disk):
        def sync_folder(self, folder: Path) -> None:
            if folder == KEY.path(tmp_path).parent:
                raise OSError(errno.EIO, "no luck")
            super().sync_folder(folder)

    def refused(_info: object, _counts: object) -> None:
        raise StoreError("the catalog cannot be written")

    disk, enter = (Unsynced(), None) if step == "folder" else (Disk(), refused)
    with pytest.raises(StoreError):
        store_rows(tmp_path, KEY, _rows({0: 1}), storage=disk, enter=enter)
    assert [p.name for p in KEY.path(tmp_path).parent.iterdir()] == ["2024_daily.zst"]
    heard = []
    stored = store_rows(
        tmp_path, KEY, _rows({0: 1}), enter=lambda info, _: heard.append(info.footer.rows)
    )
    assert (stored.written, heard) == (False, [1])


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT])
def test_a_refusal_of_the_disk_says_what_to_do(tmp_path: Path, code: int) -> None:
    with pytest.raises(StoreError) as caught:
        store_rows(tmp_path, KEY, _rows({0: 1}), storage=FailingDisk("write", code))
    assert caught.value.hint
    assert not KEY.path(tmp_path).exists()


def test_the_catalog_hears_of_a_chunk_only_when_it_is_in_place(tmp_path: Path) -> None:
    heard = []
    store_rows(
        tmp_path,
        KEY,
        _rows({0: 1}),
        enter=lambda info, _: heard.append((KEY.path(tmp_path).exists(), info.footer.rows)),
    )
    with pytest.raises(StoreError):
        store_rows(
            tmp_path,
            KEY,
            _rows({1: 1}),
            enter=lambda info, _: heard.append((True, 0)),
            storage=FailingDisk("rename"),
        )
    assert heard == [(True, 1)]


def test_the_same_rows_again_do_not_rewrite_the_file(tmp_path: Path) -> None:
    store_rows(tmp_path, KEY, _rows({0: 1, 1: None}))
    before = KEY.path(tmp_path).stat().st_mtime_ns
    again = store_rows(tmp_path, KEY, _rows({1: None}), storage=FailingDisk("write"))
    assert not again.written
    assert KEY.path(tmp_path).stat().st_mtime_ns == before


def test_a_damaged_chunk_is_not_written_over(tmp_path: Path) -> None:
    store_rows(tmp_path, KEY, _rows({0: 1}))
    path = KEY.path(tmp_path)
    damaged = path.read_bytes()[:-1] + b"x"
    path.write_bytes(damaged)
    with pytest.raises(ChunkError, match=r"2024_daily\.zst"):
        store_rows(tmp_path, KEY, _rows({1: 2}))
    assert path.read_bytes() == damaged


def test_a_file_of_another_station_in_a_chunks_place_is_reported(tmp_path: Path) -> None:
    path = ChunkKey(Scope.DAILY, 2024, station=3).path(tmp_path)
    path.parent.mkdir(parents=True)
    path.write_bytes(encode(_rows({0: 1}), KEY))
    own = _rows({0: 1})
    other = own.set_column(0, own.schema.field(0), pa.array([3], pa.uint16()))
    with pytest.raises(ChunkError, match="station 2, 2024 daily, not of station 3"):
        store_rows(tmp_path, ChunkKey(Scope.DAILY, 2024, station=3), other)


def test_a_chunk_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no chunk"):
        read_chunk(tmp_path / "none.zst")
    with pytest.raises(StoreError, match="cannot read"):
        read_footer(tmp_path / "none.zst")


def test_physical_rows_can_be_written_and_read_in_any_order(tmp_path: Path) -> None:
    _, rows = CASES["daily_year"]()
    write_chunk(tmp_path / "a.zst", rows)
    physical = read_chunk(tmp_path / "a.zst")
    shuffled = physical.take(list(range(physical.num_rows - 1, -1, -1)))
    write_chunk(tmp_path / "b.zst", shuffled)
    assert (tmp_path / "a.zst").read_bytes() == (tmp_path / "b.zst").read_bytes()
    assert read_chunk(tmp_path / "b.zst").equals(physical)


def test_stale_temporaries_go_and_those_of_living_writers_stay(tmp_path: Path) -> None:
    folder = tmp_path / "stations" / "002"
    folder.mkdir(parents=True)
    gone = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    dead = folder / f".2024_daily.zst.{gone}-1.tmp"
    alive = temporary_path(folder / "2024_daily.zst")
    foreign = folder / ".something.else"
    for path in (dead, alive, foreign):
        path.touch()
    assert remove_stale_temporaries(tmp_path) == [dead]
    assert alive.exists()
    assert foreign.exists()


DAYS = st.dictionaries(st.integers(0, 30), st.none() | st.integers(-50, 40_000), min_size=1)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(DAYS, st.data())
def test_any_division_of_the_rows_gives_the_same_bytes(
    values: dict[int, int | None], data: st.DataObject
) -> None:
    parts: list[dict[int, int | None]] = [{}, {}, {}]
    for day, value in values.items():
        parts[data.draw(st.integers(0, 2))][day] = value
    merged = None
    for part in data.draw(st.permutations(parts)):
        if part:
            merged, _ = merge_rows(merged, _rows(part), KEY)
    assert merged is not None
    assert encode(merged, KEY) == encode(_rows(values), KEY)


def test_new_rows_replace_old_ones_and_are_counted() -> None:
    old = _rows({0: 1, 1: 2, 2: 3})
    merged, counts = merge_rows(old, _rows({1: 2, 2: 9, 3: 4}), KEY)
    assert merged["precip"].to_pylist() == [1, 2, 9, 4]
    assert (counts.added, counts.revised, counts.unchanged) == (1, 1, 1)
    assert counts.revised_values == 1


def test_a_value_that_became_missing_or_flagged_is_a_revision() -> None:
    old = _rows({0: 1, 1: 2})
    days = [FIRST, FIRST + 1]
    new = table(KEY, days, {"day-precip": ([None, 2], [None, "R"], 2)})
    merged, counts = merge_rows(old, new, KEY)
    assert merged["precip"].to_pylist() == [None, 2]
    assert merged["precip_qc"].to_pylist() == [None, "R"]
    assert counts.revised == 2


def test_items_that_the_new_rows_lack_keep_their_values() -> None:
    old = _rows({0: 1, 1: 2})
    merged, counts = merge_rows(old, _rows({1: 55, 2: 66}, "day-wind-run"), KEY)
    assert merged["precip"].to_pylist() == [1, 2, None]
    assert merged["wind_run"].to_pylist() == [None, 55, 66]
    assert (counts.added, counts.revised, counts.filled) == (1, 0, 1)


def test_of_rows_with_one_time_the_last_counts() -> None:
    double = pa.concat_tables([_rows({0: 1, 1: 2}), _rows({0: 7})])
    merged, counts = merge_rows(None, double, KEY)
    assert merged["precip"].to_pylist() == [7, 2]
    assert counts.duplicates == 1


def test_more_decimals_widen_the_column() -> None:
    fine = table(KEY, [FIRST + 1], {"day-precip": ([12345], [None], 4)})
    merged, _ = merge_rows(_rows({0: 1}), fine, KEY)
    assert merged["precip"].to_pylist() == [100, 12345]
    assert merged.schema.field("precip").metadata[b"decimals"] == b"4"


def test_values_that_no_width_holds_together_are_refused() -> None:
    huge = table(KEY, [FIRST], {"day-precip": ([-(1 << 63)], [None], 2)})
    fine = table(KEY, [FIRST + 1], {"day-precip": ([12345], [None], 4)})
    with pytest.raises(ChunkError, match="64 bits"):
        merge_rows(huge, fine, KEY)


def test_both_formats_stand_side_by_side(tmp_path: Path) -> None:
    store_rows(tmp_path, KEY, _rows({0: 1, 1: 2}, "day-air-tmp-avg"), format="v1")
    assert read_footer(KEY.path(tmp_path)).version == 1
    store_rows(tmp_path, KEY, _rows({2: 300}, "day-air-tmp-avg"), format="v2")
    assert read_footer(KEY.path(tmp_path)).version == 2
    assert read_scaled(KEY.path(tmp_path))["air_tmp_avg"].to_pylist()[2] == 30


@pytest.mark.parametrize(
    ("code", "value", "version"),
    [
        ("day-air-tmp-avg", 300, 1),  # temperatures with one decimal fit
        ("day-air-tmp-avg", 40_000_000, 2),  # beyond V1's range
        ("day-precip", 254, 2),  # an item that V1 does not have
    ],
)
def test_a_v1_chunk_stays_one_only_where_it_holds_the_outcome(
    tmp_path: Path, code: str, value: int, version: int
) -> None:
    store_rows(tmp_path, KEY, _rows({0: 1, 1: 2}, "day-air-tmp-avg"), format="v1")
    stored = store_rows(tmp_path, KEY, _rows({2: value}, code), format=None)
    assert stored.info.footer.version == version
    assert stored.info.losses == {}
    name = code.removeprefix("day-").replace("-", "_")
    physical = read_chunk(KEY.path(tmp_path))[name].to_pylist()
    assert physical[2] == value / 100


def _celsius(day: int, unit: str) -> pa.Table:
    rows = table(KEY, [FIRST + day], {"day-air-tmp-avg": ([250], [None], 1)})
    place = rows.schema.get_field_index("air_tmp_avg")
    field = rows.schema.field(place)
    named = field.with_metadata({**field.metadata, b"unit": unit.encode()})
    return rows.set_column(place, named, rows.column(place))


@pytest.mark.parametrize("settle", [None, lambda _, new: new])
@pytest.mark.parametrize("units", [("(C)", "(F)"), ("(F)", "(C)"), ("", "(F)")])
def test_columns_of_two_units_are_refused(
    tmp_path: Path,
    units: tuple[str, str],
    settle: Callable[[pa.Table | None, pa.Table], pa.Table] | None,
) -> None:
    store_rows(tmp_path, KEY, _celsius(0, units[0]))
    before = KEY.path(tmp_path).read_bytes()
    with pytest.raises(ChunkError, match="air_tmp_avg") as caught:
        store_rows(tmp_path, KEY, _celsius(1, units[1]), settle=settle)
    assert all(f"'{unit}'" in str(caught.value) for unit in units)
    assert KEY.path(tmp_path).read_bytes() == before


@pytest.mark.parametrize("other", ["", "(c)", "(°C)", "(ºC)", "C"])
def test_texts_of_one_unit_are_merged_in_any_order(tmp_path: Path, other: str) -> None:
    one = merge_rows(_celsius(0, "(C)"), _celsius(1, other), KEY)[0]
    two = merge_rows(_celsius(1, other), _celsius(0, "(C)"), KEY)[0]
    assert one.equals(two, check_metadata=True)
    assert one.schema.field("air_tmp_avg").metadata[b"unit"] != b""
    assert one["air_tmp_avg"].to_pylist() == [250, 250]


@pytest.mark.parametrize(
    ("code", "form"), [("day-precip", "v2"), ("day-air-tmp-avg", "v1")], ids=["cut", "whole"]
)
def test_a_stored_v2_chunk_stays_v2_where_v1_would_cut_it(
    tmp_path: Path, code: str, form: str
) -> None:
    store_rows(tmp_path, KEY, _rows({0: 100, 1: 200}, code))
    new = _rows({2: 300}, "day-air-tmp-avg")
    done = store_rows(tmp_path, KEY, new, format="v1", keep_whole=True)
    assert (done.info.format, done.info.losses) == (form, {})
    held = read_scaled(KEY.path(tmp_path))
    assert held.num_rows == 3
    if form == "v2":
        assert held["precip"].to_pylist() == [100, 200, None]
    again = store_rows(tmp_path, KEY, new, format="v1", keep_whole=True)
    assert not again.written
