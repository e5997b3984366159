"""``cimis fill``: hidden values come back, each by the source that is due, which is said."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import shutil
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from cimis import Store, UsageError
from cimis.pipeline.archive.ftp import members, read_member
from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.catalog.entry import chunk_row
from cimis.pipeline.chunks import ChunkKey, write_chunk
from cimis.pipeline.decode import decode, unify
from cimis.pipeline.field.eto import asce_daily_mm
from cimis.pipeline.field.items import Scope, resolve
from cimis.pipeline.field.places import Place, distance_km
from cimis.pipeline.rows.schema import FLAG_TYPE, TARGET_FIELD, physical_schema
from cimis.pipeline.rows.values import to_physical
from cimis.pipeline.service.stations import parse_stations
from tests.queries.conftest import put

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

Doubles = npt.NDArray[np.float64]

YEARS = range(2016, 2022)
PLACES = {
    1: (38.0, -121.5),
    2: (38.1, -121.6),
    3: (38.2, -121.4),
    4: (38.1, -121.3),
    8: (33.0, -116.0),
}
SPAN: dict[str, Any] = {"start": "2020-06-01", "end": "2020-06-30"}


def _days(year: int) -> npt.NDArray[np.datetime64]:
    return np.arange(f"{year}-01-01", f"{year + 1}-01-01", dtype="datetime64[D]")


def _weather(station: int, year: int) -> dict[str, Doubles]:
    """Return a year of weather that stations share, but for a little of their own, with its ETo."""
    days = _days(year)
    shared, own = np.random.default_rng(year), np.random.default_rng([year, station])
    day = np.arange(1.0, days.size + 1)
    mean = 16 - 9 * np.cos(2 * np.pi * day / 365) + shared.normal(0, 2, days.size)
    mean += own.normal(0, 0.4, days.size)
    solar = 200 - 110 * np.cos(2 * np.pi * (day + 9) / 365) + shared.normal(0, 25, days.size)
    found: dict[str, Doubles] = {
        "air_tmp_max": np.round(mean + 8, 1),
        "air_tmp_min": np.round(mean - 8, 1),
        "dew_pnt": np.round(mean - 9, 1),
        "sol_rad_avg": np.round(solar.clip(min=20.0)),
        "wind_spd_avg": np.round(shared.uniform(1, 3, days.size), 1),
    }
    eto = asce_daily_mm(
        found["air_tmp_max"],
        found["air_tmp_min"],
        0.6108 * np.exp(17.27 * found["dew_pnt"] / (found["dew_pnt"] + 237.3)),
        found["sol_rad_avg"] * 0.0864,
        found["wind_spd_avg"],
        day,
        latitude_deg=PLACES[station][0],
        elevation_m=20.0,
    )
    found["asce_eto"] = np.round((eto + own.normal(0, 0.1, days.size)).clip(min=0.0), 2)
    return found


def _table(
    station: int, year: int, values: dict[str, Doubles], flagged: dict[int, str] | None = None
) -> pa.Table:
    """Return a year as a physical table; NaN is missing, flags are of the ETo by place."""
    days, items = _days(year), resolve(",".join(values), Scope.DAILY)
    keep = np.flatnonzero(~np.isnan(np.array(list(values.values()))).all(axis=0))
    columns: list[Any] = [
        pa.array(np.full(keep.size, station, np.uint16)),
        pa.array(days[keep]).cast(pa.date32()),
    ]
    for item in items:
        one = values[item.column][keep]
        own = (flagged or {}) if item.column == "asce_eto" else {}
        flags = pa.array([own.get(place) for place in keep.tolist()], pa.string())
        columns += [pa.array(one, mask=np.isnan(one)), flags.dictionary_encode().cast(FLAG_TYPE)]
    return pa.Table.from_arrays(columns, schema=physical_schema(Scope.DAILY, items))


def _at(*days: str) -> list[int]:
    """Return the places of days of June 2020 in their year."""
    first = np.datetime64("2020-01-01", "D")
    return [int((np.datetime64(f"2020-06-{day}", "D") - first).astype(int)) for day in days]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six years of four neighbours and one far away; in June 2020 values of 1 and 8 are hidden."""
    root = tmp_path_factory.mktemp("fill") / "data"
    for station in PLACES:
        for year in YEARS:
            values, flags = _weather(station, year), None
            if (station, year) == (1, 2020):
                values["asce_eto"][_at("05", "10", "11")] = np.nan
                values["sol_rad_avg"][_at("10")] = np.nan  # no ETo to be computed
                for one in values.values():
                    one[_at("20")] = np.nan  # no record at all
                values["asce_eto"][_at("25")] = 30.0
                flags = {_at("25")[0]: "S", _at("26")[0]: "Y"}
            if (station, year) == (2, 2020):
                values["sol_rad_avg"][_at("10")] = np.nan
            if (station, year) == (8, 2020):
                values["asce_eto"][_at("05")] = values["sol_rad_avg"][_at("05")] = np.nan
            put(root, [_table(station, year, values, flags)])
    with Catalog(root) as catalog:
        catalog.put_stations(
            (
                number,
                f"S{number}",
                {
                    "number": number,
                    "name": f"S{number}",
                    "elevation_m": 20.0,
                    "latitude": north,
                    "longitude": east,
                },
            )
            for number, (north, east) in PLACES.items()
        )
    return root


@pytest.fixture
def store(stored: Path) -> Iterator[Store]:
    with Store(stored) as opened:
        yield opened


def _cells(store: Store, station: int, item: str = "asce_eto", **asked: Any) -> dict[str, Any]:
    """Return the row of each day of June 2020 by its day of month, names without the item's."""
    rows = store.filled(station, items=item, **(SPAN | asked)).table().to_pylist()
    return {
        f"{row['date'].day:02}": {
            "value": row[item],
            **{name: row[f"{item}_{name}"] for name in ("source", "from", "error")},
        }
        for row in rows
    }


def _true(station: int, day: str, item: str = "asce_eto") -> float:
    return float(_weather(station, 2020)[item][_at(day)[0]])


def test_what_the_network_has_stays_as_it_is(store: Store) -> None:
    cell = _cells(store, 1)["01"]
    assert cell == {"value": _true(1, "01"), "source": "network", "from": "1", "error": None}


def test_where_weather_is_stored_it_is_computed(store: Store) -> None:
    cell = _cells(store, 1)["05"]
    assert (cell["source"], cell["from"]) == ("computed", "1")
    assert cell["value"] == pytest.approx(_true(1, "05"), abs=0.35)
    assert cell["error"] == pytest.approx(0.1 * np.sqrt(2 / np.pi), abs=0.04)


@pytest.mark.parametrize("day", ["10", "20"])
def test_where_it_is_not_neighbours_say_it_also_of_a_day_without_record(
    day: str, store: Store
) -> None:
    cell = _cells(store, 1)[day]
    assert (cell["source"], cell["from"]) == ("neighbours", "2,3,4")
    assert cell["value"] == pytest.approx(_true(1, day), abs=0.6)
    assert 0 < cell["error"] < 0.4


def test_where_nobody_is_near_it_is_the_normal_of_the_day(store: Store) -> None:
    cell = _cells(store, 8)["05"]
    around = [
        _weather(8, year)["asce_eto"][place]
        for year in YEARS
        for place in range(_place(year) - 7, _place(year) + 8)
        if (year, place) != (2020, _at("05")[0])
    ]
    assert (cell["source"], cell["from"]) == ("normal", "8")
    assert cell["value"] == pytest.approx(np.mean(around), abs=0.006)
    assert cell["error"] == pytest.approx(np.abs(around - np.mean(around)).mean(), abs=1e-4)


@pytest.mark.parametrize(
    ("point", "source"), [("33.01,-116.01", "spatial"), ("33.5,-116", "normal")]
)
def test_the_spatial_network_is_asked_before_the_normal_where_a_point_is_near(
    point: str, source: str, stored: Path, tmp_path: Path
) -> None:
    """The point's ETo is 0.2 mm above the station's on every day of 2020, so that is its error."""
    root = shutil.copytree(stored, tmp_path / "data")
    (item,) = resolve("asce_eto", Scope.DAILY)
    days, key = _days(2020), ChunkKey(Scope.DAILY, 2020, target=f"coordinate:{point}")
    table = pa.Table.from_arrays(
        [
            pa.array([key.target] * days.size),
            pa.array(days).cast(pa.date32()),
            pa.array(np.round(_weather(8, 2020)["asce_eto"] + 0.2, 2)),
            pa.nulls(days.size, FLAG_TYPE),
        ],
        schema=physical_schema(Scope.DAILY, [item]).set(0, TARGET_FIELD),
    )
    key.path(root).parent.mkdir(parents=True)
    with Catalog(root) as catalog:
        catalog.put_chunks([chunk_row(write_chunk(key.path(root), table), source="test")])
    with Store(root) as store:
        cell = _cells(store, 8)["05"]
    assert cell["source"] == source
    if source == "spatial":
        assert cell["from"] == key.target
        assert cell["value"] == pytest.approx(_true(8, "05") + 0.2, abs=0.006)
        assert cell["error"] == pytest.approx(0.2, abs=0.001)


def _place(year: int) -> int:
    return dt.date(year, 6, 5).timetuple().tm_yday - 1


@pytest.mark.parametrize(
    ("policy", "sources"),
    [
        ("keep", ["network", "network"]),
        ("drop-severe", ["computed", "network"]),
        ("strict", ["computed", "computed"]),
    ],
)
def test_flagged_values_are_filled_as_the_policy_says(
    policy: str, sources: list[str], store: Store
) -> None:
    cells = _cells(store, 1, qc=policy)
    assert [cells["25"]["source"], cells["26"]["source"]] == sources


def test_sources_left_out_are_not_asked(store: Store) -> None:
    assert _cells(store, 1, sources="network,neighbours")["05"]["source"] == "neighbours"
    assert _cells(store, 1, sources=["normal", "network"])["05"]["source"] == "normal"
    none = _cells(store, 1, sources="network")["05"]
    assert none == {"value": None, "source": None, "from": None, "error": None}
    assert store.filled(1, items="asce_eto", sources="network", **SPAN).counts() == {
        "asce_eto": {
            **dict.fromkeys(("computed", "neighbours", "spatial", "normal"), 0),
            "network": 25,
            "without": 5,
        }
    }


def test_no_estimate_rests_on_a_filled_value(store: Store) -> None:
    """On June 10 stations 1 and 2 lack it: neither is a neighbour of the other on that day."""
    table = store.filled([1, 2, 3, 4], items="sol_rad_avg", **SPAN).table()
    on = {(row["station"], row["date"].day): row for row in table.to_pylist()}
    assert [on[number, 10]["sol_rad_avg_from"] for number in (1, 2)] == ["3,4", "3,4"]
    assert [on[number, 20]["sol_rad_avg_from"] for number in (1, 2)] == ["2,3,4", "2"]
    alone = store.filled(1, items="sol_rad_avg", **SPAN).table().to_pylist()
    assert alone == [row for row in table.to_pylist() if row["station"] == 1]


def test_english_errors_have_no_offset(store: Store) -> None:
    metric = _cells(store, 1, "air_tmp_max")["20"]
    english = _cells(store, 1, "air_tmp_max", units="english")["20"]
    assert english["value"] == pytest.approx(metric["value"] * 1.8 + 32, abs=0.06)
    assert english["error"] == pytest.approx(metric["error"] * 1.8, abs=0.002)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"items": "precip"}, "precip cannot be filled"),
        ({"sources": "oracle"}, "no source 'oracle'"),
        ({"sources": ","}, "no source named"),
        ({"stations": "zip:93624"}, "stations only"),
        ({"stations": 8, "sources": "network,neighbours"}, "station 8 has no neighbour within 100"),
    ],
)
def test_what_cannot_be_meant_is_refused(asked: dict[str, Any], said: str, store: Store) -> None:
    with pytest.raises(UsageError, match=said):
        store.filled(**({"stations": 1} | asked))


def test_a_span_without_records_within_a_station_s_time_is_filled(
    tmp_path: Path, stored: Path
) -> None:
    for station in (1, 2, 3, 4):
        for year in (2019, 2020, 2021):
            values = _weather(station, year)
            if (station, year) == (1, 2020):
                for one in values.values():
                    one[_at("01")[0] : _at("30")[0] + 1] = np.nan
            put(tmp_path / "data", [_table(station, year, values)])
    with Catalog(stored) as full, Catalog(tmp_path / "data") as own:
        own.put_stations((f["number"], f["name"], f) for f in full.stations())
    with Store(tmp_path / "data") as store:
        found = store.filled(1, **SPAN)
        assert found.lacks.without_rows == (1,)
        assert found.counts()["asce_eto"]["neighbours"] == 30


def test_the_command_gives_the_rows_of_the_method_and_says_how_many(
    store: Store, stored: Path, typed: Typed
) -> None:
    words = ("fill", "--data-dir", stored, "--station", "1", "--month", "2020-06")
    answer = typed(*words, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(answer.out)))
    assert [row["asce_eto_source"] for row in rows] == [
        cell["source"] for cell in _cells(store, 1).values()
    ]
    assert "asce_eto: 25 network, 3 computed, 2 neighbours" in answer.err
    told = typed(*words, "--json")
    assert len(json.loads(told.out)) == 30
    assert json.loads(told.err)["filled"]["asce_eto"]["computed"] == 3


def _listed(real: Path) -> dict[int, dict[str, Any]]:
    listed = parse_stations((real / "api/stations/legacy_all_stations.json").read_bytes())
    return {
        one.number: {
            "number": one.number,
            "name": one.name,
            "latitude": one.latitude,
            "longitude": one.longitude,
            "elevation_m": one.elevation_m,
        }
        for one in listed
        if one.latitude is not None and one.longitude is not None
    }


def _archived(real: Path, known: dict[int, dict[str, Any]]) -> Iterator[pa.Table]:
    """Yield 2016 of the archive's stations within 60 km of Davis."""
    yield from _of_archive(real, known, "2016")


def _julys(real: Path, known: dict[int, dict[str, Any]]) -> Iterator[pa.Table]:
    """Yield all years of the same stations; their Julys are five, so that there are normals."""
    for year in ("2013", "2014", "2016", "2018", "2022jul"):
        yield from _of_archive(real, known, year)


def _of_archive(real: Path, known: dict[int, dict[str, Any]], year: str) -> Iterator[pa.Table]:
    archive, place = real / "ftp" / f"dailyStns{year}.zip", {n: _where(known[n]) for n in known}
    for number, member in sorted(members(archive, Scope.DAILY).items()):
        if number in known and distance_km(place[6], place[number]) < 60:
            scaled = read_member(archive, member)
            if scaled is not None:
                yield pa.table(to_physical(scaled.combine_chunks())).sort_by("date")


def _where(facts: dict[str, Any]) -> Place:
    return Place(facts["latitude"], facts["longitude"])


def _served(real: Path, _known: dict[int, dict[str, Any]]) -> Iterator[pa.Table]:
    """Yield the calendar years of the water year 2015 of 15 stations, as the service sent it."""
    for path in sorted(real.glob("api/daily/wy2015_*.json")):
        scaled = unify(decode([path.read_bytes()], scope=Scope.DAILY))
        table = pa.table(to_physical(scaled.combine_chunks())).sort_by("date")
        for year in (2014, 2015):
            yield table.filter(pc.equal(pc.year(table["date"]), year))


@pytest.mark.parametrize(
    ("rows", "item", "due", "asked"),
    [
        (_served, "asce_eto", ("computed", 0.75, 0.30), None),
        (_served, "asce_eto", ("neighbours", 0.95, 0.30), "network,neighbours"),
        (_archived, "eto", ("neighbours", 0.95, 0.26), None),
        (_julys, "eto", ("normal", 0.05, 0.65), "network,normal"),
    ],
)
def test_a_tenth_of_real_eto_hidden_comes_back_as_well_as_promised(
    rows: Any,
    item: str,
    due: tuple[str, float, float],
    asked: str | None,
    real: Path,
    tmp_path: Path,
) -> None:
    """Of a source: share of the hidden, mean absolute error in mm, beside the promised one."""
    known, rng = _listed(real), np.random.default_rng(16)
    hidden: dict[tuple[int, dt.date], float] = {}
    for table in rows(real, known):
        there = table[item].is_valid().to_numpy()
        lost = rng.random(table.num_rows) < 0.1
        sound = there & table[f"{item}_qc"].is_null().to_numpy()
        for row in table.filter(pa.array(lost & sound)).to_pylist():
            hidden[row["station"], row["date"]] = row[item]
        kept = pa.array(table[item].to_numpy(), mask=lost | ~there)
        where = table.schema.get_field_index(item)
        put(tmp_path, [table.set_column(where, table.schema.field(item), kept)])
    with Catalog(tmp_path) as catalog:
        catalog.put_stations((number, facts["name"], facts) for number, facts in known.items())
    with Store(tmp_path) as store:
        filled = store.filled(items=item, sources=asked).table().to_pylist()
    off, promised = defaultdict(list), defaultdict(list)
    for row in filled:
        true = hidden.get((row["station"], row["date"]))
        if true is not None and row[item] is not None:
            off[row[f"{item}_source"]].append(abs(row[item] - true))
            promised[row[f"{item}_source"]].append(row[f"{item}_error"])
    assert len(hidden) > 300
    source, share, most = due
    assert len(off[source]) > share * len(hidden)
    assert np.mean(off[source]) < most
    assert 0.8 < np.mean(off[source]) / np.mean(promised[source]) < 1.2
