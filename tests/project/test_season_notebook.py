"""The notebook of a grower's season runs, and shows what the weather served amounts to."""

from __future__ import annotations

import datetime as dt
import re
import sys
import tomllib
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from cimis.agronomy.degree_days import degree_days
from cimis.pipeline.emulator import GeneratedSource
from cimis.pipeline.field.items import QC_FLAGS, Scope, Standard, resolve
from tests.project.notebooks import ROOT, Ran, code_cells, ran

NOTEBOOK = ROOT / "notebooks" / "season.ipynb"
FIRST, LAST = dt.date(2024, 3, 1), dt.date(2024, 9, 30)
SEVERE = {flag.letter for flag in QC_FLAGS if flag.severe}
INCH_MM = 25.4


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Run the notebook once."""
    for library in ("pandas", "xarray", "h5netcdf", "vl_convert"):
        pytest.importorskip(library, reason=f"{library} is missing: the notebook takes it")
    return ran(NOTEBOOK, tmp_path_factory.mktemp("season"))


@cache
def weather(
    station: int, item: str, first: dt.date = FIRST, last: dt.date = LAST
) -> dict[dt.date, tuple[float, str | None]]:
    """Return value and flag of each day, NaN where missing, as the emulator serves them."""
    (wanted,) = resolve(item, Scope.DAILY)
    records = GeneratedSource().records(
        station, Scope.DAILY, first, last, [wanted], Standard.METRIC
    )
    texts = records.items[wanted.json_key]
    return {
        dt.date.fromisoformat(day): (
            float("nan") if text is None else float(text),
            flag.strip() or None,
        )
        for day, text, flag in zip(records.dates, texts.values, texts.flags, strict=True)
    }


def missing(item: str) -> list[dt.date]:
    """Return the days of the season without a value at station 2."""
    return [day for day, (value, _) in weather(2, item).items() if np.isnan(value)]


def test_the_notebook_is_kept_without_outputs() -> None:
    code = code_cells(NOTEBOOK)
    assert len(code) >= 12
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


@pytest.mark.parametrize("notebook", sorted(NOTEBOOK.parent.glob("*.ipynb")), ids=lambda p: p.stem)
def test_the_extra_brings_what_a_notebook_takes(notebook: Path) -> None:
    """What its cells import, and the frames that they ask for, are dependencies or of the extra."""
    code = "\n".join("".join(cell["source"]) for cell in code_cells(notebook))
    taken = set(re.findall(r"^(?:import|from) (\w+)", code, re.MULTILINE))
    taken |= set(re.findall(r"to=\"(\w+)\"", code))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = [*project["dependencies"], *project["optional-dependencies"]["notebook"]]
    brought = {re.split(r"[\[><=; ]", text)[0].lower() for text in named}
    assert taken - brought - {"cimis"} - sys.stdlib_module_names == set()
    assert "polars" in taken


def test_no_cell_complains(season: Ran) -> None:
    assert season.errors() == []


def test_every_cell_but_the_last_shows_something(season: Ran) -> None:
    assert [name for name, outputs in season.outputs.items() if not outputs] == ["close"]


def test_the_fetch_tells_that_all_came(season: Ran) -> None:
    days = (dt.date(2024, 6, 30) - dt.date(2004, 10, 1)).days + 1
    facts = {row[0]: row[1] for row in season.table("fetch")}
    assert facts["stations"] == "1 of 1"
    assert facts["rows"] == f"{days:,} of {days:,} asked for"
    assert ": complete" in season.page("fetch")


def test_the_store_shows_its_stations_and_days(season: Ran) -> None:
    rows = season.table("store")
    assert [row[0] for row in rows] == ["2", "50", "170", "218"]
    assert rows[0][3:] == ("2004-10-01", "2024-10-31")
    kinds = season.table("store", 1)
    assert [row[0] for row in kinds] == ["daily", "hourly"]


def test_july_is_the_gap_and_then_only_what_the_station_lacks(season: Ran) -> None:
    due = (LAST - FIRST).days + 1
    for cell, absent in (("gaps", 31), ("whole", 0)):
        rows = {row[1]: row[2:5] for row in season.table(cell)}
        assert set(rows) == {"asce_eto", "precip", "air_tmp_min", "air_tmp_max"}
        for item, figures in rows.items():
            lacking = [day for day in missing(item) if absent == 0 or day.month != 7]
            assert figures == (str(due), str(absent), str(len(lacking)))


def test_months_are_summed_in_inches(season: Ran) -> None:
    rows = season.table("months")
    assert [row[0] for row in rows] == [str(month) for month in range(3, 10)]
    for month, eto_in, normal_in, share, days, rain_in, _ in rows:
        eto = [v for day, (v, _) in weather(2, "asce_eto").items() if day.month == int(month)]
        rain = [v for day, (v, _) in weather(2, "precip").items() if day.month == int(month)]
        assert float(eto_in) == pytest.approx(np.nansum(eto) / INCH_MM, abs=0.0051)
        assert float(rain_in) == pytest.approx(np.nansum(rain) / INCH_MM, abs=0.0051)
        assert int(days) == np.isfinite(eto).sum()
        assert float(share) == pytest.approx(100 * float(eto_in) / float(normal_in), abs=0.7)


def test_the_normal_is_the_mean_of_the_years_whole_in_that_month(season: Ran) -> None:
    """August's ETo, from the years whose every August day has a value."""
    sums = []
    for year in range(2005, 2025):
        span = dt.date(year, 8, 1), dt.date(year, 8, 31)
        values = [value for value, _ in weather(2, "asce_eto", *span).values()]
        if np.isfinite(values).all():
            sums.append(float(np.sum(values)))
    (row,) = [row for row in season.table("months") if row[0] == "8"]
    assert len(sums) >= 5
    assert float(row[2]) == pytest.approx(np.mean(sums) / INCH_MM, abs=0.02)


def test_the_chart_is_drawn_with_the_seasons_total(season: Ran) -> None:
    (shown,) = [o["data"] for o in season.outputs["plot"] if "data" in o]
    assert shown["image/svg+xml"].count("<path") > 3
    total = np.nansum([round(mm / INCH_MM, 2) for mm, _ in weather(2, "asce_eto").values()])
    (told,) = re.findall(r"FivePoints \(2\): ([\d.]+) in up to 2024-09-30", shown["text/plain"])
    assert float(told) == pytest.approx(total, abs=0.051)


def test_degree_days_run_to_the_end_of_the_season(season: Ran) -> None:
    low, high = (
        np.array([np.nan if flag in SEVERE else v for v, flag in weather(2, item).values()])
        for item in ("air_tmp_min", "air_tmp_max")
    )
    due = np.nansum(degree_days(low * 9 / 5 + 32, high * 9 / 5 + 32, low=50.0, high=88.0))
    _, day, _, total, lacking = season.table("heat")[-1]
    assert day == LAST.isoformat()
    assert float(total) == pytest.approx(due, abs=0.01)
    assert int(lacking) == int(np.isnan(low + high).sum())


def test_chill_is_refused_where_hours_lack_and_given_by_the_neighbour(season: Ran) -> None:
    out, neighbour = season.table("chill")
    assert (out[0], neighbour[0]) == ("2", "170")
    assert out[5] == out[11] == "–"
    assert int(out[9]) > 0.05 * int(out[8])
    assert 0 < float(neighbour[11]) < 200
    assert "more than 5 % of their hours lack" in season.page("chill")


def test_water_use_is_eto_times_the_coefficient(season: Ran) -> None:
    rows = season.table("water")
    assert [row[4] for row in rows] == ["stored"] * 3 + ["historical average"]
    days = [dt.date(2024, 9, 10) + dt.timedelta(days=n) for n in range(7)]
    eto = sum(weather(2, "asce_eto")[day][0] for day in days)
    assert float(rows[0][5]) == pytest.approx(0.90 * eto / INCH_MM, abs=0.006)


def test_the_sensors_of_each_station_have_a_verdict(season: Ran) -> None:
    rows = season.table("sensors")
    assert [row[0] for row in rows] == ["2", "50", "170", "218"]
    assert {row[1] for row in rows} <= {"sound", "suspect", "bad", "no evidence"}


def test_the_frame_has_units_and_each_months_warmest_day(season: Ran) -> None:
    assert "'air_tmp_max': '°F'" in season.printed("pandas")
    for month, warmest, _, count in season.table("pandas"):
        values = [v for day, (v, _) in weather(2, "air_tmp_max").items() if day.month == int(month)]
        assert float(warmest) == pytest.approx(np.nanmax(values) * 9 / 5 + 32, abs=0.1)
        assert int(count) == np.isfinite(values).sum()


def test_the_cube_is_stations_by_days(season: Ran) -> None:
    page = season.page("xarray")
    assert "FivePoints" in page
    assert "lwe_thickness_of_precipitation_amount" in page


def test_what_is_sent_is_written_and_nothing_is_left_behind(season: Ran) -> None:
    files = {row[0]: int(row[1]) for row in season.table("send")}
    assert set(files) == {"season.svg", "degree-days.csv", "weather.nc", "report.html"}
    assert min(files.values()) > 1000
    assert season.left() == []
