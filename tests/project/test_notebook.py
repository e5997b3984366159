"""The notebook of the tour runs, and its tables are those of the weather that it fetched."""

from __future__ import annotations

import base64
import datetime as dt
import io
from decimal import Decimal
from functools import cache

import numpy as np
import pytest

from cimis.agronomy.degree_days import degree_days
from cimis.pipeline.emulator import GeneratedSource
from cimis.pipeline.field.items import QC_FLAGS, Scope, Standard, resolve
from tests.project.notebooks import ROOT, Ran, code_cells, ran

NOTEBOOK = ROOT / "notebooks" / "tour.ipynb"
STATIONS = (2, 80, 105)
FIRST, LAST = dt.date(2022, 10, 1), dt.date(2024, 9, 30)
APRIL = (dt.date(2024, 4, 1), dt.date(2024, 4, 30))
SEVERE = {flag.letter for flag in QC_FLAGS if flag.severe}

Row = tuple[dt.date, Decimal | None, str | None]


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Run the notebook once."""
    return ran(NOTEBOOK, tmp_path_factory.mktemp("tour"))


@cache
def weather(station: int, item: str) -> list[Row]:
    """Return date, value and flag of a station's item, straight from what the emulator serves."""
    (wanted,) = resolve(item, Scope.DAILY)
    records = GeneratedSource().records(
        station, Scope.DAILY, FIRST, LAST, [wanted], Standard.METRIC
    )
    texts = records.items[wanted.json_key]
    return [
        (dt.date.fromisoformat(day), None if text is None else Decimal(text), flag.strip() or None)
        for day, text, flag in zip(records.dates, texts.values, texts.flags, strict=True)
    ]


def stored(station: int, item: str, first: dt.date, last: dt.date) -> list[tuple[dt.date, float]]:
    """Return the days that have a value, with it; without the month left out at first."""
    return [
        (day, float(value))
        for day, value, _ in weather(station, item)
        if value is not None and first <= day <= last
        if not (station == 80 and APRIL[0] <= day <= APRIL[1])
    ]


def test_the_notebook_is_kept_without_outputs() -> None:
    """What is under version control shows no run: no output, no count."""
    code = code_cells(NOTEBOOK)
    assert len(code) >= 8
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


def test_no_cell_complains(tour: Ran) -> None:
    """No cell writes to standard error, as a warning would."""
    assert tour.errors() == []


def test_the_store_holds_every_day_but_the_one_month_left_out(tour: Ran) -> None:
    """The chunks count the days of two water years, less April 2024 at one station."""
    days = {2022: 92, 2023: 365, 2024: 274}
    expected = [
        (str(station), str(year), str(count - 30 * ((station, year) == (80, 2024))), "final")
        for station in STATIONS
        for year, count in days.items()
    ]
    assert tour.table("store") == expected


def test_the_lazy_frame_gives_each_summer_month(tour: Ran) -> None:
    """ETo, the warmest day and the days with a value are those of the weather served."""
    rows = tour.table("lazy")
    assert [row[:2] for row in rows] == [(str(s), str(m)) for s in STATIONS for m in (6, 7, 8)]
    for station, month, eto_mm, warmest_c, days in rows:
        first = dt.date(2024, int(month), 1)
        last = dt.date(2024, int(month) + 1, 1) - dt.timedelta(days=1)
        eto = stored(int(station), "asce_eto", first, last)
        warm = stored(int(station), "air_tmp_max", first, last)
        assert float(eto_mm) == pytest.approx(sum(v for _, v in eto), abs=0.001)
        assert float(warmest_c) == max(v for _, v in warm)
        assert int(days) == len(eto)


def test_sql_names_each_stations_hottest_day(tour: Ran) -> None:
    """The hottest first, with the day it was and the count of days above the threshold."""
    rows = tour.table("sql")
    assert {int(row[0]) for row in rows} == set(STATIONS)
    assert [float(row[1]) for row in rows] == sorted((float(r[1]) for r in rows), reverse=True)
    for station, hottest_c, day, hot_days in rows:
        warm = stored(int(station), "air_tmp_max", dt.date(2024, 1, 1), LAST)
        assert float(hottest_c) == max(v for _, v in warm)
        assert (dt.date.fromisoformat(day), float(hottest_c)) in warm
        assert int(hot_days) == sum(v > 35 for _, v in warm)


def test_the_named_question_gives_each_water_year(tour: Ran) -> None:
    """Totals are those of the days stored, and the days without a value are told."""
    rows = tour.table("named")
    assert [row[:2] for row in rows] == [(str(s), str(y)) for s in STATIONS for y in (2023, 2024)]
    for station, year, eto_mm, source, precip_mm, days, days_missing in rows:
        assert source == "asce_eto"
        first, last = dt.date(int(year) - 1, 10, 1), dt.date(int(year), 9, 30)
        eto = [v for _, v in stored(int(station), "asce_eto", first, last)]
        rain = [v for _, v in stored(int(station), "precip", first, last)]
        assert float(eto_mm) == pytest.approx(sum(eto), abs=0.001)
        assert float(precip_mm) == pytest.approx(sum(rain), abs=0.001)
        assert int(days) == len(eto)
        assert int(days) + int(days_missing) == (last - first).days + 1


def test_the_library_is_listed_whole(tour: Ran) -> None:
    """Every question of the library stands in the list, once."""
    names = [line.split()[0] for line in tour.printed("named").splitlines()]
    assert names == sorted(path.stem for path in (ROOT / "queries/answers/library").glob("*.sql"))


def test_the_plot_is_a_picture_with_both_lines(tour: Ran) -> None:
    """The figure comes as a PNG in which both colours of the legend are drawn."""
    from PIL import Image

    (shown,) = [o for o in tour.outputs["plot"] if "image/png" in o.get("data", {})]
    picture = Image.open(io.BytesIO(base64.b64decode(shown["data"]["image/png"]))).convert("RGB")
    seen = np.unique(np.asarray(picture).reshape(-1, 3), axis=0, return_counts=True)
    counts = dict(zip(map(tuple, seen[0].tolist()), seen[1].tolist(), strict=True))
    assert picture.width > 2 * picture.height
    assert counts.get((214, 39, 40), 0) > 100, "tab:red, the mean of 30 days"
    orange = sum(n for (r, g, b), n in counts.items() if r > 240 and 100 < g < 200 and b < 160)
    assert orange > 100, "tab:orange, the days"


def test_the_gap_is_found_and_then_filled(tour: Ran) -> None:
    """The month left out is the one gap; after it is fetched there is none."""
    assert tour.table("gaps") == [("80", "2024-04-01", "2024-04-30", "30")]
    assert tour.table("filled") == []


def test_flags_are_counted_with_their_meaning(tour: Ran) -> None:
    """Each flag of the wind has its days, those with a value, and what the registry says of it."""
    wind = [row for station in STATIONS for row in weather(station, "wind_spd_avg")]
    rows = tour.table("flags")
    assert {row[0] for row in rows} == {flag or "null" for _, _, flag in wind}
    for flag, days, with_value, severe, _ in rows:
        values = [v for _, v, f in wind if (f or "null") == flag]
        assert int(days) == len(values)
        assert int(with_value) == sum(v is not None for v in values)
        assert severe == ("null" if flag == "null" else str(flag in SEVERE).lower())


def test_policies_keep_fewer_and_fewer_values(tour: Ran) -> None:
    """``drop-severe`` loses what is flagged severe, ``strict`` all that is flagged."""
    wind = [row for station in STATIONS for row in weather(station, "wind_spd_avg")]
    kept = {
        "keep": [v for _, v, _ in wind if v is not None],
        "drop-severe": [v for _, v, flag in wind if v is not None and flag not in SEVERE],
        "strict": [v for _, v, flag in wind if v is not None and flag is None],
    }
    assert len(kept["keep"]) > len(kept["drop-severe"]) > len(kept["strict"])
    rows = tour.table("policies")
    assert [(row[0], int(row[1])) for row in rows] == [(name, len(v)) for name, v in kept.items()]
    for name, _, mean in rows:
        assert float(mean) == pytest.approx(float(sum(kept[name])) / len(kept[name]), abs=0.00051)


def test_degree_days_run_to_the_end_of_the_season(tour: Ran) -> None:
    """The last total is what the season's extremes give."""
    first, last = dt.date(2024, 3, 1), dt.date(2024, 9, 30)
    low, high = (
        [
            float("nan") if value is None or flag in SEVERE else float(value)
            for day, value, flag in weather(2, item)
            if first <= day <= last
        ]
        for item in ("air_tmp_min", "air_tmp_max")
    )
    fahrenheit = [np.array(values) * 9 / 5 + 32 for values in (low, high)]
    due = np.nansum(degree_days(*fahrenheit, low=50.0, high=77.0))
    _, day, _, total, missing = tour.table("season")[-1]
    assert day == last.isoformat()
    assert float(total) == pytest.approx(due, abs=0.01)
    assert int(missing) == int(np.isnan(np.array(low) + np.array(high)).sum())


def test_a_filled_series_has_a_source_for_every_day(tour: Ran) -> None:
    sources = {source: int(days) for source, days in tour.table("sources")}
    assert sum(sources.values()) == 92
    assert max(sources, key=lambda source: sources[source]) == "network"
    assert len(sources) > 1


def test_the_run_leaves_nothing_behind(tour: Ran) -> None:
    """The store was temporary: neither the working nor the temporary folder keeps a file."""
    assert tour.left() == []
