"""Archives are read in both layouts, quirks and all; other files are refused by name."""

from __future__ import annotations

import csv
import io
import zipfile
from fractions import Fraction
from pathlib import Path

import pytest

from cimis.pipeline.archive.ftp import read_ftp_zip
from cimis.pipeline.archive.web import read_web_report
from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import ITEMS, Item
from cimis.pipeline.field.units import metric_decimals
from cimis.pipeline.rows.schema import decimals_of

OLD = (
    "0002,01/01/2013,001,*,      205,*,     47.6,*,     51.0,*,     30.0,*,     39.8,*,"
    "      6.4,*,      4.7,*,     0.00,*,       92,*,       55,R,     0.05,*,       77,M,"
    "       --,*,    113.9"
)
NEW = (
    "2,1/1/2016,1,0.04, ,0, ,-6999, ,5.7, ,51.7,R,26.4, ,38.3, ,93, ,49, ,73, ,30.3, ,"
    "3.4, ,81.0, ,--,M"
)


def _zip(path: Path, members: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def test_both_layouts_are_told_apart_by_content(tmp_path: Path) -> None:
    old = dict(read_ftp_zip(_zip(tmp_path / "a.zip", {"2013daily002.csv": OLD + "\r\n"})))[2]
    new = dict(read_ftp_zip(_zip(tmp_path / "b.zip", {"juldaily002.csv": NEW + "\n"})))[2]
    one, two = old.to_pylist()[0], new.to_pylist()[0]
    assert (one["air_tmp_max"], one["eto"], one["eto_qc"]) == (1056, 1270, "R")
    assert (one["dew_pnt"], one["dew_pnt_qc"], one["wind_run"]) == (None, "M", 1833)
    assert (two["eto"], two["air_tmp_max"], two["air_tmp_max_qc"]) == (1016, 1094, "R")
    assert (two["sol_rad_avg"], two["sol_rad_avg_qc"]) == (None, "S")
    assert (two["soil_tmp_avg"], two["soil_tmp_avg_qc"]) == (None, "M")
    assert two["vap_pres_avg"] == 57


def test_blank_members_hold_nothing(tmp_path: Path) -> None:
    path = _zip(tmp_path / "a.zip", {"daily266.csv": "  \r\n", "daily002.csv": NEW})
    assert [station for station, _ in read_ftp_zip(path)] == [2]


@pytest.mark.parametrize(
    "text", ["a,b,c\n", NEW.replace("5.7", "warm"), NEW.replace("1/1/2016", "x")]
)
def test_a_file_of_another_source_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = _zip(tmp_path / "a.zip", {"daily002.csv": text})
    with pytest.raises(UsageError, match=r"daily002\.csv"):
        list(read_ftp_zip(path))


def test_what_is_no_whole_zip_is_refused(tmp_path: Path) -> None:
    path = _zip(tmp_path / "a.zip", {"daily002.csv": NEW})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(UsageError, match="no whole zip"):
        list(read_ftp_zip(path))


def test_a_zip_of_other_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no station file"):
        list(read_ftp_zip(_zip(tmp_path / "a.zip", {"readme.txt": "x"})))


def test_a_web_report_is_read_with_its_padding(tmp_path: Path) -> None:
    head = "Stn Id,Stn Name,CIMIS Region,Date,Hour (PST),Jul,ETo (mm),qc,Air Temp (C),qc\r\n"
    rows = "6,Davis,X,1/1/2019,0100,001,0.05, ,4.1,Y\r\n6,Davis,X,1/1/2019,2400,001,,M,-5.3, \r\n"
    path = tmp_path / "report.csv"
    path.write_bytes((head + rows + " " * 1024).encode())
    found = read_web_report(path).to_pylist()
    assert [row["hour"] for row in found] == [1, 24]
    assert str(found[1]["time"]) == "2019-01-02 00:00:00"
    assert (found[0]["eto"], found[0]["air_tmp"], found[0]["air_tmp_qc"]) == (5, 41, "Y")
    assert (found[1]["eto"], found[1]["eto_qc"], found[1]["air_tmp"]) == (None, "M", -53)


def test_a_csv_that_is_no_report_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match="no web report"):
        read_web_report(path)


RATIOS = {
    "(F)": (Fraction(5, 9), 32),
    "(in)": (Fraction(254, 10), 0),
    "(Ly/day)": (Fraction(41868, 86400), 0),
    "(mBars)": (Fraction(1, 10), 0),
    "(MPH)": (Fraction(44704, 100000), 0),
}


def _exact(value: Fraction, item: Item) -> int:
    """Return the metric value in the item's decimals, ties away from zero."""
    ratio, off = RATIOS.get(item.unit_english, (Fraction(1), 0))
    if item.code == "day-wind-run":
        ratio = Fraction(1609344, 1000000)
    scaled = (value - off) * ratio * 10 ** metric_decimals(item)
    whole = int(abs(scaled) + Fraction(1, 2))
    return whole if scaled >= 0 else -whole


@pytest.mark.parametrize("year", ["2013", pytest.param("2016", marks=pytest.mark.slow), "2022jul"])
def test_every_value_and_flag_of_the_archive(real: Path, year: str) -> None:
    path = real / "ftp" / f"dailyStns{year}.zip"
    first = year == "2013"
    compared = 0
    with zipfile.ZipFile(path) as archive:
        for station, table in read_ftp_zip(path):
            name = next(n for n in archive.namelist() if n.endswith(f"daily{station:03d}.csv"))
            rows = list(csv.reader(io.StringIO(archive.read(name).decode("latin1"))))
            assert len(rows) == table.num_rows
            fields = [f for f in table.schema if f.metadata and b"item" in f.metadata]
            order = _OLD_ORDER if first else _NEW_ORDER
            for field in fields:
                place = 3 + 2 * order.index(field.name)
                item = next(i for i in ITEMS if i.code.encode() == field.metadata[b"item"])
                assert decimals_of(field) == metric_decimals(item)
                flags = table[f"{field.name}_qc"].to_pylist()
                for row, value, flag in zip(
                    rows, table[field.name].to_pylist(), flags, strict=True
                ):
                    texts = row[place], row[place + 1]
                    mark, text = (t.strip() for t in (texts if first else texts[::-1]))
                    due = None if text == "--" else _exact(Fraction(text), item)
                    assert (value, flag) == (due, None if mark in ("", "*") else mark)
                    compared += 1
    assert compared > 50_000


_OLD_ORDER = (
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
)
_NEW_ORDER = (
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
)


def test_a_member_with_rows_of_another_station_is_refused(tmp_path: Path) -> None:
    path = _zip(tmp_path / "a.zip", {"daily005.csv": NEW})
    with pytest.raises(UsageError, match="holds rows of station 2"):
        list(read_ftp_zip(path))


@pytest.mark.parametrize("station", ["²", "70000", "-2", "2.5"])
def test_a_station_that_is_no_number_is_refused(station: str, tmp_path: Path) -> None:
    path = _zip(tmp_path / "a.zip", {"daily002.csv": NEW.replace("2,", f"{station},", 1)})
    with pytest.raises(UsageError, match="not one station number"):
        list(read_ftp_zip(path))


def test_a_layout_is_told_where_the_first_item_is_missing(tmp_path: Path) -> None:
    """Neither a flag alone in the first pair nor a value missing there leads astray."""
    text = NEW.replace("0.04, ,", "--,M,")
    new = dict(read_ftp_zip(_zip(tmp_path / "a.zip", {"daily002.csv": text})))[2].to_pylist()[0]
    assert (new["eto"], new["eto_qc"], new["air_tmp_max"]) == (None, "M", 1094)
    text = NEW.replace("0.04, ,", " ,M,")
    new = dict(read_ftp_zip(_zip(tmp_path / "b.zip", {"daily002.csv": text})))[2].to_pylist()[0]
    assert (new["eto"], new["eto_qc"], new["air_tmp_max"]) == (None, "M", 1094)


def test_numbers_in_both_columns_of_a_pair_are_refused(tmp_path: Path) -> None:
    path = _zip(tmp_path / "a.zip", {"daily002.csv": NEW.replace("0.04, ,", "0.04,1,")})
    with pytest.raises(UsageError, match="numbers in both columns"):
        list(read_ftp_zip(path))


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = _zip(tmp_path / "a.zip", {"daily002.csv": NEW})
    data = bytearray(path.read_bytes())
    data[6] |= 1  # general purpose bit 0 of the local header, and of the central one
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(UsageError, match="cannot be unpacked"):
        list(read_ftp_zip(path))


WEB = (
    "Stn Id,Stn Name,CIMIS Region,Date,Hour (PST),Jul,ETo (mm),qc,Air Temp (C),qc\n"
    "2,FivePoints,San Joaquin Valley,6/1/2016,0100,153,0.01, ,20.5, \n"
)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (",0100,", ",0130,", "an hour"),
        (",0100,", ",2500,", "an hour"),
        ("\n2,", "\n70000,", "a station"),
        ("\n2,", "\n2.5,", "a station"),
        ("Air Temp (C)", "Air Temp (F)", "English"),
    ],
)
def test_a_web_report_with_what_cannot_be_is_refused(
    old: str, new: str, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "report.csv"
    path.write_text(WEB)
    assert read_web_report(path).num_rows == 1
    path.write_text(WEB.replace(old, new))
    with pytest.raises(UsageError, match=reason):
        read_web_report(path)
