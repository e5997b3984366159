"""``cimis qc``: faults put into a small network are found with evidence, and nothing else is."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from cimis import Store, UsageError
from cimis.agronomy.evidence import Verdict
from cimis.agronomy.solar import clear_sky_w_m2
from cimis.pipeline.archive.ftp import members, read_member
from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.field.items import Scope, resolve
from cimis.pipeline.rows.schema import FLAG_TYPE, physical_schema
from cimis.pipeline.rows.values import to_physical
from cimis.pipeline.service.stations import parse_stations
from tests.queries.conftest import put

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

Doubles = npt.NDArray[np.float64]

DAYS = np.arange("2023-01-01", "2024-01-01", dtype="datetime64[D]")
PLACES = {1: (38.0, -121.5), 2: (38.1, -121.6), 3: (38.2, -121.4), 4: (38.1, -121.3), 9: None}
ELEVATION = 20.0


def _clear(latitude: float) -> Doubles:
    day = np.arange(1.0, DAYS.size + 1)
    return clear_sky_w_m2(day, np.array(latitude), np.array(ELEVATION), np.full(DAYS.size, 1.0))


def _weather(station: int) -> dict[str, Doubles]:
    """Return a year in which stations share their weather but for a little noise of their own."""
    shared, own = np.random.default_rng(1), np.random.default_rng([2, station])
    mean = 15 - 8 * np.cos(np.arange(DAYS.size) / 58.1) + shared.normal(0, 2, DAYS.size)
    mean += own.normal(0, 0.3, DAYS.size)
    cloud = np.where(shared.random(DAYS.size) < 0.4, shared.uniform(0.4, 0.9, DAYS.size), 1.0)
    return {
        "air_tmp_avg": mean,
        "air_tmp_max": mean + 7,
        "air_tmp_min": mean - 7,
        "dew_pnt": mean - 5,
        "rel_hum_max": np.clip(shared.normal(85, 10, DAYS.size), 20, 100),
        "sol_rad_avg": _clear(38.1) * cloud,
        "vap_pres_avg": np.full(DAYS.size, 1.0),
    }


def daily_table(
    station: int, values: dict[str, Doubles], flags: dict[str, dict[int, str]] | None = None
) -> pa.Table:
    """Return days as a physical table; NaN is missing, flags are by item and place."""
    items = resolve(",".join(values), Scope.DAILY)
    count = DAYS.size
    columns: list[Any] = [
        pa.array(np.full(count, station, np.uint16)),
        pa.array(DAYS.astype("datetime64[D]")).cast(pa.date32()),
    ]
    for item in items:
        rounded = np.round(values[item.column], item.decimals_metric) + 0.0
        marks = (flags or {}).get(item.column, {})
        flag = pa.array([marks.get(n) for n in range(count)], pa.string()).dictionary_encode()
        columns += [pa.array(rounded, mask=np.isnan(rounded)), flag.cast(FLAG_TYPE)]
    return pa.Table.from_arrays(columns, schema=physical_schema(Scope.DAILY, items))


def _put_list(root: Path) -> None:
    with Catalog(root) as catalog:
        catalog.put_stations(
            (
                number,
                f"S{number}",
                {"number": number, "name": f"S{number}", "elevation_m": ELEVATION}
                | ({} if place is None else {"latitude": place[0], "longitude": place[1]}),
            )
            for number, place in PLACES.items()
        )


def _hot(values: dict[str, Doubles]) -> dict[str, Doubles]:
    values["air_tmp_max"][5::20] += 9  # as the neighbours see
    values["rel_hum_max"] *= 0.9
    values["sol_rad_avg"] *= 0.85
    values["air_tmp_min"][10] = values["air_tmp_max"][10] + 1
    values["air_tmp_avg"][20] = 75.0
    return values


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four stations beside each other, the first with faults, and one that lies nowhere."""
    root = tmp_path_factory.mktemp("qc") / "data"
    put(root, [daily_table(1, _hot(_weather(1)), {"air_tmp_avg": {30: "R"}})])
    put(root, [daily_table(number, _weather(number)) for number in (2, 3, 4, 9)])
    put(root, [_hours()])
    _put_list(root)
    return root


def _hours() -> pa.Table:
    """Return July of station 1: its thermometer stands still on the 10th and leaps on the 20th."""
    hours = np.arange("2023-07-01T01", "2023-08-01T01", dtype="datetime64[h]")
    warm = 20 + 8 * np.sin(np.arange(hours.size) / 24 * 2 * np.pi)
    warm[9 * 24 : 10 * 24] = 21.0
    warm[19 * 24 + 11] += 14
    items = resolve("air_tmp", Scope.HOURLY)
    begun = hours - np.timedelta64(1, "h")
    dates = begun.astype("datetime64[D]")
    columns = [
        pa.array(np.full(hours.size, 1, np.uint16)),
        pa.array(hours.astype("datetime64[s]")),
        pa.array(dates).cast(pa.date32()),
        pa.array(((begun - dates).astype(np.int64) + 1).astype(np.uint8)),
        pa.array(np.round(warm, 1)),
        pa.nulls(hours.size, FLAG_TYPE),
    ]
    return pa.Table.from_arrays(columns, schema=physical_schema(Scope.HOURLY, items))


def _verdicts(store: Store, **asked: Any) -> dict[tuple[int, str, str], str]:
    table = store.qc(**asked).table().to_pylist()
    return {(row["station"], row["rule"], row["item"]): row["verdict"] for row in table}


def test_faults_of_a_year_are_found_and_sound_stations_are_left_alone(faulty: Path) -> None:
    with Store(faulty) as store:
        found = _verdicts(store, stations=[1, 2, 3])
    assert found[1, "range", "air_tmp_avg"] == "suspect"
    assert found[1, "minimum above maximum", "air_tmp"] == "suspect"
    assert found[1, "drift", "sol_rad_avg"] == "bad"
    assert found[1, "ceiling", "rel_hum_max"] == "suspect"
    assert found[1, "neighbours", "air_tmp_max"] in ("suspect", "bad")
    wrong = {key: word for key, word in found.items() if key[0] == 3 and word != "no evidence"}
    assert set(wrong.values()) == {"sound"}
    assert len(wrong) > 15


def test_evidence_names_the_day_and_the_figure(faulty: Path) -> None:
    with Store(faulty) as store:
        rows = store.qc(stations=1, checks="range").table().to_pylist()
    (hot,) = [row for row in rows if row["item"] == "air_tmp_avg"]
    assert (hot["worst"], hot["worst_at"], hot["marked"]) == (75.0, dt.date(2023, 1, 21), 1)
    assert (hot["low"], hot["high"]) == (-50.0, 60.0)
    assert (hot["first"], hot["last"]) == (hot["worst_at"], hot["worst_at"])


@pytest.mark.parametrize(("policy", "judged"), [("strict", 364), ("keep", 365)])
def test_flagged_values_are_not_judged_unless_asked(policy: str, judged: int, faulty: Path) -> None:
    with Store(faulty) as store:
        found = store.qc(stations=1, checks="range", qc=policy)
    (row,) = [f for f in found.findings if f.item == "air_tmp_avg"]
    assert row.evidence.judged == judged
    assert found.table().schema.metadata[b"qc"].decode() == policy


def test_drift_is_the_gain_of_the_sensor(faulty: Path) -> None:
    with Store(faulty) as store:
        rows = store.qc(stations=[1, 2], checks="drift").table().to_pylist()
    worst = {row["station"]: row["worst"] for row in rows if row["rule"] == "drift"}
    assert worst[1] == pytest.approx(1 / 0.85, abs=0.01)
    assert worst[2] is None


def test_a_stuck_hour_and_a_step_are_found(faulty: Path) -> None:
    with Store(faulty) as store:
        rows = store.qc("hourly", stations=1).table().to_pylist()
    by_rule = {row["rule"]: row for row in rows if row["item"] == "air_tmp"}
    assert str(by_rule["stuck 24 h"]["first"]) == "2023-07-10 01:00:00"
    assert str(by_rule["step 10 °C"]["first"]) == "2023-07-20 12:00:00"
    winds = {row["verdict"] for row in rows if row["item"] == "wind_spd"}
    assert winds == {"no evidence"}


def test_a_station_that_lies_nowhere_says_so(faulty: Path) -> None:
    with Store(faulty) as store:
        found = store.qc(stations=[2, 9], checks=["drift", "neighbours"])
        notes = {f.note for f in found.findings if f.station == 9}
        assert all("coordinates" in str(note) for note in notes)
        assert {f.verdict for f in found.findings if f.station == 9} == {Verdict.NO_EVIDENCE}
        with pytest.raises(UsageError, match="coordinates of station 9 are not known"):
            store.qc(stations=9, checks="neighbours")


def test_nothing_stored_is_changed(faulty: Path, typed: Typed) -> None:
    files = sorted((faulty / "stations").rglob("*.zst"))
    before = [hashlib.sha256(path.read_bytes()).digest() for path in files]
    assert typed("qc", "--data-dir", faulty).code == 0
    assert [hashlib.sha256(path.read_bytes()).digest() for path in files] == before


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--station", "1", "--fail-on", "suspect"), 8),
        (("--station", "1", "--fail-on", "bad"), 8),
        (("--station", "1", "--checks", "range", "--fail-on", "bad"), 0),
        (("--station", "3", "--checks", "range,drift", "--fail-on", "suspect"), 0),
        (("--station", "1"), 0),
        (("--station", "777"), 3),
        (("--station", "1", "--checks", "smell"), 2),
        (("--station", "1", "--checks", "stuck"), 2),
    ],
)
def test_exit_codes(words: tuple[str, ...], code: int, faulty: Path, typed: Typed) -> None:
    assert typed("qc", "--data-dir", faulty, *words).code == code


def test_a_failed_check_still_gives_its_rows_and_names_the_worst(
    faulty: Path, typed: Typed
) -> None:
    words = ("--station", "1", "--checks", "drift", "--fail-on", "bad", "--json")
    answer = typed("qc", "--data-dir", faulty, *words)
    assert [row["verdict"] for row in json.loads(answer.out) if row["rule"] == "drift"] == ["bad"]
    assert "drift of sol_rad_avg at station 1 is bad" in answer.err


def test_the_command_gives_the_rows_of_the_method(faulty: Path, typed: Typed) -> None:
    answer = typed(
        "qc", "--data-dir", faulty, "--station", "1", "--year", "2023", "--format", "csv"
    )
    with Store(faulty) as store:
        found = store.qc(stations=1, start="2023-01-01", end="2023-12-31")
        assert answer.out.count("\n") == len(found.findings) + 1
        assert found.verdicts() == {1: Verdict.BAD}
        assert found.pl()["verdict"].to_list() == [f.verdict.value for f in found.findings]


def test_the_list_of_stations_sums_up_a_verdict_per_station(faulty: Path, typed: Typed) -> None:
    with Catalog(faulty) as catalog:
        known = catalog.stations()
    answer = typed("stations", "--data-dir", faulty, "--quality", "2023", "--json")
    rows = {row["station"]: row for row in json.loads(answer.out)}
    assert rows.keys() == {facts["number"] for facts in known}
    assert (rows[1]["quality"], rows[3]["quality"]) == ("bad", "sound")
    assert rows[1]["quality_of"] == "drift of sol_rad_avg"
    none = typed("stations", "--data-dir", faulty, "--quality", "2019", "--json")
    assert {row["quality"] for row in json.loads(none.out)} == {None}
    assert "5 stations without a daily record to judge" in none.err


@pytest.mark.parametrize(
    ("year", "station", "worst", "verdict"),
    [(2018, 109, 1.25, "bad"), (2014, 159, 1.30, "bad"), (2013, 161, 1.22, "bad")],
)
def test_drift_known_of_real_stations_is_found(
    year: int, station: int, worst: float, verdict: str, real: Path, tmp_path: Path
) -> None:
    """Carneros, Monrovia and Patterson in the network's archive; factors of the agronomy study."""
    archive = real / "ftp" / f"dailyStns{year}.zip"
    scaled = read_member(archive, members(archive, Scope.DAILY)[station])
    assert scaled is not None
    put(tmp_path, [pa.table(to_physical(scaled.combine_chunks())).sort_by("date")])
    listed = parse_stations((real / "api/stations/legacy_all_stations.json").read_bytes())
    (one,) = [known for known in listed if known.number == station]
    facts = {"number": station, "latitude": one.latitude, "longitude": one.longitude}
    with Catalog(tmp_path) as catalog:
        catalog.put_stations([(station, one.name, facts | {"elevation_m": one.elevation_m})])
    with Store(tmp_path) as store:
        rows = store.qc(stations=station, checks="drift").table().to_pylist()
    assert rows[0]["rule"] == "drift"
    assert rows[0]["worst"] == pytest.approx(worst, abs=0.01)
    assert rows[0]["verdict"] == verdict
