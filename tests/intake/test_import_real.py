"""The real archive imported: every value and flag as an independent reader finds them.

Asked in English the archive's own numbers come back; in metric each is converted and rounded once.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import zipfile
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path

import polars as pl
import pyarrow.compute as pc
import pytest

import cimis
from cimis.pipeline.archive.intake import Intake, take_in
from cimis.pipeline.chunks import ChunkKey, store_rows
from cimis.pipeline.decode import decode, unify
from cimis.pipeline.field.items import Scope
from cimis.store import create

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
LATER = [
    "eto",
    "precip",
    "sol",
    "vap",
    "tmax",
    "tmin",
    "tavg",
    "rhmax",
    "rhmin",
    "rhavg",
    "dew",
    "wind",
    "run",
    "soil",
]
EARLY = [
    "sol",
    "soil",
    "tmax",
    "tmin",
    "tavg",
    "vap",
    "wind",
    "precip",
    "rhmax",
    "rhmin",
    "eto",
    "rhavg",
    "dew",
    "run",
]
COLUMNS = {
    "eto": "eto",
    "precip": "precip",
    "sol": "sol_rad_avg",
    "vap": "vap_pres_avg",
    "tmax": "air_tmp_max",
    "tmin": "air_tmp_min",
    "tavg": "air_tmp_avg",
    "rhmax": "rel_hum_max",
    "rhmin": "rel_hum_min",
    "rhavg": "rel_hum_avg",
    "dew": "dew_pnt",
    "wind": "wind_spd_avg",
    "run": "wind_run",
    "soil": "soil_tmp_avg",
}
# multiplied, after something is taken off, and rounded to so many decimals, halves away from zero
TO_METRIC = {
    "eto": (Decimal("25.4"), 0, 3),
    "precip": (Decimal("25.4"), 0, 3),
    "sol": (Decimal(41868) / Decimal(86400), 0, 1),
    "vap": (Decimal("0.1"), 0, 2),
    **dict.fromkeys(("tmax", "tmin", "tavg", "dew", "soil"), (Decimal(5) / Decimal(9), 32, 2)),
    **dict.fromkeys(("rhmax", "rhmin", "rhavg"), (Decimal(1), 0, 0)),
    "wind": (Decimal("0.44704"), 0, 3),
    "run": (Decimal("1.609344"), 0, 1),
}
SENTINELS = {Decimal(n) for n in (-6999, 6999, -9997, -9998, -8484)}


Cell = tuple[float | None, float | None, str | None]  # English, metric, flag
Row = tuple[int, dt.date, tuple[Cell, ...]]

GAUGE_MENDED = dt.date(2016, 10, 4)  # station 224's rain before is to be multiplied by 2.54
ARCHIVES = ["2013", "2014", "2016", "2018", "2022jul"]


def _rounded(exact: Decimal, places: int) -> float:
    return float(exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)) + 0.0


@cache
def _cell(name: str, value: str, flag: str) -> Cell:
    value, flag = value.strip(), flag.strip()
    kept = None if flag in ("", "*") else flag
    if value in ("", "--", "---", "*", "#####"):
        return None, None, kept
    number = Decimal(value)
    if number in SENTINELS:
        return None, None, kept or "S"
    if name == "mended":
        number *= Decimal("2.54")
        return _rounded(number, 2), _rounded(number * Decimal("25.4"), 3), kept
    factor, off, places = TO_METRIC[name]
    return float(number) + 0.0, _rounded((number - off) * factor, places), kept


@cache
def _rows(path: Path) -> list[Row]:
    """Return station, day and cells of every row, by the notes that stand beside the archive.

    The cells are in the order of `COLUMNS`, the rows by station and day.
    """
    flags_first = "2013" in path.name
    order = EARLY if flags_first else LATER
    places = [3 + 2 * order.index(name) for name in COLUMNS]
    found: list[Row] = []
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            if not member.endswith(".csv"):
                continue
            text = archive.read(member).decode("latin1")
            lines = [line for line in csv.reader(io.StringIO(text)) if line and line[0].strip()]
            wrong = [_is_wrong(lines, line, places[1]) for line in lines]
            for line, is_wrong in zip(lines, wrong, strict=True):
                cells = []
                for name, place in zip(COLUMNS, places, strict=True):
                    flag, value = (line[place], line[place + 1])
                    if not flags_first:
                        flag, value = value, flag
                    known = "mended" if is_wrong and name == "precip" else name
                    cells.append(_cell(known, value, flag))
                found.append((int(line[0]), _day(line[1]), tuple(cells)))
    return sorted(found, key=lambda row: row[:2])


@cache
def _day(text: str) -> dt.date:
    month, day, year = (int(part) for part in text.strip().split("/"))
    return dt.date(year, month, day)


def _is_wrong(lines: list[list[str]], line: list[str], rain: int) -> bool:
    """Tell whether a row's rain is station 224's, counted in wrong units.

    A file of 2016 in which 3 October has 0.07 inch, as the note says, was made anew since.
    """
    day = _day(line[1])
    if int(line[0]) != 224 or day > GAUGE_MENDED:
        return False
    witness = [other[rain] for other in lines if _day(other[1]) == dt.date(2016, 10, 3)]
    return not (day.year == 2016 and any(float(text) > 0.05 for text in witness))


@pytest.fixture(scope="module")
def imported(real: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Intake]:
    root = tmp_path_factory.mktemp("import") / "d"
    create(root).close()
    return root, take_in(root, [real / "ftp"], now=NOW)


@pytest.mark.parametrize("year", ARCHIVES)
@pytest.mark.parametrize("units", ["english", "metric"])
def test_every_value_and_flag_of_the_archive_comes_back(
    imported: tuple[Path, Intake],
    real: Path,
    year: str,
    units: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """None may differ: in English from the archive's text, in metric from its conversion."""
    rows = _rows(real / f"ftp/dailyStns{year}.zip")
    days = [day for _, day, _ in rows]
    with cimis.open(imported[0]) as store:
        found = store.daily(start=min(days), end=max(days), units=units).sort("station", "date")
    assert found["station"].to_list() == [row[0] for row in rows]
    assert found["date"].to_list() == days
    values = 0
    differing = {}
    for place, name in enumerate(COLUMNS.values()):
        due = [row[2][place][units == "metric"] for row in rows]
        got = found[name].to_list()
        values += sum(value is not None for value in due)
        if count := sum(a != b for a, b in zip(got, due, strict=True)):
            differing[name] = count
        assert found[f"{name}_qc"].to_list() == [row[2][place][2] for row in rows], name
    with capsys.disabled():
        print(f"\n{year} {units}: {len(rows)} rows, {values} values; differing {differing}")  # noqa: T201
    assert differing == {}


def test_every_row_is_new(imported: tuple[Path, Intake], real: Path) -> None:
    _, done = imported
    assert done.rows == done.new_rows > 200_000
    assert (done.filled, done.differing) == (0, 0)


def test_station_224_has_its_rain_in_the_right_unit(
    imported: tuple[Path, Intake], real: Path
) -> None:
    with cimis.open(imported[0]) as store:
        rows = store.daily(224, items=["precip"], end=GAUGE_MENDED, units="english")
    due = {
        day: cells[1][0]
        for path in sorted((real / "ftp").glob("*.zip"))
        if "2022" not in path.name
        for station, day, cells in _rows(path)
        if station == 224 and day <= GAUGE_MENDED
    }
    assert dict(zip(rows["date"], rows["precip"], strict=True)) == due
    assert max(value or 0 for value in due.values()) > 0.5


def test_the_archive_agrees_with_the_saved_answers_of_the_api(
    imported: tuple[Path, Intake], real: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On common days, as far as English and metric rounding of one reading can differ.

    The archive was written days after a year's end, the answers years later: revisions between
    are differences too.
    """
    root, _ = imported
    half = {"eto": 0.135, "precip": 0.2, "sol_rad_avg": 1.01, "vap_pres_avg": 0.061}
    common: dict[str, int] = {}
    agreeing: dict[str, int] = {}
    with cimis.open(root) as store:
        frames = {rows["station"][0]: rows for rows in store.daily().partition_by("station")}
    for path in sorted((real / "api/daily").glob("wy*.json")):
        for record in json.loads(path.read_bytes())["Data"]["Providers"][0]["Records"]:
            station, day = int(record["Station"]), dt.date.fromisoformat(record["Date"])
            if station not in frames:
                continue
            row = frames[station].filter(pl.col("date") == day)
            if row.height == 0:
                continue
            for name in COLUMNS.values():
                key = "Day" + "".join(part.capitalize() for part in name.split("_"))
                text = record.get(key, {}).get("Value")
                own = row[name][0]
                if text is None or own is None:
                    continue
                common[name] = common.get(name, 0) + 1
                near = abs(float(text) - own) <= half.get(name, 0.11) + 1e-9
                agreeing[name] = agreeing.get(name, 0) + near
    shares = {name: round(agreeing[name] / common[name], 4) for name in common}
    with capsys.disabled():
        print(f"\ncommon values {sum(common.values())}; agreeing {shares}")  # noqa: T201
    assert sum(common.values()) > 10_000
    assert sum(agreeing.values()) / sum(common.values()) > 0.99


def test_what_the_service_sent_does_not_differ_from_the_archive_by_its_units_alone(
    real: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Stored as the service sent it, in metric, and then imported: what is counted was revised."""
    root = tmp_path / "d"
    create(root).close()
    for path in sorted((real / "api/daily").glob("wy*.json")):
        sent = unify(list(decode([path.read_bytes()], scope=Scope.DAILY)))
        years = pc.year(sent["date"])
        for year in pc.unique(years).to_pylist():
            rows = sent.filter(pc.equal(years, year))
            station = rows["station"][0].as_py()
            store_rows(root, ChunkKey(Scope.DAILY, year, station=station), rows, format="v2")
    done = take_in(root, [real / "ftp"], now=NOW)
    with capsys.disabled():
        print(f"\n{done.filled} filled, {done.differing} differ")  # noqa: T201
    assert done.new_rows < done.rows
    assert done.differing < 10  # radiation, a hair beyond both roundings
