"""Builders give every day its row, the words and units of the rows, and the right figures."""

from __future__ import annotations

import datetime as dt
import json
import re

import numpy as np
import polars as pl
import pytest

from cimis.charts.chart import Chart
from cimis.charts.cumulated import Summed, cumulated
from cimis.charts.eto_rain import eto_rain
from cimis.charts.gaps import CLASSES, gaps
from cimis.charts.rose import SECTORS, rose
from cimis.charts.scatter import scatter
from cimis.charts.series import MOST_LINES, series
from cimis.pipeline.errors import NoDataError, UsageError
from cimis.pipeline.field.items import Standard
from tests.charts.made import NAMES, daily, days

JUNE = (dt.date(2024, 6, 1), dt.date(2024, 6, 5))


def titles(chart: Chart) -> list[str]:
    """Return the titles of the vertical axes, from the top."""
    found: list[str] = []
    for panel in chart.spec["vconcat"]:
        encodings = [panel["encoding"], *(layer.get("encoding", {}) for layer in panel["layer"])]
        found.append(next(e["y"]["axis"]["title"] for e in encodings if "y" in e))
    return found


def test_a_day_without_a_record_has_a_row_without_a_value() -> None:
    rows = days(2, "2024-06-01", {"asce_eto": [5.0, 6.0, 7.0, 8.0, 9.0]}, absent=[2])
    chart = series(rows, daily("asce_eto"), NAMES)
    assert chart.rows["time"].to_list() == [dt.date(2024, 6, n) for n in range(1, 6)]
    assert chart.rows["value"].to_list() == [5.0, 6.0, None, 8.0, 9.0]


def test_a_value_between_gaps_is_marked_as_alone() -> None:
    rows = days(2, "2024-06-01", {"asce_eto": [5.0, None, 7.0, None, 9.0]})
    chart = series(rows, daily("asce_eto"), NAMES)
    assert chart.rows.filter("alone")["value"].to_list() == [5.0, 7.0, 9.0]


def test_days_asked_for_are_shown_where_nothing_is_stored() -> None:
    rows = days(2, "2024-06-02", {"asce_eto": [5.0]})
    chart = series(rows, daily("asce_eto"), NAMES, span=JUNE)
    assert chart.rows["value"].to_list() == [None, 5.0, None, None, None]


def test_each_quantity_has_a_panel_with_its_unit() -> None:
    items = daily("asce_eto", "precip", "air_tmp_max", "wind_spd_avg")
    rows = days(2, "2024-06-01", {item.column: [1.0, 2.0] for item in items})
    chart = series(rows, items, NAMES, standard=Standard.ENGLISH)
    assert titles(chart) == [
        "Depth of water (in)",
        "Highest air temperature (°F)",
        "Mean wind speed (mph)",
    ]


def test_titles_name_the_stations() -> None:
    rows = pl.concat([days(n, "2024-06-01", {"asce_eto": [1.0]}) for n in (2, 80, 99)])
    chart = series(rows, daily("asce_eto"), NAMES)
    assert chart.title == "Reference ET, Five Points (2), Fresno State (80) and station 99"
    assert chart.rows["label"].to_list() == ["Five Points (2)", "Fresno State (80)", "station 99"]


def test_the_description_has_the_figures() -> None:
    rows = days(
        2, "2024-06-01", {"asce_eto": [5.0, 6.0, None, 8.0]}, flags={"asce_eto": {1: "Y", 2: "M"}}
    )
    told = series(rows, daily("asce_eto"), NAMES).description
    assert "Reference ET: 5 mm to 8 mm, mean 6.33 mm, 1 missing, 1 flagged" in told


def test_more_lines_than_can_be_told_apart_are_refused() -> None:
    rows = pl.concat([days(n, "2024-06-01", {"asce_eto": [1.0]}) for n in range(1, MOST_LINES + 2)])
    with pytest.raises(UsageError, match="15 lines cannot be told apart"):
        series(rows, daily("asce_eto"), NAMES)


@pytest.mark.parametrize("values", [[None, None], []], ids=["no value", "no row"])
def test_nothing_to_plot_is_said(values: list[float | None]) -> None:
    with pytest.raises(NoDataError, match="nothing to plot"):
        series(days(2, "2024-06-01", {"asce_eto": values}), daily("asce_eto"), NAMES)


def test_eto_and_rain_add_up_to_the_sums_of_their_days() -> None:
    columns: dict[str, list[float | None]] = {
        "asce_eto": [5.0, None, 7.0, 8.5],
        "precip": [0.0, 1.5, 0.25, None],
    }
    (eto, rain) = daily("asce_eto", "precip")
    chart = eto_rain(days(2, "2024-06-01", columns), eto, rain, NAMES)
    totals = {key[0]: part["total"].to_list() for key, part in chart.rows.group_by("item")}
    assert totals == {"asce_eto": [5.0, None, 12.0, 20.5], "precip": [0.0, 1.5, 1.75, None]}


def test_eto_and_rain_say_sums_and_what_they_lack() -> None:
    columns: dict[str, list[float | None]] = {
        "asce_eto": [5.0, None, 7.0],
        "precip": [0.0, 1.5, 0.25],
    }
    (eto, rain) = daily("asce_eto", "precip")
    told = eto_rain(days(2, "2024-06-01", columns), eto, rain, NAMES).description
    assert "Five Points (2): Reference ET 12 mm (1 days without a value), rain 1.75 mm" in told


def test_a_season_says_how_it_stands_to_others() -> None:
    rows = pl.DataFrame(
        {
            "station": [2, 2],
            "item": ["precip"] * 2,
            "time": [dt.date(2024, 6, 1), dt.date(2024, 6, 2)],
            "value": [1.0, 2.0],
            "flag": pl.Series([None, None], dtype=pl.String),
            "total": [1.0, 3.0],
            "p10": [0.0, 0.5],
            "median": [1.0, 2.0],
            "p90": [3.0, 4.0],
        }
    )
    chart = cumulated(
        rows,
        [Summed("precip", "Rain", "mm")],
        NAMES,
        seasons={(2, "precip"): range(2010, 2020)},
        span=(dt.date(2024, 6, 1), dt.date(2024, 6, 2)),
    )
    assert "middle 80 % of 10 other seasons" in chart.subtitle
    assert "3 mm up to 2024-06-02; of 10 other seasons the median is 2 mm" in chart.description


@pytest.mark.parametrize(
    ("share", "there"),
    [(None, 0), (0.0, 1), (0.5, 2), (0.7, 3), (1.0, 4)],
)
def test_a_day_is_classed_by_its_share_of_values(share: float | None, there: int) -> None:
    day = {"station": [2], "date": [dt.date(2024, 3, 1)], "share": [share]}
    rows = pl.DataFrame(day, schema_overrides={"share": pl.Float64})
    assert gaps(rows, NAMES).rows["there"].to_list() == [CLASSES[there]]


def test_days_stand_in_the_week_and_on_the_weekday_of_the_calendar() -> None:
    dates = pl.date_range(dt.date(2023, 1, 1), dt.date(2024, 12, 31), eager=True)
    rows = pl.DataFrame({"station": [2] * len(dates), "date": dates, "share": [1.0] * len(dates)})
    found = gaps(rows, NAMES).rows
    for date, week, weekday in found.select("date", "week", "weekday").sample(60, seed=1).rows():
        monday = dt.date(date.year, 1, 1).weekday()
        assert week == (date.timetuple().tm_yday - 1 + monday) // 7
        assert weekday == date.strftime("%a")


def test_lines_of_years_leave_no_day_open_at_the_end_of_february() -> None:
    dates = pl.date_range(dt.date(2023, 2, 27), dt.date(2023, 3, 2), eager=True)
    rows = pl.DataFrame({"station": [2] * 4, "date": dates, "share": [1.0] * 4})
    found = gaps(rows, NAMES).rows
    assert found["end"].to_list()[:-1] == found["begin"].to_list()[1:]


def test_lines_of_years_are_runs_of_days_that_are_alike() -> None:
    dates = pl.date_range(dt.date(2010, 1, 1), dt.date(2019, 12, 31), eager=True)
    shares = [0.0 if date.year == 2012 and date.month == 3 else 1.0 for date in dates]
    rows = pl.DataFrame({"station": [2] * len(dates), "date": dates, "share": shares})
    runs = gaps(rows, NAMES).spec["data"]["values"]
    assert [run["first"] for run in runs if run["line"] == "2012"] == [
        *("2012-01-01", "2012-03-01", "2012-04-01"),
    ]
    assert len(runs) == 12
    assert [run["end"] for run in runs[:2]] == ["2001-01-01", "2001-01-01"]


def test_a_rose_counts_hours_by_sector_and_speed() -> None:
    chance = np.random.default_rng(7)
    direction, speed = chance.uniform(0, 360, 5_000), chance.gamma(2, 1.2, 5_000)
    hours = pl.DataFrame({"station": [2] * 5_000, "direction": direction, "speed": speed})
    chart = rose(hours, NAMES, span=JUNE, symbol="m/s")
    edges = [0.5, 2, 3, 4, 6, np.inf]
    place = ((direction + 11.25) % 360 // 22.5).astype(int)
    expected, *_ = np.histogram2d(place, speed, bins=(np.arange(17), edges))
    words = list(dict.fromkeys(chart.rows.sort("inner")["speed"]))
    order = sorted(words, key=lambda word: float(re.split(r"[– ]", word)[0]))
    petals = chart.rows.select("sector", "speed", "hours").rows()
    found = {(sector, word): count for sector, word, count in petals}
    counted = [[found.get((sector, word), 0) for word in order] for sector in SECTORS]
    assert counted == expected.astype(int).tolist()
    assert chart.rows["share"].sum() + (speed < 0.5).mean() == pytest.approx(1)


def test_a_rose_says_its_calms_and_leaves_out_hours_without_direction() -> None:
    hours = pl.DataFrame(
        {
            "station": [2] * 5,
            "direction": [0.0, 359.0, None, 90.0, 10.0],
            "speed": [0.1, 3.0, 2.0, None, 5.0],
        }
    )
    chart = rose(hours, NAMES, span=JUNE, symbol="m/s")
    assert "33.3% of 3 h calm (< 0.5 m/s)" in chart.subtitle
    assert set(chart.rows["sector"]) == {"N"}


def test_a_scatter_says_number_bias_and_correlation() -> None:
    chance = np.random.default_rng(3)
    one = chance.normal(20, 5, 50)
    other = one + chance.normal(1, 2, 50)
    gap: list[float | None] = list(other)
    gap[7] = None
    item = daily("air_tmp_max")[0]
    rows = pl.concat(
        [
            days(2, "2024-06-01", {"air_tmp_max": list(one)}),
            days(6, "2024-06-01", {"air_tmp_max": gap}),
        ]
    )
    chart = scatter(rows, item, (2, 6), NAMES, span=JUNE)
    kept = np.arange(50) != 7
    bias = (other - one)[kept].mean()
    r = np.corrcoef(one[kept], other[kept])[0, 1]
    assert f"n = 49, bias {bias:.3g} °C, r = {r:.3f}" in chart.subtitle


def test_a_scatter_of_stations_without_a_common_day_is_refused() -> None:
    rows = pl.concat(
        [
            days(2, "2024-06-01", {"asce_eto": [1.0]}),
            days(6, "2024-06-02", {"asce_eto": [1.0]}),
        ]
    )
    with pytest.raises(NoDataError, match=r"Five Points \(2\) and Davis \(6\) have no day"):
        scatter(rows, daily("asce_eto")[0], (2, 6), NAMES, span=JUNE)


def test_specifications_hold_no_colours() -> None:
    rows = days(2, "2024-06-01", {"asce_eto": [1.0, 2.0], "precip": [0.0, 1.0]})
    items = daily("asce_eto", "precip")
    for chart in (series(rows, items, NAMES), eto_rain(rows, items[0], items[1], NAMES)):
        assert re.findall(r"#[0-9a-fA-F]{6}", json.dumps(chart.spec)) == []
