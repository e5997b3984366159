"""V1 chunks: exact against the older program's files, honest about losses, strict with damage."""

from __future__ import annotations

import csv
import datetime as dt
import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cimis.pipeline.chunks import ChunkKey, read_chunk, read_footer, write_chunk
from cimis.pipeline.chunks.v1.codec import decode, encode, encode_parts, from_records, to_records
from cimis.pipeline.chunks.v1.records import RECORDS, pack, unpack
from cimis.pipeline.chunks.v2 import codec as v2
from cimis.pipeline.chunks.v2.codec import encode as encode_v2
from cimis.pipeline.errors import ChunkError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.rows.values import to_physical
from tests.chunks import second_reader
from tests.chunks.golden_chunks import Columns, table

NAMES = ("002_2018_daily", "006_2016_daily", "006_2019_hourly")
EPOCH = dt.date(1985, 1, 1)
FIELDS = {
    "temperature_x10": ("air_tmp_avg", "air_tmp"),
    "et_x100": ("asce_eto", ""),
    "et_x1000": ("", "asce_eto"),
    "wind_speed_x10": ("wind_spd_avg", "wind_spd"),
    "wind_direction_half": ("", "wind_dir"),
    "humidity": ("rel_hum_avg", "rel_hum"),
    "solar_radiation_x10": ("sol_rad_avg", ""),
    "solar_radiation": ("", "sol_rad"),
    "precipitation_x100": ("", "precip"),
    "vapor_pressure_x100": ("", "vap_pres"),
    "qc_flags": ("flags", "flags"),
    "station_id": ("station", "station"),
}


def _key(name: str) -> ChunkKey:
    station, year, scope = name.split("_")
    return ChunkKey(Scope(scope), int(year), station=int(station))


@pytest.mark.parametrize("name", NAMES)
def test_integers_are_those_of_the_older_program(v1_golden: Path, name: str) -> None:
    key = _key(name)
    records = unpack((v1_golden / f"{name}.zst").read_bytes(), key.scope)
    with (v1_golden / f"{name}.expected.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(records) == len(rows)
    for title, text in rows[0].items():
        assert text is not None
        if title in FIELDS:
            field = FIELDS[title][key.scope is Scope.HOURLY]
            assert records[field].tolist() == [int(row[title]) for row in rows], title
    days = [(dt.date.fromisoformat(row["date"]) - EPOCH).days for row in rows]
    hours = [int(row["hour"]) for row in rows] if key.scope is Scope.HOURLY else [0] * len(rows)
    unit = 24 if key.scope is Scope.HOURLY else 1
    assert records["time"].tolist() == [d * unit + h for d, h in zip(days, hours, strict=True)]


@pytest.mark.parametrize("name", NAMES)
def test_records_come_back_byte_for_byte(v1_golden: Path, name: str) -> None:
    key = _key(name)
    data = (v1_golden / f"{name}.zst").read_bytes()
    records = unpack(data, key.scope)
    again, _, _ = encode_parts(from_records(records, key), key)
    raw = zstandard.ZstdDecompressor().decompressobj()
    assert unpack(again, key.scope).tobytes() == raw.decompress(data)


@st.composite
def records(draw: st.DrawFn) -> tuple[ChunkKey, np.ndarray]:
    scope = draw(st.sampled_from(list(Scope)))
    kind = RECORDS[scope]
    size = draw(st.integers(1, 40))
    raw = draw(st.binary(min_size=size * kind.itemsize, max_size=size * kind.itemsize))
    found = np.frombuffer(raw, dtype=kind).copy()
    unit = 24 if scope is Scope.HOURLY else 1
    first = (dt.date(2001, 1, 1) - EPOCH).days * unit + (unit > 1)
    found["time"] = np.arange(first, first + size)
    found["station"] = 17
    for name in ("reserved", "zero"):
        if name in (kind.names or ()):
            found[name] = 0
    found["flags"] &= 0x3F if scope is Scope.HOURLY else 0x1F
    return ChunkKey(scope, 2001, station=17), found


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(records())
def test_any_records_come_back_as_integers(case: tuple[ChunkKey, np.ndarray]) -> None:
    key, found = case
    again = to_records(from_records(found, key), key)
    for name in found.dtype.names or ():
        assert again[name].tolist() == found[name].tolist(), name


def _year(columns: Columns) -> pa.Table:
    first = (dt.date(2024, 1, 1) - dt.date(1970, 1, 1)).days
    size = len(next(iter(columns.values()))[0])
    return table(KEY, list(range(first, first + size)), columns)


KEY = ChunkKey(Scope.DAILY, 2024, station=2)


def test_losses_are_counted_per_item() -> None:
    rows = _year(
        {
            "day-air-tmp-avg": ([81, None, 40_000], [None, None, None], 1),
            "day-asce-eto": ([152, 7, 8], ["R", None, None], 2),
            "day-sol-rad-avg": ([300, 100, 5], [None, None, None], 0),
            "day-precip": ([0, 1, None], [None, None, None], 2),
            "day-rel-hum-avg": ([65, 70, 80], [None, None, None], 0),
        }
    )
    _, losses = encode(rows, KEY)
    # one out of range; one letter; radiation rounded to 0.1 MJ/m² and 300 W/m² beyond its byte;
    # an item without a field
    assert losses == {"air_tmp_avg": 1, "asce_eto": 1, "sol_rad_avg": 3, "precip": 2}


@pytest.mark.parametrize("value", [296, 400, 30_000, -1])
def test_radiation_out_of_range_becomes_missing_and_never_wraps(value: int) -> None:
    data, _ = encode(_year({"day-sol-rad-avg": ([value], [None], 0)}), KEY)
    assert decode(data, KEY)["sol_rad_avg"].to_pylist() == [None]


def test_missing_and_flagged_follow_the_rule_of_the_page() -> None:
    raw = struct.pack("<IHhhHBBBB", (dt.date(2024, 1, 1) - EPOCH).days, 2, 0, 0, 0, 65, 10, 0x0B, 0)
    data = zstandard.ZstdCompressor(write_checksum=True).compress(raw)
    row = decode(data, KEY).to_pylist()[0]
    assert row["air_tmp_avg"] is None
    assert row["asce_eto"] is None
    assert row["wind_spd_avg"] == 0
    assert row["wind_spd_avg_qc"] is None
    assert row["rel_hum_avg"] == 65
    assert row["rel_hum_avg_qc"] == "V1"


def test_our_file_is_read_by_a_decoder_written_from_the_page(tmp_path: Path) -> None:
    columns: Columns = {
        "day-air-tmp-avg": ([81, -40, None], [None, "R", None], 1),
        "day-asce-eto": ([152, 7, 800], [None, None, None], 2),
        "day-wind-spd-avg": ([15, 0, 33], [None, None, "Y"], 1),
    }
    path = tmp_path / "2024_daily.zst"
    info = write_chunk(path, _year(columns), format="v1")
    assert info.format == "v1"
    raw = zstandard.ZstdDecompressor().decompress(path.read_bytes())
    found = [struct.unpack_from("<IHhhHBBBB", raw, 16 * n) for n in range(3)]
    day = (dt.date(2024, 1, 1) - EPOCH).days
    assert found == [
        (day, 2, 81, 152, 15, 0, 0, 0x18, 0),
        (day + 1, 2, -40, 7, 0, 0, 0, 0x19, 0),
        (day + 2, 2, 0, 800, 33, 0, 0, 0x1D, 0),
    ]


def test_a_v1_file_is_known_by_its_content_under_any_name(v1_golden: Path, tmp_path: Path) -> None:
    for name in NAMES:
        path = tmp_path / "copy.zst"
        path.write_bytes((v1_golden / f"{name}.zst").read_bytes())
        assert read_footer(path).key == _key(name)
        assert read_chunk(path).num_rows in (365, 366, 8760)


def _small() -> bytes:
    return encode(_year({"day-air-tmp-avg": ([81, 82, 99], [None, "R", None], 1)}), KEY)[0]


def test_every_flipped_bit_behind_the_checksum_is_reported() -> None:
    data = bytearray(_small())
    rows = decode(bytes(data), KEY)
    unnoticed = []
    for bit in range(len(data) * 8):
        data[bit // 8] ^= 1 << bit % 8
        try:
            if decode(bytes(data), KEY).equals(rows):
                unnoticed.append(bit)
            else:
                pytest.fail(f"wrong rows after bit {bit} was flipped")
        except ChunkError:
            pass
        data[bit // 8] ^= 1 << bit % 8
    # zstd leaves two bits of its frame header without meaning: reserved ones a reader may ignore
    assert len(unnoticed) <= 2, unnoticed


def test_every_truncation_is_reported() -> None:
    data = _small()
    for length in range(len(data)):
        with pytest.raises(ChunkError):
            decode(data[:length], KEY)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (bytes(15), "no whole number"),
        (b"", "no whole number"),
        (bytes(16 * 8785), "at most"),
        (bytes(32), "do not ascend"),
    ],
)
def test_records_that_cannot_be_are_reported(raw: bytes, reason: str) -> None:
    data = zstandard.ZstdCompressor(write_checksum=True).compress(raw)
    with pytest.raises(ChunkError, match=reason):
        decode(data, KEY)


@pytest.mark.parametrize("scope", Scope)
def test_a_time_that_no_calendar_has_is_reported(scope: Scope, tmp_path: Path) -> None:
    records = np.zeros(1, RECORDS[scope])
    records["time"] = 0xFFFFFFFF
    path = tmp_path / f"any_{scope}.zst"
    path.write_bytes(pack(records))
    with pytest.raises(ChunkError, match="beyond all years: 4294967295"):
        read_chunk(path)


def test_a_bomb_is_given_up_early() -> None:
    packer = zstandard.ZstdCompressor(write_checksum=True, write_content_size=False).compressobj()
    bomb = packer.compress(bytes(1 << 28)) + packer.flush()
    with pytest.raises(ChunkError, match="at most"):
        decode(bomb, KEY)


def test_bytes_behind_the_stream_are_reported() -> None:
    with pytest.raises(ChunkError, match="behind"):
        decode(_small() + b"x", KEY)


def test_a_stream_without_checksum_is_refused() -> None:
    records_ = unpack(_small(), Scope.DAILY)
    data = zstandard.ZstdCompressor(write_checksum=False).compress(records_.tobytes())
    with pytest.raises(ChunkError, match="no content checksum"):
        decode(data, KEY)
    assert unpack(pack(records_), Scope.DAILY).tobytes() == records_.tobytes()


def test_v2_says_which_column_came_from_v1_and_any_reader_reads_it(v1_golden: Path) -> None:
    key = _key("002_2018_daily")
    rows = decode((v1_golden / "002_2018_daily.zst").read_bytes(), key)
    data = encode_v2(rows, key)
    marked = [c.code for c in v2.decode_parts(data)[0].columns if c.from_v1]
    assert marked == ["day-sol-rad-avg"]
    found = second_reader.read(data)
    assert found.values["day-sol-rad-avg"] == to_physical(rows)["sol_rad_avg"].to_pylist()
    assert v2.decode_scaled(data).equals(rows, check_metadata=True)


def test_a_wind_direction_that_nobody_gave_is_counted() -> None:
    """It has no bit of its own: beside a wind speed V1 can only say 0, which is north."""
    key = ChunkKey(Scope.HOURLY, 2024, station=2)
    hours = [19723 * 24 + 1, 19723 * 24 + 2]
    data, losses = encode(table(key, hours, {"hly-wind-spd": ([21, 0], [None, "M"], 1)}), key)
    assert decode(data, key)["wind_dir"].to_pylist() == [0, None]
    assert losses == {"wind_spd": 1, "wind_dir": 1}
