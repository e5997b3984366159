"""Made-up archives of each layout, with every quirk, into a store; and what is refused."""

from __future__ import annotations

import datetime as dt
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cimis
from cimis.cli.main import run
from cimis.pipeline.archive.ftp import read_ftp_zip
from cimis.pipeline.archive.intake import take_in
from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.catalog.entry import chunk_row
from cimis.pipeline.chunks import (
    ChunkInfo,
    ChunkKey,
    MergeCounts,
    read_chunk,
    read_footer,
    read_scaled,
    store_rows,
    write_chunk,
)
from cimis.pipeline.errors import CimisError, UsageError
from cimis.pipeline.field.items import Scope, Standard, resolve, scope_items
from cimis.pipeline.rows.schema import KEY_FIELDS, physical_schema
from cimis.pipeline.rows.values import to_scaled
from cimis.queries.units import english, english_schema
from cimis.store import create
from tests.chunks.golden_chunks import Columns, table

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
VALUE_FIRST = [
    "eto",
    "precip",
    "sol_rad_avg",
    "vap_pres_avg",
    "air_tmp_max",
    "air_tmp_min",
    "air_tmp_avg",
    "rel_hum_max",
    "rel_hum_min",
    "rel_hum_avg",
    "dew_pnt",
    "wind_spd_avg",
    "wind_run",
    "soil_tmp_avg",
]
FLAG_FIRST = [
    "sol_rad_avg",
    "soil_tmp_avg",
    "air_tmp_max",
    "air_tmp_min",
    "air_tmp_avg",
    "vap_pres_avg",
    "wind_spd_avg",
    "precip",
    "rel_hum_max",
    "rel_hum_min",
    "eto",
    "rel_hum_avg",
    "dew_pnt",
    "wind_run",
]
USUAL = {
    "eto": ("0.25", " "),
    "precip": ("0.10", " "),
    "sol_rad_avg": ("600", " "),
    "vap_pres_avg": ("12.3", " "),
    "air_tmp_max": ("90.5", "R"),
    "air_tmp_min": ("32.0", " "),
    "air_tmp_avg": ("70.1", " "),
    "rel_hum_max": ("95", " "),
    "rel_hum_min": ("--", "M"),
    "rel_hum_avg": ("-6999", " "),
    "dew_pnt": ("50.2", " "),
    "wind_spd_avg": ("4.5", "Y"),
    "wind_run": ("108.3", " "),
    "soil_tmp_avg": ("65.0", " "),
}
METRIC = {
    "eto": (6.35, None),
    "precip": (2.54, None),
    "air_tmp_max": (32.5, "R"),
    "air_tmp_min": (0.0, None),
    "rel_hum_min": (None, "M"),
    "rel_hum_avg": (None, "S"),
    "wind_spd_avg": (2.012, "Y"),
    "wind_run": (174.3, None),
    "vap_pres_avg": (1.23, None),
}


def _row(
    station: int, day: dt.date, cells: dict[str, tuple[str, str]], *, flags_first: bool
) -> str:
    head = [str(station), f"{day.month}/{day.day}/{day.year}", str(day.timetuple().tm_yday)]
    parts = []
    for name in FLAG_FIRST if flags_first else VALUE_FIRST:
        value, flag = (USUAL | cells)[name]
        flag = (flag.strip() or "*") if flags_first else flag
        parts += [flag, f"  {value}"] if flags_first else [value, flag]
    return ",".join([*head, *parts])


def _zip(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def _archive(path: Path, *, flags_first: bool = False, **cells: tuple[str, str]) -> Path:
    days = [dt.date(2013 if flags_first else 2016, 6, day) for day in (2, 1, 3)]
    lines = [_row(2, day, cells, flags_first=flags_first) for day in days]
    return _zip(path, {"daily002.csv": "\r\n".join(lines) + "\r\n", "daily005.csv": "  \r\n"})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    create(tmp_path / "d").close()
    return tmp_path / "d"


@pytest.mark.parametrize("flags_first", [True, False])
def test_both_layouts_become_metric_rows_with_their_flags(
    root: Path, tmp_path: Path, flags_first: bool
) -> None:
    done = take_in(root, [_archive(tmp_path / "a.zip", flags_first=flags_first)], now=NOW)
    assert (done.files, done.station_files, done.rows, done.new_rows) == (1, 1, 3, 3)
    with cimis.open(root) as store:
        rows = store.daily()
    assert rows.height == 3
    assert rows["date"].is_sorted()
    for name, (value, flag) in METRIC.items():
        assert rows[name].to_list() == [value] * 3, name
        assert rows[f"{name}_qc"].to_list() == [flag] * 3, name


def test_what_is_stored_stays_and_what_is_missing_is_filled(root: Path, tmp_path: Path) -> None:
    first = _archive(tmp_path / "a.zip", precip=("--", "M"))
    take_in(root, [first], now=NOW)
    second = _archive(tmp_path / "b.zip", precip=("0.20", "H"), eto=("0.30", "R"))
    done = take_in(root, [second], now=NOW)
    assert (done.new_rows, done.filled, done.differing) == (0, 3, 3)
    with cimis.open(root) as store:
        rows = store.daily(items=["precip", "eto"])
    assert rows["precip"].to_list() == [5.08] * 3
    assert rows["precip_qc"].to_list() == ["H"] * 3
    assert rows["eto"].to_list() == [6.35] * 3
    assert rows["eto_qc"].to_list() == [None] * 3


def test_one_reading_in_both_systems_of_units_is_no_difference(root: Path, tmp_path: Path) -> None:
    """The service sent 21.2 °C, and 70.1 °F of an archive is 21.17 °C."""
    day = (dt.date(2016, 6, 2) - dt.date(1970, 1, 1)).days
    columns: Columns = {"day-air-tmp-avg": ([212], [None], 1)}
    key = ChunkKey(Scope.DAILY, 2016, station=2)
    store_rows(root, key, table(key, [day], columns))
    path = _zip(
        tmp_path / "a.zip", {"daily002.csv": _row(2, dt.date(2016, 6, 2), {}, flags_first=False)}
    )
    assert take_in(root, [path], now=NOW).differing == 0


@pytest.mark.parametrize("prefer", ["stored", "import"])
def test_a_flag_for_a_missing_value_without_one_is_filled(
    root: Path, tmp_path: Path, prefer: str
) -> None:
    """What is stored of a missing value, its flag, stays; only where it has none one is taken."""
    first = (dt.date(2016, 6, 1) - dt.date(1970, 1, 1)).days
    key = ChunkKey(Scope.DAILY, 2016, station=2)
    columns: Columns = {"day-air-tmp-avg": ([None, None], [None, "N"], 1)}
    store_rows(root, key, table(key, [first, first + 1], columns))
    path = _zip(
        tmp_path / "a.zip",
        {
            "daily002.csv": "\n".join(
                _row(2, dt.date(2016, 6, n), {"air_tmp_avg": ("--", "M")}, flags_first=False)
                for n in (1, 2)
            )
        },
    )
    done = take_in(root, [path], prefer=prefer, now=NOW)
    rows = read_chunk(key.path(root))
    assert rows["air_tmp_avg_qc"].to_pylist() == ["M", "N"]
    assert rows["air_tmp_avg"].null_count == 2
    assert done.filled == 2 * 13 + 1
    assert take_in(root, [path], prefer=prefer, now=NOW).filled == 0


def test_the_archive_wins_where_that_is_asked_for_but_never_with_nothing(
    root: Path, tmp_path: Path
) -> None:
    take_in(root, [_archive(tmp_path / "a.zip")], now=NOW)
    other = _archive(tmp_path / "b.zip", eto=("0.30", "R"), precip=("--", "M"))
    done = take_in(root, [other], prefer="import", now=NOW)
    assert done.differing == 3
    with cimis.open(root) as store:
        rows = store.daily(items=["precip", "eto"])
    assert rows["eto"].to_list() == [7.62] * 3
    assert rows["eto_qc"].to_list() == ["R"] * 3
    assert rows["precip"].to_list() == [2.54] * 3


def test_the_same_archive_again_changes_no_byte(root: Path, tmp_path: Path) -> None:
    archive = _archive(tmp_path / "a.zip")
    take_in(root, [archive], now=NOW)
    before = {path: path.read_bytes() for path in root.rglob("*.zst")}
    done = take_in(root, [archive], now=NOW)
    assert (done.new_rows, done.filled, done.differing) == (0, 0, 0)
    assert {path: path.read_bytes() for path in root.rglob("*.zst")} == before


def test_the_rain_of_station_224_is_mended(root: Path, tmp_path: Path) -> None:
    """Its gauge was counted in wrong units to 4 October 2016: 0.10 inch were 0.254.

    0.03 inch were 0.0762, which is 1.93548 mm: rounded to inches first, it would be 1.930.
    """
    rain = {"precip": ("0.10", " ")}
    days = [dt.date(2014, 3, 1), dt.date(2014, 3, 2)]
    lines = [_row(224, day, rain, flags_first=False) for day in days]
    lines += [_row(224, dt.date(2014, 3, 3), {"precip": ("0.03", " ")}, flags_first=False)]
    text = "\n".join(lines)
    take_in(root, [_zip(tmp_path / "a.zip", {"2014daily224.csv": text})], now=NOW)
    with cimis.open(root) as store:
        assert store.daily()["precip"].to_list() == [6.452, 6.452, 1.935]
        assert store.daily(units="english")["precip"].to_list() == [0.25, 0.25, 0.08]


V1 = ChunkKey(Scope.DAILY, 2016, station=2)


def _v1(root: Path) -> pa.Table:
    """Store 2 and 3 June 2016 of station 2 as V1, and return the rows."""
    first = (dt.date(2016, 6, 2) - dt.date(1970, 1, 1)).days
    columns: Columns = {
        "day-air-tmp-avg": ([200, None], ["R", None], 1),
        "day-asce-eto": ([600, 610], [None, None], 2),
        "day-rel-hum-avg": ([None, 55], ["M", None], 0),
        "day-sol-rad-avg": ([250, None], [None, None], 0),
    }
    info = write_chunk(V1.path(root), table(V1, [first, first + 1], columns), format="v1")
    with Catalog(root) as catalog:
        catalog.put_chunks([chunk_row(info, source="test")])
    return read_chunk(V1.path(root))


def _present(rows: pa.Table) -> dict[tuple[dt.date, str], float]:
    names = [i.column for i in scope_items(Scope.DAILY) if i.column in rows.schema.names]
    return {
        (row["date"], name): row[name]
        for row in rows.to_pylist()
        for name in names
        if row[name] is not None
    }


def _explained(rows: pa.Table) -> set[tuple[dt.date, str]]:
    """Return the cells without a value that have a flag."""
    names = [i.column for i in scope_items(Scope.DAILY) if i.column in rows.schema.names]
    return {
        (row["date"], name)
        for row in rows.to_pylist()
        for name in names
        if row[name] is None and row[f"{name}_qc"] is not None
    }


@pytest.mark.parametrize("prefer", ["stored", "import"])
def test_what_is_imported_beside_v1_rows_is_on_disk(
    root: Path, tmp_path: Path, prefer: str
) -> None:
    """The chunk becomes V2, keeps each stored value, and the counts are those of the file."""
    before = _v1(root)
    done = take_in(root, [_archive(tmp_path / "a.zip")], prefer=prefer, now=NOW)
    after = read_chunk(V1.path(root))
    old, new = _present(before), _present(after)
    days = set(before["date"].to_pylist())
    assert read_footer(V1.path(root)).version == 2
    with Catalog(root) as catalog:
        assert [row.format for row in catalog.chunks()] == ["v2"]
    assert set(old) <= set(new)
    assert done.new_rows == after.num_rows - before.num_rows == 1
    came = (set(new) - set(old)) | (_explained(after) - _explained(before))
    assert done.filled == sum(1 for day, _ in came if day in days) > 20
    changed = [cell for cell in old if new[cell] != old[cell]]
    assert done.differing == 2  # the temperature and the radiation of 2 June
    assert len(changed) == (2 if prefer == "import" else 0)
    assert after["precip"].to_pylist() == [2.54] * 3
    assert after["air_tmp_max_qc"].to_pylist() == ["R"] * 3


@pytest.mark.parametrize(("prefer", "suspect"), [("stored", True), ("import", False)])
def test_radiation_kept_from_v1_stays_suspect(
    root: Path, tmp_path: Path, prefer: str, suspect: bool
) -> None:
    _v1(root)
    take_in(root, [_archive(tmp_path / "a.zip")], prefer=prefer, now=NOW)
    assert (read_footer(V1.path(root)).suspicion is not None) is suspect


def test_a_day_twice_in_an_archive_is_filled_once(root: Path, tmp_path: Path) -> None:
    _v1(root)
    line = _row(2, dt.date(2016, 6, 2), {}, flags_first=False)
    take_in(root, [_zip(tmp_path / "a.zip", {"daily002.csv": line})], now=NOW)
    held = read_chunk(V1.path(root))
    once = _present(held)
    before = _v1(root)
    double = _zip(tmp_path / "b.zip", {"daily002.csv": f"{line}\n{line}\n"})
    done = take_in(root, [double], now=NOW)
    assert _present(read_chunk(V1.path(root))) == once
    assert done.filled == len(once) - 5 + len(_explained(held) - _explained(before))


def test_values_of_more_digits_than_a_double_holds_stay_beside_an_import(
    root: Path, tmp_path: Path
) -> None:
    """A stored 17-digit number is not rounded on its way through the import."""
    first = (dt.date(2016, 6, 2) - dt.date(1970, 1, 1)).days
    columns: Columns = {"day-precip": ([12345678901234567], [None], 2)}
    store_rows(root, V1, table(V1, [first], columns))
    take_in(root, [_archive(tmp_path / "a.zip")], now=NOW)
    assert read_scaled(V1.path(root))["precip"].to_pylist()[1] == 12345678901234567


HOURLY = ("0.01", "0.00", "0", "7.4", "50.0", "80", "44.0", "4.5", "350", "60.0")


@pytest.mark.parametrize("flags_first", [True, False])
def test_hourly_files_of_both_layouts_are_read(
    root: Path, tmp_path: Path, flags_first: bool
) -> None:
    """The hour is the end of the averaging hour, and 2400 belongs to its date."""
    lines = []
    for hour in (2400, 100):
        flag = "*" if flags_first else " "
        pairs = [f"{flag},{v}" if flags_first else f"{v},{flag}" for v in HOURLY]
        lines.append(",".join(["2", "12/31/2013", str(hour), "365", *pairs]))
    name = "2013hourly002.csv" if flags_first else "dechourly002.csv"
    done = take_in(root, [_zip(tmp_path / "h.zip", {name: "\n".join(lines)})], now=NOW)
    assert (done.rows, done.chunks) == (2, 1)
    with cimis.open(root) as store:
        rows = store.hourly()
    assert [str(time) for time in rows["time"]] == ["2013-12-31 01:00:00", "2014-01-01 00:00:00"]
    assert rows["date"].to_list() == [dt.date(2013, 12, 31)] * 2
    assert rows["hour"].to_list() == [1, 24]
    assert rows.row(0, named=True) | {
        "eto": 0.254,
        "air_tmp": 10.0,
        "vap_pres": 0.74,
        "wind_dir": 350.0,
        "soil_tmp": 15.56,
        "dew_pnt": 6.67,
        "wind_spd": 2.01,
        "rel_hum": 80.0,
        "eto_qc": None,
    } == rows.row(0, named=True)


def test_files_of_the_metric_folders_keep_their_values(root: Path, tmp_path: Path) -> None:
    archive = _archive(tmp_path / "a.zip", air_tmp_avg=("21.3", " "), precip=("2.5", " "))
    take_in(root, [archive], standard=Standard.METRIC, now=NOW)
    with cimis.open(root) as store:
        row = store.daily().row(0, named=True)
    assert (row["air_tmp_avg"], row["precip"], row["wind_run"]) == (21.3, 2.5, 108.3)


def test_only_the_stations_wished_for_are_taken(root: Path, tmp_path: Path) -> None:
    done = take_in(root, [_archive(tmp_path / "a.zip")], stations=[5], now=NOW)
    assert (done.rows, done.chunks) == (0, 0)


def test_a_dry_run_stores_nothing(root: Path, tmp_path: Path) -> None:
    assert take_in(root, [_archive(tmp_path / "a.zip")], dry_run=True, now=NOW).rows == 3
    assert not list(root.rglob("*.zst"))


def _cut(path: Path) -> Path:
    whole = _archive(path).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


def _damaged(path: Path) -> Path:
    data = bytearray(_archive(path).read_bytes())
    data[60] ^= 0x55
    path.write_bytes(data)
    return path


def _text(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


BAD: dict[str, Callable[[Path], Path]] = {
    "no zip": lambda folder: _text(folder / "a.zip", "<html>Not found</html>"),
    "cut zip": lambda folder: _cut(folder / "a.zip"),
    "damaged zip": lambda folder: _damaged(folder / "a.zip"),
    "zip of another source": lambda folder: _zip(folder / "a.zip", {"x.csv": "1,2\n"}),
    "member of another source": lambda folder: _zip(
        folder / "a.zip", {"daily002.csv": "2,1/1/2016,1,soup\n"}
    ),
    "CSV of another source": lambda folder: _text(folder / "a.csv", "Date,Rain\n2016-01-01,5\n"),
    "web report without rows": lambda folder: _text(folder / "a.csv", "Stn Id,Stn Name,Date\n"),
    "absent": lambda folder: folder / "absent.zip",
    "empty folder": lambda folder: folder,
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_no_archive_is_refused_and_the_store_stays_as_it_was(
    root: Path, tmp_path: Path, what: str
) -> None:
    """Not even what a good file named first holds is stored."""
    good = _archive(tmp_path / "good.zip")
    take_in(root, [good], now=NOW)
    before = {path: path.read_bytes() for path in root.rglob("*.zst")}
    other = tmp_path / "other"
    other.mkdir()
    more = _archive(tmp_path / "more.zip", flags_first=True)
    with pytest.raises(UsageError) as refusal:
        take_in(root, [more, BAD[what](other)], now=NOW)
    assert isinstance(refusal.value, CimisError)
    assert refusal.value.hint
    assert {path: path.read_bytes() for path in root.rglob("*.zst")} == before


def _texts(decimals: int) -> st.SearchStrategy[str]:
    return st.integers(0, 3000).map(lambda n: f"{n / 10**decimals:.{decimals}f}")


ENGLISH_TEXTS = st.fixed_dictionaries(
    {
        name: _texts(decimals)
        for name, decimals in {
            **dict.fromkeys(("eto", "precip", "wind_spd_avg"), 2),
            **dict.fromkeys(("air_tmp_max", "air_tmp_min", "air_tmp_avg"), 1),
            **dict.fromkeys(("dew_pnt", "soil_tmp_avg", "vap_pres_avg", "wind_run"), 1),
            **dict.fromkeys(("sol_rad_avg", "rel_hum_max", "rel_hum_min", "rel_hum_avg"), 0),
        }.items()
    }
)


@given(st.lists(ENGLISH_TEXTS, min_size=1, max_size=40))
@settings(max_examples=40, deadline=None)
def test_english_texts_of_the_usual_form_survive_a_chunk(days: list[dict[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        first = dt.date(2016, 1, 1)
        lines = [
            _row(
                2, first + dt.timedelta(n), {k: (v, " ") for k, v in day.items()}, flags_first=False
            )
            for n, day in enumerate(days)
        ]
        archive = _zip(Path(name) / "a.zip", {"daily002.csv": "\n".join(lines)})
        ((_, table),) = read_ftp_zip(archive)
        path = Path(name) / "2016_daily.zst"
        write_chunk(path, table)
        rows = read_chunk(path)
        schema = english_schema(rows.schema)
        found = [english(batch, schema) for batch in rows.combine_chunks().to_batches()]
        for column, texts in ((c, [float(day[c]) for day in days]) for c in days[0]):
            got = [value for batch in found for value in batch[column].to_pylist()]
            assert got == texts, column


def test_rows_of_the_service_beside_an_archives_leave_both_as_they_were(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one chunk: decimals grow, nothing is lost, and a terminal is told the same as a frame."""
    sent = pa.table(
        {"station": [2], "date": [dt.date(2016, 6, 4)], "air_tmp_max": [32.5], "precip": [7.11]},
        schema=pa.schema(
            [
                *KEY_FIELDS[Scope.DAILY],
                *(
                    field
                    for field in physical_schema(Scope.DAILY, resolve("all", Scope.DAILY))
                    if field.name in ("air_tmp_max", "precip")
                ),
            ]
        ),
    )
    take_in(root, [_archive(tmp_path / "a.zip", air_tmp_max=("90.3", " "))], now=NOW)
    with Catalog(root) as catalog:
        key = ChunkKey(Scope.DAILY, 2016, station=2)

        def enter(info: ChunkInfo, counts: MergeCounts) -> None:
            row = chunk_row(info, source="test", provisional_from_s=None, fetched_at=NOW)
            catalog.put_chunks([row])

        store_rows(root, key, to_scaled(sent), enter=enter)
    with cimis.open(root) as store:
        metric, own = (
            store.daily(items=["air_tmp_max", "precip"], units=units)
            for units in ("metric", "english")
        )
    assert metric["air_tmp_max"].to_list() == [32.39, 32.39, 32.39, 32.5]
    assert metric["precip"].to_list() == [2.54, 2.54, 2.54, 7.11]
    assert own["air_tmp_max"].to_list() == [90.3, 90.3, 90.3, 90.5]
    assert own["precip"].to_list() == [0.1, 0.1, 0.1, 0.28]
    asked = "query --station 2 --start 2016-06-01 --end 2016-06-04 --items precip --units english"
    assert run([*asked.split(), "--format", "csv", "--data-dir", str(root)]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.split(",")[2] for line in lines] == ["0.1", "0.1", "0.1", "0.28"]
